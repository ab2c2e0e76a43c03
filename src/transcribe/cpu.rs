//! Can this machine's processor run what the recogniser was compiled to? whisper.cpp does not look: an instruction that the
//! processor lacks ends the process with SIGILL and no word of why.
//!
//! The flags are those of `.cargo/config.toml`, which cargo shows to this crate as it does to whisper.cpp's build. Asking
//! whisper.cpp itself would run its code, and on such a processor that is what must not happen.
//! Can go wrong: a build for the builder's own processor (`GGML_NATIVE=ON`) names no instructions and is not checked.

/// An instruction set: its name, whether the recogniser was compiled to use it, whether this processor has it.
#[derive(Debug, Clone, Copy)]
struct Set {
    name: &'static str,
    built: Option<&'static str>,
    here: bool,
}

/// The answer in the error and in `check`.
///
/// # Errors
/// The instruction sets that are wanting, and the remedy.
pub fn fits() -> Result<(), String> {
    judged(&sets())
}

fn judged(sets: &[Set]) -> Result<(), String> {
    let wanting = sets.iter().filter(|set| set.built == Some("ON") && !set.here);
    let wanting: Vec<&str> = wanting.map(|set| set.name).collect();
    if wanting.is_empty() {
        return Ok(());
    }
    Err(format!(
        "this processor lacks {}, which the recogniser was built with; build it on this machine with `--config \
         .cargo/native.toml` (docs/operation.md), or run it on a newer one",
        wanting.join(", ")
    ))
}

#[cfg(target_arch = "x86_64")]
fn sets() -> Vec<Set> {
    macro_rules! sets {
        ($($name:literal $flag:literal [$($feature:tt)+],)+) => {
            vec![$(Set {
                name: $name,
                built: option_env!($flag),
                here: $(std::arch::is_x86_feature_detected!($feature))&&+,
            },)+]
        };
    }
    sets![
        "SSE4.2" "GGML_SSE42" ["sse4.2"],
        "AVX" "GGML_AVX" ["avx"],
        "AVX2" "GGML_AVX2" ["avx2"],
        "FMA" "GGML_FMA" ["fma"],
        "F16C" "GGML_F16C" ["f16c"],
        "BMI2" "GGML_BMI2" ["bmi2"],
        "AVX-512" "GGML_AVX512" ["avx512f" "avx512cd" "avx512vl" "avx512dq" "avx512bw"],
        "AVX-512 VBMI" "GGML_AVX512_VBMI" ["avx512vbmi"],
        "AVX-512 VNNI" "GGML_AVX512_VNNI" ["avx512vnni"],
        "AVX-512 BF16" "GGML_AVX512_BF16" ["avx512bf16"],
    ]
}

/// Elsewhere whisper.cpp is compiled for the least processor there is.
#[cfg(not(target_arch = "x86_64"))]
fn sets() -> Vec<Set> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_that_runs_the_tests_fits() {
        assert_eq!(fits(), Ok(()));
    }

    #[test]
    fn what_was_built_in_and_is_wanting_is_named_with_the_remedy() {
        let set = |name, built, here| Set { name, built, here };
        let sets = [
            set("AVX", Some("ON"), true),
            set("AVX2", Some("ON"), false),
            set("BMI2", Some("ON"), false),
            set("AVX-512", Some("OFF"), false),
            set("AVX-512 VNNI", None, false),
        ];
        let told = judged(&sets).unwrap_err();
        assert!(told.contains("lacks AVX2, BMI2, which") && told.contains("native.toml"), "{told}");
        assert_eq!(judged(&sets[..1]), Ok(()));
    }
}

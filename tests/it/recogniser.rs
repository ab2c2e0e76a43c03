//! What the recogniser of this build was compiled with: the portable flags, whatever stood in the builder's shell.

use nachtwache::transcribe::{cpu, whisper};

const SETTINGS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/.cargo/config.toml"));

/// The flags of the build, name and value, all of them forced.
fn flags() -> Vec<(String, String)> {
    let settings: toml::Table = toml::from_str(SETTINGS).unwrap();
    let flag = |(name, value): (&String, &toml::Value)| {
        assert_eq!(value["force"].as_bool(), Some(true), "{name} gives way to a shell's own");
        (name.clone(), value["value"].as_str().unwrap().to_owned())
    };
    settings["env"].as_table().unwrap().iter().map(flag).collect()
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_recogniser_was_built_with_the_projects_flags() {
    // whoever builds for his own machine or with AVX-512 says so, and does not want the portable one
    let portable = (option_env!("GGML_NATIVE"), option_env!("GGML_AVX512")) == (Some("OFF"), Some("OFF"));
    let built = whisper::built_with();
    assert!(built.contains("LLAMAFILE = 1"), "{built}");
    for (name, value) in flags() {
        let Some(set) = name.strip_prefix("GGML_").filter(|set| !["NATIVE", "SSE42"].contains(set)) else { continue };
        if portable {
            assert_eq!(built.contains(&format!(" {set} = 1")), value == "ON", "{set}: {built}");
        }
    }
    assert_eq!(cpu::fits(), Ok(()));
}

//! What a recording looks like: how loud it is, and where proof, silence and doubtful words lie. Pure.

use super::words::clock;
use std::fmt::Write as _;

/// The picture is so wide and so high; the page stretches it.
pub(super) const WIDTH: u32 = 1_000;
pub(super) const HEIGHT: u32 = 100;
/// Shorter pauses are nothing to look at, milliseconds.
const PAUSE_MS: u32 = 400;
/// Marks closer than this are one, milliseconds.
const CLOSE_MS: u32 = 250;
/// What is never louder than this is drawn as quiet as it is.
const QUIET: u32 = 48;
/// So many places are named for those who do not see the picture.
const NAMED: usize = 6;

/// A stretch of the recording, milliseconds.
pub(super) type Span = (u32, u32);

/// What is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wave {
    /// The loudness, as the `d` of a path.
    pub(super) path: String,
    pub(super) silences: Vec<Stretch>,
    pub(super) proofs: Vec<Stretch>,
    pub(super) doubts: Vec<Stretch>,
    /// The same in words.
    pub(super) text: String,
}

/// A mark, in the picture's own measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) x: u32,
    pub(super) width: u32,
}

/// What is known of a recording beside its sound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// Where somebody speaks; `None`: not known yet.
    pub(super) speech: Option<Vec<Span>>,
    /// The words that prove something.
    pub(super) proofs: Vec<Span>,
    /// The words that are hardly probable.
    pub(super) doubts: Vec<Span>,
}

/// The picture of a recording of `sound_ms`; `peaks` are its loudness in stretches of equal length.
pub(super) fn wave(peaks: &[u8], sound_ms: u32, marks: &Marks) -> Wave {
    let silent = marks.speech.as_ref().map(|speech| silences(speech, sound_ms)).unwrap_or_default();
    let (proven, doubtful) = (together(&marks.proofs), together(&marks.doubts));
    let drawn = |spans: &[Span]| spans.iter().map(|span| stretch(*span, sound_ms)).collect();
    Wave {
        path: path(peaks),
        silences: drawn(&silent),
        proofs: drawn(&proven),
        doubts: drawn(&doubtful),
        text: [
            Some(format!("Aufnahme, {} lang.", clock(sound_ms))),
            named("Belege", &proven),
            named("Unsichere Worte", &doubtful),
            named("Stille", &silent),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" "),
    }
}

/// One line a stretch, up and down from the middle; the loudest fills the picture, unless all is quiet.
fn path(peaks: &[u8]) -> String {
    let count = u32::try_from(peaks.len()).unwrap_or(1).max(1);
    let loudest = u32::from(peaks.iter().copied().max().unwrap_or(0)).max(QUIET);
    let mut path = String::with_capacity(peaks.len() * 12);
    for (place, peak) in (0u32..).zip(peaks) {
        let x = (place * WIDTH + WIDTH / 2) / count;
        let half = (u32::from(*peak) * (HEIGHT / 2 - 8) / loudest).max(1);
        write!(path, "M{x} {}v{}", HEIGHT / 2 - half, half * 2).expect("writing to a String cannot fail");
    }
    path
}

fn silences(speech: &[Span], sound_ms: u32) -> Vec<Span> {
    let ends = std::iter::once(0).chain(speech.iter().map(|(_, end)| *end));
    let begins = speech.iter().map(|(start, _)| *start).chain([sound_ms]);
    ends.zip(begins).filter(|(end, begin)| begin.saturating_sub(*end) >= PAUSE_MS).collect()
}

fn together(spans: &[Span]) -> Vec<Span> {
    let mut sorted = spans.to_vec();
    sorted.sort_unstable();
    let mut joined: Vec<Span> = Vec::new();
    for (start, end) in sorted {
        match joined.last_mut() {
            Some(last) if start <= last.1.saturating_add(CLOSE_MS) => last.1 = last.1.max(end),
            _ => joined.push((start, end)),
        }
    }
    joined
}

fn stretch((start, end): Span, sound_ms: u32) -> Stretch {
    let at = |ms: u32| u32::try_from(u64::from(ms.min(sound_ms)) * u64::from(WIDTH) / u64::from(sound_ms.max(1)));
    let (x, until) = (at(start).unwrap_or(WIDTH), at(end).unwrap_or(WIDTH));
    Stretch { x, width: until.saturating_sub(x).max(2) }
}

fn named(what: &str, spans: &[Span]) -> Option<String> {
    let places: Vec<String> = spans.iter().take(NAMED).map(|(start, _)| clock(*start)).collect();
    let more = spans.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" und {more} weitere") } else { String::new() };
    (!places.is_empty()).then(|| format!("{what} bei {}{more}.", places.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proof_silence_and_doubt_lie_where_they_are_heard() {
        let marks = Marks {
            speech: Some(vec![(1_000, 4_000), (4_200, 8_000)]),
            proofs: vec![(5_000, 5_400), (5_500, 6_000)],
            doubts: vec![(2_000, 2_100)],
        };
        let wave = wave(&[0, 255], 10_000, &marks);
        assert_eq!(wave.path, "M250 49v2M750 8v84");
        assert_eq!(wave.silences, [Stretch { x: 0, width: 100 }, Stretch { x: 800, width: 200 }]);
        assert_eq!(wave.proofs, [Stretch { x: 500, width: 100 }], "words close together are one mark");
        assert_eq!(wave.doubts, [Stretch { x: 200, width: 10 }]);
        assert_eq!(wave.text, "Aufnahme, 0:10 lang. Belege bei 0:05. Unsichere Worte bei 0:02. Stille bei 0:00, 0:08.");
    }

    #[test]
    fn what_is_not_known_is_not_drawn() {
        let nothing = wave(&[], 0, &Marks::default());
        assert_eq!((nothing.path.as_str(), nothing.silences.len()), ("", 0));
        let unheard = wave(&[9], 5_000, &Marks::default());
        assert!(unheard.silences.is_empty(), "silence is not claimed before anybody listened");
        let silent = wave(&[0], 5_000, &Marks { speech: Some(Vec::new()), ..Marks::default() });
        assert_eq!(silent.silences, [Stretch { x: 0, width: WIDTH }]);
        let beyond = wave(&[0], 1_000, &Marks { proofs: vec![(900, 9_000)], ..Marks::default() });
        assert_eq!(beyond.proofs, [Stretch { x: 900, width: 100 }]);
    }
}

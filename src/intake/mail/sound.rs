//! The recordings in a mail: which attachment is the voice, and which of several formats of it is the best.

use super::mime::Entity;

/// Endings of sound files.
const ENDINGS: [&str; 16] = [
    "wav", "wave", "mp3", "gsm", "ogg", "oga", "opus", "m4a", "mp4a", "amr", "wma", "au", "alaw", "ulaw", "sln", "flac",
];

/// An attachment that is, or says to be, a sound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attached<'x> {
    /// The file's name.
    pub name: &'x str,
    /// Its content.
    pub bytes: &'x [u8],
    /// How well its first bytes fit; the lower the better. `None`: they fit no sound that is known.
    pub fits: Option<u8>,
}

/// Every sound in a mail, not those of mails within it.
pub(super) fn sounds(root: &Entity) -> Vec<Attached<'_>> {
    root.leaves().into_iter().filter(|leaf| says_sound(leaf)).map(attached).collect()
}

fn says_sound(leaf: &Entity) -> bool {
    let named = leaf.name.as_deref().and_then(|name| name.rsplit_once('.')).map(|(_, end)| end.to_ascii_lowercase());
    leaf.kind.starts_with("audio/")
        || leaf.kind == "application/ogg"
        || named.is_some_and(|end| ENDINGS.contains(&end.as_str()))
}

fn attached(leaf: &Entity) -> Attached<'_> {
    let bytes = leaf.bytes();
    let name = leaf.name.as_deref().unwrap_or(match leaf.kind.as_str() {
        "audio/mpeg" | "audio/mp3" => "sound.mp3",
        "audio/x-gsm" | "audio/gsm" => "sound.gsm",
        "audio/ogg" | "application/ogg" => "sound.ogg",
        _ => "sound.wav",
    });
    Attached { name, bytes, fits: fits(bytes) }
}

fn fits(bytes: &[u8]) -> Option<u8> {
    let at = |from: usize, mark: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(mark));
    let mpeg = matches!(bytes, [0xff, second, ..] if second & 0xe0 == 0xe0);
    Some(match () {
        () if at(0, b"RIFF") && at(8, b"WAVE") => 0,
        () if at(0, b"OggS") => 1,
        () if at(0, b"ID3") || mpeg => 2,
        () if at(4, b"ftyp") => 4,
        () if at(0, b"#!AMR") => 5,
        () => return None,
    })
}

/// What the sounds of a mail come to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Voice<'x> {
    /// No sound.
    None,
    /// One voice, in its best format.
    One(Attached<'x>),
    /// Several voices.
    Several(usize),
}

/// The voice in a mail. Of a system that is known (`known`) a sound without a mark of its own counts, too (raw GSM).
pub(super) fn voice<'x>(sounds: &[Attached<'x>], known: bool) -> Voice<'x> {
    let fitting: Vec<&Attached<'x>> = sounds.iter().filter(|sound| sound.fits.is_some()).collect();
    let all = if fitting.is_empty() && known { sounds.iter().collect() } else { fitting };
    let mut voices: Vec<String> = all.iter().map(|sound| stem(sound.name)).collect();
    voices.sort();
    voices.dedup();
    // two names for two formats are one voice, two names for one format are two
    let mut kinds: Vec<(Option<u8>, String)> = all.iter().map(|sound| (sound.fits, stem(sound.name))).collect();
    kinds.sort();
    kinds.dedup();
    let twice = kinds.windows(2).any(|pair| pair[0].0 == pair[1].0);
    match all.iter().min_by_key(|sound| (sound.fits.unwrap_or(3), usize::MAX - sound.bytes.len())) {
        None => Voice::None,
        Some(_) if voices.len() > 1 && twice => Voice::Several(voices.len()),
        Some(best) => Voice::One(**best),
    }
}

fn stem(name: &str) -> String {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAVE: &[u8] = b"RIFF\0\0\0\0WAVEfmt ";

    fn file<'x>(name: &'x str, bytes: &'x [u8]) -> Attached<'x> {
        Attached { name, bytes, fits: fits(bytes) }
    }

    #[test]
    fn of_several_formats_of_one_voice_the_best_is_taken() {
        let files = [file("msg0000.gsm", b"\xd0\xd0"), file("msg0000.mp3", b"ID3\x03"), file("msg0000.wav", WAVE)];
        assert!(matches!(voice(&files, true), Voice::One(best) if best.name == "msg0000.wav"));
        assert!(matches!(voice(&files[..2], true), Voice::One(best) if best.name == "msg0000.mp3"));
        assert!(matches!(voice(&files[..1], true), Voice::One(best) if best.name == "msg0000.gsm"));
        assert!(matches!(voice(&files[..1], false), Voice::None));
    }

    #[test]
    fn two_voices_are_not_taken_for_one() {
        let files = [file("a.wav", WAVE), file("b.wav", WAVE)];
        assert!(matches!(voice(&files, true), Voice::Several(2)));
        let formats = [file("a.wav", WAVE), file("b.mp3", b"ID3\x03")];
        assert!(matches!(voice(&formats, true), Voice::One(best) if best.name == "a.wav"));
    }
}

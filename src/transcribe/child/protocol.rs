//! What parent and child say to each other: frames of a 4-byte little-endian length and that much JSON. Pure.
//!
//! Promises: whatever bytes the other side sends, reading ends in a message or in a `FrameError`, with no more than
//! `MAX_FRAME` bytes held. The child is not trusted: its transcripts are checked before anybody sees them.

use crate::domain::transcript::{Doubt, Transcript};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::io::Read;
use std::path::PathBuf;

/// Changed whenever a message changes; the child says it first.
pub const VERSION: u32 = 3;
/// Longest frame in bytes: 5,000 words of about 100 bytes of JSON each, the second text, and room.
pub const MAX_FRAME: usize = 1 << 20;
/// Most words of one transcript: 20 minutes of fast speech are 4,000.
pub const MAX_WORDS: usize = 5_000;
/// Longest text of one decode in bytes.
pub const MAX_TEXT: usize = 64 * 1024;
/// Most stretches of a sound's picture.
pub const MAX_PEAKS: usize = 1_000;
/// Longest sound a child may report, milliseconds: the decoder's 20 minutes, and room.
const MAX_SOUND_MS: u32 = 30 * 60 * 1000;

/// What the parent asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Write down recordings, all at once.
    Transcribe {
        /// The recordings; the first ones are begun first.
        jobs: Vec<Job>,
    },
    /// Make a voice message of a recording.
    Voice {
        /// The stored sound.
        path: PathBuf,
        /// Its name at the source: a hint for the decoder.
        name: String,
        /// Where the Ogg/Opus file is to stand.
        to: PathBuf,
    },
    /// Write a recording anew as a browser plays it, and what it looks like.
    Listen {
        /// The stored sound.
        path: PathBuf,
        /// Its name at the source: a hint for the decoder.
        name: String,
        /// Where the WAV file is to stand: 16 bit PCM, mono.
        to: PathBuf,
    },
}

/// One recording to be written down, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The stored sound.
    pub path: PathBuf,
    /// Its name at the source: a hint for the decoder.
    pub name: String,
    /// The model's file.
    pub model: PathBuf,
    /// ISO 639-1 language of the callers.
    pub language: String,
    /// Chunks heard at once at most; 0 = as many as the machine has cores.
    pub states: u32,
    /// Threads for the arithmetic of all of them; 0 = as many as the machine has cores that nobody else uses.
    pub threads: u32,
    /// Whether to decode twice (proof of consent needs it).
    pub second: bool,
    /// Words that help the recogniser; never words of consent.
    pub prompt: Option<String>,
}

/// What the child answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// The child's first word.
    Hello {
        /// Its protocol.
        version: u32,
    },
    /// It lives and is so far, 0 to 1.
    Progress {
        /// The part that is done.
        done: f32,
    },
    /// A recording is decoded and will be heard.
    Sound {
        /// Its place among the jobs.
        job: usize,
        /// Length of the sound, milliseconds.
        sound_ms: u32,
    },
    /// What came of a recording.
    Transcribed {
        /// Its place among the jobs.
        job: usize,
        /// Its transcript, or why there is none.
        result: Box<Result<Transcript, Refusal>>,
    },
    /// The voice message is written.
    Voice {
        /// Length of the sound, milliseconds.
        sound_ms: u32,
        /// What the decoder noticed.
        remark: Option<String>,
    },
    /// The WAV file is written.
    Listen {
        /// Length of the sound, milliseconds.
        sound_ms: u32,
        /// How loud it is in stretches of equal length, 0 to 255; at most `MAX_PEAKS`.
        peaks: Vec<u8>,
    },
    /// It cannot be done, and the child is well.
    Refused(Refusal),
}

/// Why a child that is well does not do a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Why, in English.
    pub why: String,
    /// What that says about the sound; `None` where the fault is ours (model, disk).
    pub doubt: Option<Doubt>,
}

/// Bytes that are no message.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// A length beyond `MAX_FRAME`.
    #[error("a frame of {0} bytes, allowed are {MAX_FRAME}")]
    TooLong(usize),
    /// Not the JSON of a message. The text of the error never quotes the frame.
    #[error("a frame that is no message (line {line}, column {column})")]
    NotAMessage {
        /// Line of the frame.
        line: usize,
        /// Column of the frame.
        column: usize,
    },
    /// A transcript that cannot be one.
    #[error("an impossible transcript: {0}")]
    Impossible(&'static str),
    /// The pipe.
    #[error("could not read the pipe: {0}")]
    Pipe(#[from] std::io::Error),
}

/// The bytes of one message.
///
/// # Errors
/// When it would be longer than `MAX_FRAME` or cannot be written as JSON.
pub fn frame<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message).map_err(|error| not_a_message(&error))?;
    let length = bytes.len() - 4;
    let head = u32::try_from(length).ok().filter(|_| length <= MAX_FRAME).ok_or(FrameError::TooLong(length))?;
    bytes[..4].copy_from_slice(&head.to_le_bytes());
    Ok(bytes)
}

/// Reads one message from a blocking pipe; `None` at its end.
///
/// # Errors
/// When the pipe breaks inside a frame or what comes is no message.
pub fn read<T: DeserializeOwned>(pipe: &mut impl Read) -> Result<Option<T>, FrameError> {
    let mut head = [0; 4];
    // an end between two frames is an end, inside one it is a fault
    if pipe.read(&mut head[..1])? == 0 {
        return Ok(None);
    }
    pipe.read_exact(&mut head[1..])?;
    let mut body = vec![0; length(head)?];
    pipe.read_exact(&mut body)?;
    message(&body).map(Some)
}

/// Collects bytes as they come and gives out whole messages.
#[derive(Debug, Default)]
pub struct Frames {
    held: Vec<u8>,
}

impl Frames {
    /// Takes what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next whole message, if there is one.
    ///
    /// # Errors
    /// When the bytes are no message; then nothing that follows can be read either.
    pub fn take<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let Some((head, rest)) = self.held.split_first_chunk::<4>() else { return Ok(None) };
        let length = length(*head)?;
        let Some(body) = rest.get(..length) else { return Ok(None) };
        let read = message(body);
        self.held.drain(..4 + length);
        read.map(Some)
    }
}

/// Whether a child's transcript can be one: sizes, times in order, probabilities from 0 to 1.
///
/// # Errors
/// Names what is impossible about it.
pub fn check(transcript: &Transcript) -> Result<(), FrameError> {
    let whole = transcript.sound_ms;
    let fault = |is: bool, what| if is { Err(FrameError::Impossible(what)) } else { Ok(()) };
    fault(whole > MAX_SOUND_MS, "longer than any recording")?;
    fault(transcript.words.len() > MAX_WORDS, "too many words")?;
    let first: usize = transcript.words.iter().map(|word| word.text.len() + 1).sum();
    let second = transcript.second.as_ref().map_or(0, String::len);
    fault(first > MAX_TEXT || second > MAX_TEXT, "too much text")?;
    let mut before = 0;
    for word in &transcript.words {
        fault(word.text.trim().is_empty(), "a word without letters")?;
        fault(word.start_ms < before || word.end_ms < word.start_ms || word.end_ms > whole, "words out of time")?;
        fault(!(0.0..=1.0).contains(&word.probability), "a probability that is none")?;
        before = word.start_ms;
    }
    before = 0;
    for &(start, end) in &transcript.speech {
        fault(start < before || end < start || end > whole, "speech out of time")?;
        before = end;
    }
    Ok(())
}

fn length(head: [u8; 4]) -> Result<usize, FrameError> {
    let length = usize::try_from(u32::from_le_bytes(head)).unwrap_or(usize::MAX);
    if length > MAX_FRAME { Err(FrameError::TooLong(length)) } else { Ok(length) }
}

fn message<T: DeserializeOwned>(body: &[u8]) -> Result<T, FrameError> {
    serde_json::from_slice(body).map_err(|error| not_a_message(&error))
}

/// Only the place: serde's own words may quote the caller.
fn not_a_message(error: &serde_json::Error) -> FrameError {
    FrameError::NotAMessage { line: error.line(), column: error.column() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::transcript::Word;
    use proptest::prelude::*;

    fn transcript() -> Transcript {
        Transcript {
            model: "ggml-test-de.bin".to_owned(),
            language: "de".to_owned(),
            sound_ms: 2_000,
            words: vec![Word { text: "Notfall.".to_owned(), start_ms: 100, end_ms: 900, probability: 0.5 }],
            second: Some("Notfall.".to_owned()),
            speech: vec![(50, 1_000)],
            doubt: None,
            remark: None,
        }
    }

    fn transcribed(transcript: Transcript) -> Reply {
        Reply::Transcribed { job: 0, result: Box::new(Ok(transcript)) }
    }

    #[test]
    fn a_transcript_survives_the_way_through_the_pipe() {
        let sent = transcribed(transcript());
        let bytes = frame(&sent).unwrap();
        let mut pipe = bytes.as_slice();
        assert_eq!(read::<Reply>(&mut pipe).unwrap(), Some(sent));
        assert_eq!(read::<Reply>(&mut pipe).unwrap(), None);
    }

    #[test]
    fn the_largest_allowed_transcript_fits_into_a_frame() {
        let word =
            |n: u32| Word { text: "ä".repeat(6), start_ms: n * 10, end_ms: 1_799_999, probability: 0.123_456_79 };
        let mut largest = transcript();
        largest.sound_ms = 1_800_000;
        largest.words = (0..5_000).map(word).collect();
        largest.second = Some("\"".repeat(MAX_TEXT));
        check(&largest).unwrap();
        assert!(frame(&transcribed(largest)).is_ok());
    }

    #[test]
    fn a_length_beyond_the_cap_is_refused_before_its_bytes_are_awaited() {
        let mut frames = Frames::default();
        frames.push(&u32::MAX.to_le_bytes());
        assert!(matches!(frames.take::<Reply>(), Err(FrameError::TooLong(_))));
        assert!(matches!(read::<Reply>(&mut u32::MAX.to_le_bytes().as_slice()), Err(FrameError::TooLong(_))));
    }

    #[test]
    fn an_error_never_quotes_the_frame() {
        let body = br#"{"reply":"Mein Name ist Vogel"}"#;
        let mut frames = Frames::default();
        frames.push(&u32::try_from(body.len()).unwrap().to_le_bytes());
        frames.push(body);
        let error = frames.take::<Reply>().unwrap_err().to_string();
        assert!(!error.contains("Vogel"), "{error}");
    }

    #[test]
    fn impossible_transcripts_are_found() {
        let spoilt: [fn(&mut Transcript); 7] = [
            |t| t.words[0].probability = f32::NAN,
            |t| t.words[0].end_ms = 50,
            |t| t.words[0].end_ms = 3_000,
            |t| t.words[0].text = " ".to_owned(),
            |t| t.words = vec![t.words[0].clone(); MAX_WORDS + 1],
            |t| t.second = Some("x".repeat(MAX_TEXT + 1)),
            |t| t.speech = vec![(500, 400)],
        ];
        check(&transcript()).unwrap();
        for spoil in spoilt {
            let mut transcript = transcript();
            spoil(&mut transcript);
            assert!(check(&transcript).is_err(), "{transcript:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic_a_reader(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let mut frames = Frames::default();
            frames.push(&bytes);
            while let Ok(Some(_)) = frames.take::<Reply>() {}
            drop(read::<Request>(&mut bytes.as_slice()));
        }

        #[test]
        fn frames_are_the_same_however_the_pipe_cuts_them(cut in 1usize..40) {
            let sent = [Reply::Hello { version: VERSION }, Reply::Progress { done: 0.5 }, transcribed(transcript())];
            let bytes: Vec<u8> = sent.iter().flat_map(|reply| frame(reply).unwrap()).collect();
            let (mut frames, mut got) = (Frames::default(), Vec::new());
            for piece in bytes.chunks(cut) {
                frames.push(piece);
                while let Some(reply) = frames.take::<Reply>().unwrap() { got.push(reply); }
            }
            prop_assert_eq!(got.as_slice(), sent.as_slice());
        }
    }
}

//! How a recording is heard: in chunks side by side, quickly where it is clear, and always the same.

use nachtwache::domain::transcript::{Doubt, Transcript, Word};
use nachtwache::transcribe::child::protocol::{self, Job, Reply};
use nachtwache::transcribe::child::recording::prepared;
use nachtwache::transcribe::child::together::{self, Waiting};
use nachtwache::transcribe::sound::{Limits, decode};
use nachtwache::transcribe::whisper::{Heard, How, Search, Transcriber, Whisper, WhisperError};
use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

fn voicemail(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/recordings")).join(name)
}

fn job(name: &str, states: u32, threads: u32) -> Job {
    Job {
        path: voicemail(name),
        name: name.to_owned(),
        model: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/models/ggml-test-de.bin")),
        language: "de".to_owned(),
        states,
        threads,
        second: true,
        prompt: None,
    }
}

/// What the child says about jobs: the transcripts by their place, and the progress in its order.
fn heard(engine: &dyn Transcriber, jobs: &[Job]) -> (Vec<Option<Result<Transcript, String>>>, Vec<f32>) {
    let waiting: Vec<Waiting<'_>> = jobs
        .iter()
        .enumerate()
        .map(|(number, job)| {
            let decoded = decode(&job.name, &fs::read(&job.path).unwrap(), &Limits::default()).unwrap();
            Waiting { number, job, prepared: prepared(decoded, "m", "de") }
        })
        .collect();
    let mut output = Vec::new();
    together::hear(engine, &waiting, &mut output).unwrap();
    let (mut pipe, mut transcripts, mut progress) = (output.as_slice(), vec![None; jobs.len()], Vec::new());
    while let Some(reply) = protocol::read::<Reply>(&mut pipe).unwrap() {
        match reply {
            Reply::Progress { done } => progress.push(done),
            Reply::Transcribed { job, result } => {
                assert!(transcripts[job].is_none(), "answered twice");
                transcripts[job] = Some(result.map_err(|refusal| refusal.why));
            }
            other => panic!("{other:?}"),
        }
    }
    (transcripts, progress)
}

fn whole(engine: &dyn Transcriber, job: Job) -> Transcript {
    heard(engine, &[job]).0.remove(0).unwrap().unwrap()
}

/// Says what it was told to at each search, and remembers what it was asked.
struct Parrot {
    quick: &'static str,
    thorough: &'static str,
    probability: f32,
    asked: Mutex<Vec<(usize, Search)>>,
}

impl Parrot {
    fn saying(quick: &'static str, thorough: &'static str, probability: f32) -> Self {
        Self { quick, thorough, probability, asked: Mutex::new(Vec::new()) }
    }

    fn asked(&self, search: Search) -> Vec<usize> {
        let mut asked: Vec<usize> =
            self.asked.lock().unwrap().iter().filter(|asked| asked.1 == search).map(|asked| asked.0).collect();
        asked.sort_unstable();
        asked
    }
}

impl Transcriber for Parrot {
    fn hear(&self, samples: &[f32], how: How<'_>) -> Result<Heard, WhisperError> {
        self.asked.lock().unwrap().push((samples.len(), how.search));
        let text = match how.search {
            Search::Quick => self.quick,
            Search::Thorough => self.thorough,
            Search::Whole => "Am Ende doch verstanden.",
        };
        if text == "broken" {
            return Err(WhisperError::Decode("it is broken".into()));
        }
        let probability = if how.search == Search::Quick { self.probability } else { 0.9 };
        let word = |text: &str| Word { text: text.to_owned(), start_ms: 500, end_ms: 40_000, probability };
        Ok(Heard {
            words: text.split_whitespace().map(word).collect(),
            second: how.second.then(|| self.quick.to_owned()),
        })
    }
}

#[test]
fn a_clear_recording_is_heard_once_and_its_words_stand_on_its_clock() {
    let parrot = Parrot::saying("Ja.", "", 0.9);
    let (mut transcripts, progress) = heard(&parrot, &[job("vm-03.wav", 2, 2)]);
    let transcript = transcripts.remove(0).unwrap().unwrap();
    assert!(parrot.asked(Search::Quick).len() >= 2, "38 seconds are more than one chunk");
    assert!(parrot.asked(Search::Thorough).is_empty() && parrot.asked(Search::Whole).is_empty());
    assert!(parrot.asked(Search::Quick).iter().all(|samples| *samples <= 30 * 16_000));
    assert_eq!(progress.last(), Some(&1.0));
    assert_eq!(transcript.second.as_deref(), Some(transcript.text().as_str()));
    assert!(transcript.words.windows(2).all(|pair| pair[0].start_ms < pair[1].start_ms));
    assert!(transcript.words.iter().all(|word| word.end_ms <= transcript.sound_ms));
}

/// Says of each piece how long it is, and remembers in which order it was asked.
struct Measure(Mutex<Vec<usize>>);

impl Transcriber for Measure {
    fn hear(&self, samples: &[f32], _how: How<'_>) -> Result<Heard, WhisperError> {
        self.0.lock().unwrap().push(samples.len());
        let word = Word { text: samples.len().to_string(), start_ms: 0, end_ms: 400, probability: 0.99 };
        Ok(Heard { words: vec![word], second: None })
    }
}

#[test]
fn the_longest_piece_is_begun_first_and_the_words_stay_in_the_order_in_which_they_were_spoken() {
    let measure = Measure(Mutex::new(Vec::new()));
    let job = job("vm-03.wav", 1, 1);
    let decoded = decode(&job.name, &fs::read(&job.path).unwrap(), &Limits::default()).unwrap();
    let mut pieces: Vec<usize> = prepared(decoded, "m", "de").chunks().map(<[f32]>::len).collect();
    let transcript = whole(&measure, job);
    let words: Vec<usize> = transcript.words.iter().map(|word| word.text.parse().unwrap()).collect();
    assert_eq!(words, pieces);
    pieces.sort_by_key(|length| Reverse(*length));
    assert_ne!(words, pieces, "this recording's pieces are in that order already: it shows nothing");
    assert_eq!(measure.0.into_inner().unwrap(), pieces);
}

#[test]
fn what_is_not_clear_is_heard_thoroughly_and_the_quick_search_stays_the_second_decode() {
    let parrot = Parrot::saying("Unser Sörfer steht.", "Unser Server steht.", 0.6);
    let transcript = whole(&parrot, job("vm-13.WAV", 1, 1));
    assert_eq!(transcript.text(), "Unser Server steht.");
    assert_eq!(transcript.second.as_deref(), Some("Unser Sörfer steht."));
    assert!(parrot.asked(Search::Whole).is_empty());
}

#[test]
fn what_goes_round_in_circles_is_heard_in_the_whole_window() {
    let circles = "ja ja ja ja ja ja ja ja ja ja ja ja";
    let parrot = Parrot::saying(circles, circles, 0.99);
    assert_eq!(whole(&parrot, job("vm-13.WAV", 1, 1)).text(), "Am Ende doch verstanden.");
    assert_eq!(parrot.asked(Search::Quick), parrot.asked(Search::Whole));
}

#[test]
fn a_recording_without_a_voice_is_not_shown_to_the_recogniser() {
    let parrot = Parrot::saying("Ja.", "Ja.", 0.9);
    let transcript = whole(&parrot, job("vm-22.wav", 2, 2));
    assert!(parrot.asked.lock().unwrap().is_empty());
    assert!(transcript.doubt.is_some_and(Doubt::means_nobody_spoke) && transcript.words.is_empty());
    assert_eq!(transcript.model, "-");
}

#[test]
fn of_several_recordings_each_gets_its_own_words() {
    let parrot = Parrot::saying("Ja.", "", 0.9);
    let jobs = ["vm-13.WAV", "vm-22.wav", "vm-03.wav"].map(|name| job(name, 3, 3));
    let (transcripts, progress) = heard(&parrot, &jobs);
    let words: Vec<usize> = transcripts.into_iter().map(|one| one.unwrap().unwrap().words.len()).collect();
    assert_eq!((words[0], words[1]), (1, 0));
    assert!(words[2] >= 2 && progress.last() == Some(&1.0));
}

#[test]
fn a_chunk_that_cannot_be_heard_costs_its_recording_and_no_other() {
    let parrot = Parrot::saying("Kaum.", "broken", 0.1);
    let (transcripts, _) = heard(&parrot, &["vm-03.wav", "vm-22.wav"].map(|name| job(name, 2, 2)));
    assert!(matches!(&transcripts[0], Some(Err(why)) if why.contains("it is broken")), "{:?}", transcripts[0]);
    assert!(matches!(&transcripts[1], Some(Ok(_))));
}

#[test]
fn the_same_sound_gives_the_same_words_alone_beside_others_and_after_others() {
    let wanted = job("vm-13.WAV", 1, 1);
    let whisper = Whisper::load(&wanted.model, "de").unwrap();
    let alone = whole(&whisper, wanted.clone());
    assert!(alone.words.len() > 10 && alone.second.as_ref().is_some_and(|second| !second.is_empty()));
    // two threads, after itself
    assert_eq!(whole(&whisper, job("vm-13.WAV", 1, 2)), alone);
    // two states, beside and after a longer one by another caller
    let (mut beside, _) = heard(&whisper, &[job("vm-03.wav", 2, 2), job("vm-13.WAV", 2, 2)]);
    assert_eq!(beside.remove(1).unwrap().unwrap(), alone);
    assert_eq!(whole(&whisper, wanted.clone()), alone);
    // a model that has served nobody
    let fresh = Whisper::load(&wanted.model, "de").unwrap();
    assert_eq!(whole(&fresh, wanted), alone);
}

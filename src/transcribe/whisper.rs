//! The recogniser: whisper.cpp behind a small synchronous seam. The only file that names `whisper_rs`.
//!
//! Promises: one call hears one chunk of at most 30 seconds and nothing else. Every call runs on a fresh state,
//! so that neither a former caller's audio nor the dice of a former fallback can reach the next transcript
//! (whisper.cpp never re-seeds its first decoder, and attends to old rows when flash attention is on with a
//! short context: flash attention stays off).
//! What can go wrong: whisper.cpp may abort, hang or run out of memory. Hence it runs in the child process only,
//! has no abort callback (the crate's is unsound) and is ended by the parent.
//! Known leak: the language's name, a few bytes once per loaded model, because the parameters are built once and
//! cloned; the prompt is given as tokens, which do not leak.

use crate::domain::transcript::Word;
use std::path::Path;
use whisper_rs::{FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState};

/// Longest prompt in tokens: half of what Whisper can look back on is already more than helps.
const PROMPT_TOKENS: usize = 112;

/// Whether it was built to compute on a graphics card (a cargo feature).
pub const ON_GPU: bool = cfg!(any(feature = "cuda", feature = "vulkan", feature = "hipblas", feature = "metal"));

/// What whisper.cpp was built with, in its own words. Runs its code: ask [`fits`](super::cpu::fits) before.
#[must_use]
pub fn built_with() -> String {
    whisper_rs::print_system_info().trim_end_matches(['|', ' ']).to_owned()
}

/// Which of the two decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// The text that is kept: words with times and probabilities.
    First,
    /// A different search over the same sound, without the prompt: invented words differ from decode to decode, spoken ones
    /// do not.
    Second,
}

/// Whatever makes words of sound. Two implementations: `Whisper` and the tests' fake.
pub trait Transcriber {
    /// The words of one chunk, in order, with times in milliseconds from the chunk's first sample.
    /// `samples` are 16 kHz mono, -1 to 1, at most 30 seconds.
    ///
    /// # Errors
    /// When the recogniser reports a failure; it may also end the process.
    fn transcribe(&mut self, samples: &[f32], how: Pass) -> Result<Vec<Word>, WhisperError>;
}

/// Why the recogniser could not be loaded or gave no text.
#[derive(Debug, thiserror::Error)]
pub enum WhisperError {
    /// The model file is missing, unreadable or not a model.
    #[error("could not load the model {model}: {why}")]
    Load {
        /// The model's path.
        model: String,
        /// whisper.cpp's answer.
        why: String,
    },
    /// Whisper, or this model of English only, has no such language.
    #[error("the model does not know the language {0:?}")]
    Language(String),
    /// The prompt is not text.
    #[error("could not read the prompt: {0}")]
    Prompt(String),
    /// whisper.cpp gave an error for a chunk.
    #[error("could not transcribe a chunk: {0}")]
    Decode(String),
}

/// How a model is used, the same for every recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhisperOptions {
    /// ISO 639-1 language of the callers; detecting it would cost a second encode and can be wrong.
    pub language: String,
    /// Threads for the arithmetic, at least 1.
    pub threads: u32,
    /// Words that help the recogniser (names of products). Never words of consent: it would hear what it read.
    pub prompt: Option<String>,
}

/// A loaded model.
pub struct Whisper {
    context: WhisperContext,
    prompt: Vec<i32>,
    first: FullParams<'static, 'static>,
    second: FullParams<'static, 'static>,
}

impl Whisper {
    /// Reads the model into memory.
    ///
    /// # Errors
    /// When the model cannot be loaded, or language or prompt are not usable.
    pub fn load(model: &Path, options: &WhisperOptions) -> Result<Self, WhisperError> {
        // whisper.cpp's own chatter goes to tracing, not to the child's stderr
        whisper_rs::install_logging_hooks();
        let language = known_language(&options.language)?;
        let mut parameters = WhisperContextParameters::default();
        parameters.use_gpu(ON_GPU).flash_attn(false);
        let context = WhisperContext::new_with_params(model, parameters)
            .map_err(|error| WhisperError::Load { model: model.display().to_string(), why: error.to_string() })?;
        if !context.is_multilingual() && options.language != "en" {
            return Err(WhisperError::Language(options.language.clone()));
        }
        let prompt = match &options.prompt {
            Some(text) if !text.contains('\0') => fitting(&context, text),
            Some(_) => return Err(WhisperError::Prompt("it holds a NUL".to_owned())),
            None => Vec::new(),
        };
        let [first, second] = [Pass::First, Pass::Second].map(|pass| parameters_for(pass, language, options.threads));
        Ok(Self { context, prompt, first, second })
    }
}

/// As much of a prompt as fits, cut between words: a list that grew too long must cost no transcript.
fn fitting(context: &WhisperContext, text: &str) -> Vec<i32> {
    let mut text = text.trim_end();
    loop {
        // room for a token a byte: where there is too little the crate takes whisper.cpp's "too many" for a length, and dies
        match context.tokenize(text, text.len()) {
            Ok(tokens) if tokens.len() <= PROMPT_TOKENS => return tokens,
            _ => {}
        }
        match text.rsplit_once(char::is_whitespace) {
            Some((shorter, _)) => text = shorter.trim_end(),
            None => return Vec::new(),
        }
    }
}

impl Transcriber for Whisper {
    fn transcribe(&mut self, samples: &[f32], how: Pass) -> Result<Vec<Word>, WhisperError> {
        if samples.is_empty() {
            return Ok(Vec::new());
        }
        let mut params = match how {
            Pass::First => self.first.clone(),
            Pass::Second => self.second.clone(),
        };
        // the witness hears without: what only the prompt made of the sound it does not confirm
        if how == Pass::First && !self.prompt.is_empty() {
            params.set_tokens(&self.prompt);
        }
        let mut state = self.context.create_state().map_err(|error| WhisperError::Decode(error.to_string()))?;
        state.full(params, samples).map_err(|error| WhisperError::Decode(error.to_string()))?;
        let length_ms = u32::try_from(samples.len() / 16).unwrap_or(u32::MAX);
        Ok(words(&tokens(&state, self.context.token_eot()), length_ms))
    }
}

/// Whisper's own name of a language; an unknown one would be taken for some other without a word.
fn known_language(name: &str) -> Result<&'static str, WhisperError> {
    let unknown = || WhisperError::Language(name.to_owned());
    // the crate panics at a NUL
    let plain = Some(name).filter(|name| name.chars().all(|letter| letter.is_ascii_lowercase()));
    plain.and_then(whisper_rs::get_lang_id).and_then(whisper_rs::get_lang_str).ok_or_else(unknown)
}

/// The options of one pass. The beam comes first because it makes fewer errors; the greedy search is the witness.
/// The encoder's window stays whole (`audio_ctx` 0): fitted to the chunk it is faster, and loses words.
fn parameters_for(pass: Pass, language: &'static str, threads: u32) -> FullParams<'static, 'static> {
    let strategy = match pass {
        Pass::First => SamplingStrategy::BeamSearch { beam_size: 3, patience: -1.0 },
        Pass::Second => SamplingStrategy::Greedy { best_of: 1 },
    };
    let mut params = FullParams::new(strategy);
    params.set_language(Some(language));
    params.set_n_threads(i32::try_from(threads.clamp(1, 64)).unwrap_or(1));
    params.set_translate(false);
    params.set_no_context(true);
    params.set_temperature(0.0);
    // three tries at most (0, 0.4, 0.8): the default's six make a bad recording six times as long
    params.set_temperature_inc(0.4);
    params.set_token_timestamps(true);
    params.set_print_special(false);
    params.set_print_progress(false);
    params.set_print_realtime(false);
    params.set_print_timestamps(false);
    params
}

/// One piece of a word as whisper.cpp gives it.
#[derive(Debug, Clone, PartialEq)]
struct Token {
    /// Bytes, possibly half a character.
    bytes: Vec<u8>,
    /// Start and end in hundredths of a second from the chunk's start; -1 where unknown.
    start: i64,
    end: i64,
    probability: f32,
    /// Whether it opens a segment.
    opens: bool,
}

fn tokens(state: &WhisperState, end_of_text: i32) -> Vec<Token> {
    let mut tokens = Vec::new();
    for segment in state.as_iter() {
        let mut opens = true;
        for index in 0..segment.n_tokens() {
            let Some(token) = segment.get_token(index) else { continue };
            let data = token.token_data();
            // timestamps and other marks stand at and above the end-of-text token
            if data.id >= end_of_text {
                continue;
            }
            let Ok(bytes) = token.to_bytes() else { continue };
            tokens.push(Token { bytes: bytes.to_vec(), start: data.t0, end: data.t1, probability: data.p, opens });
            opens = false;
        }
    }
    tokens
}

/// Joins tokens to words: a word begins with a blank or a segment. Times are kept in order and inside the chunk.
fn words(tokens: &[Token], length_ms: u32) -> Vec<Word> {
    let mut groups: Vec<&[Token]> = Vec::new();
    let mut from = 0;
    for (index, token) in tokens.iter().enumerate() {
        if index > from && (token.opens || token.bytes.first() == Some(&b' ')) {
            groups.push(&tokens[from..index]);
            from = index;
        }
    }
    groups.push(&tokens[from..]);
    let mut earliest = 0;
    let mut words = Vec::with_capacity(groups.len());
    for group in groups {
        let bytes: Vec<u8> = group.iter().flat_map(|token| token.bytes.iter().copied()).collect();
        let text = String::from_utf8_lossy(&bytes).split_whitespace().collect::<Vec<_>>().join(" ");
        let (Some(head), Some(tail)) = (group.first(), group.last()) else { continue };
        if text.is_empty() {
            continue;
        }
        let start_ms = milliseconds(head.start).clamp(earliest, length_ms.max(earliest));
        let end_ms = milliseconds(tail.end).clamp(start_ms, length_ms.max(start_ms));
        earliest = start_ms;
        words.push(Word { text, start_ms, end_ms, probability: probability(group) });
    }
    words
}

/// The lowest probability of the tokens that carry letters or digits; a comma in doubt makes no word doubtful.
fn probability(group: &[Token]) -> f32 {
    let spoken = |token: &&Token| token.bytes.iter().any(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
    let lowest = |all: &mut dyn Iterator<Item = f32>| all.reduce(f32::min);
    let least = lowest(&mut group.iter().filter(spoken).map(|token| token.probability))
        .or_else(|| lowest(&mut group.iter().map(|token| token.probability)))
        .unwrap_or(0.0);
    if least.is_finite() { least.clamp(0.0, 1.0) } else { 0.0 }
}

fn milliseconds(hundredths: i64) -> u32 {
    u32::try_from(hundredths.max(0).saturating_mul(10)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str, start: i64, end: i64, probability: f32) -> Token {
        Token { bytes: text.as_bytes().to_vec(), start, end, probability, opens: false }
    }

    #[test]
    fn tokens_become_words_with_the_lowest_probability_of_their_letters() {
        let tokens = [
            token(" Not", 10, 20, 0.9),
            token("fall", 20, 30, 0.7),
            token(".", 30, 31, 0.2),
            token(" 48", 40, 50, 0.8),
        ];
        let words = words(&tokens, 1000);
        assert_eq!(words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), ["Notfall.", "48"]);
        assert!((words[0].probability - 0.7).abs() < f32::EPSILON);
        assert_eq!((words[0].start_ms, words[0].end_ms), (100, 310));
    }

    #[test]
    fn a_character_split_over_two_tokens_is_joined() {
        let mut tokens =
            vec![token(" Geb", 0, 1, 0.9), token("", 1, 2, 0.8), token("", 2, 3, 0.8), token("hr", 3, 4, 0.9)];
        tokens[1].bytes = vec![0xc3];
        tokens[2].bytes = vec![0xbc];
        assert_eq!(words(&tokens, 100)[0].text, "Gebühr");
    }

    #[test]
    fn a_segment_opens_a_word_even_without_a_blank() {
        let mut tokens = vec![token(" Ja", 0, 5, 0.9), token("Nein", 6, 9, 0.9)];
        tokens[1].opens = true;
        assert_eq!(words(&tokens, 1000).len(), 2);
    }

    #[test]
    fn times_stay_in_order_and_inside_the_chunk() {
        let tokens = [token(" a", -1, 50, f32::NAN), token(" b", 20, 10, 2.0), token(" c", 5, 9999, -1.0)];
        let words = words(&tokens, 600);
        let mut before = 0;
        for word in &words {
            assert!(before <= word.start_ms && word.start_ms <= word.end_ms && word.end_ms <= 600);
            assert!((0.0..=1.0).contains(&word.probability));
            before = word.start_ms;
        }
    }

    #[test]
    fn no_tokens_are_no_words() {
        assert!(words(&[], 100).is_empty());
    }
}

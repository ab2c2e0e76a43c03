//! The recogniser: whisper.cpp behind a small synchronous seam. The only file that names `whisper_rs`.
//!
//! Promises: one call hears one chunk of at most 30 seconds and nothing else. Every call runs on a fresh state,
//! so that neither a former caller's audio nor the dice of a former fallback can reach the next transcript
//! (whisper.cpp never re-seeds its first decoder, and attends to old rows when flash attention is on with a
//! short context: flash attention stays off). Several calls may run side by side over one loaded model. The same
//! sound, model and settings give the same words, however many threads do the arithmetic.
//! What can go wrong: whisper.cpp may abort, hang or run out of memory. Hence it runs in the child process only,
//! has no abort callback (the crate's is unsound) and is ended by the parent.
//! Known leak: the language's name and a callback, a few bytes once per loaded model, because the parameters are
//! built once and cloned; the prompt is given as tokens, which do not leak.

use crate::domain::transcript::Word;
use crate::transcribe::tokens::{Token, plain_text, words};
use std::cell::Cell;
use std::path::Path;
use whisper_rs::{FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState};

/// Longest prompt in tokens: half of what Whisper can look back on is already more than helps.
const PROMPT_TOKENS: usize = 112;
/// Positions of the encoder for a second of sound.
const POSITIONS_A_SECOND: usize = 50;
/// A fitted window is never shorter than this, and this much longer than the sound: shorter ones lose words and repeat.
const LEAST_WINDOW_S: usize = 10;
const WINDOW_MARGIN_S: usize = 3;
/// A window is a multiple of this, in positions: the fast matrix product wants whole blocks.
const WINDOW_STEP: usize = 32;

/// Whether it was built to compute on a graphics card (a cargo feature).
pub const ON_GPU: bool = cfg!(any(feature = "cuda", feature = "vulkan", feature = "hipblas", feature = "metal"));

/// What whisper.cpp was built with, in its own words. Runs its code: ask [`fits`](super::cpu::fits) before.
#[must_use]
pub fn built_with() -> String {
    whisper_rs::print_system_info().trim_end_matches(['|', ' ']).to_owned()
}

/// How hard the recogniser looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// The likeliest word each time, in a window as long as the sound: right where the sound is clear.
    Quick,
    /// Several sentences side by side in that window: what hard sound needs.
    Thorough,
    /// The same in the recogniser's whole window, tried again by chance where all are bad: what ends a repetition.
    Whole,
}

/// How one chunk is to be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct How<'a> {
    /// How hard to look.
    pub search: Search,
    /// Whether to decode a second time, in another way, the same sound: invented words differ, spoken ones do not.
    pub second: bool,
    /// Threads for the arithmetic, at least 1.
    pub threads: u32,
    /// Words that help the recogniser (names of products). Never words of consent: it would hear what it read.
    pub prompt: Option<&'a str>,
}

/// What was heard in one chunk.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heard {
    /// The words in order, with times in milliseconds from the chunk's first sample.
    pub words: Vec<Word>,
    /// The text of the second decode, where it was wanted: without timestamps and prompt.
    pub second: Option<String>,
}

/// Whatever makes words of sound. Two implementations: `Whisper` and the tests' fake.
pub trait Transcriber: Sync {
    /// The words of one chunk. `samples` are 16 kHz mono, -1 to 1, at most 30 seconds.
    ///
    /// # Errors
    /// When the recogniser reports a failure; it may also end the process.
    fn hear(&self, samples: &[f32], how: How<'_>) -> Result<Heard, WhisperError>;
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
    /// whisper.cpp gave an error for a chunk.
    #[error("could not transcribe a chunk: {0}")]
    Decode(String),
}

/// A loaded model, for one language.
pub struct Whisper {
    context: WhisperContext,
    language: &'static str,
    quick: FullParams<'static, 'static>,
    thorough: FullParams<'static, 'static>,
    second: FullParams<'static, 'static>,
}

impl Whisper {
    /// Reads the model into memory. `language` is the callers' ISO 639-1: detecting it would cost a second encode and can
    /// be wrong.
    ///
    /// # Errors
    /// When the model cannot be loaded or does not know the language.
    pub fn load(model: &Path, language: &str) -> Result<Self, WhisperError> {
        // whisper.cpp's own chatter goes to tracing, not to the child's stderr
        whisper_rs::install_logging_hooks();
        let language = known_language(language)?;
        let mut parameters = WhisperContextParameters::default();
        parameters.use_gpu(ON_GPU).flash_attn(false);
        let context = WhisperContext::new_with_params(model, parameters)
            .map_err(|error| WhisperError::Load { model: model.display().to_string(), why: error.to_string() })?;
        if !context.is_multilingual() && language != "en" {
            return Err(WhisperError::Language(language.to_owned()));
        }
        let beam = SamplingStrategy::BeamSearch { beam_size: 5, patience: -1.0 };
        let greedy = SamplingStrategy::Greedy { best_of: 1 };
        let thorough = parameters_for(beam, language);
        let mut second = parameters_for(greedy.clone(), language);
        second.set_no_timestamps(true);
        Ok(Self { context, language, quick: parameters_for(greedy, language), thorough, second })
    }

    /// As much of a prompt as fits, cut between words: a list that grew too long must cost no transcript.
    fn prompt(&self, text: &str) -> Vec<i32> {
        // the crate panics at a NUL
        let mut text = text.split('\0').next().unwrap_or_default().trim_end();
        loop {
            // room for a token a byte: where there is too little the crate takes whisper.cpp's "too many" for a length, and dies
            match self.context.tokenize(text, text.len()) {
                Ok(tokens) if tokens.len() <= PROMPT_TOKENS => return tokens,
                _ => {}
            }
            match text.rsplit_once(char::is_whitespace) {
                Some((shorter, _)) => text = shorter.trim_end(),
                None => return Vec::new(),
            }
        }
    }

    fn run(&self, samples: &[f32], mut params: FullParams<'_, '_>, how: How<'_>) -> Result<WhisperState, WhisperError> {
        params.set_n_threads(threads(how));
        let mut state = self.context.create_state().map_err(decoding)?;
        WINDOWS.set(0);
        state.full(params, samples).map_err(decoding)?;
        Ok(state)
    }

    /// The text of another decode. Where the first took one window its encoding is still there and is used again, which
    /// costs the decoder's part only.
    fn second(&self, samples: &[f32], state: &mut WhisperState, how: How<'_>) -> Result<String, WhisperError> {
        // told once before each window and once at the end
        if WINDOWS.get() == 2 {
            return self.decode_again(state, how).map_err(decoding);
        }
        let mut params = self.second.clone();
        params.set_audio_ctx(self.window(samples.len()));
        let state = self.run(samples, params, how)?;
        let tokens = tokens(&state, self.context.token_eot());
        Ok(plain_text(tokens.iter().map(|token| token.bytes.as_slice())))
    }

    /// The likeliest words without timestamps over what the state has encoded.
    fn decode_again(&self, state: &mut WhisperState, how: How<'_>) -> Result<String, whisper_rs::WhisperError> {
        let threads = usize::try_from(threads(how)).unwrap_or(1);
        let end = self.context.token_eot();
        let opening = self.opening();
        let mut bytes = Vec::new();
        let Some((last, before)) = opening.split_last() else { return Ok(String::new()) };
        state.decode(before, 0, threads)?;
        let (mut token, mut past) = (*last, before.len());
        let longest = usize::try_from(self.context.n_text_ctx() / 2).unwrap_or(0);
        while past < longest {
            // one at a time: the crate shows the first row of an answer only
            state.decode(&[token], past, threads)?;
            past += 1;
            let logits = state.get_logits()?;
            // the marks stand above the end of the text
            let words = (0..=end).zip(logits).max_by(|(_, a), (_, b)| a.total_cmp(b));
            token = words.map_or(end, |(token, _)| token);
            if token == end {
                break;
            }
            bytes.push(self.context.token_to_bytes(token)?);
        }
        Ok(plain_text(bytes.into_iter()))
    }

    /// What a decode without timestamps begins with.
    fn opening(&self) -> Vec<i32> {
        let context = &self.context;
        let mut opening = vec![context.token_sot()];
        if context.is_multilingual() {
            let language = whisper_rs::get_lang_id(self.language).unwrap_or_default();
            opening.extend([context.token_lang(language), context.token_transcribe()]);
        }
        opening.push(context.token_not());
        opening
    }

    /// The encoder's positions for so many samples.
    fn window(&self, samples: usize) -> i32 {
        let sound = (samples * POSITIONS_A_SECOND).div_ceil(16_000);
        let fitted = (sound + WINDOW_MARGIN_S * POSITIONS_A_SECOND).max(LEAST_WINDOW_S * POSITIONS_A_SECOND);
        let fitted = i32::try_from(fitted.next_multiple_of(WINDOW_STEP)).unwrap_or(i32::MAX);
        fitted.min(self.context.n_audio_ctx())
    }
}

thread_local! {
    /// How often the running call was told about its progress.
    static WINDOWS: Cell<u32> = const { Cell::new(0) };
}

fn decoding(error: whisper_rs::WhisperError) -> WhisperError {
    WhisperError::Decode(error.to_string())
}

fn threads(how: How<'_>) -> i32 {
    i32::try_from(how.threads.clamp(1, 64)).unwrap_or(1)
}

impl Transcriber for Whisper {
    fn hear(&self, samples: &[f32], how: How<'_>) -> Result<Heard, WhisperError> {
        if samples.is_empty() {
            return Ok(Heard::default());
        }
        let mut params = match how.search {
            Search::Quick => self.quick.clone(),
            Search::Thorough | Search::Whole => self.thorough.clone(),
        };
        if how.search == Search::Whole {
            // three tries at most (0, 0.4, 0.8): the default's six make a bad recording six times as long
            params.set_temperature_inc(0.4);
        } else {
            params.set_audio_ctx(self.window(samples.len()));
        }
        let prompt = how.prompt.map(|text| self.prompt(text)).unwrap_or_default();
        if !prompt.is_empty() {
            params.set_tokens(&prompt);
        }
        let mut state = self.run(samples, params, how)?;
        let length_ms = u32::try_from(samples.len() / 16).unwrap_or(u32::MAX);
        let words = words(&tokens(&state, self.context.token_eot()), length_ms);
        let second = how.second.then(|| self.second(samples, &mut state, how)).transpose()?;
        Ok(Heard { words, second })
    }
}

/// Whisper's own name of a language; an unknown one would be taken for some other without a word.
fn known_language(name: &str) -> Result<&'static str, WhisperError> {
    let unknown = || WhisperError::Language(name.to_owned());
    // the crate panics at a NUL
    let plain = Some(name).filter(|name| name.chars().all(|letter| letter.is_ascii_lowercase()));
    plain.and_then(whisper_rs::get_lang_id).and_then(whisper_rs::get_lang_str).ok_or_else(unknown)
}

/// What all searches have in common.
fn parameters_for(strategy: SamplingStrategy, language: &'static str) -> FullParams<'static, 'static> {
    let mut params = FullParams::new(strategy);
    params.set_language(Some(language));
    params.set_translate(false);
    params.set_no_context(true);
    params.set_temperature(0.0);
    params.set_temperature_inc(0.0);
    params.set_token_timestamps(true);
    params.set_print_special(false);
    params.set_print_progress(false);
    params.set_print_realtime(false);
    params.set_print_timestamps(false);
    params.set_progress_callback_safe(|_| WINDOWS.set(WINDOWS.get() + 1));
    params
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

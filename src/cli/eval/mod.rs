//! `nachtwache eval`: how good it is, measured on labelled examples.

mod messages;
mod recordings;

use crate::config::Settings;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Options {
    /// Judge labelled messages by the rules and count what is right
    #[command(
        after_help = "Example:\n  nachtwache eval messages tests/corpus/dev-voicemail.jsonl tests/corpus/dev-email.jsonl\n  nachtwache eval messages mine.jsonl --json"
    )]
    Messages(messages::Options),
    /// Transcribe labelled recordings with a model and count what was heard right
    #[command(after_help = "Example:\n  nachtwache eval recordings manifest.jsonl --model models/ggml-small-q8_0.bin")]
    Recordings(recordings::Options),
}

pub(super) async fn eval(settings: Settings, options: Options) -> anyhow::Result<ExitCode> {
    match options {
        Options::Messages(options) => messages::messages(&settings, &options),
        Options::Recordings(options) => recordings::recordings(settings, options).await,
    }
}

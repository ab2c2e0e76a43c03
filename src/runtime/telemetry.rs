//! Logs: readable alone and with fields, to standard error. Never a transcript, number, name or token.

use tracing_subscriber::{EnvFilter, fmt};

/// Starts the log. `filter` as in `RUST_LOG`; `json` for machines.
pub fn start(filter: Option<&str>, json: bool) {
    let filter = EnvFilter::new(filter.unwrap_or("info,symphonia=warn,sqlx=warn,whisper_rs=warn"));
    // at its finest this library would write mails into the log
    let filter = filter.add_directive("async_imap=off".parse().expect("a directive that is written here"));
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A second start (in tests) changes nothing.
    let started = if json { builder.json().try_init() } else { builder.try_init() };
    drop(started);
}

/// A panic is logged by its place alone: its words may quote a caller.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(%place, "a panic");
    }));
}

//! Any bytes as a FRITZ!Box's list of messages: no panic, no two messages of one identity, no call after now.
//!
//! Only the parser is compiled here.
#![no_main]

#[path = "../../src/intake/fritzbox/tam.rs"]
mod tam;

libfuzzer_sys::fuzz_target!(|input: &str| {
    let Ok(entries) = tam::parse(0, input) else { return };
    let now = chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap_or_default();
    let mut keys = std::collections::HashSet::new();
    for entry in &entries {
        assert!(keys.insert(&entry.key), "twice: {entry:?}");
        let at = entry.date.and_then(|date| tam::instant(date, chrono_tz::Europe::Berlin, now));
        assert!(at.is_none_or(|at| at <= now + chrono::TimeDelta::minutes(5)), "{entry:?}");
    }
});

//! Any bytes as a mail: no panic, and what comes out is bounded.
//!
//! Only the reader of mails, the domain and the profiles are compiled here: that builds in a minute and runs at full speed.
#![no_main]
#![expect(dead_code, unused_imports, reason = "the modules are compiled here without their other users")]

#[path = "../../src/domain/mod.rs"]
mod domain;

#[path = "."]
mod intake {
    #[path = "../../src/intake/mail/mod.rs"]
    pub mod mail;
}

#[path = "."]
mod config {
    #[path = "../../src/config/sources/profile.rs"]
    mod profile;
    pub use profile::ProfileRow;
}

use intake::mail::{Letter, Reading, built_in, learn, read, twin};

libfuzzer_sys::fuzz_target!(|raw: &[u8]| {
    let reading = Reading {
        voicemails: true,
        reports: true,
        profiles: built_in().to_vec(),
        own_numbers: vec!["+4997219782362".into()],
        own_addresses: vec!["service@kister-it.example".into()],
        zone: chrono_tz::Europe::Berlin,
        max_bytes: 1024 * 1024,
        longest_s: None,
    };
    match read(raw, &reading) {
        Letter::Email(mail) | Letter::Fax(mail) => assert!(mail.text.len() <= 256 * 1024 && mail.headers.len() <= 400),
        Letter::Voicemail { seconds, .. } => assert!(seconds.is_none_or(|seconds| seconds < 4_000_000)),
        Letter::Foreign => unreachable!("everything is taken"),
    }
    assert!(twin(raw).len() <= 255 + 65);
    let _ = learn(raw, &reading);
});

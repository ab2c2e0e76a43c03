//! Any bytes as a mail or a voicemail: no panic, and every proof is cut from the text.
//!
//! Only the rules and the domain are compiled here, not the recogniser: that builds in a minute and runs at full speed.
#![no_main]
#![expect(dead_code, unused_imports, reason = "the modules are compiled here without their other users")]

#[path = "../../src/domain/mod.rs"]
mod domain;

#[path = "."]
mod assess {
    #[path = "../../src/assess/rules/mod.rs"]
    pub mod rules;
}

use assess::rules::{Message, Terms, judge};
use domain::assessment::{Consent, Verdict};
use domain::tariff::Cents;

libfuzzer_sys::fuzz_target!(|input: &str| {
    // The first line is the subject where the input begins with a plus.
    let (subject, text) = match input.strip_prefix('+').and_then(|rest| rest.split_once('\n')) {
        Some((subject, text)) => (Some(subject), text),
        None => (None, input),
    };
    let at = chrono::NaiveDate::from_ymd_opt(2026, 11, 21).and_then(|day| day.and_hms_opt(22, 14, 0));
    let message = Message { text, subject, displayed: Some(text), at, outside_hours: true , headers: &[] };
    let judged = judge(&message, &Terms { fee: Cents(4800), own_numbers: &[] });
    for finding in &judged.findings {
        let (from, to) = finding.range;
        assert!((from, to) == (0, 0) || text.get(from..to) == Some(finding.quote.as_str()), "{finding:?}");
    }
    assert!(judged.verdict != Verdict::Confirmed || judged.consent == Consent::Full);
});

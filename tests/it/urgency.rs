//! Messages left at night that declare nothing and agree to nothing: those of `urgent.txt` tell of a business that stands or
//! of a core service that is down, those of `not-urgent.txt` of nothing that could not wait.

use super::corpus::TERMS;
use nachtwache::assess::rules::{Message, judge};

/// The lines of a file that are judged otherwise than wanted, and how many lines there are.
fn wrong(file: &str, urgent: bool) -> (Vec<String>, usize) {
    let path = format!("{}/tests/corpus/{file}", env!("CARGO_MANIFEST_DIR"));
    let lines = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let heard = |text: &str| {
        let message = Message { text, subject: None, displayed: None, at: None, outside_hours: true, headers: &[] };
        judge(&message, &TERMS).urgent
    };
    let wrong = lines.lines().filter(|line| heard(line) != urgent).map(str::to_owned).collect();
    (wrong, lines.lines().count())
}

#[test]
fn what_stops_a_business_is_heard_in_any_words() {
    let (lost, all) = wrong("urgent.txt", true);
    println!("{} of {all} are not heard: {lost:#?}", lost.len());
    assert!(all > 200 && lost.len() * 50 < all, "{} of {all}: {lost:#?}", lost.len());
}

#[test]
fn an_ordinary_matter_wakes_nobody() {
    let (false_alarms, all) = wrong("not-urgent.txt", false);
    println!("{} of {all} wake somebody: {false_alarms:#?}", false_alarms.len());
    assert!(all > 200 && false_alarms.len() * 25 < all, "{} of {all}: {false_alarms:#?}", false_alarms.len());
}

//! Every message in every state, as people read it: written down in `tests/data/wording`, and kept within Telegram's
//! limits whatever a caller says or writes.
//!
//! After a wanted change: `UPDATE_WORDING=1 cargo test --test it wordings`, then read the diff.

mod gallery;
mod words;

use gallery::{Gallery, Shown};
use nachtwache::telegram::{CAPTION_MAX, TEXT_MAX, escape, plain, split};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use words::Words;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/wording");
const HEAD: &str = "── ";

/// One file a kind: each state with its text and its rows of buttons.
fn written(shown: &[Shown]) -> BTreeMap<&'static str, String> {
    let mut files = BTreeMap::<_, String>::new();
    for one in shown {
        let text = one.text.as_deref().unwrap_or("(nothing)");
        let row = |row: &Vec<(String, String)>| {
            let labels: Vec<_> = row.iter().map(|(label, _)| format!("[{label}]")).collect();
            labels.join(" ")
        };
        let file = files.entry(one.file).or_default();
        writeln!(file, "{HEAD}{}\n{text}", one.state).unwrap();
        for line in &one.buttons {
            writeln!(file, "{}", row(line)).unwrap();
        }
        file.push('\n');
    }
    files
}

/// The states that are not as written down, with the lines that only one side has.
fn difference(file: &str, old: &str, new: &str) -> String {
    let states = |text: &str| -> BTreeMap<String, String> {
        let mut parts = text.split(HEAD).filter_map(|part| part.split_once('\n'));
        parts.by_ref().map(|(state, rest)| (state.to_owned(), rest.to_owned())).collect()
    };
    let (old, new) = (states(old), states(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut out = String::new();
    for name in names.into_iter().filter(|name| old.get(*name) != new.get(*name)) {
        let (none, empty) = (String::new(), String::new());
        let (before, now) = (old.get(name).unwrap_or(&none), new.get(name).unwrap_or(&empty));
        writeln!(out, "{file}: {name}").unwrap();
        let gone = before.lines().filter(|line| !now.lines().any(|other| other == *line));
        out.extend(gone.map(|line| format!("  - {line}\n")));
        let come = now.lines().filter(|line| !before.lines().any(|other| other == *line));
        out.extend(come.map(|line| format!("  + {line}\n")));
    }
    if out.is_empty() { format!("{file}: order or number of states\n") } else { out }
}

#[test]
fn every_message_reads_as_written_down() {
    let now = written(&Gallery::of(&Words::usual()));
    let path = |file: &str| PathBuf::from(FOLDER).join(format!("{file}.txt"));
    if nachtwache::config::environment("UPDATE_WORDING").is_some() {
        std::fs::create_dir_all(FOLDER).unwrap();
        for (file, text) in &now {
            std::fs::write(path(file), text).unwrap();
        }
    }
    let mut wrong = String::new();
    for (file, text) in &now {
        let before = std::fs::read_to_string(path(file)).unwrap_or_default();
        if before != *text {
            wrong += &difference(file, &before, text);
        }
    }
    for entry in std::fs::read_dir(FOLDER).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !now.keys().any(|file| format!("{file}.txt") == name) {
            writeln!(wrong, "{name}: no message is written down here (any more), remove it").unwrap();
        }
    }
    assert!(
        wrong.is_empty(),
        "messages read otherwise than written down; if that is right: UPDATE_WORDING=1 cargo test --test it wordings\n{wrong}"
    );
}

#[test]
fn a_difference_names_the_state_and_its_lines() {
    let old = "── open\nA\nB\n\n── taken\nC\n\n";
    assert_eq!(difference("alert", old, "── open\nA\nX\n\n── taken\nC\n\n"), "alert: open\n  - B\n  + X\n");
}

/// What may stand in no message: it turns lines around, hides, or breaks a line where we did not.
fn unseen(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

/// What is wrong with a message.
fn faults(one: &Shown) -> Vec<String> {
    let Some(text) = &one.text else { return Vec::new() };
    let mut found = Vec::new();
    let mut tell = |what: String| found.push(format!("{}, {}: {what}\n{text}", one.file, one.state));
    let html = escape(text);
    if plain(&html) != *text {
        tell("is not shown as it was worded".into());
    }
    let most = if one.caption { CAPTION_MAX } else { TEXT_MAX };
    let pieces = split(&html, most);
    if pieces.len() > one.messages {
        tell(format!("{} UTF-16 units need {} messages", text.encode_utf16().count(), pieces.len()));
    }
    if let Some(c) = text.chars().find(|c| unseen(*c)) {
        tell(format!("U+{:04X} stands in it", u32::from(c)));
    }
    // the words of a recording or a mail are the caller's own lines
    if one.messages == 1 && text.lines().any(|line| line.trim_start().starts_with("✅ GEFÄLSCHT")) {
        tell("a field makes a line of its own".into());
    }
    for kept in one.keeps.iter().filter(|kept| !text.contains(*kept)) {
        tell(format!("lacks {kept:?}"));
    }
    for (label, data) in one.buttons.iter().flatten() {
        if label.trim().is_empty() || label.encode_utf16().count() > 60 || !(1..=64).contains(&data.len()) {
            tell(format!("the button {label:?} ({data:?}) does not fit"));
        }
    }
    found
}

#[test]
fn the_usual_messages_are_right() {
    let found: Vec<_> = Gallery::of(&Words::usual()).iter().flat_map(faults).collect();
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}

#[test]
fn the_longest_and_worst_fields_neither_break_nor_lengthen_a_message() {
    for words in [Words::long(), Words::hostile(), Words::emoji(), Words::markup()] {
        let found: Vec<_> = Gallery::of(&words).iter().flat_map(faults).collect();
        assert!(found.is_empty(), "{} faults\n{}", found.len(), found[..found.len().min(5)].join("\n\n"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_words_in_any_field_keep_every_message_right(
        texts in proptest::collection::vec(proptest::string::string_regex("(?s).{0,60}").unwrap(), Words::FIELDS),
        times in 1_usize..80,
    ) {
        let words = Words::of(&texts.iter().map(|text| text.repeat(times)).collect::<Vec<_>>());
        let found: Vec<_> = Gallery::of(&words).iter().flat_map(faults).collect();
        prop_assert!(found.is_empty(), "{}", found[..found.len().min(3)].join("\n\n"));
    }
}

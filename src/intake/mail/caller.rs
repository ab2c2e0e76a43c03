//! Who called and on which line, from what a mail says.
//!
//! In this order: a header made for it, the subject, a labelled line of the text, the sound file's name. A number of the
//! firm itself is never the caller's. What is withheld is `None`; an internal number of three to six digits is kept.

use super::labels::labelled;
use super::opened::Opened;
use super::profile::Profile;
use super::when::capture;
use super::{Reading, automatic::expression, words};
use crate::domain::phone;
use crate::domain::report::Caller;
use regex::Regex;
use std::sync::LazyLock;

/// Headers that hold nothing but the caller's number.
const HEADERS: [&str; 5] =
    ["X-Asterisk-CallerID", "X-Caller-ID", "X-CallerID", "X-Caller-Number", "X-Voicemail-Caller"];
const NAME_HEADER: &str = "X-Asterisk-CallerIDName";
/// Letters of a name that are kept.
const LONGEST_NAME: usize = 80;

static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| expression(r"(?:\+|\(\+?\d|\*\*?\d|\d)[0-9 ()/.\-\u{2011}\u{2013}\u{a0}]*\d"));
static DATE: LazyLock<Regex> =
    LazyLock::new(|| expression(r"^(?:\d{1,2}\.\d{1,2}\.(?:\d{4}|\d{2})\b|\d{4}-\d\d-\d\d)"));
static FROM: LazyLock<Regex> = LazyLock::new(|| expression(words::FROM));

/// What was found of the caller and of the own line.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub caller: Caller,
    pub mailbox: Option<String>,
}

/// Who called, and on which line.
pub(super) fn call(mail: &Opened, text: &str, file: &str, profile: Option<&Profile>, reading: &Reading) -> Call {
    let mut caller = match dedicated(mail, reading) {
        Some(found) => found,
        None => profile
            .and_then(|profile| by_profile(profile, mail, text, file, reading))
            .unwrap_or_else(|| by_structure(mail, text, file, reading)),
    };
    if let Some(name) = mail.root.header(NAME_HEADER).map(str::trim).filter(|name| !name.is_empty()) {
        caller.name = Some(with_umlauts(name, &[&mail.subject, text]));
    }
    caller.name = caller.name.filter(|name| !is_withheld(name) && caller.number.as_ref() != Some(name));
    Call { caller, mailbox: mailbox(mail, text, file, profile) }
}

/// A header made for it; one that says "anonymous" ends the search.
fn dedicated(mail: &Opened, reading: &Reading) -> Option<Caller> {
    let value =
        HEADERS.iter().find_map(|name| mail.root.header(name)).map(str::trim).filter(|text| !text.is_empty())?;
    if is_withheld(value) {
        return Some(Caller::default());
    }
    let number = numbers(value).find(|number| !is_own(number, reading))?;
    Some(Caller { number: Some(number.to_owned()), name: None })
}

fn by_profile(profile: &Profile, mail: &Opened, text: &str, file: &str, reading: &Reading) -> Option<Caller> {
    let expression = profile.number.as_ref()?;
    for place in [mail.subject.as_str(), text, file] {
        for found in expression.captures_iter(place) {
            let group = found.name("number").or_else(|| found.get(1));
            let number = group.map(|group| group.as_str().trim()).unwrap_or_default();
            let name = found.name("name").map(|name| name.as_str()).and_then(named);
            if is_withheld(number) {
                return Some(Caller { number: None, name });
            }
            let digits = number.chars().filter(char::is_ascii_digit).count();
            if (2..=17).contains(&digits) && !is_own(number, reading) {
                return Some(Caller { number: Some(number.to_owned()), name });
            }
        }
    }
    None
}

/// Without a profile: what every telephone system writes.
fn by_structure(mail: &Opened, text: &str, file: &str, reading: &Reading) -> Caller {
    let mut name = None;
    let behind = FROM.captures(&mail.subject).and_then(|found| found.get(1)).map(|value| value.as_str());
    if let Some(value) = behind {
        let found = told(value, reading);
        if found.number.is_some() {
            return found;
        }
        name = found.name;
    }
    if let Some(number) = numbers(&mail.subject).find(|number| is_callable(number, reading)) {
        return Caller { number: Some(number.to_owned()), name };
    }
    for label in words::CALLER {
        for value in labelled(text, label) {
            let found = told(&value, reading);
            if found.number.is_some() {
                return Caller { name: found.name.or(name), ..found };
            }
            if is_withheld(&value) {
                return Caller { number: None, name };
            }
        }
    }
    let sentence = FROM.captures_iter(text).filter_map(|found| Some(told(found.get(1)?.as_str(), reading)));
    if let Some(found) =
        sentence.into_iter().find(|found| found.number.as_deref().is_some_and(|n| is_callable(n, reading)))
    {
        return Caller { name: found.name.or(name), ..found };
    }
    let number = file.split(['_', '-', '.', ' ']).find(|part| is_callable(part, reading)).map(str::to_owned);
    Caller { number, name }
}

/// Number and name of "Erika Mustermann (0170 1234567)", "0170 1234567 Erika", "\"Erika\" <0170>".
fn told(value: &str, reading: &Reading) -> Caller {
    let number = numbers(value).find(|number| !is_own(number, reading));
    let before = number.and_then(|number| value.split(number).next()).unwrap_or(value);
    let after = number.and_then(|number| value.split_once(number)).map_or("", |(_, after)| after);
    let cut = |text: &str| text.split(['<', '(', '[', ',', '|']).next().and_then(named);
    Caller {
        number: number.map(str::to_owned),
        name: cut(before).or_else(|| cut(after.trim_start_matches(['(', '<', '[', ')', '>', ']', ' ', '-']))),
    }
}

fn named(text: &str) -> Option<String> {
    let name = text.trim_matches(|c: char| !c.is_alphanumeric() && c != '.').trim();
    let letters = name.chars().filter(|c| c.is_alphabetic()).count();
    (letters >= 2 && name.chars().count() <= LONGEST_NAME).then(|| name.to_owned())
}

/// What could be telephone numbers, dates and times left out.
pub(super) fn numbers(text: &str) -> impl Iterator<Item = &str> {
    NUMBER.find_iter(text).filter_map(move |found| {
        let own = alone(found.as_str());
        let digits = own.chars().filter(char::is_ascii_digit).count();
        let whole = own.len() == found.len();
        let clock = (whole && text[found.end()..].starts_with(':')) || text[..found.start()].ends_with(':');
        let part_of_word = text[..found.start()].ends_with(|c: char| c.is_alphanumeric());
        let number = own.trim_matches([' ', '.', '-', '/']);
        let number = match (number.contains('('), number.contains(')')) {
            (true, false) => number.trim_start_matches('('),
            (false, true) => number.trim_end_matches(')'),
            _ => number,
        };
        ((3..=17).contains(&digits) && !clock && !part_of_word && !DATE.is_match(number)).then_some(number)
    })
}

/// A number without the length, date or time that stands right behind it ("0171 2345678 (47", "0171 2345678 28.11.2026 22").
fn alone(run: &str) -> &str {
    let cut = |at: &usize| {
        let rest = &run[*at..];
        let apart = [" (", " - ", " / "].iter().any(|mark| rest.starts_with(mark)) || DATE.is_match(rest.trim_start());
        rest.starts_with(' ') && apart && phone::e164(run[..*at].trim()).is_some()
    };
    let found = run.char_indices().map(|(at, _)| at).find(cut);
    found.map_or(run, |at| &run[..at])
}

/// A number that can be called back, and is not the firm's.
pub(super) fn is_callable(number: &str, reading: &Reading) -> bool {
    phone::e164(number).is_some() && !is_own(number, reading)
}

/// A number of the firm, with or without its area code.
fn is_own(number: &str, reading: &Reading) -> bool {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let local = digits.len() >= 6 && !digits.starts_with('0');
    reading.own_numbers.iter().any(|own| {
        phone::e164(number).as_deref() == Some(own) || local && own.trim_start_matches('+').ends_with(&digits)
    })
}

/// "anonym", "Unknown", "unterdrückt": nobody is to be called back.
pub(super) fn is_withheld(text: &str) -> bool {
    let plain: String =
        text.chars().filter(|c| c.is_alphanumeric() || *c == ' ').flat_map(char::to_lowercase).collect();
    let plain = plain.trim();
    let first = plain.split(' ').next().unwrap_or_default();
    words::WITHHELD.iter().any(|word| plain == *word || first == *word)
}

/// Asterisk drops what is not ASCII from the name in its header; the text has it whole.
fn with_umlauts(name: &str, places: &[&str]) -> String {
    let dropped = r"[^\x00-\x7f]{0,3}";
    let letters: Vec<String> = name.chars().take(LONGEST_NAME).map(|c| regex::escape(&c.to_string())).collect();
    let whole = Regex::new(&format!("{dropped}{}{dropped}", letters.join(dropped)));
    let found =
        whole.ok().and_then(|whole| places.iter().find_map(|place| whole.find(place)).map(|found| found.as_str()));
    found.unwrap_or(name).trim().to_owned()
}

/// The own line or mailbox.
fn mailbox(mail: &Opened, text: &str, file: &str, profile: Option<&Profile>) -> Option<String> {
    let own = profile.and_then(|profile| profile.called.as_ref());
    let by_profile = own
        .and_then(|called| [&mail.subject, text, file].into_iter().find_map(|place| capture(called, place, "number")));
    // <Asterisk-(number of the message)-(random)-(mailbox)-(process)@host>
    let by_id = || {
        let id = mail.message_id.as_deref()?.strip_prefix("Asterisk-")?;
        id.split('@').next()?.split('-').nth(2).map(str::to_owned)
    };
    let by_label = || {
        let values = words::CALLED.iter().flat_map(|label| labelled(text, label));
        values.into_iter().find_map(|value| numbers_or_short(&value))
    };
    by_profile.or_else(by_id).or_else(by_label)
}

/// A line may be a mailbox of two digits, too.
fn numbers_or_short(value: &str) -> Option<String> {
    let mut words = value.split_whitespace().map(|word| word.trim_matches(['"', '<', '>', '(', ')', ',']));
    let first = words.next().unwrap_or_default();
    let short = !first.is_empty() && first.len() < 7 && first.chars().all(|c| c.is_ascii_digit());
    let goes_on = words.next().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    if short && !goes_on { Some(first.to_owned()) } else { numbers(value).next().map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading() -> Reading {
        Reading {
            voicemails: true,
            reports: false,
            profiles: Vec::new(),
            own_numbers: vec!["+4997219782362".into()],
            own_addresses: Vec::new(),
            zone: chrono_tz::Europe::Berlin,
            max_bytes: 1,
            longest_s: None,
        }
    }

    fn found(raw: &str, file: &str) -> (Option<String>, Option<String>) {
        let mail = Opened::new(raw.as_bytes());
        let text = crate::intake::mail::text::own(&mail.root);
        let caller = call(&mail, &text, file, None, &reading()).caller;
        (caller.number, caller.name)
    }

    #[test]
    fn the_header_comes_before_the_subject_the_text_and_the_file() {
        let text = "\n\nAnrufer: 0171 5550103\n";
        let file = "Anruf.01715550104.wav";
        let header = format!("X-Asterisk-CallerID: 01715550101\nSubject: von 01715550102{text}");
        assert_eq!(found(&header, file).0.as_deref(), Some("01715550101"));
        assert_eq!(found(&format!("Subject: von 01715550102{text}"), file).0.as_deref(), Some("01715550102"));
        assert_eq!(found(&format!("Subject: neu{text}"), file).0.as_deref(), Some("0171 5550103"));
        assert_eq!(found("Subject: neu\n\nHallo\n", file).0.as_deref(), Some("01715550104"));
        assert_eq!(found("Subject: neu\n\nHallo\n", "a.wav").0, None);
    }

    #[test]
    fn the_firms_own_number_is_never_the_callers() {
        for own in ["09721 9782362", "+49 9721 978 23 62", "9782362", "00499721/9782362"] {
            assert_eq!(found(&format!("Subject: Voicemail von {own}\n\nAnrufer: {own}\n"), "a.wav").0, None, "{own}");
        }
        let header = "X-Asterisk-CallerID: 097219782362\nSubject: neu\n\nAnrufer: 0171 5550103\n";
        assert_eq!(found(header, "a.wav").0.as_deref(), Some("0171 5550103"));
    }

    #[test]
    fn internal_and_withheld_numbers_are_told_apart() {
        let labelled = |value: &str| found(&format!("Subject: neu\n\nAnrufer: {value}\n"), "Anruf.01715550104.wav");
        assert_eq!(labelled("200 (Lager)"), (Some("200".into()), Some("Lager".into())));
        assert_eq!(labelled("anonym"), (None, None));
        assert_eq!(labelled("Rufnummer unterdrückt"), (None, None));
        assert_eq!(labelled("Unbekannt (0171 5550103)"), (Some("0171 5550103".into()), None));
        for behind in ["(47 Sek.)", "(0:47)", "/ 47", "- 28.11.2026 22:14", "28.11.2026 22:14", "(28.11.2026 22:14)"] {
            assert_eq!(labelled(&format!("0171 5550103 {behind}")).0.as_deref(), Some("0171 5550103"), "{behind}");
        }
        for number in ["09721 / 555017", "+49 (0)171 5550103", "0171 - 555 01 03", "(09721) 555017"] {
            assert_eq!(labelled(number).0.as_deref(), Some(number));
        }
        assert_eq!(
            labelled("Eva Birn 0171 5550103 am 21.11.2026 22:14"),
            (Some("0171 5550103".into()), Some("Eva Birn".into()))
        );
    }
}

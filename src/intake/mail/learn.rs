//! What is read of a sample, and the profile that a telephone system needs which nobody has described yet.

use super::opened::Opened;
use super::sound::{self, Voice};
use super::{BY_STRUCTURE, Letter, Profile, Reading, automatic, caller, read, text};
use crate::config::ProfileRow;
use regex::Regex;
use std::sync::LazyLock;

static DIGITS: LazyLock<Regex> = LazyLock::new(|| automatic::expression(r"\d+"));

/// What a sample teaches.
#[derive(Debug)]
pub struct Learned {
    /// What it is read as.
    pub letter: Letter,
    /// What was seen, for people: why it is read so.
    pub seen: Vec<String>,
    /// A profile that reads it, where none fits yet.
    pub profile: Option<ProfileRow>,
}

/// Reads a sample and, where no profile fits, makes one that does.
#[must_use]
pub fn learn(raw: &[u8], reading: &Reading) -> Learned {
    let letter = read(raw, reading);
    let mail = Opened::new(raw);
    let known = matches!(&letter, Letter::Voicemail { profile, .. } if profile != BY_STRUCTURE);
    let sounds = sound::sounds(&mail.root);
    let profile = (!sounds.is_empty() && !known).then(|| suggest(&mail, &letter, reading)).flatten();
    let profile = profile.filter(|row| reads(row, raw, reading));
    Learned { seen: seen(&mail, &sounds, reading), letter, profile }
}

/// Whether a profile, put before the others, makes a voicemail of the sample.
fn reads(row: &ProfileRow, raw: &[u8], reading: &Reading) -> bool {
    let Ok(profile) = Profile::new(row) else { return false };
    let mut reading = reading.clone();
    reading.profiles.insert(0, profile);
    matches!(read(raw, &reading), Letter::Voicemail { profile, .. } if profile == row.name)
}

fn seen(mail: &Opened, sounds: &[sound::Attached<'_>], reading: &Reading) -> Vec<String> {
    let fitting = reading.profiles.iter().find(|profile| profile.fits(mail).is_some());
    let mut seen = vec![match fitting {
        Some(profile) => format!("profile {:?} fits", profile.name()),
        None => "no profile fits".to_owned(),
    }];
    seen.push(match sound::voice(sounds, fitting.is_some()) {
        Voice::None if sounds.is_empty() => "there is no sound file in it".to_owned(),
        Voice::None => "a file says to be a sound, and its first bytes fit none".to_owned(),
        Voice::One(best) if sounds.len() > 1 => format!("{} sound files, the best one is {}", sounds.len(), best.name),
        Voice::One(_) => "there is one sound file in it".to_owned(),
        Voice::Several(count) => format!("there are {count} recordings in it"),
    });
    if automatic::is_missed(mail) {
        seen.push("the subject tells of a missed call or a list of calls".to_owned());
    }
    if automatic::is_fax(mail, reading) {
        seen.push("it is a fax".to_owned());
    }
    seen
}

fn suggest(mail: &Opened, letter: &Letter, reading: &Reading) -> Option<ProfileRow> {
    let host = mail.sender.as_deref().and_then(|sender| sender.rsplit_once('@')).map(|(_, host)| host.to_owned());
    let own = mail.sender.as_deref().is_some_and(|sender| automatic::is_own(sender, reading));
    let (number, name) = match letter {
        Letter::Voicemail { caller, .. } => (caller.number.as_deref(), caller.name.as_deref()),
        _ => (None, None),
    };
    let row = ProfileRow {
        name: host.as_deref().and_then(|host| host.rsplit('.').nth(1)).unwrap_or("telephone system").to_owned(),
        sender: mail.sender.clone().filter(|_| !own),
        subject: opening(&mail.subject, number, name),
        number: if number.is_some() { None } else { number_line(mail, reading) },
        time: Some("date-header".to_owned()),
        ..ProfileRow::default()
    };
    (row.sender.is_some() || row.subject.is_some()).then_some(row)
}

/// The part of the subject that stays the same: up to the caller and the first digit.
fn opening(subject: &str, number: Option<&str>, name: Option<&str>) -> Option<String> {
    let cuts = [number, name].into_iter().flatten().filter_map(|word| subject.find(word));
    let end = cuts.chain(subject.find(|c: char| c.is_ascii_digit() || "\"<(+".contains(c))).min();
    let fixed = subject[..end.unwrap_or(subject.len())].trim_end();
    let letters = fixed.chars().filter(|c| c.is_alphabetic()).count();
    (letters >= 6).then(|| format!("^{}", regex::escape(fixed)))
}

/// An expression for the first line that holds a number which can be called back.
fn number_line(mail: &Opened, reading: &Reading) -> Option<String> {
    let text = text::own(&mail.root);
    text.lines().take(200).find_map(|line| {
        let number = caller::numbers(line).find(|number| caller::is_callable(number, reading))?;
        let before = line.split(number).next().unwrap_or_default().trim();
        let same = DIGITS.replace_all(&regex::escape(before), regex::NoExpand(r"\d+")).into_owned();
        (before.chars().filter(|c| c.is_alphabetic()).count() >= 3)
            .then(|| format!(r"{same}\s*(?P<number>[+0-9(][0-9 ()/.-]*[0-9])"))
    })
}

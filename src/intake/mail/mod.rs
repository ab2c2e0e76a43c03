//! A mail's bytes become what it is: a voicemail, a written report, a fax, or nothing of ours. Pure: bytes in, values out.
//!
//! Promises: no bytes panic, and nesting, number of parts and length of text are bounded; a voice is never dropped because it
//! is broken, too large or only linked to (then it is `Sound::Refused`, and a human is woken); the number shown is the one
//! that the mail tells of, never the firm's own; what a person wrote is always kept as a mail, whatever its headers say.
//! Can go wrong: a telephone system that nobody has described yet may not be known; then its mail is a mail like others.
//! `learn` shows what is read of a sample, and what to write into the settings.
//!
//! The way: `mime` reads the structure, `opened` takes wrappings off (`tnef`, `smime`), `text` is what a person reads,
//! `profile` and `words` know the telephone systems, `caller`, `when` and `sound` read what they tell.

mod automatic;
mod caller;
mod decode;
mod html;
mod labels;
mod learn;
mod mime;
mod opened;
mod profile;
mod rtf;
mod smime;
mod sound;
mod text;
mod tnef;
mod when;
mod words;

pub use learn::{Learned, learn};
pub use profile::{Profile, built_in, profiles};

use crate::domain::report::{Caller, Mail, Sound};
use chrono::{DateTime, Utc};
use mime::Entity;
use opened::Opened;
use profile::Fit;
use regex::Regex;
use sha2::{Digest as _, Sha256};
use sound::{Attached, Voice};
use std::fmt::Write as _;
use std::sync::LazyLock;

static VOICEMAIL: LazyLock<Regex> = LazyLock::new(|| automatic::expression(words::VOICEMAIL));
static RECORDER: LazyLock<Regex> = LazyLock::new(|| automatic::expression(words::RECORDER));
static NO_MESSAGE: LazyLock<Regex> = LazyLock::new(|| automatic::expression(words::NO_MESSAGE));
static ANSWER: LazyLock<Regex> = LazyLock::new(|| automatic::expression(words::ANSWER));

/// The name under which a voicemail is told that no profile knows, but whose structure is one.
pub const BY_STRUCTURE: &str = "by structure";
/// Where a sound lies that was not taken.
const IN_THE_MAIL: &str = "the mail itself";

/// How the mails of one account are read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Whether voicemails are taken.
    pub voicemails: bool,
    /// Whether written mails are taken.
    pub reports: bool,
    /// The telephone systems that are known: the firm's own profiles first, then the built-in ones (`profiles`).
    pub profiles: Vec<Profile>,
    /// The firm's own numbers, E.164: never a caller's.
    pub own_numbers: Vec<String>,
    /// The firm's own addresses: what comes from one was sent by a machine.
    pub own_addresses: Vec<String>,
    /// The zone in which a mail's text names times.
    pub zone: chrono_tz::Tz,
    /// Largest mail whose sound is taken, in bytes.
    pub max_bytes: u64,
    /// The mailbox ends a recording after so many seconds, where that is known; for whoever makes the arrival.
    pub longest_s: Option<u32>,
}

/// What a mail is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Letter {
    /// A recording that somebody left.
    Voicemail {
        /// The profile it was known by.
        profile: String,
        /// The recording, or why there is none.
        sound: Sound,
        /// Who called.
        caller: Caller,
        /// The own line or mailbox.
        mailbox: Option<String>,
        /// When the caller began to speak.
        called_at: Option<DateTime<Utc>>,
        /// How long it is, by the mail's own words.
        seconds: Option<u32>,
        /// What stands beside it, where a person wrote it or no sound came with it: judged as well.
        note: Option<Box<Mail>>,
    },
    /// What somebody wrote.
    Email(Mail),
    /// A fax as a mail.
    Fax(Mail),
    /// None of ours: not touched.
    Foreign,
}

/// Reads a mail. The order: a voicemail first (its mail is automatic, too), then a fax, then a written mail.
#[must_use]
pub fn read(raw: &[u8], reading: &Reading) -> Letter {
    let mail = Opened::new(raw);
    let voicemail = || voicemail(&mail, raw, reading).or_else(|| forwarded(&mail, raw, reading));
    if let Some(letter) = reading.voicemails.then(voicemail).flatten() {
        return letter;
    }
    if !reading.reports {
        return Letter::Foreign;
    }
    let fax = sound::sounds(&mail.root).is_empty() && automatic::is_fax(&mail, reading);
    let written = written(mail, raw, reading);
    if fax { Letter::Fax(written) } else { Letter::Email(written) }
}

/// An identity of a mail that outlives its place: its `Message-ID` (or "-") and the SHA-256 of its bytes.
#[must_use]
pub fn twin(raw: &[u8]) -> String {
    let id = opened::message_id(&Entity::head(raw)).unwrap_or_else(|| "-".to_owned());
    let mut twin = id.split_whitespace().collect::<String>();
    twin.truncate(twin.floor_char_boundary(255));
    twin.push(' ');
    for byte in Sha256::digest(raw) {
        write!(twin, "{byte:02x}").expect("writing to a String cannot fail");
    }
    twin
}

fn written(mail: Opened, raw: &[u8], reading: &Reading) -> Mail {
    let automatic = automatic::automatic(&mail, reading);
    Mail {
        sender: mail.sender,
        reply_to: mail.reply_to,
        message_id: mail.message_id,
        subject: mail.subject,
        text: text::readable(&mail.root),
        headers: mail.root.headers,
        automatic,
        raw: raw.to_vec(),
    }
}

/// A voicemail mail that somebody passes on as an attachment; what he writes to it stands beside it.
fn forwarded(mail: &Opened, outer: &[u8], reading: &Reading) -> Option<Letter> {
    let mut inner = mail.messages();
    let (raw, _) = inner.next()?;
    if inner.next().is_some() {
        return None;
    }
    let mut letter = voicemail(&Opened::new(raw), raw, reading)?;
    if let Letter::Voicemail { note, .. } = &mut letter
        && !text::own(&mail.root).trim().is_empty()
    {
        *note = Some(Box::new(written(Opened::new(outer), outer, reading)));
    }
    Some(letter)
}

/// A mail that is a voicemail by a profile or by its structure.
fn voicemail(mail: &Opened, raw: &[u8], reading: &Reading) -> Option<Letter> {
    let known = reading.profiles.iter().find_map(|profile| profile.fits(mail).map(|fit| (profile, fit)));
    let profile = known.map(|(profile, _)| profile);
    let sounds = sound::sounds(&mail.root);
    let says = VOICEMAIL.is_match(&mail.subject);
    let voice = sound::voice(&sounds, known.is_some() || says);
    let file = match voice {
        Voice::One(best) => best.name,
        Voice::None | Voice::Several(_) => sounds.first().map_or("", |sound| sound.name),
    };
    let text = text::own(&mail.root);
    let seconds = when::seconds(mail, &text, file, profile);
    let mut call = caller::call(mail, &text, file, profile, reading);
    let told = seconds.is_some() || call.caller.number.is_some();
    let fit = known.map(|(_, fit)| fit);
    let bulk = automatic::is_bulk(mail) && fit != Some(Fit::Surely);
    let is_one = match voice {
        _ if bulk => false,
        Voice::None => is_soundless(mail, fit, told, reading),
        // a sound that somebody sends is heard, whoever he is and whatever he writes to it
        Voice::One(_) => true,
        Voice::Several(_) => {
            fit.is_some() || says || RECORDER.is_match(file) || has_lines(&text, seconds, &call.caller)
        }
    };
    let system = matches!(fit, Some(Fit::Surely | Fit::Sender)) || automatic::from_system(mail, reading);
    let answered = ANSWER.is_match(&mail.subject);
    let subject_tells = caller::numbers(&mail.subject).any(|number| caller::is_callable(number, reading));
    let by_machine = subject_tells || RECORDER.is_match(file) || has_lines(&text, seconds, &call.caller);
    if !system && !answered && !by_machine {
        // a person who sends his voice: a number in his signature is not one that was displayed
        call.caller = Caller { number: None, name: mail.sender.clone() };
    }
    let called_at = when::called_at(mail, &text, file, profile, seconds, reading.zone);
    let beside = matches!(voice, Voice::None) || (!system && !text.trim().is_empty());
    let note = || Box::new(written(Opened::new(raw), raw, reading));
    is_one.then(|| Letter::Voicemail {
        profile: profile.map_or(BY_STRUCTURE, Profile::name).to_owned(),
        sound: sound_of(voice, file, &text, mail, raw, reading),
        caller: call.caller,
        mailbox: call.mailbox,
        called_at,
        seconds,
        note: beside.then(note),
    })
}

/// A mail without a sound that tells of one: somebody has spoken, and a human must hear it elsewhere.
fn is_soundless(mail: &Opened, known: Option<Fit>, told: bool, reading: &Reading) -> bool {
    let answered = ANSWER.is_match(&mail.subject) || mail.root.header("In-Reply-To").is_some();
    let says = VOICEMAIL.is_match(&mail.subject) && !NO_MESSAGE.is_match(&mail.subject);
    if answered || automatic::is_missed(mail) && !says || automatic::is_fax(mail, reading) {
        return false;
    }
    match known {
        Some(Fit::Surely) => true,
        Some(Fit::Subject) => automatic::from_system(mail, reading),
        Some(Fit::Sender) => says,
        None => says && told && automatic::from_system(mail, reading),
    }
}

/// Two of the lines that only a telephone system's mail has: caller, own line, length.
fn has_lines(text: &str, seconds: Option<u32>, caller: &Caller) -> bool {
    let line = |labels: &[&str]| {
        let mut long = labels.iter().filter(|label| label.len() > 4);
        long.any(|label| labels::labelled(text, label).next().is_some())
    };
    let shown = line(words::CALLER) && caller.number.is_some();
    let lines = [shown, line(words::LENGTH) && seconds.is_some(), line(words::CALLED)];
    lines.into_iter().filter(|there| *there).count() >= 2
}

fn sound_of(voice: Voice<'_>, file: &str, text: &str, mail: &Opened, raw: &[u8], reading: &Reading) -> Sound {
    let refused = |path: &str, why: String| Sound::Refused { name: file.to_owned(), path: path.into(), why };
    let size = raw.len() as u64;
    match voice {
        Voice::One(Attached { bytes: [], .. }) => {
            refused(IN_THE_MAIL, "the recording in it is empty; remedy: listen to it at the telephone system".into())
        }
        Voice::One(_) if size > reading.max_bytes => {
            let max = reading.max_bytes;
            refused(
                IN_THE_MAIL,
                format!("it has {size} bytes, the limit is {max}; remedy: listen to it in the mailbox"),
            )
        }
        Voice::One(best) => Sound::Bytes { name: best.name.to_owned(), bytes: best.bytes.to_vec() },
        Voice::Several(count) => {
            refused(IN_THE_MAIL, format!("it holds {count} recordings; remedy: listen to them in the mailbox"))
        }
        Voice::None => match text::link(text, &mail.root) {
            Some(place) => refused(
                &place,
                "the recording lies only behind this link at the provider and must be heard there; remedy: let the \
                 provider attach recordings to its mails"
                    .into(),
            ),
            None => refused(
                IN_THE_MAIL,
                "it tells of a recording and holds none; remedy: listen to it at the telephone system, and let that \
                 attach recordings to its mails"
                    .into(),
            ),
        },
    }
}

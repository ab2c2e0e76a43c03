//! A mail becomes an arrival. Pure. (Stands in until the module that reads mails is merged.)

use crate::domain::report::{Caller, Mail, Sound};
use chrono::{DateTime, Utc};
use mail_parser::{MessageParser, MimeHeaders as _};
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;

/// How mails are read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Recordings are taken.
    pub voicemails: bool,
    /// Written reports are taken.
    pub reports: bool,
    /// The firm's own numbers.
    pub own_numbers: Vec<String>,
    /// The firm's own addresses.
    pub own_addresses: Vec<String>,
    /// The firm's time zone.
    pub zone: chrono_tz::Tz,
    /// Larger sounds are refused, in bytes.
    pub max_bytes: u64,
    /// The provider ends a recording after so many seconds.
    pub longest_s: Option<u32>,
}

/// What a mail is.
#[derive(Debug)]
pub enum Letter {
    /// A recording.
    Voicemail {
        /// Which profile knew it.
        profile: String,
        /// The sound.
        sound: Sound,
        /// Who called.
        caller: Caller,
        /// The line.
        mailbox: Option<String>,
        /// When.
        called_at: Option<DateTime<Utc>>,
        /// How long.
        seconds: Option<u32>,
    },
    /// A written report.
    Email(Mail),
    /// A fax.
    Fax(Mail),
    /// Nothing of ours.
    Foreign,
}

/// Reads a mail.
#[must_use]
pub fn read(raw: &[u8], reading: &Reading) -> Letter {
    let parsed = MessageParser::default().parse(raw);
    let subject = parsed.as_ref().and_then(|mail| mail.subject()).unwrap_or_default().to_owned();
    let attached = parsed.as_ref().and_then(|mail| {
        mail.attachments()
            .find(|part| part.content_type().is_some_and(|kind| kind.ctype().eq_ignore_ascii_case("audio")))
    });
    if let (true, Some(part)) = (reading.voicemails, attached) {
        let name = part.attachment_name().unwrap_or("voice.wav").to_owned();
        let sound = if raw.len() as u64 > reading.max_bytes {
            Sound::Refused { path: PathBuf::from(&name), name, why: "the mail is too large".into() }
        } else {
            Sound::Bytes { name, bytes: part.contents().to_vec() }
        };
        return Letter::Voicemail {
            profile: "test".into(),
            sound,
            caller: Caller::default(),
            mailbox: None,
            called_at: None,
            seconds: None,
        };
    }
    if !reading.reports {
        return Letter::Foreign;
    }
    Letter::Email(Mail {
        subject,
        text: parsed.as_ref().and_then(|mail| mail.body_text(0)).unwrap_or_default().into_owned(),
        message_id: parsed.as_ref().and_then(|mail| mail.message_id()).map(str::to_owned),
        raw: raw.to_vec(),
        ..Mail::default()
    })
}

/// An identity that outlives the place where a mail lies.
#[must_use]
pub fn twin(raw: &[u8]) -> String {
    let id = MessageParser::default().parse_headers(raw);
    let id = id.as_ref().and_then(|mail| mail.message_id()).unwrap_or_default();
    let sum: Vec<String> = Sha256::digest(raw).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{id} {}", sum.concat())
}

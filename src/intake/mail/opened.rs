//! A mail that was opened: who sent it, when, what is attached.

use super::mime::{Body, Entity};
use super::{smime, tnef};
use chrono::{DateTime, Utc};
use mail_parser::parsers::MessageStream;

/// Signed mails within signed mails.
const MOST_LAYERS: usize = 4;

/// A mail whose structure was read.
#[derive(Debug)]
pub(super) struct Opened {
    /// The mail as a tree.
    pub root: Entity,
    /// The subject.
    pub subject: String,
    /// The sender's address, lower case.
    pub sender: Option<String>,
    /// Where an answer goes.
    pub reply_to: Option<String>,
    /// The `Message-ID` without its brackets.
    pub message_id: Option<String>,
    /// When it was sent; else when the first server got it.
    pub date: Option<DateTime<Utc>>,
}

impl Opened {
    /// Reads the structure. Outlook's wrapping (TNEF) and signatures are taken off.
    pub(super) fn new(raw: &[u8]) -> Self {
        let mut root = Entity::read(raw);
        unwrap(&mut root, MOST_LAYERS);
        let sender = root.header("From").and_then(address).or_else(|| root.header("Sender").and_then(address));
        let reply_to = root.header("Reply-To").and_then(address).or_else(|| sender.clone());
        Self {
            subject: root.header("Subject").unwrap_or_default().to_owned(),
            message_id: message_id(&root),
            date: date(&root),
            sender,
            reply_to,
            root,
        }
    }

    /// The mails that are attached to it, not those in them.
    pub(super) fn messages(&self) -> impl Iterator<Item = (&[u8], &Entity)> {
        self.root.leaves().into_iter().filter_map(|leaf| match &leaf.body {
            Body::Message(raw, inner) => Some((raw.as_slice(), &**inner)),
            _ => None,
        })
    }
}

/// The `Message-ID` without its brackets.
pub(super) fn message_id(root: &Entity) -> Option<String> {
    let id = root.header("Message-ID")?.trim().trim_start_matches('<').trim_end_matches('>').trim();
    (!id.is_empty()).then(|| id.to_owned())
}

/// Takes the wrapping off: a signed part becomes what was signed, a `winmail.dat` its text and files.
fn unwrap(part: &mut Entity, layers: usize) {
    match &mut part.body {
        Body::Parts(parts) => parts.iter_mut().for_each(|part| unwrap(part, layers)),
        Body::Message(_, inner) => unwrap(inner, layers),
        Body::Bytes(bytes) if layers > 0 => {
            let name = part.name.as_deref().unwrap_or_default();
            if part.kind == "application/octet-stream" && name.to_ascii_lowercase().ends_with(".eml") {
                // a mail that was attached as any file is
                let mut inner = Entity::read(bytes);
                unwrap(&mut inner, layers - 1);
                part.body = Body::Message(std::mem::take(bytes), Box::new(inner));
                return;
            }
            let winmail = part.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("winmail.dat"));
            if part.kind == "application/ms-tnef" || winmail {
                if let Some(found) = tnef::read(bytes) {
                    (part.kind, part.attached) = ("multipart/mixed".into(), false);
                    part.body = Body::Parts(found);
                }
            } else if matches!(part.kind.as_str(), "application/pkcs7-mime" | "application/x-pkcs7-mime")
                && let Some(content) = smime::signed(bytes)
            {
                let mut inner = Entity::read(&content);
                unwrap(&mut inner, layers - 1);
                (part.kind, part.attached) = ("multipart/signed".into(), false);
                part.body = Body::Parts(vec![inner]);
            }
        }
        Body::Bytes(_) => {}
    }
}

/// The first address of a header, lower case. Written for what stands there, not for what should.
pub(super) fn address(value: &str) -> Option<String> {
    let inner = match value.rfind('<') {
        Some(open) => value[open + 1..].split('>').next().unwrap_or_default(),
        None => value.split([',', ';']).next().unwrap_or_default(),
    };
    let word = inner.split_whitespace().find(|word| word.contains('@')).unwrap_or(inner.trim());
    let plain = word.trim_matches(['"', '\'', '(', ')', '[', ']', ',', ';', ':']);
    (!plain.is_empty() && plain.contains('@') && plain.len() <= 320).then(|| plain.to_lowercase())
}

/// `Date`, else the time in the lowest `Received`.
fn date(root: &Entity) -> Option<DateTime<Utc>> {
    let received = root.headers.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case("Received"));
    let received = received.and_then(|(_, value)| value.rsplit_once(';')).map(|(_, date)| date);
    root.header("Date").and_then(instant).or_else(|| received.and_then(instant))
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    let line = format!("{text}\n");
    let date = MessageStream::new(line.as_bytes()).parse_date().into_datetime()?;
    let zone = i64::from(date.tz_hour) * 3600 + i64::from(date.tz_minute) * 60;
    let day = chrono::NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into())?;
    let local = day.and_hms_opt(date.hour.into(), date.minute.into(), date.second.min(59).into())?.and_utc();
    (1990..2200).contains(&date.year).then_some(())?;
    Some(local - chrono::TimeDelta::seconds(if date.tz_before_gmt { -zone } else { zone }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_whatever_stands_there() {
        for (value, found) in [
            ("\"FRITZ!Box\" <Firma@example.test>", Some("firma@example.test")),
            ("a@example.test (Anna)", Some("a@example.test")),
            ("a@example.test, b@example.test", Some("a@example.test")),
            ("Name, Vorname <c@example.test>", Some("c@example.test")),
            ("<>", None),
            ("", None),
            ("MAILER-DAEMON", None),
        ] {
            assert_eq!(address(value).as_deref(), found, "{value}");
        }
    }

    #[test]
    fn a_date_is_read_with_its_zone() {
        let read = |text: &str| instant(text).map(|at| at.to_rfc3339());
        assert_eq!(read("Sun, 22 Nov 2026 11:35:23 +0100").as_deref(), Some("2026-11-22T10:35:23+00:00"));
        assert_eq!(read("22 Nov 2026 11:35 -0330").as_deref(), Some("2026-11-22T15:05:00+00:00"));
        assert_eq!(read("99 Foo 2026"), None);
        assert_eq!(read(""), None);
    }
}

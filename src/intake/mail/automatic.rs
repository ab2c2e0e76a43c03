//! Which mails nobody wrote (RFC 3834, RFC 3464, RFC 2369), and which are a fax.
//!
//! A mark, never a reason to leave a mail out: a customer's ticket system, too, sends what a person wrote.

use super::opened::Opened;
use super::{Reading, words};
use regex::{Regex, RegexBuilder};
use std::sync::LazyLock;

/// An expression over subjects and names.
pub(super) fn expression(text: &str) -> Regex {
    RegexBuilder::new(text).case_insensitive(true).build().expect("a test reads the expressions of `words`")
}

static MACHINE: LazyLock<Regex> = LazyLock::new(|| expression(words::MACHINE));
static MISSED: LazyLock<Regex> = LazyLock::new(|| expression(words::MISSED));
static FAX: LazyLock<Regex> = LazyLock::new(|| expression(words::FAX));

/// Whether a machine sent it.
pub(super) fn automatic(mail: &Opened, reading: &Reading) -> bool {
    mail.root.headers.iter().any(|(name, value)| says_so(name, value))
        || mail.root.kind == "multipart/report"
        || mail.sender.as_deref().is_some_and(|sender| no_person(sender) || is_own(sender, reading))
        || MACHINE.is_match(&mail.subject)
        || is_missed(mail) && from_system(mail, reading)
}

fn says_so(name: &str, value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    match name.to_ascii_lowercase().as_str() {
        "auto-submitted" => !(value == "no" || value.starts_with("no;") || value.starts_with("no ")),
        "return-path" => value == "<>",
        "precedence" => ["bulk", "list", "junk", "auto_reply", "auto-reply"].contains(&value.as_str()),
        "list-id" | "list-unsubscribe" => true,
        "x-autoreply" | "x-autorespond" | "x-autoresponder" => value != "no",
        "x-auto-response-suppress" => {
            let wants = ["all", "oof", "autoreply", "dr", "rn", "nrn"];
            value.split(',').any(|part| wants.contains(&part.trim()))
        }
        _ => false,
    }
}

/// An address behind which nobody reads.
pub(super) fn no_person(sender: &str) -> bool {
    let local = sender.rsplit_once('@').map_or(sender, |(local, _)| local);
    let plain: String = local.chars().filter(char::is_ascii_alphanumeric).collect();
    ["mailerdaemon", "postmaster", "noreply", "donotreply", "nichtantworten"].contains(&plain.as_str())
}

pub(super) fn is_own(sender: &str, reading: &Reading) -> bool {
    reading.own_addresses.iter().any(|own| own.trim().eq_ignore_ascii_case(sender))
}

/// Whether the sender is a telephone system rather than a person.
pub(super) fn from_system(mail: &Opened, reading: &Reading) -> bool {
    let sender = mail.sender.as_deref().unwrap_or_default();
    no_person(sender)
        || is_own(sender, reading)
        || reading.profiles.iter().any(|profile| profile.knows_sender(mail))
        || mail.root.headers.iter().any(|(name, _)| name.to_ascii_lowercase().starts_with("x-fusionpbx"))
        || mail
            .root
            .header("Auto-Submitted")
            .is_some_and(|value| value.to_ascii_lowercase().starts_with("auto-generated"))
        || mail.message_id.as_deref().is_some_and(|id| id.ends_with("@fritz.box"))
}

/// Sent to many: an advert, a newsletter.
pub(super) fn is_bulk(mail: &Opened) -> bool {
    let bulk = |value: &str| ["bulk", "junk"].contains(&value.trim().to_ascii_lowercase().as_str());
    mail.root.header("List-Unsubscribe").is_some() || mail.root.header("Precedence").is_some_and(bulk)
}

/// Tells of a call without a recording, or of many calls.
pub(super) fn is_missed(mail: &Opened) -> bool {
    MISSED.is_match(&mail.subject)
}

/// A fax: its subject opens as one, a document is there, and a machine sent it. Somebody who writes about a fax is no fax.
pub(super) fn is_fax(mail: &Opened, reading: &Reading) -> bool {
    let document = |name: &str, kind: &str| {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
        matches!(kind, "application/pdf" | "image/tiff") || ["pdf", "tif", "tiff"].contains(&ending.as_str())
    };
    let leaves = mail.root.leaves();
    let documents: Vec<&str> = leaves
        .iter()
        .filter(|leaf| document(leaf.name.as_deref().unwrap_or_default(), &leaf.kind))
        .map(|leaf| leaf.name.as_deref().unwrap_or_default())
        .collect();
    let sender = mail.sender.as_deref().unwrap_or_default();
    let machine = from_system(mail, reading)
        || sender.starts_with("fax")
        || mail.root.headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("auto-submitted") && value != "no")
        || documents.iter().any(|name| name.to_ascii_lowercase().contains("fax"));
    FAX.is_match(&mail.subject) && !documents.is_empty() && machine
}

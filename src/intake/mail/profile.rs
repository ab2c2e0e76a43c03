//! How the mails of one telephone system are known and read: the rows of the settings and the built-in ones, compiled.

use super::opened::Opened;
use crate::config::ProfileRow;
use regex::Regex;
use serde::Deserialize;
use std::sync::LazyLock;

/// A profile, ready to read mails by.
#[derive(Debug, Clone)]
pub struct Profile {
    name: String,
    sender: Option<String>,
    header: Option<(String, Option<Regex>)>,
    subject: Option<Regex>,
    pub(super) number: Option<Regex>,
    pub(super) called: Option<Regex>,
    pub(super) time: Option<Regex>,
    pub(super) length: Option<Regex>,
}

/// How a profile fits a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// Only the sender was asked for: he may send other mails, too.
    Sender,
    /// Only the subject was asked for: anybody may write it.
    Subject,
    /// A header, or sender and subject together.
    Surely,
}

impl Profile {
    /// A profile of a row.
    ///
    /// # Errors
    /// What is wrong with the row, by key.
    pub fn new(row: &ProfileRow) -> Result<Self, String> {
        let mut wrong = Vec::new();
        row.complain(&mut wrong);
        if !wrong.is_empty() {
            return Err(wrong.join("; "));
        }
        let expression = |text: &Option<String>| text.as_deref().map(ProfileRow::expression).transpose();
        let header = match row.header.as_deref().map(|header| header.split_once(':').unwrap_or((header, ""))) {
            Some((name, "")) => Some((name.trim().to_owned(), None)),
            Some((name, value)) => Some((name.trim().to_owned(), Some(ProfileRow::expression(value.trim())?))),
            None => None,
        };
        Ok(Self {
            name: row.name.clone(),
            sender: row.sender.as_ref().map(|sender| sender.trim().to_lowercase()),
            header,
            subject: expression(&row.subject)?,
            number: expression(&row.number)?,
            called: expression(&row.called)?,
            time: expression(&row.time.clone().filter(|time| time != "date-header"))?,
            length: expression(&row.length)?,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a mail is this system's: everything that is asked for must be there.
    pub(super) fn fits(&self, mail: &Opened) -> Option<Fit> {
        let sent = self.sender.as_ref().is_none_or(|wanted| sends(wanted, mail.sender.as_deref()));
        let headed = self.header.as_ref().is_none_or(|(name, value)| {
            let mut values = mail.root.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
            values.any(|(_, own)| value.as_ref().is_none_or(|value| value.is_match(own)))
        });
        let titled = self.subject.as_ref().is_none_or(|subject| subject.is_match(&mail.subject));
        let fit = match (&self.header, &self.subject, &self.sender) {
            (None, None, _) => Fit::Sender,
            (None, Some(_), None) => Fit::Subject,
            _ => Fit::Surely,
        };
        (sent && headed && titled).then_some(fit)
    }

    /// Whether the mail comes from whom this profile names, whatever it is about.
    pub(super) fn knows_sender(&self, mail: &Opened) -> bool {
        self.sender.as_ref().is_some_and(|wanted| sends(wanted, mail.sender.as_deref()))
    }
}

/// Whether a sender is the one that is wanted, or one of his house.
fn sends(wanted: &str, sender: Option<&str>) -> bool {
    let Some(sender) = sender else { return false };
    match wanted.strip_prefix('@') {
        // "@provider.example" is "@mail.provider.example", too
        Some(host) => sender
            .rsplit_once('@')
            .is_some_and(|(_, own)| own.strip_suffix(host).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))),
        None => sender == wanted,
    }
}

/// The profiles to read by: the firm's own ones first, then the built-in ones.
///
/// # Errors
/// What is wrong with the first own one that cannot be used.
pub fn profiles(own: &[ProfileRow]) -> Result<Vec<Profile>, String> {
    let mut all = own.iter().map(Profile::new).collect::<Result<Vec<_>, _>>()?;
    all.extend(built_in().iter().cloned());
    Ok(all)
}

/// The telephone systems that are known without any setting.
#[must_use]
pub fn built_in() -> &'static [Profile] {
    #[derive(Deserialize)]
    struct File {
        profiles: Vec<ProfileRow>,
    }
    static BUILT_IN: LazyLock<Vec<Profile>> = LazyLock::new(|| {
        let file: File = toml::from_str(include_str!("profiles.toml")).expect("a test reads the built-in profiles");
        let profiles: Result<_, _> = file.profiles.iter().map(Profile::new).collect();
        profiles.expect("a test reads the built-in profiles")
    });
    &BUILT_IN
}

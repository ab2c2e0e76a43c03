//! `[[sources.profiles]]`: how the mails of one telephone system are known and read.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

/// How the mails of one telephone system are known and read, as written. What is not given is not asked for; at least one
/// of `sender`, `header` and `subject` must be there. Expressions ignore case; `^` and `$` are those of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileRow {
    /// A name of your choice; it stands beside what was read.
    pub name: String,
    /// The sender: "voicemail@provider.example", or "@provider.example" for everybody there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// A header that must be there: "X-Name", or "X-Name: expression" for its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// An expression that fits the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Finds the caller's number in the subject, the text or the sound file's name; the group `number`, else the first
    /// one, is the number, the group `name` the caller's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Finds the own line or mailbox, as `number`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called: Option<String>,
    /// "date-header", or an expression whose groups `day` and `time` are the call's, by the clock of the firm's zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Finds the length ("0:14", "14 s").
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<String>,
}

impl ProfileRow {
    /// An expression of a profile: any case, by lines, of bounded size.
    ///
    /// # Errors
    /// Where it is none; the text is the reader's own.
    pub fn expression(text: &str) -> Result<Regex, String> {
        let built = RegexBuilder::new(text).case_insensitive(true).multi_line(true).size_limit(1 << 20).build();
        // the reader draws a picture over several lines; its last one says what is wrong
        built.map_err(|error| error.to_string().lines().last().unwrap_or_default().trim().to_owned())
    }

    /// What is wrong with it, by the key's name and what to write instead.
    pub fn complain(&self, wrong: &mut Vec<String>) {
        let mut tell = |key: &str, what: String| wrong.push(format!("sources.profiles.{key}: {what} ({})", self.name));
        if self.name.trim().is_empty() {
            tell("name", "is empty; give the profile a name".into());
        }
        if self.sender.is_none() && self.header.is_none() && self.subject.is_none() {
            tell("sender", "neither sender nor header nor subject is given: every mail would fit; give one".into());
        }
        if self.sender.as_ref().is_some_and(|sender| sender.rsplit_once('@').is_none_or(|(_, host)| host.is_empty())) {
            tell("sender", "is no address; write \"voicemail@provider.example\" or \"@provider.example\"".into());
        }
        let header = self.header.as_ref().and_then(|header| header.split_once(':')).map(|(_, value)| value.trim());
        let time = self.time.as_deref().filter(|time| *time != "date-header");
        for (key, text) in [
            ("header", header),
            ("subject", self.subject.as_deref()),
            ("number", self.number.as_deref()),
            ("called", self.called.as_deref()),
            ("time", time),
            ("length", self.length.as_deref()),
        ] {
            match text.map(Self::expression) {
                Some(Err(error)) => tell(key, format!("is no regular expression: {error}")),
                Some(Ok(found)) if matches!(key, "number" | "called" | "length") && found.captures_len() < 2 => {
                    tell(key, "has no group; put what is wanted in parentheses".into());
                }
                Some(Ok(found)) if key == "time" && !found.capture_names().flatten().any(|name| name == "time") => {
                    tell(key, "has no group `time`; write (?P<day>…) and (?P<time>…), or \"date-header\"".into());
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_profile_is_said_with_its_key() {
        let row = ProfileRow {
            name: "x".into(),
            sender: Some("provider".into()),
            subject: Some("(".into()),
            number: Some("no group".into()),
            time: Some(r"(\d+)".into()),
            ..ProfileRow::default()
        };
        let mut wrong = Vec::new();
        row.complain(&mut wrong);
        assert_eq!(wrong.len(), 4, "{wrong:#?}");
        wrong.clear();
        ProfileRow { name: "y".into(), ..ProfileRow::default() }.complain(&mut wrong);
        assert_eq!(wrong.len(), 1, "{wrong:#?}");
        wrong.clear();
        ProfileRow { name: "z".into(), sender: Some("@provider.example".into()), ..ProfileRow::default() }
            .complain(&mut wrong);
        assert_eq!(wrong, [""; 0]);
    }
}

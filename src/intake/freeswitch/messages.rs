//! What FreeSWITCH says of a mailbox (`vm_list`), and the two commands that are ever sent to it. Pure.
//!
//! Promises: `vm_read` cannot be sent without the id of one call (without it FreeSWITCH marks the messages of the
//! whole domain), and no name in a command can become another command. No bytes make the reader panic.
//!
//! `vm_list … xml` puts values between tags without escaping them: a caller called "A & B" makes it no XML at all, and
//! one called `</path>` makes it another one. So it is read line by line, as it is written, and the first of two values
//! counts: id and path stand before everything that a caller chooses. Source: `mod_voicemail.c`, `api_list_callback`.

use std::collections::HashMap;
use std::fmt;
use uuid::Uuid;

/// A mailbox, safe to stand in a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    user: String,
    domain: String,
    profile: Option<String>,
}

impl Mailbox {
    /// A mailbox as `1000@pbx.example`, and the voicemail profile where it is not `default`.
    ///
    /// # Errors
    /// Where a part is empty, too long or has other signs than letters, digits and `. - _ + * #`.
    pub fn parse(text: &str, profile: Option<&str>) -> Result<Self, String> {
        let plain = |part: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_+*#".contains(c);
            !part.is_empty() && part.len() <= 200 && part.chars().all(allowed)
        };
        let parts = text.split_once('@').filter(|(user, domain)| plain(user) && plain(domain));
        let (user, domain) = parts.ok_or_else(|| format!("{text:?} is no mailbox; write e.g. \"1000@pbx.example\""))?;
        if let Some(profile) = profile.filter(|profile| !plain(profile)) {
            return Err(format!("{profile:?} is no voicemail profile; write its name in voicemail.conf.xml"));
        }
        Ok(Self { user: user.into(), domain: domain.into(), profile: profile.map(Into::into) })
    }

    /// As FreeSWITCH's voicemail commands want it.
    fn argument(&self) -> String {
        let profile = self.profile.as_ref().map_or_else(String::new, |profile| format!("/{profile}"));
        format!("{self}{profile}")
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.domain)
    }
}

/// The call in which a message was left, well formed: the only way to [`Command::read`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CallId(Uuid);

impl CallId {
    /// An id in the usual form of 36 signs; not the empty one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let id = (text.len() == 36).then(|| Uuid::try_parse(text).ok())??;
        (!id.is_nil()).then_some(Self(id))
    }
}

/// Something that may be sent to FreeSWITCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command(String);

impl Command {
    /// Lists a mailbox.
    pub(super) fn list(mailbox: &Mailbox) -> Self {
        Self(format!("vm_list {} xml", mailbox.argument()))
    }

    /// Marks the messages of one call as read.
    pub(super) fn read(mailbox: &Mailbox, id: CallId) -> Self {
        Self(format!("vm_read {} read {}", mailbox.argument(), id.0.hyphenated()))
    }

    /// Whether the directory knows the mailbox's user.
    pub(super) fn user_exists(mailbox: &Mailbox) -> Self {
        Self(format!("user_exists id {} {}", mailbox.user, mailbox.domain))
    }

    /// The line on the wire.
    pub(super) fn line(&self) -> String {
        format!("api {}\n\n", self.0)
    }
}

/// One message that stands in a mailbox: its recording is complete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// What tells it from every other message: `uuid` with the name of the file, or one of the two where the other lacks.
    pub(super) key: String,
    /// The call in which it was left. One call can leave several messages, so it is no identity.
    pub(super) uuid: String,
    /// Second in which the recording was finished.
    pub(super) created: Option<i64>,
    /// Whether somebody, or this service, has marked it as read.
    pub(super) is_read: bool,
    /// Where FreeSWITCH says its recording lies.
    pub(super) path: String,
    /// The displayed name.
    pub(super) name: String,
    /// The displayed number.
    pub(super) number: String,
    /// Length in seconds.
    pub(super) seconds: u32,
}

/// Why an answer is no listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoListing {
    /// FreeSWITCH knows no such command: the module is not loaded.
    NoModule,
    /// FreeSWITCH knows no such profile.
    NoMailbox,
    /// It is not understood, or not whole.
    Garbage,
}

/// Reads an answer to [`Command::list`]: the messages, and how many have neither id nor path.
pub(super) fn parse(body: &[u8]) -> Result<(Vec<Row>, usize), NoListing> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.starts_with("-ERR") {
        return Err(match text {
            text if text.contains("Command not found") => NoListing::NoModule,
            text if text.contains("can't find") => NoListing::NoMailbox,
            _ => NoListing::Garbage,
        });
    }
    let inside = text.strip_prefix("<voicemail>").and_then(|text| text.strip_suffix("</voicemail>"));
    let (mut rows, mut nameless) = (Vec::new(), 0);
    let mut message: Option<Fields> = None;
    for line in inside.ok_or(NoListing::Garbage)?.lines().map(str::trim) {
        match (line, message.take()) {
            ("<message>", None) => message = Some(Fields::default()),
            ("</message>", Some(fields)) => match fields.row() {
                Some(row) => rows.push(row),
                None => nameless += 1,
            },
            (_, Some(mut fields)) => {
                fields.read(line);
                message = Some(fields);
            }
            (_, None) => {}
        }
    }
    if message.is_some() { Err(NoListing::Garbage) } else { Ok((rows, nameless)) }
}

/// The values of one message by their tags.
#[derive(Debug, Default)]
struct Fields {
    values: HashMap<String, String>,
    /// A tag whose value goes on in the next line.
    open: Option<(String, String)>,
}

impl Fields {
    fn read(&mut self, line: &str) {
        let (tag, so_far) = match self.open.take() {
            Some((tag, so_far)) => (tag, format!("{so_far} {line}")),
            None => match line.strip_prefix('<').and_then(|line| line.split_once('>')) {
                Some((tag, rest)) => (tag.to_owned(), rest.to_owned()),
                None => return,
            },
        };
        match so_far.strip_suffix(&format!("</{tag}>")) {
            Some(value) => {
                self.values.entry(tag).or_insert_with(|| unescaped(value.trim()));
            }
            None => self.open = Some((tag, so_far)),
        }
    }

    fn row(mut self) -> Option<Row> {
        let mut value = |tag: &str| self.values.remove(tag).filter(|value| value != "(null)").unwrap_or_default();
        let path = value("path");
        let uuid = Some(value("uuid")).filter(|uuid| is_id(uuid)).unwrap_or_default();
        let file = path.rsplit('/').next().filter(|name| is_id(name)).unwrap_or_default();
        let parts: Vec<&str> = [&uuid, file].into_iter().filter(|part| !part.is_empty()).collect();
        let key = Some(parts.join("/")).filter(|key| !key.is_empty())?;
        Some(Row {
            key,
            uuid,
            created: value("created_epoch").parse().ok().filter(|second| *second > 0),
            is_read: value("read_epoch").parse::<i64>().is_ok_and(|second| second != 0),
            path,
            name: value("cid-name"),
            number: value("cid-number"),
            seconds: value("message-len").parse().unwrap_or(0),
        })
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 256 && !text.chars().any(char::is_control)
}

/// A newer FreeSWITCH may escape its values one day.
fn unescaped(value: &str) -> String {
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    named.iter().fold(value.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";
    const KEY: &str = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d/msg_0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d.wav";

    fn listing(name: &str) -> String {
        format!(
            "<voicemail>\n <message>\n  <created_epoch>1795342800</created_epoch>\n  <read_epoch>0</read_epoch>\n  \
             <username>1000</username>\n  <domain>pbx.example</domain>\n  <folder>inbox</folder>\n  \
             <path>/s/default/pbx.example/1000/msg_{ID}.wav</path>\n  <uuid>{ID}</uuid>\n  <cid-name>{name}</cid-name>\n  \
             <cid-number>+4997215550</cid-number>\n  <message-len>14</message-len>\n </message>\n</voicemail>\n"
        )
    }

    #[test]
    fn whatever_a_caller_is_called_he_is_one_message_with_his_own_path() {
        for name in [
            "Erika Mustermann",
            "Müller & Söhne",
            "a < b",
            "\"x\": 'y'",
            "1:2:3",
            "%3Cpath%3E",
            "]]>",
            "<!--",
            "x</cid-name><path>/etc/passwd</path><cid-name>",
            "x</cid-name>\n  <path>/etc/passwd</path>\n  <uuid>z</uuid>",
            "<message>",
            "</message>",
            "",
        ] {
            let (rows, nameless) = parse(listing(name).as_bytes()).unwrap();
            assert_eq!((rows.len(), nameless), (1, 0), "{name:?}");
            assert_eq!((rows[0].uuid.as_str(), rows[0].key.as_str()), (ID, KEY), "{name:?}");
            assert_eq!(rows[0].path, format!("/s/default/pbx.example/1000/msg_{ID}.wav"), "{name:?}");
            assert_eq!((rows[0].created, rows[0].is_read), (Some(1_795_342_800), false));
            if !name.contains('\n') {
                assert_eq!(rows[0].name, name);
                assert_eq!((rows[0].number.as_str(), rows[0].seconds), ("+4997215550", 14));
            }
        }
        assert_eq!(parse(listing("M&amp;M &lt;x&gt; &amp;lt;").as_bytes()).unwrap().0[0].name, "M&M <x> &lt;");
        assert_eq!(parse(listing("two\nlines").as_bytes()).unwrap().0[0].name, "two lines");
    }

    #[test]
    fn an_answer_that_is_not_whole_is_none() {
        let whole = listing("Erika");
        assert_eq!(parse(b"<voicemail>\n</voicemail>\n").unwrap(), (vec![], 0));
        for cut in 0..whole.len() - 2 {
            assert_eq!(parse(&whole.as_bytes()[..cut]), Err(NoListing::Garbage), "cut at {cut}");
        }
        assert_eq!(parse(b"-ERR can't find user or profile.\n"), Err(NoListing::NoMailbox));
        assert_eq!(parse(b"-ERR vm_list Command not found!\n"), Err(NoListing::NoModule));
        assert_eq!(parse(b"-ERR no reply\n"), Err(NoListing::Garbage));
    }

    #[test]
    fn a_message_without_an_id_is_known_by_its_file() {
        let without = listing("Erika").replace(&format!("<uuid>{ID}</uuid>"), "<uuid></uuid>");
        assert_eq!(parse(without.as_bytes()).unwrap().0[0].key, format!("msg_{ID}.wav"));
        let nothing = "<voicemail>\n <message>\n  <uuid>(null)</uuid>\n  <path></path>\n </message>\n</voicemail>";
        assert_eq!(parse(nothing.as_bytes()).unwrap(), (vec![], 1));
    }

    #[test]
    fn only_one_message_can_be_marked() {
        let mailbox = Mailbox::parse("1000@pbx.example", Some("firma")).unwrap();
        let id = CallId::parse(ID).unwrap();
        assert_eq!(Command::read(&mailbox, id).line(), format!("api vm_read 1000@pbx.example/firma read {ID}\n\n"));
        for bad in [
            "",
            " ",
            "x",
            "00000000-0000-0000-0000-000000000000",
            "msg_1.wav",
            &ID[1..],
            &format!("{ID} "),
            "0a1b2c3d4e5f4a6b8c7d9e0f1a2b3c4d",
            &format!("{{{}}}", &ID[2..]),
        ] {
            assert_eq!(CallId::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn no_name_can_become_a_command() {
        for bad in
            ["1000", "@pbx", "1000@", "1 0@pbx", "1000@pbx\n\napi shutdown", "1000@pbx/x", "a@b@c", "1\t@x", "ä@x"]
        {
            assert!(Mailbox::parse(bad, None).is_err(), "{bad:?}");
        }
        for bad in ["", "a b", "a\n", "a/b"] {
            assert!(Mailbox::parse("1000@pbx", Some(bad)).is_err(), "{bad:?}");
        }
        assert_eq!(Command::list(&Mailbox::parse("1000@pbx", None).unwrap()).line(), "api vm_list 1000@pbx xml\n\n");
    }

    proptest! {
        #[test]
        fn no_bytes_panic_the_reader(bytes: Vec<u8>, name in ".*") {
            drop(parse(&bytes));
            drop(parse(listing(&name).as_bytes()));
            drop(parse(&[b"<voicemail>\n <message>\n", &bytes[..], b"\n </message>\n</voicemail>"].concat()));
        }
    }
}

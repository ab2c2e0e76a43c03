//! `msgNNNN.txt`: what Asterisk writes about a message. Pure: bytes in, values out; no bytes make it panic.
//!
//! Two layouts exist. A recording writes `key=value` under `;` lines. When Asterisk gives an old message an id it
//! writes the file anew with `;!` lines, `key = value`, another order, and cuts values at `;`.
//! Source: `apps/app_voicemail.c` 22.10.1 and files of a real Asterisk.

use crate::domain::report::Caller;
use crate::intake::watch::Stamp;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// An id written by the recording itself carries the second the recording began; one given later does not.
const ID_SECONDS_APART: i64 = 5;
/// Longer names are cut: they come from the caller's telephone.
const NAME_MAX: usize = 120;
/// What telephone systems say where a number or name is withheld.
const WITHHELD: [&str; 7] = ["unknown", "anonymous", "unavailable", "restricted", "withheld", "private", "anonym"];

/// The content of a `msgNNNN.txt`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Message {
    values: HashMap<String, String>,
    ends_with_newline: bool,
}

impl Message {
    /// Reads either layout. Text that is not UTF-8 is taken as Latin-1.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().copied().map(char::from).collect(),
        };
        let mut values = HashMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with(';')) {
            if let Some((key, value)) = line.split_once('=') {
                // as in Asterisk, the first of two counts
                values.entry(key.trim().to_ascii_lowercase()).or_insert_with(|| value.trim().to_owned());
            }
        }
        Self { values, ends_with_newline: bytes.ends_with(b"\n") }
    }

    /// Everything a recording writes is there; otherwise the file may be half written.
    pub(super) fn is_whole(&self) -> bool {
        self.ends_with_newline
            && self.origtime().is_some()
            && self.duration().is_some()
            && self.values.contains_key("callerid")
    }

    /// The id as Asterisk's manager interface wants it.
    pub(super) fn id(&self) -> Option<&str> {
        let id = self.values.get("msg_id")?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        (!id.is_empty() && id.len() <= 64 && id.chars().all(plain)).then_some(id)
    }

    /// The id, if it was given when the message was recorded. One given later (to a message of Asterisk < 11, by the
    /// first look of a newer one) would make a known message look new.
    pub(super) fn native_id(&self) -> Option<&str> {
        let id = self.id()?;
        let given_at: Option<i64> = id.split_once('-').and_then(|(second, _)| second.parse().ok());
        match (given_at, self.origtime()) {
            (Some(given_at), Some(began_at)) if given_at.abs_diff(began_at) > ID_SECONDS_APART.unsigned_abs() => None,
            _ => Some(id),
        }
    }

    /// Identity of a message without an id of its own: start, caller, first mailbox and length, none of them readable.
    /// Where even the start is missing, the file's own time and size stand in for it.
    pub(super) fn fingerprint(&self, file: &Stamp) -> String {
        // a rewritten file has lost what followed a ';' and may escape other signs
        let caller = self.value("callerid").split(';').next().unwrap_or("").replace('\\', "");
        let duration = self.duration().map(|seconds| seconds.to_string()).unwrap_or_default();
        let mut hash = Sha256::new();
        for part in [caller.trim(), self.value("origmailbox"), &duration] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        if self.origtime().is_none() {
            hash.update(file.modified_ns().to_le_bytes());
            hash.update(file.size.to_le_bytes());
        }
        let short = hash.finalize().iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        format!("t{}-{short:016x}", self.origtime().unwrap_or(0))
    }

    /// Who called; withheld numbers and names are `None`.
    pub(super) fn caller(&self) -> Caller {
        let text: String = self.value("callerid").chars().filter(|c| !c.is_control()).collect();
        let (name, number) = match text.rsplit_once('<') {
            Some((name, number)) => (name.trim(), number.trim().trim_end_matches('>').trim()),
            None => ("", text.trim()),
        };
        let name = name.trim_matches('"').replace("\\\"", "\"").trim().to_owned();
        // a bare name without a number stands where the number would
        let (name, number) = if name.is_empty() && !looks_dialled(number) {
            (number.trim_matches('"').to_owned(), "")
        } else {
            (name, number)
        };
        Caller {
            number: Some(number).filter(|number| is_told(number)).map(str::to_owned),
            name: Some(name)
                .filter(|name| is_told(name) && name != number)
                .map(|name| name.chars().take(NAME_MAX).collect()),
        }
    }

    /// When the caller began to speak.
    pub(super) fn called_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.origtime()?, 0)
    }

    /// Length by the clock, whole seconds.
    pub(super) fn duration(&self) -> Option<u32> {
        self.values.get("duration")?.parse().ok()
    }

    fn origtime(&self) -> Option<i64> {
        self.values.get("origtime")?.parse().ok().filter(|second| *second > 0)
    }

    fn value(&self, key: &str) -> &str {
        self.values.get(key).map_or("", String::as_str)
    }
}

fn is_told(text: &str) -> bool {
    !text.is_empty() && !WITHHELD.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Digits with what people put between them, `sip:` addresses and extensions such as `anna.b`: no blanks, no quotes.
fn looks_dialled(text: &str) -> bool {
    text.chars().any(|c| c.is_ascii_digit()) || !text.contains([' ', '"'])
}

/// Seconds of sound in `bytes`, a file ending in `ending`; `None` where that takes more than its size and header.
pub(super) fn seconds(ending: &str, bytes: &[u8]) -> Option<f64> {
    let rate = match ending {
        "wav" | "WAV" | "wav16" => {
            if bytes.len() < 44 || !bytes.starts_with(b"RIFF") || &bytes[12..16] != b"fmt " {
                return None;
            }
            u32::from_le_bytes([bytes[28], bytes[29], bytes[30], bytes[31]])
        }
        "gsm" => 1_650,
        "ulaw" | "alaw" | "g722" => 8_000,
        "sln" => 16_000,
        _ => return None,
    };
    let header = if ending.to_ascii_lowercase().starts_with("wav") { 44 } else { 0 };
    let sound = u32::try_from(bytes.len() - header).ok()?;
    (rate > 0).then(|| f64::from(sound) / f64::from(rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NEW: &str = ";\n; Message Information file\n;\n[message]\norigmailbox=100\ncontext=vmtest\nexten=100\n\
        callerchan=Local/100@vmtest-00000000;2\ncallerid=\"Jörg Müller\" <+4997211234>\n\
        origdate=Sun Nov 22 10:20:02 AM UTC 2026\norigtime=1795342802\ncategory=\nmsg_id=1795342802-00000002\n\
        flag=\nduration=16\n";
    const REWRITTEN: &str = ";!\n;! Generator: app_voicemail\n;!\n\n\n[message]\norigmailbox = 100\n\
        callerchan = Local/100@vmtest-00000000\ncallerid = \"Jörg Müller\" <+4997211234>\norigtime = 1795342802\n\
        flag = \nduration = 16\nmsg_id = 1795343080-0000000e\n";

    fn stamp() -> Stamp {
        let file = tempfile::NamedTempFile::new().unwrap();
        Stamp::of(&file.path().metadata().unwrap())
    }

    fn caller(callerid: &str) -> (Option<String>, Option<String>) {
        let caller = Message::parse(format!("callerid={callerid}\n").as_bytes()).caller();
        (caller.name, caller.number)
    }

    #[test]
    fn both_layouts_tell_the_same() {
        let (new, rewritten) = (Message::parse(NEW.as_bytes()), Message::parse(REWRITTEN.as_bytes()));
        for message in [&new, &rewritten] {
            assert!(message.is_whole());
            assert_eq!(message.caller().name.as_deref(), Some("Jörg Müller"));
            assert_eq!(message.caller().number.as_deref(), Some("+4997211234"));
            assert_eq!(message.called_at().unwrap().timestamp(), 1_795_342_802);
            assert_eq!(message.duration(), Some(16));
        }
        assert_eq!(new.native_id(), Some("1795342802-00000002"));
        assert_eq!(new.fingerprint(&stamp()), rewritten.fingerprint(&stamp()));
    }

    #[test]
    fn an_id_given_later_is_no_identity_but_can_still_be_named_to_asterisk() {
        let message = Message::parse(REWRITTEN.as_bytes());
        assert_eq!(message.native_id(), None);
        assert_eq!(message.id(), Some("1795343080-0000000e"));
    }

    #[test]
    fn a_message_without_an_id_has_the_identity_it_keeps_when_it_gets_one() {
        let without = REWRITTEN.replace("msg_id = 1795343080-0000000e\n", "");
        let (before, after) = (Message::parse(without.as_bytes()), Message::parse(REWRITTEN.as_bytes()));
        assert!(before.is_whole());
        assert_eq!((before.native_id(), after.native_id()), (None, None));
        assert_eq!(before.fingerprint(&stamp()), after.fingerprint(&stamp()));
    }

    #[test]
    fn a_fingerprint_shows_neither_number_nor_name() {
        let print = Message::parse(NEW.as_bytes()).fingerprint(&stamp());
        assert!(!print.contains("97211234") && !print.contains("Jörg"), "{print}");
    }

    #[test]
    fn every_form_of_caller_is_understood() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(caller("\"Erika Mustermann\" <01701234567>"), (some("Erika Mustermann"), some("01701234567")));
        assert_eq!(caller("Erika Mustermann <01701234567>"), (some("Erika Mustermann"), some("01701234567")));
        assert_eq!(caller("097215555"), (None, some("097215555")));
        assert_eq!(caller("<097215555>"), (None, some("097215555")));
        assert_eq!(caller("Unknown"), (None, None));
        assert_eq!(caller("\"anonymous\" <anonymous>"), (None, None));
        assert_eq!(caller("\"Kasse\" <unknown>"), (some("Kasse"), None));
        assert_eq!(caller("\"0170\" <0170>"), (None, some("0170")));
        assert_eq!(caller("\"Müller GmbH\""), (some("Müller GmbH"), None));
        assert_eq!(caller("\"a <b> c\" <0301>"), (some("a <b> c"), some("0301")));
        assert_eq!(caller(""), (None, None));
    }

    #[test]
    fn latin_1_is_read_as_latin_1() {
        let message = Message::parse(b"callerid=\"J\xf6rg\" <0301>\n");
        assert_eq!(message.caller().name.as_deref(), Some("Jörg"));
    }

    #[test]
    fn every_cut_of_a_file_is_known_to_be_unfinished() {
        for cut in 0..NEW.len() {
            assert!(!Message::parse(&NEW.as_bytes()[..cut]).is_whole(), "cut at {cut}");
        }
        for cut in 0..REWRITTEN.len() - "msg_id = 1795343080-0000000e\n".len() {
            assert!(!Message::parse(&REWRITTEN.as_bytes()[..cut]).is_whole(), "cut at {cut}");
        }
    }

    #[test]
    fn seconds_come_from_size_and_header() {
        let mut wav = vec![0_u8; 44 + 160_000];
        wav[..4].copy_from_slice(b"RIFF");
        wav[12..16].copy_from_slice(b"fmt ");
        wav[28..32].copy_from_slice(&16_000_u32.to_le_bytes());
        assert_eq!(seconds("wav", &wav), Some(10.0));
        assert_eq!(seconds("gsm", &[0; 33 * 50]), Some(1.0));
        assert_eq!(seconds("wav", b"short"), None);
        assert_eq!(seconds("mp3", &wav), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic_the_reader(bytes: Vec<u8>) {
            let message = Message::parse(&bytes);
            drop((message.caller(), message.fingerprint(&stamp()), message.is_whole()));
            drop((message.native_id().map(str::to_owned), message.called_at()));
        }

        #[test]
        fn no_values_panic_the_reader(caller in ".*", time: i64, length in ".*", id in ".*") {
            let text = format!("callerid={caller}\norigtime={time}\nduration={length}\nmsg_id={id}\n");
            let message = Message::parse(text.as_bytes());
            drop((message.caller(), message.fingerprint(&stamp())));
            drop((message.native_id().map(str::to_owned), message.called_at()));
        }

        #[test]
        fn no_sound_panics_the_measure(bytes: Vec<u8>) {
            for ending in ["wav", "WAV", "wav16", "gsm", "ulaw", "x"] {
                prop_assert!(seconds(ending, &bytes).is_none_or(f64::is_finite));
            }
        }
    }
}

//! What Asterisk's `voicemail.conf` does to callers: how long they may speak, how many messages fit. Pure.
//!
//! Only the four limits are read, never the passwords in the same lines. Mailboxes kept in a database (realtime) and files
//! pulled in by `#include` are not seen. Source: `configs/samples/voicemail.conf.sample` and `app_voicemail.c` 22.10.1.

use crate::intake::source::Said;
use std::collections::HashMap;

/// A caller in need says company, name, number, fault and both consents; that takes a minute or more.
const ENOUGH_S: u32 = 120;
/// Somebody under stress pauses for so long.
const PAUSE_S: u32 = 5;
/// "Hilfe, der Server" must not be thrown away.
const SHORTEST_S: u32 = 3;
/// A weekend's messages.
const ENOUGH_MESSAGES: u32 = 50;

/// The limits of one mailbox. 0 = none, as in Asterisk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// A recording ends after so many seconds.
    pub(super) max_s: u32,
    /// A recording ends after so many seconds of silence.
    pub(super) silence_s: u32,
    /// A shorter message is thrown away.
    pub(super) min_s: u32,
    /// Messages a folder holds; then callers are turned away.
    pub(super) messages: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_s: 0, silence_s: 0, min_s: 0, messages: 100 }
    }
}

/// All limits of a `voicemail.conf`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Conf {
    general: Limits,
    /// By (context, mailbox): what its own line says otherwise.
    own: HashMap<(String, String), Limits>,
}

impl Conf {
    /// Reads the text of a `voicemail.conf`; what is not understood is passed over.
    pub(super) fn parse(text: &str) -> Self {
        let mut conf = Self::default();
        let mut section = String::new();
        let mut lines: Vec<(String, String, String)> = Vec::new();
        for line in text.lines() {
            // Asterisk begins a comment at `;` unless it is escaped
            let line = line.split(';').next().unwrap_or("").trim();
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
                name.clone_into(&mut section);
            } else if let Some((key, value)) = line.split_once('=') {
                let value = value.trim_start_matches('>').trim();
                if section == "general" {
                    set(&mut conf.general, key.trim(), value);
                } else {
                    lines.push((section.clone(), key.trim().to_owned(), value.to_owned()));
                }
            }
        }
        for (context, mailbox, value) in lines {
            // password, name, mail, pager, options
            let Some(options) = value.splitn(5, ',').nth(4) else { continue };
            let mut own = conf.general;
            for option in options.split('|') {
                if let Some((key, value)) = option.split_once('=') {
                    set(&mut own, key.trim(), value.trim());
                }
            }
            conf.own.insert((context, mailbox), own);
        }
        conf
    }

    /// The limits of a mailbox.
    pub(super) fn of(&self, context: &str, mailbox: &str) -> Limits {
        self.own.get(&(context.to_owned(), mailbox.to_owned())).copied().unwrap_or(self.general)
    }

    /// What would cut a caller off in these mailboxes (context, number); for all others by the general section.
    pub(super) fn said(&self, mailboxes: &[(String, String)]) -> Vec<Said> {
        if mailboxes.is_empty() {
            let mut named: Vec<_> = self.own.iter().filter(|(_, own)| **own != self.general).collect();
            named.sort_by_key(|(name, _)| (*name).clone());
            let general = said("voicemail.conf", self.general);
            let own = named.into_iter().flat_map(|((context, name), own)| said(&format!("{name}@{context}"), *own));
            return general.into_iter().chain(own).collect();
        }
        let each = |(context, name): &(String, String)| said(&format!("{name}@{context}"), self.of(context, name));
        mailboxes.iter().flat_map(each).collect()
    }
}

fn set(limits: &mut Limits, key: &str, value: &str) {
    let Ok(value) = value.parse::<u32>() else { return };
    match key {
        "maxsecs" | "maxmessage" => limits.max_s = value,
        "minsecs" | "minmessage" => limits.min_s = value,
        "maxsilence" => limits.silence_s = value,
        "maxmsg" => limits.messages = value,
        _ => {}
    }
}

fn said(mailbox: &str, limits: Limits) -> Vec<Said> {
    let Limits { max_s, silence_s, min_s, messages } = limits;
    let mut wrong = Vec::new();
    if (1..ENOUGH_S).contains(&max_s) {
        wrong.push(format!("maxsecs={max_s} cuts a caller off after {max_s} s; write maxsecs=300"));
    }
    if (1..PAUSE_S).contains(&silence_s) {
        wrong.push(format!("maxsilence={silence_s} cuts off whoever pauses for {silence_s} s; write maxsilence=10"));
    }
    if min_s > SHORTEST_S {
        wrong.push(format!("minsecs={min_s} throws away what is shorter than {min_s} s; write minsecs=2"));
    }
    if (1..ENOUGH_MESSAGES).contains(&messages) {
        wrong
            .push(format!("maxmsg={messages} turns callers away once {messages} messages lie there; write maxmsg=100"));
    }
    if wrong.is_empty() {
        let longest = if max_s == 0 { "without end".to_owned() } else { format!("up to {max_s} s") };
        return vec![Ok(format!("{mailbox}: records {longest}, holds {messages} messages"))];
    }
    let remedy = "in Asterisk's voicemail.conf, then `asterisk -rx 'voicemail reload'`";
    wrong.into_iter().map(|what| Err(format!("{mailbox}: {what} {remedy}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONF: &str = "[general]\nformat=wav49|wav\nmaxsecs=60 ; one minute\nminsecs = 5\nmaxsilence=3\nmaxmsg=30\n\
        [zonemessages]\neuropean=Europe/Berlin|'vm-received' a d b 'digits/at' HM\n\
        [default]\n100 => 4711,Zentrale,z@example.test,,attach=yes|maxsecs=300|maxmsg=100\n101 => 4712,Lager\n";

    #[test]
    fn a_mailbox_has_its_own_limits_or_the_general_ones() {
        let conf = Conf::parse(CONF);
        let general = Limits { max_s: 60, silence_s: 3, min_s: 5, messages: 30 };
        assert_eq!(conf.of("default", "101"), general);
        assert_eq!(conf.of("default", "100"), Limits { max_s: 300, messages: 100, ..general });
        assert_eq!(Conf::parse("").of("default", "100"), Limits::default());
    }

    #[test]
    fn what_would_cut_a_caller_off_is_said_with_its_remedy_and_no_password() {
        let said = Conf::parse(CONF).said(&[("default".into(), "101".into())]);
        let wrong: Vec<String> = said.into_iter().filter_map(Result::err).collect();
        for key in ["maxsecs=60", "maxsilence=3", "minsecs=5", "maxmsg=30"] {
            assert!(wrong.iter().any(|line| line.contains(key) && line.contains("write ")), "{key}: {wrong:?}");
        }
        assert!(!wrong.iter().any(|line| line.contains("4712")));
        let well = Conf::parse("[general]\nmaxsecs=300\nmaxsilence=10\nminsecs=2\n").said(&[]);
        assert_eq!(well, [Ok("voicemail.conf: records up to 300 s, holds 100 messages".to_owned())]);
    }
}

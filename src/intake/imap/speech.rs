//! Asking and answering: one command, everything that comes until it is answered, under a time limit and a size limit.
//!
//! The parser's own error texts quote the mails: they never leave this file.

use super::wire::Wire;
use async_imap::Client;
use async_imap::imap_proto::{Capability, MailboxDatum, Response, ResponseCode, Status};
use futures::FutureExt as _;
use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;

/// How much an ordinary answer may bring: the numbers of a very full mailbox.
pub(super) const SMALL: u64 = 16 * 1024 * 1024;

/// Why a command brought nothing.
#[derive(Debug)]
pub(super) enum Fault {
    /// The connection is of no more use.
    Lost(String),
    /// The server said no; the connection is well.
    Denied {
        /// Its code in brackets, e.g. `TRYCREATE`; never its text.
        code: String,
        /// It may be otherwise in a moment.
        passing: bool,
    },
}

impl Fault {
    pub(super) fn lost(why: impl Into<String>) -> Self {
        Self::Lost(why.into())
    }

    /// What to say of it.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Lost(why) => why.clone(),
            Self::Denied { code, .. } if code.is_empty() => "the server said no".to_owned(),
            Self::Denied { code, .. } => format!("the server said no ({code})"),
        }
    }
}

/// One conversation with a server.
#[derive(Debug)]
pub(super) struct Speech {
    client: Client<Wire>,
    /// No ordinary command may take longer.
    pub(super) patience: Duration,
    commands: u32,
    abilities: HashSet<String>,
    /// Mails came since this was last set to false.
    pub(super) news: bool,
}

impl Speech {
    pub(super) fn new(wire: Wire, patience: Duration) -> Self {
        Self { client: Client::new(wire), patience, commands: 0, abilities: HashSet::new(), news: false }
    }

    pub(super) fn into_wire(self) -> Wire {
        self.client.into_inner()
    }

    /// Whether the server can do this, in capitals.
    pub(super) fn can(&self, ability: &str) -> bool {
        self.abilities.contains(ability)
    }

    /// The server's first line.
    pub(super) async fn greeting(&mut self) -> Result<(), Fault> {
        self.client.get_mut().allow(64 * 1024);
        let patience = self.patience;
        let read = tokio::time::timeout(
            patience,
            self.next(|response| match response {
                Response::Data { status: Status::Ok, outcome } => Ok(named(outcome.code.as_ref())),
                Response::Data { status: Status::Bye, .. } => Err("the server turns us away (BYE)".to_owned()),
                Response::Data { status: Status::PreAuth, .. } => Err("the server wants no login (PREAUTH)".to_owned()),
                _ => Err("the server does not greet as a mail server does".to_owned()),
            }),
        );
        match read.await {
            Ok(Ok(Ok(named))) => {
                self.abilities.extend(named.unwrap_or_default());
                Ok(())
            }
            Ok(Ok(Err(why))) => Err(Fault::Lost(why)),
            Ok(Err(fault)) => Err(fault),
            Err(_) => Err(Fault::lost(format!("no greeting within {} s", patience.as_secs()))),
        }
    }

    /// Asks what the server can do, unless it said so by itself.
    pub(super) async fn learn(&mut self) -> Result<(), Fault> {
        if self.abilities.is_empty() {
            self.ask("CAPABILITY", |_| ()).await?;
        }
        Ok(())
    }

    /// What the server could do counts no more (after encryption, after the login).
    pub(super) fn forget(&mut self) {
        self.abilities.clear();
    }

    /// One command; `each` sees everything that comes for it.
    pub(super) async fn ask(&mut self, command: &str, each: impl FnMut(&Response<'_>)) -> Result<(), Fault> {
        self.converse(command, &[], Duration::ZERO, SMALL, each).await
    }

    /// One command that may take `longer` than others and bring up to `bytes`.
    pub(super) async fn ask_at_length(
        &mut self,
        command: &str,
        longer: Duration,
        bytes: u64,
        each: impl FnMut(&Response<'_>),
    ) -> Result<(), Fault> {
        self.converse(command, &[], longer, bytes, each).await
    }

    /// One command whose further lines are sent when the server asks for them; when they are used up, an empty line.
    pub(super) async fn ask_with(&mut self, command: &str, lines: &[&str]) -> Result<(), Fault> {
        self.converse(command, lines, Duration::ZERO, SMALL, |_| ()).await
    }

    async fn converse(
        &mut self,
        command: &str,
        lines: &[&str],
        longer: Duration,
        bytes: u64,
        mut each: impl FnMut(&Response<'_>),
    ) -> Result<(), Fault> {
        let within = self.patience + longer;
        let verb = command.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let verb = if verb.starts_with("UID") { verb } else { verb.split(' ').next().unwrap_or_default().to_owned() };
        self.client.get_mut().allow(bytes);
        let spoken = async {
            let tag = self.send(command).await?;
            let mut lines = lines.iter();
            loop {
                match self.hear(&tag, &mut each).await? {
                    Heard::Answer(answer) => return answer,
                    Heard::GoOn => self.write(lines.next().copied().unwrap_or_default()).await?,
                    Heard::More => {}
                }
            }
        };
        match tokio::time::timeout(within, spoken).await {
            Ok(result) => result,
            Err(_) => Err(Fault::lost(format!("no answer to {verb} within {} s", within.as_secs()))),
        }
    }

    /// Waits for news, at most `within`. The server's IDLE must be there.
    pub(super) async fn idle(&mut self, within: Duration) -> Result<(), Fault> {
        self.client.get_mut().allow(SMALL);
        let patience = self.patience;
        let short = |what| move |_| Fault::lost(format!("no answer to {what} within {} s", patience.as_secs()));
        let tag = self.send("IDLE").await?;
        let begun = async {
            loop {
                match self.hear(&tag, &mut |_| ()).await? {
                    Heard::GoOn => return Ok(()),
                    Heard::Answer(answer) => {
                        return Err(answer.err().unwrap_or_else(|| Fault::lost("IDLE ended before it began")));
                    }
                    Heard::More => {}
                }
            }
        };
        tokio::time::timeout(patience, begun).await.map_err(short("IDLE"))??;
        let deadline = tokio::time::Instant::now() + within;
        while !self.news {
            match tokio::time::timeout_at(deadline, self.hear(&tag, &mut |_| ())).await {
                Err(_) => break,
                Ok(Ok(Heard::More | Heard::GoOn)) => {}
                // ended by the server itself
                Ok(Ok(Heard::Answer(answer))) => return answer,
                Ok(Err(fault)) => return Err(fault),
            }
        }
        self.write("DONE").await?;
        let ended = async {
            loop {
                if let Heard::Answer(answer) = self.hear(&tag, &mut |_| ()).await? {
                    return answer;
                }
            }
        };
        // a line that died silently is found out here
        tokio::time::timeout(patience, ended).await.map_err(short("DONE"))?
    }

    async fn send(&mut self, command: &str) -> Result<String, Fault> {
        self.commands += 1;
        let tag = format!("N{}", self.commands);
        self.write(&format!("{tag} {command}")).await?;
        Ok(tag)
    }

    async fn write(&mut self, line: &str) -> Result<(), Fault> {
        let patience = self.patience;
        // not through the library: it would log the line, and lines may be passwords
        let wire = self.client.get_mut();
        let written = async {
            wire.write_all(format!("{line}\r\n").as_bytes()).await?;
            wire.flush().await
        };
        match tokio::time::timeout(patience, written).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Fault::lost(format!("the connection broke off: {}", error.kind()))),
            Err(_) => Err(Fault::lost("the server takes nothing any more")),
        }
    }

    /// The next thing the server says.
    async fn hear(&mut self, tag: &str, each: &mut impl FnMut(&Response<'_>)) -> Result<Heard, Fault> {
        let mut news = false;
        let (heard, abilities) = self
            .next(|response| {
                let mut abilities = None;
                let heard = match response {
                    Response::Done { tag: own, status, outcome } if own.0 == tag => {
                        abilities = named(outcome.code.as_ref());
                        let text = outcome.information.as_deref().unwrap_or_default();
                        Ok(Heard::Answer(match status {
                            Status::Ok => Ok(()),
                            _ => Err(denied(outcome.code.as_ref(), text)),
                        }))
                    }
                    Response::Continue(_) => Ok(Heard::GoOn),
                    Response::Data { status: Status::Bye, .. } => Err("the server ended the session (BYE)"),
                    other => {
                        if let Response::Capabilities(told) = other {
                            abilities = Some(told.iter().map(upper).collect());
                        }
                        if let Response::Data { outcome, .. } = other {
                            abilities = named(outcome.code.as_ref());
                        }
                        news = matches!(other, Response::MailboxData(MailboxDatum::Exists(_)));
                        each(other);
                        Ok(Heard::More)
                    }
                };
                (heard, abilities)
            })
            .await?;
        self.news |= news;
        if let Some(abilities) = abilities {
            self.abilities = abilities;
        }
        heard.map_err(Fault::lost)
    }

    async fn next<T>(&mut self, see: impl FnOnce(&Response<'_>) -> T) -> Result<T, Fault> {
        // a parser that stumbles over a server's words costs the connection, not the service
        match AssertUnwindSafe(self.client.read_response()).catch_unwind().await {
            Ok(Ok(Some(response))) => Ok(see(response.parsed())),
            Ok(Ok(None)) => Err(Fault::lost("the server closed the connection")),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Err(Fault::lost("the connection broke off in the middle of an answer"))
            }
            Ok(Err(error)) if error.get_ref().is_none() => {
                Err(Fault::lost(format!("the connection broke off: {}", error.kind())))
            }
            Ok(Err(_)) | Err(_) => Err(Fault::lost("the server's answer cannot be understood or is too long")),
        }
    }
}

enum Heard {
    /// The command is answered.
    Answer(Result<(), Fault>),
    /// The server waits for more of the command.
    GoOn,
    /// Something that belongs to the command, or news.
    More,
}

fn upper(ability: &Capability<'_>) -> String {
    match ability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(way) => format!("AUTH={}", way.to_ascii_uppercase()),
        Capability::Atom(name) => name.to_ascii_uppercase(),
    }
}

fn named(code: Option<&ResponseCode<'_>>) -> Option<HashSet<String>> {
    match code {
        Some(ResponseCode::Capabilities(told)) => Some(told.iter().map(upper).collect()),
        _ => None,
    }
}

fn denied(code: Option<&ResponseCode<'_>>, text: &str) -> Fault {
    let code = match code {
        Some(ResponseCode::TryCreate) => "TRYCREATE",
        Some(_) => "",
        None => text.strip_prefix('[').and_then(|rest| rest.split([']', ' ']).next()).unwrap_or_default(),
    };
    let code: String =
        code.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').take(32).collect();
    let code = code.to_ascii_uppercase();
    let text = text.to_ascii_lowercase();
    let hints = ["temporar", "try again", "too many", "unavailable", "not connected", "internal error", "timed out"];
    let passing = ["UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"].contains(&code.as_str())
        || (code != "AUTHENTICATIONFAILED" && hints.iter().any(|hint| text.contains(hint)));
    Fault::Denied { code, passing }
}

/// A string as a command carries it; `None` where it needs a literal.
pub(super) fn quoted(text: &str) -> Option<String> {
    let plain = text.chars().all(|letter| letter.is_ascii() && !letter.is_ascii_control());
    plain.then(|| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// The name of a folder as a command carries it (modified UTF-7, RFC 3501 5.1.3).
pub(super) fn folder_name(name: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    let mut out = String::from("\"");
    let mut other: Vec<u8> = Vec::new();
    let flush = |out: &mut String, other: &mut Vec<u8>| {
        if !other.is_empty() {
            let coded = STANDARD_NO_PAD.encode(&*other).replace('/', ",");
            out.extend(["&", &coded, "-"]);
            other.clear();
        }
    };
    for letter in name.chars() {
        if (' '..='~').contains(&letter) {
            flush(&mut out, &mut other);
            match letter {
                '&' => out.push_str("&-"),
                '"' | '\\' => out.extend(['\\', letter]),
                _ => out.push(letter),
            }
        } else {
            other.extend(letter.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut out, &mut other);
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_names_with_umlauts_are_written_in_modified_utf_7() {
        assert_eq!(folder_name("INBOX/Entwürfe"), "\"INBOX/Entw&APw-rfe\"");
        assert_eq!(folder_name("A&B \"x\""), "\"A&-B \\\"x\\\"\"");
        assert_eq!(folder_name("台北 Ärger"), "\"&U,BTFw- &AMQ-rger\"");
    }

    #[test]
    fn a_refusal_that_may_pass_is_told_from_one_that_will_not() {
        let passing = |text: &str| matches!(denied(None, text), Fault::Denied { passing: true, .. });
        assert!(passing("[UNAVAILABLE] Temporary authentication failure."));
        assert!(passing("[ALERT] Too many simultaneous connections."));
        assert!(!passing("[AUTHENTICATIONFAILED] Authentication failed. Try again."));
        assert!(!passing("LOGIN failed."));
    }
}

//! A session with the folder open: login, looking, reading, marking. Nothing is read but by `BODY.PEEK[]`.

use super::oauth::Tokens;
use super::speech::{Fault, SMALL, Speech, folder_name, quoted};
use super::{Confirm, ImapSettings, Login, wire};
use crate::config::Tls;
use crate::intake::source::SourceError;
use async_imap::imap_proto::{AttributeValue, MailboxDatum, Response, ResponseCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, Utc};
use secrecy::ExposeSecret as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_rustls::rustls::ClientConfig;

/// A slow line brings so many bytes a second at least.
const SLOW: u64 = 24 * 1024;
/// No mail may take longer than this: the loop above has a limit, too.
const LONGEST: Duration = Duration::from_mins(2);

/// An open folder.
#[derive(Debug)]
pub(super) struct Session {
    speech: Speech,
    /// The generation of the folder's numbers.
    pub(super) validity: u32,
    /// Mails that come from now on have this number or a higher one.
    pub(super) next: u32,
    /// Mails in the folder.
    pub(super) exists: u32,
    /// Flags that last; `None` = the server did not say.
    flags: Option<Vec<String>>,
    read_only: bool,
    pub(super) opened: Instant,
}

/// What is known of a mail before it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meta {
    pub(super) uid: u32,
    pub(super) size: u32,
    pub(super) at: Option<DateTime<Utc>>,
}

impl Session {
    /// Logs in and opens the folder.
    pub(super) async fn open(
        settings: &ImapSettings,
        trust: &Arc<ClientConfig>,
        tokens: Option<&mut Tokens>,
    ) -> Result<Self, SourceError> {
        let place = format!("{}:{}", settings.host, settings.port);
        let lost = |fault: Fault| SourceError::Unreachable(format!("{place}: {}", fault.why()));
        let mut speech = greeted(settings, trust).await.map_err(lost)?;
        match &settings.login {
            Login::Password(password) => {
                let answer = password_login(&mut speech, &settings.username, password.expose_secret()).await;
                answer.map_err(|fault| refused(&place, &fault, "are username and password right?"))?;
            }
            Login::OAuth(_) => {
                let unset = || SourceError::Refused(format!("{place}: there is no way to a token"));
                let tokens = tokens.ok_or_else(unset)?;
                let token = tokens.token(false).await?;
                match token_login(&mut speech, &settings.username, token.expose_secret()).await {
                    Ok(()) => {}
                    // it may have been withdrawn before its time
                    Err(Fault::Denied { passing: false, .. }) => {
                        let token = tokens.token(true).await?;
                        speech = greeted(settings, trust).await.map_err(lost)?;
                        let answer = token_login(&mut speech, &settings.username, token.expose_secret()).await;
                        let hint = "may the application read this mailbox by IMAP? (docs/sources/imap.md)";
                        answer.map_err(|fault| refused(&place, &fault, hint))?;
                    }
                    Err(fault) => return Err(lost(fault)),
                }
            }
        }
        speech.learn().await.map_err(lost)?;
        Self::select(speech, settings, &place).await
    }

    async fn select(mut speech: Speech, settings: &ImapSettings, place: &str) -> Result<Self, SourceError> {
        let (mut validity, mut next, mut exists, mut flags, mut read_only) = (None, None, 0, None, false);
        let command = ["SELECT", &folder_name(&settings.folder)].join(" ");
        let answer = speech.ask(&command, |response| match response {
            Response::MailboxData(MailboxDatum::Exists(number)) => exists = *number,
            Response::Data { outcome, .. } => match &outcome.code {
                Some(ResponseCode::UidValidity(number)) => validity = Some(*number),
                Some(ResponseCode::UidNext(number)) => next = Some(*number),
                Some(ResponseCode::PermanentFlags(told)) => {
                    flags = Some(told.iter().map(|flag| flag.to_ascii_lowercase()).collect());
                }
                Some(ResponseCode::ReadOnly) => read_only = true,
                _ => {}
            },
            _ => {}
        });
        answer.await.map_err(|fault| refused(place, &fault, &format!("is there a folder {}?", settings.folder)))?;
        let Some(validity) = validity else {
            return Err(SourceError::Refused(format!("{place}: the server gives its mails no lasting numbers")));
        };
        speech.news = false;
        Ok(Self { speech, validity, next: next.unwrap_or(1), exists, flags, read_only, opened: Instant::now() })
    }

    /// Mails came that nobody looked at yet.
    pub(super) fn has_news(&self) -> bool {
        self.speech.news
    }

    pub(super) fn can_idle(&self) -> bool {
        self.speech.can("IDLE")
    }

    pub(super) async fn idle(&mut self, within: Duration) -> Result<(), Fault> {
        self.speech.idle(within).await
    }

    /// The numbers of the mails from `from` on (to `to`, if given) that came on `day` or later, by the server's reckoning,
    /// and do not carry the keyword.
    pub(super) async fn search(
        &mut self,
        from: u32,
        to: Option<u32>,
        day: NaiveDate,
        without: Option<&str>,
    ) -> Result<Vec<u32>, Fault> {
        // a search sees what was there at the last command's end
        self.speech.ask("NOOP", |_| ()).await?;
        self.speech.news = false;
        let to_text = to.map_or_else(|| "*".to_owned(), |to| to.to_string());
        let unmarked = without.map(|keyword| format!(" UNKEYWORD {keyword}")).unwrap_or_default();
        let command = format!("UID SEARCH UID {from}:{to_text} SINCE {}{unmarked}", day.format("%-d-%b-%Y"));
        let mut found = Vec::new();
        let seen = |response: &Response<'_>| {
            if let Response::MailboxData(MailboxDatum::Search(numbers)) = response {
                found.extend_from_slice(numbers);
            }
        };
        let longer = self.speech.patience * 2;
        self.speech.ask_at_length(&command, longer, SMALL, seen).await?;
        // "n:*" brings the last mail even where its number is below n
        found.retain(|uid| *uid >= from && to.is_none_or(|to| *uid <= to));
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Whether a mail is still there.
    async fn is_there(&mut self, uid: u32) -> Result<bool, Fault> {
        let mut there = false;
        let seen = |response: &Response<'_>| {
            there |= matches!(response, Response::MailboxData(MailboxDatum::Search(numbers)) if numbers.contains(&uid));
        };
        self.speech.ask(&format!("UID SEARCH UID {uid}"), seen).await?;
        Ok(there)
    }

    /// Size and time of some mails; those that went meanwhile are missing.
    pub(super) async fn metas(&mut self, uids: &[u32]) -> Result<Vec<Meta>, Fault> {
        let mut metas = Vec::new();
        let seen = |response: &Response<'_>| {
            let Response::Fetch(_, attributes) = response else { return };
            let mut meta = Meta { uid: 0, size: 0, at: None };
            for attribute in attributes {
                match attribute {
                    AttributeValue::Uid(uid) => meta.uid = *uid,
                    AttributeValue::Rfc822Size(size) => meta.size = *size,
                    AttributeValue::InternalDate(at) => {
                        let parsed = DateTime::parse_from_str(at.trim(), "%d-%b-%Y %H:%M:%S %z");
                        meta.at = parsed.ok().map(|at| at.to_utc());
                    }
                    _ => {}
                }
            }
            // somebody else's change of flags comes along the same way, without a size
            if uids.contains(&meta.uid) && meta.size > 0 {
                metas.push(meta);
            }
        };
        let command = format!("UID FETCH {} (UID RFC822.SIZE INTERNALDATE)", set(uids));
        self.speech.ask(&command, seen).await?;
        Ok(metas)
    }

    /// Some mails whole; of larger ones the first `most` bytes.
    pub(super) async fn bodies(&mut self, metas: &[Meta], most: Option<u64>) -> Result<Vec<(u32, Vec<u8>)>, Fault> {
        let uids: Vec<u32> = metas.iter().map(|meta| meta.uid).collect();
        let part = most.map(|most| format!("<0.{most}>")).unwrap_or_default();
        let expected: u64 = metas.iter().map(|meta| most.unwrap_or(u64::MAX).min(u64::from(meta.size))).sum();
        let longer = Duration::from_secs(expected / SLOW).min(LONGEST);
        let mut bodies = Vec::new();
        let seen = |response: &Response<'_>| {
            let Response::Fetch(_, attributes) = response else { return };
            let uid =
                attributes.iter().find_map(|one| if let AttributeValue::Uid(uid) = one { Some(*uid) } else { None });
            let body = attributes.iter().find_map(|one| match one {
                AttributeValue::BodySection { section: None, data: Some(data), .. } => Some(data.as_ref()),
                _ => None,
            });
            if let (Some(uid), Some(body)) = (uid.filter(|uid| uids.contains(uid)), body) {
                bodies.push((uid, body.to_vec()));
            }
        };
        let command = format!("UID FETCH {} (UID BODY.PEEK[]{part})", set(&uids));
        // sizes are what the server says: some say less than they send
        self.speech.ask_at_length(&command, longer, expected * 2 + 1024 * 1024, seen).await?;
        Ok(bodies)
    }

    /// Why stored mails cannot be marked as the settings want, if that is so.
    pub(super) fn unmarkable(&self, settings: &ImapSettings) -> Option<String> {
        let folder = &settings.folder;
        if self.read_only {
            return Some(format!(
                "the folder {folder} can only be read: nothing is marked there; remedy: give more rights"
            ));
        }
        let lasting = |flag: &str| self.flags.as_ref().is_none_or(|flags| flags.iter().any(|one| one == flag));
        match &settings.confirm {
            Confirm::Keyword(keyword) if !lasting("\\*") && !lasting(&keyword.to_ascii_lowercase()) => {
                Some("the server keeps no keywords; remedy: set confirm to \"seen\" or \"move\"".to_owned())
            }
            Confirm::Seen if !lasting("\\seen") => Some(format!("in {folder} nothing can be marked as read")),
            Confirm::Move(_) if !self.speech.can("MOVE") && !self.speech.can("UIDPLUS") => Some(
                "the server can move nothing safely (no MOVE, no UIDPLUS); remedy: set confirm to \"keyword\"".into(),
            ),
            _ => None,
        }
    }

    /// Marks a mail that is safe. One that went is no error.
    pub(super) async fn confirm(&mut self, settings: &ImapSettings, uid: u32) -> Result<(), Fault> {
        if self.unmarkable(settings).is_some() {
            return Ok(());
        }
        match &settings.confirm {
            Confirm::Keyword(keyword) => self.flag(uid, keyword).await,
            Confirm::Seen => self.flag(uid, "\\Seen").await,
            Confirm::Move(folder) => self.put_away(uid, folder).await,
        }
    }

    async fn flag(&mut self, uid: u32, flag: &str) -> Result<(), Fault> {
        self.speech.ask(&format!("UID STORE {uid} +FLAGS.SILENT ({flag})"), |_| ()).await
    }

    async fn put_away(&mut self, uid: u32, folder: &str) -> Result<(), Fault> {
        if !self.is_there(uid).await? {
            return Ok(());
        }
        let name = folder_name(folder);
        let moves = self.speech.can("MOVE");
        let command = format!("UID {} {uid} {name}", if moves { "MOVE" } else { "COPY" });
        if let Err(fault) = self.speech.ask(&command, |_| ()).await {
            if matches!(fault, Fault::Lost(_)) {
                return Err(fault);
            }
            // it may only be missing; if it is there this fails, and so does the next
            drop(self.speech.ask(&format!("CREATE {name}"), |_| ()).await);
            drop(self.speech.ask(&format!("SUBSCRIBE {name}"), |_| ()).await);
            self.speech.ask(&command, |_| ()).await?;
        }
        if moves {
            return Ok(());
        }
        self.flag(uid, "\\Deleted").await?;
        // never a plain EXPUNGE: it would take what other people marked
        self.speech.ask(&format!("UID EXPUNGE {uid}"), |_| ()).await
    }

    /// How full the mailbox is, in per cent, where the server tells.
    pub(super) async fn filled(&mut self, folder: &str) -> Result<Option<u64>, Fault> {
        if !self.speech.can("QUOTA") {
            return Ok(None);
        }
        let mut fullest = None;
        let seen = |response: &Response<'_>| {
            if let Response::Quota(quota) = response {
                let percents =
                    quota.resources.iter().filter(|one| one.limit > 0).map(|one| one.usage * 100 / one.limit);
                fullest = fullest.max(percents.max());
            }
        };
        match self.speech.ask(&format!("GETQUOTAROOT {}", folder_name(folder)), seen).await {
            Err(Fault::Lost(why)) => Err(Fault::Lost(why)),
            Ok(()) | Err(Fault::Denied { .. }) => Ok(fullest),
        }
    }
}

/// Connected, encrypted as the settings say, and greeted.
async fn greeted(settings: &ImapSettings, trust: &Arc<ClientConfig>) -> Result<Speech, Fault> {
    let mut speech = Speech::new(wire::connect(settings, trust).await.map_err(Fault::Lost)?, settings.patience);
    speech.greeting().await?;
    if settings.tls == Tls::StartTls {
        // what came before the encryption counts for nothing
        match speech.ask("STARTTLS", |_| ()).await {
            Ok(()) => {}
            Err(Fault::Denied { .. }) => {
                return Err(Fault::lost("the server refuses STARTTLS; remedy: tls = \"implicit\""));
            }
            Err(lost) => return Err(lost),
        }
        let wire = speech.into_wire().encrypt(settings, trust).await.map_err(Fault::Lost)?;
        speech = Speech::new(wire, settings.patience);
    }
    speech.learn().await?;
    Ok(speech)
}

async fn password_login(speech: &mut Speech, username: &str, password: &str) -> Result<(), Fault> {
    if speech.can("AUTH=PLAIN") {
        let response = STANDARD.encode(format!("\0{username}\0{password}"));
        return authenticate(speech, "PLAIN", &response).await;
    }
    if speech.can("LOGINDISABLED") {
        return Err(Fault::Denied { code: "LOGINDISABLED".to_owned(), passing: false });
    }
    speech.forget();
    if let (Some(username), Some(password)) = (quoted(username), quoted(password)) {
        return speech.ask(&format!("LOGIN {username} {password}"), |_| ()).await;
    }
    let lines = [&*format!("{username} {{{}}}", password.len()), password];
    speech.ask_with(&format!("LOGIN {{{}}}", username.len()), &lines).await
}

async fn token_login(speech: &mut Speech, username: &str, token: &str) -> Result<(), Fault> {
    // refused, the server tells why in a challenge; `ask_with` answers that with an empty line
    let response = STANDARD.encode(format!("user={username}\x01auth=Bearer {token}\x01\x01"));
    authenticate(speech, "XOAUTH2", &response).await
}

async fn authenticate(speech: &mut Speech, way: &str, response: &str) -> Result<(), Fault> {
    let initial = speech.can("SASL-IR");
    speech.forget();
    if initial {
        return speech.ask(&format!("AUTHENTICATE {way} {response}"), |_| ()).await;
    }
    speech.ask_with(&format!("AUTHENTICATE {way}"), &[response]).await
}

/// A denial is for a person to mend, unless it may pass.
fn refused(place: &str, fault: &Fault, hint: &str) -> SourceError {
    let text = format!("{place}: {}", fault.why());
    match fault {
        Fault::Denied { passing: false, .. } => SourceError::Refused(format!("{text}; {hint}")),
        _ => SourceError::Unreachable(text),
    }
}

/// Numbers as a command carries them: runs as `from:to`.
fn set(uids: &[u32]) -> String {
    let mut sorted = uids.to_vec();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|one, next| one + 1 == *next);
    let written = runs.map(|run| match run {
        [one] => one.to_string(),
        _ => format!("{}:{}", run[0], run[run.len() - 1]),
    });
    written.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_runs() {
        assert_eq!(set(&[7, 1, 2, 3, 9, 10]), "1:3,7,9:10");
    }
}

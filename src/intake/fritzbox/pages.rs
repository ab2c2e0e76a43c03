//! The login at the box's pages, `login_sid.lua` version 2: a challenge, PBKDF2 twice, a session id.
//!
//! The password never leaves this machine. A box that was given wrong passwords wants a pause (`BlockTime`); until it is
//! over nothing is tried.

use super::home::Door;
use super::machine::session;
use super::menu;
use super::tam::value;
use super::wire::Wire;
use crate::intake::source::SourceError;
use crate::intake::watch::apart;
use crate::store::sound::hex;
use pbkdf2::pbkdf2_hmac_array;
use roxmltree::Document;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use std::time::{Duration, Instant};

const ANSWER_MAX: u64 = 64 * 1024;
/// A session is used for so long; boxes end an idle one after 20 minutes.
const SESSION_KEPT: Duration = Duration::from_mins(10);
/// After a refused login, whatever the box says.
const PAUSE: Duration = Duration::from_mins(5);
/// The longest pause that is believed.
const LONGEST_BLOCK_S: u64 = 3600;
/// More rounds than a box asks for would keep this machine busy for nothing.
const ROUNDS_MAX: u32 = 1_000_000;

/// `2$rounds$salt$rounds$salt`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Riddle {
    first: (u32, Vec<u8>),
    second: (u32, Vec<u8>),
    second_salt: String,
}

impl Riddle {
    fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('$').collect();
        let &["2", rounds, salt, more_rounds, second_salt] = parts.as_slice() else { return None };
        let part = |rounds: &str, salt: &str| {
            let rounds = rounds.parse().ok().filter(|rounds| (1..=ROUNDS_MAX).contains(rounds))?;
            Some((rounds, bytes_of(salt)?))
        };
        let (first, second) = (part(rounds, salt)?, part(more_rounds, second_salt)?);
        Some(Self { first, second, second_salt: second_salt.to_owned() })
    }

    fn answer(&self, password: &SecretString) -> String {
        let password = password.expose_secret().as_bytes();
        let once: [u8; 32] = pbkdf2_hmac_array::<Sha256, 32>(password, &self.first.1, self.first.0);
        let twice: [u8; 32] = pbkdf2_hmac_array::<Sha256, 32>(&once, &self.second.1, self.second.0);
        format!("{}${}", self.second_salt, hex(&twice))
    }
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let is_hex = hex.len().is_multiple_of(2) && hex.len() <= 256 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| (0..hex.len()).step_by(2).filter_map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect())
}

/// What `login_sid.lua` says.
struct State {
    sid: Option<String>,
    riddle: Option<Riddle>,
    block_s: u64,
}

impl Wire {
    /// A session at the box's pages: the one that is there, else a new one.
    pub(super) async fn session(&mut self) -> Result<String, SourceError> {
        if let Some((sid, _)) = self.session.as_ref().filter(|(_, since)| since.elapsed() < SESSION_KEPT) {
            return Ok(sid.clone());
        }
        let shown = self.home.shown(Door::Web);
        if self.blocked_until.is_some_and(|until| Instant::now() < until) {
            return Err(SourceError::Busy(format!("the pages of the FRITZ!Box at {shown} want no login for a while")));
        }
        let state = self.login_state(None).await?;
        self.wait_for(state.block_s)?;
        let riddle = state.riddle.ok_or_else(|| {
            SourceError::Unreachable(format!("the pages of the FRITZ!Box at {shown} offer no login of version 2"))
        })?;
        let password = self.password.clone();
        let response = apart(move || riddle.answer(&password)).await;
        let response = response.map_err(|why| SourceError::Busy(why.to_owned()))?;
        let state = self.login_state(Some(&response)).await?;
        if let Some(sid) = state.sid {
            self.session = Some((sid.clone(), Instant::now()));
            return Ok(sid);
        }
        self.wait_for(state.block_s.max(PAUSE.as_secs()))?;
        Err(SourceError::Busy("no session".into()))
    }

    /// Remembers that the box wants no login for so many seconds.
    fn wait_for(&mut self, seconds: u64) -> Result<(), SourceError> {
        if seconds == 0 {
            return Ok(());
        }
        self.blocked_until = Some(Instant::now() + Duration::from_secs(seconds.min(LONGEST_BLOCK_S)));
        Err(SourceError::Busy(format!(
            "the pages of the FRITZ!Box at {} take no login for {seconds} s; remedy: check username and password against {}",
            self.home.shown(Door::Web),
            menu::USERS
        )))
    }

    async fn login_state(&self, response: Option<&str>) -> Result<State, SourceError> {
        let url = self.home.at(Door::Web, "/login_sid.lua", Some("version=2"));
        let client = self.client(Door::Web);
        let request = match response {
            None => client.get(url),
            Some(response) => client.post(url).form(&[("username", self.username.as_str()), ("response", response)]),
        };
        let answer = self.fetch(Door::Web, request, self.limits.answer, ANSWER_MAX).await;
        let answer = answer.map_err(|lost| self.failed(Door::Web, lost))?;
        let xml = String::from_utf8_lossy(&answer.body).into_owned();
        let document = Document::parse(xml.trim()).map_err(|_| {
            SourceError::Unreachable(format!("the login of the FRITZ!Box at {} is no XML", self.home.shown(Door::Web)))
        })?;
        let text = |name: &str| value(document.root(), name);
        Ok(State {
            sid: session(text("SID")),
            riddle: Riddle::parse(text("Challenge")),
            block_s: text("BlockTime").parse().unwrap_or(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_riddle_is_answered_as_the_box_expects() {
        // computed with Python's hashlib.pbkdf2_hmac
        let riddle = Riddle::parse("2$10000$5A1711$2000$5A1722").unwrap();
        let answer = riddle.answer(&"1example!".into());
        assert_eq!(answer, "5A1722$1798a1672bca7c6463d6b245f82b53703b0f50813401b03e4045a5861e689adb");
    }

    #[test]
    fn what_is_no_riddle_is_none() {
        let many = format!("2${}$5A$1$5A", ROUNDS_MAX + 1);
        for no in ["", "1234abcd", "2$1$5A", "2$0$5A$1$5A", "2$1$5$1$5A", "2$1$zz$1$5A", "3$1$5A$1$5A", &many] {
            assert_eq!(Riddle::parse(no), None, "{no}");
        }
    }
}

//! A recording's way from the box: four known ways, the winner first.
//!
//! What is no `RIFF/WAVE` (a login page, nothing, 404) is no answer; the next way is tried, then all of them again with a
//! session made now. A sound shorter than its head says is kept for the case that nothing better comes.

use super::home::{Place, Way};
use super::wire::{Lost, Wire};
use crate::intake::source::SourceError;
use std::time::{Duration, Instant};

/// By which name the winner is remembered.
const REMEMBERED: &str = "way to the sound";
/// No further way is tried after so long: the loop's patience is limited.
const LONGEST: Duration = Duration::from_secs(150);
/// Sizes from here on stand for "not known yet".
const SIZE_UNKNOWN: usize = 0x7fff_ff00;

/// What came of fetching a recording.
pub(super) enum Fetched {
    /// The whole file.
    Sound(Vec<u8>),
    /// None of the ways gave it.
    Nothing {
        /// What each way gave.
        why: String,
        /// The longest part of it that came.
        part: Option<Vec<u8>>,
    },
    /// It is larger than allowed.
    TooLarge,
}

/// What one way gave.
enum One {
    Sound(Vec<u8>),
    Part(Vec<u8>),
    TooLarge,
    No(String),
}

impl Wire {
    /// Fetches a recording.
    ///
    /// # Errors
    /// `Busy` where the store cannot be read.
    pub(super) async fn sound(&mut self, place: &Place, sid: Option<String>, max: u64) -> Result<Fetched, SourceError> {
        let winner = self.memory.recall(REMEMBERED).await?.and_then(|word| Way::parse(&word));
        let mut whys: Vec<String> = Vec::new();
        let mut part: Option<Vec<u8>> = None;
        let began = Instant::now();
        for again in [false, true] {
            let sid = if again { self.fresh_sid().await.ok().flatten() } else { sid.clone() };
            for way in order(winner, again).into_iter().take_while(|_| began.elapsed() < LONGEST) {
                match self.one(way, place, sid.as_deref(), max).await {
                    One::Sound(bytes) => {
                        if winner != Some(way)
                            && let Err(error) = self.memory.keep(REMEMBERED, way.as_str()).await
                        {
                            // the sound is here: next time the ways are tried in another order
                            tracing::warn!(%error, "the way to the sound could not be remembered");
                        }
                        return Ok(Fetched::Sound(bytes));
                    }
                    One::TooLarge => return Ok(Fetched::TooLarge),
                    One::Part(bytes) => {
                        whys.push(format!("{}: cut short", way.as_str()));
                        part = part.filter(|known| known.len() >= bytes.len()).or(Some(bytes));
                    }
                    One::No(why) => whys.push(format!("{}: {why}", way.as_str())),
                }
            }
        }
        whys.sort();
        whys.dedup();
        Ok(Fetched::Nothing { why: whys.join("; "), part })
    }

    async fn one(&mut self, way: Way, place: &Place, sid: Option<&str>, max: u64) -> One {
        let sid = if way == Way::PagesLogin {
            match self.session().await {
                Ok(sid) => sid,
                Err(error) => return One::No(error.to_string()),
            }
        } else {
            match sid {
                Some(sid) => sid.to_owned(),
                None => return One::No("no session".into()),
            }
        };
        let door = way.door();
        let request = self.client(door).get(way.url(&self.home, place, &sid));
        let given = match self.fetch(door, request, self.limits.download, max).await {
            Ok(answer) => judge(answer.status, answer.body),
            Err(Lost::TooLarge(_)) => One::TooLarge,
            Err(Lost::Network(why)) => One::No(why),
            // the other door may still be the right one
            Err(lost @ (Lost::Certificate { .. } | Lost::Memory(_))) => One::No(self.failed(door, lost).to_string()),
        };
        if way == Way::PagesLogin && matches!(given, One::No(_)) {
            // the session may have ended
            self.session = None;
        }
        given
    }
}

/// The winner first. The login at the pages comes only when nothing else works: it is slow and can be blocked.
fn order(winner: Option<Way>, again: bool) -> Vec<Way> {
    let others = Way::ALL.into_iter().filter(|way| Some(*way) != winner && (again || *way != Way::PagesLogin));
    winner.into_iter().chain(others).collect()
}

fn judge(status: u16, body: Vec<u8>) -> One {
    if status != 200 {
        return One::No(format!("HTTP {status}"));
    }
    if body.is_empty() {
        return One::No("nothing".into());
    }
    if body.len() < 12 || !body.starts_with(b"RIFF") || &body[8..12] != b"WAVE" {
        let is_page = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<');
        return One::No(if is_page { "a page" } else { "something that is no RIFF/WAVE" }.into());
    }
    let told = u32::from_le_bytes([body[4], body[5], body[6], body[7]]) as usize;
    if told < SIZE_UNKNOWN && told + 8 > body.len() + 1 { One::Part(body) } else { One::Sound(body) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(told: u32, length: usize) -> Vec<u8> {
        let mut bytes = [b"RIFF".as_slice(), &told.to_le_bytes(), b"WAVE"].concat();
        bytes.resize(length, 0x55);
        bytes
    }

    #[test]
    fn only_a_wave_is_a_sound() {
        let (html, text) = (b"\n<html>Anmelden</html>".to_vec(), b"404 not found here".to_vec());
        for (status, body, why) in [
            (404, wave(36, 44), "HTTP 404"),
            (200, vec![], "nothing"),
            (200, html, "a page"),
            (200, text, "something that is no RIFF/WAVE"),
            (200, b"RIFF\0\0\0\0AVI LIST".to_vec(), "something that is no RIFF/WAVE"),
        ] {
            let One::No(told) = judge(status, body) else { panic!("{why}") };
            assert_eq!(told, why);
        }
    }

    #[test]
    fn a_sound_shorter_than_it_says_is_a_part_and_one_that_does_not_know_is_whole() {
        assert!(matches!(judge(200, wave(1000, 500)), One::Part(_)));
        for whole in [wave(492, 500), wave(0, 500), wave(u32::MAX, 500), wave(0x7fff_ffff, 500), wave(493, 500)] {
            assert!(matches!(judge(200, whole), One::Sound(_)));
        }
    }

    #[test]
    fn the_winner_is_tried_first_and_a_login_only_when_nothing_else_works() {
        assert_eq!(order(None, false), [Way::Listed, Way::Pages, Way::Ending]);
        assert_eq!(order(None, true), Way::ALL);
        assert_eq!(order(Some(Way::PagesLogin), false), [Way::PagesLogin, Way::Listed, Way::Pages, Way::Ending]);
        assert_eq!(order(Some(Way::Pages), true), [Way::Pages, Way::Listed, Way::PagesLogin, Way::Ending]);
    }
}

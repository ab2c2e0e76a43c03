//! Placetel: the voicemails among an account's calls, by its API v2.
//!
//! Promises: the API is asked day by day in the firm's time zone, today and yesterday always, after an outage from the
//! last good look on; the key goes to the API's host only; a recording's signed address must be https in the public
//! internet and gets no key. Identity (`Found::key`) is the call's own id. Nothing can be marked there: the store knows.
//!
//! What can go wrong: a key that is not accepted (`Refused`), an entry that cannot be read (`Trouble`), a recording that
//! cannot be fetched for ten minutes (`Sound::Refused`), an outage of more than two weeks (older calls are not asked for).

use crate::domain::phone;
use crate::domain::report::{Arrival, Content};
use crate::intake::files::{Attempts, Files, NotFetched};
use crate::intake::http::{Limits, Peer, text};
use crate::intake::memory::Memory;
use crate::intake::shown;
use crate::intake::since::{Reach, Since, Window};
use crate::intake::source::{Found, Listing, Said, Source, SourceError, Trouble};
use crate::runtime::clock::Clock;
use async_trait::async_trait;
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where Placetel's API is.
pub const API: &str = "https://api.placetel.de/v2";
/// Calls a page.
const PAGE: usize = 100;
/// No page is capped lower: a shorter one is the last.
const LEAST: usize = 10;
/// So many pages of one day are read.
const PAGES: usize = 20;
/// Yesterday is always asked for, and the day before the last good look.
const OVERLAP: TimeDelta = TimeDelta::days(1);
/// After a longer outage only these last days are asked for.
const LONGEST: TimeDelta = TimeDelta::days(14);
/// A recording that is not there yet is asked for again after this long.
const RETRY: Duration = Duration::from_secs(10);
const REMEDY: &str = "check the key; make a new one in Placetel's settings under API if need be";

/// Settings of a Placetel account.
#[derive(Debug)]
pub struct PlacetelSettings {
    /// Where the API is; another one than [`API`] only for trials.
    pub api: String,
    /// The API key.
    pub key: SecretString,
    /// Voicemails of these numbers (E.164) only; none takes all.
    pub numbers: Vec<String>,
    /// The firm's time zone, which decides what day it is.
    pub zone: Tz,
    /// How often to look.
    pub poll: Duration,
    /// How far back to look at the first start.
    pub first_look: TimeDelta,
    /// The mailbox ends a recording after so many seconds.
    pub longest_s: Option<u32>,
    /// Larger recordings are refused, in bytes.
    pub max_bytes: u64,
    /// How long requests may take.
    pub limits: Limits,
}

/// The voicemails of a Placetel account.
pub struct PlacetelSource {
    name: String,
    settings: PlacetelSettings,
    peer: Peer,
    files: Files,
    since: Since,
    clock: Arc<dyn Clock>,
    attempts: Attempts,
    /// What was listed last, by id.
    calls: HashMap<String, Call>,
}

/// One voicemail.
#[derive(Debug, Clone)]
struct Call {
    id: String,
    from: String,
    to: String,
    to_name: String,
    received: Option<DateTime<Utc>>,
    /// Where the recording is; `None` as long as there is none.
    file: Option<String>,
}

impl PlacetelSource {
    /// An account; nothing is asked before the first `list`.
    ///
    /// # Errors
    /// Where the API's address cannot be used.
    pub fn open(
        name: String,
        settings: PlacetelSettings,
        memory: Memory,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let peer = Peer::open("Placetel", &settings.api, REMEDY, settings.limits)?;
        let files = Files::of(&peer, settings.max_bytes)?;
        let since = Since::new(memory, Reach { first_look: settings.first_look, overlap: OVERLAP, longest: LONGEST });
        let attempts = Attempts::new(settings.limits.give_up);
        Ok(Self { name, settings, peer, files, since, clock, attempts, calls: HashMap::new() })
    }

    /// From the window's first day, at least from yesterday, to today.
    fn days(&self, window: Window, now: DateTime<Utc>) -> Vec<NaiveDate> {
        let day = |at: DateTime<Utc>| at.with_timezone(&self.settings.zone).date_naive();
        let today = day(now);
        let yesterday = today.checked_sub_days(Days::new(1)).unwrap_or(today);
        day(window.from).min(yesterday).iter_days().take_while(|day| *day <= today).collect()
    }

    async fn page(&mut self, day: NaiveDate, page: usize) -> Result<Vec<Value>, SourceError> {
        let mut url = self.peer.url(["calls"]);
        url.query_pairs_mut()
            .append_pair("filter[date]", &day.to_string())
            .append_pair("filter[type]", "voicemail")
            .append_pair("per_page", &PAGE.to_string())
            .append_pair("page", &page.to_string());
        let request = self.peer.get(url).bearer_auth(self.settings.key.expose_secret());
        match self.peer.json(request).await? {
            Value::Array(calls) => Ok(calls),
            _ => Err(self.peer.unreachable("its answer is no list of calls")),
        }
    }

    /// All voicemails of a day, and whether that is all.
    async fn day(&mut self, day: NaiveDate) -> Result<(Vec<Value>, bool), SourceError> {
        let (mut all, mut before) = (Vec::new(), Vec::new());
        for page in 1..=PAGES {
            let calls = self.page(day, page).await?;
            // fewer than were asked for may be all that a page may hold; the same again is a page that is no page
            if calls == before {
                return Ok((all, true));
            }
            all.extend(calls.iter().cloned());
            if calls.len() < LEAST.max(before.len()) {
                return Ok((all, true));
            }
            before = calls;
        }
        Ok((all, false))
    }

    fn note(&mut self, items: &[Value], window: Window) -> Listing {
        let mut listing = Listing::default();
        self.calls.clear();
        for item in items {
            let kind = text(item, "type").unwrap_or_else(|| "voicemail".into());
            let file = text(item, "file_url");
            // without a file and without a second of speech there is no message: the caller hung up
            if kind != "voicemail" || file.is_none() && !has_spoken(item) {
                continue;
            }
            let Some(call) = self.read(item, file) else {
                let what = "Placetel lists a voicemail without an id; remedy: look into the calls there".to_owned();
                listing.troubles.push(Trouble { key: "no-id".into(), what, loses_calls: true });
                continue;
            };
            let old = call.received.is_some_and(|received| received < window.since);
            if !old && self.is_wanted(&call) && !self.calls.contains_key(&call.id) {
                listing.found.push(Found { key: call.id.clone(), place: String::new() });
                self.calls.insert(call.id.clone(), call);
            }
        }
        listing.troubles.dedup();
        let calls = &self.calls;
        self.attempts.retain(|key| calls.contains_key(key));
        listing
    }

    fn is_wanted(&self, call: &Call) -> bool {
        // a target that is no number may be the emergency line: it is taken
        let target = phone::e164(&call.to);
        self.settings.numbers.is_empty() || target.is_none_or(|number| self.settings.numbers.contains(&number))
    }

    /// The call behind an item; `None` where it has no id.
    fn read(&self, item: &Value, file: Option<String>) -> Option<Call> {
        let to = item.get("to_number");
        let part = |key| to.and_then(|to| text(to, key)).unwrap_or_default();
        let number = text(item, "to_number").unwrap_or_else(|| part("number"));
        let received = text(item, "received_at").and_then(|time| self.instant(&time));
        let from = text(item, "from_number").unwrap_or_default();
        Some(Call { id: text(item, "id")?, from, to: number, to_name: part("name"), received, file })
    }

    /// An instant with its zone; without one it is taken as the firm's local time.
    fn instant(&self, text: &str) -> Option<DateTime<Utc>> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Some(time.with_timezone(&Utc));
        }
        let local = NaiveDateTime::parse_from_str(&text.replace('T', " "), "%Y-%m-%d %H:%M:%S%.f").ok()?;
        Some(local.and_local_timezone(self.settings.zone).earliest()?.with_timezone(&Utc))
    }

    async fn fetch(&self, call: &Call) -> Result<Vec<u8>, NotFetched> {
        let file = call.file.as_deref().ok_or(NotFetched::Later("it has no address yet".into()))?;
        let url = self.peer.join(file).ok_or(NotFetched::Later("its address is none".into()))?;
        self.files.fetch(url, |_| false, None).await
    }
}

/// Whether the call lasted: then there should be a recording.
fn has_spoken(item: &Value) -> bool {
    text(item, "duration").and_then(|seconds| seconds.parse::<f64>().ok()).is_some_and(|seconds| seconds > 0.0)
}

#[async_trait]
impl Source for PlacetelSource {
    fn name(&self) -> &str {
        &self.name
    }

    async fn list(&mut self) -> Result<Listing, SourceError> {
        let now = self.clock.now();
        let window = self.since.window(now).await?;
        let (mut items, mut too_many) = (Vec::new(), None);
        for day in self.days(window, now) {
            let (calls, whole) = self.day(day).await?;
            items.extend(calls);
            too_many = too_many.or((!whole).then_some(day));
        }
        let mut listing = self.note(&items, window);
        match too_many {
            None => self.since.looked(now).await,
            Some(day) => {
                let what = format!("Placetel lists more than {} voicemails on {day}; remedy: look there", PAGE * PAGES);
                listing.troubles.push(Trouble { key: "too-many".into(), what, loses_calls: true });
            }
        }
        Ok(listing)
    }

    async fn take(&mut self, found: &Found) -> Result<Arrival, SourceError> {
        let gone = || SourceError::Gone(format!("call {} is not listed by Placetel any more", found.key));
        let call = self.calls.get(&found.key).cloned().ok_or_else(gone)?;
        let fetched = self.fetch(&call).await;
        let place = PathBuf::from(format!("{}/calls/{}", self.peer.host(), call.id));
        let remedy = "listen to it in Placetel's web page";
        let sound = self.attempts.sound(&found.key, fetched, format!("{}.mp3", call.id), place, remedy)?;
        Ok(Arrival {
            source: self.name.clone(),
            key: found.key.clone(),
            mailbox: [call.to, call.to_name].into_iter().find(|text| !text.is_empty()),
            caller: shown::caller(&call.from, ""),
            called_at: call.received,
            content: Content::Voicemail(sound),
            twin: None,
            longest_s: self.settings.longest_s,
        })
    }

    async fn confirm(&mut self, _: &Found) -> Result<(), SourceError> {
        Ok(())
    }

    async fn changed(&mut self) {
        tokio::time::sleep(self.settings.poll).await;
    }

    async fn examine(&mut self) -> Vec<Said> {
        let today = self.clock.now().with_timezone(&self.settings.zone).date_naive();
        vec![match self.page(today, 1).await {
            Ok(calls) => Ok(format!("{}: {} voicemails today", self.peer.host(), calls.len())),
            Err(error) => Err(error.to_string()),
        }]
    }

    fn longest_pause(&self) -> Duration {
        Duration::from_mins(5)
    }

    fn retry_after(&self) -> Duration {
        self.peer.quiet_for().unwrap_or_default().max(RETRY)
    }
}

//! sipgate: the voicemails in an account's history, by its REST API v2.
//!
//! Promises: asks for nothing but voicemails; the token goes to the API's host and to `*.sipgate.com` over https and
//! nowhere else; an entry whose recording is not there yet is asked for again, and after ten minutes a human is woken
//! without it. Identity (`Found::key`) is the entry's own id.
//!
//! What can go wrong: a token without the scope `history:read` (`Refused`), an entry that cannot be read (`Trouble`), a
//! recording that is refused or gone (`Sound::Refused`). Where `created` lies in the call is not known for sure.

use crate::domain::phone;
use crate::domain::report::{Arrival, Content};
use crate::intake::files::{Attempts, Files, Login, NotFetched};
use crate::intake::http::{Limits, Peer, text};
use crate::intake::memory::Memory;
use crate::intake::shown;
use crate::intake::since::{Reach, Since, Window};
use crate::intake::source::{Found, Listing, Said, Source, SourceError, Trouble};
use crate::runtime::clock::Clock;
use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use reqwest::{RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where sipgate's API is.
pub const API: &str = "https://api.sipgate.com/v2";
/// Entries a page.
const PAGE: usize = 100;
/// So many pages are read in one look.
const PAGES: usize = 50;
/// An entry may come late, or keep us busy: the history is asked for from this long before the last good look.
const OVERLAP: TimeDelta = TimeDelta::days(3);
/// sipgate keeps its history for 30 days.
const KEPT: TimeDelta = TimeDelta::days(30);
/// A recording that is not there yet is asked for again after this long.
const RETRY: Duration = Duration::from_secs(10);
const REMEDY: &str =
    "check token_id and token; the token needs the scope history:read (for mark_read history:write, too)";

/// Settings of a sipgate account.
#[derive(Debug)]
pub struct SipgateSettings {
    /// Where the API is; another one than [`API`] only for trials.
    pub api: String,
    /// The id of the personal access token.
    pub token_id: String,
    /// The token.
    pub token: SecretString,
    /// Voicemails of these numbers (E.164) only; none takes all.
    pub numbers: Vec<String>,
    /// How often to look.
    pub poll: Duration,
    /// Mark a stored entry as read.
    pub mark_read: bool,
    /// How far back to look at the first start.
    pub first_look: TimeDelta,
    /// The mailbox ends a recording after so many seconds.
    pub longest_s: Option<u32>,
    /// Larger recordings are refused, in bytes.
    pub max_bytes: u64,
    /// How long requests may take.
    pub limits: Limits,
}

/// The voicemails of a sipgate account.
pub struct SipgateSource {
    name: String,
    settings: SipgateSettings,
    peer: Peer,
    files: Files,
    since: Since,
    clock: Arc<dyn Clock>,
    attempts: Attempts,
    /// What was listed last, by id.
    entries: HashMap<String, Entry>,
    /// Why entries cannot be marked as read.
    not_marked: Option<String>,
}

/// One voicemail of the history.
#[derive(Debug, Clone)]
struct Entry {
    id: String,
    source: String,
    source_alias: String,
    target: String,
    created: Option<DateTime<Utc>>,
    recording: Option<String>,
    read: bool,
}

/// One page of the history.
struct Page {
    items: Vec<Value>,
    total: usize,
}

impl SipgateSource {
    /// An account; nothing is asked before the first `list`.
    ///
    /// # Errors
    /// Where the API's address cannot be used.
    pub fn open(
        name: String,
        settings: SipgateSettings,
        memory: Memory,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let peer = Peer::open("sipgate", &settings.api, REMEDY, settings.limits)?;
        let files = Files::of(&peer, settings.max_bytes)?;
        let since = Since::new(memory, Reach { first_look: settings.first_look, overlap: OVERLAP, longest: KEPT });
        let attempts = Attempts::new(settings.limits.give_up);
        Ok(Self { name, settings, peer, files, since, clock, attempts, entries: HashMap::new(), not_marked: None })
    }

    /// Adds the token to a request to the API itself.
    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(&self.settings.token_id, Some(self.settings.token.expose_secret()))
    }

    async fn page(&mut self, window: Window, offset: usize) -> Result<Page, SourceError> {
        let mut url = self.peer.url(["history"]);
        url.query_pairs_mut()
            .append_pair("types", "VOICEMAIL")
            .append_pair("directions", "INCOMING")
            .append_pair("directions", "MISSED_INCOMING")
            .append_pair("archived", "false")
            .append_pair("from", &window.from.to_rfc3339_opts(SecondsFormat::Secs, true))
            .append_pair("limit", &PAGE.to_string())
            .append_pair("offset", &offset.to_string());
        let request = self.signed(self.peer.get(url));
        let mut answer = self.peer.json(request).await?;
        let Some(Value::Array(items)) = answer.get_mut("items").map(Value::take) else {
            return Err(self.peer.unreachable("its answer holds no list `items`"));
        };
        let total = answer.get("totalCount").and_then(Value::as_u64).and_then(|total| usize::try_from(total).ok());
        Ok(Page { total: total.unwrap_or(0), items })
    }

    /// Everything in the window, and whether that is all.
    async fn history(&mut self, window: Window) -> Result<(Vec<Value>, bool), SourceError> {
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let page = self.page(window, all.len()).await?;
            let (last, short) = (page.items.is_empty(), page.items.len() < PAGE);
            all.extend(page.items);
            // a missing total must not end the reading at a full page
            if last || all.len() >= page.total && short {
                return Ok((all, true));
            }
        }
        Ok((all, false))
    }

    fn is_wanted(&self, entry: &Entry) -> bool {
        // a target that is no number may be the emergency line: it is taken
        let target = phone::e164(&entry.target);
        self.settings.numbers.is_empty() || target.is_none_or(|number| self.settings.numbers.contains(&number))
    }

    fn note(&mut self, items: &[Value], window: Window) -> Listing {
        let mut listing = Listing::default();
        self.entries.clear();
        for item in items {
            let kind = text(item, "type").unwrap_or_else(|| "VOICEMAIL".into());
            let Some(entry) = Entry::read(item) else {
                let what = "sipgate lists an entry without an id; remedy: look into the voicemails there".to_owned();
                listing.troubles.push(Trouble { key: "no-id".into(), what, loses_calls: true });
                continue;
            };
            let old = entry.created.is_some_and(|created| created < window.since);
            if kind == "VOICEMAIL" && !old && self.is_wanted(&entry) && !self.entries.contains_key(&entry.id) {
                listing.found.push(Found { key: entry.id.clone(), place: String::new() });
                self.entries.insert(entry.id.clone(), entry);
            }
        }
        listing.troubles.dedup();
        let entries = &self.entries;
        self.attempts.retain(|key| entries.contains_key(key));
        listing
    }

    async fn fetch(&self, entry: &Entry) -> Result<Vec<u8>, NotFetched> {
        let address = entry.recording.as_deref().ok_or(NotFetched::Later("it has no address yet".into()))?;
        let url = self.peer.join(address).ok_or(NotFetched::Later("its address is none".into()))?;
        let login = Login { user: &self.settings.token_id, password: &self.settings.token };
        self.files.fetch(url, |url| self.peer.is_own(url) || is_sipgate(url), Some(&login)).await
    }
}

#[async_trait]
impl Source for SipgateSource {
    fn name(&self) -> &str {
        &self.name
    }

    async fn list(&mut self) -> Result<Listing, SourceError> {
        let now = self.clock.now();
        let window = self.since.window(now).await?;
        let (items, whole) = self.history(window).await?;
        let mut listing = self.note(&items, window);
        if whole {
            self.since.looked(now).await;
        } else {
            let what = format!("sipgate lists more than {} voicemails; remedy: archive old ones there", PAGE * PAGES);
            listing.troubles.push(Trouble { key: "too-many".into(), what, loses_calls: true });
        }
        let not_marked = self.not_marked.clone();
        listing.troubles.extend(not_marked.map(|what| Trouble { key: "mark-read".into(), what, loses_calls: false }));
        Ok(listing)
    }

    async fn take(&mut self, found: &Found) -> Result<Arrival, SourceError> {
        let gone = || SourceError::Gone(format!("entry {} is not in sipgate's history any more", found.key));
        let entry = self.entries.get(&found.key).cloned().ok_or_else(gone)?;
        let fetched = self.fetch(&entry).await;
        let place = PathBuf::from(format!("{}/history/{}", self.peer.host(), entry.id));
        let remedy = "listen to it in sipgate's app, and see whether the token may fetch recordings";
        // the name is no more than a hint; the decoder looks at the content
        let sound = self.attempts.sound(&found.key, fetched, format!("{}.mp3", entry.id), place, remedy)?;
        Ok(Arrival {
            source: self.name.clone(),
            key: found.key.clone(),
            mailbox: Some(entry.target.clone()).filter(|target| !target.is_empty()),
            caller: shown::caller(&entry.source, &entry.source_alias),
            called_at: entry.created,
            content: Content::Voicemail(sound),
            twin: None,
            longest_s: self.settings.longest_s,
        })
    }

    async fn confirm(&mut self, found: &Found) -> Result<(), SourceError> {
        if !self.settings.mark_read || self.entries.get(&found.key).is_some_and(|entry| entry.read) {
            return Ok(());
        }
        let request = self.signed(self.peer.put(self.peer.url(["history", &found.key]))).json(&json!({ "read": true }));
        match self.peer.ask(request).await {
            Ok(_) | Err(SourceError::Gone(_)) => {
                self.not_marked = None;
                Ok(())
            }
            Err(error) => {
                let refused = matches!(error, SourceError::Refused(_));
                self.not_marked = refused.then(|| format!("stored voicemails cannot be marked as read: {error}"));
                Err(error)
            }
        }
    }

    async fn changed(&mut self) {
        tokio::time::sleep(self.settings.poll).await;
    }

    async fn examine(&mut self) -> Vec<Said> {
        let asked = match self.since.peek(self.clock.now()).await {
            Ok(window) => self.page(window, 0).await.map(|page| (page.total.max(page.items.len()), window.from)),
            Err(error) => Err(error),
        };
        vec![match asked {
            Ok((count, from)) => Ok(format!("{}: {count} voicemails since {}", self.peer.host(), from.date_naive())),
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

impl Entry {
    /// The entry behind an item; `None` where it has no id.
    fn read(item: &Value) -> Option<Self> {
        let known = |key| text(item, key).unwrap_or_default();
        let created = text(item, "created").and_then(|time| DateTime::parse_from_rfc3339(&time).ok());
        Some(Self {
            id: text(item, "id")?,
            source: known("source"),
            source_alias: known("sourceAlias"),
            target: known("target"),
            created: created.map(|time| time.with_timezone(&Utc)),
            recording: text(item, "recordingUrl"),
            read: item.get("read").and_then(Value::as_bool).unwrap_or(false),
        })
    }
}

/// Whether an address is sipgate's own and may see the token.
fn is_sipgate(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    url.scheme() == "https" && url.port().is_none() && (host == "sipgate.com" || host.ends_with(".sipgate.com"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_for_sipgate_only() {
        let is = |url: &str| is_sipgate(&Url::parse(url).unwrap());
        for good in ["https://api.sipgate.com/v2/x", "https://secure.live.sipgate.com/r.mp3", "https://sipgate.com/"] {
            assert!(is(good), "{good}");
        }
        for bad in [
            "http://api.sipgate.com/v2/x",
            "https://sipgate.com.evil.example/x",
            "https://evilsipgate.com/x",
            "https://api.sipgate.com@evil.example/x",
            "https://api.sipgate.com:8443/x",
            "https://evil.example/api.sipgate.com",
        ] {
            assert!(!is(bad), "{bad}");
        }
    }
}

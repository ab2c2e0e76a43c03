//! More ways to a human than Telegram: mails and webhooks, by their names in the settings.
//!
//! Promise: one try, one honest result. Nothing is repeated here; who tells decides what an unknown result means. What a
//! channel may see is decided here: where its view is minimal, nothing of the caller reaches it, whatever the message holds.

use super::notifier::NotifyError;
use super::smtp::{Mail, MailError, Mailer};
use crate::config::template::{Template, Values, Writing};
use crate::config::{ChannelRow, Settings, Verb, View, WebhookChannel};
use crate::domain::assessment::Verdict;
use crate::domain::case::CaseId;
use crate::runtime::outgoing::{Ask, Limits, Method, Outgoing, OutgoingError, Proof};
use std::collections::BTreeMap;
use std::time::Duration;

/// Longest title, in characters: a longer one is refused by services that push.
const TITLE_MAX: usize = 200;
/// The largest answer in which `ok_text` is looked for.
const ANSWER_MAX: usize = 64 * 1024;
/// The pause after a 429 that does not name one.
const PAUSE_UNTOLD: Duration = Duration::from_secs(30);

/// What is told.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// One line, without anything of the caller.
    pub title: String,
    /// The whole text, for a channel that may see everything.
    pub text: String,
    /// The text without anything of the caller.
    pub minimal: String,
    /// About which case.
    pub case: Option<CaseId>,
    /// Its verdict.
    pub verdict: Option<Verdict>,
    /// Who called: company or person. Not told where the view is minimal.
    pub name: Option<String>,
    /// The number to call back. Not told where the view is minimal.
    pub number: Option<String>,
    /// Whether it must wake somebody.
    pub urgent: bool,
}

/// All channels of the settings.
pub struct Channels(BTreeMap<String, Channel>);

struct Channel {
    view: View,
    way: Way,
}

enum Way {
    Mail { mailer: Box<Mailer>, to: String },
    Webhook(Box<Webhook>),
}

struct Webhook {
    outgoing: Outgoing,
    method: Method,
    url: Template,
    headers: Vec<(String, Template)>,
    body: Template,
    writing: Writing,
    row: WebhookChannel,
}

impl Channels {
    /// The channels of the settings; nothing is reached for yet.
    ///
    /// # Errors
    /// Where a secret cannot be read or a value cannot be used; the text names the key.
    pub fn from(settings: &Settings) -> Result<Self, String> {
        let mut channels = BTreeMap::new();
        let mailer = settings.smtp.as_ref().map(Mailer::new).transpose()?;
        for row in &settings.channels {
            let way = match row {
                ChannelRow::Mail(row) => {
                    let mailer = mailer.clone().ok_or("channels.kind: a mail needs a mail server; add [smtp]")?;
                    Way::Mail { mailer: Box::new(mailer), to: row.to.clone() }
                }
                ChannelRow::Webhook(row) => Way::Webhook(Box::new(Webhook::of(row)?)),
            };
            let view = row.view().unwrap_or(settings.telegram.view);
            channels.insert(row.name().to_owned(), Channel { view, way });
        }
        Ok(Self(channels))
    }

    /// Their names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// What a channel may see; `None` where there is none of this name.
    #[must_use]
    pub fn view(&self, channel: &str) -> Option<View> {
        self.0.get(channel).map(|channel| channel.view)
    }

    /// Tells it, once.
    ///
    /// # Errors
    /// `Again` where it was provably not taken, `Wait` where that and a pause was asked for, `Unknown` where it may have been
    /// taken, `Refused` where the same request would be refused again. No text holds an address, a secret or a value.
    pub async fn tell(&self, channel: &str, message: &Message) -> Result<(), NotifyError> {
        let Some(channel) = self.0.get(channel) else {
            return Err(NotifyError::Refused("there is no such channel in the settings".into()));
        };
        match &channel.way {
            Way::Mail { mailer, to } => {
                let urgent = [("X-Priority", "1"), ("Importance", "high"), ("Auto-Submitted", "auto-generated")];
                let headers = if message.urgent { &urgent[..] } else { &urgent[2..] };
                let text = message.seen_by(channel.view);
                let mail = Mail { to, subject: &message.title, text, headers, bounces: true };
                mailer.send(&mail).await.map_err(|error| match error {
                    MailError::NotDelivered(why) => NotifyError::Again(why),
                    MailError::Unknown(why) => NotifyError::Unknown(why),
                    MailError::Refused(why) => NotifyError::Refused(why),
                })
            }
            Way::Webhook(webhook) => webhook.tell(&message.values(channel.view, webhook.row.text_max)).await,
        }
    }

    /// Whether the way is there, without telling anybody: the mail server lets us in; the webhook's host answers.
    ///
    /// # Errors
    /// What is wrong instead.
    pub async fn probe(&self, channel: &str) -> Result<(), String> {
        match self.0.get(channel).map(|channel| &channel.way) {
            None => Err("there is no such channel in the settings".into()),
            Some(Way::Mail { mailer, .. }) => mailer.probe().await,
            Some(Way::Webhook(webhook)) => webhook.probe().await,
        }
    }
}

impl Message {
    fn seen_by(&self, view: View) -> &str {
        match view {
            View::Full => &self.text,
            View::Minimal => &self.minimal,
        }
    }

    /// In the order of `config::template::PLACES`.
    fn values(&self, view: View, text_max: usize) -> Values {
        let full = |value: &Option<String>| value.clone().filter(|_| view == View::Full).unwrap_or_default();
        [
            cut(&self.title, TITLE_MAX),
            cut(self.seen_by(view), text_max),
            self.case.map(|case| case.to_string()).unwrap_or_default(),
            self.verdict.map(|verdict| verdict.as_str().to_owned()).unwrap_or_default(),
            full(&self.name),
            full(&self.number),
            self.urgent.to_string(),
        ]
    }
}

fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(max - 1).chain(['…']).collect(),
    }
}

impl Webhook {
    fn of(row: &WebhookChannel) -> Result<Self, String> {
        let total = Duration::from_secs(row.timeout_s);
        let answer = if row.ok_text.is_some() { ANSWER_MAX } else { 0 };
        let outgoing = Outgoing::new(Limits { connect: total / 2, total, answer, redirects: 0 })?;
        let method = match row.method {
            Verb::Get => Method::GET,
            Verb::Post => Method::POST,
            Verb::Put => Method::PUT,
        };
        let (url, headers, body) = (row.address()?, row.header_templates()?, row.body_template()?);
        Ok(Self { outgoing, method, url, headers, body, writing: row.writing(), row: row.clone() })
    }

    async fn tell(&self, values: &Values) -> Result<(), NotifyError> {
        let filled = |(name, value): &(String, Template)| (name.clone(), value.fill(values, Writing::Header));
        let mut headers: Vec<(String, String)> = self.headers.iter().map(filled).collect();
        if self.method != Method::GET {
            headers.push(("content-type".into(), self.row.content_type.clone()));
        }
        let body = self.body.fill(values, self.writing);
        let ask = Ask {
            headers,
            // a key may stand in the body, and a peer may repeat what it was sent
            private: values.iter().chain([&body]).cloned().collect(),
            body: body.into_bytes(),
            good: self.row.ok_status.clone(),
            ..Ask::new(self.method.clone(), self.url.fill(values, Writing::Form))
        };
        let answer = self.outgoing.send(ask).await.map_err(|error| meaning(&error))?;
        match &self.row.ok_text {
            Some(wanted) if !String::from_utf8_lossy(&answer.body).contains(wanted.as_str()) => {
                Err(NotifyError::Refused(format!("answered with status {} but without ok_text", answer.status)))
            }
            _ => Ok(()),
        }
    }

    async fn probe(&self) -> Result<(), String> {
        let nothing = Values::default();
        self.outgoing.probe(&self.url.fill(&nothing, Writing::Form)).await.map_err(|error| error.to_string())
    }
}

fn meaning(error: &OutgoingError) -> NotifyError {
    let told = error.to_string();
    match (error.proof(), error) {
        (_, OutgoingError::Status { status: 429 | 503, retry_after: Some(pause), .. }) => NotifyError::Wait(*pause),
        (_, OutgoingError::Status { status: 429, .. }) => NotifyError::Wait(PAUSE_UNTOLD),
        (Proof::NotDelivered, _) => NotifyError::Again(told),
        (Proof::Unknown, _) => NotifyError::Unknown(told),
        (Proof::Refused, _) => NotifyError::Refused(told),
    }
}

//! The answering machines themselves: which there are, whether they record, how much room is left; and their lists.

use super::home::Door;
use super::menu;
use super::soap::Service;
use super::tam::{self, Entry, value};
use super::wire::Wire;
use crate::intake::source::{SourceError, Trouble};
use roxmltree::Document;

/// A list larger than this is none.
const LIST_MAX: u64 = 8 * 1024 * 1024;
/// Fewer minutes left are told of.
const FEW_MINUTES: u32 = 5;

/// One slot for an answering machine.
pub(super) struct Slot {
    pub(super) index: u8,
    pub(super) on: bool,
    pub(super) name: String,
}

/// How one answering machine is.
pub(super) struct Info {
    pub(super) on: Option<bool>,
    /// Minutes that can still be recorded.
    pub(super) left_min: Option<u32>,
    /// It plays its words and records nothing.
    pub(super) only_plays: bool,
}

/// The messages of one answering machine.
pub(super) struct Messages {
    pub(super) entries: Vec<Entry>,
    /// The session with which their sound can be read.
    pub(super) sid: Option<String>,
}

impl Info {
    /// What of it should be mended.
    pub(super) fn troubles(&self, tam: u8, shown: &str) -> Vec<Trouble> {
        let machines = menu::MACHINES;
        let trouble = |kind: &str, what: String, loses_calls| Trouble {
            key: format!("tam{tam}:{kind}"),
            what: format!("answering machine {tam} of the FRITZ!Box at {shown} {what}"),
            loses_calls,
        };
        let mut troubles = Vec::new();
        if self.on == Some(false) {
            let what =
                format!("is switched off: callers cannot leave a message; remedy: switch it on under {machines}");
            troubles.push(trouble("off", what, true));
        } else if self.only_plays {
            let what = format!("plays its words and records nothing; remedy: let it record under {machines}");
            troubles.push(trouble("plays", what, true));
        }
        let remedy = format!("delete old messages under {machines}, or give it a USB stick");
        match self.left_min {
            Some(0) => troubles.push(trouble("full", format!("is full; remedy: {remedy}"), true)),
            Some(left) if left < FEW_MINUTES => {
                troubles.push(trouble("room", format!("has only {left} minutes left; remedy: {remedy}"), false));
            }
            _ => {}
        }
        troubles
    }
}

impl Wire {
    /// Every answering machine that there is.
    pub(super) async fn slots(&mut self) -> Result<Vec<Slot>, SourceError> {
        let reply = self.act(Service::Tam, "GetList", &[]).await?;
        let list = reply.value("NewTAMList");
        let Ok(document) = Document::parse(list.trim()) else {
            let shown = self.home.shown(Door::Tr064);
            return Err(SourceError::Unreachable(format!(
                "the list of answering machines of the FRITZ!Box at {shown} is no XML"
            )));
        };
        let items = document.descendants().filter(|node| node.tag_name().name().eq_ignore_ascii_case("Item"));
        let slot = |item| {
            let index = value(item, "Index").parse().ok()?;
            Some(Slot { index, on: value(item, "Enable") == "1", name: value(item, "Name").to_owned() })
        };
        Ok(items.filter_map(slot).collect())
    }

    /// How an answering machine is.
    pub(super) async fn info(&mut self, tam: u8) -> Result<Info, SourceError> {
        let reply = self.act(Service::Tam, "GetInfo", &[("NewIndex", tam.into())]).await?;
        let on = match reply.value("NewEnable").as_str() {
            "1" => Some(true),
            "0" => Some(false),
            _ => None,
        };
        let only_plays = reply.value("NewMode").eq_ignore_ascii_case("play_announcement");
        Ok(Info { on, left_min: reply.value("NewCapacity").parse().ok(), only_plays })
    }

    /// The messages of an answering machine, read anew.
    pub(super) async fn messages(&mut self, tam: u8) -> Result<Messages, SourceError> {
        let reply = self.act(Service::Tam, "GetMessageList", &[("NewIndex", tam.into())]).await?;
        let shown = self.home.shown(Door::Tr064);
        let (door, url) = self.home.own(&reply.value("NewURL"), reply.peer).map_err(|why| {
            SourceError::Refused(format!(
                "the address that the FRITZ!Box at {shown} gave for its list of messages {why}; nothing was sent there; \
                 remedy: find out who answers at {shown}"
            ))
        })?;
        let sid = url.query_pairs().find(|(key, _)| key == "sid").and_then(|(_, sid)| session(&sid));
        let request = self.client(door).get(url);
        let answer = self.fetch(door, request, self.limits.answer, LIST_MAX).await;
        let answer = answer.map_err(|lost| self.failed(door, lost))?;
        let unreadable = |why: String| {
            let shown = self.home.shown(door);
            SourceError::Unreachable(format!("the list of messages of the FRITZ!Box at {shown} is not readable: {why}"))
        };
        if answer.status != 200 {
            return Err(unreadable(format!("HTTP {}", answer.status)));
        }
        let entries = tam::parse(tam, &String::from_utf8_lossy(&answer.body)).map_err(unreadable)?;
        Ok(Messages { entries, sid })
    }

    /// Says of the message at this place that it was heard, by the box's word for it.
    pub(super) async fn mark(&mut self, tam: u8, index: u32, word: u32) -> Result<(), SourceError> {
        let arguments = [("NewIndex", tam.into()), ("NewMessageIndex", index), ("NewMarkedAsRead", word)];
        self.act(Service::Tam, "MarkMessage", &arguments).await.map(drop)
    }

    /// A session id made now.
    pub(super) async fn fresh_sid(&mut self) -> Result<Option<String>, SourceError> {
        let reply = self.act(Service::Device, "X_AVM-DE_CreateUrlSID", &[]).await?;
        let written = reply.value("NewX_AVM-DE_UrlSID");
        Ok(session(written.strip_prefix("sid=").unwrap_or(&written)))
    }
}

/// A session id, if it is one: the box's sign for none is zeros.
pub(super) fn session(written: &str) -> Option<String> {
    let is_one = (1..=64).contains(&written.len())
        && written.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && written.bytes().any(|byte| byte != b'0');
    is_one.then(|| written.to_owned())
}

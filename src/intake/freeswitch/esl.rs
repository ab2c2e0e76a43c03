//! FreeSWITCH's event socket: one session that logs in, asks, and is told when a message was left.
//!
//! Promises: every step has a time limit; an event that comes while an answer is awaited is not lost and not taken for
//! the answer; waiting for events may be dropped at any time. A session that failed once is not used again.
//!
//! The protocol is not encrypted: across a network it belongs into a tunnel.

use super::frame::{Frame, Frames};
use super::messages::Command;
use crate::intake::source::SourceError;
use secrecy::{ExposeSecret, SecretString};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The event by which `mod_voicemail` tells of a message.
const MAINTENANCE: &str = "vm::maintenance";

/// How to reach the event socket.
#[derive(Debug)]
pub struct EslSettings {
    /// Host and port, usually `127.0.0.1:8021`.
    pub address: String,
    /// The password in `event_socket.conf.xml`.
    pub password: SecretString,
    /// For each step: connecting, logging in, one question.
    pub timeout: Duration,
}

/// A session that is logged in.
pub(super) struct Session {
    stream: TcpStream,
    frames: Frames,
    /// A message was left while something else was awaited.
    hinted: bool,
}

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("what it says cannot be understood: {0}")]
    Frame(#[from] super::frame::FrameError),
    #[error("it ended the session")]
    Ended,
    #[error("no answer in time")]
    Silent,
    #[error("it refuses this machine's address; remedy: allow it by apply-inbound-acl in event_socket.conf.xml")]
    Rejected,
    #[error("it refuses the password; remedy: compare it with event_socket.conf.xml")]
    Password,
    #[error("the password has a line break; remedy: write it without")]
    LineBreak,
    #[error("it does not tell of voicemail events")]
    Subscription,
}

impl Session {
    /// Connects, logs in and subscribes.
    pub(super) async fn open(settings: &EslSettings) -> Result<Self, SourceError> {
        match timeout(settings.timeout, Self::log_in(settings)).await {
            Ok(Ok(session)) => Ok(session),
            Ok(Err(lost)) => Err(told(settings, &lost)),
            Err(_) => Err(told(settings, &Lost::Silent)),
        }
    }

    async fn log_in(settings: &EslSettings) -> Result<Self, Lost> {
        let password = settings.password.expose_secret();
        if password.contains(['\r', '\n', '\0']) {
            return Err(Lost::LineBreak);
        }
        let stream = TcpStream::connect(&settings.address).await?;
        let mut session = Self { stream, frames: Frames::default(), hinted: false };
        session.answer("auth/request").await?;
        session.send(&format!("auth {password}\n\n")).await?;
        if !is_ok(&session.answer("command/reply").await?) {
            return Err(Lost::Password);
        }
        session.send(&format!("event plain CUSTOM {MAINTENANCE}\n\n")).await?;
        if !is_ok(&session.answer("command/reply").await?) {
            return Err(Lost::Subscription);
        }
        Ok(session)
    }

    /// FreeSWITCH's answer to a command.
    pub(super) async fn ask(&mut self, settings: &EslSettings, command: &Command) -> Result<Vec<u8>, SourceError> {
        let asked = async {
            self.send(&command.line()).await?;
            self.answer("api/response").await
        };
        match timeout(settings.timeout, asked).await {
            Ok(Ok(frame)) => Ok(frame.body),
            Ok(Err(lost)) => Err(told(settings, &lost)),
            Err(_) => Err(told(settings, &Lost::Silent)),
        }
    }

    /// Whether a message was left since this was asked last.
    pub(super) fn was_hinted(&mut self) -> bool {
        std::mem::take(&mut self.hinted)
    }

    /// Waits until a message is left; an error where the session is over.
    pub(super) async fn hint(&mut self) -> Result<(), String> {
        while !self.was_hinted() {
            let frame = self.frame().await.map_err(|lost| lost.to_string())?;
            self.note(&frame).map_err(|lost| lost.to_string())?;
        }
        Ok(())
    }

    async fn send(&mut self, line: &str) -> Result<(), Lost> {
        Ok(self.stream.write_all(line.as_bytes()).await?)
    }

    /// The next frame of this kind; events between are noted.
    async fn answer(&mut self, kind: &str) -> Result<Frame, Lost> {
        loop {
            let frame = self.frame().await?;
            if frame.kind().eq_ignore_ascii_case(kind) {
                return Ok(frame);
            }
            self.note(&frame)?;
        }
    }

    /// A frame that nobody asked for.
    fn note(&mut self, frame: &Frame) -> Result<(), Lost> {
        match frame.kind() {
            "text/event-plain" => {
                let ours = frame.event("Event-Subclass").is_none_or(|name| name == MAINTENANCE);
                let action = frame.event("VM-Action");
                self.hinted |= ours && matches!(action.as_deref(), Some("leave-message" | "mwi-update"));
                Ok(())
            }
            "text/disconnect-notice" => Err(Lost::Ended),
            "text/rude-rejection" => Err(Lost::Rejected),
            _ => Ok(()),
        }
    }

    /// The next frame. May be dropped: what was read stays in the buffer.
    async fn frame(&mut self) -> Result<Frame, Lost> {
        loop {
            if let Some(frame) = self.frames.next()? {
                return Ok(frame);
            }
            if self.stream.read_buf(self.frames.buffer()).await? == 0 {
                return Err(Lost::Ended);
            }
        }
    }
}

fn is_ok(reply: &Frame) -> bool {
    reply.header("Reply-Text").is_some_and(|text| text.starts_with("+OK"))
}

fn told(settings: &EslSettings, lost: &Lost) -> SourceError {
    let what = format!("FreeSWITCH's event socket at {}: {lost}", settings.address);
    match lost {
        Lost::Rejected | Lost::Password | Lost::LineBreak => SourceError::Refused(what),
        _ => SourceError::Unreachable(format!("{what}; remedy: see whether FreeSWITCH runs with mod_event_socket")),
    }
}

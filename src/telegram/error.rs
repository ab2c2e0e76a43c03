//! What can go wrong between this service and Telegram, told apart by what it proves.
//!
//! It promises: an error is only called *not delivered* when that is certain. Everything between "the request left" and
//! "an answer was read" is [`Failure::Unknown`]: Telegram has no idempotency key, so only a marked repeat is honest then.
//! It never carries the token, an address or what Telegram quotes of our text (callers' words stand there).

use std::time::Duration;

/// Longest description kept from an answer, in characters.
const DESCRIPTION_MAX: usize = 160;

/// What Telegram says in a 400 when this chat will not take messages from the bot, whatever we send (lower case).
const UNREACHABLE: [&str; 13] = [
    "chat not found",
    "user not found",
    "user is deactivated",
    "group chat was deactivated",
    "group is deactivated",
    "peer_id_invalid",
    "chat_id_invalid",
    "bot was blocked",
    "bot was kicked",
    "bot is not a member",
    "chat_write_forbidden",
    "have no rights to send",
    "not enough rights to send text",
];

/// What a caller does about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Not delivered; Telegram wants this pause first (in practice it counts per chat).
    Wait(Duration),
    /// Proven not delivered; may be tried again.
    Again,
    /// The request left, its answer is lost: it may have arrived. Repeat once at most, and say so.
    Unknown,
    /// Not delivered; the group has this new chat id.
    Moved(i64),
    /// This chat takes no messages from the bot: go on to the next person.
    Unreachable,
    /// Our fault; the same request will be refused again.
    Refused,
    /// The token is not (or no longer) valid.
    Unauthorized,
}

/// Why a request was refused, as far as somebody acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// An edit that changes nothing.
    NotModified,
    /// The message to edit or delete (or the file) is no longer there, or can no longer be changed.
    Gone,
    /// The HTML could not be read.
    Markup,
    /// A button is not as Telegram wants it.
    Buttons,
    /// The receiver does not take voice messages.
    Voice,
    /// The press is too old to be answered.
    TooOld,
    /// Anything else.
    Other,
}

/// Why Telegram did not do what was asked. No variant's text holds a token or personal data.
#[derive(Debug, thiserror::Error)]
pub enum BotError {
    /// 429 with the pause asked for.
    #[error("Telegram asks to wait {} s", .0.as_secs())]
    Wait(Duration),
    /// No connection: name not found, refused, TLS, time out before the request left.
    #[error("Telegram was not reached: {0}")]
    NotReached(String),
    /// Something answered, but not the Bot API, or the Bot API with an error of its own (HTTP status).
    #[error("Telegram is out of order: HTTP {0}")]
    OutOfOrder(u16),
    /// 409: another program reads this bot's updates (or a stolen token does), or a webhook is set.
    #[error("{}", if *.webhook { "a webhook is set for this bot" } else { "another program reads this bot's updates" })]
    Conflict {
        /// True: a webhook is set, which `webhook_clear` removes. False: a second poller.
        webhook: bool,
    },
    /// The request left and its answer was lost or unreadable.
    #[error("no readable answer from Telegram, the request may have arrived: {0}")]
    Unknown(String),
    /// The group became a supergroup with this chat id.
    #[error("the chat has moved to another id")]
    Moved(i64),
    /// 403, or a 400 that means the same.
    #[error("the chat takes no messages from this bot: {0}")]
    Unreachable(String),
    /// Any other refusal.
    #[error("Telegram refused the request ({code}): {text}")]
    Refused {
        /// HTTP status, usually 400.
        code: u16,
        /// Telegram's description without quoted parts.
        text: String,
        /// What it means.
        reason: Refusal,
    },
    /// Never sent: it breaks a rule of the Bot API that is known beforehand.
    #[error("not sent: {0}")]
    Invalid(String),
    /// 401 or 404 from the Bot API.
    #[error("the bot's token is not valid (HTTP {0})")]
    Unauthorized(u16),
}

impl BotError {
    /// What to do about it.
    #[must_use]
    pub fn kind(&self) -> Failure {
        match self {
            Self::Wait(pause) => Failure::Wait(*pause),
            Self::NotReached(_) | Self::OutOfOrder(_) | Self::Conflict { .. } => Failure::Again,
            Self::Unknown(_) => Failure::Unknown,
            Self::Moved(chat) => Failure::Moved(*chat),
            Self::Unreachable(_) => Failure::Unreachable,
            Self::Refused { .. } | Self::Invalid(_) => Failure::Refused,
            Self::Unauthorized(_) => Failure::Unauthorized,
        }
    }

    /// Why Telegram refused, if it did.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused { reason, .. } => Some(*reason),
            _ => None,
        }
    }

    /// For requests that change nothing: whether it arrived does not matter, it may simply be asked again.
    pub(super) fn when_reading(self) -> Self {
        match self {
            Self::Unknown(text) => Self::NotReached(text),
            other => other,
        }
    }
}

/// Turns the Bot API's `ok: false` into an error. `pause` and `moved` are the answer's `parameters`.
pub(super) fn refused(code: u16, description: &str, pause: Option<Duration>, moved: Option<i64>) -> BotError {
    if let Some(chat) = moved {
        return BotError::Moved(chat);
    }
    let lower = description.to_lowercase();
    match code {
        429 => BotError::Wait(pause.unwrap_or(super::api::PAUSE_UNTOLD)),
        401 | 404 => BotError::Unauthorized(code),
        409 => BotError::Conflict { webhook: lower.contains("webhook") },
        403 => BotError::Unreachable(without_quotes(description)),
        500.. => broken(code, true),
        _ if UNREACHABLE.iter().any(|words| lower.contains(words)) => {
            BotError::Unreachable(without_quotes(description))
        }
        _ => BotError::Refused { code, text: without_quotes(description), reason: reason(&lower) },
    }
}

/// A 5xx. Only one with a body, and not the gateway's time out, proves that nothing was delivered: a gateway that gave
/// up waiting cannot know what happened behind it.
pub(super) fn broken(code: u16, body: bool) -> BotError {
    if body && code != 504 { BotError::OutOfOrder(code) } else { BotError::Unknown(format!("HTTP {code}")) }
}

fn reason(lower: &str) -> Refusal {
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&["message is not modified"]) {
        Refusal::NotModified
    } else if says(&["can't parse entities", "can't parse message text"]) {
        Refusal::Markup
    } else if says(&["to edit not found", "to delete not found", "can't be edited", "message_id_invalid"]) {
        Refusal::Gone
    } else if says(&["voice_messages_forbidden", "not enough rights to send voice"]) {
        Refusal::Voice
    } else if says(&["query is too old", "query id is invalid"]) {
        Refusal::TooOld
    } else if says(&["button_", "inline keyboard", "reply_markup", "reply markup"]) {
        Refusal::Buttons
    } else {
        Refusal::Other
    }
}

/// Telegram quotes what it could not read, and that may be a caller's name or words: from the first opening quote to
/// the last closing one, nothing is kept. An apostrophe inside a word (`can't`) is not a quote.
fn without_quotes(description: &str) -> String {
    let opening =
        |(at, mark): &(usize, char)| matches!(mark, '"' | '\'') && !description[..*at].ends_with(char::is_alphanumeric);
    let short = |text: &str| text.chars().take(DESCRIPTION_MAX).collect::<String>();
    let Some((first, mark)) = description.char_indices().find(opening) else {
        return short(description);
    };
    let last = description.rfind(mark).filter(|last| *last > first);
    let rest = last.map_or("", |last| &description[last + 1..]);
    let mut kept = short(&description[..first]);
    kept.push('…');
    kept.push_str(&short(rest));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(code: u16, description: &str) -> Failure {
        refused(code, description, None, None).kind()
    }

    #[test]
    fn what_telegram_quotes_of_our_text_is_not_kept() {
        let text = "Bad Request: can't parse entities: Unsupported start tag \"müller\" at byte offset 12";
        let error = refused(400, text, None, None);
        assert_eq!(error.refusal(), Some(Refusal::Markup));
        let shown = error.to_string();
        assert!(!shown.contains("müller") && shown.contains("can't parse") && shown.contains("offset 12"), "{shown}");
        let open_end = refused(400, "Bad Request: button URL 'tel:+499721", None, None).to_string();
        assert!(!open_end.contains("9721"), "{open_end}");
    }

    #[test]
    fn chats_that_take_no_messages_are_told_from_our_own_faults() {
        for text in ["Bad Request: chat not found", "Bad Request: PEER_ID_INVALID"] {
            assert_eq!(kind(400, text), Failure::Unreachable, "{text}");
        }
        assert_eq!(kind(403, "Forbidden: bot was kicked from the supergroup chat"), Failure::Unreachable);
        assert_eq!(kind(400, "Bad Request: message text is empty"), Failure::Refused);
        assert_eq!(kind(401, "Unauthorized"), Failure::Unauthorized);
        assert_eq!(kind(404, "Not Found"), Failure::Unauthorized);
    }

    #[test]
    fn only_a_server_error_with_a_body_proves_that_nothing_was_delivered() {
        assert_eq!(broken(502, true).kind(), Failure::Again);
        assert_eq!(broken(502, false).kind(), Failure::Unknown);
        assert_eq!(broken(504, true).kind(), Failure::Unknown);
    }

    #[test]
    fn a_new_chat_id_goes_before_everything_else() {
        let moved = refused(400, "Bad Request: group chat was upgraded", None, Some(-1001));
        assert_eq!(moved.kind(), Failure::Moved(-1001));
    }
}

//! What people do in Telegram: pressing a button, writing a text, saying something.
//!
//! Read narrowly, only the fields this service looks at: teloxide's `Message` loses the text of a message that holds
//! one kind of entity it does not know, and Telegram invents new ones. One strange update must not cost the others in
//! the same answer, nor its own number: a number that is never confirmed comes back for ever.

use serde::Deserialize;
use serde_json::Value;

use super::message::MessageId;

/// One update of the Bot API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Ascending; the next `updates(offset)` is the highest seen plus one, which confirms all before it.
    pub update_id: i64,
    /// What happened.
    pub what: What,
}

/// What happened in Telegram. Names and texts are personal data: not for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Somebody pressed a button. Whether he may is the caller's question.
    Press {
        /// For `Bot::answer`; valid for some seconds only.
        callback_id: String,
        /// The button's data; empty if the press carried none.
        data: String,
        /// The chat the message stands in; the presser's own chat if Telegram left the message out.
        chat: i64,
        /// The message the button hangs on.
        message: Option<MessageId>,
        /// Telegram's number of the person.
        user_id: i64,
        /// The name the person gave himself.
        user_name: String,
    },
    /// Somebody wrote a text.
    Text {
        /// Where.
        chat: i64,
        /// Telegram's number of the person.
        user_id: i64,
        /// The name the person gave himself.
        user_name: String,
        /// What he wrote.
        text: String,
        /// The message itself.
        message: MessageId,
        /// The message it answers.
        reply_to: Option<MessageId>,
    },
    /// Somebody said something: a voice message, or a file of sound.
    Voice {
        /// Where.
        chat: i64,
        /// Telegram's number of the person.
        user_id: i64,
        /// The name the person gave himself.
        user_name: String,
        /// For `Bot::file`.
        file_id: String,
        /// Its length as the phone measured it, in seconds; 0 if it did not say.
        seconds: u32,
        /// In bytes, if Telegram says.
        size: Option<u64>,
        /// The message itself.
        message: MessageId,
        /// The message it answers.
        reply_to: Option<MessageId>,
    },
    /// A group became a supergroup: everything for `from` goes to `to` from now on.
    Moved {
        /// The id that is no longer valid.
        from: i64,
        /// The new one.
        to: i64,
    },
    /// Anything else; only to be confirmed.
    Other,
}

#[derive(Deserialize)]
struct CallbackQuery {
    id: String,
    from: User,
    message: Option<Place>,
    #[serde(default)]
    data: String,
}

#[derive(Deserialize)]
struct Written {
    message_id: i64,
    chat: Chat,
    from: Option<User>,
    text: Option<String>,
    voice: Option<Sound>,
    audio: Option<Sound>,
    reply_to_message: Option<Reply>,
    migrate_to_chat_id: Option<i64>,
}

#[derive(Deserialize)]
struct Sound {
    file_id: String,
    #[serde(default)]
    duration: u32,
    file_size: Option<u64>,
}

#[derive(Deserialize)]
struct Place {
    message_id: i64,
    chat: Chat,
}

#[derive(Deserialize)]
struct Reply {
    message_id: i64,
}

#[derive(Deserialize)]
struct Chat {
    id: i64,
}

#[derive(Deserialize)]
struct User {
    id: i64,
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
}

impl User {
    fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }
}

/// Reads one element of `getUpdates`; `None` only if it has no number to be confirmed by.
pub(super) fn read(update: &Value) -> Option<Incoming> {
    let update_id = update["update_id"].as_i64()?;
    let press = || Some(press_of(CallbackQuery::deserialize(update.get("callback_query")?).ok()?));
    let message = || message_of(Written::deserialize(update.get("message")?).ok()?);
    Some(Incoming { update_id, what: press().or_else(message).unwrap_or(What::Other) })
}

fn press_of(press: CallbackQuery) -> What {
    let place = press.message.as_ref();
    What::Press {
        chat: place.map_or(press.from.id, |message| message.chat.id),
        message: place.map(|message| MessageId(message.message_id)),
        user_id: press.from.id,
        user_name: press.from.name(),
        callback_id: press.id,
        data: press.data,
    }
}

fn message_of(message: Written) -> Option<What> {
    let chat = message.chat.id;
    if let Some(to) = message.migrate_to_chat_id {
        return Some(What::Moved { from: chat, to });
    }
    let from = message.from?;
    let (user_id, user_name) = (from.id, from.name());
    let reply_to = message.reply_to_message.map(|reply| MessageId(reply.message_id));
    let sound = message.voice.or(message.audio);
    let message_id = MessageId(message.message_id);
    match (message.text, sound) {
        (Some(text), _) => Some(What::Text { chat, user_id, user_name, text, message: message_id, reply_to }),
        (None, Some(Sound { file_id, duration: seconds, file_size: size })) => {
            Some(What::Voice { chat, user_id, user_name, file_id, seconds, size, message: message_id, reply_to })
        }
        (None, None) => None,
    }
}

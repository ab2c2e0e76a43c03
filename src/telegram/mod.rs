//! The only place that knows Telegram's Bot API. Imports nothing of the rest of the project.
//!
//! It promises: an error says whether the message may have arrived ([`BotError::kind`]); a message whose HTML or buttons
//! Telegram refuses is sent without them instead of being lost; the token is in no error, log or `Debug`; link previews
//! are off, so that no address a caller names is ever fetched; messages leave no faster than Telegram allows (`pace`).
//! Nothing is repeated by itself, and nothing waits for longer than about a second: pauses, repeats and their order are
//! the caller's, who keeps them in the store.
//!
//! What can go wrong: the answer can get lost behind the message, and there is no idempotency key. The Bot API also
//! refuses `tel:` in links and buttons; a number stands as plain text in E.164 so that a phone makes it tappable.

mod api;
mod error;
mod files;
mod incoming;
mod message;
mod pace;
mod text;

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use teloxide_core::payloads::{
    AnswerCallbackQuery, AnswerCallbackQuerySetters as _, DeleteMessage, DeleteWebhook, DeleteWebhookSetters as _,
    EditMessageCaption, EditMessageCaptionSetters as _, EditMessageReplyMarkup, EditMessageReplyMarkupSetters as _,
    EditMessageText, EditMessageTextSetters as _, GetChat, GetMe, GetUpdates, GetUpdatesSetters as _, SendMessage,
    SendMessageSetters as _, SetMyCommands, SetMyCommandsSetters as _,
};
use teloxide_core::types::{AllowedUpdate, BotCommand, BotCommandScope, CallbackQueryId, ChatId};

pub use api::Limits;
pub use error::{BotError, Failure, Refusal};
pub use files::DOWNLOAD_MAX;
pub use incoming::{Incoming, What};
pub use message::{Button, MessageId, Outgoing, SendOptions};
pub use text::{CAPTION_MAX, TEXT_MAX, escape, plain, shown_length, split};

use api::Api;
use message::{File, fits, form, keyboard, no_preview, number, reply_to, simpler_until_taken};
use pace::{Pace, Turn};

/// Longest text of the answer to a press, in UTF-16 units.
const ANSWER_MAX: usize = 200;

/// A bot, ready to send and to listen. Clones share their connections and their pace.
#[derive(Debug, Clone)]
pub struct Bot {
    api: Api,
    pace: Pace,
}

/// The bot itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Me {
    /// Telegram's number of the bot.
    pub id: i64,
    /// Without the `@`.
    pub username: String,
}

/// A chat as Telegram describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatInfo {
    /// The chat's id; groups have negative ones.
    pub id: i64,
    /// `private`, `group`, `supergroup` or `channel`.
    pub kind: String,
    /// The group's title or the person's name.
    pub title: String,
}

/// The only field of a sent message that is read: a new field of Telegram's must not make a delivered message unknown.
#[derive(Deserialize)]
struct Sent {
    message_id: i64,
}

#[derive(Deserialize)]
struct FullChat {
    id: i64,
    #[serde(rename = "type")]
    kind: String,
    title: Option<String>,
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
}

impl Bot {
    /// A bot with the usual [`Limits`]. `proxy` lets the environment's `HTTPS_PROXY` apply; loopback addresses never go
    /// through one.
    ///
    /// # Errors
    /// [`BotError::Invalid`] if the address is no URL or the token has not the shape of one. Nothing is sent yet.
    pub fn new(api_url: &str, token: SecretString, proxy: bool) -> Result<Self, BotError> {
        Self::with_limits(api_url, token, proxy, Limits::default())
    }

    /// As [`Bot::new`], with other limits.
    ///
    /// # Errors
    /// As [`Bot::new`].
    pub fn with_limits(api_url: &str, token: SecretString, proxy: bool, limits: Limits) -> Result<Self, BotError> {
        Ok(Self { api: Api::open(api_url, token, proxy, limits)?, pace: Pace::new(limits.pace) })
    }

    /// Who the token belongs to.
    ///
    /// # Errors
    /// [`Failure::Unauthorized`] for a wrong token, never [`Failure::Unknown`].
    pub async fn me(&self) -> Result<Me, BotError> {
        self.api.call(&GetMe::new()).await.map_err(BotError::when_reading)
    }

    /// What a chat is called; also the way to learn whether the bot may write there.
    ///
    /// # Errors
    /// [`Failure::Unreachable`] if the bot does not know it, never [`Failure::Unknown`].
    pub async fn chat(&self, chat: i64) -> Result<ChatInfo, BotError> {
        let found: FullChat = self.api.call(&GetChat::new(ChatId(chat))).await.map_err(BotError::when_reading)?;
        let name = || format!("{} {}", found.first_name, found.last_name).trim().to_owned();
        Ok(ChatInfo { id: found.id, title: found.title.clone().unwrap_or_else(name), kind: found.kind })
    }

    /// Removes a webhook, which keeps [`Bot::updates`] from working ([`BotError::Conflict`]). Waiting updates are kept.
    ///
    /// # Errors
    /// Any, but never [`Failure::Unknown`]: it may simply be asked again.
    pub async fn webhook_clear(&self) -> Result<(), BotError> {
        let payload = DeleteWebhook::new().drop_pending_updates(false);
        self.api.call(&payload).await.map(|_: Value| ()).map_err(BotError::when_reading)
    }

    /// Sends a text. If Telegram cannot read the HTML it goes out as plain text, if it dislikes the buttons without.
    ///
    /// # Errors
    /// [`BotError::Invalid`] if nothing would be shown, more than [`TEXT_MAX`] (cut it with [`split`]), or a button is
    /// empty or too long; [`BotError::Wait`] at once if the chat has to wait; else see [`BotError::kind`].
    pub async fn send(&self, message: &Outgoing) -> Result<MessageId, BotError> {
        self.in_turn(message.chat, self.pace.turn(message.chat), self.send_now(message)).await
    }

    /// As [`Bot::send`], for a further piece of a text that has begun: waits for the chat's turn in place, for a minute
    /// at most. Put back, it would begin again with the first piece.
    ///
    /// # Errors
    /// As [`Bot::send`].
    pub async fn send_further(&self, message: &Outgoing) -> Result<MessageId, BotError> {
        self.in_turn(message.chat, self.pace.patient_turn(message.chat), self.send_now(message)).await
    }

    async fn send_now(&self, message: &Outgoing) -> Result<MessageId, BotError> {
        fits(&message.html, 1, TEXT_MAX)?;
        let reply = reply_to(message.reply_to)?;
        let sent: Sent = simpler_until_taken(&message.html, &message.buttons, |shape| {
            let mut payload = SendMessage::new(ChatId(message.chat), shape.text)
                .link_preview_options(no_preview())
                .disable_notification(message.silent)
                .protect_content(message.protect);
            payload.parse_mode = shape.parse_mode;
            payload.reply_markup = shape.buttons.map(Into::into);
            payload.reply_parameters.clone_from(&reply);
            async move { self.api.call(&payload).await }
        })
        .await?;
        Ok(MessageId(sent.message_id))
    }

    /// Sends sound as a voice message: Ogg/Opus, anything else is shown as a file. `caption` is HTML of at most
    /// [`CAPTION_MAX`] as shown, or empty. Goes out as a document to somebody who does not take voice messages.
    ///
    /// # Errors
    /// As [`Bot::send`].
    pub async fn send_voice(
        &self,
        chat: i64,
        voice: Vec<u8>,
        caption: &str,
        options: &SendOptions,
    ) -> Result<MessageId, BotError> {
        let name = "voice.ogg";
        let file = File { chat, method: "SendVoice", field: "voice", name, media_type: "audio/ogg", bytes: &voice };
        let either = async {
            match self.send_file(&file, caption, options).await {
                Err(error) if error.refusal() == Some(Refusal::Voice) => {
                    let document = File { method: "SendDocument", field: "document", ..file };
                    self.send_file(&document, caption, options).await
                }
                result => result,
            }
        };
        self.in_turn(chat, self.pace.turn(chat), either).await
    }

    /// Sends a file under a name. `caption` as in [`Bot::send_voice`].
    ///
    /// # Errors
    /// As [`Bot::send`].
    pub async fn send_document(
        &self,
        chat: i64,
        name: &str,
        bytes: Vec<u8>,
        caption: &str,
        options: &SendOptions,
    ) -> Result<MessageId, BotError> {
        let media_type = "application/octet-stream";
        let file = File { chat, method: "SendDocument", field: "document", name, media_type, bytes: &bytes };
        self.in_turn(chat, self.pace.turn(chat), self.send_file(&file, caption, options)).await
    }

    /// Replaces a message's text and buttons; no buttons removes them. An edit that changes nothing is a success.
    ///
    /// # Errors
    /// As [`Bot::send`]; [`Refusal::Gone`] if the message is no longer there.
    pub async fn edit_text(
        &self,
        chat: i64,
        id: MessageId,
        html: &str,
        buttons: &[Vec<Button>],
    ) -> Result<(), BotError> {
        fits(html, 1, TEXT_MAX)?;
        let id = number(id)?;
        let edited = simpler_until_taken(html, buttons, |shape| {
            let mut payload = EditMessageText::new(ChatId(chat), id, shape.text).link_preview_options(no_preview());
            payload.parse_mode = shape.parse_mode;
            payload.reply_markup = shape.buttons;
            async move { self.api.call::<_, Value>(&payload).await }
        });
        unless(Refusal::NotModified, self.in_turn(chat, self.pace.edit_turn(chat), edited).await)
    }

    /// Replaces the caption and buttons of a voice message or document; no buttons removes them.
    ///
    /// # Errors
    /// As [`Bot::edit_text`].
    pub async fn edit_caption(
        &self,
        chat: i64,
        id: MessageId,
        html: &str,
        buttons: &[Vec<Button>],
    ) -> Result<(), BotError> {
        fits(html, 0, CAPTION_MAX)?;
        let id = number(id)?;
        let edited = simpler_until_taken(html, buttons, |shape| {
            let mut payload = EditMessageCaption::new(ChatId(chat), id).caption(shape.text);
            payload.parse_mode = shape.parse_mode;
            payload.reply_markup = shape.buttons;
            async move { self.api.call::<_, Value>(&payload).await }
        });
        unless(Refusal::NotModified, self.in_turn(chat, self.pace.edit_turn(chat), edited).await)
    }

    /// Replaces a message's buttons only; none removes them, however old the message is.
    ///
    /// # Errors
    /// As [`Bot::edit_text`], but buttons that are refused are an error.
    pub async fn edit_buttons(&self, chat: i64, id: MessageId, buttons: &[Vec<Button>]) -> Result<(), BotError> {
        let keyboard = keyboard(buttons)?.unwrap_or_default();
        let payload = EditMessageReplyMarkup::new(ChatId(chat), number(id)?).reply_markup(keyboard);
        let edited = self.api.call::<_, Value>(&payload);
        unless(Refusal::NotModified, self.in_turn(chat, self.pace.edit_turn(chat), edited).await)
    }

    /// Deletes a message. One that is already gone is a success. Telegram lets a bot do this for 48 hours only.
    ///
    /// # Errors
    /// See [`BotError::kind`].
    pub async fn delete(&self, chat: i64, id: MessageId) -> Result<(), BotError> {
        let payload = DeleteMessage::new(ChatId(chat), number(id)?);
        unless(Refusal::Gone, self.api.call::<_, Value>(&payload).await)
    }

    /// Ends the waiting mark on a pressed button and may show a text (cut after 200 characters), as a dialog if
    /// `alert`. A press too old to be answered is a success: nobody waits for it any more.
    ///
    /// # Errors
    /// See [`BotError::kind`].
    pub async fn answer(&self, callback_id: &str, text: Option<&str>, alert: bool) -> Result<(), BotError> {
        let mut payload = AnswerCallbackQuery::new(CallbackQueryId(callback_id.to_owned())).show_alert(alert);
        payload.text = text.map(|text| first_units(text, ANSWER_MAX));
        unless(Refusal::TooOld, self.api.call::<_, Value>(&payload).await)
    }

    /// Waits up to `timeout` (whole seconds) for presses and texts. `offset` is the highest `update_id` seen plus one
    /// (0 at first) and tells Telegram to forget all before it: pass it only when their effects are stored.
    ///
    /// # Errors
    /// [`BotError::Conflict`] if another poller or a webhook is there; never [`Failure::Unknown`].
    pub async fn updates(&self, offset: i64, timeout: Duration) -> Result<Vec<Incoming>, BotError> {
        let first = i32::try_from(offset).map_err(|_| BotError::Invalid("the offset is out of range".into()))?;
        let payload = GetUpdates::new()
            .offset(first)
            .timeout(u32::try_from(timeout.as_secs()).unwrap_or(u32::MAX))
            .allowed_updates([AllowedUpdate::Message, AllowedUpdate::CallbackQuery]);
        let limit = timeout.saturating_add(self.api.limits.text);
        let updates: Vec<Value> = self.api.call_within(&payload, limit).await.map_err(BotError::when_reading)?;
        Ok(updates.iter().filter_map(incoming::read).collect())
    }

    /// Says which commands the bot has: `(name, description)`, shown when somebody types `/` in a private chat.
    ///
    /// # Errors
    /// Any, but never [`Failure::Unknown`]: it may simply be asked again.
    pub async fn commands_set(&self, commands: &[(&str, &str)]) -> Result<(), BotError> {
        let payload =
            SetMyCommands::new(commands.iter().map(|(name, description)| BotCommand::new(*name, *description)))
                .scope(BotCommandScope::AllPrivateChats);
        self.api.call(&payload).await.map(|_: Value| ()).map_err(BotError::when_reading)
    }

    /// Sends when it is the chat's turn, and keeps in mind what came of it.
    async fn in_turn<R>(
        &self,
        chat: i64,
        turn: impl Future<Output = Result<Turn, BotError>>,
        request: impl Future<Output = Result<R, BotError>>,
    ) -> Result<R, BotError> {
        let result = turn.await?.spend(request).await;
        self.pace.heed(chat, &result);
        result
    }

    async fn send_file(&self, file: &File<'_>, caption: &str, options: &SendOptions) -> Result<MessageId, BotError> {
        fits(caption, 0, CAPTION_MAX)?;
        let reply = reply_to(options.reply_to)?;
        let sent: Sent = simpler_until_taken(caption, &options.buttons, |shape| {
            let form = form(file, shape, options, reply.as_ref());
            async move { self.api.upload(file.method, form?).await }
        })
        .await?;
        Ok(MessageId(sent.message_id))
    }
}

fn unless<R>(harmless: Refusal, result: Result<R, BotError>) -> Result<(), BotError> {
    match result {
        Err(error) if error.refusal() != Some(harmless) => Err(error),
        _ => Ok(()),
    }
}

/// The first `max` UTF-16 units of a text, ended by an ellipsis if there are more.
fn first_units(text: &str, max: usize) -> String {
    if text.encode_utf16().count() <= max {
        return text.to_owned();
    }
    let mut units = 1;
    let mut kept: String = text
        .chars()
        .take_while(|c| {
            units += c.len_utf16();
            units <= max
        })
        .collect();
    kept.push('…');
    kept
}

//! Phones by Telegram: faces escaped and split by its rules, its errors turned into what to do.

use super::notifier::{Attachment, Button, Face, How, Notifier, NotifyError};
use crate::telegram::{self, Bot, BotError, CAPTION_MAX, Failure, MessageId, Outgoing, SendOptions, TEXT_MAX};
use async_trait::async_trait;

/// Shows messages in Telegram chats.
pub struct TelegramNotifier {
    bot: Bot,
}

impl TelegramNotifier {
    /// By this bot.
    #[must_use]
    pub fn new(bot: Bot) -> Self {
        Self { bot }
    }
}

#[async_trait]
impl Notifier for TelegramNotifier {
    async fn show(&self, how: How, face: &Face) -> Result<i64, NotifyError> {
        let Some(attachment) = &face.attachment else { return self.show_text(how, face).await };
        let options = SendOptions {
            silent: !how.loud,
            buttons: keys(&face.buttons),
            reply_to: how.answers.map(MessageId),
            protect: false,
        };
        let caption = first(&html(&face.text), CAPTION_MAX);
        let (Attachment::Voice(path) | Attachment::File(path, _)) = attachment;
        // A sound that cannot be read must not keep the words from arriving.
        let Ok(bytes) = tokio::fs::read(path).await else { return self.show_text(how, face).await };
        let sent = match attachment {
            Attachment::Voice(_) => self.bot.send_voice(how.chat, bytes, &caption, &options).await,
            Attachment::File(_, name) => self.bot.send_document(how.chat, name, bytes, &caption, &options).await,
        };
        sent.map(|id| id.0).map_err(|error| meaning(&error))
    }

    async fn change(&self, chat: i64, message: i64, face: &Face, captioned: bool) -> Result<(), NotifyError> {
        let keys = keys(&face.buttons);
        let id = MessageId(message);
        let changed = if captioned {
            self.bot.edit_caption(chat, id, &first(&html(&face.text), CAPTION_MAX), &keys).await
        } else {
            self.bot.edit_text(chat, id, &first(&html(&face.text), TEXT_MAX), &keys).await
        };
        changed.map_err(|error| meaning(&error))
    }

    async fn remove(&self, chat: i64, message: i64) -> Result<(), NotifyError> {
        self.bot.delete(chat, MessageId(message)).await.map_err(|error| meaning(&error))
    }
}

impl TelegramNotifier {
    /// A long text goes out in pieces; the buttons hang on the last one, whose number is kept.
    async fn show_text(&self, how: How, face: &Face) -> Result<i64, NotifyError> {
        let pieces = telegram::split(&html(&face.text), TEXT_MAX);
        let mut shown = Err(NotifyError::Refused("an empty message".into()));
        for (index, piece) in pieces.iter().enumerate() {
            let last = index + 1 == pieces.len();
            let message = Outgoing {
                chat: how.chat,
                html: piece.clone(),
                silent: !how.loud,
                buttons: if last { keys(&face.buttons) } else { Vec::new() },
                reply_to: how.answers.map(MessageId),
                protect: false,
            };
            let sent = if index == 0 { self.bot.send(&message).await } else { self.bot.send_further(&message).await };
            shown = Ok(sent.map_err(|error| meaning(&error))?.0);
        }
        shown
    }
}

/// The first line bold, the rest plain, everything escaped.
fn html(text: &str) -> String {
    match text.split_once('\n') {
        Some((head, rest)) => format!("<b>{}</b>\n{}", telegram::escape(head), telegram::escape(rest)),
        None => telegram::escape(text),
    }
}

fn first(html: &str, limit: usize) -> String {
    telegram::split(html, limit).into_iter().next().unwrap_or_default()
}

fn keys(buttons: &[Vec<Button>]) -> Vec<Vec<telegram::Button>> {
    let key = |button: &Button| telegram::Button { label: button.label.clone(), data: button.data.clone() };
    buttons.iter().map(|row| row.iter().map(key).collect()).collect()
}

/// What a refusal of Telegram means for a notice. A token that is not valid (any more) may be put right: tried again.
fn meaning(error: &BotError) -> NotifyError {
    let text = error.to_string();
    match error.kind() {
        Failure::Wait(pause) => NotifyError::Wait(pause),
        Failure::Again | Failure::Unauthorized => NotifyError::Again(text),
        Failure::Unknown => NotifyError::Unknown(text),
        Failure::Moved(chat) => NotifyError::Moved(chat),
        Failure::Unreachable => NotifyError::Unreachable(text),
        Failure::Refused => NotifyError::Refused(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_words_cannot_become_markup() {
        assert_eq!(html("A & B\n<b>x</b>"), "<b>A &amp; B</b>\n&lt;b&gt;x&lt;/b&gt;");
    }
}

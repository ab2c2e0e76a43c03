//! What is sent: texts, buttons, files, and the simpler form they take when Telegram refuses the first.
//!
//! It promises: what breaks a rule of the Bot API that is known beforehand never leaves ([`BotError::Invalid`]); what
//! Telegram refuses for its form is sent without that form instead of being lost.

use reqwest::multipart::{Form, Part};
use teloxide_core::types::{
    InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, ParseMode, ReplyParameters,
};

use super::error::{BotError, Refusal};
use super::text;

/// Number of a message within its chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub i64);

/// A button under a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// What stands on it; not empty.
    pub label: String,
    /// What comes back when it is pressed: 1 to 64 bytes.
    pub data: String,
}

/// A text message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to.
    pub chat: i64,
    /// Telegram's HTML, shown length 1 to [`TEXT_MAX`]; see [`escape`] and [`split`].
    pub html: String,
    /// Without a sound.
    pub silent: bool,
    /// Rows of buttons.
    pub buttons: Vec<Vec<Button>>,
    /// The message this one answers. If it is gone, this one is sent all the same.
    pub reply_to: Option<MessageId>,
    /// Cannot be forwarded or saved.
    pub protect: bool,
}

impl Outgoing {
    /// A loud message without buttons.
    #[must_use]
    pub fn new(chat: i64, html: impl Into<String>) -> Self {
        Self { chat, html: html.into(), silent: false, buttons: Vec::new(), reply_to: None, protect: false }
    }
}

/// How a voice message or a document is sent; by default loud, without buttons.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SendOptions {
    /// Without a sound.
    pub silent: bool,
    /// Rows of buttons.
    pub buttons: Vec<Vec<Button>>,
    /// The message this one answers. If it is gone, this one is sent all the same.
    pub reply_to: Option<MessageId>,
    /// Cannot be forwarded or saved.
    pub protect: bool,
}

/// What a message shows, in the form that is tried next.
#[derive(Clone)]
pub(super) struct Shape {
    pub(super) text: String,
    pub(super) parse_mode: Option<ParseMode>,
    pub(super) buttons: Option<InlineKeyboardMarkup>,
}

/// A file on its way.
pub(super) struct File<'a> {
    pub(super) chat: i64,
    pub(super) method: &'static str,
    pub(super) field: &'static str,
    pub(super) name: &'a str,
    pub(super) media_type: &'static str,
    pub(super) bytes: &'a [u8],
}

impl Shape {
    /// Takes away what Telegram refused; false if it refused something else.
    fn simplify(&mut self, error: &BotError) -> bool {
        match error.refusal() {
            Some(Refusal::Markup) if self.parse_mode.is_some() => {
                self.text = text::plain(&self.text);
                self.parse_mode = None;
                true
            }
            Some(Refusal::Buttons) => self.buttons.take().is_some(),
            _ => false,
        }
    }
}

/// Tries a message as it is meant, then without what Telegram refuses of it: an alarm without bold type or buttons is
/// better than none.
pub(super) async fn simpler_until_taken<R, F>(
    html: &str,
    buttons: &[Vec<Button>],
    attempt: impl Fn(Shape) -> F,
) -> Result<R, BotError>
where
    F: Future<Output = Result<R, BotError>>,
{
    let mut shape = Shape { text: html.to_owned(), parse_mode: Some(ParseMode::Html), buttons: keyboard(buttons)? };
    loop {
        match attempt(shape.clone()).await {
            Err(error) if shape.simplify(&error) => {
                tracing::warn!(%error, "Telegram refused a message's form, sending it simpler");
            }
            result => return result,
        }
    }
}

pub(super) fn fits(html: &str, min: usize, max: usize) -> Result<(), BotError> {
    let shown = text::plain(html);
    let length = shown.encode_utf16().count();
    if length > max {
        return Err(BotError::Invalid(format!("the text has {length} characters, {max} are allowed: split it")));
    }
    if min > 0 && shown.trim().is_empty() {
        return Err(BotError::Invalid("the text is empty".into()));
    }
    Ok(())
}

pub(super) fn keyboard(rows: &[Vec<Button>]) -> Result<Option<InlineKeyboardMarkup>, BotError> {
    for button in rows.iter().flatten() {
        if button.label.trim().is_empty() || !(1..=64).contains(&button.data.len()) {
            return Err(BotError::Invalid("a button needs a label and 1 to 64 bytes of data".into()));
        }
    }
    let key = |button: &Button| InlineKeyboardButton::callback(&button.label, &button.data);
    let rows: Vec<Vec<_>> =
        rows.iter().filter(|row| !row.is_empty()).map(|row| row.iter().map(key).collect()).collect();
    Ok((!rows.is_empty()).then(|| InlineKeyboardMarkup::new(rows)))
}

pub(super) fn number(id: MessageId) -> Result<teloxide_core::types::MessageId, BotError> {
    let id = i32::try_from(id.0).map_err(|_| BotError::Invalid("the message's number is out of range".into()))?;
    Ok(teloxide_core::types::MessageId(id))
}

pub(super) fn reply_to(message: Option<MessageId>) -> Result<Option<ReplyParameters>, BotError> {
    message.map(|id| Ok(ReplyParameters::new(number(id)?).allow_sending_without_reply())).transpose()
}

pub(super) fn no_preview() -> LinkPreviewOptions {
    LinkPreviewOptions {
        is_disabled: true,
        url: None,
        prefer_small_media: false,
        prefer_large_media: false,
        show_above_text: false,
    }
}

/// The fields of an upload; teloxide-core keeps its own multipart writer private.
pub(super) fn form(
    file: &File<'_>,
    shape: Shape,
    options: &SendOptions,
    reply: Option<&ReplyParameters>,
) -> Result<Form, BotError> {
    let invalid = |_| BotError::Invalid("the upload could not be written".into());
    let part = Part::bytes(file.bytes.to_vec()).file_name(file.name.to_owned()).mime_str(file.media_type);
    let mut form = Form::new()
        .text("chat_id", file.chat.to_string())
        .text("disable_notification", options.silent.to_string())
        .text("protect_content", options.protect.to_string())
        .part(file.field, part.map_err(|_| BotError::Invalid("the file's type is not one".into()))?);
    if !shape.text.is_empty() {
        form = form.text("caption", shape.text);
    }
    if shape.parse_mode.is_some() {
        form = form.text("parse_mode", "HTML");
    }
    if let Some(buttons) = shape.buttons {
        form = form.text("reply_markup", serde_json::to_string(&buttons).map_err(invalid)?);
    }
    if let Some(reply) = reply {
        form = form.text("reply_parameters", serde_json::to_string(reply).map_err(invalid)?);
    }
    Ok(form)
}

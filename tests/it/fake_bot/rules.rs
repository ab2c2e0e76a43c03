//! What Telegram accepts, shows and refuses, and in which words. Written apart from the code it tests.

use std::collections::HashMap;
use std::time::Instant;

use axum::extract::{FromRequest as _, Multipart, Request};
use axum::http::header;
use serde_json::{Map, Value, json};

use super::limits::counts;
use super::{Call, File, Key, Shown, World};

pub(super) type Outcome = Result<Value, (u16, String)>;

fn bad(text: impl std::fmt::Display) -> (u16, String) {
    (400, format!("Bad Request: {text}"))
}

impl World {
    /// As `execute`, counted, and refused where more than Telegram takes is refused: the seconds to wait.
    pub(super) fn execute_within_limits(&mut self, method: &str, arguments: &Arguments) -> Result<Outcome, u64> {
        let chat = arguments.int("chat_id");
        let now = Instant::now();
        let counted = chat.filter(|_| counts(method, chat));
        let wait = counted.filter(|_| self.traffic.limited).and_then(|chat| self.traffic.wait(chat, now));
        if let Some(wait) = wait {
            return Err(wait.as_millis().div_ceil(1_000).try_into().expect("at most a minute"));
        }
        let outcome = self.execute(method, arguments);
        if let (Some(chat), Ok(_)) = (counted, &outcome) {
            self.traffic.take(chat, now);
        }
        Ok(outcome)
    }

    fn execute(&mut self, method: &str, arguments: &Arguments) -> Outcome {
        match method {
            "getme" => {
                Ok(json!({"id": 123_456_789, "is_bot": true, "first_name": "Nachtwache", "username": "nachtwache_bot"}))
            }
            "getchat" => Ok(chat_of(arguments.chat()?)),
            "deletewebhook" => Ok(json!(true)),
            "sendmessage" => self.add(arguments, "text", None),
            "sendvoice" => self.add(arguments, "caption", Some("voice")),
            "senddocument" => self.add(arguments, "caption", Some("document")),
            "editmessagetext" => self.edit(arguments, Some("text")),
            "editmessagecaption" => self.edit(arguments, Some("caption")),
            "editmessagereplymarkup" => self.edit(arguments, None),
            "deletemessage" => {
                let shown = self.find(arguments.chat()?, arguments.id()?);
                shown.ok_or(bad("message to delete not found"))?.deleted = true;
                Ok(json!(true))
            }
            "answercallbackquery" => {
                let id = arguments.string("callback_query_id").unwrap_or_default();
                let open = self.open_presses.iter().position(|press| *press == id);
                let open = open.ok_or(bad("query is too old and response timeout expired or query ID is invalid"))?;
                if arguments.string("text").unwrap_or_default().encode_utf16().count() > 200 {
                    return Err(bad("MESSAGE_TOO_LONG"));
                }
                self.open_presses.remove(open);
                Ok(json!(true))
            }
            "getfile" => {
                let id = arguments.string("file_id").unwrap_or_default();
                let upload = self.uploads.get(&id).ok_or(bad("invalid file_id"))?;
                if upload.bytes.len() > 20 << 20 {
                    return Err(bad("file is too big"));
                }
                let size = upload.bytes.len();
                Ok(json!({"file_id": id, "file_unique_id": "u", "file_size": size, "file_path": upload.path}))
            }
            "setmycommands" => self.set_commands(arguments),
            _ => Err((404, "Not Found".to_owned())),
        }
    }

    fn set_commands(&mut self, arguments: &Arguments) -> Outcome {
        let commands = arguments.json("commands").unwrap_or_default();
        let text = |command: &Value, field| command[field].as_str().unwrap_or_default().to_owned();
        let commands = commands.as_array().into_iter().flatten();
        let commands: Vec<_> = commands.map(|one| (text(one, "command"), text(one, "description"))).collect();
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        for (name, description) in &commands {
            if !(1..=32).contains(&name.len()) || !name.chars().all(letter) {
                return Err(bad("BOT_COMMAND_INVALID"));
            }
            if !(1..=256).contains(&description.chars().count()) {
                return Err(bad("BOT_COMMAND_DESCRIPTION_INVALID"));
            }
        }
        self.commands = commands;
        Ok(json!(true))
    }

    fn add(&mut self, arguments: &Arguments, field: &str, file: Option<&str>) -> Outcome {
        let chat = arguments.chat()?;
        let text = arguments.shown(field)?;
        let buttons = arguments.checked_buttons()?;
        let file = match file {
            None => None,
            Some(part) => {
                let (name, bytes) =
                    arguments.files.get(part).ok_or(bad(format!("there is no {part} in the request")))?;
                let voice = part == "voice" && bytes.starts_with(b"OggS");
                Some(File { name: name.clone(), bytes: bytes.clone(), voice })
            }
        };
        let reply_to = arguments.reply_to();
        let missing = reply_to.is_some_and(|id| self.find(chat, id).is_none());
        if missing
            && arguments.json("reply_parameters").is_none_or(|reply| reply["allow_sending_without_reply"] != true)
        {
            return Err(bad("message to be replied not found"));
        }
        self.last_message += 1;
        let id = self.last_message;
        self.chats.entry(chat).or_default().push(Shown {
            id,
            text,
            buttons,
            silent: arguments.truth("disable_notification"),
            protect: arguments.truth("protect_content"),
            deleted: false,
            edits: 0,
            reply_to: reply_to.filter(|_| !missing),
            file,
        });
        Ok(json!({"message_id": id, "date": 1, "chat": chat_of(chat)}))
    }

    fn edit(&mut self, arguments: &Arguments, field: Option<&str>) -> Outcome {
        let (chat, id) = (arguments.chat()?, arguments.id()?);
        let text = field.map(|field| arguments.shown(field)).transpose()?;
        let buttons = arguments.checked_buttons()?;
        let shown = self.find(chat, id).ok_or(bad("message to edit not found"))?;
        match field {
            Some("text") if shown.file.is_some() => return Err(bad("there is no text in the message to edit")),
            Some("caption") if shown.file.is_none() => return Err(bad("there is no caption in the message to edit")),
            _ => {}
        }
        let text = text.unwrap_or_else(|| shown.text.clone());
        if shown.text == text && shown.buttons == buttons {
            return Err(bad(
                "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
            ));
        }
        shown.text = text;
        shown.buttons = buttons;
        shown.edits += 1;
        Ok(json!({"message_id": id, "date": 1, "chat": chat_of(chat)}))
    }
}

pub(super) fn chat_of(id: i64) -> Value {
    if id > 0 {
        json!({"id": id, "type": "private", "first_name": "Chat", "last_name": id.to_string()})
    } else {
        json!({"id": id, "type": "supergroup", "title": format!("Gruppe {id}")})
    }
}

#[derive(Default)]
pub(super) struct Arguments {
    fields: Map<String, Value>,
    files: HashMap<String, (String, Vec<u8>)>,
}

impl Arguments {
    pub(super) async fn read(request: Request) -> Self {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let mut arguments = Self::default();
        if kind.starts_with("multipart/") {
            let mut parts = Multipart::from_request(request, &()).await.expect("a boundary is named");
            while let Ok(Some(part)) = parts.next_field().await {
                let name = part.name().unwrap_or_default().to_owned();
                let file = part.file_name().map(str::to_owned);
                let bytes = part.bytes().await.unwrap_or_default().to_vec();
                match file {
                    Some(file) => drop(arguments.files.insert(name, (file, bytes))),
                    None => drop(arguments.fields.insert(name, String::from_utf8_lossy(&bytes).into())),
                }
            }
        } else if kind.starts_with("application/json") {
            let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap_or_default();
            arguments.fields = serde_json::from_slice(&body).unwrap_or_default();
        }
        arguments
    }

    pub(super) fn as_call(&self, method: &str) -> Call {
        Call {
            method: method.to_owned(),
            chat: self.int("chat_id"),
            message: self.int("message_id"),
            text: self.string("text"),
            caption: self.string("caption"),
            parse_mode: self.string("parse_mode"),
            silent: self.truth("disable_notification"),
            protect: self.truth("protect_content"),
            preview: self.json("link_preview_options").is_none_or(|options| options["is_disabled"] != true),
            buttons: self.buttons(),
            reply_to: self.reply_to(),
            callback: self.string("callback_query_id"),
            file_bytes: self.files.values().next().map(|(_, bytes)| bytes.len()),
            status: 0,
            at: Instant::now(),
        }
    }

    fn string(&self, field: &str) -> Option<String> {
        self.fields.get(field)?.as_str().map(str::to_owned)
    }

    pub(super) fn json(&self, field: &str) -> Option<Value> {
        match self.fields.get(field)? {
            Value::String(text) => serde_json::from_str(text).ok(),
            other => Some(other.clone()),
        }
    }

    pub(super) fn int(&self, field: &str) -> Option<i64> {
        self.json(field)?.as_i64()
    }

    fn truth(&self, field: &str) -> bool {
        self.json(field) == Some(Value::Bool(true))
    }

    fn chat(&self) -> Result<i64, (u16, String)> {
        self.int("chat_id").ok_or(bad("chat_id is empty"))
    }

    fn id(&self) -> Result<i64, (u16, String)> {
        self.int("message_id").ok_or(bad("message identifier is not specified"))
    }

    fn reply_to(&self) -> Option<i64> {
        self.json("reply_parameters")?["message_id"].as_i64()
    }

    /// The text as shown, refused as the real one would.
    fn shown(&self, field: &str) -> Result<String, (u16, String)> {
        let raw = self.string(field).unwrap_or_default();
        let text = if self.string("parse_mode").is_some() { parsed(&raw)? } else { raw };
        let units = text.encode_utf16().count();
        match field {
            "text" if text.trim().is_empty() => Err(bad("message text is empty")),
            "text" if units > 4096 => Err(bad("message is too long")),
            "caption" if units > 1024 => Err(bad("message caption is too long")),
            _ => Ok(text.trim().to_owned()),
        }
    }

    fn buttons(&self) -> Vec<Vec<Key>> {
        let text = |key: &Value, field| key[field].as_str().unwrap_or_default().to_owned();
        let key = |key: &Value| Key { label: text(key, "text"), data: text(key, "callback_data") };
        let markup = self.json("reply_markup").unwrap_or_default();
        let rows = markup["inline_keyboard"].as_array().into_iter().flatten();
        rows.map(|row| row.as_array().into_iter().flatten().map(key).collect()).collect()
    }

    fn checked_buttons(&self) -> Result<Vec<Vec<Key>>, (u16, String)> {
        let markup = self.json("reply_markup").unwrap_or_default();
        let rows = markup["inline_keyboard"].as_array().into_iter().flatten();
        for key in rows.flat_map(|row| row.as_array().into_iter().flatten()) {
            if key["text"].as_str().is_none_or(str::is_empty) {
                return Err(bad("can't parse inline keyboard button: Field \"text\" must be of type String"));
            }
            if let Some(url) = key["url"].as_str() {
                check_url(url)?;
                continue;
            }
            let Some(data) = key["callback_data"].as_str() else {
                return Err(bad(
                    "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
                ));
            };
            if !(1..=64).contains(&data.len()) {
                return Err(bad("BUTTON_DATA_INVALID"));
            }
        }
        Ok(self.buttons())
    }
}

fn check_url(url: &str) -> Result<(), (u16, String)> {
    let refused = |why| Err(bad(format!("inline keyboard button URL '{url}' is invalid: {why}")));
    match url.split_once(':') {
        Some(("tg" | "ton", _)) => Ok(()),
        Some(("http" | "https", rest)) => {
            let host = rest.trim_start_matches('/').split(['/', '?', '#']).next().unwrap_or_default();
            if host.contains('.') { Ok(()) } else { refused("Wrong HTTP URL") }
        }
        _ => refused("Unsupported URL protocol"),
    }
}

/// Reads Telegram's HTML as strictly as Telegram: an unknown or open tag refuses the whole message.
pub(crate) fn parsed(html: &str) -> Result<String, (u16, String)> {
    let tags = "a b blockquote code del em i ins pre s span strike strong tg-emoji tg-spoiler u";
    let parse = |why: String| bad(format!("can't parse entities: {why}"));
    let (mut text, mut open) = (String::new(), Vec::new());
    let mut at = 0;
    while let Some(c) = html[at..].chars().next() {
        let rest = &html[at..];
        if c == '<' {
            let end = rest.find('>').ok_or_else(|| parse(format!("Unclosed start tag at byte offset {at}")))?;
            let inside = rest[1..end].to_lowercase();
            let name = inside.trim_start_matches('/').split_whitespace().next().unwrap_or_default().to_owned();
            if !tags.split(' ').any(|tag| tag == name) {
                return Err(parse(format!("Unsupported start tag \"{name}\" at byte offset {at}")));
            }
            if inside.starts_with('/') {
                let opened = open.pop();
                if opened.as_deref() != Some(name.as_str()) {
                    return Err(parse(format!("Unmatched end tag at byte offset {at}, found \"</{name}>\"")));
                }
            } else {
                open.push(name);
            }
            at += end + 1;
            continue;
        }
        let entities = [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&'), ("&quot;", '"')];
        let (shown, length) = match entities.iter().find(|(entity, _)| rest.starts_with(entity)) {
            Some((entity, shown)) => (*shown, entity.len()),
            None => (c, c.len_utf8()),
        };
        text.push(shown);
        at += length;
    }
    match open.pop() {
        Some(name) => Err(parse(format!("Can't find end tag corresponding to start tag \"{name}\""))),
        None => Ok(text),
    }
}

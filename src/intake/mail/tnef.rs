//! Outlook's wrapping, `winmail.dat` (TNEF): the text of a mail and the files in it.
//!
//! Written after the public description of the format ([MS-OXTNEF], [MS-OXRTFCP]). Read are the plain and HTML bodies, the
//! compressed rich text where there is nothing else, and attachments with their names. What is broken ends the reading;
//! what was read until then is kept.

use super::mime::{Body, Entity};
use super::{decode, rtf};

const SIGNATURE: u32 = 0x223e_9f78;
const MESSAGE: u8 = 1;
const BODY: u32 = 0x0002_800c;
const MESSAGE_PROPERTIES: u32 = 0x0006_9003;
const NEW_ATTACHMENT: u32 = 0x0006_9002;
const TITLE: u32 = 0x0001_8010;
const DATA: u32 = 0x0006_800f;
const ATTACHMENT_PROPERTIES: u32 = 0x0006_9005;
/// Files and properties that are read at most.
const MOST: usize = 200;

/// Text and files as the parts of a multipart; `None` where it is no TNEF.
pub(super) fn read(bytes: &[u8]) -> Option<Vec<Entity>> {
    let mut reader = Reader { rest: bytes };
    (reader.u32()? == SIGNATURE).then_some(())?;
    reader.take(2)?;
    let (mut found, mut files) = (Texts::default(), Vec::<Entity>::new());
    while let Some((level, id, data)) = reader.attribute() {
        match (level, id) {
            (MESSAGE, BODY) => found.plain = found.plain.or_else(|| Some(decode::text(None, data))),
            (MESSAGE, MESSAGE_PROPERTIES) => found.properties(data),
            (_, NEW_ATTACHMENT) if files.len() < MOST => files.push(Entity { attached: true, ..Entity::default() }),
            (_, TITLE) => {
                if let Some(file) = files.last_mut() {
                    file.name = file.name.take().or_else(|| Some(unterminated(&decode::text(None, data))));
                }
            }
            (_, DATA) => {
                if let Some(file) = files.last_mut() {
                    file.body = Body::Bytes(data.to_vec());
                }
            }
            (_, ATTACHMENT_PROPERTIES) => {
                if let Some(file) = files.last_mut() {
                    attachment(file, data);
                }
            }
            _ => {}
        }
    }
    let mut parts: Vec<Entity> = found.part().into_iter().collect();
    parts.append(&mut files);
    Some(parts)
}

#[derive(Default)]
struct Texts {
    plain: Option<String>,
    html: Option<String>,
    rich: Option<String>,
}

impl Texts {
    fn properties(&mut self, data: &[u8]) {
        for (id, kind, value) in properties(data) {
            match id {
                0x1000 => self.plain = Some(string(kind, value)).or(self.plain.take()),
                0x1013 => self.html = Some(decode::text(None, value)),
                0x1009 => self.rich = rtf::decompressed(value).map(|rich| rtf::text(&rich)),
                _ => {}
            }
        }
    }

    fn part(self) -> Option<Entity> {
        let written = |text: &String| !unterminated(text).trim().is_empty();
        let (kind, text) = match (self.plain.filter(written), self.html.filter(written), self.rich) {
            (Some(plain), ..) => ("text/plain", plain),
            (None, Some(html), _) => ("text/html", html),
            (None, None, Some(rich)) => ("text/plain", rich),
            (None, None, None) => return None,
        };
        let body = Body::Bytes(unterminated(&text).into_bytes());
        Some(Entity { kind: kind.into(), body, ..Entity::default() })
    }
}

/// The long name, the type and the content of a file.
fn attachment(file: &mut Entity, data: &[u8]) {
    for (id, kind, value) in properties(data) {
        match id {
            0x3707 => file.name = Some(unterminated(&string(kind, value))),
            0x370e => file.kind = unterminated(&string(kind, value)).to_lowercase(),
            0x3701 if file.bytes().is_empty() => file.body = Body::Bytes(value.to_vec()),
            _ => {}
        }
    }
}

fn string(kind: u16, value: &[u8]) -> String {
    if kind == 0x1f { decode::text(Some("utf-16le"), value) } else { decode::text(None, value) }
}

fn unterminated(text: &str) -> String {
    text.trim_end_matches('\0').to_owned()
}

/// The properties of a message or a file: id, type, value (the first one of several).
fn properties(data: &[u8]) -> Vec<(u16, u16, &[u8])> {
    let mut reader = Reader { rest: data };
    let count = reader.u32().unwrap_or_default() as usize;
    let mut found = Vec::new();
    for _ in 0..count.min(MOST) {
        let Some(property) = reader.property() else { break };
        found.push(property);
    }
    found
}

struct Reader<'x> {
    rest: &'x [u8],
}

impl<'x> Reader<'x> {
    fn take(&mut self, count: usize) -> Option<&'x [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// Level, id and content.
    fn attribute(&mut self) -> Option<(u8, u32, &'x [u8])> {
        let level = *self.take(1)?.first()?;
        let id = self.u32()?;
        let length = self.u32()? as usize;
        let data = self.take(length)?;
        self.take(2)?;
        Some((level, id, data))
    }

    fn property(&mut self) -> Option<(u16, u16, &'x [u8])> {
        let (kind, id) = (self.u16()?, self.u16()?);
        if id >= 0x8000 {
            self.named()?;
        }
        let several = kind & 0x1000 != 0;
        let kind = kind & 0x0fff;
        let length = match kind {
            0x02 | 0x03 | 0x04 | 0x0a | 0x0b => Some(4),
            0x05 | 0x06 | 0x07 | 0x14 | 0x40 => Some(8),
            0x48 => Some(16),
            0x0d | 0x1e | 0x1f | 0x102 => None,
            _ => return None,
        };
        let count = if several || length.is_none() { self.u32()? as usize } else { 1 };
        let mut first = None;
        for _ in 0..count {
            let length = match length {
                Some(length) => length,
                None => self.u32()? as usize,
            };
            let value = self.take(length)?;
            self.take((4 - length % 4) % 4)?;
            first = first.or(Some(value));
        }
        Some((id, kind, first.unwrap_or_default()))
    }

    /// Jumps over the name of a named property.
    fn named(&mut self) -> Option<()> {
        self.take(16)?;
        if self.u32()? == 0 {
            self.take(4)?;
        } else {
            let length = self.u32()? as usize;
            self.take(length)?;
            self.take((4 - length % 4) % 4)?;
        }
        Some(())
    }
}

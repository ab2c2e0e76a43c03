//! The structure of a mail: bytes become a tree of parts.
//!
//! Promises: no bytes panic, nesting and number of parts are bounded, a broken structure is read as far as it goes (a
//! closing delimiter that is missing, a boundary that is not named, headers that stand below a blank line). Only the heads
//! of the parts are read by the library: its own reader of whole mails has no bound for mails within mails.

use super::decode;
use mail_parser::{ContentType, HeaderName, MessageParser};

/// Mails within mails within multiparts; what lies deeper is text.
const DEEPEST: usize = 16;
/// Parts of one mail; what follows is left out.
const MOST_PARTS: usize = 200;
/// Bytes of a head that are read.
const LONGEST_HEAD: usize = 128 * 1024;
/// Headers of one head.
const MOST_HEADERS: usize = 200;
/// Bytes of one header's value.
const LONGEST_HEADER: usize = 4096;

/// One part with its head. The whole mail is one, too.
#[derive(Debug, Default)]
pub(super) struct Entity {
    /// Names and values, unfolded and decoded, in order.
    pub headers: Vec<(String, String)>,
    /// "text/plain", lower case; empty where the head does not say.
    pub kind: String,
    /// The parameters of the type, names in lower case.
    pub params: Vec<(String, String)>,
    /// The file's name.
    pub name: Option<String>,
    /// Whether it says to be an attachment.
    pub attached: bool,
    /// What it holds.
    pub body: Body,
}

/// What a part holds.
#[derive(Debug)]
pub(super) enum Body {
    /// Its content, transfer encoding undone.
    Bytes(Vec<u8>),
    /// The parts of a multipart.
    Parts(Vec<Entity>),
    /// A whole mail: its bytes, and what is in it.
    Message(Vec<u8>, Box<Entity>),
}

impl Default for Body {
    fn default() -> Self {
        Self::Bytes(Vec::new())
    }
}

impl Entity {
    /// The whole mail.
    pub(super) fn read(raw: &[u8]) -> Self {
        entity(unseparated(raw), 0, &mut 0)
    }

    /// Only what the head of a mail says.
    pub(super) fn head(raw: &[u8]) -> Self {
        let raw = unseparated(raw);
        head_of(split(&raw[..raw.len().min(LONGEST_HEAD)]).0)
    }

    /// The first value of a header, whatever its case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// A parameter of the content type.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The content of a part that is no container.
    pub(super) fn bytes(&self) -> &[u8] {
        match &self.body {
            Body::Bytes(bytes) => bytes,
            _ => &[],
        }
    }

    /// Its own parts that are no containers, in order, not those of mails within it.
    pub(super) fn leaves(&self) -> Vec<&Entity> {
        match &self.body {
            Body::Parts(parts) => parts.iter().flat_map(Entity::leaves).collect(),
            _ => vec![self],
        }
    }
}

/// Without the mark of UTF-8, and without the line that parts the mails of an mbox file.
fn unseparated(raw: &[u8]) -> &[u8] {
    let raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    match raw.iter().position(|byte| *byte == b'\n') {
        Some(end) if raw.starts_with(b"From ") => &raw[end + 1..],
        _ => raw,
    }
}

fn entity(raw: &[u8], depth: usize, parts: &mut usize) -> Entity {
    *parts += 1;
    let (head, body) = split(raw);
    let mut entity = head_of(head);
    // a template whose head is torn by a blank line: the rest of the head opens the body
    let torn = entity.kind.is_empty().then(|| body.trim_ascii_start()).filter(|rest| continues_head(rest));
    let body = match torn {
        Some(rest) if depth < DEEPEST => {
            let (more, body) = split(rest);
            let more = head_of(more);
            entity.headers.extend(more.headers);
            (entity.kind, entity.params) = (more.kind, more.params);
            (entity.name, entity.attached) = (entity.name.or(more.name), more.attached);
            body
        }
        _ => body,
    };
    let encoding = entity.header("Content-Transfer-Encoding").unwrap_or_default().to_owned();
    let deeper = depth < DEEPEST;
    entity.body = if entity.kind.starts_with("multipart/") && deeper {
        match children(&entity, body, depth, parts) {
            Some(children) => Body::Parts(children),
            None => Body::Bytes(decode::transfer(&encoding, body)),
        }
    } else if matches!(entity.kind.as_str(), "message/rfc822" | "message/global") && deeper {
        let bytes = decode::transfer(&encoding, body);
        let inner = self::entity(&bytes, depth + 1, parts);
        Body::Message(bytes, Box::new(inner))
    } else {
        Body::Bytes(decode::transfer(&encoding, body))
    };
    entity
}

/// Head and body: parted by the first empty line; bytes that do not begin like a head are all body.
fn split(raw: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    let mut first = true;
    while at < raw.len() {
        let end = raw[at..].iter().position(|byte| *byte == b'\n').map_or(raw.len(), |end| at + end + 1);
        let line = raw[at..end].trim_ascii_end();
        if line.is_empty() {
            return (&raw[..at], &raw[end..]);
        }
        if first && !is_header(line) {
            return (&[], raw);
        }
        first = false;
        at = end;
    }
    (raw, &[])
}

fn is_header(line: &[u8]) -> bool {
    let name = line.iter().take_while(|byte| byte.is_ascii_graphic() && **byte != b':').count();
    name > 0 && line.get(name) == Some(&b':')
}

fn continues_head(body: &[u8]) -> bool {
    let opening = &body[..body.len().min(2048)];
    let head = split(opening).0;
    head.split(|byte| *byte == b'\n')
        .any(|line| line.get(..13).is_some_and(|name| name.eq_ignore_ascii_case(b"content-type:")))
}

/// What the head of a part says.
fn head_of(head: &[u8]) -> Entity {
    let head = &head[..head.len().min(LONGEST_HEAD)];
    // eight bits in a head are UTF-8, or what Windows writes
    let head = std::str::from_utf8(head).map_or_else(|_| decode::western(head), str::to_owned);
    let mut entity = Entity::default();
    let with_end = format!("{}\n\n", head.trim_end());
    let parser = MessageParser::new()
        .header_content_type(HeaderName::ContentType)
        .header_content_type(HeaderName::ContentDisposition)
        .default_header_ignore();
    let Some(parsed) = parser.parse_headers(&with_end) else { return entity };
    for header in parsed.headers() {
        if let (HeaderName::ContentType, Some(kind)) = (&header.name, header.value.as_content_type()) {
            entity.take_type(kind);
        }
        if let (HeaderName::ContentDisposition, Some(kind)) = (&header.name, header.value.as_content_type()) {
            entity.attached = kind.c_type.eq_ignore_ascii_case("attachment");
            entity.name = kind.attribute("filename").map(decode::header).or(entity.name.take());
        }
        let (from, to) = (header.offset_start as usize, header.offset_end as usize);
        if entity.headers.len() < MOST_HEADERS
            && let (Some(value), Some(name)) =
                (with_end.get(from..to), with_end.get(header.offset_field as usize..from.saturating_sub(1)))
        {
            let value = decode::header(short(value));
            entity.headers.push((short(name.trim()).to_owned(), short(&value).to_owned()));
        }
    }
    entity
}

fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_HEADER)]
}

impl Entity {
    fn take_type(&mut self, kind: &ContentType<'_>) {
        self.kind = match kind.subtype() {
            Some(subtype) => format!("{}/{subtype}", kind.ctype()).to_ascii_lowercase(),
            None => kind.ctype().to_ascii_lowercase(),
        };
        let params = kind.attributes().unwrap_or_default().iter().take(20);
        self.params = params.map(|one| (one.name.to_ascii_lowercase(), short(&one.value).to_owned())).collect();
        if self.name.is_none() {
            self.name = kind.attribute("name").map(decode::header);
        }
    }
}

/// The parts of a multipart; `None` where no delimiter is found.
fn children(entity: &Entity, body: &[u8], depth: usize, parts: &mut usize) -> Option<Vec<Entity>> {
    let named = entity.param("boundary").map(|boundary| boundary.as_bytes().to_vec());
    let mut pieces = named.map(|boundary| pieces(body, &boundary)).unwrap_or_default();
    if pieces.is_empty() {
        pieces = self::pieces(body, &guessed(body)?);
    }
    if pieces.is_empty() {
        return None;
    }
    let mut children = Vec::new();
    for piece in pieces {
        if *parts >= MOST_PARTS {
            break;
        }
        children.push(self::entity(piece, depth + 1, parts));
    }
    Some(children)
}

/// What stands between the delimiters.
fn pieces<'x>(body: &'x [u8], boundary: &[u8]) -> Vec<&'x [u8]> {
    let (mut pieces, mut from, mut at) = (Vec::new(), None, 0);
    while at < body.len() && pieces.len() < MOST_PARTS {
        let end = body[at..].iter().position(|byte| *byte == b'\n').map_or(body.len(), |end| at + end + 1);
        let rest =
            body[at..end].strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary)).map(<[u8]>::trim_ascii);
        if let Some(rest) = rest.filter(|rest| rest.is_empty() || *rest == b"--") {
            if let Some(from) = from {
                // the line end before a delimiter is the delimiter's
                let piece = &body[from..at];
                let piece = piece.strip_suffix(b"\n").map_or(piece, |piece| piece.strip_suffix(b"\r").unwrap_or(piece));
                pieces.push(piece);
            }
            from = rest.is_empty().then_some(end);
            if from.is_none() {
                return pieces;
            }
        }
        at = end;
    }
    if let Some(from) = from.filter(|from| *from < body.len()) {
        pieces.push(&body[from..]);
    }
    pieces
}

/// The boundary of a multipart that names none: the first line that begins with `--` and has a header below it.
fn guessed(body: &[u8]) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = body.split(|byte| *byte == b'\n').take(200).map(<[u8]>::trim_ascii_end).collect();
    let delimiter = |pair: &&[&[u8]]| pair[0].len() > 4 && pair[0].starts_with(b"--") && is_header(pair[1]);
    lines.windows(2).find(delimiter).map(|pair| pair[0][2..].to_vec())
}

//! What a person reads who opens the mail.
//!
//! Plain text where there is some, else the HTML as text with its quotes marked (`html`), then the mails that are attached.
//! Attached text files are no text of the mail, unless there is no other. Of an encrypted mail it is only
//! said that it is one.

use super::mime::{Body, Entity};
use super::{decode, html, words};

/// Bytes of text that are kept.
const LONGEST: usize = 256 * 1024;
/// Bytes of a part that are read.
const LONGEST_PART: usize = 2 * 1024 * 1024;
/// Mails within mails whose text is shown.
const DEEPEST: usize = 3;

/// What stands for a text that cannot be read: an empty one would be taken for a mail in which nobody says anything.
const ENCRYPTED: &str = "[encrypted]";

/// The readable text of a mail and of the mails attached to it.
pub(super) fn readable(root: &Entity) -> String {
    let mut text = own(root);
    forwarded(root, DEEPEST, &mut text);
    if text.is_empty() && root.leaves().into_iter().any(is_encrypted) {
        ENCRYPTED.clone_into(&mut text);
    }
    text.truncate(text.floor_char_boundary(LONGEST));
    text
}

/// The readable text of a mail without what is attached.
pub(super) fn own(root: &Entity) -> String {
    let mut text = body(root).unwrap_or_default();
    if text.trim().is_empty() {
        let attached = root.leaves().into_iter().find(|leaf| leaf.attached && leaf.kind == "text/plain");
        text = attached.map(plain).unwrap_or_default();
    }
    text.truncate(text.floor_char_boundary(LONGEST));
    text.trim_end().to_owned()
}

/// An encrypted part; a signed one was opened before.
fn is_encrypted(leaf: &Entity) -> bool {
    matches!(leaf.kind.as_str(), "application/pkcs7-mime" | "application/x-pkcs7-mime" | "application/pgp-encrypted")
}

/// The attached mails, each below a head that says so.
fn forwarded(root: &Entity, depth: usize, text: &mut String) {
    if root.kind == "multipart/report" || depth == 0 {
        return;
    }
    for leaf in root.leaves() {
        if text.len() >= LONGEST {
            return;
        }
        let Body::Message(_, inner) = &leaf.body else { continue };
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str("---------- Forwarded message ----------\n");
        for name in ["From", "Date", "Subject"] {
            if let Some(value) = inner.header(name) {
                text.extend([name, ": ", value, "\n"]);
            }
        }
        text.push('\n');
        text.push_str(&own(inner));
        forwarded(inner, depth - 1, text);
    }
}

/// The text of a part that is shown when the mail is opened.
fn body(part: &Entity) -> Option<String> {
    match &part.body {
        Body::Bytes(_) if part.attached => None,
        Body::Bytes(_) if is_plain(part) => Some(plain(part)),
        Body::Bytes(bytes) if part.kind == "text/html" => {
            let bytes = bounded(bytes);
            Some(html::text(&decode::text(part.param("charset").or(declared(bytes)), bytes)))
        }
        Body::Bytes(_) | Body::Message(..) => None,
        Body::Parts(parts) => match part.kind.as_str() {
            "multipart/alternative" => alternative(parts),
            // what follows is the signature, the notice for machines, the pictures
            "multipart/signed" | "multipart/report" | "multipart/related" => parts.iter().find_map(body),
            "multipart/encrypted" => None,
            _ => {
                let texts: Vec<String> = parts.iter().filter_map(body).filter(|text| !text.trim().is_empty()).collect();
                (!texts.is_empty()).then(|| texts.join("\n\n"))
            }
        },
    }
}

/// A part without a type is text; a broken multipart is shown as it is.
fn is_plain(part: &Entity) -> bool {
    match part.kind.as_str() {
        "" | "text" | "text/plain" | "text/enriched" | "message/delivery-status" => true,
        kind => kind.starts_with("multipart/"),
    }
}

/// The plain alternative; the page where the plain one is empty or only says that there is a page.
fn alternative(parts: &[Entity]) -> Option<String> {
    let pick =
        |page: bool| parts.iter().filter(|part| is_page(part) == page).filter_map(body).find(|text| !blank(text));
    let (plain, page) = (pick(false), pick(true));
    match (plain, page) {
        (Some(plain), Some(page)) if is_stub(&plain, &page) => Some(page),
        (Some(plain), _) => Some(plain),
        (None, page) => page,
    }
}

fn is_page(part: &Entity) -> bool {
    match &part.body {
        Body::Parts(parts) => part.kind != "multipart/alternative" && parts.first().is_some_and(is_page),
        _ => part.kind == "text/html",
    }
}

fn blank(text: &str) -> bool {
    !text.contains(char::is_alphanumeric)
}

/// "Your program cannot show this": short, and not a word of it stands in the page.
fn is_stub(plain: &str, page: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let (plain, page): (String, String) = (letters(plain), letters(page));
    plain.len() < 200 && page.len() > plain.len() && !page.contains(&plain)
}

/// Not cut within a letter: that would make the whole text look as if it were no UTF-8.
fn bounded(bytes: &[u8]) -> &[u8] {
    if bytes.len() <= LONGEST_PART {
        return bytes;
    }
    let goes_on = |at: &usize| bytes[*at] & 0xc0 == 0x80;
    let end = (LONGEST_PART - 4..=LONGEST_PART).rev().find(|at| !goes_on(at)).unwrap_or(LONGEST_PART);
    &bytes[..end]
}

fn plain(part: &Entity) -> String {
    let text = decode::text(part.param("charset"), bounded(part.bytes()));
    let opening = text.trim_start().get(..15).unwrap_or_default().to_ascii_lowercase();
    if opening.starts_with("<html") || opening.starts_with("<!doctype html") {
        return html::text(&text);
    }
    if part.param("format").is_some_and(|format| format.eq_ignore_ascii_case("flowed")) { flowed(&text) } else { text }
}

/// Lines that were broken only for the way are joined (RFC 3676).
fn flowed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let depth = |line: &str| line.bytes().take_while(|byte| *byte == b'>').count();
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let quotes = depth(line);
        let words = line[quotes..].strip_prefix(' ').unwrap_or(&line[quotes..]);
        match open {
            Some(before) if before == quotes && words != "-- " => out.push_str(words),
            _ => {
                if !out.is_empty() {
                    out.push('\n');
                }
                out.push_str(&line[..quotes]);
                out.push_str(if quotes > 0 { " " } else { "" });
                out.push_str(words);
            }
        }
        open = (words.ends_with(' ') && words != "-- ").then_some(quotes);
    }
    out
}

/// The character set that a page names itself.
fn declared(page: &[u8]) -> Option<&str> {
    let head = &page[..page.len().min(2048)];
    let at = head.windows(8).position(|window| window.eq_ignore_ascii_case(b"charset="))? + 8;
    let name = head[at..].trim_ascii_start();
    let name = name.strip_prefix(b"\"").or(name.strip_prefix(b"'")).unwrap_or(name);
    let end = name.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)).count();
    std::str::from_utf8(&name[..end]).ok()
}

/// What a link leads to, without what may be secret in it: host and path.
pub(super) fn link(text: &str, own: &Entity) -> Option<String> {
    let pages = own.leaves().into_iter().filter(|leaf| leaf.kind == "text/html");
    let pages: Vec<String> = pages.map(|leaf| String::from_utf8_lossy(leaf.bytes()).into_owned()).collect();
    let urls = pages.iter().map(String::as_str).chain([text]).flat_map(urls);
    let mut found: Vec<(bool, String)> =
        urls.map(|url| (words::LINKS.iter().any(|word| url.contains(word)), url)).collect();
    found.sort_by_key(|(sure, _)| !sure);
    found.into_iter().next().map(|(_, url)| url)
}

fn urls(text: &str) -> impl Iterator<Item = String> + '_ {
    let starts = text.match_indices("http").take(50);
    starts.filter_map(|(at, _)| {
        let rest = text[at + 4..].strip_prefix('s').unwrap_or(&text[at + 4..]).strip_prefix("://")?;
        let end = rest.find(|c: char| c.is_whitespace() || "\"'<>?#&;)".contains(c)).unwrap_or(rest.len()).min(200);
        let url = &rest[..rest.floor_char_boundary(end)];
        // "user:password@host"
        let (host, path) = url.split_once('/').unwrap_or((url, ""));
        let host = host.rsplit('@').next().unwrap_or(host);
        let path: Vec<&str> = path.split('/').map(|step| if is_secret(step) { "…" } else { step }).collect();
        host.contains('.').then(|| format!("{host}/{}", path.join("/")).to_lowercase())
    })
}

/// A step of a path that may be a key: long, with digits in it.
fn is_secret(step: &str) -> bool {
    step.len() > 20 && step.contains(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(raw: &str) -> String {
        readable(&Entity::read(raw.as_bytes()))
    }

    #[test]
    fn the_plain_alternative_is_read_unless_it_only_points_at_the_page() {
        let mail = |plain: &str| {
            shown(&format!(
                "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n{plain}\n--b\n\
                 Content-Type: text/html\n\n<p>Der Server steht.</p><p>Bitte <b>kommen</b>.</p>\n--b--\n"
            ))
        };
        assert_eq!(mail("Der Server steht."), "Der Server steht.");
        assert_eq!(mail("Ihr Programm zeigt kein HTML."), "Der Server steht.\n\nBitte kommen.");
        assert_eq!(mail(" \n"), "Der Server steht.\n\nBitte kommen.");
    }

    #[test]
    fn a_broken_structure_is_read_as_far_as_it_goes() {
        let unclosed = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nHilfe";
        assert_eq!(shown(unclosed), "Hilfe");
        let unnamed = "Content-Type: multipart/mixed\n\n--xyz\nContent-Type: text/plain\n\nHilfe\n--xyz--\n";
        assert_eq!(shown(unnamed), "Hilfe");
        let wrong = "Content-Type: multipart/mixed; boundary=b\n\nHilfe, alles steht\n";
        assert_eq!(shown(wrong), "Hilfe, alles steht");
        let torn = "X-Mailer: x\n\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nHilfe\n--b--\n";
        assert_eq!(shown(torn), "Hilfe");
        assert_eq!(shown("kein Kopf\n\nnur Text"), "kein Kopf\n\nnur Text");
    }

    #[test]
    fn flowed_lines_are_joined() {
        let raw = "Content-Type: text/plain; format=flowed\n\nDer Server \nsteht.\n> ja \n> doch\n-- \nAnna\n";
        assert_eq!(shown(raw), "Der Server steht.\n> ja doch\n-- \nAnna");
    }

    #[test]
    fn a_link_is_shown_without_what_is_secret_in_it() {
        let text =
            "https://www.provider.example/ oder https://u:p@box.example/voicemail/aB3xxxxxxxxxxxxxxxxxxxxxxx?t=1";
        assert_eq!(link(text, &Entity::default()).as_deref(), Some("box.example/voicemail/…"));
        assert_eq!(link("nichts", &Entity::default()), None);
    }
}

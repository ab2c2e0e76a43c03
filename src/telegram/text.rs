//! Telegram's HTML: writing text into it, reading the text out of it, and cutting it into messages.
//!
//! It promises: what [`escape`] gives is shown as it was written and can open no tag; every piece [`split`] gives is
//! valid by itself, whatever it was given. Lengths are counted as Telegram counts them: UTF-16 units of the text that
//! is shown, tags and entities not included. Pure.

/// Longest text of a message, in UTF-16 units as shown.
pub const TEXT_MAX: usize = 4096;

/// Longest caption of a voice message or document, in UTF-16 units as shown.
pub const CAPTION_MAX: usize = 1024;

/// All tags the Bot API knows. Anything else that begins with `<` is text to us, and an error to Telegram.
const TAGS: [&str; 16] = [
    "a",
    "b",
    "blockquote",
    "code",
    "del",
    "em",
    "i",
    "ins",
    "pre",
    "s",
    "span",
    "strike",
    "strong",
    "tg-emoji",
    "tg-spoiler",
    "u",
];

/// A part of Telegram's HTML.
#[derive(Clone, Copy)]
enum Token<'a> {
    Open {
        name: &'a str,
        raw: &'a str,
    },
    Close {
        name: &'a str,
    },
    /// One character as it stands in HTML and as it is shown.
    Char {
        raw: &'a str,
        shown: char,
    },
}

/// Makes text safe to stand in Telegram's HTML, in attributes too: `&`, `<`, `>` and `"` are written as entities.
/// Invisible marks that turn the reading direction are dropped: a caller's name must not rearrange the line it is in.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars().filter(|c| !turns_direction(*c)) {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\0' => {}
            other => escaped.push(other),
        }
    }
    escaped
}

/// The text that is shown for this HTML: tags dropped, entities read. What is not valid HTML is shown as it stands.
#[must_use]
pub fn plain(html: &str) -> String {
    let shown = |token: Token<'_>| match token {
        Token::Char { shown, .. } => Some(shown),
        Token::Open { .. } | Token::Close { .. } => None,
    };
    tokens(html).into_iter().filter_map(shown).collect()
}

/// How long Telegram finds this HTML: UTF-16 units of the text that is shown.
#[must_use]
pub fn shown_length(html: &str) -> usize {
    plain(html).encode_utf16().count()
}

/// Cuts HTML into pieces of at most `limit` UTF-16 units as shown (at least 2, so that every character fits), each valid
/// by itself: open tags are closed at the end of a piece and opened again in the next. It cuts after a line if that
/// leaves the piece at least half full, else after a word, else anywhere but inside a tag or an entity.
///
/// The pieces together show what the whole shows, except pieces of nothing but white space: nobody could see those, and
/// Telegram refuses them. Broken HTML comes out mended: a stray `<` or `&` as an entity, tags closed in order.
#[must_use]
pub fn split(html: &str, limit: usize) -> Vec<String> {
    let tokens = tokens(html);
    let mut pieces = Vec::new();
    let mut open = Vec::new();
    let mut rest = tokens.as_slice();
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(piece_end(rest, limit.max(2)));
        let written = write(piece, &mut open);
        if piece.iter().any(|token| matches!(token, Token::Char { shown, .. } if !shown.is_whitespace())) {
            pieces.push(written);
        }
        rest = later;
    }
    pieces
}

/// How many tokens belong to the piece that begins here.
fn piece_end(tokens: &[Token<'_>], limit: usize) -> usize {
    let mut units = 0;
    let (mut line, mut word) = (None, None);
    // before the first word there is nothing to cut behind: a piece of white space would be lost
    let mut seen = false;
    let mut cut = tokens.len();
    for (at, token) in tokens.iter().enumerate() {
        let Token::Char { shown, .. } = token else { continue };
        if units + shown.len_utf16() > limit {
            cut = line.or(word).unwrap_or(at);
            break;
        }
        units += shown.len_utf16();
        seen |= !shown.is_whitespace();
        if !seen {
            continue;
        }
        if *shown == '\n' && units * 2 >= limit {
            line = Some(at + 1);
        } else if shown.is_whitespace() {
            word = Some(at + 1);
        }
    }
    // closing tags take no room: better here than as an empty pair in the next piece
    cut + tokens[cut..].iter().take_while(|token| matches!(token, Token::Close { .. })).count()
}

/// Writes one piece: what was open before, the tokens, and the ends of what is open now. `open` is carried on.
fn write<'a>(tokens: &[Token<'a>], open: &mut Vec<(&'a str, &'a str)>) -> String {
    let mut html: String = open.iter().map(|(_, raw)| *raw).collect();
    for token in tokens {
        match *token {
            Token::Open { name, raw } => {
                open.push((name, raw));
                html.push_str(raw);
            }
            Token::Close { name } => {
                let Some(depth) = open.iter().rposition(|(opened, _)| opened.eq_ignore_ascii_case(name)) else {
                    continue;
                };
                close(&mut html, &open.split_off(depth));
            }
            Token::Char { raw, .. } => html.push_str(raw),
        }
    }
    close(&mut html, open);
    html
}

fn close(html: &mut String, open: &[(&str, &str)]) {
    for (name, _) in open.iter().rev() {
        html.push_str("</");
        html.push_str(name);
        html.push('>');
    }
}

fn tokens(html: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::with_capacity(html.len());
    let mut rest = html;
    while let Some(c) = rest.chars().next() {
        let (token, length) = match c {
            '<' => tag(rest).unwrap_or((Token::Char { raw: "&lt;", shown: '<' }, 1)),
            '&' => entity(rest).unwrap_or((Token::Char { raw: "&amp;", shown: '&' }, 1)),
            _ => (Token::Char { raw: &rest[..c.len_utf8()], shown: c }, c.len_utf8()),
        };
        tokens.push(token);
        rest = &rest[length..];
    }
    tokens
}

/// The tag at the beginning of `html` and its length in bytes.
fn tag(html: &str) -> Option<(Token<'_>, usize)> {
    let inside = html.strip_prefix('<')?;
    let closing = inside.starts_with('/');
    let inside = inside.strip_prefix('/').unwrap_or(inside);
    let name_end = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '-')?;
    let (name, rest) = inside.split_at(name_end);
    if !TAGS.iter().any(|known| known.eq_ignore_ascii_case(name)) || !rest.starts_with(|c: char| " \n\t\r>".contains(c))
    {
        return None;
    }
    let mut quote = None;
    let end = rest.find(|c: char| {
        match quote {
            Some(mark) if c == mark => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            _ => {}
        }
        quote.is_none() && c == '>'
    })?;
    if closing && !rest[..end].trim().is_empty() {
        return None;
    }
    let length = html.len() - rest.len() + end + 1;
    let token = if closing { Token::Close { name } } else { Token::Open { name, raw: &html[..length] } };
    Some((token, length))
}

/// The entity at the beginning of `html` and its length in bytes. Telegram knows four names and all numbers.
fn entity(html: &str) -> Option<(Token<'_>, usize)> {
    let end = html.bytes().take(12).position(|byte| byte == b';')?;
    let shown = match &html[1..end] {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        number => {
            let number = number.strip_prefix('#').filter(|number| !number.contains('+'))?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?).filter(|c| *c != '\0')?
        }
    };
    Some((Token::Char { raw: &html[..=end], shown }, end + 1))
}

/// Embeddings, overrides and isolates of the bidirectional algorithm.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_text_is_shown_as_it_was_written() {
        let text = r#"<b>Müller & Söhne</b> "x" 'y' &lt; &#39; 🚨"#;
        assert!(!escape(text).contains(['<', '>', '"']));
        assert_eq!(plain(&escape(text)), text);
        assert_eq!(escape("a\u{202E}b\0\u{2067}"), "ab");
    }

    #[test]
    fn broken_html_is_shown_and_not_swallowed() {
        for text in ["3 < 4 & 5 > 2", "a <müller> b", "<script>x</script>", "R&D; &nbsp;", "<b", "</b x>", "&#0;", "&"]
        {
            assert_eq!(plain(text), text);
        }
        assert_eq!(plain(r#"<a href="x>y">link</a> <B>x</B ><b/>"#), "link x<b/>");
    }

    #[test]
    fn text_that_fits_stays_as_it_is() {
        let html = r#"<b>Vorgang</b> &amp; <a href="https://example.org/?a=1&amp;b=2">Seite</a>"#;
        assert_eq!(split(html, TEXT_MAX), [html]);
        assert!(split(" \n ", TEXT_MAX).is_empty());
        assert!(split("", TEXT_MAX).is_empty());
    }

    #[test]
    fn tags_are_closed_at_the_cut_and_opened_again_behind_it() {
        let pieces = split("<b>eins <i>zwei drei</i></b> vier", 10);
        assert_eq!(pieces, ["<b>eins <i>zwei </i></b>", "<b><i>drei</i></b> vier"]);
    }

    #[test]
    fn lines_go_before_words_and_words_before_letters() {
        assert_eq!(split("eins zwei\ndrei vier", 14), ["eins zwei\n", "drei vier"]);
        assert_eq!(split("a\neins zwei drei", 14), ["a\neins zwei ", "drei"]);
        assert_eq!(split("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(split("abc defg", 3), ["abc", " de", "fg"]);
    }

    #[test]
    fn an_entity_counts_once_and_is_never_cut() {
        assert_eq!(split("&amp;&lt;&#128680;x", 2), ["&amp;&lt;", "&#128680;", "x"]);
        assert_eq!(shown_length("&amp;<b>🚨</b>"), 3);
    }

    #[test]
    fn broken_html_comes_out_mended() {
        assert_eq!(split("<b>a <i>b</b> c</i> < & d", 100), ["<b>a <i>b</i></b> c &lt; &amp; d"]);
    }
}

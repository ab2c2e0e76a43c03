//! HTML becomes the text that a person sees: blocks are lines, quotes begin with `>`, what is not shown is left out.
//!
//! Not a browser: broken markup is read as far as it goes, in one pass, without recursion.

use mail_parser::decoders::html::add_html_token;

/// Elements that begin and end a line.
const BLOCKS: [&str; 22] = [
    "p",
    "div",
    "br",
    "tr",
    "li",
    "ul",
    "ol",
    "table",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "pre",
    "section",
    "article",
    "header",
    "footer",
    "address",
    "blockquote",
];
/// Elements whose content nobody sees.
const UNSEEN: [&str; 7] = ["head", "style", "script", "title", "template", "noscript", "svg"];

/// The text of a page.
pub(super) fn text(html: &str) -> String {
    let mut page = Page::default();
    let mut rest = html;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix("<!--") {
            rest = inner.find("-->").map_or("", |end| &inner[end + 3..]);
        } else if is_tag(rest) {
            let end = end_of_tag(rest);
            page.tag(&rest[1..end]);
            rest = rest.get(end + 1..).unwrap_or_default();
            rest = page.skip_unseen(rest);
        } else {
            let first = rest.chars().next().map_or(1, char::len_utf8);
            let end = rest[first..].find(['<', '&']).map_or(rest.len(), |end| end + first);
            let end = if rest.starts_with('&') { entity(rest) } else { end };
            page.words(&rest[..end]);
            rest = &rest[end..];
        }
    }
    page.finished()
}

fn is_tag(rest: &str) -> bool {
    rest.starts_with('<') && rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'))
}

/// Where a tag closes: a `>` within a quoted attribute does not count.
fn end_of_tag(rest: &str) -> usize {
    let mut quote = None;
    for (at, byte) in rest.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at,
            (None, b'"' | b'\'') if rest.as_bytes()[at - 1] == b'=' => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    // a quote that never closes
    rest.find('>').unwrap_or(rest.len())
}

/// The length of the entity at the beginning, or of the lone `&`.
fn entity(rest: &str) -> usize {
    let name = rest[1..].bytes().take(32).take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'#').count();
    if name > 0 && rest.as_bytes().get(name + 1) == Some(&b';') { name + 2 } else { 1 }
}

#[derive(Default)]
struct Page {
    out: String,
    /// The line that is being written.
    line: String,
    quotes: usize,
    unseen: Option<String>,
    /// Elements of that kind that never close.
    open: Vec<String>,
    space: bool,
}

impl Page {
    fn tag(&mut self, tag: &str) {
        let closes = tag.starts_with('/');
        let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        let name = name.to_ascii_lowercase();
        if UNSEEN.contains(&name.as_str()) && !closes && !tag.ends_with('/') {
            self.unseen = Some(name);
            return;
        }
        match name.as_str() {
            "td" | "th" if !closes => self.space = true,
            "blockquote" if closes => {
                self.end_line();
                self.quotes = self.quotes.saturating_sub(1);
            }
            "blockquote" => {
                self.end_line();
                self.quotes = (self.quotes + 1).min(9);
            }
            "br" => self.end_line_even_if_empty(),
            "p" => {
                self.end_line();
                if closes {
                    self.blank_line();
                }
            }
            "li" if !closes => {
                self.end_line();
                self.line.push_str("- ");
            }
            block if BLOCKS.contains(&block) => self.end_line(),
            _ => {}
        }
    }

    /// Jumps over an element that nobody sees. One that never closes is shown after all: better too much than nothing.
    fn skip_unseen<'x>(&mut self, rest: &'x str) -> &'x str {
        let Some(name) = self.unseen.take().filter(|name| !self.open.contains(name)) else { return rest };
        let close = format!("</{name}");
        let found = rest
            .char_indices()
            .filter(|(_, c)| *c == '<')
            .find(|(at, _)| rest.get(*at..*at + close.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(&close)));
        let Some((at, _)) = found else {
            self.open.push(name);
            return rest;
        };
        &rest[at..]
    }

    fn words(&mut self, text: &str) {
        let mut decoded = String::new();
        if text.len() > 2 && text.starts_with('&') {
            add_html_token(&mut decoded, text.as_bytes(), false);
        } else {
            decoded.push_str(text);
        }
        for c in decoded.chars() {
            if c.is_whitespace() || c == '\u{a0}' {
                self.space = true;
            } else if !matches!(c, '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{feff}' | '\u{ad}' | '\0') {
                if self.space && !self.line.is_empty() && !self.line.ends_with(' ') {
                    self.line.push(' ');
                }
                self.space = false;
                self.line.push(c);
            }
        }
    }

    fn end_line(&mut self) {
        if !self.line.trim().is_empty() {
            self.end_line_even_if_empty();
        }
        self.line.clear();
        self.space = false;
    }

    fn end_line_even_if_empty(&mut self) {
        let blank = self.line.trim().is_empty();
        if !(blank && (self.out.is_empty() || self.out.ends_with("\n\n"))) {
            if self.quotes > 0 {
                self.out.push_str(&">".repeat(self.quotes));
                self.out.push(' ');
            }
            self.out.push_str(self.line.trim_end());
            self.out.push('\n');
        }
        self.line.clear();
        self.space = false;
    }

    fn blank_line(&mut self) {
        if self.quotes == 0 && !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn finished(mut self) -> String {
        self.end_line();
        self.out.truncate(self.out.trim_end().len());
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_lines_and_quotes_are_marked() {
        let page = "<html><head><style>p{x:1}</style><title>t</title></head><BODY><p>Gr&uuml;&szlig; Gott,<br>der Server \
                    &#228;chzt</p><div>48&nbsp;&euro;</div><blockquote>alt<br>er</blockquote>neu</body></html>";
        assert_eq!(text(page), "Grüß Gott,\nder Server ächzt\n\n48 €\n> alt\n> er\nneu");
        assert_eq!(
            text("<table><tr><th>Anruf von</th><td>0170</td></tr><tr><td>a</td></tr></table>"),
            "Anruf von 0170\na"
        );
    }

    #[test]
    fn broken_markup_is_read_as_far_as_it_goes() {
        for (page, shown) in [
            ("a < b & c &amp; d", "a < b & c & d"),
            ("<p>x<", "x<"),
            ("<p title=\"a>b\">x", "x"),
            ("<p title=\"a>x", "x"),
            ("<style>Hilfe", "Hilfe"),
            ("<!-- a <b> -->x<!-- ", "x"),
            ("&#xZZ; &unknown; &", "\u{fffd}&unknown; &"),
            ("", ""),
            ("<", "<"),
            ("ä<ü", "ä<ü"),
        ] {
            assert_eq!(text(page).replace("&#xZZ; ", "\u{fffd}"), shown, "{page}");
        }
    }
}

//! Rich text as Outlook packs it: unpacked ([MS-OXRTFCP]) and read as plain text. Formatting is dropped.

use super::decode;

/// What every packed text may refer back to.
const PRESET: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const WINDOW: usize = 4096;
/// Bytes of rich text that are read.
const LONGEST: usize = 4 * 1024 * 1024;

/// Unpacks; `None` where it is no packed rich text.
pub(super) fn decompressed(packed: &[u8]) -> Option<Vec<u8>> {
    let (head, data) = packed.split_at_checked(16)?;
    match &head[8..12] {
        b"MELA" => return Some(data.to_vec()),
        b"LZFu" => {}
        _ => return None,
    }
    let mut window = [b' '; WINDOW];
    window[..PRESET.len()].copy_from_slice(PRESET);
    let (mut at, mut out, mut bytes) = (PRESET.len(), Vec::new(), data.iter().copied());
    'all: while let Some(flags) = bytes.next() {
        for bit in 0..8 {
            if out.len() > LONGEST {
                break 'all;
            }
            if flags >> bit & 1 == 0 {
                let Some(byte) = bytes.next() else { break 'all };
                (window[at], at) = (byte, (at + 1) % WINDOW);
                out.push(byte);
                continue;
            }
            let (Some(high), Some(low)) = (bytes.next(), bytes.next()) else { break 'all };
            let from = usize::from(high) << 4 | usize::from(low) >> 4;
            if from == at {
                break 'all;
            }
            for step in 0..usize::from(low & 15) + 2 {
                let byte = window[(from + step) % WINDOW];
                (window[at], at) = (byte, (at + 1) % WINDOW);
                out.push(byte);
            }
        }
    }
    Some(out)
}

/// The words of a rich text.
pub(super) fn text(rich: &[u8]) -> String {
    let mut reader = Rich { rest: rich, out: Vec::new(), hidden: None, depth: 0, html: false };
    while !reader.rest.is_empty() {
        reader.step();
    }
    let text = String::from_utf8_lossy(&reader.out).into_owned();
    if reader.html { super::html::text(&text) } else { text.trim().to_owned() }
}

struct Rich<'x> {
    rest: &'x [u8],
    /// UTF-8.
    out: Vec<u8>,
    /// The depth of the group that is not shown.
    hidden: Option<usize>,
    depth: usize,
    /// HTML that was wrapped into rich text.
    html: bool,
}

impl Rich<'_> {
    fn step(&mut self) {
        let byte = self.rest[0];
        self.rest = &self.rest[1..];
        match byte {
            b'{' => self.depth += 1,
            b'}' => {
                self.depth = self.depth.saturating_sub(1);
                self.hidden = self.hidden.filter(|hidden| *hidden <= self.depth);
            }
            b'\\' => self.control(),
            b'\r' | b'\n' => {}
            byte => self.show(&[byte]),
        }
    }

    fn show(&mut self, bytes: &[u8]) {
        if self.hidden.is_none() {
            self.out.extend_from_slice(decode::western(bytes).as_bytes());
        }
    }

    fn control(&mut self) {
        let letters = self.rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        if letters == 0 {
            return self.sign();
        }
        let (name, rest) = self.rest.split_at(letters);
        let digits = rest.iter().take(8).take_while(|byte| byte.is_ascii_digit() || **byte == b'-').count();
        let (number, rest) = rest.split_at(digits);
        self.rest = rest.strip_prefix(b" ").unwrap_or(rest);
        let number = std::str::from_utf8(number).ok().and_then(|digits| digits.parse::<i32>().ok());
        match name {
            b"par" | b"line" | b"row" => self.show(b"\n"),
            b"tab" | b"cell" => self.show(b" "),
            b"u" => {
                let code = u32::try_from(number.unwrap_or_default().rem_euclid(0x1_0000)).unwrap_or_default();
                if let (Some(c), None) = (char::from_u32(code), self.hidden) {
                    self.out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                // the sign that stands there for old readers
                self.rest = match self.rest {
                    [b'\\', b'\'', _, _, rest @ ..] | [b'?', rest @ ..] | rest => rest,
                };
            }
            b"fromhtml" => self.html = true,
            b"fonttbl" | b"colortbl" | b"stylesheet" | b"info" | b"pict" => self.hide(),
            b"htmlrtf" if number == Some(0) => self.hidden = self.hidden.filter(|hidden| *hidden != 0),
            b"htmlrtf" => self.hidden = self.hidden.or(Some(0)),
            _ => {}
        }
    }

    fn sign(&mut self) {
        let [sign, rest @ ..] = self.rest else { return };
        self.rest = rest;
        match sign {
            b'\'' => {
                let hex = rest.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
                if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                    self.rest = &rest[2..];
                    self.show(&[byte]);
                }
            }
            b'*' if rest.starts_with(b"\\htmltag") => {
                let end = rest.iter().position(|byte| matches!(byte, b' ' | b'<' | b'}')).unwrap_or(rest.len());
                self.rest = rest[end..].strip_prefix(b" ").unwrap_or(&rest[end..]);
            }
            b'*' => self.hide(),
            b'~' => self.show(b" "),
            b'\\' | b'{' | b'}' => self.show(&[*sign]),
            _ => {}
        }
    }

    fn hide(&mut self) {
        self.hidden = self.hidden.or(Some(self.depth));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_rich_text_is_read() {
        // the example of the public description of the format
        let packed = [
            0x2d, 0, 0, 0, 0x2b, 0, 0, 0, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0x00, 0x0a, 0x00, 0x72,
            0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09, 0x00, 0x20, 0x62,
            0x77, 0x05, 0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0,
        ];
        let rich = decompressed(&packed).unwrap();
        assert_eq!(String::from_utf8_lossy(&rich), "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
        assert_eq!(text(&rich), "hello world");
    }

    #[test]
    fn letters_groups_and_wrapped_html_are_read() {
        assert_eq!(text(b"{\\rtf1{\\fonttbl{\\f0 Arial;}}Gr\\'fc\\'dfe\\par\\u8364?48}"), "Grüße\n€48");
        let wrapped = b"{\\rtf1\\fromhtml1{\\*\\htmltag64 <p>}\\htmlrtf {\\b\\htmlrtf0 Hallo{\\*\\htmltag72 </p>}}";
        assert_eq!(text(wrapped), "Hallo");
        for broken in [&b"\\"[..], b"\\'", b"\\'f", b"}}}{{\\u-99999", b"\\*", b"\\u"] {
            text(broken);
        }
    }
}

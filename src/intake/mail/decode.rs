//! Bytes of a mail become text: transfer encodings, character sets, folded and encoded headers.
//!
//! Lenient: what is broken is read as far as it goes, and never panics. What a mail says of its character set is believed
//! only where the bytes fit.

use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::parsers::MessageStream;

/// The content of a part behind its `Content-Transfer-Encoding`.
pub(super) fn transfer(encoding: &str, body: &[u8]) -> Vec<u8> {
    match encoding.trim().to_ascii_lowercase().as_str() {
        "base64" if looks_like_base64(body) => base64(body),
        "quoted-printable" => quoted_printable(body),
        _ => body.to_vec(),
    }
}

/// A mailer that names base64 and sends text would otherwise turn into garbage.
fn looks_like_base64(body: &[u8]) -> bool {
    let sample = &body[..body.len().min(4096)];
    let odd = sample.iter().filter(|byte| sextet(**byte).is_none() && !b"=\r\n \t".contains(byte)).count();
    let lines = || sample.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let spaced = lines().filter(|line| line.contains(&b' ')).count();
    odd * 20 <= sample.len() && spaced * 4 <= lines().count()
}

fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}

/// Base64 that skips what does not belong, and goes on behind padding in the middle.
pub(super) fn base64(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() / 4 * 3);
    let (mut word, mut bits) = (0_u32, 0_u32);
    for byte in body {
        if *byte == b'=' {
            (word, bits) = (0, 0);
        } else if let Some(value) = sextet(*byte) {
            word = (word << 6 | value) & 0xff_ffff;
            bits += 6;
            if bits >= 8 {
                bits -= 8;
                out.push(u8::try_from(word >> bits & 0xff).unwrap_or_default());
            }
        }
    }
    out
}

/// Quoted-printable; a `=` that opens nothing stays as it is.
pub(super) fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(body.len());
    let mut at = 0;
    while let Some(byte) = body.get(at) {
        at += 1;
        if *byte != b'=' {
            out.push(*byte);
            continue;
        }
        let rest = &body[at..];
        let blank = rest.iter().take_while(|byte| b" \t\r".contains(byte)).count();
        if let (Some(high), Some(low)) = (hex(rest.first()), hex(rest.get(1))) {
            out.push(u8::try_from(high * 16 + low).unwrap_or_default());
            at += 2;
        } else if rest.get(blank) == Some(&b'\n') {
            at += blank + 1;
        } else if !rest.is_empty() {
            out.push(b'=');
        }
    }
    out
}

/// The text of bytes that say to be in `charset`: UTF-8 where they are valid UTF-8, else what they say, else Windows-1252.
pub(super) fn text(charset: Option<&str>, bytes: &[u8]) -> String {
    let charset = charset.unwrap_or_default().trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    let wide = ["utf-16", "utf16", "utf-7", "utf7", "iso-2022", "utf-32", "hz-gb"];
    let own = charset_decoder(charset.as_bytes()).filter(|_| !charset.starts_with("utf-8") && charset != "utf8");
    if let Some(decoder) = own.filter(|_| wide.iter().any(|name| charset.starts_with(name))) {
        return clean(decoder(bytes));
    }
    match std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)) {
        Ok(text) => clean(text.to_owned()),
        Err(_) => clean(own.map_or_else(|| western(bytes), |decoder| decoder(bytes))),
    }
}

/// Windows-1252, of which ISO-8859-1 is a part.
pub(super) fn western(bytes: &[u8]) -> String {
    charset_decoder(b"windows-1252")
        .map_or_else(|| String::from_utf8_lossy(bytes).into_owned(), |decoder| decoder(bytes))
}

/// One kind of line end, and no NUL.
fn clean(text: String) -> String {
    if text.contains(['\r', '\0']) { text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "") } else { text }
}

/// A header's value: unfolded, encoded words decoded.
pub(super) fn header(raw: &str) -> String {
    let flat = raw.replace(['\r', '\n', '\0'], " ");
    let flat = flat.trim();
    if !flat.contains("=?") {
        return flat.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    let mut line = String::with_capacity(flat.len() + 1);
    line.push_str(flat);
    line.push('\n');
    let decoded = MessageStream::new(line.as_bytes()).parse_unstructured().into_text();
    let decoded = decoded.map_or_else(|| flat.to_owned(), std::borrow::Cow::into_owned);
    decoded.replace(['\r', '\n', '\0'], " ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_base64_is_read_as_far_as_it_goes() {
        assert_eq!(base64(b"SGFs\r\nbG8="), b"Hallo");
        assert_eq!(base64(b"SGFs!*bG8"), b"Hallo");
        assert_eq!(base64(b"SGE=SGE="), b"HaHa");
        assert_eq!(
            transfer("base64", b"Der Server steht still.\nBitte melden.\n"),
            b"Der Server steht still.\nBitte melden.\n"
        );
    }

    #[test]
    fn quoted_printable_survives_a_lone_equals_sign() {
        assert_eq!(quoted_printable(b"f=FCr=\r\n dich, 1=1 =3D ="), b"f\xfcr dich, 1=1 = ");
        assert_eq!(quoted_printable(b"a=4"), b"a=4");
    }

    #[test]
    fn a_wrong_character_set_is_not_believed() {
        assert_eq!(text(Some("utf-8"), b"f\xfcr"), "für");
        assert_eq!(text(Some("iso-8859-1"), "für".as_bytes()), "für");
        assert_eq!(text(Some("iso-8859-15"), b"48 \xa4"), "48 €");
        assert_eq!(text(Some("x-unknown"), b"f\xfcr"), "für");
        assert_eq!(text(None, b"a\r\nb\0"), "a\nb");
        assert_eq!(text(Some("utf-16le"), b"J\0a\0"), "Ja");
    }

    #[test]
    fn a_header_is_unfolded_and_decoded() {
        assert_eq!(header("=?UTF-8?Q?B=C3=BCro?=\r\n =?utf-8?B?IG9mZmVu?="), "Büro offen");
        assert_eq!(header(" [PBX]: New\r\n message "), "[PBX]: New message");
        assert_eq!(header("=?bad"), "=?bad");
    }
}

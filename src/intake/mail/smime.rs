//! The content of a mail that was signed the closed way (S/MIME `signed-data`, RFC 5652): what stands inside is cut out.
//!
//! Nothing is verified: whether a signature is good is not asked, what was written is. An encrypted mail gives nothing.

/// 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const SEQUENCE: u8 = 0x30;
const OID: u8 = 0x06;
const OCTETS: u8 = 0x04;
const OCTETS_IN_PIECES: u8 = 0x24;
const EXPLICIT: u8 = 0xa0;
/// Pieces within pieces.
const DEEPEST: usize = 8;

/// What was signed; `None` where it is encrypted, detached or broken.
pub(super) fn signed(der: &[u8]) -> Option<Vec<u8>> {
    let (outer, _) = value(der, SEQUENCE)?;
    let (kind, rest) = value(outer, OID)?;
    if kind != SIGNED_DATA {
        return None;
    }
    let (data, _) = value(value(rest, EXPLICIT)?.0, SEQUENCE)?;
    // version, digest algorithms, then what was signed
    let (_, _, rest) = any(data)?;
    let (_, _, rest) = any(rest)?;
    let (inner, _) = value(rest, SEQUENCE)?;
    let (_, rest) = value(inner, OID)?;
    let (tag, body, _) = any(value(rest, EXPLICIT)?.0)?;
    let mut content = Vec::new();
    octets(tag, body, DEEPEST, &mut content)?;
    Some(content)
}

fn octets(tag: u8, mut body: &[u8], depth: usize, out: &mut Vec<u8>) -> Option<()> {
    match tag {
        OCTETS => out.extend_from_slice(body),
        OCTETS_IN_PIECES if depth > 0 => {
            while let Some((tag, piece, rest)) = any(body) {
                octets(tag, piece, depth - 1, out)?;
                body = rest;
            }
        }
        _ => return None,
    }
    Some(())
}

fn value(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    any(der).and_then(|(tag, body, rest)| (tag == wanted).then_some((body, rest)))
}

/// The first value: its tag, its body, what follows it.
fn any(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    element(der, 0)
}

fn element(der: &[u8], depth: usize) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, &first, rest) = match der {
        [tag, first, rest @ ..] if *tag != 0 => (tag, first, rest),
        _ => return None,
    };
    if first == 0x80 {
        return open_ended(rest, depth).map(|(body, rest)| (tag, body, rest));
    }
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        let digits = rest.get(..count).filter(|_| count <= 4)?;
        (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), &rest[count..])
    };
    // a file that was cut off ends where it ends
    let length = length.min(rest.len());
    Some((tag, &rest[..length], &rest[length..]))
}

/// A value without a length: up to its two zero bytes.
fn open_ended(start: &[u8], depth: usize) -> Option<(&[u8], &[u8])> {
    let mut rest = start;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(&[0, 0]) {
            return Some((&start[..start.len() - rest.len()], after));
        }
        if depth >= DEEPEST {
            return None;
        }
        rest = element(rest, depth + 1)?.2;
    }
    Some((start, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bytes_panic_and_nonsense_gives_nothing() {
        for der in
            [&b""[..], b"0", b"0\x80", &[0x30; 300], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 6], &[0x24, 0x80, 0, 0]]
        {
            assert_eq!(signed(der), None);
        }
    }
}

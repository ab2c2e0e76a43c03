//! Frames of FreeSWITCH's event socket: header lines, an empty line, and as many bytes as `Content-Length` says. Pure.
//!
//! Promises: no bytes make it panic, nothing grows without bound, and a frame comes out the same however its bytes were
//! cut on the way. A frame that cannot be understood ends the connection: there is no way to find the next one.

/// Longest block of headers, in bytes.
const HEADERS_MAX: usize = 64 * 1024;
/// Longest body, in bytes: some 25,000 messages in a mailbox.
const BODY_MAX: usize = 16 * 1024 * 1024;

/// One frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Frame {
    headers: Vec<(String, String)>,
    /// What follows the headers; most frames have none.
    pub(super) body: Vec<u8>,
}

/// Why the bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    #[error("its headers do not end")]
    Headers,
    #[error("it announces a body whose length is no number")]
    Length,
    #[error("it announces more than 16 MiB")]
    TooLong,
}

impl Frame {
    /// The first header of that name, whatever its case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// What kind of frame it is: `auth/request`, `command/reply`, `api/response`, `text/event-plain` …
    pub(super) fn kind(&self) -> &str {
        self.header("Content-Type").unwrap_or_default()
    }

    /// The value of a header of the event in the body, decoded.
    pub(super) fn event(&self, name: &str) -> Option<String> {
        find(&headers(&self.body), name).map(percent_decoded)
    }
}

/// Bytes as they come, frames as they are whole.
#[derive(Debug, Default)]
pub(super) struct Frames {
    buffer: Vec<u8>,
}

impl Frames {
    /// Where the next bytes go, at the end.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// The next whole frame, if its bytes have come.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        let blank = self.buffer.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        self.buffer.drain(..blank);
        let Some((end, body)) = headers_end(&self.buffer) else {
            return if self.buffer.len() > HEADERS_MAX { Err(FrameError::Headers) } else { Ok(None) };
        };
        if end > HEADERS_MAX {
            return Err(FrameError::Headers);
        }
        let headers = headers(&self.buffer[..end]);
        let length = match find(&headers, "Content-Length") {
            None => 0,
            Some(text) => text.parse::<usize>().map_err(|_| FrameError::Length)?,
        };
        if length > BODY_MAX {
            return Err(FrameError::TooLong);
        }
        if self.buffer.len() < body + length {
            return Ok(None);
        }
        let rest = self.buffer.split_off(body + length);
        let whole = std::mem::replace(&mut self.buffer, rest);
        Ok(Some(Frame { headers, body: whole[body..].to_vec() }))
    }
}

/// Where the headers end and where the body begins.
fn headers_end(bytes: &[u8]) -> Option<(usize, usize)> {
    let bytes = &bytes[..bytes.len().min(HEADERS_MAX + 4)];
    (0..bytes.len()).find_map(|at| match bytes[at..] {
        [b'\n', b'\n', ..] => Some((at, at + 2)),
        [b'\n', b'\r', b'\n', ..] => Some((at, at + 3)),
        _ => None,
    })
}

/// The lines `Name: value`, up to the first empty one.
fn headers(bytes: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().map(str::trim_end).take_while(|line| !line.is_empty());
    let pairs = lines.filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// `%41` becomes `A`; what is no such triple stays.
fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        let pair = if bytes[at] == b'%' { digit(at + 1).zip(digit(at + 2)) } else { None };
        let byte = pair.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        decoded.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TALK: &str = "Content-Type: auth/request\n\nContent-Type: command/reply\nReply-Text: +OK accepted\n\n\
        Content-Length: 94\nContent-Type: text/event-plain\n\nEvent-Subclass: vm%3A%3Amaintenance\n\
        VM-Action: leave-message\nVM-Caller-ID-Name: J%C3%B6rg%3A\n\nContent-Type: api/response\nContent-Length: 4\n\n+OK\n";

    fn frames(bytes: &[u8], cut: usize) -> Vec<Frame> {
        let (mut frames, mut all) = (Frames::default(), Vec::new());
        for piece in bytes.chunks(cut.max(1)) {
            frames.buffer().extend_from_slice(piece);
            while let Some(frame) = frames.next().unwrap() {
                all.push(frame);
            }
        }
        all
    }

    #[test]
    fn frames_come_out_the_same_however_they_were_cut() {
        let whole = frames(TALK.as_bytes(), usize::MAX);
        let kinds: Vec<&str> = whole.iter().map(Frame::kind).collect();
        assert_eq!(kinds, ["auth/request", "command/reply", "text/event-plain", "api/response"]);
        assert_eq!(whole[1].header("reply-text"), Some("+OK accepted"));
        assert_eq!(whole[2].event("Event-Subclass").as_deref(), Some("vm::maintenance"));
        assert_eq!(whole[2].event("VM-Caller-ID-Name").as_deref(), Some("Jörg:"));
        assert_eq!(whole[3].body, b"+OK\n");
        for cut in 1..TALK.len() {
            assert_eq!(frames(TALK.as_bytes(), cut), whole, "pieces of {cut}");
        }
        let windows = "Content-Type: auth/request\r\n\r\nContent-Type: x\r\nContent-Length: 1\r\n\r\n\n";
        assert_eq!(frames(windows.as_bytes(), 7).len(), 2);
    }

    #[test]
    fn what_is_no_frame_is_an_error_and_not_memory() {
        let next = |bytes: &[u8]| {
            let mut frames = Frames::default();
            frames.buffer().extend_from_slice(bytes);
            frames.next()
        };
        assert_eq!(next(&vec![b'x'; HEADERS_MAX + 1]), Err(FrameError::Headers));
        assert_eq!(next(b"Content-Length: -1\n\n"), Err(FrameError::Length));
        assert_eq!(next(b"Content-Length: 99999999999999999999\n\n"), Err(FrameError::Length));
        assert_eq!(next(b"Content-Length: 17000000\n\n"), Err(FrameError::TooLong));
        assert_eq!(next(b"Content-Length: 5\n\nabc"), Ok(None));
        assert_eq!(next(b"\n\n\r\n"), Ok(None));
    }

    #[test]
    fn a_broken_escape_stays() {
        assert_eq!(percent_decoded("100%"), "100%");
        assert_eq!(percent_decoded("%4"), "%4");
        assert_eq!(percent_decoded("%zz%C3%A4%ff"), "%zzä\u{fffd}");
    }

    proptest! {
        #[test]
        fn no_bytes_panic_the_reader(pieces: Vec<Vec<u8>>) {
            let mut frames = Frames::default();
            for piece in pieces {
                frames.buffer().extend_from_slice(&piece);
                while let Ok(Some(frame)) = frames.next() {
                    drop((frame.kind().to_owned(), frame.event("VM-Action")));
                }
            }
        }
    }
}

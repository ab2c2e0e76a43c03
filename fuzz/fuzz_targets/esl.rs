//! Any bytes from FreeSWITCH's event socket: no panic, and frames come out the same however the bytes were cut. Any
//! answer as a mailbox's listing: every message has an id, and only a well-formed one can be marked.
//!
//! The first byte says how the rest is cut.
#![no_main]
#![expect(dead_code, reason = "the modules are compiled here without their other users")]

#[path = "."]
mod freeswitch {
    #[path = "../../src/intake/freeswitch/frame.rs"]
    mod frame;
    #[path = "../../src/intake/freeswitch/messages.rs"]
    mod messages;

    use frame::{Frame, Frames};
    use messages::{Command, Mailbox, CallId};

    /// The frames up to the first that is none.
    fn frames(bytes: &[u8], cut: usize) -> Vec<Frame> {
        let (mut frames, mut whole) = (Frames::default(), Vec::new());
        for piece in bytes.chunks(cut) {
            frames.buffer().extend_from_slice(piece);
            loop {
                match frames.next() {
                    Ok(Some(frame)) => whole.push(frame),
                    Ok(None) => break,
                    Err(_) => return whole,
                }
            }
        }
        whole
    }

    pub(super) fn read(cut: u8, bytes: &[u8]) {
        let whole = frames(bytes, usize::MAX);
        assert_eq!(frames(bytes, usize::from(cut).max(1)), whole);
        for frame in &whole {
            drop((frame.kind().to_owned(), frame.event("VM-Action")));
            listing(&frame.body);
        }
        listing(bytes);
    }

    fn listing(bytes: &[u8]) {
        let mailbox = Mailbox::parse("1000@pbx.example", None).expect("it is one");
        for row in messages::parse(bytes).map(|(rows, _)| rows).unwrap_or_default() {
            assert!(!row.key.is_empty());
            if let Some(id) = CallId::parse(&row.uuid) {
                let line = Command::read(&mailbox, id).line();
                assert_eq!(line.trim_end().rsplit(' ').next().map(str::len), Some(36));
            }
        }
        if let Ok(mailbox) = Mailbox::parse(&String::from_utf8_lossy(bytes), None) {
            assert_eq!(Command::list(&mailbox).line().matches(['\n', ' ']).count(), 5);
        }
    }
}

libfuzzer_sys::fuzz_target!(|input: (u8, &[u8])| freeswitch::read(input.0, input.1));

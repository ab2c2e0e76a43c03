//! Any bytes as Asterisk's `msgNNNN.txt`: no panic, and neither id nor identity can break a line or a path.
#![no_main]
#![expect(dead_code, reason = "the modules are compiled here without their other users")]

#[path = "../../src/domain/mod.rs"]
mod domain;

#[path = "."]
mod intake {
    pub(crate) mod watch {
        //! Stands in for the stamps of files, which need a file system.

        pub(crate) struct Stamp {
            pub(crate) size: u64,
        }

        impl Stamp {
            pub(crate) fn modified_ns(&self) -> i128 {
                1_795_342_769_000_000_000
            }
        }
    }

    #[path = "."]
    pub(crate) mod asterisk {
        #[path = "../../src/intake/asterisk/message.rs"]
        mod message;

        use crate::intake::watch::Stamp;

        pub(crate) fn read(bytes: &[u8]) {
            let message = message::Message::parse(bytes);
            std::hint::black_box((message.is_whole(), message.called_at(), message.duration()));
            let plain = |text: &str| !text.contains(['/', '\n', '\r', '\0', ' ']);
            assert!(message.id().is_none_or(|id| !id.is_empty() && plain(id)));
            assert!(message.native_id().is_none_or(|id| message.id() == Some(id)));
            assert!(plain(&message.fingerprint(&Stamp { size: bytes.len() as u64 })));
            let caller = message.caller();
            for text in [caller.number, caller.name].into_iter().flatten() {
                assert!(!text.is_empty() && !text.contains(['\n', '\r', '\0']));
            }
            for ending in ["wav", "WAV", "wav16", "gsm", "ulaw", "sln", "x"] {
                assert!(message::seconds(ending, bytes).is_none_or(f64::is_finite));
            }
        }
    }
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| intake::asterisk::read(input));

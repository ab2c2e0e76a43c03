//! Everything that is tested from outside, in one binary: stories, peers faked at the wire, the real binary killed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod architecture;
mod attacks;
mod channels;
mod child;
mod corpus;
mod crash;
mod declarations;
mod fake_bot;
mod flood;
mod folder;
mod freeswitch;
mod fritzbox;
mod hosted;
mod imap;
mod introductions;
mod mail_server;
mod mails;
mod models;
mod mutation;
mod others;
mod postgres;
mod presses;
mod privacy;
mod push;
mod roster;
mod roughen;
mod rule_files;
mod rules;
mod simulation;
mod snapshot;
mod sound;
mod spool;
mod store;
mod stories;
mod strangers;
mod telegram;
mod timeline;
mod urgency;
mod ways;
mod whole;
mod world;

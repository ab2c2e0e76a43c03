//! *Nachtwache* picks up the emergency mailbox of an IT-services firm, writes down on the firm's own machine what was
//! said, checks the two statements that the firm's terms ask for, and wakes the technician on duty until somebody has
//! taken the case.
//!
//! The modules stand in the order a report travels.

/// A report arrives: take, store, and only then tell the source.
pub mod intake;

/// Sound becomes text, by Whisper, in a process of its own.
pub mod transcribe;

/// Text becomes a verdict with its proof; a verdict that wakes people becomes a case.
pub mod assess;

/// A verdict wakes people until one answers.
pub mod escalate;

/// Somebody answers: one operation whatever the door.
pub mod acknowledge;

/// In the morning: corrected, judged anew, released for billing, and in the end deleted.
pub mod review;

/// The words of the project as types; pure.
pub mod domain;

/// The database and the sound files; the only place with SQL.
pub mod store;

/// The settings, checked at start.
pub mod config;

/// Who is on duty, and how each is reached.
pub mod roster;

/// Clock, worker, bells, start and stop.
pub mod runtime;

/// The only place that knows the Bot API.
pub mod telegram;

/// Every German sentence that is sent; pure.
pub mod wording;

/// The page of the people in the office.
pub mod web;

/// Wiring: settings, store, stages, doors, start and stop.
pub mod run;

/// The main job on recordings that are brought along, shown on the terminal.
pub mod demo;

/// The commands.
pub mod cli;

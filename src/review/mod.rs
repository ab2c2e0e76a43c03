//! In the morning: what came in is heard again, corrected and judged anew, and its charge is released or cancelled.
//!
//! Promise: what a person changes is written beside what was there, never over it, with who and when; each operation is one
//! transaction with its event. It writes, it never sends.

pub mod charges;
pub mod clip;
mod correct;
pub mod examples;
pub mod export;
pub mod figures;
pub mod inbox;
pub mod ledger;
mod neutral;
pub mod requests;
pub mod retention;
mod vocabulary;

pub use correct::{Change, Corrected, Outcome, Refusal};
pub use vocabulary::{Added, Unfit};

use crate::assess::rules::Rules;
use crate::config::Settings;
use crate::roster::Roster;
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::store::Store;
use std::sync::Arc;

/// Where the office's corrections are written.
#[derive(Clone)]
pub struct Review {
    /// The store.
    pub store: Store,
    /// The settings.
    pub settings: Arc<Settings>,
    /// Who is on duty.
    pub roster: Roster,
    /// The rules.
    pub rules: Arc<Rules>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Rung when something changed.
    pub bells: Bells,
}

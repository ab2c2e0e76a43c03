//! A recording that is heard a second time, by a larger model. The first hearing wakes people within seconds; the second one
//! may make that louder, never quieter. Pure.

use crate::domain::assessment::{Verdict, words};
use crate::domain::transcript::Transcript;

words! {
    /// How far a second hearing has come.
    HearingStage {
        /// Waits for the larger model.
        Listen = "listen",
        /// Heard, waits to be judged beside the first one.
        Judge = "judge",
        /// Judged, or there was nothing to judge any more.
        Done = "done",
        /// It gave nothing that can be believed: the first hearing stands alone.
        GivenUp = "given_up",
    }
}

/// What the larger model heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Hearing {
    /// Its words.
    pub transcript: Transcript,
    /// How long that took, in milliseconds.
    pub took_ms: u64,
    /// What it says by itself; `None`: not judged, or not to be believed.
    pub verdict: Option<Verdict>,
    /// Its words are shown and judged, no longer those of the first hearing.
    pub counts: bool,
}

/// A recording that was heard twice.
#[derive(Debug, Clone, PartialEq)]
pub struct Twice {
    /// By the model that gives the first verdict.
    pub first: Transcript,
    /// By the larger one.
    pub second: Transcript,
    /// Whether the words of the second one count; else it only may raise a doubt.
    pub second_counts: bool,
}

impl Twice {
    /// The words that count.
    #[must_use]
    pub fn counting(&self) -> &Transcript {
        if self.second_counts { &self.second } else { &self.first }
    }
}

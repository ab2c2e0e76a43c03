//! In the morning: what came in is heard again, corrected and judged anew, and its charge is released or cancelled.
//!
//! Promise: what a person changes is written beside what was there, never over it, with who and when; each operation is one
//! transaction with its event. It writes, it never sends.

pub mod charges;
pub mod clip;
pub mod figures;

//! A verdict wakes people until one answers.
//!
//! Two workers: `plan` decides who is told now and when something is due again (pure policy, one transaction); `send`
//! looks again at what is true *now*, journals, sends, and keeps what stands on the phones in step with the case.
//! Promise: while a case is open something is due; a repeated send says that it may be one.

pub mod audit;
mod buttons;
pub mod channels;
pub mod drill;
pub mod face;
pub mod heartbeat;
pub mod morning;
pub mod notifier;
mod other_ways;
pub mod paths;
pub mod plan;
pub mod queue;
pub mod ready;
pub mod receipt;
mod replies;
pub mod send;
pub mod siren;
pub mod smtp;
pub mod start;
pub mod telegram;
pub mod watch;
mod ways;

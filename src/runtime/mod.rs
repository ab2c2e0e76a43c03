//! What every stage stands on: the clock, the worker, the bells, start and stop, and what each worker says of itself.

pub mod bell;
pub mod clock;
pub mod drill;
pub mod lifecycle;
pub mod outgoing;
pub mod server;
pub mod siren;
pub mod status;
pub mod telemetry;
pub mod tls;
pub mod voices;
pub mod worker;

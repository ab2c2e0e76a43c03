//! The words of the project as types: values in, values out, no I/O, no log.

pub mod account;
pub mod act;
pub mod assessment;
pub mod case;
pub mod charge;
pub mod correction;
pub mod drill;
pub mod escalation;
pub mod event;
pub mod hearing;
pub mod hours;
pub mod life;
pub mod notice;
pub mod phone;
pub mod report;
pub mod retention;
pub mod roster;
pub mod search;
pub mod tariff;
pub mod transcript;

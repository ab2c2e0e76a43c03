//! The page of the people in the office: one file per page, and its templates.
//!
//! Promise: nobody sees or does what his role may not, whatever the route; what a page does is the same operation as the
//! button's. A fault here costs a page, never an alarm.

pub mod charts;

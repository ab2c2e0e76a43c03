//! Who is on duty, with what calendars and changes say.

pub mod feed;
pub mod ical;

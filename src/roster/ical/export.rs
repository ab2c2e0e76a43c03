//! The roster's shifts as a calendar.

use crate::domain::roster::Shift;
use chrono::{DateTime, Utc};
use icalendar::{Calendar, Component as _, Event, EventLike as _};

/// The shifts as a calendar that other programs, and [`super::read`], understand. A gap is no event. The same shift has the
/// same identity each time.
#[must_use]
pub fn export(shifts: &[Shift], now: DateTime<Utc>) -> String {
    let mut calendar = Calendar::new();
    calendar.name("Nachtwache");
    for shift in shifts {
        let Some((duty, others)) = shift.order.split_first() else { continue };
        let summary = if others.is_empty() { duty.clone() } else { format!("{duty} (backup: {})", others.join(", ")) };
        let event = Event::new()
            .uid(&format!("{}@roster.nachtwache", shift.from.format("%Y%m%dT%H%M%SZ")))
            .timestamp(now)
            .summary(&summary)
            .starts(shift.from)
            .ends(shift.until)
            .done();
        calendar.push(event);
    }
    calendar.to_string()
}

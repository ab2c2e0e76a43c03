//! Times and lengths as people read them, in the firm's zone. Pure.

use chrono::{DateTime, Datelike as _, Utc};
use chrono_tz::Tz;

/// "22:14"
#[must_use]
pub fn hour(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%H:%M").to_string()
}

/// "Sa 21.11.2026 22:14"
#[must_use]
pub fn moment(at: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    format!("{} {}", weekday(local.weekday()), minute(at, zone))
}

/// "28.11.2026"
#[must_use]
pub fn day(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%d.%m.%Y").to_string()
}

/// "28.11.2026 22:14"
#[must_use]
pub fn minute(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%d.%m.%Y %H:%M").to_string()
}

/// "Mo"
#[must_use]
pub fn weekday(day: chrono::Weekday) -> &'static str {
    ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"][day.num_days_from_monday() as usize]
}

/// "0:47"
#[must_use]
pub fn clock(seconds: u32) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// A second of a recording: "0:31"
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates: nothing is negative")]
pub fn clock_of(seconds: f32) -> String {
    clock(seconds as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_the_firms() {
        let at = "2026-11-21T21:14:00Z".parse().unwrap();
        assert_eq!(minute(at, chrono_tz::Europe::Berlin), "21.11.2026 22:14");
        assert_eq!(moment(at, chrono_tz::Europe::Berlin), "Sa 21.11.2026 22:14");
    }
}

//! Instants, spans, amounts and sizes as people read them. Pure.

use chrono::TimeDelta;

/// "vor 12 s", "vor 3 min", "vor 5 h", "vor 2 Tagen".
pub(super) fn ago(span: TimeDelta) -> String {
    match span.num_seconds().max(0) {
        seconds @ 0..120 => format!("vor {seconds} s"),
        seconds @ 120..7200 => format!("vor {} min", seconds / 60),
        seconds @ 7200..172_800 => format!("vor {} h", seconds / 3600),
        seconds => format!("vor {} Tagen", seconds / 86_400),
    }
}

/// "1 Meldung wartet", "3 Meldungen warten", "keine Meldungen warten" without a word for none: "0 …".
pub(super) fn amount(count: impl TryInto<i64>, one: &str, many: &str) -> String {
    let count = count.try_into().unwrap_or(i64::MAX);
    format!("{count} {}", if count == 1 { one } else { many })
}

/// "1,4 GB".
pub(crate) fn bytes(count: u64) -> String {
    let (unit, name) = match count {
        0..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    format!("{},{} {name}", count / unit, count % unit * 10 / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans_are_short() {
        assert_eq!(bytes(999), "0,9 kB");
        assert_eq!(bytes(190_085_487), "190,0 MB");
        assert_eq!(bytes(1_450_000_000), "1,4 GB");
        assert_eq!(ago(TimeDelta::seconds(119)), "vor 119 s");
        assert_eq!(ago(TimeDelta::minutes(119)), "vor 119 min");
        assert_eq!(ago(TimeDelta::days(3)), "vor 3 Tagen");
        assert_eq!(amount(1, "Meldung wartet", "Meldungen warten"), "1 Meldung wartet");
    }
}

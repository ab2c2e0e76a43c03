//! The answering machine's list of messages, as the box writes it; pure.
//!
//! Element names are read without case, unknown ones passed over, missing ones borne. Identity is the machine, the date to
//! the minute, the number and the file's name: never `Index`, which moves with every deletion. File names are used
//! again after a deletion, but not for the same caller in the same minute.

use chrono::{DateTime, Datelike as _, LocalResult, NaiveDateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use roxmltree::{Document, Node, ParsingOptions};
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;

/// More elements than any box writes.
const NODES_MAX: u32 = 200_000;
/// The box's clock may run ahead of ours by so much.
const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// One message of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Identity within the source: machine and hash.
    pub(super) key: String,
    /// Which answering machine, 0 to 4.
    pub(super) tam: u8,
    /// Its place in the list now; needed to mark it, good for nothing else.
    pub(super) index: Option<u32>,
    /// The own number that was called.
    pub(super) called: Option<String>,
    /// The caller's number, `None` where withheld.
    pub(super) number: Option<String>,
    /// The caller's name in the box's phone book.
    pub(super) name: Option<String>,
    /// When the call came, in the box's own time.
    pub(super) date: Option<NaiveDateTime>,
    /// Nobody has heard it yet.
    pub(super) new: bool,
    /// Where the sound is, as written; not to be trusted.
    pub(super) path: String,
    /// What the file does not change: machine, date, number.
    pub(super) call: String,
}

/// Every message of the list of one machine, in its order; two of one identity count once.
///
/// # Errors
/// Where it is no XML.
pub(super) fn parse(tam: u8, xml: &str) -> Result<Vec<Entry>, String> {
    let options = ParsingOptions { nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    // the parser's own words would quote a caller
    let document = Document::parse_with_options(xml.trim_start_matches('\u{feff}').trim_start(), options)
        .map_err(|error| format!("no XML at line {} column {}", error.pos().row, error.pos().col))?;
    let mut keys = HashSet::new();
    let messages = document.descendants().filter(|node| is(*node, "Message"));
    Ok(messages.map(|message| entry(tam, message)).filter(|entry| keys.insert(entry.key.clone())).collect())
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name().eq_ignore_ascii_case(name)
}

/// The text of the first element of this name below, trimmed.
pub(super) fn value<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    node.descendants().find(|inner| is(*inner, name)).and_then(|inner| inner.text()).unwrap_or("").trim()
}

fn entry(tam: u8, message: Node<'_, '_>) -> Entry {
    let text = |name: &str| Some(value(message, name).to_owned()).filter(|text| !text.is_empty());
    let (date, number, path) = (value(message, "Date"), value(message, "Number"), value(message, "Path"));
    let call = format!("{tam}\n{date}\n{number}");
    Entry {
        key: format!("tam{tam}/{}", hash(&format!("{call}\n{}", file_name(path)))),
        tam,
        index: value(message, "Index").parse().ok(),
        called: text("Called"),
        number: text("Number"),
        name: text("Name"),
        date: parse_date(date),
        new: value(message, "New") == "1",
        path: path.to_owned(),
        call: hash(&call),
    }
}

/// What follows the last `/`: the folders before it may be others after an update of the box.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '=']).next().unwrap_or(path)
}

fn hash(text: &str) -> String {
    let short = Sha256::digest(text).iter().take(16).fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
    format!("{short:032x}")
}

/// `dd.mm.yy hh:mm`, the year with two digits or four, with seconds or without.
fn parse_date(text: &str) -> Option<NaiveDateTime> {
    let shapes = ["%d.%m.%y %H:%M", "%d.%m.%Y %H:%M", "%d.%m.%y %H:%M:%S", "%d.%m.%Y %H:%M:%S"];
    let read = |shape: &&str| NaiveDateTime::parse_from_str(text, shape).ok();
    shapes.iter().find_map(read).filter(|date| (1970..2200).contains(&date.year()))
}

/// When the caller called. The hour that comes twice in autumn is read as the later one that is not after `now`; the hour
/// left out in spring as the one after. `None` for a clock that was never set: before 2015, or after `now`.
#[must_use]
pub(super) fn instant(date: NaiveDateTime, zone: Tz, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let latest = now + AHEAD;
    let read = match zone.from_local_datetime(&date) {
        LocalResult::Single(at) => at,
        LocalResult::Ambiguous(early, late) => {
            let late_is_past = late.with_timezone(&Utc) <= latest;
            if late_is_past { late } else { early }
        }
        LocalResult::None => zone.from_local_datetime(&(date.checked_add_signed(TimeDelta::hours(1))?)).earliest()?,
    };
    let read = read.with_timezone(&Utc);
    (read.year() >= 2015 && read <= latest).then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Root><Message><Index>1</Index><Tam>0</Tam>\
        <Called>9782362</Called><Date>28.11.26 21:30</Date><Duration>0:01</Duration><Inbook>0</Inbook><Name></Name>\
        <New>1</New><Number>01710000001</Number><Path>/download.lua?path=/data/tam/rec/rec.0.001</Path></Message>\
        <message><index>0</index><called/><DATE>28.11.26 09:05</DATE><Name> Rossmeisl &amp; Co </Name><new>0</new>\
        <number/><path>/download.lua?path=/data/tam/rec/rec.0.000</path></message></Root>";

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn local(text: &str) -> NaiveDateTime {
        parse_date(text).unwrap()
    }

    fn read(date: &str, now: &str) -> Option<DateTime<Utc>> {
        instant(local(date), chrono_tz::Europe::Berlin, at(now))
    }

    #[test]
    fn names_are_read_without_case_and_what_is_empty_is_unknown() {
        let list = parse(0, LIST).unwrap();
        assert_eq!(list.len(), 2);
        assert_eq!((list[0].index, list[0].new, list[0].tam), (Some(1), true, 0));
        assert_eq!(list[0].number.as_deref(), Some("01710000001"));
        assert_eq!(list[0].called.as_deref(), Some("9782362"));
        assert_eq!(list[0].date, Some(local("28.11.2026 21:30")));
        assert_eq!((list[1].new, list[1].number.as_deref(), list[1].called.as_deref()), (false, None, None));
        assert_eq!(list[1].name.as_deref(), Some("Rossmeisl & Co"));
    }

    #[test]
    fn the_identity_is_not_the_index_and_not_the_folder_of_the_file() {
        let shifted = LIST.replace("<Index>1<", "<Index>7<").replace("<New>1<", "<New>0<");
        let moved = LIST.replace("/data/tam/rec/", "/var/media/ftp/rec/").replace("<Name></Name>", "<Name>X</Name>");
        for other in [shifted, moved] {
            assert_eq!(parse(0, &other).unwrap()[0].key, parse(0, LIST).unwrap()[0].key);
        }
        for (from, to) in [("21:30", "21:31"), ("01710000001", "01710000002"), ("rec.0.001", "rec.0.002")] {
            assert_ne!(parse(0, &LIST.replace(from, to)).unwrap()[0].key, parse(0, LIST).unwrap()[0].key, "{from}");
        }
        assert_ne!(parse(1, LIST).unwrap()[0].key, parse(0, LIST).unwrap()[0].key);
    }

    #[test]
    fn an_empty_list_is_one_and_a_login_page_is_none() {
        assert_eq!(parse(0, "<Root></Root>").unwrap(), []);
        assert_eq!(parse(0, "\u{feff}\n<root/>").unwrap(), []);
        for garbage in ["", "<!DOCTYPE html><html><body>Anmelden<br></body></html>", "<Root><Message>", "\0"] {
            assert!(parse(0, garbage).unwrap_err().starts_with("no XML"), "{garbage}");
        }
    }

    #[test]
    fn summer_and_winter_time_are_told_apart() {
        assert_eq!(read("28.11.26 21:30", "2026-11-28T20:31:00Z"), Some(at("2026-11-28T20:30:00Z")));
        assert_eq!(read("28.06.26 21:30", "2026-11-28T20:31:00Z"), Some(at("2026-06-28T19:30:00Z")));
    }

    #[test]
    fn the_hour_that_comes_twice_is_the_later_one_unless_that_is_still_to_come() {
        // 25.10.2026: at 3:00 summer time the clock goes back to 2:00
        assert_eq!(read("25.10.26 02:30", "2026-10-25T00:31:00Z"), Some(at("2026-10-25T00:30:00Z")));
        assert_eq!(read("25.10.26 02:30", "2026-10-25T01:31:00Z"), Some(at("2026-10-25T01:30:00Z")));
        assert_eq!(read("25.10.26 02:30", "2026-10-25T09:00:00Z"), Some(at("2026-10-25T01:30:00Z")));
        // the box's clock is a minute ahead
        assert_eq!(read("25.10.26 02:30", "2026-10-25T01:29:00Z"), Some(at("2026-10-25T01:30:00Z")));
    }

    #[test]
    fn the_hour_that_is_left_out_and_a_clock_that_was_never_set_are_borne() {
        assert_eq!(read("29.03.26 02:30", "2026-03-29T06:00:00Z"), Some(at("2026-03-29T01:30:00Z")));
        assert_eq!(read("01.01.70 01:00", "2026-03-29T06:00:00Z"), None);
        assert_eq!(read("01.01.2000 01:00", "2026-03-29T06:00:00Z"), None);
        assert_eq!(read("30.03.26 02:30", "2026-03-29T06:00:00Z"), None, "tomorrow");
        for no in ["", "28.11.26", "31.02.26 10:00", "28.11.26 25:00", "2026-11-28T20:31:00Z"] {
            assert_eq!(parse_date(no), None, "{no}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_list_makes_it_panic(date in "[0-9. :]{0,16}", path in "[^<&]{0,40}", tail in ".{0,60}") {
            let list = format!("<Root><Message><Date>{date}</Date><Path>{path}</Path></Message>{tail}</Root>");
            if let Ok(entries) = parse(0, &list) {
                for date in entries.iter().filter_map(|entry| entry.date) {
                    let _at = instant(date, chrono_tz::Europe::Berlin, DateTime::UNIX_EPOCH);
                }
            }
        }
    }
}

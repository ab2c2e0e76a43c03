//! `kind = "fritzbox"`.

use crate::config::Secret;
use serde::Deserialize;

/// The answering machine of an AVM FRITZ!Box.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FritzBox {
    /// Its name, unique.
    pub name: String,
    /// Scheme, host and port of TR-064.
    #[serde(default = "address")]
    pub address: String,
    /// Scheme, host and port of the box's pages; none = the usual port of the same host and scheme.
    pub web_address: Option<String>,
    /// User at the box.
    pub username: String,
    /// His password.
    pub password: Secret,
    /// Answering machines, from 0; none = all that are switched on.
    #[serde(default = "first")]
    pub tam: Vec<u8>,
    /// SHA-256 of the box's certificate in hex, several divided by commas; none = the first one seen.
    pub fingerprint: Option<String>,
    /// Listen to the call monitor (port 1012).
    #[serde(default = "yes")]
    pub call_monitor: bool,
    /// Seconds between two looks.
    #[serde(default = "sixty")]
    pub poll_s: u64,
    /// Mark a stored message as heard at the box.
    #[serde(default = "yes")]
    pub mark_read: bool,
    /// The machine ends a recording after so many seconds.
    pub longest_s: Option<u32>,
    /// The first look takes messages of so many hours that were heard already.
    #[serde(default = "day")]
    pub first_look_h: u64,
}

fn address() -> String {
    "https://fritz.box:49443".into()
}

fn first() -> Vec<u8> {
    vec![0]
}

fn yes() -> bool {
    true
}

fn sixty() -> u64 {
    60
}

fn day() -> u64 {
    24
}

impl FritzBox {
    /// The fingerprints as lower-case hex without colons; empty where there is none.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<String> {
        let bare = |text: &str| text.replace([':', ' '], "").to_ascii_lowercase();
        self.fingerprint.iter().flat_map(|all| all.split(',')).map(bare).collect()
    }

    pub(super) fn complain(&self, wrong: &mut Vec<String>) {
        let addresses = [("address", Some(&self.address)), ("web_address", self.web_address.as_ref())];
        for (key, address) in addresses.into_iter().filter_map(|(key, address)| Some((key, address?))) {
            let host = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://")).unwrap_or("");
            if host.is_empty() || host.contains(['/', '@', '?', '#', ' ', '\\']) {
                wrong.push(format!(
                    "sources.{key}: {address:?} is no address of a box; write e.g. \"https://fritz.box:49443\", without a path"
                ));
            }
        }
        if self.username.is_empty() {
            wrong.push(format!("sources.username: is empty ({}); name the user at the box", self.name));
        }
        if self.tam.iter().any(|tam| *tam > 4) {
            wrong.push(format!("sources.tam: a box has the answering machines 0 to 4 ({})", self.name));
        }
        let is_one = |hex: &String| hex.len() == 64 && hex.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !self.fingerprints().iter().all(is_one) {
            wrong.push(format!("sources.fingerprint: is no SHA-256 of 64 hex digits ({})", self.name));
        }
        super::range(wrong, "poll_s", &self.name, self.poll_s, 30, 600);
        super::range(wrong, "first_look_h", &self.name, self.first_look_h, 0, 744);
        if let Some(longest_s) = self.longest_s {
            super::range(wrong, "longest_s", &self.name, longest_s.into(), 5, 3600);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(more: &str) -> Vec<String> {
        let row: FritzBox =
            toml::from_str(&format!("name = \"box\"\nusername = \"u\"\npassword = \"p\"\n{more}")).unwrap();
        let mut wrong = Vec::new();
        row.complain(&mut wrong);
        wrong
    }

    #[test]
    fn a_row_of_this_kind_is_read_with_its_defaults() {
        let text =
            "kind = \"fritzbox\"\nname = \"box\"\nusername = \"u\"\npassword = \"p\"\nfingerprint = \"AB:CD, ef\"";
        let crate::config::SourceRow::FritzBox(row) = toml::from_str(text).unwrap() else { panic!("another kind") };
        assert_eq!((row.address.as_str(), row.tam.as_slice()), ("https://fritz.box:49443", [0].as_slice()));
        assert!(row.call_monitor && row.mark_read && (row.poll_s, row.first_look_h) == (60, 24));
        assert_eq!(row.fingerprints(), ["abcd", "ef"]);
    }

    #[test]
    fn the_least_is_enough_and_what_is_wrong_is_named() {
        let digits = "ab:".repeat(32);
        let digits = digits.trim_end_matches(':');
        for right in [
            "",
            "address = \"http://192.168.178.1:49000\"",
            &format!("fingerprint = \"{digits}, {digits}\""),
            "tam = []",
        ] {
            assert_eq!(complaints(right), [""; 0], "{right}");
        }
        for (wrong, key) in [
            ("address = \"fritz.box\"", "address"),
            ("address = \"https://fritz.box:49443/x\"", "address"),
            ("address = \"https://a@fritz.box\"", "address"),
            ("web_address = \"ftp://fritz.box\"", "web_address"),
            ("fingerprint = \"abcd\"", "fingerprint"),
            ("fingerprint = \"\"", "fingerprint"),
            ("tam = [5]", "tam"),
            ("poll_s = 5", "poll_s"),
            ("longest_s = 1", "longest_s"),
            ("first_look_h = 10000", "first_look_h"),
        ] {
            let told = complaints(wrong);
            assert!(told.len() == 1 && told[0].starts_with(&format!("sources.{key}: ")), "{wrong}: {told:?}");
        }
    }
}

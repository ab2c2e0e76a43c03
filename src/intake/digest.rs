//! HTTP digest authentication (RFC 7616, RFC 2617): a server's challenge in, the `Authorization` line out; pure.
//!
//! Spoken are MD5 and SHA-256 with `qop=auth`, and the old form without `qop`. A challenge of another kind (`-sess`,
//! `auth-int` alone) is no challenge here. The password goes into a hash and nowhere else.

use md5::Md5;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// By which hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    fn parse(word: &str) -> Option<Self> {
        [Self::Md5, Self::Sha256].into_iter().find(|one| one.as_str().eq_ignore_ascii_case(word))
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => hex(&Md5::digest(text)),
            Self::Sha256 => hex(&Sha256::digest(text)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}

/// What a server asks for, and how often it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Option<Algorithm>,
    qop: bool,
    /// The former answer was right, only its nonce was too old.
    pub stale: bool,
    used: u32,
}

/// Who asks for what.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method ("POST").
    pub method: &'a str,
    /// Path and query, as on the request line.
    pub uri: &'a str,
    /// User.
    pub username: &'a str,
    /// His password.
    pub password: &'a str,
    /// Letters and digits that nobody can guess, new for each request.
    pub cnonce: &'a str,
}

impl Challenge {
    /// The first challenge of a `WWW-Authenticate` value that can be answered; several may stand in one value.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let lower = header.to_ascii_lowercase();
        let starts: Vec<usize> = lower.match_indices("digest ").map(|(at, _)| at).collect();
        let ends = starts.iter().skip(1).copied().chain([header.len()]);
        starts.iter().zip(ends).find_map(|(start, end)| Self::one(&header[start + "digest ".len()..end]))
    }

    fn one(text: &str) -> Option<Self> {
        let pairs = pairs(text);
        let find = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let algorithm = find("algorithm").map(|word| Algorithm::parse(word).ok_or(())).transpose().ok()?;
        let words: Option<Vec<&str>> = find("qop").map(|words| words.split(',').map(str::trim).collect());
        let has_auth = words.as_ref().is_some_and(|words| words.iter().any(|word| word.eq_ignore_ascii_case("auth")));
        if words.is_some() && !has_auth {
            return None;
        }
        Some(Self {
            realm: find("realm")?.to_owned(),
            nonce: find("nonce")?.to_owned(),
            opaque: find("opaque").map(str::to_owned),
            algorithm,
            qop: has_auth,
            stale: find("stale").is_some_and(|word| word.eq_ignore_ascii_case("true")),
            used: 0,
        })
    }

    /// The value of `Authorization` for the next request; counts it.
    pub fn answer(&mut self, request: &Request<'_>) -> String {
        self.used = self.used.saturating_add(1);
        let count = format!("{:08x}", self.used);
        let algorithm = self.algorithm.unwrap_or(Algorithm::Md5);
        let Request { method, uri, username, password, cnonce } = *request;
        let secret = algorithm.hash(&format!("{username}:{}:{password}", self.realm));
        let asked = algorithm.hash(&format!("{method}:{uri}"));
        let nonce = &self.nonce;
        let response = if self.qop {
            algorithm.hash(&format!("{secret}:{nonce}:{count}:{cnonce}:auth:{asked}"))
        } else {
            algorithm.hash(&format!("{secret}:{nonce}:{asked}"))
        };
        let quoted = [("username", username), ("realm", &self.realm), ("uri", uri), ("nonce", nonce)];
        let mut line = String::from("Digest ");
        for (key, value) in quoted.iter().chain([("response", response.as_str())].iter()) {
            line.extend([*key, "=\"", &escaped(value), "\", "]);
        }
        if let Some(algorithm) = self.algorithm {
            line.extend(["algorithm=", algorithm.as_str(), ", "]);
        }
        if self.qop {
            line.extend(["qop=auth, nc=", &count, ", cnonce=\"", cnonce, "\", "]);
        }
        if let Some(opaque) = &self.opaque {
            line.extend(["opaque=\"", &escaped(opaque), "\", "]);
        }
        line.truncate(line.len() - 2);
        line
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// `key=value` and `key="quoted, value"`, divided by commas; keys in lower case. A word without `=` is passed over.
fn pairs(text: &str) -> Vec<(String, String)> {
    let (mut pairs, mut rest) = (Vec::new(), text);
    while let Some((key, after)) = rest.split_once('=') {
        let key = key.rsplit([',', ' ', '\t']).next().unwrap_or("").to_ascii_lowercase();
        let after = after.trim_start();
        let value = if let Some(quoted) = after.strip_prefix('"') {
            let (value, end) = quoted_value(quoted);
            rest = &quoted[end..];
            value
        } else {
            let end = after.find(',').unwrap_or(after.len());
            rest = &after[end..];
            after[..end].trim().to_owned()
        };
        pairs.push((key, value));
    }
    pairs
}

/// The text up to the closing mark, and the place behind it.
fn quoted_value(text: &str) -> (String, usize) {
    let (mut value, mut escape) = (String::new(), false);
    for (at, letter) in text.char_indices() {
        match letter {
            '\\' if !escape => escape = true,
            '"' if !escape => return (value, at + 1),
            _ => {
                value.push(letter);
                escape = false;
            }
        }
    }
    (value, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC_7616: &str = "realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=ALG, \
        nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

    fn mufasa<'a>(uri: &'a str, password: &'a str, cnonce: &'a str) -> Request<'a> {
        Request { method: "GET", uri, username: "Mufasa", password, cnonce }
    }

    fn has(line: &str, part: &str) {
        assert!(line.contains(part), "{part} is missing in {line}");
    }

    #[test]
    fn the_examples_of_rfc_7616_come_out() {
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let mut challenge = Challenge::parse(&format!("Digest {}", RFC_7616.replace("ALG", algorithm))).unwrap();
            let line = challenge.answer(&mufasa("/dir/index.html", "Circle of Life", cnonce));
            has(&line, &format!("response=\"{response}\""));
            has(&line, &format!("algorithm={algorithm}, qop=auth, nc=00000001, cnonce=\"{cnonce}\""));
            has(&line, "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"");
            has(&line, "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\"");
        }
    }

    #[test]
    fn the_example_of_rfc_2617_comes_out_and_requests_are_counted() {
        let header = "Digest realm=\"testrealm@host.com\",qop=\"auth,auth-int\",\
            nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\",opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let mut challenge = Challenge::parse(header).unwrap();
        let request = mufasa("/dir/index.html", "Circle Of Life", "0a4f113b");
        let line = challenge.answer(&request);
        has(&line, "response=\"6629fae49393a05397450978507c4ef1\"");
        assert!(!line.contains("algorithm"), "not asked for: {line}");
        has(&challenge.answer(&request), "nc=00000002");
    }

    #[test]
    fn the_old_form_without_qop_comes_out() {
        // RFC 2069 with the erratum's value
        let header = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
            opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let mut challenge = Challenge::parse(header).unwrap();
        let line = challenge.answer(&mufasa("/dir/index.html", "CircleOfLife", "unused"));
        has(&line, "response=\"1949323746fe6a43ef61f9606e7febea\"");
        assert!(!line.contains("nc=") && !line.contains("cnonce"), "{line}");
    }

    #[test]
    fn what_a_box_writes_is_read() {
        let box_writes = "Digest realm=\"HTTPS Access\",nonce=\"A1B2\",algorithm=MD5,qop=\"auth\",stale=TRUE";
        let challenge = Challenge::parse(box_writes).unwrap();
        assert_eq!((challenge.realm.as_str(), challenge.nonce.as_str()), ("HTTPS Access", "A1B2"));
        assert!(challenge.stale && challenge.qop);
        let quoted = Challenge::parse("digest realm=\"a \\\"b\\\", c=d\" , nonce=x").unwrap();
        assert_eq!((quoted.realm.as_str(), quoted.nonce.as_str()), ("a \"b\", c=d", "x"));
    }

    #[test]
    fn of_several_challenges_the_first_that_can_be_answered_counts() {
        let header = "Basic realm=\"x\", Digest realm=\"a\", nonce=\"1\", algorithm=SHA-512-256, Digest realm=\"a\", nonce=\"2\"";
        assert_eq!(Challenge::parse(header).unwrap().nonce, "2");
        for no in [
            "",
            "Basic realm=\"x\"",
            "Digest",
            "Digest realm=\"a\"",
            "Digest realm=\"a\", nonce=\"1\", qop=\"auth-int\"",
        ] {
            assert_eq!(Challenge::parse(no), None, "{no}");
        }
    }

    #[test]
    fn a_name_with_quotation_marks_stays_one_value() {
        let mut challenge = Challenge::parse("Digest realm=\"r\", nonce=\"n\"").unwrap();
        let request = Request { method: "GET", uri: "/", username: "a\"b\\c", password: "p", cnonce: "c" };
        has(&challenge.answer(&request), "username=\"a\\\"b\\\\c\"");
    }

    proptest::proptest! {
        #[test]
        fn no_header_makes_it_panic(header in ".{0,200}", tail in "[dDigest =\",\\\\a-z]{0,80}") {
            let _challenge = Challenge::parse(&header);
            let _challenge = Challenge::parse(&format!("Digest realm=\"{tail}"));
        }
    }
}

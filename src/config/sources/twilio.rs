//! `kind = "twilio"`.

use crate::config::Secret;
use reqwest::Url;
use serde::Deserialize;

/// A telephony provider that tells of recordings by a signed webhook, as Twilio does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Twilio {
    /// Its name, unique; the end of the webhook's path.
    pub name: String,
    /// The account, user of the recordings.
    pub account_sid: String,
    /// The account's token: signs the webhooks, password of the recordings.
    pub auth_token: Secret,
    /// The webhook's address exactly as the provider has it, without a query: it is part of what is signed.
    pub public_url: String,
    /// Where recordings are fetched from; no other host ever gets the token.
    #[serde(default = "api")]
    pub recording_host: String,
    /// The mailbox of its reports; the number that was called, if none.
    pub mailbox: Option<String>,
    /// The provider ends a recording after so many seconds.
    pub longest_s: Option<u32>,
}

fn api() -> String {
    "https://api.twilio.com".into()
}

impl Twilio {
    pub(super) fn complain(&self, wrong: &mut Vec<String>) {
        let name = &self.name;
        if !name.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-".contains(letter)) {
            wrong
                .push(format!("sources.name: {name:?} stands in an address: use letters, digits, \".\", \"_\", \"-\""));
        }
        if self.account_sid.is_empty() || !self.account_sid.chars().all(|letter| letter.is_ascii_alphanumeric()) {
            wrong.push(format!("sources.account_sid: no account; write e.g. \"AC0123…\" ({name})"));
        }
        let public = Url::parse(&self.public_url);
        if !public.is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.query().is_none()) {
            wrong.push(format!(
                "sources.public_url: write the address as the provider has it, without a query, e.g. \
                 \"https://voice.example.com/api/v1/twilio/{name}\""
            ));
        }
        let host = Url::parse(&self.recording_host);
        if !host.is_ok_and(|url| is_safe(&url) && url.path() == "/" && url.username().is_empty()) {
            wrong.push(format!("sources.recording_host: write https:// and a host only ({name})"));
        }
        if let Some(longest_s) = self.longest_s {
            super::range(wrong, "longest_s", name, u64::from(longest_s), 1, 86_400);
        }
    }
}

/// TLS, or this machine itself.
fn is_safe(url: &Url) -> bool {
    let local = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    url.host_str().is_some() && (url.scheme() == "https" || (url.scheme() == "http" && local))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(change: impl FnOnce(&mut Twilio)) -> String {
        let mut row = Twilio {
            name: "hotline".into(),
            account_sid: "AC1".into(),
            auth_token: Secret::Text("t".to_owned().into()),
            public_url: "https://voice.example.com/api/v1/twilio/hotline".into(),
            recording_host: api(),
            mailbox: None,
            longest_s: None,
        };
        change(&mut row);
        let mut wrong = Vec::new();
        row.complain(&mut wrong);
        wrong.join("\n")
    }

    #[test]
    fn recordings_are_fetched_with_tls_or_from_this_machine() {
        assert_eq!(complaints(|_| ()), "");
        assert_eq!(complaints(|row| row.recording_host = "http://127.0.0.1:9".into()), "");
        for wrong in ["http://api.twilio.com", "https://api.twilio.com/2010", "ftp://x", "x", "https://u@x"] {
            assert!(complaints(|row| row.recording_host = wrong.into()).contains("recording_host"), "{wrong}");
        }
    }

    #[test]
    fn each_wrong_key_is_named() {
        assert!(complaints(|row| row.public_url = "voice.example.com".into()).contains("public_url"));
        assert!(complaints(|row| row.name = "a/b".into()).contains("sources.name"));
        assert!(complaints(|row| row.account_sid = "a:b".into()).contains("account_sid"));
        assert!(complaints(|row| row.longest_s = Some(0)).contains("longest_s"));
    }
}

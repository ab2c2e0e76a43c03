//! Fetching a recording from the provider, and from nobody else.

use crate::intake::source::SourceError;
use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;

/// What came of it.
pub(super) enum Fetched {
    /// The recording.
    Sound(Vec<u8>),
    /// It can never be had, and why.
    Never(String),
    /// It may be had later: `Gone` = not there yet, `Refused` = account or token, `Unreachable` = the rest.
    Later(SourceError),
}

pub(super) struct Recordings {
    host: Url,
    account: String,
    token: SecretString,
    client: reqwest::Client,
}

impl Recordings {
    pub(super) fn new(host: Url, account: String, token: SecretString) -> Result<Self, String> {
        let mut client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("nachtwache/", env!("CARGO_PKG_VERSION")));
        if host.scheme() == "http" {
            // this machine itself, see the settings
            client = client.no_proxy();
        }
        Ok(Self { host, account, token, client: client.build().map_err(|error| error.to_string())? })
    }

    pub(super) async fn fetch(&self, told: &str, failed: bool, max_bytes: usize, limit: Duration) -> Fetched {
        if failed {
            return Fetched::Never("the provider could not record the call".into());
        }
        let Some(url) = self.own(told) else {
            return Fetched::Never(format!("RecordingUrl is not at {} (recording_host): not fetched", self.host));
        };
        match tokio::time::timeout(limit, self.get(url, max_bytes)).await {
            Ok(fetched) => fetched,
            Err(_) => self.unreachable(&format!("gave no whole recording within {} s", limit.as_secs())),
        }
    }

    /// The address of the sound, if it lies where the token may go.
    fn own(&self, told: &str) -> Option<Url> {
        let mut url = Url::parse(told).ok()?;
        let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        if !plain || url.origin() != self.host.origin() {
            return None;
        }
        url.set_fragment(None);
        let last = url.path().rsplit('/').next().unwrap_or_default();
        if !last.contains('.') {
            url.set_path(&format!("{}.wav", url.path()));
        }
        Some(url)
    }

    async fn get(&self, url: Url, max_bytes: usize) -> Fetched {
        let asked = self.client.get(url).basic_auth(&self.account, Some(self.token.expose_secret())).send();
        let mut answer = match asked.await {
            Ok(answer) => answer,
            Err(error) if error.is_connect() => return self.unreachable("cannot be reached"),
            Err(_) => return self.unreachable("broke off"),
        };
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::ACCEPTED | StatusCode::NO_CONTENT => {
                return Fetched::Later(SourceError::Gone(format!("{}: the recording is not there yet", self.host)));
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let what = format!("{} refuses account_sid and auth_token; remedy: correct them", self.host);
                return Fetched::Later(SourceError::Refused(what));
            }
            status => return self.unreachable(&format!("answered {status}")),
        }
        let mut sound = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) => sound.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(_) => return self.unreachable("broke off"),
            }
            if sound.len() > max_bytes {
                return Fetched::Never(format!("the recording has more than {max_bytes} bytes (intake.max_mib)"));
            }
        }
        if sound.is_empty() {
            return Fetched::Later(SourceError::Gone(format!("{}: the recording is still empty", self.host)));
        }
        Fetched::Sound(sound)
    }

    fn unreachable(&self, what: &str) -> Fetched {
        Fetched::Later(SourceError::Unreachable(format!("{} {what}; tried again by itself", self.host)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_to_the_configured_host_only() {
        let host = Url::parse("https://api.twilio.com").unwrap();
        let recordings = Recordings::new(host, "AC1".into(), "t".to_owned().into()).unwrap();
        let own = |told: &str| recordings.own(told).map(|url| url.to_string());
        assert_eq!(own("https://api.twilio.com/a/RE1").unwrap(), "https://api.twilio.com/a/RE1.wav");
        assert_eq!(own("https://api.twilio.com:443/a/RE1.mp3").unwrap(), "https://api.twilio.com/a/RE1.mp3");
        for hostile in [
            "http://api.twilio.com/a/RE1",
            "https://api.twilio.com.example.com/a",
            "https://api.twilio.com@example.com/a",
            "https://x@api.twilio.com/a",
            "https://api.twilio.com:8443/a",
            "https://api.twilio.com/a?next=https://example.com",
            "//api.twilio.com/a",
            "file:///etc/passwd",
            "",
        ] {
            assert_eq!(own(hostile), None, "{hostile}");
        }
    }
}

//! The wire: one HTTPS request, one answer, and exactly what is known when there is none.
//!
//! Own transport instead of teloxide's: that one sleeps 10 s inside the call on a 5xx and shares one total time limit
//! between texts, uploads and long polls. The requests' shapes are teloxide-core's.
//! The token is part of each address, so no address ever leaves this file, and redirects are not followed.

use std::error::Error as _;
use std::time::Duration;

use reqwest::multipart::Form;
use reqwest::{RequestBuilder, StatusCode, Url, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use teloxide_core::requests::Payload;

use super::error::{self, BotError};
use super::files::too_large;

/// The pause after a 429 that does not name one.
pub(super) const PAUSE_UNTOLD: Duration = Duration::from_secs(5);

/// An idle connection older than this is not used again: one that a firewall forgot would cost an *unknown* result.
const IDLE: Duration = Duration::from_secs(20);

/// How long a request may take, and whether messages keep Telegram's pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Name, connection and TLS together. Must be the shortest: running into it proves non-delivery.
    pub connect: Duration,
    /// A request without a file, in all.
    pub text: Duration,
    /// A request with a file, in all.
    pub upload: Duration,
    /// Messages leave no faster than Telegram allows. Off only where time does not pass by itself.
    pub pace: bool,
}

impl Default for Limits {
    fn default() -> Self {
        let (connect, text, upload) = (Duration::from_secs(5), Duration::from_secs(20), Duration::from_mins(1));
        Self { connect, text, upload, pace: true }
    }
}

/// One bot's connection to the Bot API.
#[derive(Debug, Clone)]
pub(super) struct Api {
    client: reqwest::Client,
    base: String,
    token: SecretString,
    pub(super) limits: Limits,
}

/// Every answer of the Bot API.
#[derive(Deserialize)]
struct Answer {
    ok: bool,
    result: Option<serde_json::Value>,
    error_code: Option<u16>,
    description: Option<String>,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct Parameters {
    migrate_to_chat_id: Option<i64>,
    retry_after: Option<u64>,
}

impl Api {
    /// # Errors
    /// [`BotError::Invalid`] if the address or the token cannot be one.
    pub(super) fn open(api_url: &str, token: SecretString, proxy: bool, limits: Limits) -> Result<Self, BotError> {
        let url = Url::parse(api_url).map_err(|_| BotError::Invalid("the Bot API's address is not a URL".into()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(BotError::Invalid("the Bot API's address must begin with https:// or http://".into()));
        }
        if !looks_like_token(token.expose_secret()) {
            return Err(BotError::Invalid("the bot's token does not look like 123456:ABC-def".into()));
        }
        let mut client = reqwest::Client::builder()
            .connect_timeout(limits.connect)
            .pool_idle_timeout(IDLE)
            .tcp_keepalive(IDLE)
            // one connection per request in flight: a dead one takes only its own request with it
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("nachtwache/", env!("CARGO_PKG_VERSION")));
        if !proxy || is_loopback(&url) {
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| BotError::Invalid(told(error)))?;
        Ok(Self { client, base: url.as_str().trim_end_matches('/').to_owned(), token, limits })
    }

    /// Sends one method as JSON and reads its `result` as `R`.
    pub(super) async fn call<P, R>(&self, payload: &P) -> Result<R, BotError>
    where
        P: Payload + Serialize,
        R: DeserializeOwned,
    {
        self.call_within(payload, self.limits.text).await
    }

    /// As [`Api::call`], with a time limit of its own.
    pub(super) async fn call_within<P, R>(&self, payload: &P, limit: Duration) -> Result<R, BotError>
    where
        P: Payload + Serialize,
        R: DeserializeOwned,
    {
        self.exchange(self.post(P::NAME).json(payload).timeout(limit)).await
    }

    /// Sends one method with a file.
    pub(super) async fn upload<R: DeserializeOwned>(&self, method: &str, form: Form) -> Result<R, BotError> {
        self.exchange(self.post(method).multipart(form).timeout(self.limits.upload)).await
    }

    /// The bytes of a file that people sent, at most `max_bytes`.
    pub(super) async fn download(&self, path: &str, max_bytes: u64) -> Result<Vec<u8>, BotError> {
        let address = format!("{}/file/bot{}/{path}", self.base, self.token.expose_secret());
        let request = self.client.get(address).timeout(self.limits.upload);
        let mut response = request.send().await.map_err(|error| self.lost(error))?;
        let status = response.status();
        if status == StatusCode::NOT_FOUND {
            let text = "the file is no longer there".to_owned();
            return Err(BotError::Refused { code: 404, text, reason: error::Refusal::Gone });
        }
        if status != StatusCode::OK {
            let body = response.bytes().await.unwrap_or_default();
            let refused = read::<serde::de::IgnoredAny>(status, None, &body).err();
            return Err(self.silenced(refused.unwrap_or(BotError::OutOfOrder(status.as_u16()))));
        }
        let mut bytes = Vec::new();
        let announced = response.content_length().unwrap_or(0);
        let fits = |length: usize| u64::try_from(length).is_ok_and(|length| length <= max_bytes);
        if announced > max_bytes {
            return Err(too_large(max_bytes));
        }
        while let Some(chunk) = response.chunk().await.map_err(|error| self.lost(error))? {
            if !fits(bytes.len() + chunk.len()) {
                return Err(too_large(max_bytes));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    fn post(&self, method: &str) -> RequestBuilder {
        self.client.post(format!("{}/bot{}/{method}", self.base, self.token.expose_secret()))
    }

    async fn exchange<R: DeserializeOwned>(&self, request: RequestBuilder) -> Result<R, BotError> {
        let response = request.send().await.map_err(|error| self.lost(error))?;
        let status = response.status();
        let pause = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        match response.bytes().await {
            Ok(body) => read(status, pause, &body).map_err(|error| self.silenced(error)),
            Err(_) if status.is_client_error() => Err(not_the_bot_api(status, pause, b"")),
            Err(error) => Err(BotError::Unknown(self.redacted(&told(error)))),
        }
    }

    /// No answer at all: only a failed connection proves that the request did not leave.
    fn lost(&self, error: reqwest::Error) -> BotError {
        let (connect, builder) = (error.is_connect(), error.is_builder());
        let text = self.redacted(&told(error));
        if connect {
            BotError::NotReached(text)
        } else if builder {
            BotError::Invalid(text)
        } else {
            BotError::Unknown(text)
        }
    }

    fn redacted(&self, text: &str) -> String {
        text.replace(self.token.expose_secret(), "[token]")
    }

    /// Nobody promises that an answer does not repeat the address that was asked for.
    fn silenced(&self, error: BotError) -> BotError {
        match error {
            BotError::Unreachable(text) => BotError::Unreachable(self.redacted(&text)),
            BotError::Refused { code, text, reason } => BotError::Refused { code, text: self.redacted(&text), reason },
            BotError::Unknown(text) => BotError::Unknown(self.redacted(&text)),
            other => other,
        }
    }
}

fn read<R: DeserializeOwned>(status: StatusCode, pause: Option<u64>, body: &[u8]) -> Result<R, BotError> {
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        return Err(not_the_bot_api(status, pause, body));
    };
    if answer.ok {
        // the parser's own words may quote the answer: only that it failed is told
        let result = serde_json::from_value(answer.result.unwrap_or_default());
        return result.map_err(|_| BotError::Unknown("the result has an unknown shape".into()));
    }
    let parameters = answer.parameters.as_ref();
    let pause = parameters.and_then(|given| given.retry_after).or(pause).map(Duration::from_secs);
    let moved = parameters.and_then(|given| given.migrate_to_chat_id);
    let code = answer.error_code.unwrap_or(status.as_u16());
    Err(error::refused(code, answer.description.as_deref().unwrap_or_default(), pause, moved))
}

/// An answer without the Bot API's JSON comes from a gateway, a proxy or a firewall. Its 403 or 404 says nothing about
/// the chat or the token.
fn not_the_bot_api(status: StatusCode, pause: Option<u64>, body: &[u8]) -> BotError {
    let code = status.as_u16();
    match code {
        429 => BotError::Wait(pause.map_or(PAUSE_UNTOLD, Duration::from_secs)),
        413 => error::refused(code, "the file is too large", None, None),
        500.. => error::broken(code, !body.is_empty()),
        300..=499 => BotError::OutOfOrder(code),
        _ => BotError::Unknown(format!("HTTP {code} without the Bot API's JSON")),
    }
}

/// An error with its causes, without the address (the token stands in it).
fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

fn looks_like_token(token: &str) -> bool {
    token.split_once(':').is_some_and(|(id, secret)| {
        !id.is_empty()
            && id.bytes().all(|byte| byte.is_ascii_digit())
            && !secret.is_empty()
            && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telegram::Failure;

    fn kind(status: u16, body: &str) -> Failure {
        let status = StatusCode::from_u16(status).unwrap();
        read::<bool>(status, None, body.as_bytes()).unwrap_err().kind()
    }

    #[test]
    fn an_answer_that_is_not_the_bot_apis_accuses_neither_token_nor_chat() {
        for status in [302, 400, 401, 403, 404, 407, 500, 502, 503] {
            assert_eq!(kind(status, "<html>no</html>"), Failure::Again, "{status}");
        }
        assert_eq!(kind(200, "<html>no</html>"), Failure::Unknown);
        assert_eq!(kind(200, r#"{"ok":true,"result":"other"}"#), Failure::Unknown);
        assert_eq!(kind(502, ""), Failure::Unknown);
        assert_eq!(kind(413, "<html>"), Failure::Refused);
        assert_eq!(kind(429, "<html>"), Failure::Wait(PAUSE_UNTOLD));
    }

    #[test]
    fn the_pause_comes_from_the_answer_then_from_the_header() {
        let pause = |body: &str, header| read::<bool>(StatusCode::TOO_MANY_REQUESTS, header, body.as_bytes());
        let told = pause(r#"{"ok":false,"error_code":429,"parameters":{"retry_after":7}}"#, Some(9)).unwrap_err();
        assert_eq!(told.kind(), Failure::Wait(Duration::from_secs(7)));
        let header = pause(r#"{"ok":false,"error_code":429}"#, Some(9)).unwrap_err();
        assert_eq!(header.kind(), Failure::Wait(Duration::from_secs(9)));
    }

    #[test]
    fn proxies_are_never_asked_for_loopback_addresses() {
        for (url, loopback) in [
            ("http://127.0.0.1:8081", true),
            ("http://localhost/", true),
            ("http://[::1]:1/", true),
            ("https://api.telegram.org", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), loopback, "{url}");
        }
    }

    #[test]
    fn a_token_has_digits_a_colon_and_a_secret() {
        assert!(looks_like_token("123456:AB-c_d"));
        for wrong in ["", "123456", ":abc", "12a:abc", "123:", "123:a/b", "123:a b", "123:a\n"] {
            assert!(!looks_like_token(wrong), "{wrong:?}");
        }
    }
}

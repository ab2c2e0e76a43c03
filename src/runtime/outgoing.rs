//! One request over HTTP to somebody named in the settings, and exactly what is known when it is not answered well.
//!
//! Promises: it ends within its time limit; no more of an answer is kept than asked for; a redirect is followed only where
//! the caller says so, only for a question (GET), only to the same host. An error names the host and nothing else of the
//! address, no header and nothing of what was sent: addresses hold keys, bodies hold callers' words.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, Url, header};
use std::collections::HashSet;
use std::error::Error as _;
use std::net::IpAddr;
use std::time::Duration;

pub use reqwest::Method;

/// This program, as it names itself.
const AGENT: &str = concat!("nachtwache/", env!("CARGO_PKG_VERSION"));
/// How much of a refusal is read, in bytes, and told, in characters.
const REFUSAL_MAX: usize = 4096;
const SAID_MAX: usize = 200;
/// Longest pause that is obeyed.
const PAUSE_MAX: Duration = Duration::from_mins(10);
/// Shortest word that is kept out of an error because it was sent: shorter ones tell nothing.
const WORD_MIN: usize = 3;

/// How far a request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Name, connection and TLS together. Must be shorter than `total`: running into it proves non-delivery.
    pub connect: Duration,
    /// The whole request, the answer read.
    pub total: Duration,
    /// Largest good answer, in bytes; 0 = its body is not read at all.
    pub answer: usize,
    /// How many redirects a GET follows, on the same host only.
    pub redirects: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), total: Duration::from_secs(20), answer: 0, redirects: 0 }
    }
}

/// A request.
#[derive(Clone)]
pub struct Ask {
    /// GET, POST, …
    pub method: Method,
    /// The whole address.
    pub url: String,
    /// Name and value; a value that is no header value makes the request [`OutgoingError::Invalid`].
    pub headers: Vec<(String, String)>,
    /// What is sent; empty = nothing.
    pub body: Vec<u8>,
    /// Which statuses are a good answer; empty = 200 to 299.
    pub good: Vec<u16>,
    /// Values whose words must not stand in an error though the peer repeats them. Address and headers are always kept out.
    pub private: Vec<String>,
}

impl Ask {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        let (headers, body, good, private) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { method, url: url.into(), headers, body, good, private }
    }
}

/// A good answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; empty where [`Limits::answer`] is 0.
    pub body: Vec<u8>,
}

/// What an error proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Nothing reached the other side.
    NotDelivered,
    /// It may have been taken.
    Unknown,
    /// It was read and not taken.
    Refused,
}

/// Why there is no good answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutgoingError {
    /// Address or header cannot be one; nothing was sent.
    #[error("not sent: {0}")]
    Invalid(String),
    /// No connection: the name, the port, TLS.
    #[error("{host} was not reached: {why}")]
    NotReached {
        /// Whom.
        host: String,
        /// With all causes.
        why: String,
    },
    /// The request left; its answer was lost or cannot be used.
    #[error("no usable answer from {host}: {why}")]
    Unknown {
        /// From whom.
        host: String,
        /// With all causes.
        why: String,
    },
    /// Answered with another status than a good one.
    #[error("{host} answers with status {status}{}{said}", if said.is_empty() { "" } else { ": " })]
    Status {
        /// Who.
        host: String,
        /// Its status.
        status: u16,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
        /// The beginning of its words, without any of ours.
        said: String,
    },
}

impl OutgoingError {
    /// What it proves. A server's own error (5xx but 503) proves nothing, it may have failed after the work; nor does a
    /// success that is not the one asked for.
    #[must_use]
    pub fn proof(&self) -> Proof {
        match self {
            Self::NotReached { .. } | Self::Status { status: 408 | 425 | 429 | 503, .. } => Proof::NotDelivered,
            Self::Unknown { .. } | Self::Status { status: 200..=299 | 500.., .. } => Proof::Unknown,
            Self::Invalid(_) | Self::Status { .. } => Proof::Refused,
        }
    }
}

/// Asks over HTTP(S), with limits.
#[derive(Debug, Clone)]
pub struct Outgoing {
    client: Client,
    direct: Client,
    limits: Limits,
}

impl Outgoing {
    /// With these limits; nothing is asked yet.
    ///
    /// # Errors
    /// Where the system's certificates cannot be used.
    pub fn new(limits: Limits) -> Result<Self, String> {
        let builder = || {
            Client::builder()
                .connect_timeout(limits.connect)
                .timeout(limits.total)
                .http1_only()
                // a kept connection that died unseen would cost an unknown result
                .pool_max_idle_per_host(0)
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(AGENT)
        };
        let build = |builder: reqwest::ClientBuilder| {
            builder.build().map_err(|error| format!("HTTP cannot be used: {}", told(error)))
        };
        // a proxy of the environment is for the outside, never for this machine
        Ok(Self { client: build(builder())?, direct: build(builder().no_proxy())?, limits })
    }

    /// A GET.
    ///
    /// # Errors
    /// See [`OutgoingError`].
    pub async fn get(&self, url: &str) -> Result<Answer, OutgoingError> {
        self.send(Ask::new(Method::GET, url)).await
    }

    /// A POST of this kind.
    ///
    /// # Errors
    /// See [`OutgoingError`].
    pub async fn post(&self, url: &str, content_type: &str, body: Vec<u8>) -> Result<Answer, OutgoingError> {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        self.send(Ask { headers, body, ..Ask::new(Method::POST, url) }).await
    }

    /// Any request.
    ///
    /// # Errors
    /// See [`OutgoingError`].
    pub async fn send(&self, ask: Ask) -> Result<Answer, OutgoingError> {
        let (mut url, headers) = (parsed(&ask.url)?, checked(&ask.headers)?);
        let host = host_of(&url);
        let mut redirects = if ask.method == Method::GET { self.limits.redirects } else { 0 };
        loop {
            let client = if is_this_machine(&url) { &self.direct } else { &self.client };
            let request = client.request(ask.method.clone(), url.clone()).headers(headers.clone());
            let request = if ask.body.is_empty() { request } else { request.body(ask.body.clone()) };
            let answer = request.send().await.map_err(|error| lost(&host, error))?;
            let status = answer.status();
            let good = if ask.good.is_empty() { status.is_success() } else { ask.good.contains(&status.as_u16()) };
            if good {
                return self.read(&host, answer).await;
            }
            match next(&url, &answer).filter(|_| redirects > 0) {
                Some(to) => (url, redirects) = (to, redirects - 1),
                None => return Err(refused(&host, answer, &ask).await),
            }
        }
    }

    /// Whether an HTTP server answers at this origin, whatever it says; only the origin is asked, so nobody is told.
    ///
    /// # Errors
    /// Why not, with the host.
    pub async fn probe(&self, url: &str) -> Result<(), OutgoingError> {
        let mut url = parsed(url)?;
        url.set_path("/");
        url.set_query(None);
        url.set_fragment(None);
        let host = host_of(&url);
        let client = if is_this_machine(&url) { &self.direct } else { &self.client };
        client.head(url).send().await.map(drop).map_err(|error| lost(&host, error))
    }

    async fn read(&self, host: &str, mut answer: Response) -> Result<Answer, OutgoingError> {
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let mut body = Vec::new();
        let unknown = |why: String| OutgoingError::Unknown { host: host.to_owned(), why };
        if self.limits.answer == 0 {
            return Ok(Answer { status, headers, body });
        }
        while let Some(chunk) = answer.chunk().await.map_err(|error| unknown(told(error)))? {
            body.extend_from_slice(&chunk);
            if body.len() > self.limits.answer {
                return Err(unknown(format!("its answer has more than {} bytes", self.limits.answer)));
            }
        }
        Ok(Answer { status, headers, body })
    }
}

/// Whether an address names this machine, by number or as `localhost`.
#[must_use]
pub fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let number = host.trim_matches(['[', ']']).parse::<IpAddr>();
    number.map_or(host == "localhost", |ip| ip.is_loopback())
}

/// An error with all its causes, without the address.
#[must_use]
pub fn told(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

fn parsed(url: &str) -> Result<Url, OutgoingError> {
    let url = Url::parse(url).map_err(|_| OutgoingError::Invalid("the address is no URL".into()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(OutgoingError::Invalid("the address does not begin with https:// or http:// and a host".into()));
    }
    Ok(url)
}

fn checked(headers: &[(String, String)]) -> Result<HeaderMap, OutgoingError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let invalid = || OutgoingError::Invalid(format!("the header {name:?} or its value is none"));
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| invalid())?;
        value.set_sensitive(true);
        map.append(key, value);
    }
    Ok(map)
}

fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// No answer at all: only a failed connection proves that the request did not leave.
fn lost(host: &str, error: reqwest::Error) -> OutgoingError {
    let (connect, builder) = (error.is_connect(), error.is_builder());
    let (host, why) = (host.to_owned(), told(error));
    match (connect, builder) {
        (true, _) => OutgoingError::NotReached { host, why },
        (false, true) => OutgoingError::Invalid(why),
        (false, false) => OutgoingError::Unknown { host, why },
    }
}

/// Where a redirect leads, if it may be followed: the same host, and not out of TLS.
fn next(from: &Url, answer: &Response) -> Option<Url> {
    let moved = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let to = answer.headers().get(header::LOCATION).filter(|_| moved)?.to_str().ok()?;
    let to = from.join(to).ok()?;
    let safe = to.scheme() == from.scheme() || to.scheme() == "https";
    (safe && to.host() == from.host()).then_some(to)
}

async fn refused(host: &str, mut answer: Response, ask: &Ask) -> OutgoingError {
    let status = answer.status();
    let told = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut body = Vec::new();
    // as much as comes: the status alone is enough
    while let Ok(Some(chunk)) = answer.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() >= REFUSAL_MAX {
            body.truncate(REFUSAL_MAX);
            break;
        }
    }
    let said = if status.is_redirection() {
        "it points elsewhere, which is not followed; is the address right?".to_owned()
    } else {
        without_ours(&String::from_utf8_lossy(&body), ask)
    };
    let retry_after = told.map(|seconds| Duration::from_secs(seconds).min(PAUSE_MAX));
    OutgoingError::Status { host: host.to_owned(), status: status.as_u16(), retry_after, said }
}

/// The beginning of an answer on one line, every word that we sent in private taken out.
fn without_ours(said: &str, ask: &Ask) -> String {
    // escaped as JSON our words would not be found again
    let plain =
        serde_json::from_str::<serde_json::Value>(said).map_or_else(|_| said.to_owned(), |json| json.to_string());
    let plain = percent_decoded(&plain).to_lowercase();
    let address = percent_decoded(&ask.url).to_lowercase();
    let host = Url::parse(&ask.url).map(|url| host_of(&url)).unwrap_or_default();
    let values = ask.headers.iter().map(|(_, value)| value).chain(&ask.private).map(|value| value.to_lowercase());
    let ours: Vec<String> = values.chain([address.replacen(&host, "", 1)]).collect();
    let ours: HashSet<&str> = ours.iter().flat_map(|text| words(text)).collect();
    let mut kept = String::new();
    let mut rest = plain.as_str();
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(rest.len()).max(first.len_utf8());
        let (piece, after) = rest.split_at(end);
        let hidden =
            piece.chars().count() >= WORD_MIN && ours.iter().any(|word| word.contains(piece) || piece.contains(word));
        kept.push_str(if hidden { "…" } else { piece });
        rest = after;
    }
    let line = kept.split(|letter: char| letter.is_whitespace() || letter.is_control()).filter(|word| !word.is_empty());
    line.collect::<Vec<_>>().join(" ").chars().take(SAID_MAX).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| word.chars().count() >= WORD_MIN)
}

fn percent_decoded(text: &str) -> String {
    let digit = |byte: Option<&u8>| u8::try_from(char::from(*byte?).to_digit(16)?).ok();
    let (bytes, mut plain, mut at) = (text.as_bytes(), Vec::new(), 0);
    while let Some(&byte) = bytes.get(at) {
        if let (b'%', Some(high), Some(low)) = (byte, digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            plain.push(high * 16 + low);
            at += 3;
        } else {
            plain.push(byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    fn outgoing(answer: usize, redirects: u8) -> Outgoing {
        let limits = Limits { connect: Duration::from_secs(2), total: Duration::from_secs(5), answer, redirects };
        Outgoing::new(limits).unwrap()
    }

    /// Asks a peer that gives these answers one after the other; what it was asked, and what came of it.
    async fn asked(
        client: &Outgoing,
        ask: impl Fn(&str) -> Ask,
        answers: &[&str],
    ) -> (Vec<String>, Result<Answer, OutgoingError>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let peer = async {
            let mut seen = Vec::new();
            for answer in answers {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut buffer = vec![0; 65536];
                let size = socket.read(&mut buffer).await.unwrap();
                seen.push(String::from_utf8_lossy(&buffer[..size]).into_owned());
                socket.write_all(answer.replace("BASE", &base).as_bytes()).await.unwrap();
            }
            seen
        };
        tokio::join!(peer, client.send(ask(&base)))
    }

    #[tokio::test]
    async fn a_good_answer_comes_with_its_body_up_to_the_limit() {
        let get = |base: &str| Ask::new(Method::GET, format!("{base}/feed.ics"));
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        let (seen, read) = asked(&outgoing(5, 0), get, &[answer]).await;
        assert_eq!(read.unwrap().body, b"hello");
        assert!(seen[0].contains("user-agent: nachtwache/"), "{}", seen[0]);
        let (_, large) = asked(&outgoing(4, 0), get, &[answer]).await;
        assert_eq!(large.unwrap_err().proof(), Proof::Unknown);
        let (_, unread) = asked(&outgoing(0, 0), get, &[answer]).await;
        assert!(unread.unwrap().body.is_empty());
    }

    #[tokio::test]
    async fn what_is_proven_is_told_from_what_is_not() {
        let post = |base: &str| Ask { body: b"x".to_vec(), ..Ask::new(Method::POST, base) };
        for (answer, proof) in [
            ("HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", Proof::NotDelivered),
            ("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", Proof::NotDelivered),
            ("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", Proof::Unknown),
            ("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", Proof::Refused),
            ("", Proof::Unknown),
            ("HTTP/1.1 200", Proof::Unknown),
        ] {
            let (_, result) = asked(&outgoing(0, 0), post, &[answer]).await;
            assert_eq!(result.unwrap_err().proof(), proof, "{answer:?}");
        }
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let client = outgoing(0, 0);
        assert_eq!(client.get(&format!("http://{closed}/key")).await.unwrap_err().proof(), Proof::NotDelivered);
        let nowhere = client.get("http://user:pw@nowhere.invalid/key?key=1").await.unwrap_err();
        assert_eq!(nowhere.proof(), Proof::NotDelivered);
        assert!(!nowhere.to_string().contains("key") && !nowhere.to_string().contains("pw"), "{nowhere}");
        for bad in ["", "ftp://x/", "file:///etc/passwd", "https://", "no url"] {
            assert!(matches!(client.get(bad).await, Err(OutgoingError::Invalid(_))), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_pause_is_told_and_bounded() {
        let get = |base: &str| Ask::new(Method::GET, base);
        for (told, obeyed) in [("7", Some(7)), ("999999", Some(600)), ("tomorrow", None)] {
            let answer = format!("HTTP/1.1 429 Slow\r\nRetry-After: {told}\r\nContent-Length: 0\r\n\r\n");
            let (_, result) = asked(&outgoing(0, 0), get, &[&answer]).await;
            let Err(OutgoingError::Status { retry_after, .. }) = result else { panic!("{result:?}") };
            assert_eq!(retry_after, obeyed.map(Duration::from_secs));
        }
    }

    #[tokio::test]
    async fn a_redirect_is_followed_for_a_question_to_the_same_host_and_no_further() {
        let get = |base: &str| Ask::new(Method::GET, format!("{base}/a"));
        let here = "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n";
        let good = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        let (seen, result) = asked(&outgoing(9, 1), get, &[here, good]).await;
        assert!(result.is_ok() && seen[1].starts_with("GET /b "), "{seen:?}");
        let (_, twice) = asked(&outgoing(9, 1), get, &[here, here]).await;
        assert!(matches!(twice, Err(OutgoingError::Status { status: 302, .. })), "{twice:?}");
        let elsewhere = "HTTP/1.1 302 Found\r\nLocation: http://localhost:1/b\r\nContent-Length: 0\r\n\r\n";
        let (_, away) = asked(&outgoing(9, 3), get, &[elsewhere]).await;
        assert_eq!(away.unwrap_err().proof(), Proof::Refused);
        let post = |base: &str| Ask::new(Method::POST, base);
        let (_, posted) = asked(&outgoing(9, 3), post, &[here]).await;
        assert_eq!(posted.unwrap_err().proof(), Proof::Refused);
    }

    #[tokio::test]
    async fn a_refusal_is_quoted_without_anything_of_ours() {
        let ask = |base: &str| Ask {
            headers: vec![("authorization".into(), "Bearer tk_geheim".into())],
            private: vec!["Müller GmbH, +49 9721 555017".into()],
            ..Ask::new(Method::POST, format!("{base}/hook/AbC123?token=s%C3%A4cret"))
        };
        let body = r#"{"error":"unknown key AbC123 säcret s%C3%A4cret tk_geheim","got":"M\u00fcller\n 9721-555017"}"#;
        let answer = format!("HTTP/1.1 400 Bad\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let (_, result) = asked(&outgoing(0, 0), ask, &[&answer]).await;
        let error = result.unwrap_err();
        let shown = format!("{error} {error:?}").to_lowercase();
        assert!(shown.contains("unknown key") && shown.contains("400") && shown.contains("127.0.0.1"), "{shown}");
        for secret in ["abc123", "cret", "geheim", "ller", "9721", "555017", "hook"] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
    }

    #[tokio::test]
    async fn a_probe_asks_for_the_origin_alone() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/secret?token=1", listener.local_addr().unwrap());
        let peer = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0; 4096];
            let size = socket.read(&mut buffer).await.unwrap();
            socket.write_all(b"HTTP/1.1 404 No\r\n\r\n").await.unwrap();
            String::from_utf8_lossy(&buffer[..size]).into_owned()
        };
        let client = outgoing(0, 0);
        let (asked, result) = tokio::join!(peer, client.probe(&url));
        assert!(result.is_ok() && asked.starts_with("HEAD / "), "{asked}");
    }
}

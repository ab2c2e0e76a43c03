//! HTTP for the sources that ask a provider: time limits, size limits, and what a failed answer means.
//!
//! Promises: no redirect is followed; credentials go where the caller of this module puts them and nowhere else; no
//! address, no header and no text of an answer ever stands in an error (they hold tokens, numbers and names).
//! A 429 is obeyed: nothing is asked before its time is over.

use crate::intake::source::SourceError;
pub(super) use crate::runtime::outgoing::{is_this_machine as is_loopback, told};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, header};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Largest JSON answer, in bytes.
const JSON_MAX: u64 = 16 * 1024 * 1024;
/// The pause after a 429 that does not name one.
const PAUSE_UNTOLD: Duration = Duration::from_secs(30);
/// A 429 that asks for more is asked again after this long.
const PAUSE_MAX: Duration = Duration::from_mins(5);
/// A provider that answers nothing but 429 for so long counts as not reachable.
const TOO_MANY_TOO_LONG: Duration = Duration::from_mins(3);

/// How long a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Name, connection and TLS together.
    pub connect: Duration,
    /// A question, in all.
    pub answer: Duration,
    /// A recording, in all.
    pub recording: Duration,
    /// A recording that cannot be had for so long is given up: a human is woken without it.
    pub give_up: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            recording: Duration::from_mins(2),
            give_up: Duration::from_mins(10),
        }
    }
}

/// Somebody who answers questions in JSON.
#[derive(Debug)]
pub(super) struct Peer {
    client: Client,
    base: Url,
    /// What the peer is called in errors.
    name: &'static str,
    /// What to do when it refuses us.
    remedy: &'static str,
    limits: Limits,
    /// Nothing is asked before; and since when it is so.
    quiet: Option<(Instant, Instant)>,
}

impl Peer {
    /// A peer at `base`; nothing is asked yet.
    ///
    /// # Errors
    /// Where the address is none, or neither https nor on this machine.
    pub(super) fn open(name: &'static str, base: &str, remedy: &'static str, limits: Limits) -> Result<Self, String> {
        let base = Url::parse(base).map_err(|_| format!("the address of {name} is no URL; write https://host/…"))?;
        if base.host().is_none() || !(base.scheme() == "https" || base.scheme() == "http" && is_loopback(&base)) {
            return Err(format!("the address of {name} must begin with https:// (http:// only on this machine)"));
        }
        let client = client(&limits, is_loopback(&base), None)?;
        Ok(Self { client, base, name, remedy, limits, quiet: None })
    }

    /// The address below `base` whose path ends in these parts.
    pub(super) fn url<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        url
    }

    pub(super) fn get(&self, url: Url) -> RequestBuilder {
        self.client.get(url).timeout(self.limits.answer)
    }

    /// An address that stands in an answer, whole or below the peer's own.
    pub(super) fn join(&self, address: &str) -> Option<Url> {
        self.base.join(address).ok()
    }

    /// The client by which the peer is asked.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    pub(super) fn put(&self, url: Url) -> RequestBuilder {
        self.client.put(url).timeout(self.limits.answer)
    }

    /// The peer's host, for people.
    pub(super) fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// Whether the peer is this machine: a trial, not a provider.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.base)
    }

    /// Same scheme, host and port as the peer's own address.
    pub(super) fn is_own(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    /// How long nothing may be asked.
    pub(super) fn quiet_for(&self) -> Option<Duration> {
        self.quiet.and_then(|(until, _)| until.checked_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }

    /// Asks, and gives the answer if it is a good one.
    pub(super) async fn ask(&mut self, request: RequestBuilder) -> Result<Response, SourceError> {
        if self.quiet_for().is_some() {
            return Err(self.too_many());
        }
        let answer = request.send().await.map_err(|error| self.unreachable(&told(error)))?;
        let status = answer.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            let now = Instant::now();
            let since = self.quiet.map_or(now, |(_, since)| since);
            self.quiet = Some((now + retry_after(&answer), since));
            return Err(self.too_many());
        }
        self.quiet = None;
        let (host, name, remedy) = (self.host(), self.name, self.remedy);
        match status.as_u16() {
            200..=299 => Ok(answer),
            401 => Err(SourceError::Refused(format!("{name} ({host}) refuses the login; remedy: {remedy}"))),
            403 => Err(SourceError::Refused(format!("{name} ({host}) refuses the right to do that; remedy: {remedy}"))),
            404 => Err(SourceError::Gone(format!("{name} ({host}) knows nothing of that (404)"))),
            300..=399 => Err(self.unreachable("it points elsewhere, which is not followed; is the address right?")),
            code => Err(self.unreachable(&format!("it answers with status {code}"))),
        }
    }

    /// Asks for JSON.
    pub(super) async fn json(&mut self, request: RequestBuilder) -> Result<Value, SourceError> {
        let answer = match self.ask(request).await {
            Err(SourceError::Gone(_)) => {
                return Err(self.unreachable("it knows nothing of that (404); is the address right?"));
            }
            answer => answer?,
        };
        let bytes = match body(answer, JSON_MAX).await {
            Ok(bytes) => bytes,
            Err(Cut::Broken(why)) => return Err(self.unreachable(&why)),
            Err(Cut::TooLarge(size)) => return Err(self.unreachable(&format!("its answer has {size} bytes or more"))),
        };
        serde_json::from_slice(&bytes).map_err(|error| {
            // the parser's own words would quote what it read
            let (line, column) = (error.line(), error.column());
            self.unreachable(&format!("its answer is no JSON from line {line} column {column} on"))
        })
    }

    pub(super) fn unreachable(&self, why: &str) -> SourceError {
        let (name, host) = (self.name, self.host());
        SourceError::Unreachable(format!("{name} ({host}) cannot be asked: {why}; remedy: see whether it works there"))
    }

    fn too_many(&self) -> SourceError {
        let lasts = self.quiet.map_or(Duration::ZERO, |(_, since)| since.elapsed());
        let what = format!("{} ({}) says that it is asked too often (429)", self.name, self.host());
        if lasts >= TOO_MANY_TOO_LONG {
            return SourceError::Unreachable(format!("{what} for {} s; remedy: raise poll_s", lasts.as_secs()));
        }
        SourceError::Busy(what)
    }
}

/// A client that reaches any host of the public internet and no other: for addresses that stand in an answer.
pub(super) fn public_client(limits: &Limits) -> Result<Client, String> {
    client(limits, true, Some(Arc::new(PublicOnly)))
}

/// Whether `url` may be asked at all by [`public_client`]; says what is wrong with it otherwise.
pub(super) fn check_public(url: &Url) -> Result<(), &'static str> {
    if url.scheme() != "https" {
        return Err("its address does not begin with https://");
    }
    if literal(url).is_some_and(|ip| !is_public(ip)) {
        return Err("its address lies inside a private network");
    }
    Ok(())
}

/// Why a body is not whole.
pub(super) enum Cut {
    Broken(String),
    TooLarge(u64),
}

/// The whole body, of at most `max` bytes.
pub(super) async fn body(mut answer: Response, max: u64) -> Result<Vec<u8>, Cut> {
    if let Some(size) = answer.content_length().filter(|size| *size > max) {
        return Err(Cut::TooLarge(size));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| Cut::Broken(told(error)))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > max {
            return Err(Cut::TooLarge(bytes.len() as u64));
        }
    }
    Ok(bytes)
}

fn client(limits: &Limits, direct: bool, resolver: Option<Arc<PublicOnly>>) -> Result<Client, String> {
    let mut client = Client::builder()
        .connect_timeout(limits.connect)
        .timeout(limits.recording)
        .pool_idle_timeout(Duration::from_secs(20))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("nachtwache/", env!("CARGO_PKG_VERSION")));
    if direct {
        client = client.no_proxy();
    }
    if let Some(resolver) = resolver {
        client = client.dns_resolver(resolver);
    }
    client.build().map_err(|error| format!("HTTP cannot be used: {}", told(error)))
}

/// What the peer asked for, in seconds; a date instead is not understood.
fn retry_after(answer: &Response) -> Duration {
    let told = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    told.map_or(PAUSE_UNTOLD, Duration::from_secs).clamp(Duration::from_secs(1), PAUSE_MAX)
}

/// A text or number of an item; `None` where there is none or it is empty.
pub(super) fn text(item: &Value, key: &str) -> Option<String> {
    match item.get(key)? {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The host of an address where it is a number.
fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}

/// Names resolve to public addresses or to nothing.
#[derive(Debug)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err("the name has no address in the public internet".into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// An address that any host of the internet may be asked at.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_documentation();
    let shared = a == 100 && (64..128).contains(&b);
    let test = a == 198 && (18..20).contains(&b) || (a, b, c) == (192, 0, 0);
    !(special || shared || test || a == 0 || a >= 224)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let parts = ip.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match parts {
        // IPv4 in IPv6: mapped, NAT64, 6to4
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            is_public_v4(embedded(high, low))
        }
        // documentation and ORCHID stand inside what is otherwise global
        [0x2001, 0xdb8, ..] => false,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_inside_a_network_are_not_public() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.178.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:192.168.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["1.1.1.1", "217.10.79.9", "2a00:1450:4001::1", "::ffff:1.1.1.1", "64:ff9b::101:101"] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn an_address_in_an_answer_must_be_https_and_outside() {
        let check = |url: &str| check_public(&Url::parse(url).unwrap());
        assert!(check("https://files.example.org/a.mp3?signature=x").is_ok());
        for bad in [
            "http://files.example.org/a",
            "https://127.0.0.1/a",
            "https://[::1]/a",
            "https://0x7f000001/",
            "file:///etc/passwd",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_https_or_this_machine_is_a_peer() {
        let open = |base: &str| Peer::open("x", base, "", Limits::default());
        for good in ["https://api.example.org/v2", "http://127.0.0.1:1/v2", "http://localhost/v2", "http://[::1]/"] {
            assert!(open(good).is_ok(), "{good}");
        }
        for bad in
            ["http://api.example.org/v2", "api.example.org", "ftp://127.0.0.1/", "http://127.0.0.1.evil.example/"]
        {
            assert!(open(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_part_of_a_path_stays_one_part() {
        let peer = Peer::open("x", "https://api.example.org/v2/", "", Limits::default()).unwrap();
        assert_eq!(peer.url(["history", "a/../b?c"]).as_str(), "https://api.example.org/v2/history/a%2F..%2Fb%3Fc");
    }
}

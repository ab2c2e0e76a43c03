//! From where somebody comes: what the connection says, or what a proxy of the settings says. Nobody else is believed.

use super::{App, Inner};
use crate::runtime::server::Peer;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address of whoever sent a request, for its handler.
pub(super) struct Address(pub(super) IpAddr);

impl FromRequestParts<App> for Address {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self(address(app, &parts.extensions, &parts.headers)))
    }
}

fn address(app: &Inner, extensions: &Extensions, headers: &HeaderMap) -> IpAddr {
    // no peer: not by our server; nothing is a loopback then
    let peer = extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip().to_canonical());
    seen_by(&app.settings.proxies, peer, headers)
}

/// Whether a program on this machine asks: by a proxy that nobody named, it is somebody else.
pub(super) fn is_this_machine(app: &Inner, request: &Request) -> bool {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_canonical());
    let named = peer.is_some_and(|peer| app.settings.proxies.contains(&peer));
    let says = |name: &str| request.headers().contains_key(name);
    let is_believed = match (says("x-forwarded-for"), says("forwarded")) {
        (true, _) => named,
        // of the two, only the other one is read
        (false, told) => !told,
    };
    is_believed && address(app, request.extensions(), request.headers()).is_loopback()
}

fn seen_by(proxies: &[IpAddr], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if !proxies.contains(&peer) {
        return peer;
    }
    // each proxy adds who spoke to it at the end: the last one that is no proxy of ours is who came
    let lines = headers.get_all("x-forwarded-for").into_iter().filter_map(|value| value.to_str().ok());
    let named: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    let mut furthest = peer;
    for name in named.iter().rev() {
        let Ok(address) = name.parse::<IpAddr>() else { break };
        furthest = address.to_canonical();
        if !proxies.contains(&furthest) {
            break;
        }
    }
    furthest
}

/// The network that tries are counted by: an IPv4 address, or the /64 of an IPv6 one.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn seen(proxies: &[&str], peer: &str, forwarded: &'static str) -> String {
        let proxies: Vec<IpAddr> = proxies.iter().map(|one| one.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static(forwarded));
        seen_by(&proxies, peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_a_named_proxy_is_believed() {
        assert_eq!(seen(&[], "198.51.100.7", "203.0.113.1"), "198.51.100.7");
        assert_eq!(seen(&["10.0.0.1"], "10.0.0.1", "203.0.113.1"), "203.0.113.1");
        assert_eq!(seen(&["10.0.0.1"], "10.0.0.9", "127.0.0.1"), "10.0.0.9");
    }

    #[test]
    fn what_a_caller_writes_himself_stands_further_left_and_is_not_read() {
        assert_eq!(seen(&["10.0.0.1"], "10.0.0.1", "127.0.0.1, 203.0.113.1"), "203.0.113.1");
        assert_eq!(seen(&["10.0.0.1", "10.0.0.2"], "10.0.0.1", "1.2.3.4, 203.0.113.1, 10.0.0.2"), "203.0.113.1");
        assert_eq!(seen(&["10.0.0.1"], "10.0.0.1", "nonsense"), "10.0.0.1");
    }

    #[test]
    fn a_whole_ipv6_network_counts_as_one() {
        let network = |text: &str| super::network(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("203.0.113.1"), "203.0.113.1");
    }
}

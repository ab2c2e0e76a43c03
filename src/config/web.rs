//! `[web]`: the page of the people in the office.

use super::Secret;
use crate::domain::account::Lifetimes;
use chrono::TimeDelta;
use reqwest::Url;
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// `[web]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Web {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// What people type into their browser; none = `http://` and the address that is listened on.
    pub public_url: Option<String>,
    /// PEM file with the certificate chain: the service speaks TLS itself.
    pub certificate: Option<PathBuf>,
    /// PEM file with the certificate's key.
    pub key: Option<PathBuf>,
    /// Addresses of the reverse proxy in front that speaks TLS; the caller's address is believed from these only.
    pub proxies: Vec<IpAddr>,
    /// Whether everybody needs a second factor.
    pub second_factor: SecondFactor,
    /// An unused session is over after so many minutes.
    pub idle_min: i64,
    /// Every session is over after so many hours.
    pub longest_h: i64,
    /// Whoever shows this token may read `/metrics` from another machine.
    pub metrics_token: Option<Secret>,
}

/// Whether everybody needs a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    /// Everybody who logs in with a password.
    Required,
    /// Who has set one up.
    Optional,
}

impl Default for Web {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            public_url: None,
            certificate: None,
            key: None,
            proxies: Vec::new(),
            second_factor: SecondFactor::Required,
            idle_min: 30,
            longest_h: 12,
            metrics_token: None,
        }
    }
}

impl Web {
    /// How long sessions live.
    #[must_use]
    pub fn lifetimes(&self) -> Lifetimes {
        Lifetimes {
            idle: TimeDelta::minutes(self.idle_min),
            longest: TimeDelta::hours(self.longest_h),
            half: TimeDelta::minutes(10),
            fresh: TimeDelta::minutes(5),
        }
    }

    /// What people type into their browser, without a slash at the end. The settings were checked: it is a URL.
    #[must_use]
    pub fn origin(&self) -> String {
        let given = self.public_url.as_deref().and_then(|url| Url::parse(url).ok());
        given.map_or_else(|| format!("http://{}", self.listen), |url| url.origin().ascii_serialization())
    }

    /// Where a page of a path stands, for links that are sent.
    #[must_use]
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }
}

/// What is wrong, by the key's name and what to write instead.
pub(super) fn complain(web: Option<&Web>, wrong: &mut Vec<String>) {
    let Some(web) = web else { return };
    let local = web.listen.ip().is_loopback();
    let has_tls = web.certificate.is_some();
    if web.certificate.is_some() != web.key.is_some() {
        wrong.push("web.certificate: certificate and key belong together; write both files, or neither".into());
    }
    if !local && !has_tls && web.proxies.is_empty() {
        wrong.push(format!(
            "web.listen: {} is reached from outside without TLS; write certificate and key, or \"127.0.0.1:8787\" and put a \
             reverse proxy with TLS in front, or name that proxy in web.proxies where it is another machine",
            web.listen
        ));
    }
    if let Some(url) = &web.public_url {
        match Url::parse(url) {
            Ok(url) if url.path() != "/" || url.query().is_some() || url.fragment().is_some() => wrong
                .push(format!("web.public_url: {url} has more than a name; write only \"https://nachtwache.example\"")),
            Ok(url) if url.scheme() == "https" && url.has_host() => {
                if !has_tls && web.proxies.is_empty() {
                    wrong.push(
                        "web.public_url: https, but nobody speaks TLS: write certificate and key, or in web.proxies the \
                         addresses of the reverse proxy, [\"127.0.0.1\"] where it is on this machine; without it every \
                         caller would count as this machine"
                            .into(),
                    );
                }
            }
            Ok(url) if url.scheme() == "http" && is_this_machine(&url) => {}
            _ => wrong.push(format!(
                "web.public_url: {url:?} cannot be used; write \"https://\" and the name that people type (\"http://\" is \
                 only for this machine itself)"
            )),
        }
    } else if !local || has_tls || !web.proxies.is_empty() {
        wrong.push(
            "web.public_url: missing; write what people type into their browser, \"https://nachtwache.example\": from \
             other addresses nothing can be changed"
                .into(),
        );
    }
    for (key, value, most) in [("web.idle_min", web.idle_min, 24 * 60), ("web.longest_h", web.longest_h, 24 * 7)] {
        if !(1..=most).contains(&value) {
            wrong.push(format!("{key}: {value} is out of range; write 1 to {most}"));
        }
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Settings;

    fn complaint(web: &str) -> String {
        Settings::parse(&format!("[web]\n{web}")).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn nobody_types_his_password_over_a_bare_wire() {
        assert!(complaint("listen = \"0.0.0.0:8787\"").contains("web.listen"));
        assert!(complaint("listen = \"0.0.0.0:443\"\ncertificate = \"c.pem\"").contains("web.certificate"));
        let tls = "listen = \"0.0.0.0:443\"\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n";
        assert!(complaint(tls).contains("web.public_url"));
        assert_eq!(complaint(&format!("{tls}public_url = \"https://wache.example\"")), "");
        let proxy = "listen = \"10.0.0.2:8787\"\nproxies = [\"10.0.0.1\"]\n";
        assert_eq!(complaint(&format!("{proxy}public_url = \"https://wache.example/\"")), "");
        assert!(complaint("public_url = \"http://wache.example\"").contains("web.public_url"));
        assert!(complaint("public_url = \"https://wache.example/x\"").contains("web.public_url"));
        assert_eq!(complaint("public_url = \"http://localhost:8787\""), "");
        let behind = "public_url = \"https://wache.example\"\n";
        let said = complaint(behind);
        assert!(said.contains("web.public_url") && said.contains("web.proxies"), "{said}");
        assert_eq!(complaint(&format!("{behind}proxies = [\"127.0.0.1\"]")), "");
        assert_eq!(complaint(""), "");
    }

    #[test]
    fn the_address_of_a_page_is_the_one_people_type() {
        let settings =
            Settings::parse("[web]\npublic_url = \"https://wache.example/\"\nproxies = [\"127.0.0.1\"]").unwrap();
        let web = settings.web.unwrap();
        assert_eq!(web.link("/vorgaenge/1042"), "https://wache.example/vorgaenge/1042");
        assert_eq!(super::Web::default().origin(), "http://127.0.0.1:8787");
    }

    #[test]
    fn sessions_do_not_live_for_ever() {
        assert!(complaint("idle_min = 0").contains("web.idle_min"));
        assert!(complaint("longest_h = 1000").contains("web.longest_h"));
    }
}

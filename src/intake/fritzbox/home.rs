//! The box's own addresses, and whether an address that it wrote leads back to it.
//!
//! Promise: a user name, a password or a session id goes to the configured host only. What the box writes (`NewURL`,
//! `Path`) is checked, and only its path and query are used, behind the configured scheme, host and port: neither a host in
//! disguise (`fritz.box@evil`, `//evil`, `/\evil`) nor a way back from TLS to none can be written there.

use reqwest::Url;
use std::net::IpAddr;

/// Ports at which a box speaks TR-064, without TLS and with.
const TR064_PORTS: [u16; 2] = [49000, 49443];
/// Ports at which it serves its pages.
const WEB_PORTS: [u16; 2] = [80, 443];
/// The name that every box has for itself.
const OWN_NAME: &str = "fritz.box";
const LONGEST: usize = 1024;

/// Which of the box's two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Door {
    /// TR-064.
    Tr064,
    /// The box's pages.
    Web,
}

/// Where the box is.
#[derive(Debug, Clone)]
pub(super) struct Home {
    tr064: Url,
    web: Url,
}

/// Where a recording lies, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    script: String,
    file: String,
}

impl Home {
    /// The box at `address`; its pages at `web`, else at the usual port of the same host and scheme.
    pub(super) fn new(address: Url, web: Option<Url>) -> Self {
        let web = web.unwrap_or_else(|| {
            let mut web = address.clone();
            web.set_port(None).expect("an address with a host can have the usual port");
            web
        });
        Self { tr064: address, web }
    }

    pub(super) fn url(&self, door: Door) -> &Url {
        match door {
            Door::Tr064 => &self.tr064,
            Door::Web => &self.web,
        }
    }

    /// Host and port, for people.
    pub(super) fn shown(&self, door: Door) -> String {
        let url = self.url(door);
        format!("{}:{}", url.host_str().unwrap_or(""), url.port_or_known_default().unwrap_or(0))
    }

    /// The address with this path and query at the configured scheme, host and port.
    pub(super) fn at(&self, door: Door, path: &str, query: Option<&str>) -> Url {
        let mut url = self.url(door).clone();
        url.set_path(path);
        url.set_query(query);
        url
    }

    /// The address that the box wrote, behind the configured one. `peer` is who answered.
    ///
    /// # Errors
    /// Where it leads elsewhere; the text says how.
    pub(super) fn own(&self, written: &str, peer: Option<IpAddr>) -> Result<(Door, Url), String> {
        let begins = ["/", "http://", "https://"].iter().any(|start| written.starts_with(start));
        if !begins || written.len() > LONGEST || written.chars().any(|letter| letter.is_control() || letter == ' ') {
            return Err("is no http address".into());
        }
        let url = self.tr064.join(written).map_err(|error| format!("is no address ({error})"))?;
        let (host, port) = (url.host_str().unwrap_or(""), url.port_or_known_default().unwrap_or(0));
        if !url.username().is_empty() || url.password().is_some() {
            return Err("carries a user name".into());
        }
        let ip: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        let is_ours = [&self.tr064, &self.web].iter().any(|own| own.host_str() == Some(host));
        // a box has several addresses of its own, and may write another one than it was asked at
        let is_near = ip.is_some_and(|ip| Some(ip) == peer || is_local(ip));
        if !(is_ours || host == OWN_NAME || is_near) {
            return Err(format!("leads to the host {host}"));
        }
        let is_port = |own: &Url, usual: [u16; 2]| own.port_or_known_default() == Some(port) || usual.contains(&port);
        let door = match port {
            _ if is_port(&self.tr064, TR064_PORTS) => Door::Tr064,
            _ if is_port(&self.web, WEB_PORTS) => Door::Web,
            _ => return Err(format!("leads to the port {port}")),
        };
        Ok((door, self.at(door, url.path(), url.query())))
    }

    /// Where the recording lies that the list names so.
    ///
    /// # Errors
    /// Where it cannot lie on the box.
    pub(super) fn place(&self, path: &str) -> Result<Place, String> {
        let (_, url) = self.own(path, None)?;
        let named = url.query_pairs().find(|(key, _)| key == "path").map(|(_, file)| file.into_owned());
        let (script, file) = match named {
            Some(file) => (url.path().to_owned(), file),
            None => ("/download.lua".to_owned(), url.path().to_owned()),
        };
        let is_plain = |letter: char| letter.is_ascii_graphic() || letter == ' ';
        if file.len() < 2 || !file.starts_with('/') || !file.chars().all(is_plain) || file.contains("..") {
            return Err("names no file of the box".into());
        }
        Ok(Place { script, file })
    }
}

impl Place {
    /// The file on the box, with its folders.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// Its name alone.
    pub(super) fn name(&self) -> &str {
        self.file.rsplit('/').next().unwrap_or("")
    }
}

fn is_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// The known ways to a recording; which one works differs from FRITZ!OS to FRITZ!OS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The script that the list names, at the list's own server.
    Listed,
    /// The script of the box's pages.
    Pages,
    /// The same with the session of a login there.
    PagesLogin,
    /// As the first, with an ending.
    Ending,
}

impl Way {
    pub(super) const ALL: [Self; 4] = [Self::Listed, Self::Pages, Self::PagesLogin, Self::Ending];

    /// The word by which the winner is remembered, and told.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Listed => "download.lua",
            Self::Pages => "luacgi_notimeout",
            Self::PagesLogin => "luacgi_notimeout with a login",
            Self::Ending => "download.lua with .wav",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.as_str() == word)
    }

    pub(super) fn door(self) -> Door {
        match self {
            Self::Listed | Self::Ending => Door::Tr064,
            Self::Pages | Self::PagesLogin => Door::Web,
        }
    }

    pub(super) fn url(self, home: &Home, place: &Place, sid: &str) -> Url {
        let ending = if self == Self::Ending { ".wav" } else { "" };
        match self {
            Self::Listed | Self::Ending => {
                let query = format!("sid={}&path={}{ending}", encoded(sid, ""), encoded(&place.file, ""));
                home.at(Door::Tr064, &place.script, Some(&query))
            }
            Self::Pages | Self::PagesLogin => {
                let file = encoded(&place.file, "/");
                let query = format!("sid={}&script=/lua/photo.lua&myabfile={file}", encoded(sid, ""));
                home.at(Door::Web, "/cgi-bin/luacgi_notimeout", Some(&query))
            }
        }
    }
}

fn encoded(text: &str, kept: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        let letter = char::from(byte);
        if letter.is_ascii_alphanumeric() || "-._~".contains(letter) || kept.contains(letter) {
            out.push(letter);
        } else {
            write!(out, "%{byte:02X}").expect("writing to a String cannot fail");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> Home {
        Home::new("https://192.168.178.1:49443".parse().unwrap(), None)
    }

    #[test]
    fn what_leads_back_to_the_box_is_used_behind_the_configured_address() {
        let list = "/tamcalllist.lua?sid=0123&tamindex=0";
        for (written, peer, door, at) in [
            ("https://192.168.178.1:49443", None, Door::Tr064, "https://192.168.178.1:49443"),
            ("http://fritz.box:49000", None, Door::Tr064, "https://192.168.178.1:49443"),
            ("http://FRITZ.box", None, Door::Web, "https://192.168.178.1"),
            ("https://9.9.9.9", Some("9.9.9.9".parse().unwrap()), Door::Web, "https://192.168.178.1"),
            ("http://[fd00::1]:49000", None, Door::Tr064, "https://192.168.178.1:49443"),
            ("", None, Door::Tr064, "https://192.168.178.1:49443"),
        ] {
            let (found, url) = home().own(&format!("{written}{list}"), peer).unwrap();
            assert_eq!((found, url.as_str()), (door, format!("{at}{list}").as_str()), "{written}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        for hostile in [
            "https://fritz.box@evil.example/x",
            "https://192.168.178.1:49443@evil.example/x",
            "https://a:b@fritz.box/x",
            "//evil.example/x",
            "/\\evil.example/x",
            "\\\\evil.example/x",
            "@evil.example/x",
            ".evil.example/x",
            ":49443@evil.example",
            "https://evil.example/x",
            "https://fritz.box.evil.example/x",
            "https://9.9.9.9/x",
            "https://fritz.box:22/x",
            "ftp://fritz.box/x",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "/a b",
            "/a\r\nHost: evil",
            "",
        ] {
            assert!(home().own(hostile, None).is_err(), "{hostile:?}");
            assert!(home().place(hostile).is_err(), "{hostile:?}");
        }
    }

    #[test]
    fn the_four_ways_to_a_recording_are_written_as_boxes_want_them() {
        let home = home();
        let place = home.place("/download.lua?path=/data/tam/rec/rec.0.001").unwrap();
        let url = |way: Way| way.url(&home, &place, "0123abcd").to_string();
        let listed = "https://192.168.178.1:49443/download.lua?sid=0123abcd&path=%2Fdata%2Ftam%2Frec%2Frec.0.001";
        let pages = "https://192.168.178.1/cgi-bin/luacgi_notimeout?sid=0123abcd&script=/lua/photo.lua&myabfile=/data/tam/rec/rec.0.001";
        assert_eq!(url(Way::Listed), listed);
        assert_eq!(url(Way::Ending), format!("{listed}.wav"));
        assert_eq!(url(Way::Pages), pages);
        assert_eq!(url(Way::PagesLogin), pages);
        assert_eq!(home.place("/data/tam/rec/rec.0.001").unwrap(), place);
        assert_eq!(home.place("/download.lua?path=%2Fdata%2Ftam%2Frec%2Frec.0.001").unwrap(), place);
        for no in ["/download.lua?path=", "/download.lua?path=../../x", "/download.lua?path=/a/../../etc/passwd", "/"] {
            assert!(home.place(no).is_err(), "{no}");
        }
    }

    #[test]
    fn a_remembered_way_is_found_again() {
        for way in Way::ALL {
            assert_eq!(Way::parse(way.as_str()), Some(way));
        }
        assert_eq!(Way::parse("telnet"), None);
    }
}

//! `[push]`: where pushed recordings come in.

use super::SourceRow;
use serde::Deserialize;
use std::net::SocketAddr;

/// `[push]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PushDoor {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// A reverse proxy in front speaks TLS: then another address than this machine's own may be listened on.
    pub behind_proxy: bool,
}

impl Default for PushDoor {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8740)), behind_proxy: false }
    }
}

/// What is wrong with the door, by the key's name and what to write instead.
pub(super) fn complain(door: Option<&PushDoor>, sources: &[SourceRow], wrong: &mut Vec<String>) {
    let comes_to_us = |row: &&SourceRow| matches!(row, SourceRow::Push(_) | SourceRow::Twilio(_));
    match (door, sources.iter().find(comes_to_us)) {
        (None, Some(row)) => {
            wrong.push(format!("push: {:?} has no door to come in by; add [push] with listen", row.name()));
        }
        (Some(door), _) if !door.listen.ip().is_loopback() && !door.behind_proxy => wrong.push(format!(
            "push.listen: {} is reached from outside without TLS; write \"127.0.0.1:8740\" and put a reverse proxy with \
             TLS in front, or behind_proxy = true where that proxy is another machine",
            door.listen
        )),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Settings;

    fn complaint(text: &str) -> String {
        Settings::parse(text).err().map(|error| error.to_string()).unwrap_or_default()
    }

    const PEER: &str = "[[sources]]\nkind = \"push\"\nname = \"pbx\"\ntoken = \"x\"\n";

    #[test]
    fn a_peer_that_pushes_needs_a_door() {
        assert!(complaint(PEER).contains("add [push]"));
        assert_eq!(complaint(&format!("[push]\n{PEER}")), "");
    }

    #[test]
    fn nobody_listens_to_the_world_without_tls() {
        assert!(complaint("[push]\nlisten = \"0.0.0.0:8740\"\n").contains("push.listen"));
        assert!(complaint("[push]\nlisten = \"192.168.1.5:8740\"\n").contains("push.listen"));
        assert_eq!(complaint("[push]\nlisten = \"192.168.1.5:8740\"\nbehind_proxy = true\n"), "");
        assert_eq!(complaint("[push]\nlisten = \"[::1]:8740\"\n"), "");
    }
}

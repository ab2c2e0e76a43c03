//! `kind = "imap"`.

use super::ProfileRow;
use crate::config::Secret;
use serde::Deserialize;
use std::path::PathBuf;

/// A mailbox at a mail provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imap {
    /// Its name, unique.
    pub name: String,
    /// The server.
    pub host: String,
    /// Its port; none = 993, with STARTTLS or without encryption 143.
    pub port: Option<u16>,
    /// How the connection is encrypted.
    #[serde(default)]
    pub tls: Tls,
    /// A PEM file with the certificates that are trusted instead of the system's.
    pub ca: Option<PathBuf>,
    /// User, nearly always the address.
    pub username: String,
    /// Password, where there is no `oauth`.
    pub password: Option<Secret>,
    /// Access by token, where there is no `password`.
    pub oauth: Option<OAuth>,
    /// The folder that is watched.
    #[serde(default = "inbox")]
    pub folder: String,
    /// What its mails are used for.
    #[serde(default = "all_uses")]
    pub uses: Vec<Use>,
    /// How a stored mail is marked.
    #[serde(default)]
    pub confirm: Confirm,
    /// The keyword of `confirm = "keyword"`.
    #[serde(default = "keyword")]
    pub keyword: String,
    /// The folder of `confirm = "move"`.
    pub move_to: Option<String>,
    /// Seconds between two looks under IDLE.
    #[serde(default = "five_minutes")]
    pub poll_s: u64,
    /// Minutes after which IDLE is asked for anew.
    #[serde(default = "nine")]
    pub idle_min: u64,
    /// Hours before the first start whose mails are still taken.
    #[serde(default = "a_day")]
    pub first_look_h: u64,
    /// The provider ends a recording after so many seconds.
    pub longest_s: Option<u32>,
    /// Telephone systems whose mails are known beside the built-in ones.
    #[serde(default)]
    pub profiles: Vec<ProfileRow>,
}

/// Encryption of the connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// From the first byte.
    #[default]
    Implicit,
    /// Asked for before the login; without it there is no login.
    StartTls,
    /// None; on this machine only.
    None,
}

/// What mails are used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// Recordings that a provider or a box sends.
    Voicemail,
    /// Written reports, and faxes.
    Reports,
}

/// How a stored mail is marked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confirm {
    /// A keyword that mail programs mostly do not show.
    #[default]
    Keyword,
    /// As read.
    Seen,
    /// It is moved to another folder.
    Move,
}

/// Access by token (XOAUTH2).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth {
    /// Whose.
    pub provider: Provider,
    /// How a token is come by.
    pub flow: Flow,
    /// The tenant at Microsoft: its id or domain.
    pub tenant: Option<String>,
    /// The application's id.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: Option<Secret>,
    /// The refresh token of `flow = "refresh"`.
    pub refresh_token: Option<Secret>,
    /// Where tokens are given out; known for Microsoft and Google.
    pub token_url: Option<String>,
    /// Where a device code is given out; known for Microsoft.
    pub device_url: Option<String>,
    /// What is asked for; known for Microsoft and Google.
    pub scope: Option<String>,
}

/// Who gives out the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Microsoft 365.
    Microsoft,
    /// Google Workspace and Gmail.
    Google,
    /// Any other.
    Other,
}

/// How a token is come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flow {
    /// The application for itself (client credentials).
    Client,
    /// A person, once, with `nachtwache sources login`.
    Device,
    /// A refresh token that is in the settings.
    Refresh,
}

impl OAuth {
    /// Where tokens are given out.
    #[must_use]
    pub fn token_url(&self) -> String {
        self.url(self.token_url.as_deref(), "token", "https://oauth2.googleapis.com/token")
    }

    /// Where a device code is given out.
    #[must_use]
    pub fn device_url(&self) -> String {
        self.url(self.device_url.as_deref(), "devicecode", "")
    }

    fn url(&self, own: Option<&str>, end: &str, google: &str) -> String {
        match (own, self.provider) {
            (Some(own), _) => own.to_owned(),
            (None, Provider::Microsoft) => {
                let tenant = self.tenant.as_deref().unwrap_or("organizations");
                format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/{end}")
            }
            (None, Provider::Google) => google.to_owned(),
            (None, Provider::Other) => String::new(),
        }
    }

    /// What is asked for.
    #[must_use]
    pub fn scope(&self) -> String {
        let known = match (self.provider, self.flow) {
            (Provider::Microsoft, Flow::Client) => "https://outlook.office365.com/.default",
            (Provider::Microsoft, _) => "https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
            (Provider::Google, _) => "https://mail.google.com/",
            (Provider::Other, _) => "",
        };
        self.scope.clone().unwrap_or_else(|| known.to_owned())
    }

    fn complain(&self, name: &str, wrong: &mut Vec<String>) {
        let mut tell = |key: &str, what: &str| wrong.push(format!("sources.oauth.{key}: {what} ({name})"));
        if self.client_id.is_empty() {
            tell("client_id", "is empty; write the application's id");
        }
        if self.flow == Flow::Client && self.client_secret.is_none() {
            tell("client_secret", "is missing; flow = \"client\" needs it");
        }
        if self.flow == Flow::Refresh && self.refresh_token.is_none() {
            tell("refresh_token", "is missing; flow = \"refresh\" needs it");
        }
        if self.provider == Provider::Microsoft && self.flow == Flow::Client && self.tenant.is_none() {
            tell("tenant", "is missing; write the tenant's id or its domain");
        }
        let odd = |letter: char| !(letter.is_ascii_alphanumeric() || "-._".contains(letter));
        if self.tenant.as_ref().is_some_and(|tenant| tenant.is_empty() || tenant.contains(odd)) {
            tell("tenant", "is no id and no domain");
        }
        if self.provider == Provider::Google && self.flow != Flow::Refresh {
            tell("flow", "Google gives mailboxes out by \"refresh\" only; or use an app password");
        }
        if !is_safe(&self.token_url()) {
            tell("token_url", "is missing or does not begin with https://");
        }
        if self.flow == Flow::Device && !is_safe(&self.device_url()) {
            tell("device_url", "is missing or does not begin with https://");
        }
    }
}

/// Secrets go over https only, but on this machine.
fn is_safe(url: &str) -> bool {
    let Ok(url) = url.parse::<reqwest::Url>() else { return false };
    let host = url.host_str().unwrap_or_default();
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(host))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn inbox() -> String {
    "INBOX".into()
}

fn all_uses() -> Vec<Use> {
    vec![Use::Voicemail, Use::Reports]
}

fn keyword() -> String {
    "$Nachtwache".into()
}

fn five_minutes() -> u64 {
    300
}

fn nine() -> u64 {
    9
}

fn a_day() -> u64 {
    24
}

impl Imap {
    /// The port, or the usual one.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.tls == Tls::Implicit { 993 } else { 143 })
    }

    pub(super) fn complain(&self, wrong: &mut Vec<String>) {
        for profile in &self.profiles {
            profile.complain(wrong);
        }
        let name = &self.name;
        let mut tell = |key: &str, what: &str| wrong.push(format!("sources.{key}: {what} ({name})"));
        if self.host.is_empty() || self.host.contains(['/', ' ']) {
            tell("host", "is no host; write e.g. \"imap.example.org\"");
        }
        if self.tls == Tls::None && !is_loopback(&self.host) {
            tell("tls", "\"none\" is for this machine only; use \"implicit\" or \"starttls\"");
        }
        if self.username.is_empty() || self.username.contains(char::is_control) {
            tell("username", "is empty or has control characters");
        }
        match (&self.password, &self.oauth) {
            (None, None) => tell("password", "is missing; write password or oauth"),
            (Some(_), Some(_)) => tell("password", "stands beside oauth; write one of them"),
            _ => {}
        }
        if self.folder.is_empty() || self.folder.contains(char::is_control) {
            tell("folder", "is empty or has control characters");
        }
        if self.uses.is_empty() {
            tell("uses", "is empty; write [\"voicemail\"], [\"reports\"] or both");
        }
        let fits = |letter: char| letter.is_ascii_graphic() && !"(){%*\"\\]".contains(letter);
        if self.keyword.is_empty() || !self.keyword.chars().all(fits) {
            tell("keyword", "is no keyword; write letters and digits, e.g. \"$Nachtwache\"");
        }
        match (&self.move_to, self.confirm) {
            (None, Confirm::Move) => tell("move_to", "is missing; confirm = \"move\" needs a folder"),
            (Some(to), Confirm::Move) if to.is_empty() || to.contains(char::is_control) || *to == self.folder => {
                tell("move_to", "is no other folder");
            }
            (Some(_), Confirm::Keyword | Confirm::Seen) => tell("move_to", "is for confirm = \"move\" only"),
            _ => {}
        }
        super::range(wrong, "poll_s", name, self.poll_s, 5, 3600);
        super::range(wrong, "idle_min", name, self.idle_min, 1, 28);
        super::range(wrong, "first_look_h", name, self.first_look_h, 0, 24 * 365);
        if let Some(oauth) = &self.oauth {
            oauth.complain(name, wrong);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Settings;

    fn complaints(more: &str) -> String {
        let head = "[[sources]]\nkind = \"imap\"\nname = \"mail\"\nhost = \"mail.example.org\"\nusername = \"anna\"\n";
        Settings::parse(&format!("{head}{more}")).map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn a_password_or_a_token_and_everything_else_has_a_default() {
        assert_eq!(complaints("password = \"x\""), "");
        let device = "oauth = { provider = \"microsoft\", flow = \"device\", client_id = \"x\" }";
        assert_eq!(complaints(device), "");
    }

    #[test]
    fn every_wrong_key_is_named() {
        for (more, key) in [
            ("", "sources.password"),
            (
                "password = \"x\"\noauth = { provider = \"other\", flow = \"client\", client_id = \"x\" }",
                "sources.password",
            ),
            ("oauth = { provider = \"other\", flow = \"client\", client_id = \"x\" }", "sources.oauth.token_url"),
            ("oauth = { provider = \"google\", flow = \"device\", client_id = \"x\" }", "sources.oauth.flow"),
            ("oauth = { provider = \"microsoft\", flow = \"client\", client_id = \"x\" }", "sources.oauth.tenant"),
            ("oauth = { provider = \"google\", flow = \"refresh\", client_id = \"x\" }", "sources.oauth.refresh_token"),
            ("password = \"x\"\ntls = \"none\"", "sources.tls"),
            ("password = \"x\"\nkeyword = \"two words\"", "sources.keyword"),
            ("password = \"x\"\nconfirm = \"move\"", "sources.move_to"),
            ("password = \"x\"\nconfirm = \"move\"\nmove_to = \"INBOX\"", "sources.move_to"),
            ("password = \"x\"\nuses = []", "sources.uses"),
            ("password = \"x\"\npoll_s = 1", "sources.poll_s"),
            ("password = \"x\"\nidle_min = 40", "sources.idle_min"),
            ("password = \"x\"\nfolder = \"\"", "sources.folder"),
        ] {
            let told = complaints(more);
            assert!(told.contains(key), "{key} in {told:?}");
        }
        let elsewhere = "oauth = { provider = \"other\", flow = \"client\", client_id = \"x\", client_secret = \"x\", token_url = \"http://example.org\" }";
        assert!(complaints(elsewhere).contains("https://"));
    }
}

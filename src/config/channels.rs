//! `[[channels]]`: more ways to a human than Telegram.

use super::template::{Template, Values, Writing};
use super::{Secret, Settings, View};
use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

/// `[[channels]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum ChannelRow {
    /// A mail by the server of `[smtp]`.
    Mail(MailChannel),
    /// An HTTP request.
    Webhook(Box<WebhookChannel>),
}

/// `kind = "mail"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailChannel {
    /// Its name, unique.
    pub name: String,
    /// The receiver's address.
    pub to: String,
    /// What it may see; none = as Telegram.
    pub view: Option<View>,
}

/// How a webhook is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    /// Without a body.
    Get,
    /// With a body.
    Post,
    /// With a body.
    Put,
}

/// `kind = "webhook"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookChannel {
    /// Its name, unique.
    pub name: String,
    /// The address; behind its "?" places may stand.
    pub url: Secret,
    /// GET, POST or PUT.
    #[serde(default = "post")]
    pub method: Verb,
    /// Headers. A text may hold places; a secret from a file or the environment is taken as it is.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// What is sent, with places; from a file or the environment where a key stands in it.
    pub body: Option<Secret>,
    /// Its kind; decides how values are written into it.
    #[serde(default = "json")]
    pub content_type: String,
    /// Which statuses mean that it was taken; empty = 200 to 299.
    #[serde(default)]
    pub ok_status: Vec<u16>,
    /// What must stand in a good answer, for peers that answer 200 to everything.
    pub ok_text: Option<String>,
    /// Longest `{text}`, in characters; the rest is cut.
    #[serde(default = "text_max")]
    pub text_max: usize,
    /// What it may see; none = as Telegram.
    pub view: Option<View>,
    /// Seconds for the whole request.
    #[serde(default = "timeout_s")]
    pub timeout_s: u64,
    /// Send in the clear, to a box in the own network.
    #[serde(default)]
    pub insecure_http: bool,
}

fn post() -> Verb {
    Verb::Post
}

fn json() -> String {
    "application/json".into()
}

fn text_max() -> usize {
    1000
}

fn timeout_s() -> u64 {
    15
}

impl ChannelRow {
    /// The channel's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Mail(row) => &row.name,
            Self::Webhook(row) => &row.name,
        }
    }

    /// What it may see, where it says so itself.
    #[must_use]
    pub fn view(&self) -> Option<View> {
        match self {
            Self::Mail(row) => row.view,
            Self::Webhook(row) => row.view,
        }
    }
}

impl WebhookChannel {
    /// How values are written into the body.
    #[must_use]
    pub fn writing(&self) -> Writing {
        Writing::of(&self.content_type).unwrap_or(Writing::Json)
    }

    /// The address with its places, checked.
    ///
    /// # Errors
    /// Where it cannot be read or used; the text names the key and nothing of the address.
    pub fn address(&self) -> Result<Template, String> {
        let told = |error: String| format!("channels.url: {error} ({})", self.name);
        let text = self.url.reveal().map_err(told)?;
        let template =
            Template::parse(text.expose_secret()).map_err(|word| told(no_place(&word, is_elsewhere(&self.url))))?;
        let filled = SecretString::from(template.fill(&sample("x"), Writing::Form));
        address(&filled, self.insecure_http).map_err(told)?;
        if template.start() != text.expose_secret() && !template.start().contains('?') {
            return Err(told("a place may stand only behind the \"?\" of an address".into()));
        }
        Ok(template)
    }

    /// The headers with their places, checked.
    ///
    /// # Errors
    /// Where a secret cannot be read, a place or a name is none; the text names the key and no value.
    pub fn header_templates(&self) -> Result<Vec<(String, Template)>, String> {
        let mut templates = Vec::new();
        for (header, value) in &self.headers {
            let told = |error: String| format!("channels.headers.{header}: {error} ({})", self.name);
            HeaderName::from_bytes(header.as_bytes()).map_err(|_| told("is no name of a header".into()))?;
            let text = value.reveal().map_err(told)?;
            let template = match value {
                Secret::Text(text) => {
                    Template::parse(text.expose_secret()).map_err(|word| told(no_place(&word, false)))?
                }
                _ => Template::literal(text.expose_secret()),
            };
            HeaderValue::from_str(&template.fill(&sample("x"), Writing::Header))
                .map_err(|_| told("its value is none of a header; use ASCII without line ends".into()))?;
            templates.push((header.clone(), template));
        }
        Ok(templates)
    }

    /// The body with its places, checked.
    ///
    /// # Errors
    /// Where it cannot be read, a place is none, or it is no JSON once filled though its kind says so.
    pub fn body_template(&self) -> Result<Template, String> {
        let told = |error: String| format!("channels.body: {error} ({})", self.name);
        let Some(body) = &self.body else { return Ok(Template::literal("")) };
        let text = body.reveal().map_err(told)?;
        let template =
            Template::parse(text.expose_secret()).map_err(|word| told(no_place(&word, is_elsewhere(body))))?;
        if self.writing() != Writing::Json || text.expose_secret().is_empty() {
            return Ok(template);
        }
        for odd in ["", "a \"b\" \\ {title}\n🚨"] {
            let filled = template.fill(&sample(odd), Writing::Json);
            if let Err(error) = serde_json::from_str::<serde_json::Value>(&filled) {
                let place = format!("line {} column {}", error.line(), error.column());
                return Err(told(format!(
                    "is no JSON with values in it, at {place}; put every {{place}} inside quotes"
                )));
            }
        }
        Ok(template)
    }

    fn complain(&self, wrong: &mut Vec<String>) {
        let name = &self.name;
        // a secret that lies elsewhere is read when the service starts, and by `check`
        if !is_elsewhere(&self.url) {
            wrong.extend(self.address().err());
        }
        if !self.headers.values().any(is_elsewhere) {
            wrong.extend(self.header_templates().err());
        }
        if !self.body.as_ref().is_some_and(is_elsewhere) {
            wrong.extend(self.body_template().err());
        }
        if self.headers.keys().any(|header| header.eq_ignore_ascii_case("content-type")) {
            wrong.push(format!("channels.headers: write Content-Type as content_type ({name})"));
        }
        if Writing::of(&self.content_type).is_none() || HeaderValue::from_str(&self.content_type).is_err() {
            wrong.push(format!(
                "channels.content_type: {:?} is not known here; write \"application/json\", \
                 \"application/x-www-form-urlencoded\" or \"text/plain\" ({name})",
                self.content_type
            ));
        }
        if self.method == Verb::Get && self.body.is_some() {
            wrong
                .push(format!("channels.body: a GET has none; write method = \"POST\", or places in the url ({name})"));
        }
        for status in self.ok_status.iter().filter(|status| !(200..=399).contains(*status)) {
            wrong.push(format!("channels.ok_status: {status} is not between 200 and 399 ({name})"));
        }
        let mut range = |key: &str, value: u64, from: u64, to: u64| {
            if !(from..=to).contains(&value) {
                wrong.push(format!("channels.{key}: {value} is not between {from} and {to} ({name})"));
            }
        };
        range("timeout_s", self.timeout_s, 2, 30);
        range("text_max", self.text_max as u64, 20, 20_000);
    }
}

/// Whether a value lies outside of the settings.
fn is_elsewhere(value: &Secret) -> bool {
    !matches!(value, Secret::Text(_))
}

/// What an unknown place is called; nothing of a secret.
fn no_place(word: &str, is_secret: bool) -> String {
    let known = super::template::PLACES.map(|place| format!("{{{place}}}")).join(" ");
    if is_secret {
        format!("holds an unknown place; known: {known}")
    } else {
        format!("{{{word}}} is no place; known: {known}")
    }
}

fn sample(value: &str) -> Values {
    let mut values: Values = std::array::from_fn(|_| value.to_owned());
    values[super::template::PLACES.len() - 1] = "true".into();
    values
}

/// An address that secrets may be sent to: over TLS, or to this machine, or where `insecure` says so.
///
/// # Errors
/// What to write instead; nothing of the address.
pub(super) fn address(text: &SecretString, insecure: bool) -> Result<Url, String> {
    let url = Url::parse(text.expose_secret()).map_err(|_| "is no URL; write https://host/…".to_owned())?;
    if url.host().is_none() || !matches!(url.scheme(), "https" | "http") {
        return Err("must begin with https:// and a host".into());
    }
    if url.scheme() == "http" && !insecure && !is_this_machine(&url) {
        return Err("must begin with https://; for a box in your own network add insecure_http = true".into());
    }
    Ok(url)
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let number = host.trim_matches(['[', ']']).parse::<IpAddr>();
    number.map_or(host == "localhost", |ip| ip.is_loopback())
}

/// What is wrong with the channels and with who uses them.
pub(super) fn complaints(settings: &Settings, wrong: &mut Vec<String>) {
    let mut names = HashSet::new();
    for row in &settings.channels {
        let name = row.name();
        if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-".contains(letter)) {
            wrong.push(format!("channels.name: {name:?} is no name; use letters, digits, \".\", \"_\", \"-\""));
        }
        if name == "telegram" {
            wrong.push("channels.name: \"telegram\" has a meaning of its own; use another name".into());
        }
        if !names.insert(name) {
            wrong.push(format!("channels.name: {name:?} stands twice"));
        }
        match row {
            ChannelRow::Mail(row) => mail(row, settings, wrong),
            ChannelRow::Webhook(row) => row.complain(wrong),
        }
    }
    let people = settings.technicians.iter().map(|one| ("technicians", one.name.as_str(), &one.channels));
    let office = settings.office.iter().map(|office| ("office", "office", &office.channels));
    for (section, who, channels) in people.chain(office) {
        let mut seen = HashSet::new();
        for name in channels.iter().filter(|name| !seen.insert(name.as_str())) {
            wrong.push(format!("{section}.channels: {name:?} stands twice; delete one ({who})"));
        }
        for name in channels.iter().filter(|name| !names.contains(name.as_str())) {
            wrong.push(format!("{section}.channels: {name:?} is no channel; add [[channels]] with this name ({who})"));
        }
    }
}

fn mail(row: &MailChannel, settings: &Settings, wrong: &mut Vec<String>) {
    if row.to.parse::<lettre::Address>().is_err() {
        wrong.push(format!("channels.to: {:?} is no address; write e.g. \"anna@example.de\" ({})", row.to, row.name));
    }
    if settings.smtp.is_none() {
        wrong.push(format!("channels.kind: no mail server sends for {:?}; add [smtp] with host and from", row.name));
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Settings;

    fn complaint(text: &str) -> String {
        Settings::parse(text).err().map(|error| error.to_string()).unwrap_or_default()
    }

    fn hook(more: &str) -> String {
        format!("[[channels]]\nkind = \"webhook\"\nname = \"hook\"\n{more}\n")
    }

    #[test]
    fn a_webhook_that_would_fail_at_night_is_refused_by_day() {
        let url = "url = \"https://x.example/k3y?t={text}\"\n";
        assert_eq!(complaint(&hook(&format!("{url}body = '{{\"m\":\"{{text}}\",\"u\":{{urgent}}}}'"))), "");
        for (more, key) in [
            ("url = \"http://x.example/k3y\"", "channels.url"),
            ("url = \"https://x.example/{text}/k3y\"", "channels.url"),
            ("url = \"https://{name}.x.example/k3y\"", "channels.url"),
            ("url = \"https://x.example/k3y?{titel}\"", "channels.url: {titel}"),
            ("url = \"k3y\"", "channels.url"),
            ("url = \"file:///k3y\"", "channels.url"),
            ("url = \"https://x.example\"\nbody = '{\"m\":{text}}'", "channels.body"),
            ("url = \"https://x.example\"\nbody = '{\"m\":\"{text}\"'", "channels.body"),
            ("url = \"https://x.example\"\nbody = '{\"m\":\"{txt}\"}'", "channels.body: {txt}"),
            ("url = \"https://x.example\"\nmethod = \"GET\"\nbody = '{}'", "channels.body"),
            ("url = \"https://x.example\"\ncontent_type = \"text/xml\"", "channels.content_type"),
            ("url = \"https://x.example\"\nheaders = { \"X Y\" = \"k3y\" }", "channels.headers.X Y"),
            ("url = \"https://x.example\"\nheaders = { X = \"{k3y\\n\" }", "channels.headers.X"),
            ("url = \"https://x.example\"\nheaders = { X = \"{titel}\" }", "channels.headers.X"),
            ("url = \"https://x.example\"\nheaders = { Content-Type = \"a\" }", "content_type"),
            ("url = \"https://x.example\"\nok_status = [500]", "channels.ok_status"),
            ("url = \"https://x.example\"\ntimeout_s = 90", "channels.timeout_s"),
            ("url = \"https://x.example\"\ntext_max = 1", "channels.text_max"),
        ] {
            let told = complaint(&hook(more));
            assert!(told.contains(key) && !told.contains("k3y"), "{more}: {told}");
        }
    }

    #[test]
    fn http_goes_to_this_machine_or_where_it_is_said_aloud() {
        assert_eq!(complaint(&hook("url = \"http://127.0.0.1:8080/x\"")), "");
        assert_eq!(complaint(&hook("url = \"http://192.168.1.5/sms?t={text}\"\ninsecure_http = true")), "");
        assert!(complaint(&hook("url = \"http://127.0.0.1.evil.example/\"")).contains("https://"));
    }

    #[test]
    fn channels_are_known_named_once_and_have_a_mail_server() {
        let mail = "[[channels]]\nkind = \"mail\"\nname = \"anna-mail\"\nto = \"anna@example.de\"\n";
        let smtp = "[smtp]\nhost = \"smtp.example.de\"\nfrom = \"a@example.de\"\n";
        let anna = "[[technicians]]\nname = \"Anna\"\ntelegram_chat = 1\nchannels = [\"anna-mail\"]\n";
        assert_eq!(complaint(&format!("{mail}{smtp}{anna}")), "");
        let twice = anna.replace("[\"anna-mail\"]", "[\"anna-mail\", \"anna-mail\"]");
        assert!(
            complaint(&format!("{mail}{smtp}{twice}")).contains("technicians.channels: \"anna-mail\" stands twice")
        );
        assert!(complaint(mail).contains("[smtp]"));
        assert!(complaint(anna).contains("technicians.channels: \"anna-mail\""));
        assert!(complaint(&format!("{mail}{mail}{smtp}")).contains("stands twice"));
        assert!(complaint(&format!("{smtp}{}", mail.replace("anna-mail", "telegram"))).contains("channels.name"));
        assert!(complaint(&format!("{smtp}{}", mail.replace("anna@", "anna"))).contains("channels.to"));
        let office = "[office]\ntelegram_chat = -1\nchannels = [\"x\"]\n";
        assert!(complaint(office).contains("office.channels"));
        assert!(complaint("[receipt]\nenabled = true\n").contains("[smtp]"));
    }

    #[test]
    fn the_example_shows_sections_that_are_valid() {
        let example = include_str!("../../config.example.toml");
        let block = &example[example.find("# [smtp]").unwrap()..];
        let is_key =
            |line: &&str| line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
        let text: Vec<&str> = block.lines().filter_map(|line| line.strip_prefix("# ")).filter(is_key).collect();
        let text = text.join("\n");
        assert_eq!(complaint(&text), "");
        let settings = Settings::parse(&text).unwrap();
        assert!(settings.smtp.is_some() && settings.channels.len() == 2 && settings.heartbeat.is_some());
    }
}

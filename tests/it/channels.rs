//! The ways beside Telegram, at the wire: what arrives, and what each failure proves.

use crate::mail_server::{MailServer, readable, smtp};
use nachtwache::config::{Secret, Settings, View};
use nachtwache::domain::assessment::Verdict;
use nachtwache::domain::case::CaseId;
use nachtwache::escalate::channels::{Channels, Message};
use nachtwache::escalate::heartbeat::Beat;
use nachtwache::escalate::notifier::NotifyError;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";

/// One request as it arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) line: String,
    head: String,
    pub(crate) body: String,
}

/// A peer that answers as it is told, one answer a request, the last one for ever: "" = the line is cut, "hang" = never.
pub(crate) struct Peer {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Peer {
    #[expect(clippy::disallowed_methods, reason = "a peer of its own, it ends with the test")]
    pub(crate) async fn start(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answers, keeper) = (answers.iter().map(|&answer| answer.to_owned()).collect::<Vec<_>>(), seen.clone());
        tokio::spawn(async move {
            let mut kept = Vec::new();
            for number in 0.. {
                let Ok((mut socket, _)) = listener.accept().await else { break };
                let mut bytes = Vec::new();
                while !whole(&bytes) && socket.read_buf(&mut bytes).await.is_ok_and(|size| size > 0) {}
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
                let line = head.lines().next().unwrap_or_default().to_owned();
                keeper.lock().unwrap().push(Seen { line, head: head.to_owned(), body: body.to_owned() });
                match answers.get(number).or(answers.last()).map(String::as_str) {
                    Some("hang") => kept.push(socket),
                    Some(answer) => socket.write_all(answer.as_bytes()).await.unwrap(),
                    None => {}
                }
            }
        });
        Self { port, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].clone()
    }
}

/// Whether a request has come with all of its body.
fn whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    bytes.len() >= end + 4 + length
}

fn settings(text: &str) -> Settings {
    Settings::parse(text).unwrap()
}

/// A webhook to this peer; its address ends in a key.
fn hook(port: u16, more: &str) -> Channels {
    let body = r#"body = '{"title":"{title}","text":"{text}","number":"{number}"}'"#;
    let url = format!("url = \"http://127.0.0.1:{port}/hook/K3YK3Y\"");
    Channels::from(&settings(&format!("[[channels]]\nkind = \"webhook\"\nname = \"hook\"\n{url}\n{body}\n{more}\n")))
        .unwrap()
}

fn message() -> Message {
    Message {
        title: "🚨 NOTFALL BESTÄTIGT · Vorgang 1042".into(),
        text: "Müller \"& Söhne\"\n\\ {title} {number}\u{202e}\0\nServer aus".into(),
        minimal: "Vorgang 1042: bestätigt".into(),
        case: Some(CaseId(1042)),
        verdict: Some(Verdict::Confirmed),
        name: Some("Müller & Söhne".into()),
        number: Some("+491701234567".into()),
        urgent: true,
    }
}

#[tokio::test]
async fn a_webhook_brings_the_message_as_it_is() {
    let peer = Peer::start(&[OK]).await;
    let channels = hook(peer.port, "headers = { X-Title = \"{title}\", X-Key = \"s3cret\" }");
    channels.tell("hook", &message()).await.unwrap();
    let seen = peer.only();
    assert_eq!(seen.line, "POST /hook/K3YK3Y HTTP/1.1");
    let head = seen.head.to_lowercase();
    for header in ["content-type: application/json", "user-agent: nachtwache/", "x-key: s3cret"] {
        assert!(head.contains(header), "{header}: {head}");
    }
    assert!(seen.head.contains("NOTFALL BESTAETIGT - Vorgang 1042"), "{}", seen.head);
    let json: Value = serde_json::from_str(&seen.body).unwrap();
    let told = message();
    assert_eq!(json, json!({ "title": told.title, "text": told.text, "number": told.number }));
}

#[tokio::test]
async fn a_minimal_view_gives_nothing_of_the_caller_away() {
    let peer = Peer::start(&[OK]).await;
    let channels = hook(peer.port, "view = \"minimal\"");
    assert_eq!(channels.view("hook"), Some(View::Minimal));
    channels.tell("hook", &message()).await.unwrap();
    let json: Value = serde_json::from_str(&peer.only().body).unwrap();
    assert_eq!(json, json!({ "title": message().title, "text": message().minimal, "number": "" }));
}

#[tokio::test]
async fn a_long_text_is_cut_where_the_service_would_refuse_it() {
    let peer = Peer::start(&[OK]).await;
    let long = Message { text: "ä".repeat(5000), ..message() };
    hook(peer.port, "text_max = 20").tell("hook", &long).await.unwrap();
    let json: Value = serde_json::from_str(&peer.only().body).unwrap();
    assert_eq!(json["text"], format!("{}…", "ä".repeat(19)));
}

#[tokio::test]
async fn each_failure_says_what_it_proves_and_no_secret() {
    let waits = |seconds| NotifyError::Wait(Duration::from_secs(seconds));
    let kind = |error: &NotifyError| std::mem::discriminant(error);
    let (again, unknown, refused) =
        (NotifyError::Again(String::new()), NotifyError::Unknown(String::new()), NotifyError::Refused(String::new()));
    let quotes = "HTTP/1.1 400 Bad\r\nContent-Length: 64\r\n\r\nno such hook K3YK3Y for M\u{fc}ller +491701234567, NOTFALL Server aus";
    for (answer, expected) in [
        ("HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", waits(7)),
        ("HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n", waits(30)),
        ("HTTP/1.1 503 Busy\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n", waits(9)),
        ("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", again.clone()),
        ("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", unknown.clone()),
        ("HTTP/1.1 504 Late\r\nContent-Length: 0\r\n\r\n", unknown.clone()),
        ("", unknown.clone()),
        ("HTTP/1.1 200 O", unknown.clone()),
        ("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", refused.clone()),
        ("HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", refused.clone()),
        (quotes, refused.clone()),
    ] {
        let peer = Peer::start(&[answer]).await;
        let error = hook(peer.port, "").tell("hook", &message()).await.unwrap_err();
        match expected {
            NotifyError::Wait(_) => assert_eq!(error, expected, "{answer}"),
            _ => assert_eq!(kind(&error), kind(&expected), "{answer}: {error}"),
        }
        assert_eq!(peer.seen().len(), 1, "it is one try, and a redirect is not followed");
        let told = format!("{error:?}");
        for secret in ["K3Y", "hook", "ller", "491701234567", "Server", "/"] {
            assert!(!told.contains(secret), "{secret}: {told}");
        }
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let error = hook(closed, "").tell("hook", &message()).await.unwrap_err();
    assert_eq!(kind(&error), kind(&again), "{error}");
    let nobody = hook(closed, "").tell("other", &message()).await.unwrap_err();
    assert_eq!(kind(&nobody), kind(&refused), "{nobody}");
}

#[tokio::test]
async fn a_peer_that_hangs_is_left_after_the_time_limit() {
    let peer = Peer::start(&["hang"]).await;
    let error = hook(peer.port, "timeout_s = 2").tell("hook", &message()).await.unwrap_err();
    assert!(matches!(error, NotifyError::Unknown(_)), "{error}");
}

#[tokio::test]
async fn a_200_that_is_none_is_seen_by_its_words_or_its_status() {
    let peer = Peer::start(&["HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n900"]).await;
    let error = hook(peer.port, "ok_text = \"100\"").tell("hook", &message()).await.unwrap_err();
    assert!(matches!(error, NotifyError::Refused(_)), "{error}");
    let error = hook(peer.port, "ok_status = [202]").tell("hook", &message()).await.unwrap_err();
    assert!(matches!(error, NotifyError::Unknown(_)), "{error}");
    hook(peer.port, "ok_text = \"900\"").tell("hook", &message()).await.unwrap();
}

#[tokio::test]
async fn a_probe_tells_nobody() {
    let peer = Peer::start(&["HTTP/1.1 405 No\r\n\r\n"]).await;
    hook(peer.port, "").probe("hook").await.unwrap();
    assert_eq!(peer.only().line, "HEAD / HTTP/1.1");
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let error = hook(closed, "").probe("hook").await.unwrap_err();
    assert!(error.contains("127.0.0.1") && !error.contains("K3Y"), "{error}");
}

// ── mail ──

fn mail(port: u16) -> Channels {
    let row = "[[channels]]\nkind = \"mail\"\nname = \"anna-mail\"\nto = \"anna@example.de\"\n";
    let mut settings = settings(&format!("{row}[smtp]\nhost = \"localhost\"\nfrom = \"a@b.example\"\n"));
    settings.smtp = Some(smtp(port));
    Channels::from(&settings).unwrap()
}

#[tokio::test]
async fn a_mail_is_important_and_from_a_machine() {
    let server = MailServer::start(&[]).await;
    mail(server.port).tell("anna-mail", &message()).await.unwrap();
    let sent = server.kept();
    assert_eq!(sent.len(), 1);
    for line in [
        "MAIL FROM:<service@kister-it.de>",
        "RCPT TO:<anna@example.de>",
        "X-Priority: 1",
        "Importance: high",
        "Auto-Submitted: auto-generated",
        "Message-ID: <",
    ] {
        assert!(sent[0].contains(line), "{line} is missing in:\n{}", sent[0]);
    }
    let raw = sent[0].split_once("\nFrom").map(|(_, rest)| format!("From{rest}")).unwrap();
    let parsed = mail_parser::MessageParser::default().parse(&raw).unwrap();
    assert_eq!(parsed.subject(), Some(message().title.as_str()));
    assert!(readable(&sent[0]).contains("Müller \"& Söhne\""));
}

#[tokio::test]
async fn a_subject_stays_one_header() {
    let server = MailServer::start(&[]).await;
    let odd = Message { title: "a\r\nBcc: other@example.de\r\n\r\nb".into(), ..message() };
    mail(server.port).tell("anna-mail", &odd).await.unwrap();
    assert!(!server.kept()[0].lines().any(|line| line.starts_with("Bcc")), "{}", server.kept()[0]);
}

#[tokio::test]
async fn a_mail_server_that_fails_says_what_it_proves() {
    let tell = async |answers: &[(&'static str, &'static str)]| {
        let server = MailServer::start(answers).await;
        mail(server.port).tell("anna-mail", &message()).await.unwrap_err()
    };
    let refused = tell(&[("RCPT", "550 5.1.1 anna@example.de unknown")]).await;
    assert!(matches!(&refused, NotifyError::Refused(why) if !why.contains("anna")), "{refused}");
    let later = tell(&[("RCPT", "451 4.7.1 greylisted")]).await;
    assert!(matches!(later, NotifyError::Again(_)), "{later}");
    let full = tell(&[(".", "452 4.3.1 full")]).await;
    assert!(matches!(full, NotifyError::Again(_)), "{full}");
    let cut = tell(&[(".", "")]).await;
    assert!(matches!(cut, NotifyError::Unknown(_)), "{cut}");
    let mute = tell(&[("EHLO", "")]).await;
    assert!(matches!(mute, NotifyError::Again(_)), "{mute}");
}

#[tokio::test]
async fn a_mail_servers_probe_sends_nothing() {
    let server = MailServer::start(&[]).await;
    mail(server.port).probe("anna-mail").await.unwrap();
    assert!(server.verbs().contains(&"EHLO".to_owned()) && !server.verbs().contains(&"MAIL".to_owned()));
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    mail(closed).probe("anna-mail").await.unwrap_err();
}

// ── the recipes of the page ──

/// A recipe of docs/channels.md, its files put in place, its host exchanged for the peer.
fn recipe(name: &str, peer: &Peer, files: &[(&str, &str)]) -> Settings {
    let page = include_str!("../../docs/channels.md");
    let head = format!("```toml\n# recipe: {name}\n");
    let block = page.split_once(&head).unwrap_or_else(|| panic!("no recipe {name}")).1.split_once("```").unwrap().0;
    let here = format!("http://127.0.0.1:{}", peer.port);
    let mut text = block.to_owned();
    for (file, content) in files {
        let secret = format!("{{ file = \"/etc/nachtwache/{file}\" }}");
        assert!(text.contains(&secret), "{name} names no {file}");
        text = text.replace(&secret, &format!("'{}'", content.replace("HERE", &here)));
    }
    assert!(!text.contains("file ="), "a file of {name} is not given: {text}");
    for host in [
        "https://ntfy.example.org",
        "https://gotify.example.org",
        "https://api.pushover.net",
        "https://gateway.seven.io",
    ] {
        text = text.replace(host, &here);
    }
    settings(&text)
}

async fn told(name: &str, channel: &str, answer: &str, files: &[(&str, &str)]) -> Seen {
    let length = answer.len();
    let peer = Peer::start(&[&format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{answer}")]).await;
    Channels::from(&recipe(name, &peer, files)).unwrap().tell(channel, &message()).await.unwrap();
    peer.only()
}

/// The fields of a form or of the address's end.
fn fields(text: &str) -> Vec<(String, String)> {
    reqwest::Url::parse(&format!("form:/?{text}")).unwrap().query_pairs().into_owned().collect()
}

fn field(fields: &[(String, String)], key: &str) -> String {
    let values: Vec<&String> = fields.iter().filter(|(name, _)| name == key).map(|(_, value)| value).collect();
    assert_eq!(values.len(), 1, "{key} in {fields:?}");
    values[0].clone()
}

#[tokio::test]
async fn ntfy_gets_its_highest_priority() {
    let seen = told("ntfy", "anna-ntfy", "{}", &[("ntfy-authorization", "Bearer tk_abc")]).await;
    // "Publish as JSON": to the root, topic in the body
    assert_eq!(seen.line, "POST / HTTP/1.1");
    assert!(seen.head.to_lowercase().contains("authorization: bearer tk_abc"), "{}", seen.head);
    let json: Value = serde_json::from_str(&seen.body).unwrap();
    let expected = json!({
        "topic": "nachtwache-anna", "title": message().title, "message": message().text,
        "priority": 5, "tags": ["rotating_light"],
    });
    assert_eq!(json, expected);
}

#[tokio::test]
async fn gotify_gets_its_highest_priority() {
    let seen = told("gotify", "anna-gotify", "{}", &[("gotify-key", "AbC")]).await;
    assert_eq!(seen.line, "POST /message HTTP/1.1");
    assert!(seen.head.to_lowercase().contains("x-gotify-key: abc"), "{}", seen.head);
    let json: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(json, json!({ "title": message().title, "message": message().text, "priority": 10 }));
}

#[tokio::test]
async fn pushover_repeats_until_it_is_confirmed() {
    let page = include_str!("../../docs/channels.md");
    let body = page.split('`').find(|piece| piece.starts_with("token=APP&")).unwrap();
    let answer = r#"{"status":1,"request":"x"}"#;
    let seen = told("pushover", "anna-pushover", answer, &[("pushover-body", body)]).await;
    assert_eq!(seen.line, "POST /1/messages.json HTTP/1.1");
    let form = fields(&seen.body);
    let number = |key| field(&form, key).parse::<u32>().unwrap();
    assert_eq!((field(&form, "token"), field(&form, "user")), ("APP".into(), "USER".into()));
    assert_eq!((field(&form, "title"), field(&form, "message")), (message().title, message().text));
    assert_eq!(number("priority"), 2);
    assert!(number("retry") >= 30 && number("expire") <= 10_800);
}

#[tokio::test]
async fn an_sms_says_little() {
    let seen = told("sms-provider", "anna-sms", "100", &[("sms-key", "k")]).await;
    assert_eq!(seen.line, "POST /api/sms HTTP/1.1");
    assert!(seen.head.to_lowercase().contains("content-type: application/x-www-form-urlencoded"), "{}", seen.head);
    let form = fields(&seen.body);
    assert_eq!((field(&form, "to"), field(&form, "from")), ("491701234567".into(), "Nachtwache".into()));
    assert_eq!(field(&form, "text"), format!("{} {}", message().title, message().minimal));

    let page = include_str!("../../docs/channels.md");
    let url = page.split('`').find(|piece| piece.starts_with("http://192.168.1.5/")).unwrap();
    let url = url.replace("http://192.168.1.5", "HERE");
    let seen = told("sms-box", "anna-sms-box", "OK", &[("sms-box-url", &url)]).await;
    assert!(seen.line.starts_with("GET /cgi-bin/sms_send?") && seen.body.is_empty(), "{seen:?}");
    let query = seen.line.split([' ', '?']).nth(2).unwrap();
    let form = fields(query);
    assert_eq!(field(&form, "number"), "00491701234567");
    assert_eq!(field(&form, "text"), format!("{} {}", message().title, message().minimal));
}

#[tokio::test]
async fn home_assistant_gets_values_to_switch_by() {
    let files = [("home-assistant-url", "HERE/api/webhook/ID")];
    let seen = told("home-assistant", "office-siren", "", &files).await;
    assert_eq!(seen.line, "POST /api/webhook/ID HTTP/1.1");
    let json: Value = serde_json::from_str(&seen.body).unwrap();
    let told = message();
    let expected = json!({
        "title": told.title, "text": told.minimal, "case": "1042", "verdict": "confirmed", "urgent": true,
    });
    assert_eq!(json, expected);
}

// ── the heartbeat ──

#[tokio::test]
async fn a_heartbeat_is_heard_and_says_when_something_is_wrong() {
    let peer = Peer::start(&[OK, OK, "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", ""]).await;
    let settings = recipe("heartbeat", &peer, &[("heartbeat-url", "HERE/uuid-1")]);
    let beat = Beat::of(&settings).unwrap().unwrap();
    assert_eq!(beat.every, Duration::from_mins(1));
    assert!(beat.send().await);
    assert!(beat.send_fail("telegram").await);
    assert!(!beat.send().await && !beat.send().await);
    let seen = peer.seen();
    assert_eq!(seen[0].line, "GET /uuid-1 HTTP/1.1");
    assert_eq!((seen[1].line.as_str(), seen[1].body.as_str()), ("POST /uuid-1/fail HTTP/1.1", "telegram"));
    assert!(Beat::of(&self::settings("")).unwrap().is_none());
}

#[tokio::test]
async fn a_heartbeat_that_is_not_answered_gives_up_before_the_next() {
    let peer = Peer::start(&["hang"]).await;
    let mut settings = recipe("heartbeat", &peer, &[("heartbeat-url", "HERE/uuid-1")]);
    settings.heartbeat.as_mut().unwrap().every_s = 2;
    let beat = Beat::of(&settings).unwrap().unwrap();
    assert!(!tokio::time::timeout(Duration::from_secs(1), beat.send()).await.unwrap());
}

#[test]
fn a_secret_that_is_missing_is_named_by_its_key() {
    let row = "[[channels]]\nkind = \"webhook\"\nname = \"hook\"\nurl = { file = \"/nowhere/url\" }\n";
    let error = Channels::from(&settings(row)).err().unwrap();
    assert!(error.contains("channels.url") && error.contains("/nowhere/url") && error.contains("hook"), "{error}");
    let mut heart = settings("[heartbeat]\nurl = { file = \"/nowhere/beat\" }\n");
    assert!(Beat::of(&heart).err().unwrap().contains("heartbeat.url"));
    heart.heartbeat.as_mut().unwrap().url = Secret::Text("http://example.org/s3cret".to_owned().into());
    let error = Beat::of(&heart).err().unwrap();
    assert!(error.contains("https") && !error.contains("s3cret"), "{error}");
}

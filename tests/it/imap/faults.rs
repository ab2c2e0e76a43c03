//! Servers that hang, lie, refuse or hang up, and encryption.

use super::wire::{Fake, Reply, say, serve, well};
use super::{House, base64_of, keys, settings, sound};
use nachtwache::config::Tls;
use nachtwache::intake::imap::ImapSettings;
use nachtwache::intake::source::{Source, SourceError};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

const HELLO: Option<&str> = Some("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR IDLE] hello");

fn hasty(port: u16) -> ImapSettings {
    ImapSettings { patience: Duration::from_secs(1), ..settings(port, "anna") }
}

async fn fails(fake: &Fake) -> SourceError {
    House::new().await.source(hasty(fake.port)).list().await.unwrap_err()
}

#[tokio::test]
async fn a_server_on_which_all_is_well_hands_its_mails_over() {
    let fake = Fake::start(HELLO, |_, command| well("AUTH=PLAIN SASL-IR IDLE", command)).await;
    let house = House::new().await;
    let mut source = house.source(settings(fake.port, "anna"));
    let listing = source.list().await.unwrap();
    assert_eq!(sound(&source.take(&listing.found[1]).await.unwrap()), "sound of call 2");
    let login = format!("AUTHENTICATE PLAIN {}", base64_of(b"\0anna\0test"));
    assert!(fake.lines().iter().any(|line| line.ends_with(&login)), "{:?}", fake.lines());
}

#[tokio::test]
async fn a_server_that_hangs_after_accepting_costs_a_time_limit() {
    let fake = Fake::start(None, |_, _| Reply::Hang).await;
    let error = fails(&fake).await;
    assert!(matches!(&error, SourceError::Unreachable(why) if why.contains("no greeting within 1 s")), "{error}");
}

#[tokio::test]
async fn a_server_that_hangs_at_any_command_costs_a_time_limit() {
    for at in ["AUTHENTICATE", "SELECT", "UID SEARCH", "UID FETCH"] {
        let hang = move |_, command: &str| if command.starts_with(at) { Reply::Hang } else { well("IDLE", command) };
        let fake = Fake::start(HELLO, hang).await;
        let error = fails(&fake).await;
        assert!(matches!(&error, SourceError::Unreachable(why) if why.contains(at)), "{at}: {error}");
    }
}

#[tokio::test]
async fn garbage_is_told_without_quoting_it() {
    let fake = Fake::start(Some("HTTP/1.1 400 Geheimnis"), |_, _| Reply::Hang).await;
    let error = fails(&fake).await.to_string();
    assert!(error.contains("cannot be understood") && !error.contains("Geheimnis"), "{error}");
    for at in ["SELECT", "UID SEARCH", "UID FETCH"] {
        let act = move |_, command: &str| {
            if command.starts_with(at) { say("* \u{1} Geheimnis (((\r\n") } else { well("IDLE", command) }
        };
        let error = fails(&Fake::start(HELLO, act).await).await.to_string();
        assert!(error.contains("cannot be understood") && !error.contains("Geheimnis"), "{at}: {error}");
    }
}

#[tokio::test]
async fn a_refused_login_is_told_from_a_server_that_is_busy() {
    let no = |text: &'static str| {
        move |_: usize, command: &str| {
            if command.starts_with("AUTHENTICATE") { say(text) } else { well("IDLE", command) }
        }
    };
    for text in ["{tag} NO [AUTHENTICATIONFAILED] wrong\r\n", "{tag} BAD no\r\n", "{tag} NO LOGIN failed.\r\n"] {
        let error = fails(&Fake::start(HELLO, no(text)).await).await;
        assert!(
            matches!(&error, SourceError::Refused(why) if why.contains("are username and password right?")),
            "{error}"
        );
    }
    for text in ["{tag} NO [UNAVAILABLE] later\r\n", "{tag} NO [INUSE] x\r\n", "* BYE go\r\n", "{tag} NO [LIMIT] x\r\n"]
    {
        let error = fails(&Fake::start(HELLO, no(text)).await).await;
        assert!(matches!(&error, SourceError::Unreachable(_)), "{text}: {error}");
    }
}

#[tokio::test]
async fn a_server_that_turns_away_or_hangs_up_is_unreachable() {
    let turned = Fake::start(Some("* BYE too many connections"), |_, _| Reply::Hang).await;
    assert!(matches!(fails(&turned).await, SourceError::Unreachable(_)));
    for at in ["AUTHENTICATE", "SELECT", "UID SEARCH", "UID FETCH 1:2 (UID RFC", "UID FETCH 1:2 (UID BODY"] {
        let act = move |_, command: &str| {
            if command.starts_with(at) { Reply::SayAndClose(String::new()) } else { well("IDLE", command) }
        };
        let error = fails(&Fake::start(HELLO, act).await).await;
        assert!(matches!(&error, SourceError::Unreachable(why) if why.contains("closed")), "{at}: {error}");
    }
}

#[tokio::test]
async fn a_password_with_umlauts_is_sent_as_a_literal_where_there_is_only_login() {
    let act = |_, command: &str| match command {
        _ if command.starts_with("LOGIN {4}") => say("+ go on\r\n"),
        "anna {6}" => say("+ go on\r\n"),
        _ => well("IDLE", command),
    };
    let fake = Fake::start(Some("* OK [CAPABILITY IMAP4rev1 IDLE] hello"), act).await;
    let mut settings = settings(fake.port, "anna");
    settings.login = nachtwache::intake::imap::Login::Password("süßt".to_owned().into());
    assert_eq!(keys(&mut House::new().await.source(settings)).await, ["7/1", "7/2"]);
    assert!(fake.lines().contains(&"süßt".to_owned()), "{:?}", fake.lines());
}

#[tokio::test]
async fn no_login_in_the_clear_where_the_server_forbids_it() {
    let fake =
        Fake::start(Some("* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hello"), |_, command| well("", command)).await;
    assert!(matches!(fails(&fake).await, SourceError::Refused(why) if why.contains("LOGINDISABLED")));
    assert!(!fake.lines().iter().any(|line| line.contains("test")), "{:?}", fake.lines());
}

#[tokio::test]
async fn without_idle_the_server_is_asked_by_the_clock() {
    let fake = Fake::start(Some("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello"), |_, command| {
        well("AUTH=PLAIN SASL-IR", command)
    })
    .await;
    let house = House::new().await;
    let mut source = house.source(ImapSettings { poll: Duration::from_millis(100), ..hasty(fake.port) });
    source.list().await.unwrap();
    let began = std::time::Instant::now();
    source.changed().await;
    assert!(began.elapsed() >= Duration::from_millis(90));
    assert!(!fake.lines().iter().any(|line| line.ends_with("IDLE")));
    let house = House::new().await;
    let mut source = house.source(hasty(fake.port));
    let said = source.examine().await;
    assert!(said.iter().flatten().any(|line| line.contains("no IDLE: it is asked every 60 s")), "{said:?}");
}

#[tokio::test]
async fn a_line_that_dies_silently_under_idle_is_found_out_at_the_poll() {
    let dead = |number, command: &str| match command {
        "DONE" if number == 0 => Reply::Hang,
        _ => well("IDLE", command),
    };
    let fake = Fake::start(HELLO, dead).await;
    let house = House::new().await;
    let mut source = house.source(ImapSettings { poll: Duration::from_millis(50), ..hasty(fake.port) });
    source.list().await.unwrap();
    source.changed().await;
    source.list().await.unwrap();
    assert_eq!(fake.connections(), 2);
}

#[tokio::test]
async fn a_server_that_ends_every_session_at_once_is_not_stormed() {
    let act = |_, command: &str| match command {
        "IDLE" => Reply::SayAndClose(String::new()),
        _ => well("IDLE", command),
    };
    let fake = Fake::start(HELLO, act).await;
    let house = House::new().await;
    let mut source = house.source(ImapSettings { poll: Duration::from_millis(300), ..hasty(fake.port) });
    let began = std::time::Instant::now();
    for _ in 0..4 {
        source.list().await.unwrap();
        source.changed().await;
    }
    assert!(began.elapsed() > Duration::from_millis(1100), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_mail_that_cannot_be_fetched_is_handed_over_as_one_to_look_at() {
    let act = |_, command: &str| match command {
        _ if command.starts_with("UID FETCH") && command.contains("BODY") && command.contains('1') => {
            say("{tag} NO cannot read\r\n")
        }
        _ => well("IDLE", command),
    };
    let fake = Fake::start(HELLO, act).await;
    let house = House::new().await;
    let mut source = house.source(settings(fake.port, "anna"));
    let mut found = Vec::new();
    for _ in 0..6 {
        found = source.list().await.unwrap().found;
    }
    assert_eq!(found.len(), 2, "{found:?}");
    let why = super::refused(&source.take(&found[0]).await.unwrap());
    assert!(why.contains("the mail number 1 in INBOX cannot be fetched; remedy: open it there"), "{why}");
    assert_eq!(sound(&source.take(&found[1]).await.unwrap()), "sound of call 2");
}

#[tokio::test]
async fn a_mail_of_which_the_server_tells_nothing_keeps_no_other_one_waiting() {
    for lost in [false, true] {
        let act = move |_, command: &str| match command {
            _ if command.starts_with("UID FETCH 1") && command.contains("SIZE") => {
                if lost {
                    Reply::SayAndClose(String::new())
                } else {
                    say("{tag} NO cannot read\r\n")
                }
            }
            _ => well("IDLE", command),
        };
        let fake = Fake::start(HELLO, act).await;
        let house = House::new().await;
        let mut source = house.source(settings(fake.port, "anna"));
        let mut found = Vec::new();
        for _ in 0..12 {
            found = source.list().await.map_or(found, |listing| listing.found);
        }
        assert_eq!(found.len(), 2, "{found:?}");
        let why = super::refused(&source.take(&found[0]).await.unwrap());
        assert!(why.contains("the mail number 1 in INBOX cannot be fetched"), "{why}");
        assert_eq!(sound(&source.take(&found[1]).await.unwrap()), "sound of call 2");
    }
}

#[tokio::test]
async fn a_mail_whose_storing_failed_is_handed_over_again_without_fetching_it_again() {
    let fake = Fake::start(HELLO, |_, command| well("IDLE", command)).await;
    let house = House::new().await;
    let mut source = house.source(settings(fake.port, "anna"));
    for _ in 0..3 {
        let found = source.list().await.unwrap().found;
        assert_eq!(sound(&source.take(&found[0]).await.unwrap()), "sound of call 1");
    }
    assert_eq!(fake.lines().into_iter().filter(|line| line.contains("BODY")).count(), 1);
}

#[tokio::test]
async fn what_was_read_is_listed_though_the_server_is_gone_and_the_error_comes_after() {
    let searches = std::sync::atomic::AtomicUsize::new(0);
    let act = move |number, command: &str| match command {
        _ if command.starts_with("AUTH") && number > 0 => Reply::SayAndClose(String::new()),
        _ if command.starts_with("UID SEARCH") && searches.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 => {
            say("* SEARCH\r\n{tag} OK done\r\n")
        }
        // as if both came after the folder was opened
        _ if command.starts_with("SELECT") => {
            say("* 0 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 1] x\r\n{tag} OK [READ-WRITE] x\r\n")
        }
        _ if command.starts_with("UID FETCH 1:2") => {
            let line = |number: u32, size: u32| {
                format!(
                    "* {number} FETCH (UID {number} RFC822.SIZE {size} INTERNALDATE \"28-Nov-2099 10:00:00 +0100\")\r\n"
                )
            };
            say(&format!("{}{}{{tag}} OK done\r\n", line(1, 900), line(2, 5_000_000)))
        }
        _ if command.starts_with("UID FETCH 2") => Reply::SayAndClose(String::new()),
        _ => well("IDLE", command),
    };
    let fake = Fake::start(HELLO, act).await;
    let house = House::new().await;
    let mut source = house.source(settings(fake.port, "anna"));
    assert_eq!(keys(&mut source).await.len(), 0);
    let found = source.list().await.unwrap().found;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(sound(&source.take(&found[0]).await.unwrap()), "sound of call 1");
    assert!(matches!(source.list().await, Err(SourceError::Unreachable(_))));
    assert_eq!(source.list().await.unwrap().found, found, "it was not stored");
    assert!(matches!(source.confirm(&found[0]).await, Err(SourceError::Unreachable(_))));
    for _ in 0..2 {
        assert!(matches!(source.list().await, Err(SourceError::Unreachable(_))));
    }
}

#[tokio::test]
async fn a_memory_that_takes_nothing_ends_no_look_and_is_written_later() {
    let fake = Fake::start(HELLO, |_, command| well("IDLE", command)).await;
    let house = House::new().await;
    house.does("CREATE TRIGGER full BEFORE INSERT ON memory BEGIN SELECT RAISE(ABORT, 'full'); END").await;
    let mut source = house.source(settings(fake.port, "anna"));
    for _ in 0..2 {
        assert_eq!(keys(&mut source).await, ["7/1", "7/2"]);
    }
    house.does("DROP TRIGGER full").await;
    assert_eq!(keys(&mut source).await, ["7/1", "7/2"]);
    for name in ["since INBOX", "place", "mark"] {
        assert!(house.memory().recall(name).await.unwrap().is_some(), "{name}");
    }
}

#[tokio::test]
async fn a_server_without_keywords_is_told_of_and_nothing_is_lost() {
    let act = |_, command: &str| {
        if command.starts_with("SELECT") {
            return say("* 2 EXISTS\r\n* OK [PERMANENTFLAGS (\\Seen)] x\r\n* OK [UIDVALIDITY 7] x\r\n{tag} OK x\r\n");
        }
        well("IDLE", command)
    };
    let fake = Fake::start(HELLO, act).await;
    let house = House::new().await;
    let mut source = house.source(settings(fake.port, "anna"));
    let listing = source.list().await.unwrap();
    assert!(listing.troubles.iter().any(|trouble| trouble.key == "confirm" && !trouble.loses_calls));
    source.confirm(&listing.found[0]).await.unwrap();
    assert!(!fake.lines().iter().any(|line| line.contains("STORE")), "{:?}", fake.lines());
    assert!(source.examine().await.iter().flatten().any(|line| line.contains("keeps no keywords")));
}

#[tokio::test]
async fn only_mails_from_the_mark_on_are_asked_for() {
    let fake = Fake::start(HELLO, |_, command| well("IDLE", command)).await;
    let house = House::new().await;
    let mut intake = house.intake(settings(fake.port, "anna"));
    for _ in 0..2 {
        intake.look().await.unwrap();
    }
    let searches = || fake.lines().into_iter().filter(|line| line.contains("SEARCH")).collect::<Vec<_>>();
    let bodies = || fake.lines().into_iter().filter(|line| line.contains("BODY")).count();
    assert!(searches()[0].contains("SEARCH UID 1:* SINCE "), "{:?}", searches());
    assert_eq!(bodies(), 1);
    // the server answers with the last mail though its number is below the mark
    let mut restarted = house.intake(settings(fake.port, "anna"));
    restarted.look().await.unwrap();
    assert!(searches().last().unwrap().contains("SEARCH UID 3:* SINCE "), "{:?}", searches());
    assert_eq!(bodies(), 1);
    assert!(fake.lines().iter().all(|line| !line.contains("FETCH") || line.contains("PEEK") || line.contains("SIZE")));
}

#[tokio::test]
async fn another_mailbox_under_the_same_name_has_keys_of_its_own() {
    let fake = Fake::start(HELLO, |_, command| well("IDLE", command)).await;
    let house = House::new().await;
    for (user, expected) in [("anna", ["7/1", "7/2"]), ("anna", ["7/1", "7/2"]), ("bernd", ["7/1/1", "7/2/1"])] {
        assert_eq!(keys(&mut house.source(settings(fake.port, user))).await, expected);
    }
    let mut intake = house.intake(settings(fake.port, "bernd"));
    assert_eq!(intake.look().await.unwrap().stored, 2);
    assert_eq!(house.reports().await, (2, 2));
}

// ── encryption ──

struct Authority {
    folder: tempfile::TempDir,
    acceptor: TlsAcceptor,
}

fn authority(host: &str) -> Authority {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root_key = rcgen::KeyPair::generate().unwrap();
    let root = params.self_signed(&root_key).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let issuer = rcgen::Issuer::new(params, root_key);
    let leaf = rcgen::CertificateParams::new(vec![host.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), root.pem()).unwrap();
    let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], secret)
        .unwrap();
    Authority { folder, acceptor: TlsAcceptor::from(Arc::new(config)) }
}

/// A server with TLS from the first byte, or after STARTTLS.
async fn encrypted(authority: &Authority, starts: bool) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (acceptor, lines) = (authority.acceptor.clone(), Arc::new(Mutex::new(Vec::new())));
    let seen = lines.clone();
    #[expect(clippy::disallowed_methods, reason = "a test's server ends with its runtime")]
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            if starts {
                use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
                stream.write_all(b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hello\r\n").await.unwrap();
                let mut asked = [0; 64];
                let read = stream.read(&mut asked).await.unwrap();
                let asked = String::from_utf8_lossy(&asked[..read]).into_owned();
                let tag = asked.split(' ').next().unwrap_or_default().to_owned();
                seen.lock().unwrap().push(asked);
                // what is slipped in before the encryption must count for nothing
                let answer = format!("{tag} OK begin\r\n* BYE slipped in\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let greeting = if starts { Some("") } else { HELLO };
            tokio::spawn(serve_encrypted(stream, greeting, seen.clone()));
        }
    });
    (port, lines)
}

async fn serve_encrypted(
    stream: tokio_rustls::server::TlsStream<tokio::net::TcpStream>,
    greeting: Option<&'static str>,
    seen: Arc<Mutex<Vec<String>>>,
) {
    if greeting == Some("") {
        return super::wire::serve_greeted(stream, 0, Arc::new(|_, command| well("AUTH=PLAIN SASL-IR", command)), seen)
            .await;
    }
    serve(stream, greeting, 0, Arc::new(|_, command| well("AUTH=PLAIN SASL-IR", command)), seen).await;
}

fn with_tls(port: u16, tls: Tls, authority: &Authority) -> ImapSettings {
    let ca = Some(authority.folder.path().join("ca.pem"));
    ImapSettings { tls, ca, host: "localhost".into(), ..settings(port, "anna") }
}

#[tokio::test]
async fn encrypted_from_the_first_byte_or_after_starttls() {
    let authority = authority("localhost");
    for tls in [Tls::Implicit, Tls::StartTls] {
        let (port, lines) = encrypted(&authority, tls == Tls::StartTls).await;
        let house = House::new().await;
        let mut source = house.source(with_tls(port, tls, &authority));
        assert_eq!(keys(&mut source).await, ["7/1", "7/2"], "{tls:?}");
        assert!(lines.lock().unwrap().iter().any(|line| line.contains("AUTHENTICATE PLAIN")));
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_or_of_another_host_ends_it_before_the_login() {
    let (own, other) = (authority("localhost"), authority("elsewhere.example"));
    for (server, trusted) in [(&own, &other), (&other, &other)] {
        let (port, lines) = encrypted(server, false).await;
        let error = House::new().await.source(with_tls(port, Tls::Implicit, trusted)).list().await.unwrap_err();
        assert!(error.to_string().contains("no encrypted connection"), "{error}");
        assert_eq!(lines.lock().unwrap().len(), 0);
    }
}

#[tokio::test]
async fn a_server_that_refuses_starttls_gets_no_password() {
    let act = |_, command: &str| {
        if command.starts_with("STARTTLS") { say("{tag} BAD what?\r\n") } else { well("AUTH=PLAIN", command) }
    };
    let fake = Fake::start(HELLO, act).await;
    let authority = authority("localhost");
    let mut settings = with_tls(fake.port, Tls::StartTls, &authority);
    settings.host = "127.0.0.1".into();
    let error = House::new().await.source(settings).list().await.unwrap_err();
    assert!(error.to_string().contains("refuses STARTTLS"), "{error}");
    assert!(!fake.lines().iter().any(|line| line.contains("AUTH")), "{:?}", fake.lines());
}

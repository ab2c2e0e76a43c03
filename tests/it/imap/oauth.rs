//! Tokens: a faked token address, and XOAUTH2 on the wire.

use super::wire::{Fake, Reply, say, well};
use super::{House, base64_of, keys, settings};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use nachtwache::config::Flow;
use nachtwache::intake::imap::{ImapSettings, Login, OAuthSettings, Tokens};
use nachtwache::intake::source::{Source, SourceError};
use secrecy::ExposeSecret as _;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the token address does, in order; the last one repeats.
#[derive(Clone, Copy)]
enum Act {
    /// Status and body; `{n}` is the number of the request.
    Say(u16, &'static str),
    Hang,
}

#[derive(Clone)]
struct Giver {
    acts: Arc<Vec<Act>>,
    forms: Arc<Mutex<Vec<HashMap<String, String>>>>,
    url: String,
}

impl Giver {
    async fn start(acts: &[Act]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        let own = Self { acts: Arc::new(acts.to_vec()), forms: Arc::default(), url };
        let app = Router::new()
            .route("/token", post(answer))
            .route("/device", post(|| async {
                r#"{"device_code":"secret-device","user_code":"ABC-DEF","verification_uri":"https://login.example/device","expires_in":60,"interval":1}"#
            }))
            .with_state(own.clone());
        #[expect(clippy::disallowed_methods, reason = "a test's server ends with its runtime")]
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        own
    }

    fn forms(&self) -> Vec<HashMap<String, String>> {
        self.forms.lock().unwrap().clone()
    }

    fn settings(&self, flow: Flow) -> OAuthSettings {
        OAuthSettings {
            flow,
            token_url: self.url.clone(),
            device_url: self.url.replace("/token", "/device"),
            client_id: "app".into(),
            client_secret: (flow != Flow::Device).then(|| "app-secret".to_owned().into()),
            refresh_token: (flow == Flow::Refresh).then(|| "first-refresh".to_owned().into()),
            scope: "mail".into(),
        }
    }

    fn tokens(&self, flow: Flow, house: &House) -> Tokens {
        Tokens::new(self.settings(flow), house.memory(), Duration::from_millis(500))
    }
}

async fn answer(State(giver): State<Giver>, body: String) -> Response {
    let url = reqwest::Url::parse(&format!("http://x/?{body}")).unwrap();
    let form = url.query_pairs().into_owned().collect();
    let number = {
        let mut forms = giver.forms.lock().unwrap();
        forms.push(form);
        forms.len()
    };
    match giver.acts[(number - 1).min(giver.acts.len() - 1)] {
        Act::Say(status, body) => {
            (StatusCode::from_u16(status).unwrap(), body.replace("{n}", &number.to_string())).into_response()
        }
        Act::Hang => std::future::pending().await,
    }
}

const GIVEN: Act = Act::Say(200, r#"{"access_token":"token-{n}","expires_in":3600,"token_type":"Bearer"}"#);
const ROTATED: Act = Act::Say(200, r#"{"access_token":"token-{n}","refresh_token":"refresh-{n}","expires_in":3600}"#);

async fn error_of(act: Act) -> SourceError {
    let house = House::new().await;
    Giver::start(&[act]).await.tokens(Flow::Client, &house).token(false).await.unwrap_err()
}

#[tokio::test]
async fn a_token_is_kept_until_shortly_before_it_ends() {
    let house = House::new().await;
    let giver = Giver::start(&[GIVEN]).await;
    let mut tokens = giver.tokens(Flow::Client, &house);
    for _ in 0..3 {
        assert_eq!(tokens.token(false).await.unwrap().expose_secret(), "token-1");
    }
    assert_eq!(tokens.token(true).await.unwrap().expose_secret(), "token-2");
    let form = &giver.forms()[0];
    let sent = ["grant_type", "client_id", "client_secret", "scope"].map(|key| form[key].as_str());
    assert_eq!(sent, ["client_credentials", "app", "app-secret", "mail"]);
    // nonsense is no time
    let odd = format!(r#"{{"access_token":"token-{{n}}","expires_in":{}}}"#, u64::MAX);
    let endless = Giver::start(&[Act::Say(200, odd.leak())]).await;
    endless.tokens(Flow::Client, &house).token(false).await.unwrap();
    // one that ends at once is not used twice
    let short = Giver::start(&[Act::Say(200, r#"{"access_token":"token-{n}","expires_in":0}"#)]).await;
    let mut tokens = short.tokens(Flow::Client, &house);
    tokens.token(false).await.unwrap();
    assert_eq!(tokens.token(false).await.unwrap().expose_secret(), "token-2");
}

#[tokio::test]
async fn a_rotated_refresh_token_outlives_a_restart_and_a_new_one_in_the_settings_counts_more() {
    let house = House::new().await;
    let giver = Giver::start(&[ROTATED]).await;
    giver.tokens(Flow::Refresh, &house).token(false).await.unwrap();
    giver.tokens(Flow::Refresh, &house).token(false).await.unwrap();
    let mut replaced = giver.settings(Flow::Refresh);
    replaced.refresh_token = Some("by-hand".to_owned().into());
    Tokens::new(replaced, house.memory(), Duration::from_secs(1)).token(false).await.unwrap();
    let used: Vec<String> = giver.forms().iter().map(|form| form["refresh_token"].clone()).collect();
    assert_eq!(used, ["first-refresh", "refresh-1", "by-hand"]);
}

#[tokio::test]
async fn a_person_logs_in_once_by_a_code() {
    let house = House::new().await;
    let pending = Act::Say(400, r#"{"error":"authorization_pending"}"#);
    let giver = Giver::start(&[pending, Act::Say(502, "<html>"), ROTATED]).await;
    let mut tokens = giver.tokens(Flow::Device, &house);
    let early = tokens.token(false).await.unwrap_err();
    assert!(matches!(&early, SourceError::Refused(why) if why.contains("nachtwache sources login")), "{early}");
    let code = tokens.device_code().await.unwrap();
    assert_eq!((code.address.as_str(), code.code.as_str()), ("https://login.example/device", "ABC-DEF"));
    tokens.wait_for(code).await.unwrap();
    assert_eq!(giver.forms()[2]["device_code"], "secret-device");
    // the service, another process, uses what was remembered
    giver.tokens(Flow::Device, &house).token(false).await.unwrap();
    assert_eq!(giver.forms()[3]["refresh_token"], "refresh-3");
}

#[tokio::test]
async fn slow_down_is_obeyed_and_a_declined_login_is_told() {
    let house = House::new().await;
    let declined = Act::Say(400, r#"{"error":"authorization_declined"}"#);
    let giver = Giver::start(&[Act::Say(400, r#"{"error":"slow_down"}"#), declined]).await;
    let mut tokens = giver.tokens(Flow::Device, &house);
    let code = tokens.device_code().await.unwrap();
    let began = std::time::Instant::now();
    let error = tokens.wait_for(code).await.unwrap_err();
    assert!(matches!(&error, SourceError::Refused(why) if why.contains("declined")), "{error}");
    assert!(began.elapsed() >= Duration::from_secs(7), "1 s, then 5 s more");
}

#[tokio::test]
async fn what_a_person_must_mend_is_told_from_what_passes() {
    let refused = [Act::Say(401, r#"{"error":"invalid_client"}"#), Act::Say(400, r#"{"error":"invalid_grant"}"#)];
    for act in refused {
        assert!(matches!(error_of(act).await, SourceError::Refused(_)));
    }
    let passing = [
        Act::Say(503, "busy"),
        Act::Say(429, "{}"),
        Act::Say(302, ""),
        Act::Say(404, "Geheimnis"),
        Act::Say(200, "Geheimnis"),
        Act::Say(200, "{}"),
        Act::Say(400, r#"{"error":"temporarily_unavailable"}"#),
        Act::Hang,
    ];
    for act in passing {
        let error = error_of(act).await;
        assert!(matches!(&error, SourceError::Unreachable(_)), "{error}");
        assert!(!error.to_string().contains("Geheimnis"), "{error}");
    }
}

// ── at the mail server ──

const HELLO: Option<&str> = Some("* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 IDLE] hello");

fn bearer(token: &str) -> String {
    base64_of(format!("user=anna@example.org\x01auth=Bearer {token}\x01\x01").as_bytes())
}

fn by_token(port: u16, oauth: OAuthSettings) -> ImapSettings {
    ImapSettings { username: "anna@example.org".into(), login: Login::OAuth(oauth), ..settings(port, "") }
}

/// A server that lets only one token in; the failure comes as a challenge, as at Microsoft and Google.
fn lets_in(token: &'static str) -> impl Fn(usize, &str) -> Reply + Send + Sync + 'static {
    move |_, command| match command {
        "AUTHENTICATE XOAUTH2" => say("+ \r\n"),
        "" => say("{tag} NO AUTHENTICATE failed.\r\n"),
        _ if command == bearer(token) => say("{tag} OK in\r\n"),
        _ if command.starts_with("dXNlcj") => say("+ eyJzdGF0dXMiOiI0MDAifQ==\r\n"),
        _ => well("AUTH=XOAUTH2 IDLE", command),
    }
}

#[tokio::test]
async fn the_token_opens_the_mailbox() {
    let giver = Giver::start(&[GIVEN]).await;
    let fake = Fake::start(HELLO, lets_in("token-1")).await;
    let house = House::new().await;
    let mut source = house.source(by_token(fake.port, giver.settings(Flow::Client)));
    assert_eq!(keys(&mut source).await, ["7/1", "7/2"]);
    assert_eq!(giver.forms().len(), 1);
}

#[tokio::test]
async fn a_token_that_is_refused_is_come_by_anew_once() {
    let giver = Giver::start(&[GIVEN]).await;
    let fake = Fake::start(HELLO, lets_in("token-2")).await;
    let house = House::new().await;
    let mut source = house.source(by_token(fake.port, giver.settings(Flow::Client)));
    assert_eq!(keys(&mut source).await, ["7/1", "7/2"]);
    assert_eq!(giver.forms().len(), 2);
    let never = Fake::start(HELLO, lets_in("another")).await;
    let error = House::new().await.source(by_token(never.port, giver.settings(Flow::Client))).list().await.unwrap_err();
    assert!(matches!(&error, SourceError::Refused(why) if why.contains("may the application read")), "{error}");
    assert!(!error.to_string().contains("token-"), "{error}");
    assert_eq!(giver.forms().len(), 4);
}

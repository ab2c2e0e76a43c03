//! The page as browsers see it: served on a real address, asked by a client that sends what a browser sends.

mod accounts;
mod attacks;
mod books;
mod entering;
pub(crate) mod hostile;
mod inbox;
mod privacy;
mod report;
mod review;
mod roster;
mod second;
mod watch;

use crate::world::World;
use chrono::TimeDelta;
use nachtwache::config;
use nachtwache::domain::account::{Account, Role, Session, SessionStage};
use nachtwache::runtime::clock::Clock as _;
use nachtwache::runtime::lifecycle::Lifecycle;
use nachtwache::runtime::status::Status;
use nachtwache::store::{self, Store, sessions};
use nachtwache::web::{Parts, Route, Web};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, StatusCode};
use std::sync::Mutex;
use tokio::net::TcpListener;
use uuid::Uuid;

/// The session's cookie.
pub(crate) const COOKIE: &str = "__Host-sitzung";

/// The page over a world's store, served until it is dropped.
pub(crate) struct Site {
    pub(crate) url: String,
    pub(crate) routes: Vec<Route>,
    pub(crate) status: Status,
    store: Store,
    now: chrono::DateTime<chrono::Utc>,
    lifecycle: Lifecycle,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.lifecycle.abort();
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// Where it sends the browser.
    pub(crate) fn onward(&self) -> &str {
        self.headers.get("location").and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The page, which must have come.
    pub(crate) fn page(self) -> String {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.body
    }
}

impl Site {
    /// The page as most firms have it, the second factor optional.
    pub(crate) async fn of(world: &World) -> Self {
        Self::with(world, |_| {}).await
    }

    /// The page with other settings.
    pub(crate) async fn with(world: &World, change: impl FnOnce(&mut config::Web)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut settings = config::Web {
            listen: listener.local_addr().unwrap(),
            second_factor: config::SecondFactor::Optional,
            ..config::Web::default()
        };
        change(&mut settings);
        let status = Status::default();
        let parts =
            Parts { desk: world.answers(), status: status.clone(), voices: world.voices(), rules: World::rules() };
        let url = settings.origin();
        let web = Web::new(parts, settings, world.folder.path()).await.unwrap();
        let (routes, lifecycle) = (web.routes(), Lifecycle::default());
        lifecycle.spawn("web".into(), web.serve(listener, lifecycle.clone()));
        Self { url, routes, status, store: world.store.clone(), now: world.clock.now(), lifecycle }
    }

    /// A browser in which nobody is logged in.
    pub(crate) fn browser(&self) -> Browser {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Browser { client, url: self.url.clone(), cookies: Mutex::new(Vec::new()) }
    }

    /// A browser in which somebody of that role is inside. His account is made where there is none of that name.
    pub(crate) async fn inside(&self, name: &str, role: Role) -> Browser {
        self.inside_as(name, role, SessionStage::Full).await
    }

    /// The same, at another stage of the log-in.
    pub(crate) async fn inside_as(&self, name: &str, role: Role, stage: SessionStage) -> Browser {
        let mut tx = self.store.begin().await.unwrap();
        let known = store::accounts::named(tx.reading(), name).await.unwrap();
        let account = if let Some(account) = known {
            account
        } else {
            let account = account(name, role, self.now);
            assert!(store::accounts::add(&mut tx, &account).await.unwrap());
            account
        };
        let session = Session {
            id: Uuid::now_v7(),
            account: account.id,
            stage,
            created_at: self.now,
            seen_at: self.now,
            proved_at: self.now,
            browser: "a test".into(),
            address: "127.0.0.1".into(),
        };
        let token = Uuid::new_v4().simple().to_string();
        sessions::begin(&mut tx, &session, &token).await.unwrap();
        tx.commit().await.unwrap();
        let browser = self.browser();
        browser.cookies.lock().unwrap().push((COOKIE.to_owned(), token));
        browser
    }
}

/// An account without a password. Who is called as a technician of the settings is that technician.
pub(crate) fn account(name: &str, role: Role, now: chrono::DateTime<chrono::Utc>) -> Account {
    let technician = matches!(name, "Anna" | "Bernd").then(|| name.to_owned());
    Account::new(name, role, technician, now)
}

/// Somebody with a password, and the browser in which he set it.
pub(crate) async fn invited_with(world: &World, site: &Site, name: &str, role: Role, password: &str) -> Browser {
    let now = world.clock.now();
    let mut tx = world.store.begin().await.unwrap();
    let account = account(name, role, now);
    nachtwache::store::accounts::add(&mut tx, &account).await.unwrap();
    nachtwache::store::accounts::link(
        &mut tx,
        account.id,
        nachtwache::store::accounts::Purpose::Begin,
        name,
        now,
        now + TimeDelta::hours(24),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let browser = site.browser();
    let set = browser.post(&format!("/einladung/{name}"), &[("passwort", password), ("wiederholt", password)]).await;
    assert_eq!(set.status, StatusCode::SEE_OTHER, "{}", set.body);
    browser
}

/// Somebody's browser: keeps cookies, says that its forms are the page's own.
pub(crate) struct Browser {
    client: Client,
    url: String,
    cookies: Mutex<Vec<(String, String)>>,
}

impl Browser {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(Method::POST, path, &[("sec-fetch-site", "same-origin")], Some(form(fields))).await
    }

    /// Whatever a client may send: method, headers, body.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let cookies: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        self.keep(&headers);
        Answer { status, headers, body: response.text().await.unwrap() }
    }

    /// The head of an answer that goes on.
    pub(crate) async fn head_of(&self, path: &str) -> Answer {
        let cookies: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.client.get(format!("{}{path}", self.url)).header("cookie", cookies.join("; "));
        let response = request.send().await.unwrap();
        Answer { status: response.status(), headers: response.headers().clone(), body: String::new() }
    }

    fn keep(&self, headers: &HeaderMap) {
        let mut cookies = self.cookies.lock().unwrap();
        for line in headers.get_all("set-cookie") {
            let (name, value) = line.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            cookies.retain(|(kept, _)| kept != name);
            if !value.is_empty() {
                cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().iter().find(|(kept, _)| kept == name).map(|(_, value)| value.clone())
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.lock().unwrap();
        cookies.retain(|(kept, _)| kept != name);
        cookies.push((name.to_owned(), value.to_owned()));
    }
}

/// Fields as a browser writes them.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let mut url = reqwest::Url::parse("http://form/").unwrap();
    url.query_pairs_mut().extend_pairs(fields);
    url.query().unwrap_or_default().to_owned()
}

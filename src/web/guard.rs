//! Before each route: is it this site that asks, who asks, may he? Denied by default; after it the headers of every answer.

use super::answer::Trouble;
use super::doors::{Need, Route};
use super::session::Visitor;
use super::{App, Inner, REQUEST, proxy};
use crate::domain::account::SessionStage;
use crate::domain::event::{Event, EventKind};
use crate::store::events;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

/// No script, style or picture but our own, no frame, no form to elsewhere, no HTML made by a script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'";
/// Referrer: `same-origin`, because with `no-referrer` browsers send `Origin: null` with our own forms.
const HEADERS: &[(&str, &str)] = &[
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    ("x-robots-tag", "noindex"),
];
/// What the page's script says when it asks by itself.
const REFRESH: &str = "x-refresh";
const HSTS: &str = "max-age=31536000; includeSubDomains";

/// Around everything, known route or not: the host is ours, and every answer has its headers.
pub(super) async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    let host_is_ours = app.is_our_host(request.headers());
    let is_machine = matches!(request.uri().path(), "/healthz" | "/readyz" | "/metrics");
    let mut response = if host_is_ours || is_machine {
        next.run(request).await
    } else {
        let text = format!("Diese Seite heißt {}; unter anderem Namen antwortet sie nicht.", app.origin);
        Trouble::Wrong(text).into_response()
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        let name = HeaderName::from_static(name);
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if app.origin.starts_with("https:") {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    response
}

/// Before one route.
pub(super) async fn guard(State((app, route)): State<(App, Route)>, mut request: Request, next: Next) -> Response {
    if let Err(refusal) = admit(&app, &route, &mut request).await {
        return refusal;
    }
    if route.streams {
        return next.run(request).await;
    }
    match tokio::time::timeout(REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Trouble::Ours(format!("{} took longer than {} s", route.path, REQUEST.as_secs())).into_response(),
    }
}

async fn admit(app: &App, route: &Route, request: &mut Request) -> Result<(), Response> {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && !app.is_own_request(request.headers()) {
        tracing::warn!(route = route.path, "a change was asked for by another site and refused");
        return Err(Trouble::Denied.into_response());
    }
    if route.need == Need::Machine {
        return if app.is_machine(request) { Ok(()) } else { Err(Trouble::Denied.into_response()) };
    }
    let uses = !route.streams && !request.headers().contains_key(REFRESH);
    let visitor = match app.visitor(request.headers(), uses).await {
        Ok(visitor) => visitor,
        // the way in must not depend on a session that cannot be read
        Err(error) if route.need != Need::Nobody => return Err(Trouble::from(error).into_response()),
        Err(_) => None,
    };
    match (route.need, visitor) {
        (Need::Nobody, visitor) => {
            if let Some(visitor) = visitor {
                request.extensions_mut().insert(visitor);
            }
            Ok(())
        }
        (Need::Half, Some(visitor)) => {
            request.extensions_mut().insert(visitor);
            Ok(())
        }
        (Need::May(right) | Need::Freshly(right), Some(visitor)) if visitor.session.stage == SessionStage::Full => {
            if !visitor.may(right) {
                app.note_denied(route, &visitor).await;
                return Err(Trouble::Denied.into_response());
            }
            let fresh = visitor.session.is_fresh(&app.settings.lifetimes(), app.desk.clock.now());
            if matches!(route.need, Need::Freshly(_)) && !fresh {
                let back = if changes { app.referring(request.headers()) } else { here(request) };
                return Err(to("/anmelden/bestaetigen", &back));
            }
            request.extensions_mut().insert(visitor);
            Ok(())
        }
        (_, Some(visitor)) if visitor.session.stage == SessionStage::Second => {
            Err(to("/anmelden/zweiter", &if changes { String::new() } else { here(request) }))
        }
        (_, Some(visitor)) if visitor.session.stage == SessionStage::Enrol => Err(to("/konto/zweiter", "")),
        _ if changes => Err(to("/anmelden", "")),
        _ => Err(to("/anmelden", &here(request))),
    }
}

/// To a page of the log-in, and from there back to where somebody wanted to go.
fn to(path: &str, back: &str) -> Response {
    let mut to = path.to_owned();
    if !back.is_empty() && back != "/" {
        to.push_str("?weiter=");
        to.extend(back.bytes().map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        }));
    }
    Redirect::to(&to).into_response()
}

fn here(request: &Request) -> String {
    request.uri().path_and_query().map(|path| path.as_str().to_owned()).unwrap_or_default()
}

/// The page a form stood on. A page that was the answer to a form cannot be fetched again: its part of the menu then.
fn referring(headers: &HeaderMap, origin: &str, pages: &[&str]) -> String {
    let from = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let path = from.and_then(|from| from.strip_prefix(origin)).filter(|path| path.starts_with('/')).unwrap_or("/");
    let is_page = |path: &str| pages.iter().any(|page| fits(page, path));
    if is_page(path.split(['?', '#']).next().unwrap_or_default()) {
        return path.to_owned();
    }
    let part = path.split(['/', '?', '#']).nth(1).map(|part| format!("/{part}"));
    part.filter(|part| is_page(part)).unwrap_or_else(|| "/".to_owned())
}

/// Whether a route's path ("/meldungen/{id}") leads to that page.
fn fits(route: &str, path: &str) -> bool {
    let (mut places, mut parts) = (route.split('/'), path.split('/'));
    loop {
        match (places.next(), parts.next()) {
            (None, None) => return true,
            (Some(place), Some(part)) if place == part || (place.starts_with('{') && !part.is_empty()) => {}
            _ => return false,
        }
    }
}

impl Inner {
    /// Whether this page asks, not another site's. `Sec-Fetch-Site` cannot be forged by a page, `Origin` neither; who sends
    /// neither is no browser that shows our forms (OWASP: cross-site request forgery).
    fn is_own_request(&self, headers: &HeaderMap) -> bool {
        let said = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
        match (said("sec-fetch-site"), said("origin")) {
            (Some(b"same-origin"), None | Some(b"null")) => true,
            (Some(b"same-origin") | None, Some(origin)) => origin == self.origin.as_bytes(),
            _ => false,
        }
    }

    fn referring(&self, headers: &HeaderMap) -> String {
        referring(headers, &self.origin, self.pages.get().map_or(&[], Vec::as_slice))
    }

    fn is_our_host(&self, headers: &HeaderMap) -> bool {
        let ours = self.origin.split_once("://").map_or("", |(_, host)| host);
        headers
            .get(header::HOST)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|host| host.eq_ignore_ascii_case(ours))
    }

    fn is_machine(&self, request: &Request) -> bool {
        if proxy::is_this_machine(self, request) {
            return true;
        }
        let Some(Ok(expected)) = self.settings.metrics_token.as_ref().map(crate::config::Secret::reveal) else {
            return false;
        };
        let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        bool::from(shown.as_bytes().ct_eq(expected.expose_secret().as_bytes()))
    }

    async fn note_denied(&self, route: &Route, visitor: &Visitor) {
        let event = Event::new(self.desk.clock.now(), EventKind::Access, format!("denied: {}", route.path));
        let noted = async {
            let mut tx = self.desk.store.begin().await?;
            events::append(&mut tx, &event.by(&visitor.account.name)).await?;
            tx.commit().await
        };
        if let Err(error) = noted.await {
            tracing::warn!(%error, "a refusal could not be noted");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_on_this_page() {
        let headers = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::REFERER, HeaderValue::from_static(value));
            headers
        };
        let origin = "https://wache.example";
        let back = |from| referring(&headers(from), origin, &["/", "/konten", "/meldungen/{id}"]);
        assert_eq!(back("https://wache.example/konten?x=1"), "/konten?x=1");
        assert_eq!(back("https://wache.example/meldungen/7"), "/meldungen/7");
        assert_eq!(back("https://wache.example.evil/konten"), "/");
        assert_eq!(back("https://evil.example/"), "/");
        assert_eq!(back("https://wache.example/konten/7/link"), "/konten", "that was the answer to a form");
        assert_eq!(back("https://wache.example/meldungen/7/hold"), "/");
    }
}

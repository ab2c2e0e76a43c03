//! Who is inside: the cookie, the session behind it, and the visitor that handlers get.

use super::answer::Trouble;
use super::{App, Inner};
use crate::domain::account::{Account, Right, Role, Session, SessionStage};
use crate::domain::event::{Event, EventKind};
use crate::runtime::lifecycle::Lifecycle;
use crate::store::{StoreError, Tx, accounts, events, sessions};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use chrono::TimeDelta;
use std::time::Duration;
use uuid::Uuid;

/// The session's cookie. The prefix binds it to this host and to a safe way (RFC 6265bis).
pub(super) const COOKIE: &str = "__Host-sitzung";
/// A session is noted as seen at most so often.
const SEEN_EVERY: TimeDelta = TimeDelta::minutes(1);
const TIDY_EVERY: Duration = Duration::from_hours(1);

/// Somebody who is inside.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) account: Account,
    pub(crate) session: Session,
}

impl Visitor {
    pub(crate) fn may(&self, right: Right) -> bool {
        self.account.role.may(right)
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Trouble> {
        // the guard of a route that needs a right put him there
        parts.extensions.get::<Self>().cloned().ok_or(Trouble::Denied)
    }
}

/// The value of one of our cookies.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// Sets one of our cookies for so many seconds; `None`: until the browser is closed.
pub(super) fn set_cookie(name: &str, value: &str, seconds: Option<i64>) -> HeaderValue {
    let age = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    HeaderValue::try_from(format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{age}"))
        .expect("our names and values are ASCII")
}

impl Inner {
    /// The living session of this request and its account. Where somebody `uses` it, notes now and then that it was seen;
    /// what an open page asks for by itself is no use.
    pub(super) async fn visitor(&self, headers: &HeaderMap, uses: bool) -> Result<Option<Visitor>, StoreError> {
        let Some(token) = cookie(headers, COOKIE) else { return Ok(None) };
        let now = self.desk.clock.now();
        let mut reader = self.desk.store.read().await?;
        let Some(session) = sessions::of_token(&mut reader, token).await? else { return Ok(None) };
        let Some(account) = accounts::find(&mut reader, session.account).await? else { return Ok(None) };
        drop(reader);
        if !self.may_enter(&account) || !session.lives(&self.settings.lifetimes(), now) {
            return Ok(None);
        }
        if uses && now - session.seen_at >= SEEN_EVERY {
            let mut tx = self.desk.store.begin().await?;
            sessions::seen(&mut tx, session.id, now).await?;
            tx.commit().await?;
        }
        Ok(Some(Visitor { account, session }))
    }

    /// Whether that account is let in at all. A technician who left the settings left the firm, or at least the watch.
    pub(super) fn may_enter(&self, account: &Account) -> bool {
        let gone = account.role == Role::Technician
            && account
                .technician
                .as_ref()
                .is_some_and(|name| !self.desk.settings.technicians.iter().any(|one| one.name == *name));
        account.disabled_at.is_none() && !gone
    }

    /// Begins a session for somebody who proved who he is, and gives the cookie. A session he came with ends: its number is
    /// never carried over (fixation).
    pub(super) async fn begin_session(
        &self,
        tx: &mut Tx,
        account: &Account,
        stage: SessionStage,
        headers: &HeaderMap,
        address: &str,
    ) -> Result<HeaderValue, Trouble> {
        let now = self.desk.clock.now();
        if let Some(old) = cookie(headers, COOKIE)
            && let Some(old) = sessions::of_token(tx.reading(), old).await?
        {
            sessions::end(tx, old.account, old.id).await?;
        }
        let browser = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let session = Session {
            id: Uuid::now_v7(),
            account: account.id,
            stage,
            created_at: now,
            seen_at: now,
            proved_at: now,
            browser: browser.chars().take(200).collect(),
            address: address.to_owned(),
        };
        let token = accounts::token()?;
        sessions::begin(tx, &session, &token).await?;
        let detail = format!("log-in, {}", stage.as_str());
        events::append(tx, &Event::new(now, EventKind::Access, detail).by(&account.name)).await?;
        Ok(set_cookie(COOKIE, &token, None))
    }
}

/// Takes away sessions that are over, now and then, until the service stops.
pub(super) async fn tidy(app: &App, lifecycle: &Lifecycle) {
    while lifecycle.unless_stopped(tokio::time::sleep(TIDY_EVERY)).await.is_some() {
        app.tries.tidy();
        let tidied = async {
            let mut tx = app.desk.store.begin().await?;
            sessions::tidy(&mut tx, app.settings.lifetimes().longest, app.desk.clock.now()).await?;
            tx.commit().await
        };
        if let Err(error) = tidied.await {
            tracing::warn!(%error, "old sessions could not be taken away");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; __Host-sitzung=abc; b=2"));
        assert_eq!(cookie(&headers, COOKIE), Some("abc"));
        assert_eq!(cookie(&headers, "sitzung"), None);
    }

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let (one, other) = (accounts::token().unwrap(), accounts::token().unwrap());
        assert_eq!(one.len(), 64);
        assert_ne!(one, other);
    }
}

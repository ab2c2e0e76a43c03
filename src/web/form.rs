//! A form's fields, each known: an unknown or repeated one is refused, and so is a body that is too long. And what stands in
//! an address.

use super::App;
use super::answer::Trouble;
use axum::body::to_bytes;
use axum::extract::{self, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The longest form, in bytes. A transcript of 20 minutes has 30,000; a rule file is the longest of all.
const LONGEST: usize = 512 * 1024;

/// The fields of a posted form. The type must say `deny_unknown_fields`.
pub(crate) struct Form<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Form<T> {
    type Rejection = Trouble;

    async fn from_request(request: Request, _: &App) -> Result<Self, Trouble> {
        let kind = request.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(Trouble::Wrong("Das ist kein Formular dieser Seite.".to_owned()));
        }
        let body = to_bytes(request.into_body(), LONGEST).await;
        let body = body.map_err(|_| Trouble::Wrong("Das Formular ist zu lang oder unvollständig.".to_owned()))?;
        serde_urlencoded::from_bytes(&body).map(Self).map_err(|_| Trouble::Wrong(NOT_OURS.to_owned()))
    }
}

/// What stands behind the question mark. The type must say `deny_unknown_fields`.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Trouble> {
        let text = parts.uri.query().unwrap_or_default();
        serde_urlencoded::from_str(text).map(Self).map_err(|_| Trouble::Wrong(NOT_OURS.to_owned()))
    }
}

/// What stands in the path. What cannot be read there names nothing.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Trouble> {
        let read = extract::Path::from_request_parts(parts, app).await;
        read.map(|extract::Path(value)| Self(value)).map_err(|_| Trouble::Missing)
    }
}

/// A form that is only a button.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

const NOT_OURS: &str =
    "Ein Feld fehlt, ist doppelt oder gehört nicht hierher. Laden Sie die Seite neu und versuchen Sie es noch einmal.";

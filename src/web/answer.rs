//! What is answered: a page, another page to go to, a file, or why not. A cause stays in the log; people get a sentence and
//! the number under which it stands there.

use super::frame::Frame;
use crate::store::StoreError;
use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use uuid::Uuid;

/// A handler's result.
pub(crate) type Page = Result<Response, Trouble>;

/// Why there is no page.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// There is nothing of that name (any more).
    Missing,
    /// The visitor may not; what is missing stays unsaid.
    Denied,
    /// What was sent makes no sense; the sentence says what to do.
    Wrong(String),
    /// It changed meanwhile, or was done already; the sentence says what is so now.
    Meanwhile(String),
    /// Too often; how many seconds to wait.
    TooOften(u64),
    /// It is our fault; the cause goes to the log.
    Ours(String),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Ours(error.to_string())
    }
}

impl From<askama::Error> for Trouble {
    fn from(error: askama::Error) -> Self {
        Self::Ours(error.to_string())
    }
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage {
    frame: Frame,
    title: &'static str,
    text: String,
    number: Option<String>,
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let mut wait = None;
        let mut number = None;
        let (status, title, text) = match self {
            Self::Missing => (
                StatusCode::NOT_FOUND,
                "Nicht gefunden",
                "Diese Seite gibt es nicht, oder sie wurde gelöscht.".to_owned(),
            ),
            Self::Denied => (
                StatusCode::FORBIDDEN,
                "Nicht erlaubt",
                "Dafür reicht Ihre Rolle nicht aus. Wenden Sie sich an die Verwaltung.".to_owned(),
            ),
            Self::Wrong(text) => (StatusCode::UNPROCESSABLE_ENTITY, "So geht es nicht", text),
            Self::Meanwhile(text) => (StatusCode::CONFLICT, "Inzwischen geändert", text),
            Self::TooOften(seconds) => {
                wait = Some(seconds);
                let text = format!("Zu viele Versuche. Bitte warten Sie {seconds} Sekunden.");
                (StatusCode::TOO_MANY_REQUESTS, "Bitte warten", text)
            }
            Self::Ours(error) => {
                let id = Uuid::new_v4().simple().to_string()[..8].to_owned();
                tracing::error!(request.id = %id, error, "a page could not be made");
                let text = "Das lag an uns, nicht an Ihnen. Es wurde nichts geändert; versuchen Sie es noch einmal."
                    .to_owned();
                number = Some(id);
                (StatusCode::INTERNAL_SERVER_ERROR, "Störung", text)
            }
        };
        let page = TroublePage { frame: Frame::bare(title), title, text, number };
        let mut response = match page.render() {
            Ok(html) => (status, Html(html)).into_response(),
            Err(_) => status.into_response(),
        };
        if let Some(seconds) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A template as a page.
pub(crate) fn page(template: &impl Template) -> Page {
    Ok(Html(template.render()?).into_response())
}

/// The same with another status: a form that is shown again with what is wrong.
pub(crate) fn page_with(status: StatusCode, template: &impl Template) -> Page {
    Ok((status, Html(template.render()?)).into_response())
}

/// After a change: the page that shows it (303, so that a reload changes nothing again).
#[expect(clippy::unnecessary_wraps, reason = "a handler ends with it")]
pub(crate) fn go(path: &str) -> Page {
    Ok(Redirect::to(path).into_response())
}

/// Something to keep, never shown by the browser itself. `name` is of our own making: letters, digits, `-` and `.` only.
pub(crate) fn download(name: &str, kind: &'static str, body: Vec<u8>) -> Page {
    debug_assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)), "{name}");
    let as_file = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
    let as_file = as_file.map_err(|error| Trouble::Ours(error.to_string()))?;
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CONTENT_DISPOSITION, as_file)];
    Ok((headers, body).into_response())
}

pub(super) async fn no_such_page() -> Trouble {
    Trouble::Missing
}

pub(super) async fn no_such_method() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, Trouble::Missing).into_response()
}

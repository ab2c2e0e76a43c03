//! What is answered: problems as RFC 9457, and one line in the log for each request, without a word of the caller.

use super::OPENAPI;
use crate::domain::report::ReportId;
use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::time::Instant;

/// Every route with its method and every status it answers; docs/openapi.json says the same.
pub const ROUTES: &[(&str, &str, &[u16])] = &[
    ("post", "/api/v1/voicemails", &[200, 201, 400, 401, 408, 409, 413, 415, 429, 503]),
    ("get", "/api/v1/voicemails/{report}", &[200, 401, 404, 503]),
    ("post", "/api/v1/twilio/{source}", &[200, 204, 400, 403, 404, 408, 413, 429, 503]),
    ("get", "/api/v1/health", &[200]),
    ("get", "/api/v1/openapi.json", &[200]),
];

/// Why a request was not done.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
    field: Option<&'static str>,
    report: Option<ReportId>,
    wait_s: Option<u32>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), field: None, report: None, wait_s: None }
    }

    /// A field that cannot be used; its value is not quoted.
    pub(super) fn field(field: &'static str, detail: &str) -> Self {
        Self { field: Some(field), ..Self::new(StatusCode::BAD_REQUEST, format!("{field}: {detail}")) }
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "send the source's token as \"Authorization: Bearer ...\"")
    }

    pub(super) fn slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "the body came too slowly; nothing was stored, send it again")
    }

    pub(super) fn broken_off() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "the body broke off; nothing was stored, send it again")
    }

    pub(super) fn too_many() -> Self {
        let detail = "too many messages of this source at once; send it again in a moment";
        Self { wait_s: Some(2), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    pub(super) fn too_large(detail: &str) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.status == StatusCode::PAYLOAD_TOO_LARGE
    }

    /// Not stored; the cause stands in the log, not here.
    pub(super) fn not_stored() -> Self {
        let detail = "the message could not be stored; keep it and send it again";
        Self { wait_s: Some(30), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    pub(super) fn not_fetched() -> Self {
        let detail = "the recording could not be fetched yet; it is tried again";
        Self { wait_s: Some(30), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    /// Names the report that was made all the same.
    pub(super) fn about(self, report: ReportId) -> Self {
        Self { report: Some(report), ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Problem"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Some(field) = self.field {
            body["field"] = Value::from(field);
        }
        if let Some(report) = self.report {
            body["report"] = Value::from(report.to_string());
        }
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"nachtwache\""));
        }
        if let Some(wait_s) = self.wait_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait_s));
        }
        response
    }
}

/// Which source a request was from, for the log.
#[derive(Clone)]
pub(super) struct From(pub(super) String);

/// The answer to a request of this source.
pub(super) fn from(source: &str, answer: Result<Response, Problem>) -> Response {
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    response.extensions_mut().insert(From(source.to_owned()));
    response
}

pub(super) async fn health() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

pub(super) async fn no_such_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing here; GET /api/v1/openapi.json says what there is")
}

pub(super) async fn no_such_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "not by this method; see the header Allow")
}

/// One line for each request: never its address or headers, they hold numbers and tokens.
pub(super) async fn logged(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let (method, route) = (request.method().clone(), route(request.uri().path()));
    let mut response = next.run(request).await;
    let id = uuid::Uuid::new_v4().simple().to_string();
    let source = response.extensions().get::<From>().map_or("-", |from| from.0.as_str()).to_owned();
    let (status, duration_ms) = (response.status().as_u16(), started.elapsed().as_millis());
    if response.status().is_server_error() {
        tracing::error!(request.id = %id, %method, route, status, %source, duration_ms, "a request failed");
    } else if response.status().is_client_error() && source != "-" {
        tracing::warn!(request.id = %id, %method, route, status, %source, duration_ms, "a message was refused");
    } else if route != "/api/v1/health" || method != Method::GET {
        tracing::info!(request.id = %id, %method, route, status, %source, duration_ms, "a request was answered");
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    response
}

/// The route that serves a path; a path itself may hold anything.
fn route(path: &str) -> &'static str {
    let serves = |route: &&'static str| match route.split_once('{') {
        Some((start, _)) => path.strip_prefix(start).is_some_and(|rest| !rest.contains('/')),
        None => path == *route,
    };
    ROUTES.iter().map(|(_, route, _)| *route).find(serves).unwrap_or("-")
}

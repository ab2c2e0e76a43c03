//! The table of routes. A route that names no right cannot be added, so none can be forgotten; tests walk the table.

use super::{App, answer, guard};
use crate::domain::account::Right;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::MethodRouter;
use axum::{Router, middleware, routing};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Anybody: the log-in, its pictures, the sign of life.
    Nobody,
    /// Whoever has begun to log in: a second factor is missing.
    Half,
    /// Whoever is inside and may do that.
    May(Right),
    /// The same, and proved within the last minutes who he is.
    Freshly(Right),
    /// This machine, or whoever shows `web.metrics_token`.
    Machine,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// GET or POST.
    pub method: Method,
    /// As the router has it, "/meldungen/{id}".
    pub path: &'static str,
    /// Who may use it.
    pub need: Need,
    /// It goes on until its reader ends it.
    pub streams: bool,
}

/// All routes, and the guard before each.
pub struct Doors {
    app: App,
    inner: Router<App>,
    pub(super) table: Vec<Route>,
}

impl Doors {
    pub(super) fn new(app: App) -> Self {
        Self { app, inner: Router::new(), table: Vec::new() }
    }

    /// A page. It changes nothing.
    #[must_use]
    pub fn get<H: Handler<T, App>, T: 'static>(self, path: &'static str, need: Need, handler: H) -> Self {
        self.add(Route { method: Method::GET, path, need, streams: false }, routing::get(handler))
    }

    /// A stream that goes on until its reader ends it.
    #[must_use]
    pub fn stream<H: Handler<T, App>, T: 'static>(self, path: &'static str, need: Need, handler: H) -> Self {
        self.add(Route { method: Method::GET, path, need, streams: true }, routing::get(handler))
    }

    /// A change. Only the page itself may ask for it, never another site.
    #[must_use]
    pub fn post<H: Handler<T, App>, T: 'static>(self, path: &'static str, need: Need, handler: H) -> Self {
        self.add(Route { method: Method::POST, path, need, streams: false }, routing::post(handler))
    }

    fn add(mut self, route: Route, methods: MethodRouter<App>) -> Self {
        let before = middleware::from_fn_with_state((self.app.clone(), route.clone()), guard::guard);
        self.inner = self.inner.route(route.path, methods.route_layer(before));
        self.table.push(route);
        self
    }

    pub(super) fn router(self, app: &App) -> Router {
        let pages = self.table.iter().filter(|route| route.method == Method::GET).map(|route| route.path);
        // made once; where the page is served anew, they are the same
        app.pages.get_or_init(|| pages.collect());
        self.inner
            .fallback(answer::no_such_page)
            .method_not_allowed_fallback(answer::no_such_method)
            .layer(middleware::from_fn_with_state(app.clone(), guard::around))
            .with_state(app.clone())
    }
}

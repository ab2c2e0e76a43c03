//! Pages that change by themselves: a browser that listens at `/live` hears that something happened, and fetches anew the
//! parts of its page that are marked `data-live`. What happened is not said here: each page shows what its visitor may see.

use super::answer::Page;
use super::doors::{Doors, Need};
use super::session::Visitor;
use super::{App, Inner};
use crate::domain::account::Right;
use crate::runtime::lifecycle::Lifecycle;
use crate::store::{StoreError, events};
use axum::extract::State;
use axum::response::IntoResponse as _;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;

/// How often it is looked, while anybody listens.
const LOOK: Duration = Duration::from_secs(1);
/// A proxy ends a connection on which nothing comes.
const ALIVE: Duration = Duration::from_secs(15);
/// A listener comes back after so long, and shows anew who he is.
const LONGEST: Duration = Duration::from_mins(10);

/// The last thing that happened, for all who listen.
pub(crate) struct Live(watch::Sender<String>);

impl Default for Live {
    fn default() -> Self {
        Self(watch::Sender::new(String::new()))
    }
}

impl Live {
    /// Looks until the service stops.
    pub(super) async fn watch(&self, app: &Inner, lifecycle: &Lifecycle) {
        while lifecycle.unless_stopped(tokio::time::sleep(LOOK)).await.is_some() {
            if self.0.receiver_count() == 0 {
                continue;
            }
            match newest(app).await {
                Ok(newest) => {
                    self.0.send_if_modified(|known| {
                        let changed = *known != newest;
                        *known = newest;
                        changed
                    });
                }
                Err(error) => tracing::warn!(%error, "the page could not look for news"),
            }
        }
        // whoever listens is let go, so that the connections can end
        self.0.send_replace(STOPPED.to_owned());
    }
}

/// No event's id.
const STOPPED: &str = "stopped";

async fn newest(app: &Inner) -> Result<String, StoreError> {
    let mut reader = app.desk.store.read().await?;
    Ok(events::newest(&mut reader).await?.unwrap_or_default())
}

pub(super) fn routes(doors: Doors) -> Doors {
    doors.stream("/live", Need::May(Right::Read), live)
}

async fn live(State(app): State<App>, _: Visitor) -> Page {
    let told = told(app.live.0.subscribe());
    let alive = KeepAlive::new().interval(ALIVE);
    Ok((([("x-accel-buffering", "no")]), Sse::new(told).keep_alive(alive)).into_response())
}

fn told(news: watch::Receiver<String>) -> impl Stream<Item = Result<Event, Infallible>> {
    let until = tokio::time::Instant::now() + LONGEST;
    let first = Event::default().retry(Duration::from_secs(3)).comment("listening");
    futures::stream::unfold((news, Some(first)), move |(mut news, first)| async move {
        if let Some(first) = first {
            return Some((Ok(first), (news, None)));
        }
        match tokio::time::timeout_at(until, news.changed()).await {
            Ok(Ok(())) if *news.borrow_and_update() != STOPPED => {
                // without data a browser tells nobody (HTML, server-sent events)
                Some((Ok(Event::default().event("news").data("-")), (news, None)))
            }
            _ => None,
        }
    })
}

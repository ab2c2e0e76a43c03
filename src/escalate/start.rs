//! "I am awake": told at each start, with how long the service was off; told once, loudly, where it starts again and again.

use crate::config::Settings;
use crate::domain::notice::NoticeKind;
use crate::roster::Roster;
use crate::store::notices::Plan;
use crate::store::{Store, StoreError, notices, people, watch};
use crate::wording::{self, watch::Started};
use chrono::{DateTime, TimeDelta, Utc};

/// More starts than this within `WITHIN` are told as trouble.
const STARTS: usize = 3;
const WITHIN: TimeDelta = TimeDelta::minutes(10);

/// Tells the office (or whoever is on duty) that the service started at `now`.
///
/// # Errors
/// Where the store refused.
pub async fn tell_start(
    store: &Store,
    settings: &Settings,
    roster: &Roster,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut reader = store.read().await?;
    let alive = watch::last_alive(&mut reader).await?;
    let duty = roster.at(&mut reader, now).await?;
    drop(reader);
    let mut tx = store.begin().await?;
    let starts = watch::started(&mut tx, now, now - WITHIN).await?;
    // from now on it lives: a start that does not come far counts as well
    watch::alive(&mut tx, now).await?;
    if starts == STARTS + 1 {
        let body = Some(wording::watch::restarts(starts, WITHIN.num_minutes()));
        let plan = Plan { loud: true, body, ..Plan::new(NoticeKind::Message, "", 0) };
        for one in &duty.recipients(&["office", "duty"]) {
            people::by_all(&mut tx, one, &plan, now).await?;
        }
    } else if starts <= STARTS {
        let sources: Vec<String> = settings.sources.iter().map(|row| row.name().to_owned()).collect();
        let channels: Vec<String> = settings.channels.iter().map(|row| row.name().to_owned()).collect();
        let text = wording::watch::started(&Started {
            at: now,
            off: alive.map(|alive| now - alive),
            duty: duty.order(),
            sources: &sources,
            channels: &channels,
            zone: settings.business_hours().zone,
        });
        for (name, chat) in duty.recipients(&["office"]).iter().filter_map(|one| Some((&one.name, one.chat?))) {
            let plan = Plan { body: Some(text.clone()), ..Plan::new(NoticeKind::Message, name, chat) };
            notices::plan(&mut tx, &plan, now).await?;
        }
    }
    tx.commit().await
}

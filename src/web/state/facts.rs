//! What is known of the service, read once for the page and for the figures.

use crate::config::WatchRow;
use crate::domain::case::CaseState;
use crate::domain::report::Stage;
use crate::review::{requests, retention};
use crate::runtime::status::Entry;
use crate::store::drills::Drill;
use crate::store::paths::Path as Way;
use crate::store::troubles::Standing;
use crate::store::watched::Watched;
use crate::store::{Reader, StoreError, cases, drills, hearings, notices, paths, reports, troubles, watch, watched};
use crate::web::App;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How far gaps of the roster are looked for.
const AHEAD: TimeDelta = TimeDelta::days(14);
/// A loud notice may be on its way for so long.
const UNDELIVERED: TimeDelta = TimeDelta::minutes(3);

/// Space on a disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Disk {
    pub(super) free: u64,
    pub(super) total: u64,
}

/// Reports that wait in a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Queue {
    pub(super) stage: Stage,
    pub(super) waiting: i64,
    /// Since when the oldest of them.
    pub(super) oldest: Option<DateTime<Utc>>,
    /// More than should, or for too long.
    pub(super) behind: bool,
}

/// How the second hearing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Second {
    pub(super) model: String,
    /// `None` = the file is not there.
    pub(super) size: Option<u64>,
    pub(super) waiting: i64,
    pub(super) failed: i64,
}

impl Second {
    async fn of(reader: &mut Reader, model: Option<&PathBuf>, now: DateTime<Utc>) -> Result<Option<Self>, StoreError> {
        let Some(model) = model else { return Ok(None) };
        let (waiting, failed) = hearings::state(reader, now - TimeDelta::days(1)).await?;
        Ok(Some(Self { model: file_name(model), size: size(model), waiting, failed }))
    }
}

/// The daily proof that a message arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Drilled {
    /// There is none, by the settings.
    Off,
    /// There was none yet.
    Never,
    /// The newest one.
    Last(Drill),
}

impl Drilled {
    async fn of(reader: &mut Reader, enabled: bool) -> Result<Self, StoreError> {
        if !enabled {
            return Ok(Self::Off);
        }
        Ok(drills::last(reader).await?.map_or(Self::Never, Self::Last))
    }
}

/// What is known now.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) now: DateTime<Utc>,
    /// Each worker's last word.
    pub(super) workers: BTreeMap<String, Entry>,
    /// The mailboxes of the settings; `None` = never looked at yet.
    pub(super) sources: Vec<(String, Option<Watched>)>,
    /// The ways to people; `None` = never tried yet.
    pub(super) ways: Vec<(String, Option<Way>)>,
    pub(super) troubles: Vec<Standing>,
    /// The speech model's file name and size; `None` = it is not there.
    pub(super) model: (String, Option<u64>),
    /// The larger model, where there is one: its file name and size, how many reports wait for it, how many of the last day it
    /// gave up.
    pub(super) second: Option<Second>,
    /// Of the store's folder.
    pub(super) disk: Option<Disk>,
    /// The database's size in bytes.
    pub(super) database: u64,
    pub(super) queues: Vec<Queue>,
    /// Notices to be sent or changed.
    pub(super) notices: i64,
    /// Loud ones that have reached nobody for long.
    pub(super) undelivered: i64,
    /// Cases that nobody has, and that somebody has.
    pub(super) open: usize,
    pub(super) taken: usize,
    pub(super) drill: Drilled,
    /// Whether a sign of life is to go out.
    pub(super) heartbeat: bool,
    /// Whether anybody at all can be told something.
    pub(super) anybody: bool,
    pub(super) gaps: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// What is wrong with calendars, in English.
    pub(super) calendars: Vec<String>,
    pub(super) keep_for_ever: bool,
    /// When it was last looked for what is to be deleted.
    pub(super) looked_at: Option<DateTime<Utc>>,
    /// Reports that are held by hand.
    pub(super) held: usize,
}

impl Facts {
    /// Reads them.
    pub(super) async fn of(app: &App) -> Result<Self, StoreError> {
        let (desk, settings) = (&app.desk, &app.desk.settings);
        let now = desk.clock.now();
        let mut reader = desk.store.read().await?;
        let known = watched::all(&mut reader).await?;
        let seen = |name: &str| known.iter().find(|(source, _)| source == name).map(|(_, watched)| watched.clone());
        let names: Vec<String> = settings.sources.iter().map(|row| row.name().to_owned()).collect();
        let mut standing = troubles::standing(&mut reader).await?;
        standing.retain(|one| names.contains(&one.source));
        let known_ways = paths::all(&mut reader).await?;
        let channels = settings.channels.iter().map(|channel| channel.name().to_owned());
        let way = |name: String| {
            let found = known_ways.iter().find(|path| path.name == name).cloned();
            (name, found)
        };
        let unclosed = cases::unclosed(&mut reader).await?;
        let open = unclosed.iter().filter(|case| case.state == CaseState::Open).count();
        let plan = desk.roster.plan(&mut reader, now).await?;
        let everybody = desk.roster.at(&mut reader, now).await?.recipients(&["everyone", "office"]);
        let complaints = desk.roster.complaints(&mut reader, now).await?;
        let model = &settings.transcribe.model;
        let facts = Self {
            now,
            workers: app.status.board(),
            sources: names.into_iter().map(|name| (name.clone(), seen(&name))).collect(),
            ways: std::iter::once(paths::TELEGRAM.to_owned()).chain(channels).map(way).collect(),
            troubles: standing,
            model: (file_name(model), size(model)),
            second: Second::of(&mut reader, settings.transcribe.confirm_model.as_ref(), now).await?,
            disk: disk(&settings.store.folder),
            database: desk.store.size().await?,
            queues: queues(&mut reader, &settings.watch, now).await?,
            notices: notices::pending(&mut reader).await?,
            undelivered: watch::undelivered(&mut reader, now - UNDELIVERED).await?,
            open,
            taken: unclosed.len() - open,
            drill: Drilled::of(&mut reader, settings.drill.enabled).await?,
            heartbeat: settings.heartbeat.is_some(),
            anybody: !everybody.is_empty(),
            gaps: plan.gaps(now, now + AHEAD).into_iter().map(|gap| (gap.from, gap.until)).collect(),
            calendars: complaints.iter().map(ToString::to_string).collect(),
            keep_for_ever: settings.retention.keep_for_ever,
            looked_at: None,
            held: 0,
        };
        drop(reader);
        let looked_at = retention::looked_at(&desk.store).await?;
        let held = requests::holds(&desk.store).await?.iter().filter(|hold| hold.holds(now)).count();
        Ok(Self { looked_at, held, ..facts })
    }
}

async fn queues(reader: &mut Reader, watch: &WatchRow, now: DateTime<Utc>) -> Result<Vec<Queue>, StoreError> {
    let mut all = Vec::new();
    for stage in [Stage::Transcribe, Stage::Assess] {
        let (waiting, oldest) = reports::waiting(reader, stage).await?;
        all.push(Queue { stage, waiting, oldest, behind: watch.is_behind(waiting, oldest, now) });
    }
    Ok(all)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn size(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|about| about.len())
}

/// Of the folder, or where it will be made.
fn disk(folder: &Path) -> Option<Disk> {
    let there = folder.ancestors().find(|path| path.exists())?;
    let about = rustix::fs::statvfs(there).ok()?;
    Some(Disk { free: about.f_bavail * about.f_frsize, total: about.f_blocks * about.f_frsize })
}

//! Changed rules on trial: a rule file is pasted or edited, checked, and laid over everything in the store; what would be
//! judged otherwise is shown before anything is saved. One trial at a time. The running service judges by the rules it
//! started with: what is saved counts after the next start.

use super::answer::{Page, Trouble, download, go, page, page_with};
use super::doors::{Doors, Need};
use super::form::{Form, Nothing, Query};
use super::frame::Frame;
use super::session::Visitor;
use super::{App, Inner};
use crate::assess::replay::{self, Replay};
use crate::assess::rule_files;
use crate::assess::rules::Rules;
use crate::domain::account::Right;
use crate::domain::event::{Event, EventKind};
use crate::runtime::lifecycle::Lifecycle;
use crate::store::events;
use crate::wording::verdict;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// So many changed judgements are listed.
const SHOWN: usize = 200;

pub(super) fn routes(doors: Doors) -> Doors {
    doors
        .get("/regeln/aendern", Need::May(Right::Legislate), show)
        .post("/regeln/aendern", Need::May(Right::Legislate), check)
        .post("/regeln/aendern/speichern", Need::Freshly(Right::Legislate), save)
}

/// The one trial, and who waits for it.
#[derive(Default)]
pub(crate) struct Trials {
    kept: Mutex<Option<Trial>>,
    wanted: Notify,
}

struct Trial {
    name: String,
    text: String,
    /// Taken by the task that replays.
    rules: Option<Rules>,
    state: Condition,
}

enum Condition {
    Running(usize),
    Done(Replay),
    Failed,
}

struct Flip {
    report: String,
    before: &'static str,
    after: &'static str,
    gone: Vec<String>,
    new: Vec<String>,
}

/// A trial as it is shown.
struct Shown {
    running: bool,
    failed: bool,
    done: usize,
    flips: usize,
    list: Vec<Flip>,
}

#[derive(Template)]
#[template(path = "trial.html")]
struct TrialPage {
    frame: Frame,
    folder: bool,
    names: Vec<String>,
    name: String,
    text: String,
    wrong: Vec<String>,
    saved: bool,
    trial: Option<Shown>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    datei: Option<String>,
    gesichert: Option<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    name: String,
    text: String,
}

async fn show(State(app): State<App>, visitor: Visitor, Query(asked): Query<Asked>) -> Page {
    let mut shown = trial_page(&app, &visitor)?;
    shown.saved = asked.gesichert.is_some();
    if let Some(name) = asked.datei {
        let own = own_files(&app)?;
        let (name, text) = own.into_iter().find(|(known, _)| *known == name).ok_or(Trouble::Missing)?;
        shown = TrialPage { name, text, trial: None, ..shown };
    }
    page(&shown)
}

async fn check(State(app): State<App>, visitor: Visitor, Form(sent): Form<Sent>) -> Page {
    let wrong = match on_trial(&app, &sent)? {
        Ok(rules) => {
            let mut kept = app.trials.lock();
            if kept.as_ref().is_some_and(|trial| matches!(trial.state, Condition::Running(_))) {
                return Err(Trouble::Meanwhile(
                    "Es läuft schon eine Probe. Warten Sie, bis sie fertig ist.".to_owned(),
                ));
            }
            *kept = Some(Trial { name: sent.name, text: sent.text, rules: Some(rules), state: Condition::Running(0) });
            drop(kept);
            app.trials.wanted.notify_one();
            return go("/regeln/aendern");
        }
        Err(wrong) => wrong,
    };
    let shown = trial_page(&app, &visitor)?;
    let shown = TrialPage { name: sent.name, text: sent.text, wrong, trial: None, ..shown };
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
}

/// Only what was tried to the end is saved.
async fn save(State(app): State<App>, visitor: Visitor, Form(Nothing {}): Form<Nothing>) -> Page {
    let tried =
        app.trials.lock().as_ref().and_then(|trial| {
            matches!(trial.state, Condition::Done(_)).then(|| (trial.name.clone(), trial.text.clone()))
        });
    let Some((name, text)) = tried else {
        return Err(Trouble::Meanwhile("Prüfen Sie die Regeln zuerst, dann können sie gesichert werden.".to_owned()));
    };
    let Some(folder) = &app.desk.settings.assess.rules else {
        return download(&name, "application/toml; charset=utf-8", text.into_bytes());
    };
    if !folder.is_dir() {
        return Err(Trouble::Wrong(
            "assess.rules nennt keinen Ordner, sondern eine Datei. Ändern Sie sie von Hand.".to_owned(),
        ));
    }
    write_whole(folder, &name, &text).map_err(|error| Trouble::Ours(format!("{}: {error}", folder.display())))?;
    let event = Event::new(app.desk.clock.now(), EventKind::Rules, format!("saved {name}"));
    let mut tx = app.desk.store.begin().await?;
    events::append(&mut tx, &event.by(visitor.account.acts_as())).await?;
    tx.commit().await?;
    *app.trials.lock() = None;
    go("/regeln/aendern?gesichert=1")
}

/// The rules with this file laid over them, or what is wrong with it.
fn on_trial(app: &App, sent: &Sent) -> Result<Result<Rules, Vec<String>>, Trouble> {
    let fits = |name: &str| {
        name.len() <= 60
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
    };
    if !sent.name.strip_suffix(".toml").is_some_and(|stem| !stem.is_empty() && fits(stem)) {
        let name = "Der Name besteht aus kleinen Buchstaben, Ziffern und Strichen und endet auf .toml.";
        return Ok(Err(vec![name.to_owned()]));
    }
    let mut files = own_files(app)?;
    files.retain(|(name, _)| *name != sent.name);
    files.push((sent.name.clone(), sent.text.replace("\r\n", "\n")));
    files.sort();
    Ok(match Rules::with(&files) {
        Err(error) => Err(vec![error.to_string()]),
        Ok(rules) => {
            let wrong: Vec<String> =
                rules.check().into_iter().map(|one| format!("{}: {}: {}", one.file, one.concept, one.what)).collect();
            if wrong.is_empty() { Ok(rules) } else { Err(wrong) }
        }
    })
}

/// The firm's own files; none where no folder is named or it is empty.
fn own_files(app: &App) -> Result<Vec<(String, String)>, Trouble> {
    let Some(folder) = &app.desk.settings.assess.rules else { return Ok(Vec::new()) };
    match rule_files(folder) {
        Ok(files) => Ok(files),
        Err(crate::assess::rules::RulesError::Empty { .. }) => Ok(Vec::new()),
        Err(error) => Err(Trouble::Ours(error.to_string())),
    }
}

fn trial_page(app: &App, visitor: &Visitor) -> Result<TrialPage, Trouble> {
    let names = own_files(app)?.into_iter().map(|(name, _)| name).collect();
    let kept = app.trials.lock();
    let (name, text) = kept.as_ref().map_or_else(Default::default, |trial| (trial.name.clone(), trial.text.clone()));
    Ok(TrialPage {
        frame: Frame::of(visitor, "/regeln", "Regeln ändern"),
        folder: app.desk.settings.assess.rules.is_some(),
        names,
        name,
        text,
        wrong: Vec::new(),
        saved: false,
        trial: kept.as_ref().map(shown),
    })
}

fn shown(trial: &Trial) -> Shown {
    let empty = Shown { running: false, failed: false, done: 0, flips: 0, list: Vec::new() };
    match &trial.state {
        Condition::Running(done) => Shown { running: true, done: *done, ..empty },
        Condition::Failed => Shown { failed: true, ..empty },
        Condition::Done(replay) => {
            let quotes =
                |list: &[crate::domain::assessment::Finding]| list.iter().map(|one| one.quote.clone()).collect();
            let flip = |one: &replay::Flip| Flip {
                report: one.report.to_string(),
                before: verdict(one.before.0),
                after: verdict(one.after.0),
                gone: quotes(&one.gone),
                new: quotes(&one.new),
            };
            let list = replay.flips.iter().take(SHOWN).map(flip).collect();
            Shown { done: replay.n, flips: replay.flips.len(), list, ..empty }
        }
    }
}

/// Whole or not at all: written beside, made durable, then named.
fn write_whole(folder: &Path, name: &str, text: &str) -> std::io::Result<()> {
    let beside = folder.join(format!(".{name}.new"));
    let mut file = fs::File::create(&beside)?;
    file.write_all(text.replace("\r\n", "\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, folder.join(name))?;
    fs::File::open(folder)?.sync_all()
}

impl Trials {
    fn lock(&self) -> MutexGuard<'_, Option<Trial>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, state: Condition) {
        if let Some(trial) = self.lock().as_mut() {
            trial.state = state;
        }
    }
}

/// Replays what is put on trial, until the service stops.
pub(super) async fn work(app: App, lifecycle: Lifecycle) {
    while lifecycle.unless_stopped(app.trials.wanted.notified()).await.is_some() {
        let rules = app.trials.lock().as_mut().and_then(|trial| trial.rules.take());
        let Some(rules) = rules else { continue };
        if !Lifecycle::ends_well("web.trials", app.replay(&rules)).await {
            app.trials.put(Condition::Failed);
        }
    }
}

impl Inner {
    async fn replay(&self, rules: &Rules) {
        let told = |done| self.trials.put(Condition::Running(done));
        match replay::replay(&self.desk.store, &self.desk.settings, rules, told).await {
            Ok(replay) => self.trials.put(Condition::Done(replay)),
            Err(error) => {
                tracing::error!(%error, "rules on trial could not be replayed");
                self.trials.put(Condition::Failed);
            }
        }
    }
}

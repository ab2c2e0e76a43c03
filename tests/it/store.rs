//! One suite, two databases: every promise of the store on SQLite and on PostgreSQL. Covers F-05 (settings read back),
//! F-13 (a foreign lock), F-16, and the worker's leases.

use crate::postgres;
use chrono::{DateTime, Utc};
use nachtwache::domain::account::{Account, Role, Session, SessionStage};
use nachtwache::domain::assessment::Verdict;
use nachtwache::domain::case::{CaseState, Offer, Reason};
use nachtwache::domain::drill::Reached;
use nachtwache::domain::event::{Event, EventKind};
use nachtwache::domain::notice::{Delivery, NoticeKind};
use nachtwache::domain::report::{Caller, DRILL, Mail, Medium, Recording, Report, ReportId, Stage};
use nachtwache::domain::roster::{Change, ChangeKind};
use nachtwache::domain::tariff::Cents;
use nachtwache::store::charges::{Basis, Charge};
use nachtwache::store::joins::Why;
use nachtwache::store::notices::{Plan, Tried};
use nachtwache::store::receipts::State;
use nachtwache::store::roster::{ChangeState, Feed};
use nachtwache::store::watched::Watched;
use nachtwache::store::workers::Beat;
use nachtwache::store::{
    Claim, Store, StoreError, accounts, cases, charges, deliveries, drills, events, factors, holds, joins, mails,
    marks, memory, notes, notices, reactions, ready, receipts, reports, roster, sessions, sightings, troubles, watch,
    watched, workers,
};
use sqlx::{Connection as _, Executor as _};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Base {
    pub(crate) store: Store,
    _folder: tempfile::TempDir,
}

pub(crate) async fn sqlite() -> Base {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/a.db", folder.path().display());
    Base { store: Store::open(&url, &folder.path().join("sound")).await.unwrap(), _folder: folder }
}

pub(crate) async fn postgresql() -> Base {
    let folder = tempfile::tempdir().unwrap();
    Base { store: Store::open(&postgres::url(), &folder.path().join("sound")).await.unwrap(), _folder: folder }
}

/// Each of these runs once on each database.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite { $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)] async fn $name() { super::$name($crate::store::sqlite().await).await; })+ }
        mod on_postgresql { $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)] async fn $name() { super::$name($crate::store::postgresql().await).await; })+ }
    };
}

pub(crate) use on_both;

on_both!(
    a_report_comes_back_as_it_was_stored,
    the_same_arrival_is_stored_once,
    two_hundred_reports_and_eight_workers_each_exactly_once,
    the_night_goes_first_then_the_short_and_a_long_one_of_the_day_has_its_turn,
    a_lease_that_ran_out_is_handed_on_and_the_first_worker_can_no_longer_finish,
    what_is_not_committed_did_not_happen,
    an_unheard_report_is_taken_once,
    a_case_is_opened_rung_and_taken,
    a_ring_that_lost_its_case_writes_nothing,
    a_notice_is_journaled_and_stays_due_when_its_case_changed_meanwhile,
    a_chat_that_asked_to_wait_is_left_alone,
    a_trouble_is_told_once_as_long_as_it_lasts,
    marks_and_beats_are_replaced,
    every_other_statement_is_understood,
    other_ways_begin_unless_somebody_answers,
    a_message_seen_once_more_is_known_under_both_keys,
    a_written_report_comes_back_as_it_was_stored,
    what_a_source_remembers_and_how_it_is_outlives_it,
    a_report_joins_a_case_and_leaves_it_again,
    a_receipt_is_planned_once_a_day_and_sent_once,
    a_change_of_the_roster_counts_until_it_is_taken_back,
    a_calendar_that_fails_keeps_the_last_good_one,
    the_watch_of_the_watch_is_understood,
    codes_count_once_and_sessions_end,
);

pub(crate) fn t(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000 + seconds, 0).unwrap()
}

fn claim(seconds: i64) -> Claim {
    Claim { now: t(seconds), lease: Duration::from_mins(1) }
}

pub(crate) fn report(key: &str) -> Report {
    Report {
        id: ReportId::fresh(),
        source: "spool".into(),
        key: key.into(),
        mailbox: Some("100".into()),
        caller: Caller { number: Some("01701234567".into()), name: Some("Jörg \"Müller\"".into()) },
        called_at: t(-30),
        stored_at: t(0),
        recording: Some(Recording { file: "x.wav".into(), sha256: "ab".into(), bytes: 7, name: "msg0000.wav".into() }),
        trouble: None,
        medium: Medium::Voicemail,
        longest_s: None,
        stage: Stage::Transcribe,
    }
}

async fn stored(base: &Base, key: &str) -> ReportId {
    let report = report(key);
    let mut tx = base.store.begin().await.unwrap();
    assert!(reports::insert(&mut tx, &report, None, t(0), Some(t(90))).await.unwrap());
    tx.commit().await.unwrap();
    report.id
}

async fn a_report_comes_back_as_it_was_stored(base: Base) {
    let mut odd = report("k");
    odd.caller = Caller::default();
    odd.recording = None;
    odd.trouble = Some("too large".into());
    for report in [report("a"), odd] {
        let mut tx = base.store.begin().await.unwrap();
        reports::insert(&mut tx, &report, None, t(0), None).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(reports::find(&mut base.store.read().await.unwrap(), report.id).await.unwrap(), report);
    }
}

async fn the_same_arrival_is_stored_once(base: Base) {
    stored(&base, "k").await;
    let mut tx = base.store.begin().await.unwrap();
    assert!(!reports::insert(&mut tx, &report("k"), None, t(5), None).await.unwrap());
    assert!(reports::insert(&mut tx, &report("other"), None, t(5), None).await.unwrap());
    reports::confirmed(&mut tx, "spool", "k", t(6)).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = base.store.read().await.unwrap();
    assert_eq!(reports::known(&mut reader, "spool", "k").await.unwrap(), Some(true));
    assert_eq!(reports::known(&mut reader, "spool", "other").await.unwrap(), Some(false));
    assert_eq!(reports::known(&mut reader, "spool", "never").await.unwrap(), None);
    assert_eq!(reports::all(&mut reader).await.unwrap().len(), 2);
}

async fn two_hundred_reports_and_eight_workers_each_exactly_once(base: Base) {
    for number in 0..200 {
        stored(&base, &number.to_string()).await;
    }
    let store = Arc::new(base.store.clone());
    let work = (0..8).map(|_| {
        let store = store.clone();
        async move {
            let mut mine = Vec::new();
            loop {
                let mut tx = store.begin().await.unwrap();
                let claimed = reports::claim(&mut tx, Stage::Transcribe, claim(1)).await.unwrap();
                tx.commit().await.unwrap();
                let Some((report, lease)) = claimed else { return mine };
                assert_eq!(lease.attempt, 1);
                let mut tx = store.begin().await.unwrap();
                reports::advance(&mut tx, report.id, &lease, Stage::Assess, Some(t(1))).await.unwrap();
                tx.commit().await.unwrap();
                mine.push(report.id);
            }
        }
    });
    let done: Vec<ReportId> = futures::future::join_all(work).await.into_iter().flatten().collect();
    assert_eq!(done.len(), 200);
    assert_eq!(done.iter().collect::<HashSet<_>>().len(), 200);
}

async fn the_night_goes_first_then_the_short_and_a_long_one_of_the_day_has_its_turn(base: Base) {
    let mut tx = base.store.begin().await.unwrap();
    let mut late = 0;
    for (key, seconds, outside, stored_s) in [
        ("day, long", 120, false, 0),
        ("day, short", 10, false, 60),
        ("night, long", 120, true, 120),
        ("night, short", 10, true, 180),
        ("night, short, half an hour later", 10, true, 1800),
        ("of an earlier version", 900, false, 30),
    ] {
        let mut laid = report(key);
        laid.stored_at = t(stored_s);
        laid.recording.as_mut().unwrap().bytes = seconds * 16_000;
        assert!(reports::insert(&mut tx, &laid, None, t(stored_s), None).await.unwrap());
        if key != "of an earlier version" {
            reports::line_up(&mut tx, laid.id, laid.turn_at(outside)).await.unwrap();
        }
        late = late.max(stored_s);
    }
    let mut order = Vec::new();
    while let Some((next, _)) = reports::claim(&mut tx, Stage::Transcribe, claim(late)).await.unwrap() {
        order.push(next.key);
    }
    assert_eq!(
        order,
        [
            "of an earlier version",
            "night, short",
            "night, long",
            "day, short",
            "day, long",
            "night, short, half an hour later"
        ]
    );
}

async fn a_lease_that_ran_out_is_handed_on_and_the_first_worker_can_no_longer_finish(base: Base) {
    let id = stored(&base, "k").await;
    let mut tx = base.store.begin().await.unwrap();
    let (_, first) = reports::claim(&mut tx, Stage::Transcribe, claim(0)).await.unwrap().unwrap();
    assert!(reports::claim(&mut tx, Stage::Transcribe, claim(59)).await.unwrap().is_none());
    let (_, second) = reports::claim(&mut tx, Stage::Transcribe, claim(61)).await.unwrap().unwrap();
    assert_eq!((first.attempt, second.attempt), (1, 2));
    tx.commit().await.unwrap();
    let mut tx = base.store.begin().await.unwrap();
    let late = reports::advance(&mut tx, id, &first, Stage::Assess, None).await;
    assert!(matches!(late, Err(StoreError::LeaseLost(_))));
    drop(tx);
    let mut tx = base.store.begin().await.unwrap();
    reports::again(&mut tx, id, &second, t(100)).await.unwrap();
    assert!(reports::claim(&mut tx, Stage::Transcribe, claim(99)).await.unwrap().is_none());
    assert!(reports::claim(&mut tx, Stage::Transcribe, claim(100)).await.unwrap().is_some());
    tx.commit().await.unwrap();
}

async fn what_is_not_committed_did_not_happen(base: Base) {
    let mut tx = base.store.begin().await.unwrap();
    reports::insert(&mut tx, &report("k"), None, t(0), None).await.unwrap();
    events::append(&mut tx, &Event::new(t(0), EventKind::Stored, "x")).await.unwrap();
    drop(tx);
    assert!(reports::all(&mut base.store.read().await.unwrap()).await.unwrap().is_empty());
}

async fn an_unheard_report_is_taken_once(base: Base) {
    let id = stored(&base, "k").await;
    let other = stored(&base, "heard").await;
    let mut tx = base.store.begin().await.unwrap();
    reports::heard(&mut tx, other).await.unwrap();
    assert!(reports::take_unheard(&mut tx, t(89)).await.unwrap().is_none());
    assert_eq!(reports::take_unheard(&mut tx, t(90)).await.unwrap().unwrap().id, id);
    assert!(reports::take_unheard(&mut tx, t(90)).await.unwrap().is_none());
    tx.commit().await.unwrap();
}

async fn a_case_is_opened_rung_and_taken(base: Base) {
    let report = stored(&base, "k").await;
    let mut tx = base.store.begin().await.unwrap();
    let case = cases::open(&mut tx, report, Verdict::Incomplete, true, t(0)).await.unwrap();
    assert_eq!(case.id.0, 1001);
    let (claimed, lease) = cases::claim(&mut tx, claim(0)).await.unwrap().unwrap();
    assert_eq!(claimed, case);
    let mut rung = case.clone();
    rung.progress.steps_begun = 1;
    rung.progress.rings = 1;
    rung.due_at = Some(t(300));
    cases::woken(&mut tx, &rung, &lease).await.unwrap();
    assert!(cases::claim(&mut tx, claim(299)).await.unwrap().is_none());
    let mut case = cases::lock(&mut tx, case.id).await.unwrap().unwrap();
    case.state = CaseState::Taken;
    case.taken_by = Some("Anna".into());
    case.taken_at = Some(t(10));
    case.eta_at = Some(t(1810));
    case.due_at = Some(t(1810));
    case.offer = Some(Offer { to: "Bernd".into(), until: t(900) });
    cases::put(&mut tx, &case).await.unwrap();
    assert!(cases::claim(&mut tx, claim(1809)).await.unwrap().is_none());
    assert!(cases::claim(&mut tx, claim(1810)).await.unwrap().is_some(), "what was taken falls due again");
    case.state = CaseState::Closed;
    case.due_at = None;
    case.reason = Some(Reason::Other("doch nicht".into()));
    cases::put(&mut tx, &case).await.unwrap();
    assert!(cases::claim(&mut tx, claim(9999)).await.unwrap().is_none());
    assert!(cases::mend_forgotten(&mut tx, t(0)).await.unwrap().is_empty());
    tx.commit().await.unwrap();
    assert_eq!(cases::of_report(&mut base.store.read().await.unwrap(), report).await.unwrap(), Some(case));
}

async fn a_ring_that_lost_its_case_writes_nothing(base: Base) {
    let report = stored(&base, "k").await;
    let mut tx = base.store.begin().await.unwrap();
    let case = cases::open(&mut tx, report, Verdict::Confirmed, false, t(0)).await.unwrap();
    let (_, lease) = cases::claim(&mut tx, claim(0)).await.unwrap().unwrap();
    let mut taken = case.clone();
    taken.state = CaseState::Taken;
    cases::put(&mut tx, &taken).await.unwrap();
    let late = cases::woken(&mut tx, &case, &lease).await;
    assert!(matches!(late, Err(StoreError::LeaseLost(_))));
}

fn plan(report: ReportId, chat: i64) -> Plan {
    Plan { report: Some(report), loud: true, ring: 1, ..Plan::new(NoticeKind::Alert, "Anna", chat) }
}

fn sent(message: i64) -> Tried {
    Tried {
        delivery: Delivery::Sent,
        message: Some(message),
        shown: Some("f".into()),
        repeated: false,
        sent_at: Some(t(1)),
        error: None,
        due_at: None,
        waited: false,
    }
}

async fn a_notice_is_journaled_and_stays_due_when_its_case_changed_meanwhile(base: Base) {
    let report = stored(&base, "k").await;
    let mut tx = base.store.begin().await.unwrap();
    notices::plan(&mut tx, &plan(report, 1), t(0)).await.unwrap();
    let (notice, lease) = notices::claim(&mut tx, claim(0)).await.unwrap().unwrap();
    notices::sending(&mut tx, notice.id, &lease, false).await.unwrap();
    notices::refresh(&mut tx, report, t(1)).await.unwrap();
    notices::tried(&mut tx, &notice, &lease, &sent(77), t(2)).await.unwrap();
    let (again, lease) = notices::claim(&mut tx, claim(2)).await.unwrap().expect("it changed while it was sent");
    assert_eq!((again.message, again.delivery), (Some(77), Delivery::Sent));
    notices::tried(&mut tx, &again, &lease, &sent(77), t(3)).await.unwrap();
    assert!(notices::claim(&mut tx, claim(4)).await.unwrap().is_none());
    notices::refresh(&mut tx, report, t(5)).await.unwrap();
    assert!(notices::claim(&mut tx, claim(5)).await.unwrap().is_some());
    tx.commit().await.unwrap();
    let mut reader = base.store.read().await.unwrap();
    assert_eq!(notices::of_message(&mut reader, 1, 77).await.unwrap().unwrap().id, notice.id);
}

async fn a_chat_that_asked_to_wait_is_left_alone(base: Base) {
    let report = stored(&base, "k").await;
    let mut tx = base.store.begin().await.unwrap();
    notices::plan(&mut tx, &plan(report, 1), t(0)).await.unwrap();
    notices::plan(&mut tx, &plan(report, 2), t(0)).await.unwrap();
    holds::chat(&mut tx, 1, t(30)).await.unwrap();
    let (free, _) = notices::claim(&mut tx, claim(0)).await.unwrap().unwrap();
    assert_eq!(free.chat, 2);
    assert!(notices::claim(&mut tx, claim(29)).await.unwrap().is_none());
    notices::move_chat(&mut tx, 1, 11).await.unwrap();
    assert_eq!(notices::claim(&mut tx, claim(30)).await.unwrap().unwrap().0.chat, 11);
    tx.commit().await.unwrap();
}

async fn a_trouble_is_told_once_as_long_as_it_lasts(base: Base) {
    let mut tx = base.store.begin().await.unwrap();
    assert!(troubles::seen(&mut tx, "spool", "lock", "stale lock", true, t(0)).await.unwrap());
    assert!(!troubles::seen(&mut tx, "spool", "lock", "stale lock", true, t(1)).await.unwrap());
    troubles::over(&mut tx, "spool", "lock", t(2)).await.unwrap();
    assert!(troubles::seen(&mut tx, "spool", "lock", "stale lock", true, t(3)).await.unwrap());
    tx.commit().await.unwrap();
    let standing = troubles::standing(&mut base.store.read().await.unwrap()).await.unwrap();
    assert_eq!(standing.len(), 1);
    assert_eq!(standing[0].since, t(3));
}

async fn marks_and_beats_are_replaced(base: Base) {
    let mut tx = base.store.begin().await.unwrap();
    marks::put(&mut tx, "telegram.offset", 5).await.unwrap();
    marks::put(&mut tx, "telegram.offset", 6).await.unwrap();
    marks::chat_moved(&mut tx, -5, -100).await.unwrap();
    assert_eq!(marks::moved_chat(&mut tx, -5).await.unwrap(), Some(-100));
    let beat = |state: &str| Beat { name: "send".into(), state: state.into(), detail: String::new(), at: t(0) };
    workers::beat(&mut tx, &beat("idle")).await.unwrap();
    workers::beat(&mut tx, &beat("running")).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = base.store.read().await.unwrap();
    assert_eq!(marks::find(&mut reader, "telegram.offset").await.unwrap(), Some(6));
    assert_eq!(workers::all(&mut reader).await.unwrap(), [beat("running")]);
    drop(reader);
    base.store.fresh_start().await.unwrap();
    assert!(workers::all(&mut base.store.read().await.unwrap()).await.unwrap().is_empty());
}

async fn other_ways_begin_unless_somebody_answers(base: Base) {
    let report = stored(&base, "k").await;
    let tx = &mut base.store.begin().await.unwrap();
    let case = cases::open(tx, report, Verdict::Confirmed, false, t(0)).await.unwrap().id;
    let waiting = Plan { case: Some(case), second_at: Some(t(60)), ..plan(report, 1) };
    let id = notices::plan(tx, &waiting, t(0)).await.unwrap();
    assert!(reactions::take_unanswered(tx, t(59)).await.unwrap().is_none());
    reactions::second_not_after(tx, id, t(30)).await.unwrap();
    assert_eq!(reactions::take_unanswered(tx, t(30)).await.unwrap().unwrap().id, id);
    assert!(reactions::take_unanswered(tx, t(99)).await.unwrap().is_none(), "once");
    notices::plan(tx, &waiting, t(0)).await.unwrap();
    reactions::answered(tx, case).await.unwrap();
    reactions::second_now(tx, t(1)).await.unwrap();
    assert!(reactions::take_unanswered(tx, t(99)).await.unwrap().is_none(), "somebody answered");
}

async fn every_other_statement_is_understood(base: Base) {
    let id = stored(&base, "k").await;
    let mut tx = base.store.begin().await.unwrap();
    let case = cases::open(&mut tx, id, Verdict::Confirmed, false, t(0)).await.unwrap();
    let voice = Plan { kind: NoticeKind::Voice, ..plan(id, 1) };
    assert!(!notices::has_voice(&mut tx, id, 1).await.unwrap());
    notices::plan(&mut tx, &voice, t(0)).await.unwrap();
    assert!(notices::has_voice(&mut tx, id, 1).await.unwrap());
    assert_eq!(notices::voice_message(&mut tx, id, 1).await.unwrap(), None);
    notices::adopt(&mut tx, id, case.id).await.unwrap();
    notices::plan(&mut tx, &Plan { case: Some(case.id), ..plan(id, 1) }, t(0)).await.unwrap();
    let second = Plan { case: Some(case.id), second_at: Some(t(60)), ..plan(id, 1) };
    notices::plan(&mut tx, &second, t(0)).await.unwrap();
    assert_eq!(notices::supersede(&mut tx, case.id, &plan(id, 1)).await.unwrap(), Some(t(60)));
    let twins = sightings::of_sound(&mut tx, &report("other"), "ab", chrono::TimeDelta::minutes(10)).await.unwrap();
    assert_eq!(twins, [(id, Some("01701234567".to_owned()))]);
    assert_eq!(cases::lock_of_report(&mut tx, id).await.unwrap().unwrap().id, case.id);
    events::append(&mut tx, &Event::new(t(0), EventKind::Opened, "").case(case.id).report(id).by("Anna"))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut reader = base.store.read().await.unwrap();
    let kept = notices::all(&mut reader).await.unwrap();
    assert_eq!(
        kept.iter().map(|notice| notice.delivery).collect::<Vec<_>>(),
        [Delivery::Due, Delivery::Gone, Delivery::Gone]
    );
    assert_eq!(notices::pending(&mut reader).await.unwrap(), 1);
    assert_eq!(reports::waiting(&mut reader, Stage::Transcribe).await.unwrap(), (1, Some(t(0))));
    assert_eq!(reports::waiting(&mut reader, Stage::Done).await.unwrap(), (0, None));
    assert_eq!(events::count(&mut reader, id, EventKind::Opened).await.unwrap(), 1);
    assert_eq!(events::of_report(&mut reader, id).await.unwrap()[0].actor.as_deref(), Some("Anna"));
    assert_eq!(cases::find(&mut reader, case.id).await.unwrap().unwrap(), case);
    let told = deliveries::of_story(&mut reader, Some(case.id), id, 2).await.unwrap();
    assert_eq!(told.iter().map(|told| &told.notice).collect::<Vec<_>>(), [&kept[1], &kept[2]], "the newest two");
    assert_eq!(deliveries::of_story(&mut reader, None, id, 9).await.unwrap()[0].due_at, Some(t(0)));
    assert_eq!(reports::maybe(&mut reader, id).await.unwrap().unwrap().id, id);
    assert_eq!(reports::maybe(&mut reader, ReportId::fresh()).await.unwrap(), None);
    assert_eq!(mails::file(&mut reader, id).await.unwrap(), None);
    assert_eq!(notes::find(&mut reader, "none").await.unwrap(), None);
    drop(reader);
    base.store.check().await.unwrap();
}

async fn the_watch_of_the_watch_is_understood(base: Base) {
    let mut tx = base.store.begin().await.unwrap();
    assert_eq!(watch::started(&mut tx, t(0), t(-600)).await.unwrap(), 1);
    assert_eq!(watch::started(&mut tx, t(60), t(-600)).await.unwrap(), 2);
    watch::alive(&mut tx, t(70)).await.unwrap();
    let drill = drills::begin(&mut tx, t(0), t(300)).await.unwrap();
    let laid = Report { source: DRILL.into(), ..report(&format!("{drill}.wav/7/1")) };
    assert!(reports::insert(&mut tx, &laid, None, t(1), None).await.unwrap());
    assert!(ready::ask(&mut tx, "Anna", t(3600), t(0)).await.unwrap());
    assert!(!ready::ask(&mut tx, "Anna", t(3600), t(9)).await.unwrap());
    tx.commit().await.unwrap();
    let case = stored(&base, "k").await;
    let mut reader = base.store.read().await.unwrap();
    assert_eq!(watch::last_alive(&mut reader).await.unwrap(), Some(t(70)));
    assert_eq!(watch::overdue_case(&mut reader, t(1000)).await.unwrap(), None);
    assert_eq!(watch::undelivered(&mut reader, t(1000)).await.unwrap(), 0);
    assert_eq!(drills::newest(&mut reader).await.unwrap(), Some(t(0)));
    let found = drills::on_the_way(&mut reader, t(-1)).await.unwrap().remove(0);
    assert_eq!(drills::reached(&mut reader, &found).await.unwrap(), (Reached::Stored, Some(laid.id)));
    assert_eq!(drills::notice(&mut reader, laid.id).await.unwrap(), None);
    let asked = ready::open(&mut reader, t(0)).await.unwrap().remove(0);
    let arrivals = reports::stored_between(&mut reader, t(0), t(1)).await.unwrap();
    assert_eq!(arrivals.iter().map(|one| one.id).collect::<Vec<_>>(), [case], "a drill is no message");
    assert!(!joins::is_joined(&mut reader, case).await.unwrap());
    assert!(cases::lively(&mut reader, t(0)).await.unwrap().is_empty());
    assert!(charges::waiting(&mut reader).await.unwrap().is_empty());
    drop(reader);
    let mut tx = base.store.begin().await.unwrap();
    drills::became(&mut tx, &drill, laid.id).await.unwrap();
    drills::failed(&mut tx, &drill, Reached::Stored, t(300)).await.unwrap();
    drills::arrived(&mut tx, &drill, t(400)).await.unwrap();
    drills::take_off_earlier(&mut tx, laid.id, t(400)).await.unwrap();
    ready::reminded(&mut tx, &asked, t(2700)).await.unwrap();
    ready::told(&mut tx, &asked, &["office".to_owned()], t(3600)).await.unwrap();
    ready::tapped(&mut tx, &asked, t(3700)).await.unwrap();
    let asked = ready::find_within(&mut tx, "Anna", t(3600)).await.unwrap().unwrap();
    assert_eq!((asked.told.as_slice(), asked.ready_at), (&["office".to_owned()][..], Some(t(3700))));
    ready::take_off(&mut tx, &asked, t(3800)).await.unwrap();
    assert_eq!(ready::find_within(&mut tx, "Anna", t(3600)).await.unwrap(), None);
    tx.commit().await.unwrap();
    let found = drills::find(&mut base.store.read().await.unwrap(), &drill).await.unwrap().unwrap();
    assert_eq!((found.report, found.failed_at, found.arrived_at), (Some(laid.id), Some(t(300)), Some(t(400))));
}

async fn a_message_seen_once_more_is_known_under_both_keys(base: Base) {
    let mut tx = base.store.begin().await.unwrap();
    sightings::lock(&mut tx).await.unwrap();
    let id = report("1/1").id;
    let first = Report { id, ..report("1/1") };
    assert!(reports::insert(&mut tx, &first, Some("id hash"), t(0), None).await.unwrap());
    assert_eq!(sightings::of_twin(&mut tx, "spool", "id hash").await.unwrap(), Some(id));
    assert_eq!(sightings::of_twin(&mut tx, "mail", "id hash").await.unwrap(), None);
    sightings::add(&mut tx, "mail", "2/1", id, t(1)).await.unwrap();
    sightings::add(&mut tx, "mail", "2/1", id, t(2)).await.unwrap();
    for (source, key) in [("spool", "1/1"), ("mail", "2/1")] {
        assert_eq!(sightings::of_key(&mut tx, source, key).await.unwrap(), Some(id));
    }
    reports::confirmed(&mut tx, "mail", "2/1", t(3)).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = base.store.read().await.unwrap();
    assert_eq!(reports::known(&mut reader, "mail", "2/1").await.unwrap(), Some(true));
    assert_eq!(reports::known(&mut reader, "spool", "1/1").await.unwrap(), Some(false));
    assert_eq!(reports::known(&mut reader, "mail", "1/1").await.unwrap(), None);
}

async fn a_written_report_comes_back_as_it_was_stored(base: Base) {
    let mail = Mail {
        sender: Some("a@b.example".into()),
        reply_to: None,
        message_id: Some("1@b.example".into()),
        subject: "Störung".into(),
        text: "Der Server\nsteht.".into(),
        headers: vec![("From".into(), "a@b.example".into())],
        automatic: true,
        raw: Vec::new(),
    };
    let file = Recording { file: "x.eml".into(), sha256: "cd".into(), bytes: 9, name: "mail.eml".into() };
    let mut tx = base.store.begin().await.unwrap();
    let written = Report { medium: Medium::Email, recording: None, longest_s: Some(300), ..report("m") };
    reports::insert(&mut tx, &written, None, t(0), None).await.unwrap();
    mails::put(&mut tx, written.id, &mail, &file).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = base.store.read().await.unwrap();
    assert_eq!(reports::find(&mut reader, written.id).await.unwrap(), written);
    assert_eq!(mails::find(&mut reader, written.id).await.unwrap(), Some((mail, "cd".into())));
}

async fn what_a_source_remembers_and_how_it_is_outlives_it(base: Base) {
    let failing = Watched {
        reached_at: Some(t(0)),
        arrived_at: None,
        failing_since: Some(t(5)),
        failures: 3,
        next_try_at: Some(t(9)),
        why: Some("refused".into()),
    };
    let mut tx = base.store.begin().await.unwrap();
    memory::put(&mut tx, "mail", "validity", "1").await.unwrap();
    memory::put(&mut tx, "mail", "validity", "2").await.unwrap();
    watched::put(&mut tx, "mail", &Watched::default()).await.unwrap();
    watched::put(&mut tx, "mail", &failing).await.unwrap();
    assert_eq!(troubles::over(&mut tx, "mail", "unreachable", t(1)).await.unwrap(), None);
    troubles::seen(&mut tx, "mail", "unreachable", "away", true, t(2)).await.unwrap();
    assert_eq!(troubles::over(&mut tx, "mail", "unreachable", t(3)).await.unwrap(), Some(t(2)));
    tx.commit().await.unwrap();
    let mut reader = base.store.read().await.unwrap();
    assert_eq!(memory::find(&mut reader, "mail", "validity").await.unwrap().as_deref(), Some("2"));
    assert_eq!(memory::find(&mut reader, "other", "validity").await.unwrap(), None);
    assert_eq!(watched::all(&mut reader).await.unwrap(), [("mail".to_owned(), failing)]);
}

async fn a_report_joins_a_case_and_leaves_it_again(base: Base) {
    let (first, later) = (stored(&base, "k").await, Report { source: "other".into(), ..report("k") });
    let mut tx = base.store.begin().await.unwrap();
    reports::insert(&mut tx, &later, None, t(1), None).await.unwrap();
    let case = cases::open(&mut tx, first, Verdict::Incomplete, false, t(0)).await.unwrap();
    joins::add(&mut tx, later.id, case.id, Why::SameTrouble, t(1)).await.unwrap();
    assert_eq!(joins::newest(&mut tx, case.id).await.unwrap(), Some(later.id));
    let charge = Charge {
        case: case.id,
        report: later.id,
        net: Cents(4800),
        gross: Cents(5712),
        basis: Basis::Spoken,
        proof: "{}".into(),
    };
    charges::propose(&mut tx, &charge, t(1)).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = base.store.read().await.unwrap();
    assert_eq!(joins::of_case(&mut reader, case.id).await.unwrap(), [(later.id, Why::SameTrouble)]);
    assert_eq!(joins::case_of(&mut reader, later.id).await.unwrap(), Some(case.id));
    let living = async |reader: &mut _, since| cases::living(reader, since).await.unwrap().len();
    assert_eq!((living(&mut reader, t(-9)).await, living(&mut reader, t(9)).await), (1, 0));
    drop(reader);
    let mut tx = base.store.begin().await.unwrap();
    joins::remove(&mut tx, later.id).await.unwrap();
    let own = cases::open(&mut tx, later.id, Verdict::Confirmed, false, t(2)).await.unwrap();
    notices::reassign(&mut tx, later.id, own.id).await.unwrap();
    charges::move_to(&mut tx, later.id, own.id, t(2)).await.unwrap();
    assert_eq!(joins::newest(&mut tx, case.id).await.unwrap(), None);
    tx.commit().await.unwrap();
    let mut reader = base.store.read().await.unwrap();
    assert_eq!(charges::of_case(&mut reader, own.id).await.unwrap().map(|charge| charge.report), Some(later.id));
    assert!(events::of_report(&mut reader, later.id).await.unwrap().is_empty());
}

async fn a_receipt_is_planned_once_a_day_and_sent_once(base: Base) {
    let (one, two) = (stored(&base, "a").await, stored(&base, "b").await);
    let day = t(0).date_naive();
    let mut tx = base.store.begin().await.unwrap();
    assert!(receipts::plan(&mut tx, one, "a@b.example", day, t(0)).await.unwrap());
    assert!(!receipts::plan(&mut tx, two, "a@b.example", day, t(0)).await.unwrap());
    let (receipt, lease) = receipts::claim(&mut tx, claim(0)).await.unwrap().unwrap();
    assert_eq!((receipt.report, receipt.state), (one, State::Due));
    assert!(receipts::claim(&mut tx, claim(0)).await.unwrap().is_none());
    receipts::sending(&mut tx, one, &lease).await.unwrap();
    receipts::tried(&mut tx, one, &lease, State::Sent, (None, Some(t(1))), None).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(receipts::state(&mut base.store.read().await.unwrap(), one).await.unwrap(), Some(State::Sent));
    let mut tx = base.store.begin().await.unwrap();
    assert!(receipts::claim(&mut tx, claim(999)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_store_of_the_first_version_is_brought_up_to_date_with_its_rows() {
    use sqlx::SqlSafeStr as _;
    use sqlx::migrate::{Migration, MigrationType, Migrator};
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/a.db", folder.path().display());
    sqlx::any::install_default_drivers();
    let first =
        include_str!("../../migrations/0001_house.sql").replace("BIGINT", "INTEGER").replace("\n);", "\n) STRICT;");
    let sql = sqlx::AssertSqlSafe(first).into_sql_str();
    let house = Migration::new(1, "house".into(), MigrationType::Simple, sql, false);
    let pool = sqlx::AnyPool::connect(&format!("{url}?mode=rwc")).await.unwrap();
    Migrator::with_migrations(vec![house]).run(&pool).await.unwrap();
    let id = ReportId::fresh();
    let row = format!(
        "INSERT INTO reports (id, source, source_key, called_at, stored_at, stage, attempt) VALUES ('{id}', 's', 'k', 1, 2, 'done', 0)"
    );
    sqlx::query(sqlx::AssertSqlSafe(row).into_sql_str()).execute(&pool).await.unwrap();
    pool.close().await;
    let store = Store::open(&url, &folder.path().join("sound")).await.unwrap();
    let report = reports::find(&mut store.read().await.unwrap(), id).await.unwrap();
    assert_eq!((report.medium, report.longest_s), (Medium::Voicemail, None));
}

#[tokio::test]
async fn a_deleted_word_is_not_readable_in_the_database_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let url = format!("sqlite://{}", path.display());
    let store = Store::open(&url, &folder.path().join("sound")).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    marks::put(&mut tx, "NEEDLE-NEEDLE-NEEDLE", 1).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    let holds = |needle: &[u8]| std::fs::read(&path).unwrap().windows(needle.len()).any(|window| window == needle);
    assert!(holds(b"NEEDLE-NEEDLE-NEEDLE"));
    {
        let mut db = sqlx::AnyConnection::connect(&url).await.unwrap();
        db.execute("PRAGMA secure_delete = ON").await.unwrap();
        db.execute("DELETE FROM marks").await.unwrap();
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
        db.close().await.unwrap();
    }
    assert!(!holds(b"NEEDLE-NEEDLE-NEEDLE"));
}

#[tokio::test]
async fn a_foreign_lock_is_waited_for_and_then_named() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/a.db", folder.path().display());
    let store = Store::open(&url, &folder.path().join("sound")).await.unwrap();
    let mut foreign = sqlx::AnyConnection::connect(&url).await.unwrap();
    foreign.execute("BEGIN IMMEDIATE").await.unwrap();
    let refused = store.begin().await.err().expect("locked").to_string();
    assert!(refused.contains("locked"), "{refused}");
    foreign.execute("ROLLBACK").await.unwrap();
    store.begin().await.unwrap();
}

#[tokio::test]
async fn an_impossible_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), b"").unwrap();
    let url = format!("sqlite://{}/a.db", folder.path().display());
    let refused = Store::open(&url, &folder.path().join("file/sound")).await.unwrap_err().to_string();
    assert!(refused.contains("file/sound"), "{refused}");
    let odd = Store::open("mysql://x", folder.path()).await.unwrap_err().to_string();
    assert!(odd.contains("sqlite: or postgres:"), "{odd}");
}

async fn a_change_of_the_roster_counts_until_it_is_taken_back(base: Base) {
    let change = |kind, from, until| Change { kind, technician: "Bernd".into(), from: t(from), until: t(until) };
    let kind = ChangeKind::Override { replaces: Some("Anna".into()) };
    let (swap, away) = (change(kind, 100, 200), change(ChangeKind::Absence, 50, 300));
    let mut tx = base.store.begin().await.unwrap();
    let asked = roster::make(&mut tx, &swap, ChangeState::Asked, "Anna", t(0)).await.unwrap();
    let active = roster::make(&mut tx, &away, ChangeState::Active, "command line", t(1)).await.unwrap();
    let other = roster::make(&mut tx, &swap, ChangeState::Asked, "Anna", t(2)).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = base.store.read().await.unwrap();
    assert_eq!(roster::active(&mut reader, t(0)).await.unwrap(), std::slice::from_ref(&away));
    assert_eq!(roster::active(&mut reader, t(300)).await.unwrap(), [], "it is over");
    let noted = roster::find(&mut reader, &asked).await.unwrap().unwrap();
    assert_eq!((noted.change, noted.state, noted.made_by.as_str()), (swap.clone(), ChangeState::Asked, "Anna"));
    drop(reader);
    let mut tx = base.store.begin().await.unwrap();
    assert!(roster::agree(&mut tx, &asked).await.unwrap() && !roster::agree(&mut tx, &asked).await.unwrap());
    assert!(!roster::refuse(&mut tx, &asked).await.unwrap(), "it counts already");
    assert!(roster::refuse(&mut tx, &other).await.unwrap() && !roster::withdraw(&mut tx, &other).await.unwrap());
    assert!(roster::withdraw(&mut tx, &active).await.unwrap() && !roster::withdraw(&mut tx, "none").await.unwrap());
    tx.commit().await.unwrap();
    let mut reader = base.store.read().await.unwrap();
    assert_eq!(roster::active(&mut reader, t(0)).await.unwrap(), [swap]);
    let states: Vec<_> = roster::list(&mut reader, t(0)).await.unwrap().into_iter().map(|one| one.state).collect();
    assert_eq!(states, [ChangeState::Active, ChangeState::Withdrawn, ChangeState::Refused]);
}

async fn a_calendar_that_fails_keeps_the_last_good_one(base: Base) {
    let mut tx = base.store.begin().await.unwrap();
    roster::looked(&mut tx, "a", Err("away"), t(0)).await.unwrap();
    roster::looked(&mut tx, "b", Ok("first"), t(1)).await.unwrap();
    roster::looked(&mut tx, "b", Ok("second"), t(2)).await.unwrap();
    roster::looked(&mut tx, "b", Err("away"), t(3)).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = base.store.read().await.unwrap();
    let feed =
        |name: &str, fetched_at, tried_at| Feed { name: name.into(), fetched_at, tried_at, error: Some("away".into()) };
    assert_eq!(roster::feeds(&mut reader).await.unwrap(), [feed("a", None, t(0)), feed("b", Some(t(2)), t(3))]);
    assert_eq!(roster::body(&mut reader, "a").await.unwrap(), None);
    assert_eq!(roster::body(&mut reader, "b").await.unwrap().as_deref(), Some("second"));
    assert_eq!(roster::body(&mut reader, "c").await.unwrap(), None);
}

async fn codes_count_once_and_sessions_end(base: Base) {
    let mut tx = base.store.begin().await.unwrap();
    let petra = Account::new("Petra", Role::Admin, None, t(0));
    let anna = Account::new("Anna", Role::Technician, Some("Anna".into()), t(0));
    for account in [&petra, &anna] {
        assert!(accounts::add(&mut tx, account).await.unwrap());
    }
    assert_eq!(accounts::lock(&mut tx, anna.id).await.unwrap(), Some(anna.clone()));
    assert_eq!(accounts::lock_admins(&mut tx).await.unwrap(), std::slice::from_ref(&petra));
    assert!(!factors::use_step(&mut tx, petra.id, 7).await.unwrap(), "nothing is set up");
    factors::set_totp(&mut tx, petra.id, "sealed", 7).await.unwrap();
    for (step, counts) in [(7, false), (6, false), (8, true), (8, false)] {
        assert_eq!(factors::use_step(&mut tx, petra.id, step).await.unwrap(), counts, "{step}");
    }
    factors::set_recovery(&mut tx, petra.id, &["one".into(), "two".into()]).await.unwrap();
    assert!(!factors::use_recovery(&mut tx, anna.id, "one").await.unwrap(), "it is Petra's");
    assert!(factors::use_recovery(&mut tx, petra.id, "one").await.unwrap());
    assert!(!factors::use_recovery(&mut tx, petra.id, "one").await.unwrap());
    assert_eq!(factors::recovery_left(tx.reading(), petra.id).await.unwrap(), 1);
    factors::forget(&mut tx, petra.id).await.unwrap();
    assert_eq!(factors::totp(tx.reading(), petra.id).await.unwrap(), None);
    let session = |seconds: i64| Session {
        id: uuid::Uuid::now_v7(),
        account: anna.id,
        stage: SessionStage::Full,
        created_at: t(seconds),
        seen_at: t(seconds),
        proved_at: t(seconds),
        browser: "a browser".into(),
        address: "127.0.0.1".into(),
    };
    let (first, second) = (session(10), session(20));
    sessions::begin(&mut tx, &first, "a").await.unwrap();
    sessions::begin(&mut tx, &second, "b").await.unwrap();
    sessions::seen(&mut tx, second.id, t(90)).await.unwrap();
    assert_eq!(accounts::find(tx.reading(), anna.id).await.unwrap().unwrap().seen_at, Some(t(90)));
    assert_eq!(sessions::end_others(&mut tx, anna.id, second.id).await.unwrap(), 1);
    assert_eq!(sessions::of_token(tx.reading(), "a").await.unwrap(), None);
    assert!(sessions::of_token(tx.reading(), "b").await.unwrap().is_some());
    tx.commit().await.unwrap();
}

//! What is kept long enough is gone, from every file, and provably so. Covers F-140 to F-145, I9, P-01.

use crate::postgres;
use crate::world::{ANNA, CALLER, EMERGENCY, NO_EMERGENCY, World};
use chrono::{DateTime, TimeDelta, Utc};
use nachtwache::config::Settings;
use nachtwache::domain::act::Act;
use nachtwache::domain::assessment::{Assessment, Consent, Declaration, Fields, Finding, Polarity, Subject, Verdict};
use nachtwache::domain::case::{CaseId, NoteContent, Outcome, Reason};
use nachtwache::domain::event::{Event, EventKind};
use nachtwache::domain::hearing::HearingStage;
use nachtwache::domain::notice::NoticeKind;
use nachtwache::domain::report::{Caller, Mail, Medium, Recording, Report, ReportId, Stage};
use nachtwache::domain::retention::{Class, Kept, Why};
use nachtwache::domain::tariff::{Cents, Tariff};
use nachtwache::review::requests::{Order, Whom};
use nachtwache::review::retention::RetentionStep;
use nachtwache::review::{export, ledger, requests, retention};
use nachtwache::runtime::bell::Bells;
use nachtwache::runtime::clock::{Clock as _, HandClock, SystemClock};
use nachtwache::runtime::worker::{Round, Step as _};
use nachtwache::store::charges::{Basis, Charge};
use nachtwache::store::notices::Plan;
use nachtwache::store::vocabulary::{self, Kind};
use nachtwache::store::{
    Claim, Store, Tx, assessments, cases, charges, events, hearings, joins, legal_holds, mails, marks, notes, notices,
    receipts, reports, sightings, sound, transcripts,
};
use nachtwache::store::{ledger as rows, retention as store_retention};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Stands in every text, and as bytes in every sound.
const MARKER: &str = "Zzmarker";
/// The significant digits of a number that nobody has.
const DIGITS: &str = "9721555017";

fn t(days: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000, 0).unwrap() + TimeDelta::days(days)
}

/// Every charge is released that day.
fn released(day: i64) -> String {
    format!("UPDATE charges SET state = 'released', released_at = {}", t(day).timestamp_millis())
}

struct Base {
    store: Store,
    folder: tempfile::TempDir,
    url: String,
}

impl Base {
    async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/nachtwache.db", folder.path().display());
        let store = Store::open(&url, &folder.path().join("sound")).await.unwrap();
        Self { store, folder, url }
    }

    async fn postgresql() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = postgres::url();
        let store = Store::open(&url, &folder.path().join("sound")).await.unwrap();
        Self { store, folder, url }
    }

    fn settings(&self, more: &str) -> Arc<Settings> {
        let folder = self.folder.path().display();
        Arc::new(Settings::parse(&format!("[store]\nfolder = \"{folder}\"\n{more}")).unwrap())
    }

    /// The worker at a day, until it rests.
    async fn look(&self, day: i64, more: &str) {
        look(&self.store, self.settings(more), t(day)).await;
    }

    async fn begun(&self) -> Tx {
        self.store.begin().await.unwrap()
    }

    async fn sql(&self, statement: &str) {
        use sqlx::{Connection as _, Executor as _, SqlSafeStr as _};
        let mut db = sqlx::AnyConnection::connect(&self.url).await.unwrap();
        db.execute(sqlx::AssertSqlSafe(statement.to_owned()).into_sql_str()).await.unwrap();
        db.close().await.unwrap();
    }
}

impl Base {
    async fn count(&self, statement: &'static str) -> i64 {
        use sqlx::Connection as _;
        let mut db = sqlx::AnyConnection::connect(&self.url).await.unwrap();
        sqlx::query_scalar(statement).fetch_one(&mut db).await.unwrap()
    }
}

async fn look(store: &Store, settings: Arc<Settings>, now: DateTime<Utc>) {
    let clock = Arc::new(HandClock::at(now));
    let mut step = RetentionStep::new(store.clone(), settings, clock, Bells::default());
    for _ in 0..100_000 {
        if step.tick().await.unwrap() == Round::Idle {
            return;
        }
    }
    panic!("the deletion does not come to rest");
}

/// A report that was stored on day 0, with something personal in every place that can hold it.
async fn full(tx: &mut Tx, folder: &Path, number: usize, medium: Medium) -> Report {
    let id = ReportId::fresh();
    let bytes = format!("{MARKER} sound {number}");
    let kept = sound::write(folder, id, "0972155 Zzmarker.wav", bytes.as_bytes()).unwrap();
    fs::write(folder.join(format!("{id}.voice.ogg")), &bytes).unwrap();
    let report = Report {
        id,
        source: "spool".into(),
        key: format!("{number}:0{DIGITS}:{MARKER}"),
        mailbox: Some(MARKER.into()),
        caller: Caller { number: Some(format!("0{DIGITS}")), name: Some(MARKER.into()) },
        called_at: t(0),
        stored_at: t(0),
        recording: Some(Recording { name: format!("{MARKER}.wav"), ..kept }),
        trouble: Some(format!("/spool/{MARKER}")),
        medium,
        longest_s: None,
        stage: Stage::Done,
    };
    let twin = format!("<{MARKER}{number}@example.de>");
    assert!(reports::insert(tx, &report, Some(&twin), t(0), None).await.unwrap());
    sightings::add(tx, "mail", &format!("{MARKER}{number}"), id, t(0)).await.unwrap();
    let transcript = crate::world::spoken(&format!("{MARKER} null {DIGITS} Betrieb steht"));
    transcripts::put(tx, id, &transcript, Duration::from_secs(1), t(0)).await.unwrap();
    hearings::plan(tx, id, t(0)).await.unwrap();
    let claim = Claim { now: t(0), lease: Duration::from_mins(1) };
    let (again, lease) = hearings::claim(tx, HearingStage::Listen, claim).await.unwrap().unwrap();
    hearings::heard(tx, again, &lease, &transcript, Duration::from_secs(9), t(0)).await.unwrap();
    assessments::put(tx, id, &assessment(), t(0)).await.unwrap();
    let raw = sound::write(folder, id, "mail.eml", bytes.as_bytes()).unwrap();
    let mail = Mail {
        sender: Some(format!("{MARKER}@example.de")),
        reply_to: Some(format!("{MARKER}@example.de")),
        message_id: Some(format!("{MARKER}@id")),
        subject: format!("{MARKER} subject"),
        text: format!("{MARKER} body, 0{DIGITS}"),
        headers: vec![("From".into(), MARKER.into())],
        automatic: false,
        raw: Vec::new(),
    };
    mails::put(tx, id, &mail, &raw).await.unwrap();
    let day = t(0).date_naive();
    receipts::plan(tx, id, &format!("{MARKER}{number}@example.de"), day, t(0)).await.unwrap();
    report
}

fn assessment() -> Assessment {
    let quote = format!("{MARKER} einverstanden");
    let finding = Finding {
        subject: Subject::Fee,
        polarity: Polarity::Holds,
        rule: "consent.fee.agree".into(),
        quote,
        range: (0, 8),
        seconds: Some((1.0, 2.0)),
        probability: Some(0.9),
    };
    Assessment {
        verdict: Verdict::Confirmed,
        declaration: Declaration::Declared,
        consent: Consent::Full,
        consent_doubt: None,
        urgent: true,
        findings: vec![finding],
        fields: Fields {
            company: Some(MARKER.into()),
            contact: Some(MARKER.into()),
            callback: Some(format!("+49{DIGITS}")),
            callback_doubtful: false,
            displayed: Some(format!("+49{DIGITS}")),
            description: Some(MARKER.into()),
        },
        missing: Vec::new(),
        tariff: Tariff::Activation { net: Cents(4800), gross: Cents(5712), vat_percent: 19 },
        language: "de".into(),
        remark: Some(MARKER.into()),
        rules: "1".into(),
    }
}

/// Its case, closed on day `closed` (if ever), with notes, notices and a reason in own words.
async fn case_of(tx: &mut Tx, report: ReportId, closed: Option<i64>) -> CaseId {
    let mut case = cases::open(tx, report, Verdict::Confirmed, false, t(0)).await.unwrap();
    notes::add(tx, case.id, "Anna", &NoteContent::Written(format!("{MARKER} note")), t(0)).await.unwrap();
    for (of_report, of_case) in [(Some(report), None), (Some(report), Some(case.id)), (None, Some(case.id))] {
        let plan = Plan::new(NoticeKind::Text, "Anna", 101);
        let plan = Plan { report: of_report, case: of_case, body: Some(format!("{MARKER} notice")), ..plan };
        notices::plan(tx, &plan, t(0)).await.unwrap();
    }
    if let Some(day) = closed {
        case.state = nachtwache::domain::case::CaseState::Closed;
        (case.closed_at, case.closed_by, case.due_at) = (Some(t(day)), Some("Anna".into()), None);
        (case.outcome, case.reason) = (Some(Outcome::NoEmergency), Some(Reason::Other(MARKER.into())));
        cases::put(tx, &case).await.unwrap();
        let event = Event::new(t(day), EventKind::Closed, format!("no_emergency: other:{MARKER}")).report(report);
        events::append(tx, &event.case(case.id)).await.unwrap();
    }
    case.id
}

/// In which files below the folder the marker or the number still stands.
fn residues(folder: &Path) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(place) = open.pop() {
        for entry in fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            let hits = [MARKER.as_bytes(), DIGITS.as_bytes()]
                .iter()
                .map(|wanted| bytes.windows(wanted.len()).filter(|part| part == wanted).count())
                .sum();
            if hits > 0 {
                found.insert(path.display().to_string(), hits);
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn after_its_periods_no_byte_of_hundreds_of_reports_is_left_in_any_file() {
    let base = Base::sqlite().await;
    let folder = base.store.sound_folder().to_owned();
    let mut tx = base.begun().await;
    // more than the worker looks at in one go
    let many = 520;
    for number in 0..many {
        let medium = if number % 3 == 0 { Medium::Email } else { Medium::Voicemail };
        let report = full(&mut tx, &folder, number, medium).await;
        let case = case_of(&mut tx, report.id, Some(1)).await;
        if number % 4 == 0 {
            let proof = format!("{{\"findings\":[{{\"quote\":\"{MARKER}\"}}],\"rules\":\"1\"}}");
            let (net, gross, basis) = (Cents(4800), Cents(5712), Basis::Spoken);
            let charge = Charge { case, report: report.id, net, gross, basis, proof };
            assert!(charges::propose(&mut tx, &charge, t(0)).await.unwrap());
        }
    }
    let list = Plan { body: Some(format!("{MARKER} morning list")), ..Plan::new(NoticeKind::Message, "office", -500) };
    notices::plan(&mut tx, &list, t(0)).await.unwrap();
    tx.commit().await.unwrap();
    base.sql("UPDATE notices SET due_at = NULL, delivery = 'sent'").await;
    base.sql(&released(2)).await;
    assert!(residues(base.folder.path()).len() > 3 * many, "the markers are there");

    base.look(2, "").await;
    base.look(1000, "").await;
    assert_eq!(residues(base.folder.path()), BTreeMap::new());

    let mut reader = base.store.read().await.unwrap();
    let all = reports::all(&mut reader).await.unwrap();
    assert_eq!(all.len(), many, "the reports are still counted");
    assert!(all.iter().all(|report| report.caller == Caller::default() && report.recording.is_none()));
    let found = assessments::find(&mut reader, all[0].id).await.unwrap().unwrap();
    assert_eq!((found.verdict, found.findings.len()), (Verdict::Confirmed, 0));
    let check = ledger::check(&base.store, base.folder.path()).await.unwrap();
    assert!(check.is_whole() && check.rows == 1 + 4 * many + many / 4, "{check:?}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    assert!(retention::looked_at(&base.store).await.unwrap() == Some(t(1000)));
}

async fn each_class_goes_at_its_own_time(base: Base) {
    let folder = base.store.sound_folder().to_owned();
    let mut tx = base.begun().await;
    let report = full(&mut tx, &folder, 1, Medium::Voicemail).await;
    case_of(&mut tx, report.id, Some(10)).await;
    tx.commit().await.unwrap();
    let more = "[retention]\nsound_days = 20\ntext_days = 40\n";
    base.look(29, more).await;
    assert!(left(&base, report.id).await.is_empty());
    base.look(31, more).await;
    assert_eq!(left(&base, report.id).await, [Class::Sound]);
    let files: Vec<String> = residues(&folder).into_keys().collect();
    assert_eq!(files, Vec::<String>::new(), "the voice message and the mail that brought the sound are gone, too");
    let mut reader = base.store.read().await.unwrap();
    assert!(transcripts::find(&mut reader, report.id).await.unwrap().is_some());
    drop(reader);
    base.look(51, more).await;
    assert_eq!(left(&base, report.id).await, [Class::Sound, Class::Text]);
    base.look(101, more).await;
    let shown = reports::find(&mut base.store.read().await.unwrap(), report.id).await.unwrap();
    assert_eq!((shown.caller.number.as_deref(), shown.caller.name), (Some("…017"), None));
    base.look(400, more).await;
    let mut reader = base.store.read().await.unwrap();
    let stripped = reports::find(&mut reader, report.id).await.unwrap();
    assert_eq!((stripped.caller.number, stripped.mailbox, stripped.called_at), (None, None, t(0)));
    let story = events::of_report(&mut reader, report.id).await.unwrap();
    let told: Vec<&str> =
        story.iter().filter(|event| event.kind == EventKind::Deleted).map(|event| event.detail.as_str()).collect();
    assert_eq!(told, ["sound (period)", "text (period)", "number (period)", "metadata (period)"]);
    let all = rows::of_report(&mut reader, report.id).await.unwrap();
    assert_eq!(all.len(), 4, "each is proved");
    // the message still lies in the mailbox: it is known, and wakes nobody a second time
    assert_eq!(reports::known(&mut reader, "spool", &report.key).await.unwrap(), Some(false));
    assert_eq!(reports::known(&mut reader, "mail", &format!("{MARKER}1")).await.unwrap(), Some(false));
    drop(reader);
    let mut tx = base.begun().await;
    assert_eq!(sightings::of_key(&mut tx, "spool", &report.key).await.unwrap(), Some(report.id));
    let twin = format!("<{MARKER}1@example.de>");
    assert_eq!(sightings::of_twin(&mut tx, "spool", &twin).await.unwrap(), Some(report.id));
}

async fn left(base: &Base, report: ReportId) -> Vec<Class> {
    store_retention::age(&mut base.store.read().await.unwrap(), report).await.unwrap().unwrap().deleted
}

async fn nothing_goes_while_case_charge_or_somebody_holds_it(base: Base) {
    let folder = base.store.sound_folder().to_owned();
    let mut tx = base.begun().await;
    let [open, proposed, held, alone] = {
        let mut all = Vec::new();
        for number in 0..4 {
            all.push(full(&mut tx, &folder, number, Medium::Voicemail).await.id);
        }
        <[ReportId; 4]>::try_from(all).unwrap()
    };
    case_of(&mut tx, open, None).await;
    let case = case_of(&mut tx, proposed, Some(1)).await;
    let (net, gross, basis) = (Cents(4800), Cents(5712), Basis::Spoken);
    let charge = Charge { case, report: proposed, net, gross, basis, proof: format!("{{\"quote\":\"{MARKER}\"}}") };
    charges::propose(&mut tx, &charge, t(0)).await.unwrap();
    tx.commit().await.unwrap();
    let reason = requests::hold(&base.store, held, " ", t(500), "Chef", t(0)).await.unwrap();
    assert!(reason.unwrap_err().contains("reason"));
    assert!(requests::hold(&base.store, held, "dispute", t(0), "Chef", t(0)).await.unwrap().is_err());
    requests::hold(&base.store, held, "dispute", t(500), "Chef", t(0)).await.unwrap().unwrap();

    base.look(450, "").await;
    for kept in [open, proposed, held] {
        assert_eq!(left(&base, kept).await, []);
    }
    assert_eq!(left(&base, alone).await, [Class::Sound, Class::Text, Class::Number, Class::Metadata]);

    base.sql(&released(460)).await;
    base.look(460, "").await;
    base.look(824, "").await;
    assert_eq!(left(&base, proposed).await, [], "it may have to be proved");
    base.look(826, "").await;
    assert_eq!(left(&base, proposed).await.len(), 5, "then the proof goes, too");
    let stripped = charges::of_case(&mut base.store.read().await.unwrap(), case).await.unwrap().unwrap();
    assert!(stripped.net == net && !stripped.proof.contains(MARKER), "the amount stays: {}", stripped.proof);
    assert_eq!(left(&base, held).await.len(), 4, "the hold ended by itself");
    let holds = legal_holds::all(&mut base.store.read().await.unwrap()).await.unwrap();
    assert!(holds.len() == 1 && !holds[0].holds(t(826)));
}

async fn a_charge_keeps_every_message_of_its_case(base: Base) {
    let folder = base.store.sound_folder().to_owned();
    let mut tx = base.begun().await;
    let mut own = Vec::new();
    for number in 0..3 {
        own.push(full(&mut tx, &folder, number, Medium::Voicemail).await.id);
    }
    let case = case_of(&mut tx, own[0], Some(1)).await;
    for later in &own[1..] {
        joins::add(&mut tx, *later, case, joins::Why::SameTrouble, t(0)).await.unwrap();
    }
    let (net, gross, basis) = (Cents(4800), Cents(5712), Basis::Spoken);
    let charge = Charge { case, report: own[1], net, gross, basis, proof: "{}".into() };
    charges::propose(&mut tx, &charge, t(0)).await.unwrap();
    // as earlier versions told it
    let told = Event::new(t(460), EventKind::Cancelled, format!("48,00 € (not released): {MARKER}")).by("Klara");
    events::append(&mut tx, &told.report(own[1]).case(case)).await.unwrap();
    tx.commit().await.unwrap();
    base.look(450, "").await;
    base.sql(&released(460)).await;
    base.look(824, "").await;
    let periods = base.settings("").retention.periods();
    for one in &own {
        assert_eq!(left(&base, *one).await, [], "what opened the case and what joined it stay like what proves");
        let obstacle = requests::obstacle(&base.store, *one, &periods, t(824)).await.unwrap();
        assert_eq!(obstacle, Some(Kept::Proof(t(825))));
    }
    base.look(826, "").await;
    for (one, gone) in own.iter().zip([4, 5, 4]) {
        assert_eq!(left(&base, *one).await.len(), gone, "the proof goes with the message that proves");
    }
    let story = events::of_report(&mut base.store.read().await.unwrap(), own[1]).await.unwrap();
    let told = story.iter().find(|event| event.kind == EventKind::Cancelled);
    assert_eq!(told.map(|event| event.detail.as_str()), Some("48,00 € (not released)"));
}

async fn what_is_marked_meanwhile_is_not_taken_for_finished(base: Base) {
    let folder = base.store.sound_folder().to_owned();
    let mut tx = base.begun().await;
    let report = full(&mut tx, &folder, 1, Medium::Email).await.id;
    store_retention::begin(&mut tx, report, &[Class::Sound], Why::Period, None, t(40)).await.unwrap();
    tx.commit().await.unwrap();
    let before = store_retention::marked(&mut base.store.read().await.unwrap(), None).await.unwrap().unwrap();
    let mut tx = base.begun().await;
    store_retention::begin(&mut tx, report, &[Class::Text], Why::Request, Some("Chef"), t(40)).await.unwrap();
    assert_eq!(store_retention::finish(&mut tx, &before, t(40)).await.unwrap(), [Class::Sound]);
    assert_eq!(store_retention::finish(&mut tx, &before, t(40)).await.unwrap(), [], "once");
    tx.commit().await.unwrap();
    assert!(residues(&folder).keys().any(|file| file.contains(".eml")), "the mail is still to go");
    while retention::finish_one(&base.store, t(40)).await.unwrap() {}
    let reader = &mut base.store.read().await.unwrap();
    let classes = rows::of_report(reader, report).await.unwrap().into_iter().map(|row| row.class);
    assert_eq!(classes.collect::<Vec<_>>(), ["sound", "text"]);
    assert!(!residues(&folder).keys().any(|file| file.contains(".eml")), "its file went, too");
}

async fn a_deletion_killed_in_between_goes_on(base: Base) {
    let folder = base.store.sound_folder().to_owned();
    let mut tx = base.begun().await;
    let mut all = Vec::new();
    for number in 0..2 {
        all.push(full(&mut tx, &folder, number, Medium::Voicemail).await);
    }
    for report in &all {
        store_retention::begin(&mut tx, report.id, &[Class::Sound, Class::Text], Why::Period, None, t(40))
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    // killed here; of the first one some files were unlinked already
    fs::remove_file(folder.join(&all[0].recording.as_ref().unwrap().file)).unwrap();
    let reopened = Store::open(&base.url, &folder).await.unwrap();
    look(&reopened, base.settings("[retention]\nkeep_for_ever = true\n"), t(41)).await;
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    let mut reader = base.store.read().await.unwrap();
    for report in &all {
        let classes: Vec<String> =
            rows::of_report(&mut reader, report.id).await.unwrap().into_iter().map(|row| row.class).collect();
        assert_eq!(classes, ["sound", "text"], "once each");
    }
    assert!(store_retention::marked(&mut reader, None).await.unwrap().is_none());
    assert!(ledger::check(&base.store, base.folder.path()).await.unwrap().is_whole());
}

async fn a_file_that_cannot_be_removed_holds_up_no_other(base: Base) {
    let folder = base.store.sound_folder().to_owned();
    let mut tx = base.begun().await;
    let mut all = Vec::new();
    for number in 0..3 {
        all.push(full(&mut tx, &folder, number, Medium::Voicemail).await);
    }
    tx.commit().await.unwrap();
    // a folder in the place of the first one's file: no disk removes it as a file
    let stuck = folder.join(&all[0].recording.as_ref().unwrap().file);
    fs::remove_file(&stuck).unwrap();
    fs::create_dir(&stuck).unwrap();
    let clock = Arc::new(HandClock::at(t(40)));
    let mut step = RetentionStep::new(base.store.clone(), base.settings(""), clock, Bells::default());
    let complaint = loop {
        match step.tick().await {
            Ok(round) => assert_eq!(round, Round::Worked, "it does not rest while a file is stuck"),
            Err(error) => break error.to_string(),
        }
    };
    assert!(complaint.contains(&all[0].id.to_string()), "{complaint}");
    for report in &all[1..] {
        assert!(!folder.join(&report.recording.as_ref().unwrap().file).exists(), "the others went");
    }
    fs::remove_dir(&stuck).unwrap();
    while step.tick().await.unwrap() == Round::Worked {}
    assert!(store_retention::marked(&mut base.store.read().await.unwrap(), None).await.unwrap().is_none());
}

async fn files_of_no_row_go_late_and_not_where_a_backup_was_restored(base: Base) {
    let folder = base.store.sound_folder().to_owned();
    let older = ReportId::fresh();
    let mut tx = base.begun().await;
    full(&mut tx, &folder, 0, Medium::Voicemail).await;
    tx.commit().await.unwrap();
    let lost = |id: ReportId| sound::write(&folder, id, "x.wav", b"a call that no row knows").unwrap().file;
    let (crashed, newer) = (lost(older), lost(ReportId::fresh()));
    let days = |days: i64| SystemClock.now() + TimeDelta::days(days);
    let for_ever = "[retention]\nsound_days = 300\ntext_days = 300\n";
    look(&base.store, base.settings(for_ever), days(40)).await;
    assert!(folder.join(&crashed).exists() && folder.join(&newer).exists(), "the database is older than its folder");
    fs::remove_file(folder.join(&newer)).unwrap();
    look(&base.store, base.settings(for_ever), days(29)).await;
    assert!(folder.join(&crashed).exists(), "somebody may miss it still");
    look(&base.store, base.settings(for_ever), days(31)).await;
    assert!(!folder.join(&crashed).exists());
}

async fn a_ledger_that_was_touched_is_noticed(base: Base) {
    let folder = base.store.sound_folder().to_owned();
    let mut tx = base.begun().await;
    for number in 0..3 {
        full(&mut tx, &folder, number, Medium::Voicemail).await;
    }
    tx.commit().await.unwrap();
    base.look(40, "").await;
    let check = ledger::check(&base.store, base.folder.path()).await.unwrap();
    assert!(check.is_whole() && check.rows == 7 && check.in_file == 7, "{check:?}");
    base.sql("UPDATE deletions SET class = 'number' WHERE seq = 3").await;
    let check = ledger::check(&base.store, base.folder.path()).await.unwrap();
    assert_eq!((check.broken_at, check.differs_at), (Some(3), Some(3)));
    assert!(ledger::follow(&base.store, base.folder.path()).await.is_err());
    base.sql("UPDATE deletions SET class = 'sound' WHERE seq = 3").await;
    base.sql("DELETE FROM deletions WHERE seq = 2").await;
    assert_eq!(ledger::check(&base.store, base.folder.path()).await.unwrap().broken_at, Some(2));
    // deletion goes on all the same
    base.look(100, "").await;
    let reader = &mut base.store.read().await.unwrap();
    assert!(reports::all(reader).await.unwrap().iter().all(|one| one.caller.number.as_deref() == Some("…017")));
}

/// Five reports, four of them of one caller, each known by one spelling only: displayed, spoken, in the words, in the mail. The
/// first one's case is open, the second one proves a charge.
async fn one_caller(base: &Base) -> (Vec<ReportId>, CaseId) {
    let folder = base.store.sound_folder().to_owned();
    let mut tx = base.begun().await;
    let mut own = Vec::new();
    for number in 0..5 {
        own.push(full(&mut tx, &folder, number, Medium::Voicemail).await.id);
    }
    case_of(&mut tx, own[0], None).await;
    let case = case_of(&mut tx, own[1], Some(1)).await;
    let (net, gross, basis) = (Cents(4800), Cents(5712), Basis::Spoken);
    let charge = Charge { case, report: own[1], net, gross, basis, proof: "{}".into() };
    charges::propose(&mut tx, &charge, t(0)).await.unwrap();
    tx.commit().await.unwrap();
    base.sql("UPDATE reports SET caller_number = NULL, stage = 'done'").await;
    let stripped = assessment().without_words();
    let mut tx = base.begun().await;
    for (at, report) in own.iter().enumerate() {
        let mut found = stripped.clone();
        found.fields.callback = (at == 1).then(|| format!("+49{DIGITS}"));
        assessments::put(&mut tx, *report, &found, t(0)).await.unwrap();
        let words =
            if at == 2 { "unter null neun sieben zwei eins fünf fünf fünf null eins sieben" } else { "Guten Tag" };
        transcripts::put(&mut tx, *report, &crate::world::spoken(words), Duration::ZERO, t(0)).await.unwrap();
    }
    tx.commit().await.unwrap();
    base.sql(&format!("UPDATE reports SET caller_number = '+49 9721/555017' WHERE id = '{}'", own[0])).await;
    for (at, text) in [(3, "Tel. 09721 - 55 50 17"), (4, "0171 3920020")] {
        base.sql(&format!("UPDATE mails SET body = '{text}' WHERE report_id = '{}'", own[at])).await;
    }
    base.sql(&format!("UPDATE mails SET body = '' WHERE body LIKE '%{DIGITS}%'")).await;
    (own, case)
}

async fn a_caller_is_found_in_every_spelling_and_erased(base: Base) {
    let (own, case) = one_caller(&base).await;
    let whom = Whom::number("09721 555017").unwrap();
    let found: Vec<ReportId> = requests::find(&base.store, &whom).await.unwrap().iter().map(|one| one.id).collect();
    assert_eq!(found, own[..4]);
    let (bytes, count) = export::export(&base.store, &whom, "Chef", t(2)).await.unwrap();
    assert_eq!(count, 4);
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert!(names.contains(&format!("{}.wav", own[2])) && names.contains(&format!("{}.eml", own[3])), "{names:?}");
    let text = std::io::read_to_string(archive.by_name("reports.json").unwrap()).unwrap();
    let about: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(about["reports"][3]["mail"]["text"], "Tel. 09721 - 55 50 17");

    let settings = base.settings("");
    let periods = settings.retention.periods();
    let order = Order { actor: "Chef", even_open: false, periods: &periods };
    let done = requests::erase(&base.store, &found, order, t(2)).await.unwrap();
    assert_eq!(done.erased, own[2..4]);
    assert_eq!(done.kept, [(own[0], Kept::OpenCase), (own[1], Kept::OpenCharge)]);
    requests::hold(&base.store, own[0], "dispute", t(90), "Chef", t(2)).await.unwrap().unwrap();
    let order = Order { even_open: true, ..order };
    let done = requests::erase(&base.store, &found, order, t(3)).await.unwrap();
    assert_eq!(done.kept, [(own[0], Kept::Held(t(90)))]);
    assert!(done.erased.contains(&own[1]));
    let mut reader = base.store.read().await.unwrap();
    assert!(charges::of_case(&mut reader, case).await.unwrap().is_none(), "without its proof it is no charge");
    assert_eq!(requests::find(&base.store, &whom).await.unwrap().len(), 1);
    assert!(requests::release_hold(&base.store, own[0], "Chef", t(4)).await.unwrap());
    assert_eq!(
        fs::read_dir(base.store.sound_folder()).unwrap().count(),
        2 * 3,
        "the held one's and the other caller's files are there"
    );
}

/// Each of these runs once on each database.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(super::Base::sqlite().await).await; })+ }
        mod on_postgresql { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(super::Base::postgresql().await).await; })+ }
    };
}

on_both!(
    a_file_that_cannot_be_removed_holds_up_no_other,
    files_of_no_row_go_late_and_not_where_a_backup_was_restored,
    each_class_goes_at_its_own_time,
    nothing_goes_while_case_charge_or_somebody_holds_it,
    a_charge_keeps_every_message_of_its_case,
    what_is_marked_meanwhile_is_not_taken_for_finished,
    a_deletion_killed_in_between_goes_on,
    a_ledger_that_was_touched_is_noticed,
    a_caller_is_found_in_every_spelling_and_erased,
    a_caller_is_found_by_his_name_wherever_it_stands,
    a_name_on_the_list_of_words_is_found_and_erased,
    every_column_has_a_class,
);

/// P-01: the table in the handbook is the schema.
async fn every_column_has_a_class(base: Base) {
    const PAGE: &str = include_str!("../../docs/privacy.md");
    let table = PAGE.split("## Every column").nth(1).unwrap();
    let mut told = BTreeMap::new();
    for line in table.lines().filter(|line| line.starts_with("| ")).skip(2) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, columns, class] = cells[..] else { panic!("three cells: {line}") };
        assert!(PAGE.contains(&format!("\n| {class} |")), "{class} is no class of the first table");
        for column in columns.split(' ') {
            let twice = told.insert((name.to_owned(), column.to_owned()), class);
            assert!(twice.is_none(), "{name}.{column} stands twice");
        }
    }
    let real = base.store.columns().await.unwrap();
    assert!(real.len() > 150, "only {} columns were found", real.len());
    let missing: Vec<_> = real.iter().filter(|column| !told.contains_key(*column)).collect();
    assert!(missing.is_empty(), "without a class in docs/privacy.md: {missing:?}");
    // the place of an index's row is a column of its own on one of the two
    let gone = told.keys().filter(|column| !real.contains(column));
    let gone: Vec<_> =
        gone.filter(|(table, column)| (table.as_str(), column.as_str()) != ("inbox_words", "place")).collect();
    assert!(gone.is_empty(), "in docs/privacy.md, and in no database: {gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_erasure_the_file_is_written_anew_in_a_quiet_hour_or_in_a_week() {
    const REWRITTEN: &str = "retention.rewritten";
    let base = Base::sqlite().await;
    let folder = base.store.sound_folder().to_owned();
    let mut tx = base.begun().await;
    let (gone, open) =
        (full(&mut tx, &folder, 1, Medium::Voicemail).await, full(&mut tx, &folder, 2, Medium::Email).await);
    let case = case_of(&mut tx, open.id, None).await;
    tx.commit().await.unwrap();
    base.sql("UPDATE notices SET due_at = NULL, delivery = 'sent'").await;
    let rewritten = async || marks::find(&mut base.store.read().await.unwrap(), REWRITTEN).await.unwrap();
    let periods = base.settings("").retention.periods();
    let order = Order { actor: "Chef", even_open: false, periods: &periods };
    assert_eq!(requests::erase(&base.store, &[gone.id], order, t(1)).await.unwrap().erased, [gone.id]);
    base.look(1, "").await;
    assert_eq!(rewritten().await, None, "a case is open: whoever writes waits for nothing");
    base.look(7, "").await;
    assert_eq!(rewritten().await, None);
    base.look(8, "").await;
    assert_eq!(rewritten().await, Some(t(8).timestamp_millis()), "a week later it is done anyhow");

    base.sql(&format!("UPDATE cases SET state = 'closed', closed_at = 0, due_at = NULL WHERE id = {}", case.0)).await;
    let requested = t(9);
    assert_eq!(requests::erase(&base.store, &[open.id], order, requested).await.unwrap().erased, [open.id]);
    base.look(10, "").await;
    assert_eq!(rewritten().await, Some(t(10).timestamp_millis()), "nobody waits");
    assert_eq!(residues(base.folder.path()), BTreeMap::new());
    base.look(11, "").await;
    assert_eq!(rewritten().await, Some(t(10).timestamp_millis()), "once");
}

async fn a_caller_is_found_by_his_name_wherever_it_stands(base: Base) {
    let folder = base.store.sound_folder().to_owned();
    let mut tx = base.begun().await;
    let mut all = Vec::new();
    for number in 0..10 {
        all.push(full(&mut tx, &folder, number, Medium::Voicemail).await.id);
        case_of(&mut tx, all[number], None).await;
    }
    let words = crate::world::spoken("hier ist Möbel Kister aus Fulda");
    transcripts::put(&mut tx, all[2], &words, Duration::ZERO, t(0)).await.unwrap();
    let mut found = assessment();
    found.fields.company = Some("Autohaus \"Möbel Kister\"".into());
    assessments::put(&mut tx, all[3], &found, t(0)).await.unwrap();
    tx.commit().await.unwrap();
    let (of, of_report) = (|at: usize| format!("id = '{}'", all[at]), |at: usize| format!("report_id = '{}'", all[at]));
    for statement in [
        format!("UPDATE reports SET caller_name = 'MÖBEL KISTER' WHERE {}", of(0)),
        // the sign for a kelvin is a "k", too
        format!("UPDATE reports SET caller_name = 'Möbel \u{212a}ister' WHERE {}", of(1)),
        format!("UPDATE mails SET body = 'Grüße, möbel kister' WHERE {}", of_report(4)),
        format!("UPDATE mails SET headers = '[[\"From\",\"Möbel KISTER <m@example.de>\"]]' WHERE {}", of_report(5)),
        format!(
            "UPDATE notes SET body = 'Frau von Möbel Kister' WHERE case_id = (SELECT id FROM cases WHERE {})",
            of_report(6)
        ),
        format!("UPDATE reports SET caller_name = 'Möbel Mister' WHERE {}", of(7)),
        format!("UPDATE reports SET caller_name = 'Kister Möbel' WHERE {}", of(8)),
        format!("UPDATE reports SET caller_name = 'ЖОРА' WHERE {}", of(9)),
    ] {
        base.sql(&statement).await;
    }
    for (name, expected) in [("Möbel Kister", &all[..7]), ("жора", &all[9..]), ("Zzmarker", &all[..])] {
        let found = requests::find(&base.store, &Whom::name(name).unwrap()).await.unwrap();
        assert_eq!(found.iter().map(|one| one.id).collect::<Vec<_>>(), expected, "{name}");
    }
}

async fn a_name_on_the_list_of_words_is_found_and_erased(base: Base) {
    let whom = Whom::name("Rossmeisl").unwrap();
    let mut tx = base.begun().await;
    for (kind, word) in
        [(Kind::Contact, "Dirk Rossmeisl"), (Kind::Customer, "Huber KG"), (Kind::Product, "Rossmeisl 3000")]
    {
        assert!(vocabulary::add(&mut tx, kind, word, "Olga", t(0)).await.unwrap());
    }
    tx.commit().await.unwrap();
    let (bytes, count) = export::export(&base.store, &whom, "Chef", t(1)).await.unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let text = std::io::read_to_string(archive.by_name("reports.json").unwrap()).unwrap();
    assert!(count == 1 && text.contains("Dirk Rossmeisl"), "{text}");
    assert_eq!(requests::erase_words(&base.store, &whom, "Chef", t(1)).await.unwrap(), 1);
    let left = vocabulary::all(&mut base.store.read().await.unwrap()).await.unwrap();
    assert_eq!(left.iter().map(|one| one.word.as_str()).collect::<Vec<_>>(), ["Rossmeisl 3000", "Huber KG"]);
    assert_eq!(
        base.count("SELECT COUNT(*) FROM vocabulary WHERE word LIKE 'Dirk%'").await,
        0,
        "the row is gone, not marked"
    );
    assert_eq!(
        base.count("SELECT COUNT(*) FROM events WHERE detail = 'removed a contact' AND actor = 'Chef'").await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restored_backup_brings_back_is_deleted_again() {
    let base = Base::sqlite().await;
    let folder = base.store.sound_folder().to_owned();
    let mut tx = base.begun().await;
    let mut all = Vec::new();
    for number in 0..20 {
        all.push(full(&mut tx, &folder, number, Medium::Voicemail).await.id);
    }
    tx.commit().await.unwrap();
    base.store.close().await;
    let backup = tempfile::tempdir().unwrap();
    let copy = |from: &Path, to: &Path| {
        fs::create_dir_all(to.join("sound")).unwrap();
        fs::copy(from.join("nachtwache.db"), to.join("nachtwache.db")).unwrap();
        for entry in fs::read_dir(from.join("sound")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, to.join("sound").join(path.file_name().unwrap())).unwrap();
        }
    };
    copy(base.folder.path(), backup.path());

    let store = Store::open(&base.url, &folder).await.unwrap();
    look(&store, base.settings(""), t(40)).await;
    let order = Order { actor: "Chef", even_open: false, periods: &base.settings("").retention.periods() };
    requests::erase(&store, &all[..3], order, t(41)).await.unwrap();
    ledger::follow(&store, base.folder.path()).await.unwrap();
    store.close().await;
    copy(backup.path(), base.folder.path());
    assert!(!residues(base.folder.path()).is_empty(), "the backup brought it back");

    let store = Store::open(&base.url, &folder).await.unwrap();
    // nothing is due by its period any more: only the ledger knows
    look(&store, base.settings("[retention]\nsound_days = 300\ntext_days = 300\n"), t(42)).await;
    assert!(fs::read_dir(&folder).unwrap().next().is_none(), "no sound is there");
    let mut reader = store.read().await.unwrap();
    for report in reports::all(&mut reader).await.unwrap() {
        assert!(transcripts::find(&mut reader, report.id).await.unwrap().is_none());
        assert_eq!(report.caller.number.is_none(), all[..3].contains(&report.id), "as far as it was deleted");
    }
    let why = rows::of_report(&mut reader, all[10]).await.unwrap().last().unwrap().why.clone();
    assert_eq!(why, "restored");
    assert!(ledger::check(&store, base.folder.path()).await.unwrap().is_whole());
    assert_eq!(retention::reapply(&store, t(43)).await.unwrap(), 0, "nothing is left to be deleted again");
}

#[tokio::test]
async fn a_report_goes_its_whole_way_and_of_a_month_later_only_its_number_is_left() {
    let mut world = World::night().await;
    let report = world.hear(EMERGENCY).await;
    let case = world.case(report).await.unwrap().id;
    world.act("Anna", Act::Take, case).await;
    world.act("Anna", Act::NoEmergency(Reason::Misdial), case).await;
    world.sql("DELETE FROM charges").await;
    world.clock.advance(TimeDelta::days(31));
    retain(&world).await;
    world.settle().await;
    let mut reader = world.store.read().await.unwrap();
    let shown = reports::find(&mut reader, report).await.unwrap();
    assert_eq!(shown.caller.number.as_deref(), Some(CALLER), "90 days");
    assert!(shown.recording.is_none() && transcripts::find(&mut reader, report).await.unwrap().is_none());
    let counted = cases::of_report(&mut reader, report).await.unwrap().unwrap();
    assert_eq!((counted.id, counted.outcome), (case, Some(Outcome::NoEmergency)));
}

async fn retain(world: &World) {
    let folder = world.folder.path().display();
    let mut settings = (*world.settings).clone();
    settings.store.folder = folder.to_string().into();
    let clock = Arc::new(world.clock.clone());
    let mut step = RetentionStep::new(world.store.clone(), Arc::new(settings), clock, Bells::default());
    while step.tick().await.unwrap() == Round::Worked {}
}

#[tokio::test]
async fn a_recording_does_not_stay_in_the_chat_for_two_days() {
    let settings = "[telegram]\nredact_closed = true\n[[technicians]]\nname = \"Anna\"\ntelegram_chat = 101\n";
    let mut world = World::by(crate::world::NIGHT, None, settings).await;
    let voices = |world: &World| world.phone(ANNA).iter().filter(|shown| shown.file.is_some()).count();
    world.hear(NO_EMERGENCY).await;
    assert_eq!(voices(&world), 1);
    world.clock.advance(TimeDelta::hours(45));
    retain(&world).await;
    world.settle().await;
    assert_eq!(voices(&world), 1);
    world.clock.advance(TimeDelta::minutes(61));
    retain(&world).await;
    world.settle().await;
    assert_eq!(voices(&world), 0, "later a bot cannot take it off any more");
}

#[tokio::test]
async fn what_no_bot_can_take_off_a_chat_any_more_is_not_tried() {
    let settings = "[telegram]\nredact_closed = true\n[[technicians]]\nname = \"Anna\"\ntelegram_chat = 101\n";
    let mut world = World::by(crate::world::NIGHT, None, settings).await;
    world.hear(NO_EMERGENCY).await;
    world.clock.advance(TimeDelta::hours(49));
    world.settle().await;
    let calls = world.bot.calls().len();
    retain(&world).await;
    world.settle().await;
    assert_eq!(world.bot.calls().len(), calls, "after an update all of them would be tried at once");
}

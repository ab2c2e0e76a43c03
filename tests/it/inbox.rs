//! The list of what came in: kept in step with the truth, filtered, counted, paged and searched alike on both databases.

use crate::postgres;
use crate::world::{ANNA, EMERGENCY, NIGHT, World};
use chrono::{DateTime, TimeDelta, Utc};
use nachtwache::acknowledge::Answer;
use nachtwache::domain::act::Act;
use nachtwache::domain::assessment::{Assessment, Consent, Declaration, Fields, Verdict};
use nachtwache::domain::case::{Case, CaseState};
use nachtwache::domain::report::{Caller, DRILL, Mail, Medium, Recording, Report, ReportId, Stage};
use nachtwache::domain::search;
use nachtwache::domain::tariff::{Cents, Tariff};
use nachtwache::domain::transcript::{Transcript, Word};
use nachtwache::review::inbox::InboxStep;
use nachtwache::runtime::worker::{Round, Step as _};
use nachtwache::store::inbox::{Counts, Cursor, Filter, PAGE, Row, State, VERDICTS};
use nachtwache::store::joins::Why;
use nachtwache::store::{Store, Tx, assessments, cases, charges, inbox, joins, mails, reports, transcripts};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use std::time::Duration;

pub(crate) struct Base {
    pub(crate) store: Store,
    pub(crate) url: String,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) async fn sqlite() -> Base {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/a.db", folder.path().display());
    Base { store: Store::open(&url, &folder.path().join("sound")).await.unwrap(), url, folder }
}

pub(crate) async fn postgresql() -> Base {
    let (folder, url) = (tempfile::tempdir().unwrap(), postgres::url());
    Base { store: Store::open(&url, &folder.path().join("sound")).await.unwrap(), url, folder }
}

/// Each of these runs once on each database.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite { $(#[tokio::test] async fn $name() { super::$name(super::sqlite().await).await; })+ }
        mod on_postgresql { $(#[tokio::test] async fn $name() { super::$name(super::postgresql().await).await; })+ }
    };
}

on_both!(
    after_any_story_the_list_is_what_the_truth_says,
    what_was_stored_before_there_was_a_list_gets_its_rows,
    a_report_is_found_by_what_was_said_written_and_shown,
    nothing_that_is_typed_breaks_the_search,
    what_is_forgotten_is_found_by_nothing,
    the_pages_lead_down_and_up_again,
    a_later_report_shows_the_case_it_joined,
);

fn t(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000 + seconds, 0).unwrap()
}

pub(crate) fn report(key: &str, called_at: DateTime<Utc>) -> Report {
    Report {
        id: ReportId::fresh(),
        source: "spool".into(),
        key: key.into(),
        mailbox: None,
        caller: Caller { number: Some("09721 555017".into()), name: None },
        called_at,
        stored_at: called_at + TimeDelta::seconds(20),
        recording: Some(Recording { file: "x.wav".into(), sha256: "ab".into(), bytes: 7, name: "msg0000.wav".into() }),
        trouble: None,
        medium: Medium::Voicemail,
        longest_s: None,
        stage: Stage::Transcribe,
    }
}

pub(crate) fn transcript(text: &str) -> Transcript {
    let word = |text: &str| Word { text: text.into(), start_ms: 0, end_ms: 1, probability: 0.9 };
    Transcript {
        model: "-".into(),
        language: "de".into(),
        sound_ms: 47_000,
        words: text.split_whitespace().map(word).collect(),
        second: None,
        speech: Vec::new(),
        doubt: None,
        remark: None,
    }
}

pub(crate) fn assessment(verdict: Verdict, fields: Fields) -> Assessment {
    Assessment {
        verdict,
        declaration: Declaration::Absent,
        consent: Consent::Absent,
        consent_doubt: None,
        urgent: false,
        findings: Vec::new(),
        fields,
        missing: Vec::new(),
        tariff: Tariff::Activation { net: Cents(4800), gross: Cents(5712), vat_percent: 19 },
        language: "de".into(),
        remark: None,
        rules: "-".into(),
    }
}

async fn put(tx: &mut Tx, report: &Report) {
    assert!(reports::insert(tx, report, None, t(0), None).await.unwrap());
}

async fn said(tx: &mut Tx, report: ReportId, text: &str) {
    transcripts::put(tx, report, &transcript(text), Duration::ZERO, t(0)).await.unwrap();
}

async fn judged(tx: &mut Tx, report: ReportId, verdict: Verdict, company: Option<&str>) {
    let fields = Fields { company: company.map(Into::into), ..Fields::default() };
    assessments::put(tx, report, &assessment(verdict, fields), t(0)).await.unwrap();
}

async fn list(base: &Base, filter: &Filter) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut cursor = Cursor::Newest;
    loop {
        let page = inbox::page(&mut base.store.read().await.unwrap(), filter, cursor).await.unwrap();
        rows.extend(page.rows);
        let Some(older) = page.older else { return rows };
        cursor = Cursor::Before(older);
    }
}

async fn find(base: &Base, words: &str) -> Vec<ReportId> {
    let filter = Filter { words: words.into(), ..Filter::default() };
    list(base, &filter).await.iter().map(|row| row.report).collect()
}

/// A sequence that looks like chance and is the same each time.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

const PEOPLE: [&str; 3] = ["Anna", "Bernd", "Carla"];
const SENTENCES: [&str; 4] = [
    "Der Server steht, bitte rufen Sie an",
    "Müller hier, das ist ein Notfall",
    "Nur eine Frage zur Rechnung",
    "Das Internet in der Straße ist ausgefallen",
];

/// What one report goes through by chance.
async fn one_step(base: &Base, chance: &mut Chance, all: &mut Vec<ReportId>, number: usize) {
    let mut tx = base.store.begin().await.unwrap();
    let some = if all.is_empty() { None } else { Some(chance.one(all)) };
    match (chance.below(9), some) {
        (0..=2, _) | (_, None) => {
            let at = t(i64::try_from(chance.below(50)).unwrap() * 3600);
            let mut new = report(&number.to_string(), at);
            new.source = chance.one(&["spool", "sipgate", DRILL]).into();
            put(&mut tx, &new).await;
            all.push(new.id);
        }
        (3, Some(id)) => said(&mut tx, id, chance.one(&SENTENCES)).await,
        (4, Some(id)) => judged(&mut tx, id, chance.one(&VERDICTS), Some("Autohaus Brandl")).await,
        (5, Some(id)) => {
            let drill = reports::find(tx.reading(), id).await.unwrap().is_drill();
            let own = cases::of_report(tx.reading(), id).await.unwrap().is_some();
            if !drill && !own && !joins::is_joined(tx.reading(), id).await.unwrap() {
                cases::open(&mut tx, id, Verdict::Unclear, true, t(0)).await.unwrap();
            }
        }
        (6, Some(id)) => {
            let own = cases::of_report(tx.reading(), id).await.unwrap().is_some();
            let other = cases::of_report(tx.reading(), chance.one(all)).await.unwrap();
            if let (false, Some(case)) = (own, other) {
                joins::add(&mut tx, id, case.id, Why::SameTrouble, t(0)).await.unwrap();
            }
        }
        (7, Some(id)) => joins::remove(&mut tx, id).await.unwrap(),
        (_, Some(id)) => {
            if let Some(mut case) = cases::of_report(tx.reading(), id).await.unwrap() {
                act(&mut case, chance);
                cases::put(&mut tx, &case).await.unwrap();
            }
        }
    }
    // what is taken back leaves no trace in the list either
    if chance.below(10) > 0 {
        tx.commit().await.unwrap();
    } else {
        drop(tx);
        let stored = reports::all(&mut base.store.read().await.unwrap()).await.unwrap();
        all.retain(|id| stored.iter().any(|report| report.id == *id));
    }
}

fn act(case: &mut Case, chance: &mut Chance) {
    case.state = chance.one(&[CaseState::Open, CaseState::Taken, CaseState::Closed]);
    case.taken_by = (case.state != CaseState::Open).then(|| chance.one(&PEOPLE).to_owned());
    case.closed_by = (case.state == CaseState::Closed && chance.below(2) == 0).then(|| chance.one(&PEOPLE).to_owned());
    case.due_at = (case.state != CaseState::Closed).then(|| t(60));
}

/// What the truth says of a report: verdict, state, technician, case, and its words.
struct Truth {
    row: (ReportId, Option<Verdict>, State, Option<String>, Option<i64>),
    words: std::collections::BTreeSet<String>,
    report: Report,
}

async fn truth(base: &Base) -> Vec<Truth> {
    let mut db = base.store.read().await.unwrap();
    let mut all = Vec::new();
    for report in reports::all(&mut db).await.unwrap().into_iter().filter(|report| !report.is_drill()) {
        let found = assessments::find(&mut db, report.id).await.unwrap();
        let text = transcripts::find(&mut db, report.id).await.unwrap().map(|(transcript, _)| transcript.text());
        let mut case = cases::of_report(&mut db, report.id).await.unwrap();
        if let (None, Some(id)) = (&case, joins::case_of(&mut db, report.id).await.unwrap()) {
            case = cases::find(&mut db, id).await.unwrap();
        }
        let verdict = found.as_ref().map(|found| found.verdict);
        let (state, technician) = match &case {
            None if verdict.is_none() => (State::Waiting, None),
            None => (State::None, None),
            Some(case) => match case.state {
                CaseState::Open => (State::Open, None),
                CaseState::Taken => (State::Taken, case.taken_by.clone()),
                CaseState::Closed => (State::Closed, case.closed_by.clone().or(case.taken_by.clone())),
            },
        };
        let number = case.as_ref().map(|case| format!("Vorgang {}", case.id));
        let company = found.and_then(|found| found.fields.company);
        let texts = [&report.caller.number, &text, &number, &company].into_iter().flatten().map(String::as_str);
        let words = search::kept(texts);
        all.push(Truth { row: (report.id, verdict, state, technician, case.map(|case| case.id.0)), words, report });
    }
    all
}

fn passes(truth: &Truth, filter: &Filter) -> bool {
    let (_, verdict, state, technician, _) = &truth.row;
    (filter.verdicts.is_empty() || verdict.is_some_and(|verdict| filter.verdicts.contains(&verdict)))
        && filter.state.is_none_or(|wanted| wanted == *state)
        && filter.technician.as_ref().is_none_or(|wanted| Some(wanted) == technician.as_ref())
        && filter.source.as_ref().is_none_or(|wanted| *wanted == truth.report.source)
        && filter.from.is_none_or(|from| truth.report.called_at >= from)
        && filter.until.is_none_or(|until| truth.report.called_at < until)
        && search::sought(&filter.words).iter().all(|term| {
            let of = |word: &String| if term.begins { word.starts_with(&term.word) } else { *word == term.word };
            truth.words.iter().any(of)
        })
}

fn some_filter(chance: &mut Chance) -> Filter {
    let mut filter = Filter::default();
    for _ in 0..chance.below(4) {
        match chance.below(6) {
            0 => filter.verdicts = (0..=chance.below(2)).map(|_| chance.one(&VERDICTS)).collect(),
            1 => filter.state = Some(chance.one(&State::ALL)),
            2 => filter.technician = Some(chance.one(&PEOPLE).into()),
            3 => filter.source = Some(chance.one(&["spool", "sipgate", "none"]).into()),
            4 => {
                filter.words = chance.one(&["server", "muell", "Brandl", "notfall vorg", "1003", "555017", "x"]).into();
            }
            _ => (filter.from, filter.until) = (Some(t(10 * 3600)), Some(t(30 * 3600))),
        }
    }
    filter
}

async fn after_any_story_the_list_is_what_the_truth_says(base: Base) {
    let mut chance = Chance(20_261_128);
    let mut all = Vec::new();
    for number in 0..300 {
        one_step(&base, &mut chance, &mut all, number).await;
    }
    let truth = truth(&base).await;
    assert!(truth.len() > PAGE, "a story long enough for two pages: {}", truth.len());
    for number in 0..60 {
        let filter = if number == 0 { Filter::default() } else { some_filter(&mut chance) };
        let mut wanted: Vec<_> = truth.iter().filter(|one| passes(one, &filter)).map(|one| one.row.clone()).collect();
        let rows = list(&base, &filter).await;
        assert!(rows.is_sorted_by(|a, b| a.place > b.place && a.called_at >= b.called_at), "{filter:?}");
        let told = |row: Row| (row.report, row.verdict, row.state, row.technician, row.case.map(|case| case.0));
        let mut found: Vec<_> = rows.into_iter().map(told).collect();
        wanted.sort_by_key(|row| row.0);
        found.sort_by_key(|row| row.0);
        assert_eq!(found, wanted, "{filter:?}");
        let counts = inbox::counts(&mut base.store.read().await.unwrap(), &filter).await.unwrap();
        assert_eq!(counts, counted(&truth, &filter), "{filter:?}");
    }
}

fn counted(truth: &[Truth], filter: &Filter) -> Counts {
    let many = |filter: &Filter| i64::try_from(truth.iter().filter(|one| passes(one, filter)).count()).unwrap();
    Counts {
        more: false,
        all: many(filter),
        verdicts: VERDICTS.map(|verdict| many(&Filter { verdicts: vec![verdict], ..filter.clone() })),
        states: State::ALL.map(|state| many(&Filter { state: Some(state), ..filter.clone() })),
    }
}

/// The worker, until nothing can be caught up any more.
pub(crate) async fn catch_up(store: &Store) {
    let (mut step, mut rests) = (InboxStep::new(store.clone()), 0);
    while rests < 3 {
        match step.tick().await.unwrap() {
            Round::Worked => rests = 0,
            Round::Idle => rests += 1,
        }
    }
}

/// Everything of the list is out of reach, as where its index is broken.
async fn a_broken_list_costs_no_alarm(database: Option<String>) {
    let mut world = World::at(NIGHT, database, "").await;
    let mut foreign = sqlx::AnyConnection::connect(world.url()).await.unwrap();
    for (table, other) in [("inbox_words", "words_elsewhere"), ("inbox", "inbox_elsewhere")] {
        foreign.execute(AssertSqlSafe(format!("ALTER TABLE {table} RENAME TO {other}"))).await.unwrap();
        let report = world.hear(EMERGENCY).await;
        let case = world.case(report).await.expect("a case was opened");
        assert!(world.rings(ANNA) > 0, "it rings");
        assert_eq!(world.act("Anna", Act::Take, case.id).await, Answer::Done);
        foreign.execute(AssertSqlSafe(format!("ALTER TABLE {other} RENAME TO {table}"))).await.unwrap();
        let mut reader = world.store.read().await.unwrap();
        assert_eq!(inbox::due(&mut reader, None).await.unwrap(), [report.to_string()], "it is noted");
        drop(reader);
        catch_up(&world.store).await;
        let mut reader = world.store.read().await.unwrap();
        assert!(inbox::due(&mut reader, None).await.unwrap().is_empty());
        let filter = Filter { words: "Rossmeisl".into(), state: Some(State::Taken), ..Filter::default() };
        let rows = inbox::page(&mut reader, &filter, Cursor::Newest).await.unwrap().rows;
        assert!(rows.iter().any(|row| row.report == report), "it is found, as it is by now");
        drop(reader);
        world.act("Anna", Act::Done, case.id).await;
    }
    foreign.close().await.unwrap();
}

#[tokio::test]
async fn a_broken_list_costs_no_alarm_on_sqlite() {
    a_broken_list_costs_no_alarm(None).await;
}

#[tokio::test]
async fn a_broken_list_costs_no_alarm_on_postgresql() {
    a_broken_list_costs_no_alarm(Some(postgres::url())).await;
}

async fn what_was_stored_before_there_was_a_list_gets_its_rows(base: Base) {
    let mut tx = base.store.begin().await.unwrap();
    for number in 0..3 {
        let new = report(&number.to_string(), t(number));
        put(&mut tx, &new).await;
        said(&mut tx, new.id, "Der Server steht").await;
        if number == 1 {
            cases::open(&mut tx, new.id, Verdict::Unclear, false, t(9)).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
    let before = list(&base, &Filter::default()).await;
    base.store.close().await;
    let mut foreign = sqlx::AnyConnection::connect(&base.url).await.unwrap();
    for statement in [
        "DELETE FROM inbox_words",
        "DELETE FROM inbox_shown",
        "DELETE FROM inbox",
        "INSERT INTO inbox_due (report_id) SELECT id FROM reports",
        "UPDATE cases SET state = 'odd'",
    ] {
        foreign.execute(statement).await.unwrap();
    }
    let store = Store::open(&base.url, &base.folder.path().join("sound")).await.unwrap();
    let base = Base { store, ..base };
    assert!(list(&base, &Filter::default()).await.is_empty(), "the start waits for none of them");
    catch_up(&base.store).await;
    let sound: Vec<Row> = before.iter().filter(|row| row.case.is_none()).cloned().collect();
    assert_eq!(list(&base, &Filter::default()).await, sound, "a broken row holds up no other");
    foreign.execute("UPDATE cases SET state = 'open'").await.unwrap();
    foreign.close().await.unwrap();
    catch_up(&base.store).await;
    assert_eq!(list(&base, &Filter::default()).await, before);
    assert_eq!(find(&base, "server").await.len(), 3);
}

async fn a_report_is_found_by_what_was_said_written_and_shown(base: Base) {
    let (spoken, mut written) = (report("a", t(0)), report("b", t(60)));
    written.medium = Medium::Email;
    written.caller = Caller::default();
    let mut tx = base.store.begin().await.unwrap();
    put(&mut tx, &spoken).await;
    said(&mut tx, spoken.id, "Hier ist die Bäckerei Müller, der Großrechner steht still").await;
    let fields = Fields {
        company: Some("Bäckerei Müller".into()),
        contact: Some("Zoë Straßer".into()),
        callback: Some("+491713920027".into()),
        ..Fields::default()
    };
    assessments::put(&mut tx, spoken.id, &assessment(Verdict::Confirmed, fields), t(0)).await.unwrap();
    let case = cases::open(&mut tx, spoken.id, Verdict::Confirmed, false, t(0)).await.unwrap();
    put(&mut tx, &written).await;
    let mail = Mail {
        sender: Some("info@brandl.example".into()),
        subject: "Drucker druckt nicht".into(),
        text: "Guten Morgen, der Drucker im Büro druckt nicht.".into(),
        ..Mail::default()
    };
    mails::put(&mut tx, written.id, &mail, spoken.recording.as_ref().unwrap()).await.unwrap();
    tx.commit().await.unwrap();
    for words in [
        "müller",
        "MUELLER",
        "baeckerei grossrech",
        "zoe strasser",
        "0171 3920027",
        "+49 171 39200",
        "3920027",
        "09721/555017",
        &format!("Vorgang {}", case.id),
        &case.id.to_string(),
    ] {
        assert_eq!(find(&base, words).await, [spoken.id], "{words}");
    }
    for words in ["drucker", "info@brandl.example", "buero", "brandl"] {
        assert_eq!(find(&base, words).await, [written.id], "{words}");
    }
    assert_eq!(find(&base, "müller drucker").await, []);
    assert_eq!(find(&base, "").await, [written.id, spoken.id]);
    let row = inbox::row(&mut base.store.read().await.unwrap(), spoken.id).await.unwrap().unwrap();
    assert_eq!((row.company.as_deref(), row.callback.as_deref()), (Some("Bäckerei Müller"), Some("+491713920027")));
    assert_eq!((row.sound_ms, row.state, row.case), (Some(47_000), State::Open, Some(case.id)));
    assert_eq!(row.opening.as_deref(), Some("Hier ist die Bäckerei Müller, der Großrechner steht still"));
}

async fn nothing_that_is_typed_breaks_the_search(base: Base) {
    let new = report("a", t(0));
    let mut tx = base.store.begin().await.unwrap();
    put(&mut tx, &new).await;
    said(&mut tx, new.id, "near and or not null select").await;
    tx.commit().await.unwrap();
    for typed in [
        "\"",
        "'",
        "near(",
        "AND",
        "a AND NOT b",
        "*",
        "^a",
        "words:x",
        "{a b}: c",
        "-x",
        "+x",
        "'; DROP TABLE inbox; --",
        ":*",
        "!a",
        "a & | b",
        "<->",
        "\\",
        "\0",
        "%",
        "$1",
        "?",
        "\u{202e}abc",
        "((((((((((",
        "🚨",
        "null\0null",
        "ﷺ",
    ] {
        let filter = Filter { words: typed.into(), ..Filter::default() };
        let mut db = base.store.read().await.unwrap();
        inbox::page(&mut db, &filter, Cursor::Newest).await.unwrap_or_else(|error| panic!("{typed:?}: {error}"));
        inbox::counts(&mut db, &filter).await.unwrap_or_else(|error| panic!("{typed:?}: {error}"));
    }
    assert_eq!(find(&base, "near AND or NOT").await, [new.id], "operators are words");
    let filter = Filter { source: Some("' OR 1=1 --".into()), technician: Some("\"".into()), ..Filter::default() };
    assert_eq!(list(&base, &filter).await, []);
}

async fn what_is_forgotten_is_found_by_nothing(base: Base) {
    let new = report("a", t(0));
    let mut tx = base.store.begin().await.unwrap();
    put(&mut tx, &new).await;
    said(&mut tx, new.id, "Xylophonfabrik Quastenflosser").await;
    judged(&mut tx, new.id, Verdict::Unclear, Some("Xylophonfabrik")).await;
    tx.commit().await.unwrap();
    assert_eq!(find(&base, "quastenflosser").await, [new.id]);
    let mut tx = base.store.begin().await.unwrap();
    inbox::forget(&mut tx, new.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(find(&base, "quastenflosser").await, []);
    let rows = list(&base, &Filter::default()).await;
    assert_eq!(
        (rows[0].verdict, rows[0].company.as_deref(), rows[0].opening.as_deref()),
        (Some(Verdict::Unclear), None, None)
    );
    let mut tx = base.store.begin().await.unwrap();
    inbox::refresh(&mut tx, new.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(find(&base, "quastenflosser").await, [new.id], "what the truth still holds can be put back");
}

/// SQLite keeps pages: what is taken out of the index must not lie on in them.
#[tokio::test]
async fn what_is_forgotten_is_gone_from_the_file() {
    let base = sqlite().await;
    let mut tx = base.store.begin().await.unwrap();
    let mut ids = Vec::new();
    for number in 0..40 {
        let new = report(&number.to_string(), t(number));
        put(&mut tx, &new).await;
        said(&mut tx, new.id, if number == 7 { "quastenflosser" } else { "etwas anderes" }).await;
        ids.push(new.id);
    }
    tx.commit().await.unwrap();
    let mut tx = base.store.begin().await.unwrap();
    inbox::forget(&mut tx, ids[7]).await.unwrap();
    tx.commit().await.unwrap();
    base.store.close().await;
    let mut foreign = sqlx::AnyConnection::connect(&base.url).await.unwrap();
    foreign.execute("PRAGMA secure_delete = ON").await.unwrap();
    foreign.execute("DELETE FROM transcripts").await.unwrap();
    foreign.execute("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    foreign.close().await.unwrap();
    let holds = |word: &[u8]| {
        let bytes = std::fs::read(base.folder.path().join("a.db")).unwrap();
        bytes.windows(word.len()).any(|found| found == word)
    };
    assert!(holds(b"anderes"), "the words of the others are there");
    assert!(!holds(b"quastenflosser"));
}

async fn the_pages_lead_down_and_up_again(base: Base) {
    let mut tx = base.store.begin().await.unwrap();
    for number in 0..120 {
        // three at a time in one millisecond
        put(&mut tx, &report(&number.to_string(), t(number / 3))).await;
    }
    tx.commit().await.unwrap();
    let page = async |cursor| {
        let filter = Filter::default();
        inbox::page(&mut base.store.read().await.unwrap(), &filter, cursor).await.unwrap()
    };
    let first = page(Cursor::Newest).await;
    let second = page(Cursor::Before(first.older.unwrap())).await;
    let third = page(Cursor::Before(second.older.unwrap())).await;
    assert_eq!((first.rows.len(), second.rows.len(), third.rows.len()), (50, 50, 20));
    assert_eq!((first.newer, third.older), (None, None));
    assert_eq!(page(Cursor::After(third.newer.unwrap())).await, second);
    assert_eq!(
        page(Cursor::After(second.newer.unwrap())).await,
        first,
        "the top page is full and knows that it is the top"
    );
    assert_eq!(page(Cursor::After(first.rows[0].place)).await, first);
}

async fn a_later_report_shows_the_case_it_joined(base: Base) {
    let (first, later) = (report("a", t(0)), report("b", t(600)));
    let mut tx = base.store.begin().await.unwrap();
    put(&mut tx, &first).await;
    put(&mut tx, &later).await;
    judged(&mut tx, later.id, Verdict::Incomplete, None).await;
    let mut case = cases::open(&mut tx, first.id, Verdict::Confirmed, false, t(0)).await.unwrap();
    joins::add(&mut tx, later.id, case.id, Why::SameTrouble, t(600)).await.unwrap();
    let charge = charges::Charge {
        case: case.id,
        report: first.id,
        net: Cents(4800),
        gross: Cents(5712),
        basis: charges::Basis::Spoken,
        proof: "{}".into(),
    };
    charges::propose(&mut tx, &charge, t(0)).await.unwrap();
    case.state = CaseState::Taken;
    case.taken_by = Some("Anna".into());
    cases::put(&mut tx, &case).await.unwrap();
    tx.commit().await.unwrap();
    let filter = Filter { technician: Some("Anna".into()), state: Some(State::Taken), ..Filter::default() };
    let rows = list(&base, &filter).await;
    assert_eq!(rows.iter().map(|row| row.report).collect::<Vec<_>>(), [later.id, first.id]);
    assert!(rows.iter().all(|row| row.case == Some(case.id) && row.charge));
    assert_eq!(rows[0].verdict, Some(Verdict::Incomplete));
}

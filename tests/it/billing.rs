//! Charges: proposed, released, cancelled, each once and by somebody; what a released one withstands; the figures.

use crate::store::{Base, on_both, report, t};
use crate::world::{EMERGENCY, World};
use chrono::{DateTime, TimeDelta, Utc};
use nachtwache::acknowledge::Answer;
use nachtwache::domain::act::Act;
use nachtwache::domain::assessment::{Assessment, Fields, Verdict};
use nachtwache::domain::case::{Case, CaseId, CaseState, Outcome, PhoneConsent};
use nachtwache::domain::charge::{Basis, ChargeState, Entry, Filter, Objection, StepKind};
use nachtwache::domain::report::{DRILL, Report, ReportId};
use nachtwache::domain::tariff::{Cents, Tariff};
use nachtwache::domain::transcript::Transcript;
use nachtwache::review::charges::{Decided, REASON_MAX, cancel, dossier, lines, page, release};
use nachtwache::review::figures::{Reach, Wait, figures};
use nachtwache::runtime::clock::Clock as _;
use nachtwache::store::charges::{self, Charge};
use nachtwache::store::{
    Store, assessments, cases, charge_steps, consents, events, figures as figures_of, reports, transcripts,
};
use std::time::{Duration, Instant};

on_both!(
    a_charge_is_released_once_and_the_second_one_learns_who_did,
    of_twenty_who_decide_at_once_one_does,
    a_proposed_charge_is_cancelled_and_a_released_one_credited,
    nobody_and_without_a_reason_nothing_is_decided,
    what_was_released_is_neither_deleted_nor_moved_and_says_why_it_must_be_looked_at,
    a_refusal_takes_back_what_stood_on_the_phone_alone_and_its_steps_stay,
    what_a_person_cancelled_only_a_person_brings_back,
    what_was_recorded_before_the_cancellation_brings_nothing_back,
    one_message_is_paid_once,
    a_released_charge_keeps_whom_it_was_for_when_the_words_are_gone,
    charges_are_listed_by_state_and_month_with_their_sums,
    figures_count_verdicts_waits_and_lengths_without_any_text,
);

async fn case_of(base: &Base, key: &str) -> (Report, Case) {
    let report = report(key);
    let mut tx = base.store.begin().await.unwrap();
    reports::insert(&mut tx, &report, None, t(0), None).await.unwrap();
    assessments::put(&mut tx, report.id, &found(Verdict::Confirmed), t(1)).await.unwrap();
    let case = cases::open(&mut tx, report.id, Verdict::Confirmed, false, t(1)).await.unwrap();
    tx.commit().await.unwrap();
    (report, case)
}

fn found(verdict: Verdict) -> Assessment {
    let fields =
        Fields { company: Some("Rossmeisl".into()), displayed: Some("+499721555017".into()), ..Fields::default() };
    let tariff = Tariff::Activation { net: Cents(4800), gross: Cents(5712), vat_percent: 19 };
    let text = serde_json::json!({
        "verdict": verdict, "declaration": "declared", "consent": "full", "consent_doubt": null, "urgent": true,
        "findings": [{ "subject": "fee", "polarity": "holds", "rule": "consent.fee", "quote": "mit der Gebühr einverstanden",
            "range": [0, 29], "seconds": [31.0, 33.5], "probability": 0.9 }],
        "fields": fields, "missing": [], "tariff": tariff, "language": "de", "remark": null, "rules": "r1",
    });
    serde_json::from_value(text).unwrap()
}

/// A case with a charge proposed by its words.
async fn proposed(base: &Base, key: &str) -> (Report, Case) {
    let (report, case) = case_of(base, key).await;
    let mut tx = base.store.begin().await.unwrap();
    charges::propose_by(&mut tx, case.id, &report, &found(Verdict::Confirmed), None, t(2)).await.unwrap();
    tx.commit().await.unwrap();
    (report, case)
}

async fn on_the_phone(base: &Base, case: &Case, given: bool, seconds: i64) {
    let mut tx = base.store.begin().await.unwrap();
    let consent = PhoneConsent { given, actor: "Anna".into(), at: t(seconds) };
    consents::add(&mut tx, case.id, &consent).await.unwrap();
    if given {
        let tariff = Tariff::Activation { net: Cents(4800), gross: Cents(5712), vat_percent: 19 };
        charges::propose_by_phone(&mut tx, case, &consent, tariff, t(seconds)).await.unwrap();
    } else {
        charges::withdraw_by_phone(&mut tx, case.id, t(seconds)).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn entry(store: &Store, case: CaseId) -> Option<Entry> {
    charge_steps::find(&mut store.read().await.unwrap(), case).await.unwrap()
}

async fn steps(store: &Store, case: CaseId) -> Vec<StepKind> {
    let steps = charge_steps::steps(&mut store.read().await.unwrap(), case).await.unwrap();
    steps.into_iter().map(|step| step.kind).collect()
}

fn done(decided: Decided) -> Entry {
    match decided {
        Decided::Done(entry) => *entry,
        other => panic!("not done: {other:?}"),
    }
}

async fn a_charge_is_released_once_and_the_second_one_learns_who_did(base: Base) {
    let (report, case) = proposed(&base, "a").await;
    let released = done(release(&base.store, case.id, " Klara ", t(10)).await.unwrap());
    assert_eq!(
        (released.state, released.basis, released.vat_percent()),
        (ChargeState::Released, Basis::Spoken, Some(19))
    );
    let Decided::Already(stands) = release(&base.store, case.id, "Jens", t(11)).await.unwrap() else { panic!("twice") };
    let by = stands.released.clone().unwrap();
    assert_eq!((by.by.as_str(), by.at), ("Klara", t(10)));
    assert_eq!(*stands, released);
    let dossier = dossier(&mut base.store.read().await.unwrap(), case.id).await.unwrap().unwrap();
    assert_eq!((dossier.report, dossier.case.id, dossier.verdict), (report, case.id, Some(Verdict::Confirmed)));
    assert_eq!(dossier.entry.quote().as_deref(), Some("mit der Gebühr einverstanden"));
    assert_eq!(dossier.entry.proof.sound_sha256.as_deref(), Some("ab"));
    assert_eq!(dossier.entry.customer.callback.as_deref(), Some("+499721555017"));
    assert_eq!(
        dossier.steps.iter().map(|step| step.kind).collect::<Vec<_>>(),
        [StepKind::Proposed, StepKind::Released]
    );
    assert_eq!(release(&base.store, CaseId(9), "Klara", t(12)).await.unwrap(), Decided::Unknown);
}

async fn of_twenty_who_decide_at_once_one_does(base: Base) {
    let (_, case) = proposed(&base, "a").await;
    let all = (0..20).map(|nth| {
        let (store, id) = (base.store.clone(), case.id);
        async move {
            let by = format!("P{nth}");
            let decided = if nth % 2 == 0 {
                release(&store, id, &by, t(10)).await.unwrap()
            } else {
                cancel(&store, id, &by, "anders", t(10)).await.unwrap()
            };
            matches!(decided, Decided::Done(_))
        }
    });
    let decided = futures::future::join_all(all).await.into_iter().filter(|done| *done).count();
    let steps = steps(&base.store, case.id).await;
    // a cancellation may follow a release, and nothing follows a cancellation
    assert_eq!(steps.len(), 1 + decided, "{steps:?}");
    assert!((1..=2).contains(&decided), "{steps:?}");
    assert_eq!(entry(&base.store, case.id).await.unwrap().state, ChargeState::Cancelled, "ten wanted it");
}

async fn a_proposed_charge_is_cancelled_and_a_released_one_credited(base: Base) {
    let ((_, one), (_, two)) = (proposed(&base, "a").await, proposed(&base, "b").await);
    let cancelled = done(cancel(&base.store, one.id, "Klara", " Kulanz ", t(10)).await.unwrap());
    assert_eq!((cancelled.state, cancelled.reason.as_deref()), (ChargeState::Cancelled, Some("Kulanz")));
    assert!(!cancelled.is_credited());
    let story = events::of_report(&mut base.store.read().await.unwrap(), one.report).await.unwrap();
    assert!(story.iter().all(|event| !event.detail.contains("Kulanz")), "the reason goes with the proof: {story:?}");
    release(&base.store, two.id, "Klara", t(10)).await.unwrap();
    let credited = done(cancel(&base.store, two.id, "Jens", "Irrtum", t(20)).await.unwrap());
    assert!(credited.is_credited(), "the release stays in the books");
    assert_eq!(credited.released.map(|released| released.by), Some("Klara".into()));
    assert_eq!(steps(&base.store, two.id).await, [StepKind::Proposed, StepKind::Released, StepKind::Credited]);
    assert!(matches!(cancel(&base.store, two.id, "Jens", "noch mal", t(30)).await.unwrap(), Decided::Already(_)));
    assert!(matches!(release(&base.store, one.id, "Jens", t(30)).await.unwrap(), Decided::Already(_)));
    let booked = lines(&mut base.store.read().await.unwrap(), &Filter::default()).await.unwrap();
    assert_eq!(
        booked.iter().map(|line| (line.entry.case, line.credit)).collect::<Vec<_>>(),
        [(one.id, false), (two.id, false), (two.id, true)]
    );
}

async fn nobody_and_without_a_reason_nothing_is_decided(base: Base) {
    let (_, case) = proposed(&base, "a").await;
    assert_eq!(release(&base.store, case.id, "  ", t(10)).await.unwrap(), Decided::Nobody);
    assert_eq!(cancel(&base.store, case.id, "", "x", t(10)).await.unwrap(), Decided::Nobody);
    for reason in ["", " \n ", &"x".repeat(REASON_MAX + 1)] {
        assert_eq!(cancel(&base.store, case.id, "Klara", reason, t(10)).await.unwrap(), Decided::NoReason);
    }
    assert_eq!(entry(&base.store, case.id).await.unwrap().state, ChargeState::Proposed);
}

async fn what_was_released_is_neither_deleted_nor_moved_and_says_why_it_must_be_looked_at(base: Base) {
    let (_, case) = case_of(&base, "a").await;
    on_the_phone(&base, &case, true, 5).await;
    release(&base.store, case.id, "Klara", t(10)).await.unwrap();
    on_the_phone(&base, &case, false, 20).await;
    let stands = entry(&base.store, case.id).await.expect("a released charge is not deleted");
    assert_eq!((stands.state, stands.objection), (ChargeState::Released, Some(Objection::Refused)));
    on_the_phone(&base, &case, true, 30).await;
    assert_eq!(entry(&base.store, case.id).await.unwrap().objection, None);
    let (report, other) = case_of(&base, "b").await;
    drop(report);
    let mut tx = base.store.begin().await.unwrap();
    charges::move_to(&mut tx, case.report, other.id, t(40)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(entry(&base.store, other.id).await, None);
    let stands = entry(&base.store, case.id).await.unwrap();
    assert_eq!((stands.state, stands.objection), (ChargeState::Released, Some(Objection::Split)));
    let told = steps(&base.store, case.id).await.into_iter().map(StepKind::as_str).collect::<Vec<_>>();
    assert_eq!(told, ["proposed", "released", "refused", "agreed", "kept"]);
}

async fn a_refusal_takes_back_what_stood_on_the_phone_alone_and_its_steps_stay(base: Base) {
    let (_, phone) = case_of(&base, "a").await;
    on_the_phone(&base, &phone, true, 5).await;
    on_the_phone(&base, &phone, false, 6).await;
    assert_eq!(entry(&base.store, phone.id).await, None);
    on_the_phone(&base, &phone, true, 7).await;
    assert_eq!(entry(&base.store, phone.id).await.unwrap().proof.by.as_deref(), Some("Anna"));
    assert_eq!(steps(&base.store, phone.id).await, [StepKind::Proposed, StepKind::Withdrawn, StepKind::Proposed]);
    let (_, spoken) = proposed(&base, "b").await;
    on_the_phone(&base, &spoken, false, 6).await;
    let stands = entry(&base.store, spoken.id).await.expect("his words stand: a person decides");
    assert_eq!((stands.state, stands.objection), (ChargeState::Proposed, Some(Objection::Refused)));
}

async fn what_a_person_cancelled_only_a_person_brings_back(base: Base) {
    let (report, case) = proposed(&base, "a").await;
    cancel(&base.store, case.id, "Klara", "nicht gesagt", t(10)).await.unwrap();
    let mut tx = base.store.begin().await.unwrap();
    charges::propose_by(&mut tx, case.id, &report, &found(Verdict::Confirmed), None, t(11)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(entry(&base.store, case.id).await.unwrap().state, ChargeState::Cancelled);
    on_the_phone(&base, &case, true, 12).await;
    let again = entry(&base.store, case.id).await.unwrap();
    assert_eq!((again.state, again.basis, again.cancelled), (ChargeState::Proposed, Basis::Phone, None));
    release(&base.store, case.id, "Klara", t(13)).await.unwrap();
    cancel(&base.store, case.id, "Klara", "Irrtum", t(14)).await.unwrap();
    on_the_phone(&base, &case, true, 15).await;
    assert!(entry(&base.store, case.id).await.unwrap().is_credited(), "a credit is final");
}

async fn what_was_recorded_before_the_cancellation_brings_nothing_back(base: Base) {
    let (_, case) = case_of(&base, "a").await;
    on_the_phone(&base, &case, true, 5).await;
    cancel(&base.store, case.id, "Klara", "Kulanz", t(10)).await.unwrap();
    let mut tx = base.store.begin().await.unwrap();
    let consent = PhoneConsent { given: true, actor: "Anna".into(), at: t(5) };
    let tariff = Tariff::Activation { net: Cents(4800), gross: Cents(5712), vat_percent: 19 };
    charges::propose_by_phone(&mut tx, &case, &consent, tariff, t(20)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(entry(&base.store, case.id).await.unwrap().state, ChargeState::Cancelled);
}

async fn one_message_is_paid_once(base: Base) {
    let (report, case) = proposed(&base, "a").await;
    release(&base.store, case.id, "Klara", t(10)).await.unwrap();
    let (_, own) = case_of(&base, "b").await;
    let mut tx = base.store.begin().await.unwrap();
    charges::move_to(&mut tx, report.id, own.id, t(11)).await.unwrap();
    charges::propose_by(&mut tx, own.id, &report, &found(Verdict::Confirmed), None, t(11)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(entry(&base.store, own.id).await, None);
}

async fn a_released_charge_keeps_whom_it_was_for_when_the_words_are_gone(base: Base) {
    let (report, case) = proposed(&base, "a").await;
    assert_eq!(entry(&base.store, case.id).await.unwrap().customer.company.as_deref(), Some("Rossmeisl"));
    // corrected before the release: what counts is what stands then
    let mut corrected = found(Verdict::Confirmed);
    corrected.fields.company = Some("Roßmeisl GmbH".into());
    let put = async |found: &Assessment| {
        let mut tx = base.store.begin().await.unwrap();
        assessments::put(&mut tx, report.id, found, t(5)).await.unwrap();
        tx.commit().await.unwrap();
    };
    put(&corrected).await;
    release(&base.store, case.id, "Klara", t(10)).await.unwrap();
    let mut gone = found(Verdict::Ignored);
    gone.fields = Fields::default();
    put(&gone).await;
    let dossier = dossier(&mut base.store.read().await.unwrap(), case.id).await.unwrap().unwrap();
    assert_eq!(dossier.entry.customer.company.as_deref(), Some("Roßmeisl GmbH"));
    assert_eq!(dossier.verdict, Some(Verdict::Confirmed));
}

async fn charges_are_listed_by_state_and_month_with_their_sums(base: Base) {
    let mut made = Vec::new();
    for key in ["a", "b", "c"] {
        made.push(proposed(&base, key).await.1.id);
    }
    let later = t(40 * 86_400);
    release(&base.store, made[0], "Klara", later).await.unwrap();
    cancel(&base.store, made[1], "Klara", "x", later).await.unwrap();
    let mut reader = base.store.read().await.unwrap();
    let all = page(&mut reader, &Filter::default(), 2, 0).await.unwrap();
    assert_eq!((all.count, all.entries.len(), all.entries[0].case), (3, 2, made[0]), "the newest first");
    assert_eq!(page(&mut reader, &Filter::default(), 2, 2).await.unwrap().entries.len(), 1);
    let sums: Vec<_> = all.sums.iter().map(|sum| (sum.state, sum.count, sum.net.0, sum.gross.0)).collect();
    assert_eq!(
        sums,
        [
            (ChargeState::Released, 1, 4800, 5712),
            (ChargeState::Proposed, 1, 4800, 5712),
            (ChargeState::Cancelled, 1, 4800, 5712)
        ]
    );
    let of = |state, from, until| Filter { state, span: Some((from, until)) };
    let now = page(&mut reader, &of(None, t(-60), t(60)), 9, 0).await.unwrap();
    assert_eq!(now.entries.iter().map(|entry| entry.case).collect::<Vec<_>>(), [made[2], made[1]]);
    let released = of(Some(ChargeState::Released), later, later + TimeDelta::seconds(1));
    assert_eq!(page(&mut reader, &released, 9, 0).await.unwrap().count, 1);
    assert_eq!(page(&mut reader, &of(Some(ChargeState::Released), t(-60), t(60)), 9, 0).await.unwrap().count, 0);
}

async fn figures_count_verdicts_waits_and_lengths_without_any_text(base: Base) {
    let now = t(0);
    let mut last = ReportId::fresh();
    let mut tx = base.store.begin().await.unwrap();
    for (nth, verdict) in [Verdict::Confirmed, Verdict::Confirmed, Verdict::Ignored].into_iter().enumerate() {
        let report = report(&format!("k{nth}"));
        last = report.id;
        reports::insert(&mut tx, &report, None, now, None).await.unwrap();
        assessments::put(&mut tx, report.id, &found(verdict), now + TimeDelta::days(5)).await.unwrap();
        let spoken = Transcript { sound_ms: 10_000, ..silent() };
        transcripts::put(&mut tx, report.id, &spoken, Duration::from_secs(5), now).await.unwrap();
        if verdict == Verdict::Confirmed {
            let opened = cases::open(&mut tx, report.id, verdict, false, now).await.unwrap();
            work(&mut tx, opened, nth).await;
        }
    }
    let drill = Report { source: DRILL.into(), ..report("drill") };
    reports::insert(&mut tx, &drill, None, now, None).await.unwrap();
    assessments::put(&mut tx, drill.id, &found(Verdict::Confirmed), now).await.unwrap();
    tx.commit().await.unwrap();
    let zone = chrono_tz::Europe::Berlin;
    let told = figures(&mut base.store.read().await.unwrap(), Reach::Month, zone, now).await.unwrap();
    let today = now.with_timezone(&zone).date_naive();
    assert_eq!(told.reports[&today], [2, 0, 0, 0, 1], "by when it was stored, and no drill");
    assert_eq!(told.busiest.iter().flatten().sum::<u32>(), 3);
    let mut tx = base.store.begin().await.unwrap();
    assessments::correct(&mut tx, last, &found(Verdict::Confirmed)).await.unwrap();
    tx.commit().await.unwrap();
    let corrected = figures(&mut base.store.read().await.unwrap(), Reach::Month, zone, now).await.unwrap();
    assert_eq!(corrected.reports[&today], [3, 0, 0, 0, 0], "as people corrected it");
    assert_eq!(told.answers[&today], Wait { count: 2, median_s: 60, most_s: 120 }, "the first one counts");
    assert_eq!(told.call_back, Some(Wait { count: 1, median_s: 300, most_s: 300 }));
    assert_eq!(told.speeds[&today].factor(), Some(0.5));
    assert_eq!(told.technicians, [(Some("Bernd".into()), 2)]);
    assert_eq!(told.outcomes, [(CaseState::Closed, Some(Outcome::Done), 1), (CaseState::Taken, None, 1)]);
}

/// Anna takes it, gives it back, Bernd takes it; the first one is called back and closed.
async fn work(tx: &mut nachtwache::store::Tx, mut case: Case, nth: usize) {
    let wait = 60 * (i64::try_from(nth).unwrap() + 1);
    for (who, seconds) in [(Some("Anna"), wait), (None, wait + 5), (Some("Bernd"), wait + 200)] {
        case.taken_by = who.map(str::to_owned);
        case.taken_at = who.map(|_| t(seconds));
        case.state = if who.is_some() { CaseState::Taken } else { CaseState::Open };
        cases::put(tx, &case).await.unwrap();
    }
    if nth == 0 {
        case.called_back_at = Some(t(300));
        cases::put(tx, &case).await.unwrap();
        (case.state, case.outcome, case.due_at) = (CaseState::Closed, Some(Outcome::Done), None);
        (case.closed_by, case.closed_at) = (Some("Bernd".into()), Some(t(400)));
        cases::put(tx, &case).await.unwrap();
    }
}

fn silent() -> Transcript {
    Transcript {
        model: "-".into(),
        language: "de".into(),
        sound_ms: 0,
        words: Vec::new(),
        second: None,
        speech: Vec::new(),
        doubt: None,
        remark: None,
    }
}

#[tokio::test]
async fn a_caller_agrees_the_office_releases_and_a_later_refusal_is_seen_there() {
    let mut world = World::night().await;
    let report = world.hear(EMERGENCY).await;
    let case = world.case(report).await.unwrap().id;
    let released = done(release(&world.store, case, "Klara", world.clock.now()).await.unwrap());
    assert_eq!(released.customer.company.as_deref(), Some("Rossmeisl Elektrotechnik"));
    for act in [Act::Take, Act::Consent(false)] {
        assert_eq!(world.act("Anna", act, case).await, Answer::Done);
    }
    let stands = entry(&world.store, case).await.unwrap();
    assert_eq!((stands.state, stands.objection), (ChargeState::Released, Some(Objection::Refused)));
    let dossier = dossier(&mut world.store.read().await.unwrap(), case).await.unwrap().unwrap();
    assert_eq!(
        dossier.consents.iter().map(|one| (one.given, one.actor.as_str())).collect::<Vec<_>>(),
        [(false, "Anna")]
    );
}

// ── the load: `cargo test --test it billing:: -- --ignored --nocapture` ──

const REPORTS: usize = 100_000;
const CHARGES: usize = 10_000;
const AT_ONCE: usize = 5000;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; run it by name"]
async fn a_year_of_a_hundred_thousand_reports_is_counted_quickly_on_sqlite() {
    measure(crate::store::sqlite().await, "SQLite").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; run it by name"]
async fn a_year_of_a_hundred_thousand_reports_is_counted_quickly_on_postgresql() {
    measure(crate::store::postgresql().await, "PostgreSQL").await;
}

fn number(nth: usize) -> i64 {
    i64::try_from(nth).unwrap()
}

async fn measure(base: Base, name: &str) {
    let now = t(0);
    fill(&base.store, now).await;
    let zone = chrono_tz::Europe::Berlin;
    let span = (now - TimeDelta::days(370), now + TimeDelta::days(1));
    let mut slow = Vec::new();
    let mut told = |what: &str, begun: Instant, most: u128| {
        let took = begun.elapsed().as_millis();
        eprintln!("{name}: {what} {took} ms");
        if took >= most {
            slow.push(format!("{what}: {took} ms"));
        }
    };
    let mut reader = base.store.read().await.unwrap();
    for round in 0..2 {
        // the first round warms the caches up and is only printed
        let most = if round == 0 { u128::MAX } else { 200 };
        let begun = Instant::now();
        assert!(!figures_of::reports(&mut reader, span).await.unwrap().is_empty());
        told("reports by verdict and hour", begun, most);
        let begun = Instant::now();
        assert!(!figures_of::answers(&mut reader, span).await.unwrap().is_empty());
        told("time to the first answer", begun, most);
        let begun = Instant::now();
        assert!(!figures_of::call_backs(&mut reader, span).await.unwrap().is_empty());
        told("time to the call-back", begun, most);
        let begun = Instant::now();
        assert!(!figures_of::written(&mut reader, span).await.unwrap().is_empty());
        told("real-time factor", begun, most);
        let begun = Instant::now();
        assert!(!figures_of::cases(&mut reader, span).await.unwrap().is_empty());
        told("cases by outcome and technician", begun, most);
        let begun = Instant::now();
        assert!(!figures_of::charges(&mut reader, span).await.unwrap().is_empty());
        told("charges", begun, most);
        let begun = Instant::now();
        figures(&mut reader, Reach::Year, zone, now).await.unwrap();
        told("the whole page of figures", begun, u128::MAX);
        let begun = Instant::now();
        let listed = page(&mut reader, &Filter::default(), 50, 0).await.unwrap();
        assert_eq!(listed.count, CHARGES as u64);
        told("the first 50 charges with the sums", begun, most);
        let begun = Instant::now();
        assert_eq!(page(&mut reader, &Filter::default(), 50, 9950).await.unwrap().entries.len(), 50);
        told("the last 50 charges", begun, most);
        let begun = Instant::now();
        assert_eq!(lines(&mut reader, &Filter::default()).await.unwrap().len(), CHARGES);
        told("all charges for the accounts", begun, u128::MAX);
    }
    assert!(slow.is_empty(), "too slow: {slow:?}");
}

/// A year: 100,000 reports with transcripts and assessments, a case for six of ten, and a charge for one of ten.
async fn fill(store: &Store, now: DateTime<Utc>) {
    let verdicts = [Verdict::Confirmed, Verdict::Incomplete, Verdict::Unclear, Verdict::NotEmergency, Verdict::Ignored];
    let year = TimeDelta::days(364).num_seconds();
    let mut nth = 0_usize;
    while nth < REPORTS {
        let mut tx = store.begin().await.unwrap();
        for _ in 0..AT_ONCE {
            let ago = year - (number(nth) * year) / number(REPORTS);
            let at = now - TimeDelta::seconds(ago);
            let verdict = verdicts[nth % verdicts.len()];
            let report = Report { id: ReportId::fresh(), stored_at: at, called_at: at, ..report(&format!("k{nth}")) };
            reports::insert(&mut tx, &report, None, at, None).await.unwrap();
            assessments::put(&mut tx, report.id, &found(verdict), at).await.unwrap();
            let spoken = Transcript { sound_ms: 47_000, ..silent() };
            transcripts::put(&mut tx, report.id, &spoken, Duration::from_secs(9), at).await.unwrap();
            if nth % 5 < 3 {
                worked(&mut tx, &report, verdict, nth, at).await;
            }
            nth += 1;
        }
        tx.commit().await.unwrap();
    }
}

async fn worked(tx: &mut nachtwache::store::Tx, report: &Report, verdict: Verdict, nth: usize, at: DateTime<Utc>) {
    let mut case = cases::open(tx, report.id, verdict, false, at).await.unwrap();
    let who = ["Anna", "Bernd", "Clara"][nth % 3];
    case.taken_by = Some(who.into());
    case.taken_at = Some(at + TimeDelta::seconds(number(nth % 900)));
    case.called_back_at = Some(at + TimeDelta::seconds(number(nth % 3600) + 60));
    (case.state, case.outcome, case.due_at) = (CaseState::Closed, Some(Outcome::Done), None);
    (case.closed_by, case.closed_at) = (Some(who.into()), Some(at + TimeDelta::hours(2)));
    cases::put(tx, &case).await.unwrap();
    if nth.is_multiple_of(10) {
        charges::propose(
            tx,
            &Charge {
                case: case.id,
                report: report.id,
                net: Cents(4800),
                gross: Cents(5712),
                basis: Basis::Spoken,
                proof: "{}".into(),
            },
            at,
        )
        .await
        .unwrap();
    }
}

//! A small model gives the first verdict, a larger one confirms: it may make an alarm louder, never quieter, and a consent that
//! it does not hear is no longer proven. What people did meanwhile stays.

use crate::corrections::{MISHEARD, review};
use crate::postgres;
use crate::world::{ANNA, EMERGENCY, NIGHT, NO_EMERGENCY, World, doubted, spoken};
use chrono::TimeDelta;
use nachtwache::assess::confirm::ConfirmStep as JudgeStep;
use nachtwache::config::Settings;
use nachtwache::domain::act::Act;
use nachtwache::domain::assessment::{Assessment, Consent, ConsentDoubt, Verdict};
use nachtwache::domain::case::{CaseState, Outcome as Ended};
use nachtwache::domain::charge::{ChargeState, Objection};
use nachtwache::domain::event::EventKind;
use nachtwache::domain::hearing::{Hearing, HearingStage};
use nachtwache::domain::report::ReportId;
use nachtwache::domain::retention::{Class, Why};
use nachtwache::domain::transcript::{Doubt, Transcript};
use nachtwache::review::{Change, Outcome};
use nachtwache::runtime::bell::Bells;
use nachtwache::runtime::clock::Clock as _;
use nachtwache::runtime::worker::{Round, Step as _};
use nachtwache::store::charges::{self, Basis, Charge};
use nachtwache::store::{
    Claim, Lease, StoreError, assessments, charge_steps, events, hearings, retention, transcripts,
};
use nachtwache::transcribe::child::protocol::{Reply, VERSION, frame};
use nachtwache::transcribe::child::{Child, ChildOptions};
use nachtwache::transcribe::confirm::ConfirmStep as HearStep;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const LARGER: &str = "[transcribe]\nconfirm_model = \"/nowhere/large.bin\"\n";

async fn night() -> World {
    World::at(NIGHT, None, LARGER).await
}

/// As the larger model hands it over.
pub(crate) fn larger(text: &str) -> Transcript {
    Transcript { model: "large".into(), ..spoken(text) }
}

fn judge(world: &World) -> JudgeStep {
    JudgeStep {
        store: world.store.clone(),
        settings: world.settings.clone(),
        roster: world.roster.clone(),
        rules: world.assess().rules,
        clock: Arc::new(world.clock.clone()),
        bells: Bells::default(),
    }
}

async fn claim(world: &World, stage: HearingStage) -> Option<(ReportId, Lease)> {
    let mut tx = world.store.begin().await.unwrap();
    let claim = Claim { now: world.clock.now(), lease: Duration::from_mins(1) };
    let claimed = hearings::claim(&mut tx, stage, claim).await.unwrap();
    tx.commit().await.unwrap();
    claimed
}

async fn hand_in(world: &World, report: ReportId, lease: &Lease, heard: &Transcript) -> Result<(), StoreError> {
    let mut tx = world.store.begin().await.unwrap();
    hearings::heard(&mut tx, report, lease, heard, Duration::from_secs(9), world.clock.now()).await?;
    tx.commit().await
}

/// The larger model hears the report, and everything that follows is done.
pub(crate) async fn heard_again(world: &World, report: ReportId, heard: &Transcript) {
    let (claimed, lease) = claim(world, HearingStage::Listen).await.expect("a second hearing waits");
    assert_eq!(claimed, report);
    hand_in(world, report, &lease, heard).await.unwrap();
    judged(world).await;
}

async fn judged(world: &World) {
    let mut step = judge(world);
    while step.tick().await.unwrap() == Round::Worked {}
    world.settle().await;
}

async fn found(world: &World, report: ReportId) -> Assessment {
    assessments::find(&mut world.store.read().await.unwrap(), report).await.unwrap().unwrap()
}

async fn hearing(world: &World, report: ReportId) -> Option<Hearing> {
    hearings::find(&mut world.store.read().await.unwrap(), report).await.unwrap()
}

async fn charge(world: &World, report: ReportId) -> Option<Charge> {
    let case = world.case(report).await?;
    charges::of_case(&mut world.store.read().await.unwrap(), case.id).await.unwrap()
}

async fn told(world: &World, report: ReportId) -> Vec<String> {
    let story = events::of_report(&mut world.store.read().await.unwrap(), report).await.unwrap();
    story.into_iter().filter(|event| event.kind == EventKind::HeardAgain).map(|event| event.detail).collect()
}

/// The alerts that stand on Anna's phone.
fn alerts(world: &World) -> Vec<String> {
    let shown = world.phone(ANNA).into_iter().map(|shown| shown.text);
    shown.filter(|text| text.lines().next().is_some_and(|head| head.contains(" · Vorgang "))).collect()
}

#[tokio::test]
async fn what_the_larger_model_confirms_rings_once_more_and_the_alert_says_so() {
    it_rings_once_more(night().await).await;
}

#[tokio::test]
async fn on_postgresql_it_does_so_as_well() {
    it_rings_once_more(World::at(NIGHT, Some(postgres::url()), LARGER).await).await;
}

async fn it_rings_once_more(mut world: World) {
    let report = world.hear(MISHEARD).await;
    assert_eq!(world.verdict(report).await, Some(Verdict::Incomplete));
    let before = world.rings(ANNA);
    heard_again(&world, report, &larger(EMERGENCY)).await;
    assert_eq!(world.rings(ANNA), before + 1);
    world.after_seconds(30).await;
    assert_eq!(world.rings(ANNA), before + 1, "once");
    assert_eq!(world.case(report).await.unwrap().verdict, Verdict::Confirmed);
    for alert in alerts(&world) {
        assert!(alert.contains("NOTFALL BESTÄTIGT") && alert.contains("Rossmeisl Elektrotechnik"), "{alert}");
    }
    let proposed = charge(&world, report).await.unwrap();
    assert!(proposed.basis == Basis::Spoken && proposed.proof.contains("[\"test\",\"large\"]"), "{}", proposed.proof);
    let mut reader = world.store.read().await.unwrap();
    let (first, _) = transcripts::first(&mut reader, report).await.unwrap().unwrap();
    assert_eq!(first, spoken(MISHEARD), "what the small model heard stays");
    assert_eq!(transcripts::find(&mut reader, report).await.unwrap().unwrap().0, larger(EMERGENCY));
    let original = assessments::original(&mut reader, report).await.unwrap().unwrap();
    assert_eq!(original.verdict, Verdict::Incomplete, "and so does the first verdict");
    drop(reader);
    assert_eq!(told(&world, report).await, ["confirmed, incomplete -> confirmed"]);
}

#[tokio::test]
async fn a_quieter_second_hearing_lowers_nothing_and_only_doubts_the_consent() {
    let mut world = night().await;
    let report = world.hear(EMERGENCY).await;
    assert_eq!(charge(&world, report).await.unwrap().basis, Basis::Spoken);
    let before = world.rings(ANNA);
    heard_again(&world, report, &larger(NO_EMERGENCY)).await;
    let case = world.case(report).await.unwrap();
    assert_eq!((case.verdict, case.state), (Verdict::Confirmed, CaseState::Open));
    assert_eq!(world.rings(ANNA), before);
    let now = found(&world, report).await;
    assert_eq!((now.verdict, now.consent), (Verdict::Confirmed, Consent::Absent));
    assert_eq!(now.consent_doubt, Some(ConsentDoubt::SecondHearing));
    assert!(charge(&world, report).await.is_none(), "nobody pays for what was not heard twice");
    let alert = alerts(&world).pop().unwrap();
    for part in ["NOTFALL BESTÄTIGT", "🔁 Zweite Anhörung: ", "nicht gesichert", "erst nach Zustimmung"] {
        assert!(alert.contains(part), "{part} is missing in {alert}");
    }
    world.after(6).await;
    assert!(world.rings(ANNA) > before, "it goes on until somebody takes it");

    // a company that is corrected brings no consent back; a person who heard the words does
    let version = corrected(&world, report, 0, Change::Company("Rossmeisl".into())).await;
    assert!(charge(&world, report).await.is_none());
    corrected(&world, report, version, Change::Transcript(EMERGENCY.into())).await;
    assert_eq!(charge(&world, report).await.unwrap().basis, Basis::Heard);
}

async fn corrected(world: &World, report: ReportId, version: usize, change: Change) -> usize {
    let outcome = review(world).correct(report, version, change, "Olga").await.unwrap();
    world.settle().await;
    let Outcome::Done(done) = outcome else { panic!("{outcome:?}") };
    done.version
}

#[tokio::test]
async fn a_consent_that_both_models_hear_stays_proven_though_each_heard_it_only_once() {
    let mut world = night().await;
    let report = world.call().await;
    world.settle().await;
    world.transcribed(report, &Transcript { second: Some(MISHEARD.into()), ..spoken(EMERGENCY) }).await;
    world.settle().await;
    assert_eq!(found(&world, report).await.consent_doubt, Some(ConsentDoubt::SecondDecode));
    heard_again(&world, report, &Transcript { second: Some(MISHEARD.into()), ..larger(EMERGENCY) }).await;
    assert_eq!((found(&world, report).await.consent, charge(&world, report).await.is_some()), (Consent::Full, true));
}

#[tokio::test]
async fn a_consent_that_only_the_larger_model_hears_once_is_not_made_up() {
    let mut world = night().await;
    let report = world.hear(MISHEARD).await;
    heard_again(&world, report, &Transcript { second: Some(MISHEARD.into()), ..larger(EMERGENCY) }).await;
    let now = found(&world, report).await;
    assert_eq!((now.verdict, now.consent_doubt), (Verdict::Incomplete, Some(ConsentDoubt::SecondDecode)));
    assert!(charge(&world, report).await.is_none());
}

#[tokio::test]
async fn where_there_was_no_case_a_louder_second_hearing_opens_one() {
    let mut world = night().await;
    let report = world.hear(NO_EMERGENCY).await;
    assert!(world.case(report).await.is_none());
    heard_again(&world, report, &larger(EMERGENCY)).await;
    assert_eq!(world.case(report).await.unwrap().verdict, Verdict::Confirmed);
    assert_eq!(world.rings(ANNA), 1);
}

#[tokio::test]
async fn the_same_verdict_edits_the_alert_silently_with_the_better_words() {
    let mut world = night().await;
    let report = world.hear(&EMERGENCY.replace("Rossmeisl", "Rosmeisel")).await;
    let before = world.rings(ANNA);
    heard_again(&world, report, &larger(&EMERGENCY.replace("0171 3920020", "0171 3920021"))).await;
    assert_eq!(world.rings(ANNA), before);
    let alert = alerts(&world).pop().unwrap();
    assert!(alert.contains("Rossmeisl Elektrotechnik") && alert.contains("unsicher verstanden"), "{alert}");
    assert_eq!(told(&world, report).await, ["confirmed, stays confirmed"]);
}

#[tokio::test]
async fn whoever_has_the_case_is_not_rung_for_it() {
    let mut world = night().await;
    let report = world.hear(MISHEARD).await;
    let case = world.case(report).await.unwrap().id;
    world.act("Anna", Act::Take, case).await;
    let before = world.rings(ANNA);
    heard_again(&world, report, &larger(EMERGENCY)).await;
    assert_eq!(world.rings(ANNA), before);
    let case = world.case(report).await.unwrap();
    assert_eq!((case.verdict, case.state), (Verdict::Confirmed, CaseState::Taken));
    assert!(alerts(&world).iter().all(|alert| alert.contains("NOTFALL BESTÄTIGT")));
}

#[tokio::test]
async fn what_a_person_corrected_stays() {
    let mut world = night().await;
    let report = world.hear(MISHEARD).await;
    let version = corrected(&world, report, 0, Change::Company("Rossmeisl GmbH".into())).await;
    corrected(&world, report, version, Change::Verdict(Verdict::NotEmergency, "abgehört".into())).await;
    let before = world.rings(ANNA);
    heard_again(&world, report, &larger(EMERGENCY)).await;
    let now = found(&world, report).await;
    assert_eq!((now.verdict, now.fields.company.as_deref()), (Verdict::NotEmergency, Some("Rossmeisl GmbH")));
    assert_eq!(world.rings(ANNA), before);
    assert!(charge(&world, report).await.is_none());
}

#[tokio::test]
async fn a_text_that_a_person_typed_is_the_one_that_counts() {
    let mut world = night().await;
    let report = world.hear(MISHEARD).await;
    corrected(&world, report, 0, Change::Transcript(NO_EMERGENCY.into())).await;
    heard_again(&world, report, &larger(EMERGENCY)).await;
    assert_eq!(found(&world, report).await.verdict, Verdict::NotEmergency);
    let text = transcripts::find(&mut world.store.read().await.unwrap(), report).await.unwrap().unwrap().0.text();
    assert_eq!(text, spoken(NO_EMERGENCY).text());
}

#[tokio::test]
async fn a_case_that_a_person_closed_stays_closed_and_its_charge_is_objected_to() {
    let mut world = night().await;
    let report = world.hear(EMERGENCY).await;
    let case = world.case(report).await.unwrap().id;
    world.act("Anna", Act::Take, case).await;
    world.act("Anna", Act::CalledBack, case).await;
    world.act("Anna", Act::Done, case).await;
    let (before, was) = (world.case(report).await.unwrap(), found(&world, report).await);
    assert_eq!(before.outcome, Some(Ended::Done));
    heard_again(&world, report, &larger(NO_EMERGENCY)).await;
    assert_eq!(world.case(report).await.unwrap(), before);
    assert_eq!(found(&world, report).await, was);
    let entry = charge_steps::find(&mut world.store.read().await.unwrap(), case).await.unwrap().unwrap();
    assert_eq!((entry.state, entry.objection), (ChargeState::Proposed, Some(Objection::Judged)));
    assert_eq!(told(&world, report).await, ["not_emergency, closed"]);
}

#[tokio::test]
async fn a_case_that_only_the_policy_ended_is_opened_again_where_the_larger_model_hears_an_emergency() {
    let mut world = night().await;
    let report = world.call().await;
    world.after(2).await;
    assert!(world.case(report).await.unwrap().unheard);
    world.transcribed(report, &spoken(NO_EMERGENCY)).await;
    world.settle().await;
    assert_eq!(world.case(report).await.unwrap().outcome, Some(Ended::Harmless));
    let before = world.rings(ANNA);
    heard_again(&world, report, &larger(EMERGENCY)).await;
    let case = world.case(report).await.unwrap();
    assert_eq!((case.state, case.verdict), (CaseState::Open, Verdict::Confirmed));
    assert_eq!(world.rings(ANNA), before + 1);
}

#[tokio::test]
async fn what_the_larger_models_process_hands_over_is_judged() {
    let mut world = night().await;
    let report = world.hear(NO_EMERGENCY).await;
    let mut step = larger_model(&world, &hands_over(&world, &larger(EMERGENCY)));
    assert_eq!(step.tick().await.unwrap(), Round::Worked);
    judged(&world).await;
    assert_eq!(world.case(report).await.unwrap().verdict, Verdict::Confirmed);
    assert_eq!(hearing(&world, report).await.unwrap().transcript, larger(EMERGENCY));
}

#[tokio::test]
async fn what_cannot_be_believed_changes_nothing() {
    let mut world = night().await;
    let report = world.hear(NO_EMERGENCY).await;
    let looped = Transcript { doubt: Some(Doubt::Loop), ..larger(EMERGENCY) };
    let mut step = larger_model(&world, &hands_over(&world, &looped));
    assert_eq!(step.tick().await.unwrap(), Round::Worked);
    judged(&world).await;
    assert_eq!(world.verdict(report).await, Some(Verdict::NotEmergency));
    assert!(world.case(report).await.is_none());
    assert_eq!(told(&world, report).await, ["not believed: Loop"]);
    assert!(claim(&world, HearingStage::Listen).await.is_none() && claim(&world, HearingStage::Judge).await.is_none());
}

#[tokio::test]
async fn nothing_is_heard_a_second_time_while_a_report_waits_for_its_first_hearing() {
    let mut world = night().await;
    let report = world.hear(MISHEARD).await;
    let next = world.call().await;
    assert!(claim(&world, HearingStage::Listen).await.is_none());
    world.settle().await;
    world.transcribed(next, &doubted(Doubt::NoVoice)).await;
    world.settle().await;
    assert_eq!(claim(&world, HearingStage::Listen).await.map(|(id, _)| id), Some(report));
    assert!(
        claim(&world, HearingStage::Listen).await.is_none(),
        "where nobody spoke a larger model hears nothing either"
    );
}

#[tokio::test]
async fn without_the_setting_nothing_is_heard_a_second_time() {
    let mut world = World::night().await;
    world.hear(MISHEARD).await;
    assert!(claim(&world, HearingStage::Listen).await.is_none());
}

#[tokio::test]
async fn a_crash_between_any_two_steps_loses_nothing_and_rings_no_second_time() {
    let mut world = night().await;
    let report = world.hear(MISHEARD).await;
    let before = world.rings(ANNA);
    let (_, dead) = claim(&world, HearingStage::Listen).await.unwrap();
    assert!(claim(&world, HearingStage::Listen).await.is_none(), "somebody has it");
    world.clock.advance(TimeDelta::minutes(1));
    let (_, lease) = claim(&world, HearingStage::Listen).await.unwrap();
    assert_eq!((dead.attempt, lease.attempt), (1, 2));
    let late = hand_in(&world, report, &dead, &larger(NO_EMERGENCY)).await;
    assert!(matches!(late, Err(StoreError::LeaseLost(_))));
    hand_in(&world, report, &lease, &larger(EMERGENCY)).await.unwrap();

    // heard, and dead before it was judged
    let (_, dead) = judge(&world).claim().await.unwrap().unwrap();
    assert!(judge(&world).claim().await.unwrap().is_none());
    assert_eq!(world.case(report).await.unwrap().verdict, Verdict::Incomplete);
    world.clock.advance(TimeDelta::minutes(1));
    judged(&world).await;
    assert_eq!(world.case(report).await.unwrap().verdict, Verdict::Confirmed);
    let mut tx = world.store.begin().await.unwrap();
    let late = hearings::judged(&mut tx, report, &dead, Verdict::Ignored, false).await;
    assert!(matches!(late, Err(StoreError::LeaseLost(_))));
    drop(tx);
    judged(&world).await;
    assert_eq!(world.rings(ANNA), before + 1);
    assert_eq!(told(&world, report).await.len(), 1);
}

/// What its shell has to do so that it answers with this transcript.
fn hands_over(world: &World, transcript: &Transcript) -> String {
    let place = world.folder.path();
    let mut said = frame(&Reply::Sound { job: 0, sound_ms: transcript.sound_ms }).unwrap();
    said.extend(frame(&Reply::Transcribed { job: 0, result: Box::new(Ok(transcript.clone())) }).unwrap());
    std::fs::write(place.join("words"), said).unwrap();
    format!("cat '{}/words'; cat > /dev/null", place.display())
}

/// The larger model's process, which says hello and then does `body` in a shell.
fn larger_model(world: &World, body: &str) -> HearStep {
    let place = world.folder.path().join("larger");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("hello"), frame(&Reply::Hello { version: VERSION }).unwrap()).unwrap();
    let script = format!("asked='{0}/asked'; cat '{0}/hello'; head -c 4 > \"$asked\"; {body}", place.display());
    let options =
        ChildOptions { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()], ..ChildOptions::default() };
    HearStep {
        store: world.store.clone(),
        settings: world.settings.clone(),
        model: world.settings.transcribe.confirm_model.clone().unwrap(),
        clock: Arc::new(world.clock.clone()),
        child: Child::new(options),
    }
}

#[tokio::test]
async fn a_larger_model_that_crashes_is_given_up_and_the_first_verdict_stays() {
    let mut world = night().await;
    let report = world.hear(EMERGENCY).await;
    let was = found(&world, report).await;
    let mut step = larger_model(&world, "exit 7");
    assert_eq!(step.tick().await.unwrap(), Round::Worked);
    assert_eq!(step.tick().await.unwrap(), Round::Idle, "the next try has its time");
    world.clock.advance(TimeDelta::seconds(5));
    assert_eq!(step.tick().await.unwrap(), Round::Worked);
    world.clock.advance(TimeDelta::hours(1));
    assert_eq!(step.tick().await.unwrap(), Round::Idle, "two tries, as for a first hearing");
    assert_eq!(found(&world, report).await, was);
    assert_eq!(charge(&world, report).await.unwrap().basis, Basis::Spoken);
    let events = told(&world, report).await;
    assert!(events.len() == 1 && events[0].starts_with("given up: the child crashed"), "{events:?}");
    let since = world.clock.now() - TimeDelta::days(1);
    let state = hearings::state(&mut world.store.read().await.unwrap(), since).await.unwrap();
    assert_eq!(state, (0, 1));
}

#[tokio::test]
async fn a_recording_that_was_deleted_meanwhile_ends_it() {
    let mut world = night().await;
    let report = world.hear(EMERGENCY).await;
    let mut tx = world.store.begin().await.unwrap();
    retention::begin(&mut tx, report, &[Class::Sound], Why::Request, None, world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(larger_model(&world, "exit 7").tick().await.unwrap(), Round::Idle);
}

#[tokio::test]
async fn what_the_larger_model_heard_is_deleted_with_the_words() {
    let mut world = night().await;
    let report = world.hear(MISHEARD).await;
    heard_again(&world, report, &larger(EMERGENCY)).await;
    assert!(hearing(&world, report).await.is_some());
    let mut tx = world.store.begin().await.unwrap();
    retention::begin(&mut tx, report, &[Class::Text], Why::Request, None, world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    assert!(hearing(&world, report).await.is_none());
    assert!(transcripts::find(&mut world.store.read().await.unwrap(), report).await.unwrap().is_none());
}

#[test]
fn the_larger_model_is_another_one() {
    let same = "[transcribe]\nmodel = \"/a.bin\"\nconfirm_model = \"/a.bin\"\n";
    assert!(Settings::parse(same).unwrap_err().to_string().contains("transcribe.confirm_model"));
}

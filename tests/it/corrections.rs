//! A person corrects what was heard, read or judged. The original stays, a consent is never made up, no case is closed.

use crate::postgres;
use crate::world::{ANNA, EMERGENCY, MORNING, NIGHT, NO_EMERGENCY, World, doubted, spoken};
use nachtwache::assess::rules::{Names, Rules};
use nachtwache::assess::{Judge, Said};
use nachtwache::config::Settings;
use nachtwache::domain::act::Act;
use nachtwache::domain::assessment::{Assessment, Consent, ConsentDoubt, Missing, Polarity, Subject, Verdict};
use nachtwache::domain::case::{CaseState, Outcome as Ended};
use nachtwache::domain::charge::ChargeState;
use nachtwache::domain::correction::{Correction, Standing, What, typed};
use nachtwache::domain::event::EventKind;
use nachtwache::domain::report::{Caller, Medium, Report, ReportId, Stage};
use nachtwache::domain::transcript::{Doubt, Transcript};
use nachtwache::review::charges::cancel;
use nachtwache::review::{Change, Corrected, Outcome, Refusal, Review};
use nachtwache::runtime::bell::Bells;
use nachtwache::runtime::clock::Clock as _;
use nachtwache::store::charges::{self, Basis, Charge};
use nachtwache::store::{assessments, charge_steps, corrections, events, transcripts};
use proptest::prelude::*;
use std::sync::Arc;

/// Declares an emergency; of conditions and fee the recogniser made nothing.
pub(crate) const MISHEARD: &str = "Guten Abend, hier spricht Dirk Rosmeisel von der Firma Rosmeisel Elektrotechnik. \
     Wir haben einen unternehmenskritischen Notfall. Das Internet ist seit heute Mittag komplett ausgefallen, der Betrieb steht still. \
     Mit den Geschichten und der Atmung von acht Eulen bin ich eingestanden. \
     Bitte rufen Sie mich zurück unter 0171 3920020.";

pub(crate) fn review(world: &World) -> Review {
    Review {
        store: world.store.clone(),
        settings: world.settings.clone(),
        roster: world.roster.clone(),
        rules: world.assess().rules,
        clock: Arc::new(world.clock.clone()),
        bells: Bells::default(),
    }
}

async fn correct(world: &World, report: ReportId, version: usize, change: Change) -> Corrected {
    let outcome = review(world).correct(report, version, change, "Olga").await.unwrap();
    world.settle().await;
    match outcome {
        Outcome::Done(corrected) => *corrected,
        other => panic!("{other:?}"),
    }
}

async fn charge(world: &World, report: ReportId) -> Option<Charge> {
    let case = world.case(report).await?;
    charges::of_case(&mut world.store.read().await.unwrap(), case.id).await.unwrap()
}

async fn found(world: &World, report: ReportId) -> Assessment {
    assessments::find(&mut world.store.read().await.unwrap(), report).await.unwrap().unwrap()
}

async fn told(world: &World, report: ReportId, kind: EventKind) -> Vec<String> {
    let story = events::of_report(&mut world.store.read().await.unwrap(), report).await.unwrap();
    story.into_iter().filter(|event| event.kind == kind).map(|event| event.detail).collect()
}

#[tokio::test]
async fn a_field_that_a_person_set_wins_and_stays_through_what_follows() {
    the_field_stays(World::night().await).await;
}

#[tokio::test]
async fn on_postgresql_it_stays_as_well() {
    the_field_stays(World::at(NIGHT, Some(postgres::url()), "").await).await;
}

async fn the_field_stays(mut world: World) {
    let report = world.hear(MISHEARD).await;
    let original = found(&world, report).await;
    let corrected = correct(&world, report, 0, Change::Company("Rossmeisl Elektrotechnik".into())).await;
    assert_eq!(corrected.version, 1);
    let corrected = correct(&world, report, 1, Change::Callback("0171 / 39 200 21".into())).await;
    assert_eq!(corrected.assessment.fields.callback.as_deref(), Some("+491713920021"));
    let corrected = correct(&world, report, 2, Change::Contact(String::new())).await;
    assert!(corrected.assessment.missing.contains(&Missing::Contact));
    let text = MISHEARD.replace("Dirk", "Kirk");
    correct(&world, report, 3, Change::Transcript(text.clone())).await;
    let now = found(&world, report).await;
    assert_eq!(now.fields.company.as_deref(), Some("Rossmeisl Elektrotechnik"));
    assert_eq!((now.fields.contact.as_deref(), now.fields.callback_doubtful), (None, false));
    let mut reader = world.store.read().await.unwrap();
    assert_eq!(assessments::original(&mut reader, report).await.unwrap().as_ref(), Some(&original));
    let (heard, _) = transcripts::original(&mut reader, report).await.unwrap().unwrap();
    assert_eq!(heard, spoken(MISHEARD));
    assert_eq!(transcripts::find(&mut reader, report).await.unwrap().unwrap().0.text(), text);
    let made = corrections::of_report(&mut reader, report).await.unwrap();
    let kinds: Vec<What> = made.iter().map(|one| one.what).collect();
    assert_eq!(kinds, [What::Company, What::Callback, What::Contact, What::Transcript]);
    assert_eq!(made[0].before.as_deref(), original.fields.company.as_deref());
    drop(reader);
    assert!(world.phone(ANNA).iter().any(|shown| shown.text.contains("Rossmeisl Elektrotechnik")));
    assert_eq!(told(&world, report, EventKind::Corrected).await, ["company", "callback", "contact", "transcript"]);
}

#[tokio::test]
async fn of_two_people_the_second_one_is_told_and_changes_nothing() {
    let mut world = World::night().await;
    let report = world.hear(EMERGENCY).await;
    let review = review(&world);
    let change = |name: &str| Change::Company(name.into());
    assert!(matches!(review.correct(report, 0, change("A"), "Olga").await.unwrap(), Outcome::Done(_)));
    let second = review.correct(report, 0, change("B"), "Paul").await.unwrap();
    assert!(matches!(second, Outcome::Changed { by, .. } if by == "Olga"));
    assert_eq!(found(&world, report).await.fields.company.as_deref(), Some("A"));
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_reason() {
    let mut world = World::night().await;
    let waiting = world.call().await;
    let review = review(&world);
    let refusal = async |report, change| match review.correct(report, 0, change, "Olga").await.unwrap() {
        Outcome::Refused(refusal) => Some(refusal),
        _ => None,
    };
    assert_eq!(refusal(waiting, Change::Company("A".into())).await, Some(Refusal::NotJudged));
    world.transcribed(waiting, &spoken(EMERGENCY)).await;
    world.settle().await;
    for (change, expected) in [
        (Change::Transcript("  ".into()), Refusal::Empty),
        (Change::Transcript("a".repeat(30_000)), Refusal::TooLong),
        (Change::Transcript("a ".repeat(5_001)), Refusal::TooLong),
        (Change::Callback("112".into()), Refusal::NoNumber),
        (Change::Verdict(Verdict::Confirmed, " ".into()), Refusal::NoReason),
        (Change::Callback("0171 3920020".into()), Refusal::Same),
    ] {
        assert_eq!(refusal(waiting, change).await, Some(expected));
    }
    let unknown = review.correct(ReportId::fresh(), 0, Change::Company("A".into()), "Olga").await.unwrap();
    assert_eq!(unknown, Outcome::Unknown);
}

#[tokio::test]
async fn a_consent_that_a_person_wrote_down_is_proposed_on_a_basis_of_its_own() {
    let mut world = World::at(NIGHT, Some(postgres::url()), "").await;
    let report = world.hear(MISHEARD).await;
    assert!(charge(&world, report).await.is_none());
    let corrected = correct(&world, report, 0, Change::Transcript(EMERGENCY.into())).await.assessment;
    assert_eq!((corrected.consent, corrected.consent_doubt), (Consent::Absent, Some(ConsentDoubt::Heard)));
    assert_eq!(corrected.verdict, Verdict::Incomplete);
    let proposed = charge(&world, report).await.unwrap();
    assert_eq!(proposed.basis, Basis::Heard);
    assert!(proposed.proof.contains("\"by\":\"Olga\""));
    let alert = world.phone(ANNA).into_iter().map(|shown| shown.text).find(|text| text.contains("Notfall erklärt"));
    assert!(alert.unwrap().contains("nur von Hand berichtigt"));
    // taken back: what it stood on is gone
    correct(&world, report, 1, Change::Transcript(MISHEARD.into())).await;
    assert!(charge(&world, report).await.is_none());
    assert_eq!(told(&world, report, EventKind::Withdrawn).await.len(), 1);
}

#[tokio::test]
async fn a_report_whose_words_are_deleted_stays_as_it_was_judged() {
    let mut world = World::night().await;
    let report = world.hear(NO_EMERGENCY).await;
    world.sql("UPDATE reports SET text_deleted_at = 1").await;
    let outcome = review(&world).correct(report, 0, Change::Company("A".into()), "Olga").await.unwrap();
    assert_eq!(outcome, Outcome::Refused(Refusal::WordsDeleted));
    assert_eq!(found(&world, report).await.verdict, Verdict::NotEmergency);
    assert!(world.case(report).await.is_none());
}

#[tokio::test]
async fn a_proposal_shows_the_words_that_prove_it_now() {
    let mut world = World::night().await;
    let report = world.hear(MISHEARD).await;
    correct(&world, report, 0, Change::Transcript(EMERGENCY.into())).await;
    let before = charge(&world, report).await.unwrap();
    let text = EMERGENCY.replace("Guten Abend", "Schönen guten Abend");
    correct(&world, report, 1, Change::Transcript(text)).await;
    let now = charge(&world, report).await.unwrap();
    assert_eq!((now.basis, now.net), (before.basis, before.net));
    assert_ne!(now.proof, before.proof, "the words lie elsewhere in the text");
}

#[tokio::test]
async fn what_a_person_cancelled_no_other_correction_brings_back() {
    let mut world = World::night().await;
    let report = world.hear(MISHEARD).await;
    correct(&world, report, 0, Change::Transcript(EMERGENCY.into())).await;
    let case = world.case(report).await.unwrap().id;
    let state = async |world: &World| {
        charge_steps::find(&mut world.store.read().await.unwrap(), case).await.unwrap().unwrap().state
    };
    cancel(&world.store, case, "Klara", "nicht gesagt", world.clock.now()).await.unwrap();
    world.after(1).await;
    correct(&world, report, 1, Change::Company("Rossmeisl".into())).await;
    assert_eq!(state(&world).await, ChargeState::Cancelled);
    correct(&world, report, 2, Change::Transcript(EMERGENCY.into())).await;
    assert_eq!(state(&world).await, ChargeState::Proposed, "written down once more, after that");
}

#[tokio::test]
async fn a_verdict_by_hand_makes_no_charge_of_words_that_declare_nothing() {
    let mut world = World::night().await;
    let report = world.hear(&EMERGENCY.replace("unternehmenskritischen Notfall", "Auftrag")).await;
    let found = correct(&world, report, 0, Change::Verdict(Verdict::Confirmed, "doch".into())).await.assessment;
    assert_eq!((found.verdict, found.consent), (Verdict::Confirmed, Consent::Full));
    assert!(charge(&world, report).await.is_none());
}

#[tokio::test]
async fn a_consent_written_down_where_nobody_speaks_proves_nothing() {
    let mut world = World::night().await;
    let report = world.call().await;
    world.settle().await;
    world.transcribed(report, &Transcript { speech: Vec::new(), ..spoken(MISHEARD) }).await;
    world.settle().await;
    let corrected = correct(&world, report, 0, Change::Transcript(EMERGENCY.into())).await.assessment;
    assert_eq!((corrected.consent, corrected.consent_doubt), (Consent::Absent, Some(ConsentDoubt::OutsideSpeech)));
    assert!(charge(&world, report).await.is_none());
}

#[tokio::test]
async fn a_proven_consent_stays_spoken_when_something_else_is_corrected_and_goes_when_it_is() {
    let mut world = World::night().await;
    let report = world.hear(EMERGENCY).await;
    assert_eq!(charge(&world, report).await.map(|charge| charge.basis), Some(Basis::Spoken));
    let text = EMERGENCY.replace("Dirk", "Kirk");
    correct(&world, report, 0, Change::Transcript(text.clone())).await;
    assert_eq!(charge(&world, report).await.map(|charge| charge.basis), Some(Basis::Spoken));
    correct(
        &world,
        report,
        1,
        Change::Transcript(text.replace("bin ich einverstanden", "bin ich nicht einverstanden")),
    )
    .await;
    assert!(charge(&world, report).await.is_none());
    let case = world.case(report).await.unwrap();
    assert_eq!((case.verdict, case.state), (Verdict::Incomplete, CaseState::Open));
}

#[tokio::test]
async fn a_released_charge_stays_whatever_is_corrected() {
    let mut world = World::night().await;
    let report = world.hear(EMERGENCY).await;
    world.sql("UPDATE charges SET state = 'released'").await;
    correct(&world, report, 0, Change::Verdict(Verdict::NotEmergency, "nur ein Test".into())).await;
    assert!(charge(&world, report).await.is_some());
}

#[tokio::test]
async fn what_stood_on_the_phone_stands_on_it_again() {
    let mut world = World::night().await;
    let report = world.hear(EMERGENCY).await;
    let case = world.case(report).await.unwrap();
    world.act("Anna", Act::Take, case.id).await;
    world.act("Anna", Act::Consent(true), case.id).await;
    assert_eq!(charge(&world, report).await.map(|charge| charge.basis), Some(Basis::Spoken));
    let text = EMERGENCY.replace("bin ich einverstanden", "bin ich nicht einverstanden");
    correct(&world, report, 0, Change::Transcript(text)).await;
    assert_eq!(charge(&world, report).await.map(|charge| charge.basis), Some(Basis::Phone));
}

#[tokio::test]
async fn louder_than_before_opens_a_case_and_wakes_people() {
    let mut world = World::night().await;
    let report = world.hear(NO_EMERGENCY).await;
    assert!(world.case(report).await.is_none());
    let rings = world.rings(ANNA);
    let corrected = correct(&world, report, 0, Change::Transcript(MISHEARD.into())).await;
    assert_eq!(corrected.case.map(|case| case.state), Some(CaseState::Open));
    assert_eq!(world.rings(ANNA), rings + 1);
    assert_eq!(told(&world, report, EventKind::Corrected).await, ["transcript: not_emergency -> incomplete"]);
}

#[tokio::test]
async fn whoever_has_the_case_hears_that_it_is_more_than_he_thought() {
    let mut world = World::night().await;
    let report = world.hear(MISHEARD).await;
    let case = world.case(report).await.unwrap();
    world.act("Anna", Act::Take, case.id).await;
    let rings = world.rings(ANNA);
    correct(&world, report, 0, Change::Verdict(Verdict::Confirmed, "am Telefon bestätigt".into())).await;
    assert_eq!(world.rings(ANNA), rings + 1);
    let case = world.case(report).await.unwrap();
    assert_eq!((case.verdict, case.taken_by.as_deref()), (Verdict::Confirmed, Some("Anna")));
    // a verdict by hand is no consent
    assert!(charge(&world, report).await.is_none());
}

#[tokio::test]
async fn quieter_than_before_ends_no_case() {
    let mut world = World::night().await;
    let report = world.hear(EMERGENCY).await;
    for (version, verdict) in [Verdict::NotEmergency, Verdict::Ignored].into_iter().enumerate() {
        correct(&world, report, version, Change::Verdict(verdict, "verwählt".into())).await;
        let case = world.case(report).await.unwrap();
        assert_eq!((case.verdict, case.state), (verdict, CaseState::Open));
        assert!(case.due_at.is_some());
    }
    let rings = world.rings(ANNA);
    world.after(10).await;
    assert!(world.rings(ANNA) > rings, "it rings on until a person ends it");
}

#[tokio::test]
async fn a_case_that_the_policy_ended_as_harmless_is_open_again_when_it_is_not() {
    let mut world = World::night().await;
    let report = world.call().await;
    world.settle().await;
    world.after(2).await;
    assert!(world.case(report).await.unwrap().unheard);
    world.transcribed(report, &spoken(NO_EMERGENCY)).await;
    world.settle().await;
    assert_eq!(world.case(report).await.unwrap().outcome, Some(Ended::Harmless));
    correct(&world, report, 0, Change::Transcript(EMERGENCY.into())).await;
    let case = world.case(report).await.unwrap();
    assert_eq!((case.state, case.outcome), (CaseState::Open, None));
    assert_eq!(case.opened_at, world.case(report).await.unwrap().opened_at);
}

#[tokio::test]
async fn a_case_that_a_person_ended_stays_ended_and_shows_the_new_verdict() {
    let mut world = World::night().await;
    let report = world.hear(MISHEARD).await;
    let case = world.case(report).await.unwrap();
    world.act("Anna", Act::Take, case.id).await;
    world.act("Anna", Act::Done, case.id).await;
    correct(&world, report, 0, Change::Verdict(Verdict::Confirmed, "doch".into())).await;
    let case = world.case(report).await.unwrap();
    assert_eq!((case.verdict, case.state), (Verdict::Confirmed, CaseState::Closed));
}

#[tokio::test]
async fn a_text_that_was_not_believed_is_judged_once_a_person_wrote_it_down() {
    let mut world = World::at(MORNING, None, "").await;
    let report = world.call().await;
    world.transcribed(report, &Transcript { sound_ms: 20_000, ..doubted(Doubt::NoWords) }).await;
    world.settle().await;
    assert_eq!(found(&world, report).await.verdict, Verdict::Unclear);
    let corrected = correct(&world, report, 0, Change::Transcript(NO_EMERGENCY.into())).await;
    assert_eq!(corrected.assessment.verdict, Verdict::NotEmergency);
    assert_eq!(corrected.case.map(|case| case.state), Some(CaseState::Open));
}

// ── properties ──

fn report_of(text: &str) -> Report {
    Report {
        id: ReportId::fresh(),
        source: "spool".into(),
        key: text.len().to_string(),
        mailbox: None,
        caller: Caller::default(),
        called_at: NIGHT.parse().unwrap(),
        stored_at: NIGHT.parse().unwrap(),
        recording: None,
        trouble: None,
        medium: Medium::Voicemail,
        longest_s: None,
        stage: Stage::Done,
    }
}

fn standing(report: &Report, text: &str) -> Standing {
    Standing::of(&[Correction {
        report: report.id,
        at: report.called_at,
        actor: "Olga".into(),
        what: What::Transcript,
        before: None,
        after: Some(text.to_owned()),
        reason: None,
    }])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever is typed, deleted or changed: a consent is the caller's own only where he was heard alone already, and by
    /// words that nobody typed.
    #[test]
    fn a_corrected_consent_never_becomes_a_spoken_one(
        heard in prop::sample::select(vec![EMERGENCY, MISHEARD, NO_EMERGENCY]),
        drop in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        put in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(vec![
            "nicht", "einverstanden", "Mit Bedingungen und Gebühr bin ich einverstanden.", "ja", "unternehmenskritischer Notfall",
        ])), 0..4),
        second in any::<bool>(),
    ) {
        let settings = Settings::parse("").unwrap();
        let judge = Judge { rules: Rules::built_in(), settings: &settings, names: &Names::default() };
        let mut transcript = spoken(heard);
        if second {
            transcript.second = Some(EMERGENCY.to_owned());
        }
        let mut words: Vec<String> = heard.split_whitespace().map(str::to_owned).collect();
        for index in drop {
            words.remove(index.index(words.len()));
        }
        for (index, text) in put {
            words.insert(index.index(words.len()), text.to_owned());
        }
        let text = words.join(" ");
        let report = report_of(&text);
        let original = judge.assess(&report, &Said::Spoken(transcript.clone()));
        let after = judge.anew(&report, &Said::Spoken(transcript.clone()), &standing(&report, &text));
        if after.consent == Consent::Full {
            prop_assert_eq!(original.consent, Consent::Full);
            let typed = typed(&transcript, &text);
            let proof = |subject| after.findings.iter().find(move |one| one.subject == subject && one.polarity == Polarity::Holds);
            for subject in [Subject::Conditions, Subject::Fee] {
                let quote = &proof(subject).unwrap().quote;
                prop_assert!(transcript.text().contains(quote.as_str()), "{quote}");
            }
            prop_assert!(typed.transcript.doubt.is_none());
        }
        if original.consent != Consent::Full {
            prop_assert_ne!(charges::basis_of(&after), Some(Basis::Spoken));
        }
    }
}

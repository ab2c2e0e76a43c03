//! What happens to people: caller, technician, admin. Covers F-07, F-41, F-61 (the 90 seconds), F-64 and F-65 (alarms
//! without text), and I2 to I6, I8.

use crate::fake_bot::Fault;
use crate::postgres;
use crate::world::{ANNA, BERND, EMERGENCY, MORNING, NIGHT, NO_EMERGENCY, OFFICE, World, doubted, spoken};
use chrono::TimeDelta;
use nachtwache::acknowledge::Answer;
use nachtwache::domain::act::{Act, Refusal};
use nachtwache::domain::assessment::{Consent, ConsentDoubt, Declaration, Verdict};
use nachtwache::domain::case::{CaseState, Outcome};
use nachtwache::domain::transcript::Doubt;
use nachtwache::runtime::worker::Step as _;
use nachtwache::store::{assessments, charges, events};

/// The whole night of one confirmed emergency.
async fn a_whole_night(mut world: World) {
    let report = world.hear(EMERGENCY).await;
    let phone = world.phone(ANNA);
    let voice = &phone[0];
    assert!(voice.silent && voice.file.as_ref().unwrap().voice, "the first word is the silent recording");
    assert!(voice.text.starts_with("Neue Sprachnachricht, 0:"), "{}", voice.text);
    let alert = &phone[1];
    assert!(!alert.silent);
    for part in [
        "🚨 NOTFALL BESTÄTIGT · Vorgang 1001",
        "Sa 21.11.2026 22:14 · außerhalb der Geschäftszeiten · Frist So 22:14",
        "🏢 Rossmeisl Elektrotechnik",
        "👤 Dirk Rossmeisl",
        "📞 +491713920020 (gesprochen; angezeigt: +49 9721 555017 ⚠ abweichend)",
        "✅ Notfall erklärt",
        "💶 48,00 € zzgl. MwSt. (57,12 € brutto)",
    ] {
        assert!(alert.text.contains(part), "{part} is missing in:\n{}", alert.text);
    }
    assert!(world.phone(BERND).is_empty());

    world.after(11).await;
    assert_eq!(world.rings(ANNA), 3, "duty is rung again after 5 and 10 minutes");
    assert_eq!(world.rings(BERND), 0);
    world.after(1).await;
    assert_eq!(world.rings(BERND), 1, "then everyone is told");
    assert!(world.phone(BERND).iter().any(|shown| shown.file.is_some()), "with the recording");

    let said = world.press(BERND, "Übernehmen", BERND).await;
    assert_eq!(said.as_deref(), Some("Du hast übernommen. Wann rufst du zurück?"));
    let anna = world.phone(ANNA);
    assert!(anna.last().unwrap().text.contains("👉 übernommen von Bernd"), "Anna sees who has it");
    let said = world.press_on(ANNA, anna.last().unwrap().id, "Abschrift", ANNA).await;
    assert_eq!(said.as_deref(), Some("Die Abschrift kommt."));
    assert!(world.phone(ANNA).last().unwrap().text.contains("unternehmenskritischen Notfall"));

    let rings = (world.rings(ANNA), world.rings(BERND));
    world.after(10).await;
    world.press(BERND, "Rückruf erfolgt", BERND).await;
    world.after(120).await;
    assert_eq!((world.rings(ANNA), world.rings(BERND)), rings, "after an acknowledgement nobody is woken");
    assert_eq!(world.pending().await, 0);

    world.press(BERND, "Erledigt", BERND).await;
    let case = world.case(report).await.unwrap();
    assert_eq!((case.state, case.outcome), (CaseState::Closed, Some(Outcome::Done)));
    let mut reader = world.store.read().await.unwrap();
    let charge = charges::of_case(&mut reader, case.id).await.unwrap().expect("a charge is proposed");
    assert_eq!((charge.net.0, charge.gross.0), (4800, 5712));
    assert!(charge.proof.contains("sound_sha256"));
    let story: Vec<_> =
        events::of_report(&mut reader, report).await.unwrap().into_iter().map(|event| event.kind).collect();
    in_order(&story.iter().map(|kind| kind.as_str()).collect::<Vec<_>>());
}

/// The order in which a story must happen; deliveries may stand in between.
fn in_order(kinds: &[&str]) {
    let order = ["stored", "assessed", "opened", "rang", "acted", "acted", "closed"];
    let mut rest = kinds.iter();
    for wanted in order {
        assert!(rest.any(|kind| *kind == wanted), "{wanted} is missing or out of order in {kinds:?}");
    }
}

#[tokio::test]
async fn a_confirmed_emergency_wakes_people_until_one_takes_it() {
    a_whole_night(World::night().await).await;
}

#[tokio::test]
async fn the_same_night_on_postgresql() {
    a_whole_night(World::at(NIGHT, Some(postgres::url()), "").await).await;
}

#[tokio::test]
async fn no_emergency_lets_the_technician_sleep() {
    let mut world = World::night().await;
    let report = world.hear(NO_EMERGENCY).await;
    assert_eq!(world.verdict(report).await, Some(Verdict::NotEmergency));
    assert!(world.case(report).await.is_none());
    world.after(60).await;
    let phone = world.phone(ANNA);
    assert_eq!(phone.len(), 1);
    assert!(phone[0].text.contains("kein Notfall"), "{}", phone[0].text);
    assert_eq!(world.rings(ANNA), 0);
}

#[tokio::test]
async fn where_nobody_spoke_the_first_word_is_taken_off_the_phone() {
    let mut world = World::night().await;
    let report = world.call().await;
    world.settle().await;
    assert_eq!(world.phone(ANNA).len(), 1);
    world.transcribed(report, &doubted(Doubt::NoVoice)).await;
    world.settle().await;
    assert_eq!(world.verdict(report).await, Some(Verdict::Ignored));
    assert!(world.phone(ANNA).is_empty());
}

#[tokio::test]
async fn a_text_that_is_not_believed_wakes_people_as_unclear() {
    for doubt in [Doubt::Loop, Doubt::Invention, Doubt::NoWords, Doubt::Undecodable, Doubt::GivenUp] {
        let mut world = World::night().await;
        let report = world.call().await;
        world.transcribed(report, &doubted(doubt)).await;
        world.settle().await;
        assert_eq!(world.verdict(report).await, Some(Verdict::Unclear), "{doubt:?}");
        assert!(world.phone(ANNA).iter().any(|shown| shown.text.contains("UNKLAR – BITTE ANHÖREN") && !shown.silent));
    }
}

#[tokio::test]
async fn whatever_the_transcriber_does_a_human_hears_of_it_after_ninety_seconds() {
    let mut world = World::night().await;
    let report = world.call().await;
    world.settle().await;
    world.after_seconds(89).await;
    assert_eq!(world.rings(ANNA), 0);
    world.after_seconds(1).await;
    assert_eq!(world.rings(ANNA), 1);
    assert!(world.phone(ANNA)[1].text.contains("🔴 NOCH NICHT ABGEHÖRT"));

    world.transcribed(report, &spoken(EMERGENCY)).await;
    world.settle().await;
    assert_eq!(world.rings(ANNA), 2, "the verdict says more than the silence did: it rings again");
    assert!(
        world.phone(ANNA).iter().skip(1).all(|shown| shown.text.contains("NOTFALL BESTÄTIGT")),
        "and the old one is edited"
    );
    assert_eq!(world.case(report).await.unwrap().verdict, Verdict::Confirmed);
}

#[tokio::test]
async fn a_case_opened_unheard_ends_by_the_written_policy_when_it_is_harmless() {
    let mut world = World::night().await;
    let report = world.call().await;
    world.after_seconds(90).await;
    world.transcribed(report, &spoken(NO_EMERGENCY)).await;
    world.settle().await;
    let case = world.case(report).await.unwrap();
    assert_eq!((case.state, case.outcome), (CaseState::Closed, Some(Outcome::Harmless)));
    let rings = world.rings(ANNA);
    world.after(30).await;
    assert_eq!(world.rings(ANNA), rings);
}

#[tokio::test]
async fn inside_business_hours_the_office_is_told_and_there_is_no_fee() {
    let mut world = World::at(MORNING, None, "").await;
    let report = world.hear(EMERGENCY).await;
    assert!(world.phone(ANNA).is_empty());
    let alert = world.phone(OFFICE).into_iter().find(|shown| !shown.silent).unwrap();
    assert!(alert.text.contains("keine Aktivierungsgebühr; 40 % Zuschlag"), "{}", alert.text);
    let case = world.case(report).await.unwrap();
    assert_eq!(charges::of_case(&mut world.store.read().await.unwrap(), case.id).await.unwrap(), None);
    assert_eq!(
        world.press(OFFICE, "Übernehmen", BERND).await.as_deref(),
        Some("Du hast übernommen. Wann rufst du zurück?")
    );
    assert_eq!(world.case(report).await.unwrap().taken_by.as_deref(), Some("Bernd"));
}

#[tokio::test]
async fn a_consent_that_only_one_decode_heard_is_no_consent() {
    let mut world = World::night().await;
    let report = world.call().await;
    let mut transcript = spoken(EMERGENCY);
    transcript.second = Some(EMERGENCY.replace("bin ich einverstanden", "bin ich nicht einverstanden"));
    world.transcribed(report, &transcript).await;
    world.settle().await;
    let found = assessments::find(&mut world.store.read().await.unwrap(), report).await.unwrap().unwrap();
    assert_eq!((found.verdict, found.consent), (Verdict::Incomplete, Consent::Absent));
    assert_eq!(found.consent_doubt, Some(ConsentDoubt::SecondDecode));
    let case = world.case(report).await.unwrap();
    assert_eq!(charges::of_case(&mut world.store.read().await.unwrap(), case.id).await.unwrap(), None);
    assert!(world.phone(ANNA)[1].text.contains("Zustimmung möglich, aber nicht gesichert"));
}

#[tokio::test]
async fn improbable_words_or_words_outside_of_speech_are_no_consent() {
    for (probability, speech, doubt) in
        [(0.1, vec![(0, 60_000)], ConsentDoubt::Improbable), (0.9, vec![(0, 5_000)], ConsentDoubt::OutsideSpeech)]
    {
        let mut world = World::night().await;
        let report = world.call().await;
        let mut transcript = spoken(EMERGENCY);
        transcript.words.iter_mut().for_each(|word| word.probability = probability);
        transcript.speech = speech;
        world.transcribed(report, &transcript).await;
        world.settle().await;
        let found = assessments::find(&mut world.store.read().await.unwrap(), report).await.unwrap().unwrap();
        assert_eq!((found.verdict, found.consent_doubt), (Verdict::Incomplete, Some(doubt)));
    }
}

#[tokio::test]
async fn an_emergency_or_a_denial_that_stands_where_nobody_speaks_is_not_believed() {
    let emergency = EMERGENCY.replace(", der Betrieb steht still", "");
    let denial =
        "Guten Tag, Birgit Paulus. Das ist kein Notfall. Der Bildschirm flackert. Rufen Sie mich am Montag an.";
    for (text, believed, doubted) in [
        (emergency.as_str(), (Verdict::Confirmed, Declaration::Declared), (Verdict::Incomplete, Declaration::Absent)),
        (denial, (Verdict::NotEmergency, Declaration::Denied), (Verdict::Unclear, Declaration::Absent)),
    ] {
        for (voiced, expected) in [(true, believed), (false, doubted)] {
            let mut world = World::night().await;
            let report = world.call().await;
            let mut transcript = spoken(text);
            let at = |word: &str| transcript.words.iter().find(|found| found.text.contains(word)).unwrap().clone();
            let said = at("otfall");
            if !voiced {
                transcript.speech =
                    vec![(0, said.start_ms.saturating_sub(2_000)), (said.end_ms + 2_000, transcript.sound_ms)];
            }
            world.transcribed(report, &transcript).await;
            world.settle().await;
            let found = assessments::find(&mut world.store.read().await.unwrap(), report).await.unwrap().unwrap();
            assert_eq!((found.verdict, found.declaration), expected, "{text}");
        }
    }
}

#[tokio::test]
async fn the_first_one_wins_and_the_second_learns_who_has_it() {
    let mut world = World::night().await;
    let report = world.hear(EMERGENCY).await;
    world.after(12).await;
    let case = world.case(report).await.unwrap().id;
    let bernds = world.phone(BERND).into_iter().find(|shown| !shown.buttons.is_empty()).unwrap().id;
    assert_eq!(world.act("Anna", Act::Take, case).await, Answer::Done);
    assert_eq!(world.act("Bernd", Act::Take, case).await, Answer::Refused(Refusal::TakenBy("Anna".into())));
    let anna = world.phone(ANNA);
    assert!(anna.last().unwrap().buttons.iter().flatten().any(|key| key.label == "Erledigt"));
    assert!(world.phone(BERND).iter().find(|shown| shown.id == bernds).unwrap().text.contains("übernommen von Anna"));
}

#[tokio::test]
async fn a_case_given_back_wakes_people_again() {
    let mut world = World::night().await;
    let report = world.hear(EMERGENCY).await;
    let case = world.case(report).await.unwrap().id;
    world.act("Anna", Act::Take, case).await;
    world.after(30).await;
    let before = world.rings(ANNA) + world.rings(BERND);
    assert_eq!(
        world.press(ANNA, "Zurückgeben", ANNA).await.as_deref(),
        Some("Zurückgegeben, die Eskalation läuft weiter.")
    );
    assert!(world.rings(ANNA) + world.rings(BERND) > before);
    assert_eq!(world.case(report).await.unwrap().state, CaseState::Open);
}

#[tokio::test]
async fn passing_on_wakes_the_next_one_at_once() {
    let mut world = World::night().await;
    world.hear(EMERGENCY).await;
    assert_eq!(world.rings(BERND), 0);
    assert_eq!(
        world.press(ANNA, "Weitergeben", ANNA).await.as_deref(),
        Some("Weitergegeben: der Nächste wird gerufen.")
    );
    assert_eq!(world.rings(BERND), 1);
}

#[tokio::test]
async fn a_stranger_or_a_forged_button_changes_nothing() {
    let mut world = World::night().await;
    let report = world.hear(EMERGENCY).await;
    let said = world.press(ANNA, "Übernehmen", 666).await;
    assert_eq!(said.as_deref(), Some("Dafür bist du nicht freigeschaltet."));
    assert_eq!(world.case(report).await.unwrap().state, CaseState::Open);
}

#[tokio::test]
async fn a_closed_case_leaves_number_and_outcome_on_the_phones() {
    let mut world = World::at(NIGHT, None, "").await;
    let settings = std::sync::Arc::make_mut(&mut world.settings);
    settings.telegram.redact_closed = true;
    let report = world.hear(EMERGENCY).await;
    let case = world.case(report).await.unwrap().id;
    world.press(ANNA, "Kein Notfall …", ANNA).await;
    world.press(ANNA, "hat sich erledigt", ANNA).await;
    let phone = world.phone(ANNA);
    assert_eq!(phone.len(), 1, "the recording is gone");
    assert_eq!(phone[0].text, format!("Vorgang {case} · kein Notfall: hat sich erledigt · Anna · Sa 21.11.2026 22:14"));
    assert!(phone[0].buttons.is_empty());
}

#[tokio::test]
async fn in_the_minimal_view_telegram_sees_nothing_of_the_caller() {
    let mut world = World::at(NIGHT, None, "").await;
    std::sync::Arc::make_mut(&mut world.settings).telegram.view = nachtwache::config::View::Minimal;
    world.hear(EMERGENCY).await;
    let sent: String = world.bot.calls().iter().filter_map(|call| call.text.clone().or(call.caption.clone())).collect();
    assert!(sent.contains("NOTFALL BESTÄTIGT · Vorgang 1001"));
    for private in ["Rossmeisl", "3920020", "555017", "Internet"] {
        assert!(!sent.contains(private), "{private} reached Telegram");
    }
    assert!(world.bot.calls().iter().all(|call| call.file_bytes.is_none()));
}

#[tokio::test]
async fn a_technician_who_blocked_the_bot_does_not_hold_up_the_others() {
    let mut world = World::night().await;
    world.bot.fail_next_in(ANNA, "sendVoice", Fault::Blocked403);
    world.bot.fail_next_in(ANNA, "sendMessage", Fault::Blocked403);
    world.hear(EMERGENCY).await;
    assert_eq!(world.rings(BERND), 1, "the next one is told at once, not after twelve minutes");
}

#[tokio::test]
async fn too_many_requests_wait_as_long_as_telegram_asks() {
    let mut world = World::night().await;
    world.bot.fail_next("sendMessage", Fault::TooMany(7));
    world.hear(EMERGENCY).await;
    assert_eq!(world.rings(ANNA), 0);
    world.after_seconds(6).await;
    assert_eq!(world.rings(ANNA), 0);
    world.after_seconds(1).await;
    assert_eq!(world.rings(ANNA), 1);
}

#[tokio::test]
async fn a_group_with_a_new_number_is_followed_and_remembered() {
    let mut world = World::at(MORNING, None, "").await;
    world.bot.fail_next("sendMessage", Fault::Migrate(-100_777));
    let report = world.hear(EMERGENCY).await;
    assert!(world.phone(-100_777).iter().any(|shown| shown.text.contains("NOTFALL BESTÄTIGT")));
    world.press(-100_777, "Übernehmen", ANNA).await;
    assert_eq!(world.case(report).await.unwrap().taken_by.as_deref(), Some("Anna"));
    let calls = world.bot.calls().len();
    world.hear(EMERGENCY).await;
    assert!(
        world.bot.calls()[calls..].iter().all(|call| call.chat != Some(OFFICE)),
        "the old number is not asked again"
    );
}

#[tokio::test]
async fn an_unknown_send_is_repeated_and_says_so() {
    let mut world = World::night().await;
    world.bot.fail_next("sendMessage", Fault::DropAfterAccept);
    world.hear(EMERGENCY).await;
    world.after_seconds(5).await;
    let alerts: Vec<_> = world.phone(ANNA).into_iter().filter(|shown| !shown.silent).collect();
    assert_eq!(alerts.len(), 2, "at least once: the first may have arrived");
    assert!(!alerts[0].text.contains("Wiederholung") && alerts[1].text.contains("(Wiederholung möglich)"));
}

#[tokio::test]
async fn a_crash_between_sending_and_writing_it_down_is_an_unknown_send() {
    let mut world = World::night().await;
    world.call().await;
    let step = world.send();
    let (notice, lease) = step.claim().await.unwrap().expect("the first word is due");
    let mut tx = world.store.begin().await.unwrap();
    nachtwache::store::notices::sending(&mut tx, notice.id, &lease, false).await.unwrap();
    tx.commit().await.unwrap();
    // Here the process dies; the lease is released by the next start.
    world.store.fresh_start().await.unwrap();
    world.settle().await;
    assert!(world.phone(ANNA)[0].text.contains("(Wiederholung möglich)"));
}

#[tokio::test]
async fn a_refused_parse_arrives_as_plain_text() {
    let mut world = World::night().await;
    world.bot.fail_next("sendMessage", Fault::ParseRefused);
    world.hear(EMERGENCY).await;
    assert!(world.phone(ANNA).iter().any(|shown| shown.text.contains("NOTFALL BESTÄTIGT")));
}

#[tokio::test]
async fn after_an_outage_of_telegram_one_alert_arrives_and_not_all_that_were_due() {
    let mut world = World::night().await;
    world.bot.fail_always("sendMessage", Fault::BadGatewayHtml);
    world.bot.fail_always("sendVoice", Fault::BadGatewayHtml);
    world.hear(EMERGENCY).await;
    world.after(11).await;
    world.bot.heal();
    world.after(1).await;
    assert_eq!(world.rings(ANNA), 1, "{:?}", world.phone(ANNA).iter().map(|shown| &shown.text).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_report_known_already_changes_nothing() {
    let mut world = World::night().await;
    world.hear(EMERGENCY).await;
    let again = world.desk().accept(world.arrival(1)).await.unwrap();
    assert!(!again.new);
    let calls = world.bot.calls().len();
    world.settle().await;
    assert_eq!(world.bot.calls().len(), calls);
    let sounds = std::fs::read_dir(world.store.sound_folder()).unwrap().count();
    assert_eq!(sounds, 1, "no orphan is left");
}

#[tokio::test]
async fn the_same_message_in_two_mailboxes_is_one_report() {
    let mut world = World::night().await;
    let first = world.hear(EMERGENCY).await;
    let mut copy = world.arrival(1);
    copy.key = "default/102/1".into();
    let second = world.desk().accept(copy).await.unwrap();
    assert_eq!((second.id, second.new), (first, false));
    world.settle().await;
    assert_eq!(world.rings(ANNA), 1);
}

#[tokio::test]
async fn an_open_case_with_nothing_due_is_found_by_the_auditor() {
    let mut world = World::night().await;
    let report = world.hear(EMERGENCY).await;
    let id = world.case(report).await.unwrap().id;
    // Only a defect could do this; the auditor is there for those.
    world.sql(&format!("UPDATE cases SET due_at = NULL WHERE id = {id}")).await;
    let rings = world.rings(ANNA);
    world.after(30).await;
    assert_eq!(world.rings(ANNA), rings);
    world.audit().tick().await.unwrap();
    world.settle().await;
    assert!(world.rings(ANNA) > rings);
}

#[tokio::test]
async fn a_sleep_of_six_hours_collapses_into_one_ring_each() {
    let mut world = World::night().await;
    world.hear(EMERGENCY).await;
    let before = world.rings(ANNA);
    world.clock.advance(TimeDelta::hours(6));
    world.settle().await;
    assert_eq!((world.rings(ANNA), world.rings(BERND)), (before + 1, 1));
}

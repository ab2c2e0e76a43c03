//! One caller, several ways: mails beside calls, one message seen twice, later messages of a case, mailboxes that go away.

use crate::world::{ANNA, BERND, CALLER, EMERGENCY, OFFICE, World, spoken};
use nachtwache::domain::act::Act;
use nachtwache::domain::assessment::Verdict;
use nachtwache::domain::case::CaseState;
use nachtwache::domain::report::{Arrival, Caller, Content, Mail, ReportId, Sound};
use nachtwache::store::{charges, reports};

const WRITTEN: &str = "Guten Abend,\n\nhiermit melden wir einen unternehmenskritischen Notfall: der Fileserver ist seit 21 Uhr \
     ausgefallen, die Produktion steht still. Mit den Geschäftsbedingungen und der Aktivierungsgebühr von 48 Euro sind wir \
     einverstanden.\n\nRückruf bitte unter 0171 3920020.\n\nKlara Vogt\nVogt Blechtechnik GmbH\n";

const WITHOUT_CONSENT: &str = "Hier Dirk Rossmeisl, Firma Rossmeisl Elektrotechnik. Wir haben einen unternehmenskritischen \
     Notfall, das Internet ist komplett ausgefallen, der Betrieb steht. Rückruf 0171 3920020.";

fn mail(sender: &str, subject: &str, text: &str) -> Mail {
    Mail {
        sender: Some(sender.into()),
        reply_to: Some(sender.into()),
        message_id: Some(format!("{}@kunde.example", text.len())),
        subject: subject.into(),
        text: text.into(),
        headers: vec![("From".into(), sender.into()), ("Subject".into(), subject.into())],
        automatic: false,
        raw: format!("From: {sender}\r\nSubject: {subject}\r\n\r\n{text}").into_bytes(),
    }
}

async fn arrives(world: &World, key: &str, content: Content) -> ReportId {
    let arrival = Arrival {
        source: "mail".into(),
        key: key.into(),
        mailbox: None,
        caller: Caller::default(),
        called_at: None,
        content,
        twin: None,
        longest_s: None,
    };
    let id = world.desk().accept(arrival).await.unwrap().id;
    world.settle().await;
    id
}

async fn write(world: &World, key: &str, mail: Mail) -> ReportId {
    arrives(world, key, Content::Email(mail)).await
}

fn alert(world: &World, chat: i64) -> String {
    let alerts = world.phone(chat);
    alerts.iter().rev().find(|shown| !shown.buttons.is_empty()).expect("an alert").text.clone()
}

#[tokio::test]
async fn a_written_emergency_wakes_the_technician_with_its_words_as_proof() {
    let world = World::night().await;
    let report = write(&world, "1/1", mail("klara.vogt@vogt-blech.example", "NOTFALL Fileserver", WRITTEN)).await;
    assert_eq!(world.verdict(report).await, Some(Verdict::Confirmed));
    assert_eq!(world.rings(ANNA), 1);
    let alert = alert(&world, ANNA);
    for line in ["NOTFALL BESTÄTIGT", "✉ E-Mail von klara.vogt@vogt-blech.example", "📞 +491713920020 (geschrieben)"]
    {
        assert!(alert.contains(line), "{line} is missing in:\n{alert}");
    }
    assert!(!alert.contains("Nummer unterdrückt"), "{alert}");
    let case = world.case(report).await.unwrap();
    let charge = charges::of_case(&mut world.store.read().await.unwrap(), case.id).await.unwrap().unwrap();
    assert!(charge.proof.contains("mail_sha256"), "{}", charge.proof);
    // the words on request are the mail's
    world.press(ANNA, "Abschrift", ANNA).await;
    assert!(world.phone(ANNA).iter().any(|shown| shown.text.contains("Betreff: NOTFALL Fileserver")));
}

#[tokio::test]
async fn who_writes_only_a_subject_or_only_a_picture_is_heard() {
    let world = World::night().await;
    let subject =
        write(&world, "1/1", mail("a@kunde.example", "Totalausfall, unser Server steht, Notfall!", "\n")).await;
    let picture = write(&world, "1/2", mail("b@kunde.example", "", "")).await;
    assert_eq!(world.verdict(subject).await, Some(Verdict::Incomplete));
    assert_eq!(world.verdict(picture).await, Some(Verdict::Unclear));
    assert_eq!(world.rings(ANNA), 2);
}

#[tokio::test]
async fn a_fax_is_recorded_and_wakes_nobody() {
    let world = World::night().await;
    let report =
        arrives(&world, "1/1", Content::Fax(mail("fax@provider.example", "Fax von 09721 1", "Notfall!"))).await;
    world.after(5).await;
    assert_eq!(world.verdict(report).await, Some(Verdict::Ignored));
    assert_eq!(world.phone(ANNA).len(), 0);
}

#[tokio::test]
async fn what_looks_like_a_fax_and_tells_of_an_emergency_wakes_people() {
    let world = World::night().await;
    let report =
        arrives(&world, "1/1", Content::Fax(mail("lang@kunde.example", "Telefaxserver ausgefallen", WRITTEN))).await;
    assert_eq!(world.verdict(report).await, Some(Verdict::Confirmed));
    assert_eq!(world.rings(ANNA), 1);
}

#[tokio::test]
async fn of_a_recording_and_the_mail_around_it_the_louder_one_counts() {
    let world = World::night().await;
    let sound = Sound::Bytes { name: "ansage.wav".into(), bytes: b"sound".to_vec() };
    let letter = mail("klara.vogt@vogt-blech.example", "WG: Sprachnachricht", WRITTEN);
    let report = arrives(&world, "1/1", Content::VoicemailWithMail(sound, letter)).await;
    world
        .transcribed(report, &spoken("Willkommen bei der Firma Vogt, Sie rufen außerhalb unserer Geschäftszeiten an."))
        .await;
    world.settle().await;
    // her words declare it; whether the consent in them is her own a human sees
    assert_eq!(world.verdict(report).await, Some(Verdict::Incomplete));
    let case = world.case(report).await.unwrap();
    assert!(charges::of_case(&mut world.store.read().await.unwrap(), case.id).await.unwrap().is_none());
    let alert = alert(&world, ANNA);
    for line in [
        "✉ Aufnahme in einer E-Mail von klara.vogt@vogt-blech.example",
        "Zustimmung möglich, aber nicht gesichert",
        "🏢 Vogt Blechtechnik GmbH",
    ] {
        assert!(alert.contains(line), "{line} is missing in:\n{alert}");
    }
    world.press(ANNA, "Abschrift", ANNA).await;
    let words =
        world.phone(ANNA).into_iter().map(|shown| shown.text).find(|text| text.starts_with("Abschrift")).unwrap();
    assert!(words.contains("Willkommen") && words.contains("Fileserver"), "{words}");
}

#[tokio::test]
async fn an_out_of_office_answer_wakes_nobody() {
    let world = World::night().await;
    let mut answer = mail("klara.vogt@vogt-blech.example", "Abwesenheitsnotiz: NOTFALL", WRITTEN);
    answer.headers.push(("Auto-Submitted".into(), "auto-replied".into()));
    answer.automatic = true;
    let report = write(&world, "1/1", answer).await;
    world.after(5).await;
    assert_eq!(world.verdict(report).await, Some(Verdict::Ignored));
    assert_eq!(world.rings(ANNA), 0);
}

#[tokio::test]
async fn a_second_call_about_the_same_trouble_joins_and_rings_nobody() {
    let mut world = World::night().await;
    let first = world.hear(EMERGENCY).await;
    world.act("Anna", Act::Take, world.case(first).await.unwrap().id).await;
    let rings = world.rings(ANNA);
    world.after(20).await;
    let second = world.hear("Hier noch mal Rossmeisl, das Internet ist immer noch weg. Das ist ein Notfall!").await;
    world.after(5).await;
    assert!(world.case(second).await.is_none());
    assert_eq!((world.rings(ANNA), world.rings(BERND)), (rings, 0));
    assert!(alert(&world, ANNA).contains("➕ weitere Nachricht, Sa 21.11.2026 22:34"), "{}", alert(&world, ANNA));
    let voices = world.phone(ANNA).iter().filter(|shown| shown.text.contains("Sprachnachricht")).count();
    assert_eq!(voices, 2, "the one who has it hears it");
}

#[tokio::test]
async fn many_later_messages_are_counted() {
    let mut world = World::night().await;
    world.hear(EMERGENCY).await;
    for _ in 0..7 {
        world.after(1).await;
        world.hear("Noch mal Rossmeisl, wo bleibt ihr denn? Das ist ein Notfall!").await;
    }
    let alert = alert(&world, ANNA);
    assert!(alert.contains("➕ 3 weitere davor"), "{alert}");
    assert_eq!(alert.matches('➕').count(), 5, "{alert}");
}

#[tokio::test]
async fn one_tap_takes_a_joined_message_off_and_it_rings_by_itself() {
    let mut world = World::night().await;
    let first = world.hear(EMERGENCY).await;
    let second = world.hear("Noch mal Rossmeisl, es hat noch niemand zurückgerufen. Es ist ein Notfall.").await;
    let case = world.case(first).await.unwrap();
    assert!(world.case(second).await.is_none());
    let rings = world.rings(ANNA);
    let said = world.press(ANNA, "Gehört nicht dazu", ANNA).await;
    assert_eq!(said.as_deref(), Some("Die letzte Nachricht ist jetzt ein eigener Vorgang."));
    let own = world.case(second).await.expect("a case of its own");
    assert_ne!(own.id, case.id);
    assert_eq!((own.state, world.rings(ANNA)), (CaseState::Open, rings + 1));
    let messages = world.phone(ANNA);
    let old =
        messages.iter().find(|shown| shown.text.contains(&format!("Vorgang {}", case.id)) && !shown.buttons.is_empty());
    assert!(!old.unwrap().text.contains('➕'));
}

#[tokio::test]
async fn what_was_split_off_takes_its_consent_along() {
    let mut world = World::night().await;
    let first = world.hear(WITHOUT_CONSENT).await;
    let second = world.hear(EMERGENCY).await;
    let case = world.case(first).await.unwrap();
    assert_eq!(case.verdict, Verdict::Confirmed);
    world.press(ANNA, "Gehört nicht dazu", ANNA).await;
    assert_eq!(world.case(first).await.unwrap().verdict, Verdict::Incomplete, "this caller never agreed");
    let own = world.case(second).await.unwrap();
    let mut reader = world.store.read().await.unwrap();
    assert!(charges::of_case(&mut reader, case.id).await.unwrap().is_none());
    assert_eq!(charges::of_case(&mut reader, own.id).await.unwrap().map(|charge| charge.report), Some(second));
}

#[tokio::test]
async fn another_trouble_of_the_same_caller_is_a_case_of_its_own() {
    let mut world = World::night().await;
    world.hear(EMERGENCY).await;
    let rings = world.rings(ANNA);
    let second = world
        .hear("Hier Rossmeisl. Jetzt ist zusätzlich der Mailserver abgestürzt. Das ist ein unternehmenskritischer Notfall.")
        .await;
    assert!(world.case(second).await.is_some());
    assert_eq!(world.rings(ANNA), rings + 1);
}

#[tokio::test]
async fn what_was_not_understood_never_joins() {
    let mut world = World::night().await;
    world.hear(EMERGENCY).await;
    let second = world.call().await;
    world.settle().await;
    world.transcribed(second, &crate::world::doubted(nachtwache::domain::transcript::Doubt::Improbable)).await;
    world.settle().await;
    assert!(world.case(second).await.is_some());
}

#[tokio::test]
async fn a_later_consent_raises_the_case_and_rings_again() {
    let mut world = World::night().await;
    let first = world.hear(WITHOUT_CONSENT).await;
    assert_eq!(world.verdict(first).await, Some(Verdict::Incomplete));
    let rings = world.rings(ANNA);
    let text = EMERGENCY.replace("Guten Abend, hier", "Noch einmal hier");
    let second = write(&world, "1/1", mail("dirk@rossmeisl.example", "Zustimmung", &text)).await;
    assert!(world.case(second).await.is_none());
    let case = world.case(first).await.unwrap();
    assert_eq!((case.verdict, world.rings(ANNA)), (Verdict::Confirmed, rings + 1));
    let charge = charges::of_case(&mut world.store.read().await.unwrap(), case.id).await.unwrap().unwrap();
    assert_eq!(charge.report, second);
    assert!(alert(&world, ANNA).contains("➕ weitere E-Mail"), "{}", alert(&world, ANNA));
}

#[tokio::test]
async fn a_subject_line_alone_joins_nothing() {
    let world = World::night().await;
    let first = write(&world, "1/1", mail("klara.vogt@vogt-blech.example", "Notfall", WRITTEN)).await;
    // the same subject from somebody else, and the same subject from her about something else
    let stranger = WRITTEN.replace("0171 3920020", "0171 3920031").replace("Vogt", "Brandt");
    let other = write(&world, "1/2", mail("it@brandt.example", "Re: Notfall", &stranger)).await;
    let text = "Guten Abend,\n\nnun ist auch die Telefonanlage tot, unternehmenskritischer Notfall.\n\nKlara Vogt\n";
    let third = write(&world, "1/3", mail("klara.vogt@vogt-blech.example", "Notfall", text)).await;
    let mut cases = Vec::new();
    for report in [first, other, third] {
        cases.push(world.case(report).await.expect("a case of its own").id);
    }
    assert_eq!(cases.len(), 3);
}

#[tokio::test]
async fn joining_can_be_switched_off() {
    let mut world = World::at(crate::world::NIGHT, None, "").await;
    let settings = std::sync::Arc::make_mut(&mut world.settings);
    settings.escalation.join_within_h = 0;
    world.hear(EMERGENCY).await;
    let second = world.hear("Noch mal Rossmeisl, es hat noch niemand zurückgerufen. Es ist ein Notfall.").await;
    assert!(world.case(second).await.is_some());
}

#[tokio::test]
async fn the_same_sound_by_spool_and_by_mail_is_one_report() {
    let mut world = World::night().await;
    let first = world.hear(EMERGENCY).await;
    let rings = world.rings(ANNA);
    let mut copy = world.arrival(1);
    (copy.source, copy.key) = ("mail".into(), "77/1".into());
    // the mail writes the number otherwise, and a minute later
    copy.caller.number = Some("+49 9721 555017".into());
    copy.called_at = copy.called_at.map(|at| at + chrono::TimeDelta::minutes(1));
    let second = world.desk().accept(copy.clone()).await.unwrap();
    assert_eq!((second.id, second.new), (first, false));
    // it is known under its own key, too, and its source can be told
    let mut reader = world.store.read().await.unwrap();
    assert_eq!(reports::known(&mut reader, "mail", "77/1").await.unwrap(), Some(false));
    drop(reader);
    // somebody else's number is somebody else's call
    copy.key = "77/2".into();
    copy.caller.number = Some("+49 9721 555018".into());
    assert!(world.desk().accept(copy).await.unwrap().new);
    world.settle().await;
    assert_eq!(world.rings(ANNA), rings);
    assert_eq!(std::fs::read_dir(world.store.sound_folder()).unwrap().count(), 2, "no file without a row");
}

#[tokio::test]
async fn a_mail_under_a_new_key_is_the_same_mail_by_its_twin() {
    let world = World::night().await;
    let arrival = |key: &str| Arrival {
        source: "mail".into(),
        key: key.into(),
        mailbox: None,
        caller: Caller::default(),
        called_at: None,
        content: Content::Email(mail("a@b.example", "Notfall", WRITTEN)),
        twin: Some("id@b.example 0123".into()),
        longest_s: None,
    };
    let first = world.desk().accept(arrival("1/1")).await.unwrap();
    let again = world.desk().accept(arrival("2/1")).await.unwrap();
    assert_eq!((first.new, again.new, again.id), (true, false, first.id));
}

#[tokio::test]
async fn a_recording_that_ends_in_the_middle_is_marked() {
    let mut world = World::night().await;
    let report = world.call().await;
    world.settle().await;
    let mut transcript = spoken(EMERGENCY);
    transcript.sound_ms = transcript.words.last().unwrap().end_ms + 20;
    transcript.speech = vec![(0, transcript.sound_ms)];
    world.transcribed(report, &transcript).await;
    world.settle().await;
    assert!(alert(&world, ANNA).contains("✂ evtl. abgeschnitten"), "{}", alert(&world, ANNA));
    // so is one as long as the mailbox allows, whoever spoke last
    transcript.sound_ms = 179_400;
    assert!(transcript.seems_cut_off(Some(180)));
    assert!(!transcript.seems_cut_off(None));
    assert!(!transcript.seems_cut_off(Some(300)));
}

mod mailbox {
    //! A mailbox that cannot be reached, and that can be again.

    use super::*;
    use async_trait::async_trait;
    use nachtwache::intake::Intake;
    use nachtwache::intake::source::{Found, Listing, Source, SourceError};
    use nachtwache::runtime::siren::siren;
    use std::collections::VecDeque;

    /// Fails as it is told to, then is empty.
    struct Scripted(VecDeque<SourceError>);

    #[async_trait]
    impl Source for Scripted {
        fn name(&self) -> &'static str {
            "pbx"
        }

        async fn list(&mut self) -> Result<Listing, SourceError> {
            self.0.pop_front().map_or_else(|| Ok(Listing::default()), Err)
        }

        async fn take(&mut self, _: &Found) -> Result<Arrival, SourceError> {
            Err(SourceError::Gone("there is nothing".into()))
        }

        async fn confirm(&mut self, _: &Found) -> Result<(), SourceError> {
            Ok(())
        }

        async fn changed(&mut self) {}
    }

    fn intake(world: &World, errors: impl IntoIterator<Item = SourceError>) -> Intake {
        Intake::new(world.desk(), Box::new(Scripted(errors.into_iter().collect())), siren().0)
    }

    fn down() -> SourceError {
        SourceError::Unreachable("127.0.0.1:993: connection refused".into())
    }

    fn outages(world: &World, chat: i64) -> Vec<String> {
        world.phone(chat).into_iter().map(|shown| shown.text).filter(|text| text.contains("Postfach")).collect()
    }

    #[tokio::test]
    async fn that_goes_away_is_told_once_to_technician_and_admin_and_once_when_it_is_back() {
        let world = World::night().await;
        let mut intake = intake(&world, std::iter::repeat_with(down).take(8));
        for _ in 0..8 {
            let look = intake.look().await.unwrap();
            assert!(look.pause.is_some());
            world.after(1).await;
        }
        for chat in [ANNA, OFFICE] {
            let told = outages(&world, chat);
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].contains("nicht erreichbar seit 22:14 – Notrufe können verloren gehen"), "{told:?}");
        }
        intake.look().await.unwrap();
        intake.look().await.unwrap();
        world.after(1).await;
        let told = outages(&world, ANNA);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[1].contains("wieder erreichbar\nAusfall von Sa 21.11.2026 22:14 bis"), "{told:?}");
    }

    #[tokio::test]
    async fn that_is_busy_without_end_is_as_good_as_away() {
        let world = World::night().await;
        let busy = || SourceError::Busy("being changed".into());
        let mut intake = intake(&world, std::iter::repeat_with(busy).take(6));
        let mut pauses = 0;
        for _ in 0..6 {
            pauses += usize::from(intake.look().await.unwrap().pause.is_some());
            world.after(1).await;
        }
        assert!(pauses > 0);
        assert_eq!(outages(&world, ANNA).len(), 1);
    }

    #[tokio::test]
    async fn a_short_absence_is_nobodys_business() {
        let world = World::night().await;
        let mut intake = intake(&world, [down(), down()]);
        for _ in 0..4 {
            intake.look().await.unwrap();
            world.after(1).await;
        }
        assert_eq!(outages(&world, ANNA), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_refused_login_is_told_at_once_and_tried_seldom() {
        let world = World::night().await;
        let mut intake = intake(&world, [SourceError::Refused("the password of imap.example is refused".into())]);
        let look = intake.look().await.unwrap();
        assert_eq!(look.pause, Some(std::time::Duration::from_mins(15)));
        world.after(1).await;
        assert_eq!(outages(&world, ANNA).len(), 1);
    }

    #[tokio::test]
    async fn one_that_comes_back_while_the_service_was_down_is_told_of_too() {
        let world = World::night().await;
        let mut before = intake(&world, std::iter::repeat_with(down).take(5));
        for _ in 0..5 {
            before.look().await.unwrap();
            world.after(1).await;
        }
        assert_eq!(outages(&world, ANNA).len(), 1);
        drop(before);
        let mut after = intake(&world, [down()]);
        after.look().await.unwrap();
        world.after(1).await;
        assert_eq!(outages(&world, ANNA).len(), 1, "known already");
        after.look().await.unwrap();
        world.after(1).await;
        assert_eq!(outages(&world, ANNA).len(), 2);
    }
}

mod receipt {
    //! The answer to somebody who wrote.

    use super::*;
    use crate::mail_server::{MailServer, readable, smtp};
    use nachtwache::config::ReceiptRow;
    use nachtwache::escalate::receipt::ReceiptStep;
    use nachtwache::review::Change;
    use nachtwache::runtime::worker::{Round, Step as _};
    use nachtwache::store::receipts::{self, State};
    use std::sync::Arc;
    use tokio::net::TcpListener;

    async fn world(port: u16) -> World {
        let mut world = World::night().await;
        let settings = Arc::make_mut(&mut world.settings);
        settings.receipt = ReceiptRow { enabled: true };
        settings.smtp = Some(smtp(port));
        world
    }

    async fn work(world: &World) {
        let clock = Arc::new(world.clock.clone());
        let mut step = ReceiptStep::new(world.store.clone(), world.settings.clone(), clock).unwrap();
        while step.tick().await.unwrap() == Round::Worked {}
    }

    #[tokio::test]
    async fn says_the_number_and_what_is_missing_once_a_day() {
        let server = MailServer::start(&[]).await;
        let world = world(server.port).await;
        let text = "Hilfe, unser Server ist ausgefallen, das ist ein unternehmenskritischer Notfall!\n\nKlara Vogt";
        let report = write(&world, "1/1", mail("klara.vogt@vogt-blech.example", "Notfall", text)).await;
        work(&world).await;
        let number = world.case(report).await.unwrap().id;
        let sent = server.kept();
        assert_eq!(sent.len(), 1);
        let raw = &sent[0];
        for header in [
            "MAIL FROM:<>",
            "RCPT TO:<klara.vogt@vogt-blech.example>",
            "Auto-Submitted: auto-replied",
            "In-Reply-To: <",
        ] {
            assert!(raw.contains(header), "{header} is missing in:\n{raw}");
        }
        let body = readable(raw);
        for words in [
            format!("Vorgangsnummer {number}"),
            "Zustimmung zur Aktivierungsgebühr von 48,00 €".into(),
            "Rückrufnummer".into(),
        ] {
            assert!(body.contains(&words), "{words} is missing in:\n{body}");
        }
        assert!(!body.contains("ausdrückliche Erklärung"), "{body}");
        // a second mail on the same day is not answered again
        write(
            &world,
            "1/2",
            mail("Klara.Vogt@vogt-blech.example", "Notfall", "Der Server ist immer noch aus! Notfall!"),
        )
        .await;
        work(&world).await;
        assert_eq!(server.kept().len(), 1);
    }

    #[tokio::test]
    async fn never_goes_to_a_machine_nor_to_who_reports_no_emergency() {
        let server = MailServer::start(&[]).await;
        let world = world(server.port).await;
        let mut machine = mail("monitor@kunde.example", "Notfall", WRITTEN);
        machine.automatic = true;
        write(&world, "1/1", machine).await;
        write(&world, "1/2", mail("a@kunde.example", "Angebot", "Bitte um ein Angebot für drei Bildschirme. Danke!"))
            .await;
        write(&world, "1/3", mail("service@kister-it.de", "Notfall", WRITTEN)).await;
        work(&world).await;
        assert!(server.kept().is_empty());
    }

    #[tokio::test]
    async fn does_not_go_to_whose_report_a_person_corrects_hours_later() {
        let world = world(1).await;
        let report = write(&world, "1/1", mail("a@kunde.example", "Angebot", "Bitte um ein Angebot. Danke!")).await;
        assert!(world.case(report).await.is_none());
        let change = Change::Verdict(Verdict::Confirmed, "am Telefon bestätigt".into());
        crate::corrections::review(&world).correct(report, 0, change, "Olga").await.unwrap();
        assert!(world.case(report).await.is_some());
        assert_eq!(receipts::state(&mut world.store.read().await.unwrap(), report).await.unwrap(), None);
    }

    #[tokio::test]
    async fn waits_for_a_mail_server_that_is_away_and_gives_up_on_a_refusal() {
        let server = MailServer::start(&[("RCPT", "550 5.1.1 no such user")]).await;
        let world = world(server.port).await;
        let report = write(&world, "1/1", mail("klara.vogt@vogt-blech.example", "Notfall", WRITTEN)).await;
        work(&world).await;
        let state = async |world: &World, report| {
            receipts::state(&mut world.store.read().await.unwrap(), report).await.unwrap()
        };
        assert_eq!(state(&world, report).await, Some(State::Failed));

        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let away = self::world(closed).await;
        let report = write(&away, "1/1", mail("klara.vogt@vogt-blech.example", "Notfall", WRITTEN)).await;
        work(&away).await;
        assert_eq!(state(&away, report).await, Some(State::Due));
    }
}

#[tokio::test]
async fn a_withheld_number_fits_the_same_sound() {
    let mut world = World::night().await;
    let first = world.call().await;
    let mut copy = world.arrival(1);
    (copy.source, copy.caller) = ("mail".into(), Caller::default());
    assert!(matches!(copy.content, Content::Voicemail(Sound::Bytes { .. })));
    assert_eq!(world.desk().accept(copy).await.unwrap().id, first);
    assert_eq!(CALLER, "09721555017");
}

//! A real Dovecot, the whole intake and a real store: nothing lost, nothing doubled, nothing foreign touched.

use super::dovecot::{Dovecot, fresh_user, shared};
use super::wire::Proxy;
use super::{House, foreign, look_all, settings, voicemail};
use nachtwache::intake::imap::Confirm;
use nachtwache::runtime::lifecycle::Lifecycle;
use nachtwache::runtime::status::Status;
use std::time::{Duration, Instant};

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}: not within 20 s");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn stored_once_confirmed_after_and_a_repeated_look_changes_nothing() {
    let (server, user, house) = (shared(), fresh_user(), House::new().await);
    let mut colleague = server.colleague(&user).await;
    colleague.delivers(&[voicemail(1), foreign(2)], "").await;
    let mut intake = house.intake(settings(server.port, &user));
    assert_eq!(intake.look().await.unwrap().stored, 1);
    assert_eq!(house.reports().await, (1, 1));
    let flags = colleague.flags().await;
    for _ in 0..3 {
        assert_eq!(intake.look().await.unwrap(), nachtwache::intake::Look::default());
    }
    let mut restarted = house.intake(settings(server.port, &user));
    assert_eq!(look_all(&mut restarted).await, 0);
    assert_eq!(house.reports().await, (1, 1));
    assert_eq!(colleague.flags().await, flags);
}

#[tokio::test]
async fn from_arrival_to_stored_in_less_than_two_seconds() {
    let (server, user, house) = (shared(), fresh_user(), House::new().await);
    let mut colleague = server.colleague(&user).await;
    let lifecycle = Lifecycle::default();
    let intake = house.intake(settings(server.port, &user));
    lifecycle.spawn("intake".into(), intake.run(Status::default(), lifecycle.clone()));
    colleague.delivers(&[voicemail(0)], "").await;
    until("the first", async || house.reports().await.0 == 1).await;
    let mut longest = Duration::ZERO;
    for number in 1..=5 {
        tokio::time::sleep(Duration::from_millis(30)).await;
        let began = Instant::now();
        colleague.delivers(&[voicemail(number)], "").await;
        until("stored", async || house.reports().await.0 == i64::from(number) + 1).await;
        longest = longest.max(began.elapsed());
    }
    println!("from arrival to stored: {longest:?} at most");
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    lifecycle.abort();
}

#[tokio::test]
async fn a_thousand_mails_in_a_burst_with_foreign_ones_between() {
    let (server, user, house) = (shared(), fresh_user(), House::new().await);
    let mut colleague = server.colleague(&user).await;
    let mails: Vec<String> = (0..1000).map(|n| if n % 2 == 0 { voicemail(n) } else { foreign(n) }).collect();
    colleague.delivers(&mails, "").await;
    colleague.says("UID STORE 2:40 +FLAGS (\\Seen)").await;
    colleague.says("UID STORE 30:80 +FLAGS (\\Flagged Kunde)").await;
    let before = colleague.flags().await;
    let mut intake = house.intake(settings(server.port, &user));
    let began = Instant::now();
    assert_eq!(look_all(&mut intake).await, 500);
    println!("500 recordings among 1000 mails: {:?}", began.elapsed());
    assert_eq!(house.reports().await, (500, 500));
    assert_eq!(house.different().await, 500);
    let after = colleague.flags().await;
    assert_eq!(after.len(), before.len());
    for ((uid, before), (_, after)) in before.iter().zip(&after) {
        let ours = uid % 2 == 1;
        let mut expected: Vec<&str> = before.split(' ').filter(|flag| !flag.is_empty()).collect();
        expected.extend(ours.then_some("$Nachtwache"));
        expected.sort_unstable();
        assert_eq!(after.split(' ').filter(|flag| !flag.is_empty()).collect::<Vec<_>>(), expected, "mail {uid}");
    }
}

#[tokio::test]
async fn a_line_that_is_cut_in_the_middle_of_a_mail_loses_and_doubles_nothing() {
    let (server, user, house) = (shared(), fresh_user(), House::new().await);
    let mut colleague = server.colleague(&user).await;
    let mails: Vec<String> = (0..40).map(voicemail).collect();
    colleague.delivers(&mails, "").await;
    let proxy = Proxy::to(server.port).await;
    let mut intake = house.intake(settings(proxy.port, &user));
    for bytes in [1, 300, 1500, 4500, 6000, 7000, 9000, 15_000, 22_000] {
        proxy.cut_after(bytes);
        intake.look().await.unwrap();
    }
    assert!(proxy.cuts() >= 7, "{}", proxy.cuts());
    proxy.cut_after(u64::MAX);
    look_all(&mut intake).await;
    assert_eq!(house.reports().await, (40, 40));
    assert_eq!(house.different().await, 40);
}

#[tokio::test]
async fn a_server_that_is_restarted_is_found_again() {
    let mut server = Dovecot::start("");
    let (user, house) = (fresh_user(), House::new().await);
    server.colleague(&user).await.delivers(&[voicemail(1)], "").await;
    let mut intake = house.intake(settings(server.port, &user));
    assert_eq!(intake.look().await.unwrap().stored, 1);
    server.stop();
    until("unreachable", async || intake.look().await.unwrap().pause.is_some()).await;
    server.restart();
    server.colleague(&user).await.delivers(&[voicemail(2)], "").await;
    assert_eq!(look_all(&mut intake).await, 1);
    assert_eq!(house.reports().await, (2, 2));
}

/// The server forgets all numbers; its mails stay.
async fn number_anew(server: &mut Dovecot, user: &str) {
    server.stop();
    for entry in std::fs::read_dir(server.maildir(user)).unwrap() {
        let path = entry.unwrap().path();
        // which letter stands for which keyword is no number
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("dovecot") && name != "dovecot-keywords" && path.is_file() {
            std::fs::remove_file(path).unwrap();
        }
    }
    // numbers are made from the second in which the folder is opened
    tokio::time::sleep(Duration::from_millis(1100)).await;
    server.restart();
}

#[tokio::test]
async fn a_server_that_numbers_its_mails_anew_doubles_nothing_and_loses_nothing_new() {
    let marked = Confirm::Keyword("$Nachtwache".into());
    for (confirm, restarts, looked_at_again) in
        [(Confirm::Seen, false, 15), (Confirm::Seen, true, 15), (marked, true, 0)]
    {
        let mut server = Dovecot::start("");
        let (user, house) = (fresh_user(), House::new().await);
        let mut settings = settings(server.port, &user);
        settings.confirm = confirm.clone();
        house.memory().keep("since INBOX", "2019-01-01T00:00:00+00:00").await.unwrap();
        let mails: Vec<String> = (0..20).map(|n| if n % 4 == 0 { foreign(n) } else { voicemail(n) }).collect();
        let mut colleague = server.colleague(&user).await;
        colleague.delivers(&mails, "").await;
        let old: Vec<String> = (20..30).map(voicemail).collect();
        colleague.delivers(&old, "21-Nov-2020 22:14:00 +0100").await;
        let mut intake = house.intake(settings.clone());
        assert_eq!(look_all(&mut intake).await, 25);
        number_anew(&mut server, &user).await;
        server.colleague(&user).await.delivers(&[voicemail(100)], "").await;
        if restarts {
            intake = house.intake(settings.clone());
        }
        assert_eq!(look_all(&mut intake).await, 1, "{confirm:?}");
        assert_eq!(house.reports().await, (26, 26));
        let sightings = house.number("SELECT COUNT(*) FROM sightings").await;
        assert_eq!(sightings, looked_at_again, "{confirm:?}: long before the last good look nothing is read again");
        // what somebody moves in later is looked at, however old it is
        server.colleague(&user).await.delivers(&[voicemail(101)], "21-Nov-2020 22:14:00 +0100").await;
        let mut restarted = house.intake(settings);
        assert_eq!(look_all(&mut restarted).await, 1, "{confirm:?}");
        assert_eq!(house.reports().await, (27, 27));
    }
}

#[tokio::test]
async fn a_mail_that_is_moved_out_and_back_is_the_same_mail() {
    let (server, user, house) = (shared(), fresh_user(), House::new().await);
    let mut colleague = server.colleague(&user).await;
    colleague.delivers(&[voicemail(1)], "").await;
    colleague.says("CREATE Aside").await;
    for confirm in [Confirm::Keyword("$Nachtwache".into()), Confirm::Move("Taken".into())] {
        let mut settings = settings(server.port, &user);
        settings.confirm = confirm;
        let mut intake = house.intake(settings);
        look_all(&mut intake).await;
        assert_eq!(house.reports().await, (1, 1));
        let moved = colleague.flags().await.is_empty();
        colleague.says(if moved { "SELECT Taken" } else { "SELECT INBOX" }).await;
        colleague.says("UID MOVE 1:* Aside").await;
        colleague.says("SELECT Aside").await;
        colleague.says("UID MOVE 1:* INBOX").await;
        colleague.says("SELECT INBOX").await;
        look_all(&mut intake).await;
        assert_eq!(house.reports().await, (1, 1));
    }
    assert!(colleague.flags().await.is_empty(), "moved away once more");
}

#[tokio::test]
async fn mails_younger_than_the_first_look_are_all_stored() {
    let (server, user, house) = (shared(), fresh_user(), House::new().await);
    let mut colleague = server.colleague(&user).await;
    // more than one round, of either
    let old: Vec<String> = (0..150).map(voicemail).collect();
    colleague.delivers(&old, "21-Nov-2020 22:14:00 +0100").await;
    let young: Vec<String> = (150..300).map(voicemail).collect();
    colleague.delivers(&young, "").await;
    let mut intake = house.intake(settings(server.port, &user));
    assert_eq!(look_all(&mut intake).await, 150);
    assert_eq!((house.reports().await, house.different().await), ((150, 150), 150));
    let old_ones = |flags: Vec<(u32, String)>| flags.into_iter().filter(|(uid, _)| *uid <= 150).collect::<Vec<_>>();
    assert!(old_ones(colleague.flags().await).iter().all(|(_, flags)| flags.is_empty()));
}

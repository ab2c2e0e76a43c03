//! The source against a real Dovecot, by its trait.

use super::dovecot::{Dovecot, fresh_user, shared};
use super::{House, foreign, keys, refused, settings, sound, voicemail};
use nachtwache::domain::report::{Content, Medium};
use nachtwache::intake::imap::Confirm;
use nachtwache::intake::mail::Reading;
use nachtwache::intake::source::{Source, SourceError};
use std::sync::Arc;
use std::time::Duration;

const OLD: &str = "21-Nov-2020 22:14:00 +0100";

#[tokio::test]
async fn a_recording_is_found_taken_and_marked_and_nothing_else_is_touched() {
    let (server, user, house) = (shared(), fresh_user(), House::new().await);
    let mut colleague = server.colleague(&user).await;
    colleague.delivers(&[foreign(1), voicemail(2), foreign(3)], "").await;
    colleague.says("UID STORE 1 +FLAGS (\\Seen Wichtig)").await;
    let before = colleague.flags().await;
    let mut source = house.source(settings(server.port, &user));
    let listing = source.list().await.unwrap();
    assert_eq!(listing.troubles, []);
    let [found] = listing.found.as_slice() else { panic!("{:?}", listing.found) };
    assert!(found.key.ends_with("/2"), "{}", found.key);
    let arrival = source.take(found).await.unwrap();
    assert_eq!(sound(&arrival), "sound of call 2");
    assert!(arrival.twin.unwrap().starts_with("voice-2@example.org "));
    assert_eq!(arrival.longest_s, Some(180));
    assert!(arrival.called_at.is_some(), "the time at which the mail came is the nearest one known");
    assert_eq!(colleague.flags().await, before, "reading marks nothing");
    source.confirm(found).await.unwrap();
    source.confirm(found).await.unwrap();
    let mut marked = before;
    marked[1].1 = "$Nachtwache".into();
    assert_eq!(colleague.flags().await, marked);
}

#[tokio::test]
async fn a_mail_is_handed_over_as_often_as_its_storing_fails() {
    let (server, user, house) = (shared(), fresh_user(), House::new().await);
    server.colleague(&user).await.delivers(&[voicemail(1), voicemail(2)], "").await;
    let mut source = house.source(settings(server.port, &user));
    let found = source.list().await.unwrap().found.remove(0);
    let first = source.take(&found).await.unwrap();
    assert_eq!(source.take(&found).await.unwrap(), first);
    let mut other = found.clone();
    other.key = other.key.replace("/1", "/99");
    assert!(matches!(source.take(&other).await, Err(SourceError::Gone(_))));
    source.confirm(&other).await.unwrap();
}

#[tokio::test]
async fn written_reports_are_taken_where_they_are_wanted() {
    let (server, user, house) = (shared(), fresh_user(), House::new().await);
    server.colleague(&user).await.delivers(&[foreign(1)], "").await;
    let mut settings = settings(server.port, &user);
    settings.reading = Arc::new(Reading { reports: true, ..(*settings.reading).clone() });
    let mut source = house.source(settings);
    let found = source.list().await.unwrap().found.remove(0);
    let arrival = source.take(&found).await.unwrap();
    assert_eq!(arrival.content.medium(), Medium::Email);
    let Content::Email(mail) = arrival.content else { panic!() };
    assert_eq!(mail.subject, "Angebot 1");
    assert_eq!(mail.raw, foreign(1).into_bytes());
}

#[tokio::test]
async fn a_mail_that_is_too_large_is_known_by_its_start_and_its_sound_is_refused() {
    let (server, user, house) = (shared(), fresh_user(), House::new().await);
    let large = voicemail(1).replace("\r\n--b--", &format!("\r\n{}--b--", "QUFB\r\n".repeat(300_000)));
    server.colleague(&user).await.delivers(&[large, voicemail(2)], "").await;
    let mut source = house.source(settings(server.port, &user));
    let listing = source.list().await.unwrap();
    assert_eq!(listing.found.len(), 2);
    let arrival = source.take(&listing.found[0]).await.unwrap();
    assert!(refused(&arrival).contains("the limit is 1048576; remedy: listen to it there"), "{}", refused(&arrival));
    assert_eq!(sound(&source.take(&listing.found[1]).await.unwrap()), "sound of call 2");
}

#[tokio::test]
async fn large_mails_do_not_lie_in_memory_together() {
    let (server, user, house) = (shared(), fresh_user(), House::new().await);
    let large = |number| format!("{}{}", voicemail(number), "x".repeat(900_000));
    let mails: Vec<String> = (0..25).map(large).collect();
    server.colleague(&user).await.delivers(&mails, "").await;
    let found = keys(&mut house.source(settings(server.port, &user))).await.len();
    assert!((16..22).contains(&found), "{found}");
    let mut intake = house.intake(settings(server.port, &user));
    assert_eq!(super::look_all(&mut intake).await, 25);
    assert_eq!(house.reports().await, (25, 25));
}

#[tokio::test]
async fn what_came_before_the_first_start_is_left_alone_for_ever() {
    let (server, user, house) = (shared(), fresh_user(), House::new().await);
    let mut colleague = server.colleague(&user).await;
    let old: Vec<String> = (0..500).map(voicemail).collect();
    colleague.delivers(&old, OLD).await;
    let mut source = house.source(settings(server.port, &user));
    assert_eq!(keys(&mut source).await, [""; 0]);
    colleague.delivers(&[voicemail(900)], "").await;
    colleague.delivers(&[voicemail(901)], OLD).await;
    let found = keys(&mut source).await;
    assert!(matches!(found.as_slice(), [one] if one.ends_with("/501")), "{found:?}");
    // the service starts again, long after: the boundary is the remembered one
    let mut again = house.source(settings(server.port, &user));
    assert_eq!(keys(&mut again).await, found);
}

#[tokio::test]
async fn a_mail_that_comes_rings_at_once_and_one_that_came_between_look_and_idle_too() {
    let (server, user, house) = (shared(), fresh_user(), House::new().await);
    let mut colleague = server.colleague(&user).await;
    let mut source = house.source(settings(server.port, &user));
    assert_eq!(keys(&mut source).await.len(), 0);
    colleague.delivers(&[voicemail(1)], "").await;
    let began = std::time::Instant::now();
    source.changed().await;
    assert_eq!(keys(&mut source).await.len(), 1);
    let ((), ()) = tokio::join!(source.changed(), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        colleague.delivers(&[voicemail(2)], "").await;
    });
    assert_eq!(keys(&mut source).await.len(), 2);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn idle_is_asked_for_anew_and_the_poll_lies_under_it() {
    let (server, user, house) = (shared(), fresh_user(), House::new().await);
    let mut settings = settings(server.port, &user);
    settings.poll = Duration::from_millis(100);
    let mut source = house.source(settings);
    source.list().await.unwrap();
    for _ in 0..3 {
        let began = std::time::Instant::now();
        source.changed().await;
        assert!(began.elapsed() >= Duration::from_millis(90));
        source.list().await.unwrap();
    }
}

#[tokio::test]
async fn marked_as_read_only_what_is_stored() {
    let (server, user, house) = (shared(), fresh_user(), House::new().await);
    let mut colleague = server.colleague(&user).await;
    colleague.delivers(&[foreign(1), voicemail(2)], "").await;
    let mut source =
        house.source(nachtwache::intake::imap::ImapSettings { confirm: Confirm::Seen, ..settings(server.port, &user) });
    let found = source.list().await.unwrap().found.remove(0);
    source.take(&found).await.unwrap();
    source.confirm(&found).await.unwrap();
    assert_eq!(colleague.flags().await, [(1, String::new()), (2, "\\Seen".to_owned())]);
}

#[tokio::test]
async fn moved_to_a_folder_that_is_made_for_it() {
    let (server, user, house) = (shared(), fresh_user(), House::new().await);
    let mut colleague = server.colleague(&user).await;
    colleague.delivers(&[foreign(1), voicemail(2)], "").await;
    let mut settings = settings(server.port, &user);
    settings.confirm = Confirm::Move("Übernommen & sicher".into());
    let mut source = house.source(settings);
    let found = source.list().await.unwrap().found.remove(0);
    source.take(&found).await.unwrap();
    source.confirm(&found).await.unwrap();
    source.confirm(&found).await.unwrap();
    assert_eq!(colleague.flags().await, [(1, String::new())]);
    colleague.says("SELECT \"&ANw-bernommen &- sicher\"").await;
    assert_eq!(colleague.flags().await, [(1, String::new())]);
}

#[tokio::test]
async fn without_move_it_is_copied_and_only_itself_expunged() {
    let server = Dovecot::start("imap_capability = IMAP4rev1 UIDPLUS IDLE");
    let (user, house) = (fresh_user(), House::new().await);
    let mut colleague = server.colleague(&user).await;
    colleague.delivers(&[foreign(1), voicemail(2)], "").await;
    colleague.says("UID STORE 1 +FLAGS (\\Deleted)").await;
    let mut settings = settings(server.port, &user);
    settings.confirm = Confirm::Move("Done".into());
    let mut source = house.source(settings);
    let found = source.list().await.unwrap().found.remove(0);
    source.take(&found).await.unwrap();
    source.confirm(&found).await.unwrap();
    source.confirm(&found).await.unwrap();
    assert_eq!(colleague.flags().await, [(1, "\\Deleted".to_owned())], "what others marked stays");
    colleague.says("SELECT Done").await;
    assert_eq!(colleague.flags().await.len(), 1);
}

#[tokio::test]
async fn a_full_mailbox_is_told_before_it_loses_calls() {
    let quota = "mail_plugins = quota\nprotocol imap {\n mail_plugins = quota imap_quota\n}\n\
                 plugin {\n quota = maildir:User quota\n quota_rule = *:storage=100K\n}\n";
    let server = Dovecot::start(quota);
    let (user, house) = (fresh_user(), House::new().await);
    let mut colleague = server.colleague(&user).await;
    let filler = |number: u32, kib: usize| format!("{}{}", foreign(number), "x".repeat(kib * 1024));
    colleague.delivers(&[filler(1, 92)], "").await;
    let listing = house.source(settings(server.port, &user)).list().await.unwrap();
    let [trouble] = listing.troubles.as_slice() else { panic!("{:?}", listing.troubles) };
    assert!(!trouble.loses_calls && trouble.what.contains("is filled to 9"), "{trouble:?}");
    colleague.delivers(&[filler(2, 6)], "").await;
    let mut source = house.source(settings(server.port, &user));
    let troubles = source.list().await.unwrap().troubles;
    assert!(troubles[0].loses_calls && troubles[0].key == "full", "{troubles:?}");
    let said = source.examine().await;
    assert!(said.iter().any(|line| line.as_ref().is_err_and(|why| why.contains("filled to"))), "{said:?}");
}

#[tokio::test]
async fn check_says_what_holds_and_what_is_wrong() {
    let (server, user, house) = (shared(), fresh_user(), House::new().await);
    server.colleague(&user).await.delivers(&[foreign(1)], "").await;
    let said = house.source(settings(server.port, &user)).examine().await;
    let said: Vec<String> = said.into_iter().map(Result::unwrap).collect();
    assert!(said[0].contains("logged in, the folder INBOX is open, 1 mails in it"), "{said:?}");
    assert!(said[1].contains("IDLE") && said[2].contains("$Nachtwache"), "{said:?}");
    let mut wrong = settings(server.port, &user);
    wrong.folder = "Störungen".into();
    let said = house.source(wrong).examine().await;
    assert!(said[0].as_ref().unwrap_err().contains("is there a folder Störungen?"), "{said:?}");
}

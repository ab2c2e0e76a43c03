//! Marking as heard, on a list that moves and a box that may understand it the other way.

use super::fake::{Fault, Marking, Message};
use super::{erika, found, heard, settings, watched};
use nachtwache::intake::source::Source;

fn second() -> Message {
    Message { date: "28.11.26 21:31", number: "01710000002", file: "rec.0.002", ..erika() }
}

#[tokio::test]
async fn a_stored_message_is_marked_once_and_no_other() {
    let (fake, mut source, _here) = watched(&[heard(), erika(), second()]).await;
    let found = found(&mut source).await;
    source.confirm(&found[1]).await.unwrap();
    let new: Vec<bool> = fake.inside().messages.iter().map(|message| message.new).collect();
    assert_eq!(new, [false, false, true]);
    source.confirm(&found[1]).await.unwrap();
    assert_eq!(fake.count("SOAP MarkMessage"), 1, "repeated it does nothing");
    assert_eq!(source.list().await.unwrap().troubles, []);
}

#[tokio::test]
async fn a_list_that_moved_since_the_look_is_read_again_before_marking() {
    let (fake, mut source, _here) = watched(&[heard(), erika(), second()]).await;
    let found = found(&mut source).await;
    // one more call, and the oldest is deleted: every place is another one
    fake.inside().messages.push(Message { date: "28.11.26 21:32", file: "rec.0.003", ..erika() });
    fake.fails("GetMessageList", &[Fault::DeletedBefore(1)]);
    source.confirm(&found[1]).await.unwrap();
    let new: Vec<(&str, bool)> = fake.inside().messages.iter().map(|message| (message.file, message.new)).collect();
    assert_eq!(new, [("rec.0.001", false), ("rec.0.002", true), ("rec.0.003", true)]);
}

#[tokio::test]
async fn a_message_that_is_gone_needs_no_mark() {
    let (fake, mut source, _here) = watched(&[erika()]).await;
    let found = found(&mut source).await;
    fake.inside().messages.clear();
    source.confirm(&found[0]).await.unwrap();
    assert_eq!(fake.count("SOAP MarkMessage"), 0);
}

#[tokio::test]
async fn a_box_that_understands_the_mark_the_other_way_is_remembered() {
    let (fake, mut source, here) = watched(&[erika(), second()]).await;
    fake.inside().marking = Marking::ZeroIsRead;
    let found = found(&mut source).await;
    source.confirm(&found[0]).await.unwrap();
    assert_eq!(fake.count("SOAP MarkMessage"), 2);
    let mut source = here.source(settings(&fake));
    source.confirm(&found[1]).await.unwrap();
    assert_eq!(fake.count("SOAP MarkMessage"), 3, "the other word comes first now");
    assert!(fake.inside().messages.iter().all(|message| !message.new));
    assert_eq!(source.list().await.unwrap().troubles, []);
}

#[tokio::test]
async fn a_mark_that_does_not_work_is_told_and_loses_nothing() {
    let (fake, mut source, _here) = watched(&[erika()]).await;
    fake.inside().marking = Marking::Nothing;
    let found = found(&mut source).await;
    source.confirm(&found[0]).await.unwrap();
    let listing = source.list().await.unwrap();
    assert_eq!(listing.found.len(), 1);
    assert_eq!((listing.troubles[0].key.as_str(), listing.troubles[0].loses_calls), ("mark", false));
    // and it is over with the first that works
    fake.inside().marking = Marking::OneIsRead;
    source.confirm(&found[0]).await.unwrap();
    assert_eq!(source.list().await.unwrap().troubles, []);
}

#[tokio::test]
async fn a_fault_at_the_mark_is_told_and_a_lost_connection_is_tried_again() {
    let (fake, mut source, _here) = watched(&[erika()]).await;
    let found = found(&mut source).await;
    fake.fails("MarkMessage", &[Fault::Soap(866)]);
    source.confirm(&found[0]).await.unwrap();
    assert!(source.list().await.unwrap().troubles[0].what.contains("fault 866"));
    fake.fails("GetMessageList", &[Fault::Status(503)]);
    assert!(source.confirm(&found[0]).await.is_err());
    source.confirm(&found[0]).await.unwrap();
    assert!(!fake.inside().messages[0].new);
}

#[tokio::test]
async fn with_mark_read_off_the_box_is_left_as_it_is() {
    let (fake, _source, here) = watched(&[erika()]).await;
    let mut settings = settings(&fake);
    settings.mark_read = false;
    let mut source = here.source(settings);
    let found = found(&mut source).await;
    source.confirm(&found[0]).await.unwrap();
    assert!(fake.inside().messages[0].new);
}

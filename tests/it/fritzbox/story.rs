//! The whole way in: looked at, stored, confirmed, looked at again.

use super::fake::{FakeBox, Fault};
use super::{erika, heard, settings};
use crate::world::World;
use nachtwache::domain::report::Report;
use nachtwache::intake::fritzbox::FritzBox;
use nachtwache::intake::{Intake, Look, Memory};
use nachtwache::runtime::siren::siren;
use nachtwache::store::reports;
use std::sync::Arc;

fn intake(world: &World, fake: &FakeBox) -> Intake {
    let memory = Memory::new(world.store.clone(), "box".into());
    let source = FritzBox::new("box".into(), settings(fake), memory, Arc::new(world.clock.clone()));
    Intake::new(world.desk(), Box::new(source), siren().0)
}

async fn stored(world: &World) -> Vec<Report> {
    reports::all(&mut world.store.read().await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_night_at_the_box() {
    let world = World::at("2026-11-28T20:31:00Z", None, "").await;
    let fake = FakeBox::start().await;
    fake.inside().messages.extend([heard(), erika()]);
    let mut intake_loop = intake(&world, &fake);
    assert_eq!(intake_loop.look().await.unwrap(), Look { stored: 2, ..Look::default() });
    assert!(fake.inside().messages.iter().all(|message| !message.new), "marked as heard after it was stored");
    assert_eq!(intake_loop.look().await.unwrap(), Look::default());
    // after a restart, with a list that moved
    fake.inside().messages.remove(0);
    assert_eq!(intake(&world, &fake).look().await.unwrap(), Look::default());
    assert_eq!(stored(&world).await.len(), 2);
    // the box moves its recordings to a stick: other names, the same messages
    fake.inside().messages[0].file = "rec.0.044";
    assert_eq!(intake_loop.look().await.unwrap().stored, 0);
    assert_eq!(stored(&world).await.len(), 2);
}

#[tokio::test]
async fn a_message_that_could_not_be_marked_is_stored_once_and_marked_later() {
    let world = World::at("2026-11-28T20:31:00Z", None, "").await;
    let fake = FakeBox::start().await;
    fake.inside().messages.push(erika());
    let mut intake_loop = intake(&world, &fake);
    // reading the list: the look, behind the sound, before the mark
    fake.fails("tamcalllist.lua", &[Fault::DeletedBefore(0), Fault::DeletedBefore(0), Fault::Status(503)]);
    assert_eq!(intake_loop.look().await.unwrap().stored, 1);
    assert!(fake.inside().messages[0].new);
    assert_eq!(intake_loop.look().await.unwrap(), Look::default());
    assert!(!fake.inside().messages[0].new);
    assert_eq!(stored(&world).await.len(), 1);
}

#[tokio::test]
async fn a_voice_that_cannot_be_fetched_is_a_report_without_sound() {
    let world = World::at("2026-11-28T20:31:00Z", None, "").await;
    let fake = FakeBox::start().await;
    fake.inside().messages.push(erika());
    fake.inside().ways.clear();
    let mut intake_loop = intake(&world, &fake);
    for _ in 0..2 {
        let look = intake_loop.look().await.unwrap();
        assert_eq!((look.stored, look.again), (0, true));
    }
    assert_eq!(intake_loop.look().await.unwrap().stored, 1);
    let reports = stored(&world).await;
    assert!(reports[0].recording.is_none());
    assert!(reports[0].trouble.as_deref().unwrap().contains("remedy: listen to it"));
    assert!(fake.inside().messages[0].new);
}

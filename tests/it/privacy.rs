//! What a caller said never reaches a log (I11).

use crate::commands::CODE;
use crate::fake_bot::Fault;
use crate::world::{ANNA, EMERGENCY, World};
use std::io;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Kept {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_word_no_number_no_name_and_no_token_reaches_the_log() {
    let kept = Kept::default();
    let log = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(kept.clone()).finish();
    // With only one subscriber in the process, tracing asks the thread that comes by first whether a line is wanted, and
    // remembers the answer for all: a test beside this one would silence it.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(io::sink).finish());
    let guard = tracing::subscriber::set_default(log);
    let mut world = World::night().await;
    world.bot.fail_next("sendMessage", Fault::BadGatewayHtml);
    world.bot.fail_next("sendVoice", Fault::DropAfterAccept);
    world.hear(EMERGENCY).await;
    world.after(13).await;
    world.press(ANNA, "Übernehmen", ANNA).await;
    world.press(ANNA, "Abschrift", ANNA).await;
    world.press(ANNA, "Erledigt", ANNA).await;
    world.invite("Anna").await;
    world.write(201, &format!("/start {CODE}")).await;
    world.write(201, "/offen").await;
    drop(guard);
    let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("stored a report") && log.contains("a technician answered"),
        "the log tells the story:\n{log}"
    );
    let ours: Vec<&str> = log.lines().filter(|line| line.contains("nachtwache")).collect();
    assert!(!ours.is_empty());
    for private in [
        "Rossmeisl",
        "3920020",
        "555017",
        "einverstanden",
        "Internet",
        "Anna",
        "Bernd",
        CODE,
        "EFGH",
        world.bot.token(),
    ] {
        if let Some(line) = log.lines().find(|line| line.contains(private)) {
            panic!("{private} stands in the log: {line}");
        }
    }
}

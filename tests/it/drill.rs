//! The daily proof: a recording of our own on its way from a folder to the chat, and what is told when it stays away.
//! Covers F-116 (nobody notices that all is quiet), F-02 (a restart in between).

use crate::fake_bot::Shown;
use crate::whole::{Firm, until};
use crate::world::{ANNA, BERND, OFFICE, World, doubted, spoken};
use nachtwache::domain::report::{Arrival, Caller, Content, DRILL, ReportId, Sound};
use nachtwache::domain::transcript::Doubt;
use nachtwache::escalate::drill::DrillStep;
use nachtwache::runtime::bell::Bells;
use nachtwache::runtime::worker::Step as _;
use nachtwache::store::{charges, notices, reports};
use std::fs;
use std::sync::Arc;
use std::time::Duration;

/// Mo 23.11.2026 08:59 in Berlin.
const BEFORE_NINE: &str = "2026-11-23T07:59:00Z";
/// What a drill says, at its worst: an emergency by its words.
const WORDS: &str =
    "Das ist ein unternehmenskritischer Notfall, ich stimme den Konditionen und der Gebühr von 48 Euro zu.";

async fn world(start: &str) -> World {
    let folder = tempfile::tempdir().unwrap().keep();
    let more = format!("[store]\nfolder = \"{}\"\n[drill]\nwithin_min = 5\n", folder.display());
    World::at(start, None, &more).await
}

impl World {
    async fn drill(&self) {
        let mut step = DrillStep {
            store: self.store.clone(),
            settings: self.settings.clone(),
            roster: self.roster.clone(),
            clock: Arc::new(self.clock.clone()),
            bells: Bells::default(),
        };
        step.tick().await.unwrap();
        self.settle().await;
        step.tick().await.unwrap();
        self.settle().await;
    }

    /// The recordings that lie in the drill's folder.
    fn laid(&self) -> Vec<String> {
        let folder = self.settings.store.folder.join("drill");
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).filter(|name| name != "done").collect()
    }

    /// The folder's source takes the only one that lies there.
    async fn take_drill(&self) -> ReportId {
        let name = self.laid().remove(0);
        let path = self.settings.store.folder.join("drill").join(&name);
        let bytes = fs::read(&path).unwrap();
        let arrival = Arrival {
            source: DRILL.into(),
            key: format!("{name}/{}/1", bytes.len()),
            mailbox: None,
            caller: Caller::default(),
            called_at: None,
            content: Content::Voicemail(Sound::Bytes { name, bytes }),
            twin: None,
            longest_s: None,
        };
        fs::remove_file(path).unwrap();
        let accepted = self.desk().accept(arrival).await.unwrap();
        assert!(accepted.new, "two drills are never the same recording");
        accepted.id
    }
}

#[tokio::test]
async fn it_arrives_every_day_as_one_silent_line_and_wakes_nobody() {
    let world = world(BEFORE_NINE).await;
    world.drill().await;
    assert!(world.laid().is_empty(), "not before its time");
    let mut shown: Vec<Shown> = Vec::new();
    for _ in 0..3 {
        world.after(1).await;
        world.drill().await;
        let report = world.take_drill().await;
        world.after_seconds(7).await;
        world.transcribed(report, &spoken(WORDS)).await;
        world.settle().await;
        world.after_seconds(5).await;
        world.drill().await;
        shown = world.phone(OFFICE);
        assert_eq!(shown.len(), 1, "yesterday's is off the phone: {shown:?}");
        assert_eq!(shown[0].text, "✅ Probelauf angekommen: abgehört, geprüft, in 12 s");
        assert!(shown[0].silent);
        assert!(world.case(report).await.is_none(), "whatever the words say");
        world.clock.advance(chrono::TimeDelta::seconds(86_400 - 72));
    }
    drop(shown);
    assert!(world.phone(ANNA).is_empty() && world.phone(BERND).is_empty());
    let mut reader = world.store.read().await.unwrap();
    assert!(charges::of_case(&mut reader, nachtwache::domain::case::CaseId(1001)).await.unwrap().is_none());
}

#[tokio::test]
async fn at_night_too_it_is_not_told_as_unheard_nor_as_a_first_word() {
    let world = world("2026-11-21T21:14:00Z").await;
    world.drill().await;
    let report = world.take_drill().await;
    world.after(4).await;
    assert!(world.case(report).await.is_none());
    assert!(notices::all(&mut world.store.read().await.unwrap()).await.unwrap().is_empty());
}

#[tokio::test]
async fn one_that_is_not_transcribed_in_time_is_told_loudly_with_how_far_it_came() {
    let world = world(BEFORE_NINE).await;
    world.after(1).await;
    world.drill().await;
    let report = world.take_drill().await;
    for _ in 0..4 {
        world.after(1).await;
        world.drill().await;
    }
    assert_eq!(world.rings(OFFICE), 0);
    world.after(1).await;
    world.drill().await;
    for chat in [ANNA, OFFICE] {
        let told = world.phone(chat);
        assert_eq!(told.len(), 1);
        assert!(!told[0].silent && told[0].text.contains("Aufnahme angekommen, nicht verschriftet"), "{told:?}");
    }
    // a restart tells nobody twice, and a late arrival is told after all
    world.drill().await;
    assert_eq!(world.rings(ANNA), 1);
    world.transcribed(report, &spoken(WORDS)).await;
    world.settle().await;
    world.drill().await;
    assert!(world.phone(OFFICE)[1].text.contains("Probelauf angekommen"));
}

#[tokio::test]
async fn one_without_a_text_fails_at_once_and_goes_the_other_ways() {
    let folder = tempfile::tempdir().unwrap().keep();
    let more = format!(
        "[store]\nfolder = \"{}\"\n[[channels]]\nkind = \"webhook\"\nname = \"siren\"\nurl = \"https://siren.example\"\n\
         content_type = \"text/plain\"\nbody = \"{{text}}\"\n[[technicians]]\nname = \"Carla\"\nchannels = [\"siren\"]\n[roster]\norder = [\"Carla\"]\n",
        folder.display()
    );
    let world = World::at(BEFORE_NINE, None, &more).await;
    world.after(1).await;
    world.drill().await;
    let report = world.take_drill().await;
    world.transcribed(report, &doubted(Doubt::GivenUp)).await;
    let mut step = world.assess();
    step.tick().await.unwrap();
    let mut drill = DrillStep {
        store: world.store.clone(),
        settings: world.settings.clone(),
        roster: world.roster.clone(),
        clock: Arc::new(world.clock.clone()),
        bells: Bells::default(),
    };
    drill.tick().await.unwrap();
    let planned = notices::all(&mut world.store.read().await.unwrap()).await.unwrap();
    let ways: Vec<_> = planned.iter().map(|one| (one.recipient.as_str(), one.channel.as_deref(), one.loud)).collect();
    assert_eq!(ways, [("Carla", Some("siren"), true), ("office", None, true)]);
    assert!(planned[0].body.as_deref().unwrap().contains("keinen Text"));
}

#[tokio::test]
async fn what_was_missed_while_the_service_was_off_is_made_up_for_on_the_same_day() {
    let world = world("2026-11-23T12:30:00Z").await;
    world.drill().await;
    assert_eq!(world.laid().len(), 1);
    world.after(1).await;
    world.drill().await;
    assert_eq!(world.laid().len(), 1, "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_sends_one_through_the_real_service() {
    let firm = Firm::new(concat!(env!("CARGO_MANIFEST_DIR"), "/models/ggml-test-de.bin")).await;
    let settings = firm.folder.path().join("nachtwache.toml");
    let text = fs::read_to_string(&settings).unwrap().replace("[drill]\nenabled = false", "[drill]\nat = \"23:59\"");
    fs::write(&settings, text).unwrap();
    let without = firm.command().arg("drill").output().unwrap();
    assert!(!without.status.success());
    let _service = firm.start();
    let store = firm.store().await;
    until("the service says that it runs", Duration::from_mins(3), async || {
        let health = firm.command().args(["health", "--json"]).output().unwrap();
        String::from_utf8_lossy(&health.stdout).contains("\"running\": true")
    })
    .await;
    let drill = firm.command().args(["drill", "--json"]).output().unwrap();
    let said = String::from_utf8_lossy(&drill.stdout).into_owned();
    assert!(drill.status.success(), "{said} {} {}", String::from_utf8_lossy(&drill.stderr), firm.log());
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(json["arrived"], true);
    let shown = firm.bot.messages(ANNA);
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert!(shown[0].text.contains("Probelauf angekommen") && shown[0].silent);
    assert_eq!(reports::all(&mut store.read().await.unwrap()).await.unwrap().len(), 1);
}

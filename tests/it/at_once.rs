//! Reports that wait are heard at once by one process: each is committed when it is heard, and what failed is tried alone.

use crate::world::{EMERGENCY, NIGHT, World, spoken};
use chrono::TimeDelta;
use nachtwache::domain::report::ReportId;
use nachtwache::domain::transcript::Transcript;
use nachtwache::runtime::bell::Bells;
use nachtwache::runtime::worker::{Round, Step as _};
use nachtwache::store::transcripts;
use nachtwache::transcribe::TranscribeStep;
use nachtwache::transcribe::child::protocol::{Reply, VERSION, frame};
use nachtwache::transcribe::child::{Child, ChildOptions};
use std::path::Path;
use std::sync::Arc;

/// A step whose process is a shell: it says hello, keeps each request in `request`, and does `body`; `$D` is its folder.
fn step(world: &World, body: &str) -> TranscribeStep {
    let place = world.folder.path();
    std::fs::write(place.join("hello"), frame(&Reply::Hello { version: VERSION }).unwrap()).unwrap();
    let take = "length=$(head -c 4 | od -An -tu4 --endian=little | tr -d ' '); head -c $length > $D/request";
    let script = format!("D='{}'; cat $D/hello; {take}; {body}", place.display());
    let options =
        ChildOptions { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()], ..ChildOptions::default() };
    TranscribeStep {
        store: world.store.clone(),
        settings: world.settings.clone(),
        clock: Arc::new(world.clock.clone()),
        bells: Bells::default(),
        child: Child::new(options),
    }
}

/// Writes what the process says of jobs: their sounds first, then the transcripts it has.
fn say(place: &Path, file: &str, jobs: usize, said: &[(usize, &Transcript)]) {
    let mut bytes = Vec::new();
    for job in 0..jobs {
        bytes.extend(frame(&Reply::Sound { job, sound_ms: 10_000 }).unwrap());
    }
    for (job, transcript) in said {
        let result = Box::new(Ok((*transcript).clone()));
        bytes.extend(frame(&Reply::Transcribed { job: *job, result }).unwrap());
    }
    std::fs::write(place.join(file), bytes).unwrap();
}

fn jobs_asked(world: &World) -> usize {
    let request = std::fs::read_to_string(world.folder.path().join("request")).unwrap();
    request.matches("\"path\"").count()
}

async fn heard(world: &World, report: ReportId) -> bool {
    transcripts::first(&mut world.store.read().await.unwrap(), report).await.unwrap().is_some()
}

#[tokio::test]
async fn reports_that_wait_are_heard_at_once_and_one_that_fails_is_tried_alone() {
    let mut world = World::at(NIGHT, None, "[transcribe]\nstates = 3\n").await;
    let (first, second) = (world.call().await, world.call().await);
    let words = spoken(EMERGENCY);
    let place = world.folder.path().to_owned();
    say(&place, "both", 2, &[(1, &words)]);
    say(&place, "one", 1, &[(0, &words)]);
    // the process dies over the first report, after it has told of the second
    let mut step =
        step(&world, "if [ -e $D/again ]; then cat $D/one; cat > /dev/null; fi; touch $D/again; cat $D/both; exit 7");

    assert_eq!(step.tick().await.unwrap(), Round::Worked);
    assert_eq!(jobs_asked(&world), 2);
    assert!(heard(&world, second).await, "what was told before the process died counts");
    assert!(!heard(&world, first).await);

    // its next try is due, and somebody else has called
    world.clock.advance(TimeDelta::seconds(5));
    let third = world.call().await;
    assert_eq!(step.tick().await.unwrap(), Round::Worked);
    assert_eq!(jobs_asked(&world), 1, "it may take its neighbours with it");
    assert!(heard(&world, first).await && !heard(&world, third).await);
}

#[tokio::test]
async fn with_one_state_reports_are_heard_one_after_the_other() {
    let mut world = World::at(NIGHT, None, "[transcribe]\nstates = 1\n").await;
    let (first, second) = (world.call().await, world.call().await);
    say(world.folder.path(), "one", 1, &[(0, &spoken(EMERGENCY))]);
    let mut step = step(&world, "cat $D/one; cat > /dev/null");
    assert_eq!(step.tick().await.unwrap(), Round::Worked);
    assert_eq!(jobs_asked(&world), 1);
    assert!(heard(&world, first).await && !heard(&world, second).await);
}

//! A source that hangs or floods delays no other.

use async_trait::async_trait;
use nachtwache::config::Settings;
use nachtwache::domain::report::{Arrival, Caller, Content, Sound};
use nachtwache::intake::folder::{FolderSettings, FolderSource};
use nachtwache::intake::source::{Found, Listing, Source, SourceError};
use nachtwache::intake::{Desk, Intake};
use nachtwache::roster::Roster;
use nachtwache::runtime::bell::Bells;
use nachtwache::runtime::clock::SystemClock;
use nachtwache::runtime::lifecycle::Lifecycle;
use nachtwache::runtime::siren::siren;
use nachtwache::runtime::status::Status;
use nachtwache::store::{Store, reports};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Never answers.
struct Hangs;

#[async_trait]
impl Source for Hangs {
    fn name(&self) -> &'static str {
        "hangs"
    }

    async fn list(&mut self) -> Result<Listing, SourceError> {
        std::future::pending().await
    }

    async fn take(&mut self, _: &Found) -> Result<Arrival, SourceError> {
        std::future::pending().await
    }

    async fn confirm(&mut self, _: &Found) -> Result<(), SourceError> {
        Ok(())
    }

    async fn changed(&mut self) {}
}

/// While it is on, every look finds a thousand new messages.
struct Floods {
    on: Arc<AtomicBool>,
    brought: Arc<AtomicUsize>,
}

#[async_trait]
impl Source for Floods {
    fn name(&self) -> &'static str {
        "floods"
    }

    async fn list(&mut self) -> Result<Listing, SourceError> {
        let mut listing = Listing::default();
        if self.on.load(Ordering::SeqCst) {
            let first = self.brought.load(Ordering::SeqCst);
            let found = |number: usize| Found { key: number.to_string(), place: String::new() };
            listing.found = (first..first + 1000).map(found).collect();
        }
        Ok(listing)
    }

    async fn take(&mut self, found: &Found) -> Result<Arrival, SourceError> {
        if !self.on.load(Ordering::SeqCst) {
            return Err(SourceError::Gone("the flood is over".into()));
        }
        self.brought.fetch_add(1, Ordering::SeqCst);
        let mut bytes = vec![0; 100_000];
        bytes.extend(found.key.as_bytes());
        Ok(arrival("floods", &found.key, bytes))
    }

    async fn confirm(&mut self, _: &Found) -> Result<(), SourceError> {
        Ok(())
    }

    async fn changed(&mut self) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn arrival(source: &str, key: &str, bytes: Vec<u8>) -> Arrival {
    Arrival {
        source: source.into(),
        key: key.into(),
        mailbox: None,
        caller: Caller::default(),
        called_at: None,
        content: Content::Voicemail(Sound::Bytes { name: "a.wav".into(), bytes }),
        twin: None,
        longest_s: None,
    }
}

/// The service's intake with three sources: a real folder, one that hangs, one that floods.
struct Night {
    folder: tempfile::TempDir,
    store: Store,
    quiet: Bells,
    flood: Arc<AtomicBool>,
    lifecycle: Lifecycle,
    left: usize,
}

impl Night {
    async fn begins() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("drop")).unwrap();
        let url = format!("sqlite://{}/a.db", folder.path().display());
        let store = Store::open(&url, &folder.path().join("sound")).await.unwrap();
        let (flood, quiet, lifecycle) = (Arc::new(AtomicBool::new(false)), Bells::default(), Lifecycle::default());
        let drop_in = FolderSource::new("drop".into(), FolderSettings::new(folder.path().join("drop")));
        let floods = Floods { on: flood.clone(), brought: Arc::default() };
        let sources: [(Box<dyn Source>, Bells); 3] = [
            (Box::new(Hangs), Bells::default()),
            (Box::new(floods), Bells::default()),
            (Box::new(drop_in), quiet.clone()),
        ];
        for (source, bells) in sources {
            let settings = Arc::new(Settings::parse("").unwrap());
            let roster = Roster::new(settings.clone());
            let desk = Desk { store: store.clone(), settings, roster, clock: Arc::new(SystemClock), bells };
            let intake = Intake::new(desk, source, siren().0);
            lifecycle.spawn("intake".into(), intake.run(Status::default(), lifecycle.clone()));
        }
        Self { folder, store, quiet, flood, lifecycle, left: 0 }
    }

    /// Somebody leaves a message in the folder; how long until it is stored.
    async fn arrival_to_stored(&mut self) -> Duration {
        self.left += 1;
        let drop_in = self.folder.path().join("drop");
        let hidden = drop_in.join(".coming.wav");
        std::fs::write(&hidden, format!("sound {}", self.left)).unwrap();
        let began = Instant::now();
        std::fs::rename(&hidden, drop_in.join(format!("call-{}.wav", self.left))).unwrap();
        tokio::time::timeout(Duration::from_secs(20), self.quiet.transcribe.wait()).await.expect("it is stored");
        began.elapsed()
    }

    fn drop_folder(&self) -> &Path {
        self.folder.path()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_are_stored_while_one_source_hangs_and_one_floods() {
    let mut night = Night::begins().await;
    night.flood.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        night.arrival_to_stored().await;
    }
    let stored = reports::all(&mut night.store.read().await.unwrap()).await.unwrap();
    assert_eq!(stored.iter().filter(|report| report.source == "drop").count(), 3);
    assert!(night.drop_folder().join("drop").exists());
    night.lifecycle.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: cargo test --test it arrival_to_stored_beside_a_flood -- --ignored --nocapture"]
async fn arrival_to_stored_beside_a_flood() {
    let mut night = Night::begins().await;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    // side by side in one run: with and without, eight times
    for _ in 0..8 {
        for on in [false, true] {
            night.flood.store(on, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(300)).await;
            for _ in 0..12 {
                let took = night.arrival_to_stored().await;
                if on {
                    beside.push(took);
                } else {
                    alone.push(took);
                }
                tokio::time::sleep(Duration::from_millis(40)).await;
            }
        }
    }
    night.lifecycle.abort();
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2]
    };
    let (alone, beside) = (median(&mut alone), median(&mut beside));
    let stored = reports::all(&mut night.store.read().await.unwrap()).await.unwrap().len();
    println!(
        "median alone {alone:?}, beside a hanging and a flooding source {beside:?}, ratio {:.2}; {stored} reports",
        beside.as_secs_f64() / alone.as_secs_f64()
    );
}

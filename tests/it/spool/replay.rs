//! Everything a real Asterisk did to its spool, done again in order and with its pauses, while the source reads.
//!
//! `inotify.log` has the operations; the contents are those of the first snapshot that shows the file.

use super::{Truth, files, inside, judged, learn, line, pause, spool, unpack};
use nachtwache::intake::asterisk::AsteriskSpool;
use nachtwache::intake::source::{Source, SourceError};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The mailbox that forgets its messages after 0.7 s: the mail it sent is the only place where the voice survived.
const DELETED_AT_ONCE: &str = "default/101";
const DELETED_CALLER: &str = "\"Delete Yes\" <01601112222>";
const DELETED_TEXT: &str = "[message]\norigmailbox=101\ncallerid=\"Delete Yes\" <01601112222>\norigtime=1795342871\n\
    category=\nmsg_id=1795342871-00000007\nflag=\nduration=8\n";
const DELETED_MAIL: &str = "mails/mail-102121-FKsxou.eml";

/// One file operation.
#[derive(Debug, Clone)]
enum Step {
    Folder(PathBuf),
    /// A new file, still empty.
    Create(PathBuf),
    Write(PathBuf, Vec<u8>),
    /// Asterisk's lock is a second name of its own file.
    Link(PathBuf, PathBuf),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

impl Step {
    fn run(&self, root: &Path) {
        let at = |path: &Path| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            path
        };
        match self {
            Self::Folder(path) => fs::create_dir_all(root.join(path)).unwrap(),
            Self::Create(path) => drop(File::create(at(path)).unwrap()),
            Self::Write(path, bytes) => {
                use std::io::Write as _;
                let mut file = File::create(at(path)).unwrap();
                let (one, other) = bytes.split_at(bytes.len() / 2);
                file.write_all(one).unwrap();
                std::thread::yield_now();
                file.write_all(other).unwrap();
            }
            Self::Link(from, to) => fs::hard_link(root.join(from), at(to)).unwrap(),
            Self::Rename(from, to) => fs::rename(root.join(from), at(to)).unwrap(),
            Self::Remove(path) => fs::remove_file(root.join(path)).unwrap(),
        }
    }
}

/// A line of the log: seconds, operation, path or comment.
struct Entry {
    time: f64,
    what: String,
    path: PathBuf,
}

fn entries(log: &str) -> Vec<Entry> {
    let entry = |line: &str| {
        let comment = line.strip_prefix("----");
        let (time, rest) = comment.unwrap_or(line).trim().split_once(' ')?;
        let (what, path) = if comment.is_some() { ("----", rest) } else { rest.split_once(' ')? };
        let path = PathBuf::from(path.trim().trim_start_matches('/'));
        Some(Entry { time: time.parse().ok()?, what: what.to_owned(), path })
    };
    log.lines().map(|line| entry(line).unwrap()).collect()
}

fn is_lock(path: &Path) -> bool {
    path.file_name().unwrap().to_string_lossy().starts_with(".lock")
}

/// Reads a log: which file is which, and where its content can be had.
struct Reader<'a> {
    run: &'a Path,
    live: HashMap<PathBuf, usize>,
    /// Where a file's content is, once a snapshot shows it.
    content: Vec<Option<PathBuf>>,
    /// Operations with the file they write.
    steps: Vec<(f64, Step, Option<usize>)>,
    written: HashSet<usize>,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path) -> usize {
        let next = self.content.len();
        let file = *self.live.entry(path.to_owned()).or_insert(next);
        if file == next {
            self.content.push(None);
        }
        file
    }

    fn snapshot(&mut self, name: &str) {
        for (path, file) in &self.live {
            let there = self.run.join(name).join(path);
            if self.content[*file].is_none() && !path.parent().unwrap().ends_with("tmp") && there.exists() {
                self.content[*file] = Some(there);
            }
        }
    }

    fn create(&mut self, entry: &Entry, lock: &mut Option<PathBuf>) {
        let path = entry.path.clone();
        let step = if path.components().count() < 4 {
            Step::Folder(path)
        } else if is_lock(&path) {
            match lock.take() {
                Some(own) if path.ends_with(".lock") => Step::Link(own, path),
                _ => {
                    *lock = Some(path.clone()).filter(|path| !path.ends_with(".lock"));
                    Step::Create(path)
                }
            }
        } else {
            self.live.remove(&path);
            self.file(&path);
            Step::Create(path)
        };
        self.steps.push((entry.time, step, None));
    }

    fn close_write(&mut self, entry: &Entry, next_snapshot: Option<&str>) {
        let path = entry.path.clone();
        if is_lock(&path) {
            return;
        }
        let file = self.file(&path);
        let again = !self.written.insert(file);
        if again && path.extension().is_some_and(|ending| ending == "txt") {
            // written again in place: an outside program strips the id, then Asterisk writes the file anew
            let stripped = self
                .steps
                .iter()
                .any(|(_, step, _)| matches!(step, Step::Write(to, bytes) if *to == path && !bytes.is_empty()));
            let known = if stripped {
                self.run.join(next_snapshot.unwrap()).join(&path)
            } else {
                self.content[file].clone().unwrap()
            };
            let text = fs::read_to_string(known).unwrap();
            let text: String =
                text.split_inclusive('\n').filter(|line| stripped || !line.starts_with("msg_id")).collect();
            self.steps.push((entry.time, Step::Write(path, text.into_bytes()), None));
        } else {
            self.steps.push((entry.time, Step::Write(path, Vec::new()), Some(file)));
        }
    }

    fn rename(&mut self, time: f64, from: &Path, to: &Path) {
        let file = self.file(from);
        self.live.remove(from);
        self.live.insert(to.to_owned(), file);
        self.steps.push((time, Step::Rename(from.to_owned(), to.to_owned()), None));
    }
}

/// The operations of a run, with their times in seconds.
fn script(run: &Path, deleted_voice: &[u8]) -> Vec<(f64, Step)> {
    let log = entries(&fs::read_to_string(run.join("inotify.log")).unwrap());
    let snapshot_of = |entry: &Entry| entry.path.to_str()?.strip_prefix("snapshot ").map(str::to_owned);
    let mut reader =
        Reader { run, live: HashMap::new(), content: Vec::new(), steps: Vec::new(), written: HashSet::new() };
    let mut lock = None;
    for (at, entry) in log.iter().enumerate() {
        match entry.what.as_str() {
            "----" => {
                if let Some(name) = snapshot_of(entry) {
                    reader.snapshot(&name);
                }
            }
            "CREATE" => reader.create(entry, &mut lock),
            "CLOSE_WRITE" => reader.close_write(entry, log[at..].iter().find_map(snapshot_of).as_deref()),
            "MOVED_FROM" => match &log[at + 1] {
                next if next.what == "MOVED_TO" => reader.rename(next.time, &entry.path, &next.path),
                // Urgent was so new that the logger did not watch it yet
                _ => {
                    let urgent = entry.path.parent().unwrap().with_file_name("Urgent").join("msg0000");
                    let ending = entry.path.extension().map_or("txt", |ending| ending.to_str().unwrap());
                    reader.rename(entry.time, &entry.path, &urgent.with_extension(ending));
                }
            },
            "MOVED_TO" => {}
            "DELETE" => {
                reader.live.remove(&entry.path);
                reader.steps.push((entry.time, Step::Remove(entry.path.clone()), None));
            }
            other => panic!("{other}"),
        }
    }
    let contents = reader.content;
    let fill = |(time, step, file): (f64, Step, Option<usize>)| match (step, file) {
        (Step::Write(path, _), Some(file)) => {
            let bytes =
                contents[file].as_ref().map_or_else(|| unseen(&path, deleted_voice), |at| fs::read(at).unwrap());
            (time, Step::Write(path, bytes))
        }
        (step, _) => (time, step),
    };
    reader.steps.into_iter().map(fill).collect()
}

/// What no snapshot shows: the message deleted at once, and two recordings that never reached a mailbox.
fn unseen(path: &Path, deleted_voice: &[u8]) -> Vec<u8> {
    match path.extension().and_then(|ending| ending.to_str()) {
        None => DELETED_TEXT.into(),
        Some("wav") if path.starts_with(DELETED_AT_ONCE) => deleted_voice.to_vec(),
        Some(_) => vec![0; 33 * 50 * 9],
    }
}

/// The attachment of a mail.
fn attachment(mail: &str) -> Vec<u8> {
    let body = mail.split("Content-Transfer-Encoding: base64").nth(1).unwrap();
    let body = body.split("\n\n").nth(1).unwrap();
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for sign in body.bytes() {
        let value = match sign {
            b'A'..=b'Z' => sign - b'A',
            b'a'..=b'z' => sign - b'a' + 26,
            b'0'..=b'9' => sign - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        (bits, count) = ((bits << 6) | u32::from(value), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap());
        }
    }
    bytes
}

/// A run ready to be replayed.
struct Run {
    _archive: TempDir,
    start: Option<PathBuf>,
    steps: Vec<(f64, Step)>,
    truth: Truth,
    /// Mailbox and caller of every call that must arrive, once.
    expected: BTreeSet<(String, String)>,
}

fn load(name: &str, start: Option<&str>) -> Run {
    let archive = unpack(&["run1-normal", "run2-hazards", "mails"]);
    let deleted_voice = attachment(&fs::read_to_string(inside(&archive, DELETED_MAIL)).unwrap());
    assert!(deleted_voice.starts_with(b"RIFF"));
    let mut truth = Truth::new();
    for tree in ["run1-normal/04-all", "run2-hazards/22-after-lock-removed", "run2-hazards/28-orphans-after-summary"] {
        learn(&inside(&archive, tree), &mut truth);
    }
    let deleted = ("101@default".to_owned(), DELETED_CALLER.to_owned());
    truth.insert(deleted.clone(), deleted_voice.clone());
    let run = inside(&archive, name);
    let mut expected: BTreeSet<_> = (start.is_none()).then_some(deleted).into_iter().collect();
    for snapshot in fs::read_dir(&run).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for path in files(&snapshot) {
            let steps: Vec<_> =
                path.strip_prefix(&snapshot).unwrap().iter().map(|step| step.to_str().unwrap()).collect();
            if ["INBOX", "Urgent"].contains(&steps[2]) && path.extension().is_some_and(|ending| ending == "txt") {
                let caller = line(&fs::read_to_string(&path).unwrap(), "callerid").unwrap();
                expected.insert((format!("{}@{}", steps[1], steps[0]), caller));
            }
        }
    }
    let steps = script(&run, &deleted_voice);
    Run { start: start.map(|start| inside(&archive, start)), _archive: archive, steps, truth, expected }
}

/// How long the world waits before a step: short pauses as they were, idle ones cut, and a message that will be deleted
/// lies there as long as it did.
fn pause_before(step: &Step, seconds: f64, idle: Duration) -> Duration {
    let real = Duration::from_secs_f64(seconds.max(0.0));
    let deletes =
        matches!(step, Step::Remove(path) if path.starts_with(DELETED_AT_ONCE) && path.ends_with("INBOX/msg0000.txt"));
    if deletes || real < Duration::from_millis(100) { real } else { real.min(idle) }
}

/// What went wrong.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    read: usize,
    mispaired: usize,
    lost: usize,
    doubled: usize,
}

/// Plays a run while a source reads; `restless` reads everything that lies there again and again, without waiting for a
/// change: so it meets every moment of a move.
async fn play(run: &Run, idle: Duration, restless: bool) -> Tally {
    let folder = tempfile::tempdir().unwrap();
    if let Some(start) = &run.start {
        for path in files(start) {
            let to = folder.path().join(path.strip_prefix(start).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(path, to).unwrap();
        }
    }
    let mut source = spool(folder.path());
    let (root, steps) = (folder.path().to_owned(), run.steps.clone());
    let player = std::thread::spawn(move || {
        let mut last = steps[0].0;
        for (time, step) in steps {
            pause(pause_before(&step, time - last, idle));
            step.run(&root);
            last = time;
        }
    });
    let arrivals = read_until(&mut source, &run.truth, restless, || player.is_finished()).await;
    player.join().unwrap();
    let mut tally = Tally { read: arrivals.len(), ..Tally::default() };
    let (mut keys, mut seen) = (HashSet::new(), BTreeSet::new());
    for (key, call, right) in arrivals {
        tally.mispaired += usize::from(!right);
        let new = keys.insert(key);
        tally.doubled += usize::from(!seen.insert(call) && new);
    }
    tally.lost = run.expected.difference(&seen).count();
    tally
}

/// Reads as the intake loop does: what is not known by its key is taken. Gives key, call, and whether the voice is the
/// caller's.
async fn read_until(
    source: &mut AsteriskSpool,
    truth: &Truth,
    restless: bool,
    is_over: impl Fn() -> bool,
) -> Vec<(String, (String, String), bool)> {
    let mut known = HashSet::new();
    let mut arrivals = Vec::new();
    loop {
        let over = is_over();
        let mut busy = false;
        for found in source.list().await.unwrap().found {
            if known.contains(&found.key) && !restless {
                continue;
            }
            match source.take(&found).await {
                Ok(arrival) => {
                    known.insert(found.key);
                    let (call, right) = judged(&arrival, truth);
                    arrivals.push((arrival.key, call, right));
                }
                Err(SourceError::Busy(_)) => busy = true,
                Err(SourceError::Gone(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        if over && !busy {
            return arrivals;
        }
        if !restless {
            let within = if busy { source.retry_after() } else { Duration::from_millis(500) };
            drop(tokio::time::timeout(within, source.changed()).await);
        }
    }
}

const RUNS: [(&str, Option<&str>); 2] =
    [("run1-normal", None), ("run2-hazards", Some("run1-normal/09-external-delete"))];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_asterisk_did_in_a_day_is_read_once_each_voice_with_its_caller() {
    let (one, other) = (load(RUNS[0].0, RUNS[0].1), load(RUNS[1].0, RUNS[1].1));
    assert_eq!((one.expected.len(), other.expected.len()), (10, 8));
    let idle = Duration::from_millis(30);
    let (first, second) = tokio::join!(play(&one, idle, true), play(&other, idle, false));
    for (tally, run) in [(first, one), (second, other)] {
        assert!(tally.read >= run.expected.len());
        assert_eq!(tally, Tally { read: tally.read, ..Tally::default() });
    }
}

/// The long form: `cargo test --release replayed_fifty_times -- --ignored --nocapture`, about four minutes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "minutes: fifty replays of both runs with idle pauses of up to 0.3 s"]
async fn replayed_fifty_times_nothing_is_mispaired_lost_or_doubled() {
    const ROUNDS: usize = 50;
    let started = Instant::now();
    let idle = Duration::from_millis(300);
    let mut sum = Tally::default();
    for (name, start) in RUNS {
        let run = load(name, start);
        for round in (0..ROUNDS).step_by(5) {
            let [one, two, three, four, five] = [0, 1, 2, 3, 4].map(|at| play(&run, idle, (round + at) % 2 == 1));
            let (one, two, three, four, five) = tokio::join!(one, two, three, four, five);
            for tally in [one, two, three, four, five] {
                sum.read += tally.read;
                sum.mispaired += tally.mispaired;
                sum.lost += tally.lost;
                sum.doubled += tally.doubled;
            }
        }
    }
    println!("{ROUNDS} rounds of both runs in {} s: {sum:?}", started.elapsed().as_secs());
    assert_eq!(sum, Tally { read: sum.read, ..Tally::default() });
}

//! The transcriber's process: faults by stand-ins (shell scripts that speak the protocol as badly as wanted), and the
//! real binary with the real test model, also killed for real.

use nachtwache::domain::transcript::{Doubt, Transcript, Word};
use nachtwache::runtime::voices::Voices as _;
use nachtwache::transcribe::child::protocol::{Reply, VERSION, frame};
use nachtwache::transcribe::child::{Child, ChildError, ChildOptions, Job};
use nachtwache::transcribe::sound::{Limits, decode};
use nachtwache::transcribe::voice::VoiceDesk;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const LONG: Duration = Duration::from_mins(2);

/// The whole of a job's time.
pub(crate) fn within(limit: Duration) -> (Duration, impl Fn(u32) -> Duration + Send) {
    (limit, |_| Duration::ZERO)
}

/// Long enough for a shell to start on a busy machine.
const SHORT: Duration = Duration::from_secs(3);

pub(crate) fn voicemail(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/recordings")).join(name)
}

fn model() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/models/ggml-test-de.bin"))
}

pub(crate) fn job(name: &str) -> Job {
    Job {
        path: voicemail(name),
        name: name.to_owned(),
        model: model(),
        language: "de".to_owned(),
        states: 1,
        threads: 1,
        second: true,
        prompt: None,
    }
}

pub(crate) fn real() -> Child {
    Child::new(ChildOptions { program: PathBuf::from(env!("CARGO_BIN_EXE_nachtwache")), ..ChildOptions::default() })
}

/// Has the child do something short.
async fn ask(child: &mut Child) {
    let folder = TempDir::new().unwrap();
    child.listen(&voicemail("vm-13.WAV"), "vm-13.WAV", &folder.path().join("a.wav"), LONG).await.unwrap();
}

/// A stand-in that runs `body` in a shell after saying hello; `$D` is its folder, which notes its pids.
fn stand_in(folder: &TempDir, body: &str) -> Child {
    stand_in_saying(folder, &Reply::Hello { version: VERSION }, body)
}

fn stand_in_saying(folder: &TempDir, hello: &Reply, body: &str) -> Child {
    let place = folder.path();
    fs::write(place.join("hello"), frame(hello).unwrap()).unwrap();
    let script = format!("D='{}'; echo $$ >> $D/pids; cat $D/hello; head -c 4 > $D/asked; {body}", place.display());
    Child::new(ChildOptions {
        program: PathBuf::from("/bin/sh"),
        args: vec!["-c".into(), script.into()],
        silent_at_most: Duration::from_mins(1),
        ..ChildOptions::default()
    })
}

async fn fault(child: &mut Child) -> ChildError {
    child.transcribe(&job("vm-13.WAV"), within(LONG), |_| ()).await.unwrap_err()
}

/// The processes that noted themselves in the stand-in's folder.
fn pids(folder: &TempDir) -> Vec<String> {
    fs::read_to_string(folder.path().join("pids")).unwrap().lines().map(str::to_owned).collect()
}

/// Waits until the stand-in was started so many times.
async fn asked(folder: &TempDir, starts: usize) {
    let lines = || fs::read_to_string(folder.path().join("pids")).map_or(0, |pids| pids.lines().count());
    while lines() < starts {
        tokio::task::yield_now().await;
    }
}

/// Waits until a process is gone or only waits to be noticed as dead by its own parent.
async fn dead(pid: &str) {
    let lives = |stat: String| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z');
    let gone = async {
        while fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(lives) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("the process should be dead");
}

#[tokio::test]
async fn a_child_that_exits_or_is_killed_by_a_signal_is_a_crash() {
    for (body, code, signal) in
        [("exit 7", Some(7), None), ("kill -ABRT $$", None, Some(6)), ("kill -KILL $$", None, Some(9))]
    {
        let folder = TempDir::new().unwrap();
        let error = fault(&mut stand_in(&folder, body)).await;
        assert!(error.may_be_tried_again());
        let ChildError::Crashed { code: c, signal: s } = error else { panic!("{body}: {error:?}") };
        assert_eq!((c, s), (code, signal), "{body}");
    }
}

#[tokio::test]
async fn a_child_that_hangs_is_killed_at_its_limit_with_everything_it_started() {
    let folder = TempDir::new().unwrap();
    let mut child = stand_in(&folder, "sleep 1000 & echo $! >> $D/pids; wait");
    let error = child.transcribe(&job("vm-13.WAV"), within(SHORT), |_| ()).await.unwrap_err();
    assert!(matches!(error, ChildError::TimedOut(_)), "{error:?}");
    assert_eq!(child.pid(), None);
    for pid in pids(&folder) {
        dead(&pid).await;
    }
}

#[tokio::test]
async fn a_child_that_is_stopped_by_a_signal_is_killed_at_its_limit() {
    let folder = TempDir::new().unwrap();
    let mut child = stand_in(&folder, "kill -STOP $$");
    let error = child.transcribe(&job("vm-13.WAV"), within(SHORT), |_| ()).await.unwrap_err();
    assert!(matches!(error, ChildError::TimedOut(_)), "{error:?}");
    dead(&pids(&folder)[0]).await;
}

#[tokio::test]
async fn a_child_that_falls_silent_is_killed_before_its_limit() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("more"), frame(&Reply::Progress { done: 0.5 }).unwrap()).unwrap();
    let hello = frame(&Reply::Hello { version: VERSION }).unwrap();
    fs::write(folder.path().join("hello"), hello).unwrap();
    let script = format!("cat {0}/hello {0}/more; sleep 1000", folder.path().display());
    let mut child = Child::new(ChildOptions {
        program: PathBuf::from("/bin/sh"),
        args: vec!["-c".into(), script.into()],
        silent_at_most: SHORT,
        ..ChildOptions::default()
    });
    let mut heard = Vec::new();
    let error = child.transcribe(&job("vm-13.WAV"), within(LONG), |done| heard.push(done)).await.unwrap_err();
    assert!(matches!(error, ChildError::TimedOut("it was silent for too long")), "{error:?}");
    assert_eq!(heard, [0.5]);
}

#[tokio::test]
async fn a_child_that_talks_garbage_is_killed() {
    let folder = TempDir::new().unwrap();
    let mut impossible = transcript();
    impossible.words[0].end_ms = 9_000_000;
    fs::write(
        folder.path().join("lie"),
        frame(&Reply::Transcribed { job: 0, result: Box::new(Ok(impossible)) }).unwrap(),
    )
    .unwrap();
    let other = Reply::Voice { sound_ms: 1, remark: None };
    fs::write(folder.path().join("other"), frame(&other).unwrap()).unwrap();
    for body in ["echo no frame at all", "printf '\\004\\000\\000\\000\\377\\376{}'", "cat $D/lie", "cat $D/other"] {
        let mut child = stand_in(&folder, &format!("{body}; sleep 1000"));
        let error = fault(&mut child).await;
        assert!(matches!(error, ChildError::Garbage(_)), "{body}: {error:?}");
        assert_eq!(child.pid(), None);
        dead(pids(&folder).last().unwrap()).await;
    }
}

#[tokio::test]
async fn a_child_that_floods_its_error_output_neither_blocks_nor_fills_the_memory() {
    let folder = TempDir::new().unwrap();
    let error = fault(&mut stand_in(&folder, "head -c 3000000 /dev/zero >&2; exit 3")).await;
    assert!(matches!(error, ChildError::Crashed { code: Some(3), .. }), "{error:?}");
}

#[tokio::test]
async fn a_program_that_is_no_child_of_ours_does_not_start() {
    let folder = TempDir::new().unwrap();
    let program = |name: &str| Child::new(ChildOptions { program: PathBuf::from(name), ..ChildOptions::default() });
    let mut children = [
        stand_in_saying(&folder, &Reply::Hello { version: VERSION + 1 }, "sleep 1000"),
        stand_in_saying(&folder, &Reply::Voice { sound_ms: 1, remark: None }, "sleep 1000"),
        program("/bin/true"),
        program("/bin/echo"),
        program("/no/such/program"),
    ];
    for child in &mut children {
        let error = fault(child).await;
        assert!(matches!(error, ChildError::Start { .. }), "{error:?}");
        assert!(error.may_be_tried_again());
    }
}

#[tokio::test]
async fn a_dropped_job_ends_its_child_and_the_next_job_gets_a_new_one() {
    let folder = TempDir::new().unwrap();
    let mut child = stand_in(&folder, "sleep 1000");
    for starts in 1..=2 {
        tokio::select! {
            error = fault(&mut child) => panic!("{error:?}"),
            () = asked(&folder, starts) => (),
        }
        assert_eq!(child.pid(), None);
        dead(&pids(&folder)[starts - 1]).await;
    }
}

#[tokio::test]
async fn the_real_child_writes_down_a_voicemail_and_keeps_its_model() {
    let mut child = real();
    let mut heard = Vec::new();
    let first = child.transcribe(&job("vm-13.WAV"), within(LONG), |done| heard.push(done)).await.unwrap();
    assert!(first.text().contains("Notfall"), "{}", first.text());
    assert!(first.second.as_ref().is_some_and(|second| second.contains("Notfall")));
    assert_eq!((first.doubt, first.model.as_str(), first.language.as_str()), (None, "ggml-test-de.bin", "de"));
    assert!(heard.is_sorted() && heard.last() == Some(&1.0), "{heard:?}");
    let pid = child.pid();
    let again = child.transcribe(&job("vm-13.WAV"), within(LONG), |_| ()).await.unwrap();
    assert_eq!((again, child.pid()), (first, pid));
}

#[tokio::test]
async fn a_former_caller_leaves_no_trace_in_the_next_transcript() {
    let mut shared = real();
    shared.transcribe(&job("vm-19.WAV"), within(LONG), |_| ()).await.unwrap();
    let after = shared.transcribe(&job("vm-13.WAV"), within(LONG), |_| ()).await.unwrap();
    let fresh = real().transcribe(&job("vm-13.WAV"), within(LONG), |_| ()).await.unwrap();
    // words, times and probabilities, to the last bit
    assert_eq!(after, fresh);
}

#[tokio::test]
async fn a_child_killed_in_the_middle_of_a_transcription_is_replaced() {
    let mut child = real();
    ask(&mut child).await;
    let pid = child.pid().unwrap();
    let kill = |_| {
        let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap_or_default();
    };
    let error = child.transcribe(&job("vm-13.WAV"), within(LONG), kill).await.unwrap_err();
    assert!(matches!(error, ChildError::Crashed { signal: Some(9), .. }), "{error:?}");
    assert!(error.may_be_tried_again());
    let transcript = child.transcribe(&job("vm-13.WAV"), within(LONG), |_| ()).await.unwrap();
    assert!(transcript.text().contains("Notfall"));
    assert_ne!(child.pid(), Some(pid));
}

#[tokio::test]
async fn what_cannot_be_decoded_is_refused_for_good_and_costs_no_child() {
    let folder = TempDir::new().unwrap();
    let broken = folder.path().join("msg0000.wav");
    fs::write(&broken, b"this is no sound").unwrap();
    let mut child = real();
    let mut wanted = job("vm-13.WAV");
    wanted.path.clone_from(&broken);
    let error = child.transcribe(&wanted, within(LONG), |_| ()).await.unwrap_err();
    assert!(matches!(error, ChildError::Refused { doubt: Some(Doubt::Undecodable), .. }), "{error:?}");
    assert!(!error.may_be_tried_again());
    let pid = child.pid();
    let error = child.voice(&broken, "msg0000.wav", &folder.path().join("v.ogg"), LONG).await.unwrap_err();
    assert!(matches!(error, ChildError::Refused { .. }));
    assert!(pid.is_some() && child.pid() == pid);
}

#[tokio::test]
async fn a_missing_or_truncated_model_is_refused_and_may_be_tried_again() {
    let folder = TempDir::new().unwrap();
    let cut = folder.path().join("ggml-test-de.bin");
    fs::write(&cut, &fs::read(model()).unwrap()[..1_000_000]).unwrap();
    let mut child = real();
    for path in [cut, folder.path().join("missing.bin")] {
        let error = child.transcribe(&Job { model: path, ..job("vm-13.WAV") }, within(LONG), |_| ()).await.unwrap_err();
        assert!(matches!(error, ChildError::Refused { doubt: None, .. }), "{error:?}");
        assert!(error.may_be_tried_again());
    }
    let error = child.transcribe(&Job { language: "xx".to_owned(), ..job("vm-13.WAV") }, within(LONG), |_| ()).await;
    assert!(matches!(error, Err(ChildError::Refused { doubt: None, .. })));
    child.transcribe(&job("vm-13.WAV"), within(LONG), |_| ()).await.unwrap();
}

#[tokio::test]
async fn a_voice_message_stands_there_whole() {
    let folder = TempDir::new().unwrap();
    let to = folder.path().join("voice.ogg");
    let mut child = real();
    let voice = child.voice(&voicemail("vm-13.WAV"), "vm-13.WAV", &to, LONG).await.unwrap();
    assert!((10_000..11_000).contains(&voice.sound_ms), "{}", voice.sound_ms);
    assert!(fs::metadata(&to).unwrap().len() > 1_000);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no part may be left");
}

#[tokio::test]
async fn a_recording_to_listen_to_is_made_once_and_named_so_that_whoever_deletes_the_sound_finds_it() {
    let folder = TempDir::new().unwrap();
    fs::copy(voicemail("vm-13.WAV"), folder.path().join("0192.WAV")).unwrap();
    let desk = VoiceDesk::new(folder.path().to_owned(), real());
    let made = desk.playable("0192.WAV", "vm-13.WAV").await.unwrap();
    assert_eq!(made.path, folder.path().join("0192.page.wav"));
    assert!(made.peaks.len() > 900 && made.peaks.iter().any(|peak| *peak > 100), "{:?}", made.peaks);
    let decoded = decode("a.wav", &fs::read(&made.path).unwrap(), &Limits::default()).unwrap();
    assert_eq!((decoded.sound_ms, decoded.remark), (made.sound_ms, None));
    let mut names: Vec<String> =
        fs::read_dir(folder.path()).unwrap().map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["0192.WAV", "0192.page.json", "0192.page.wav"], "no part may be left");
    let stands = VoiceDesk::new(folder.path().to_owned(), stand_in(&folder, "exit 7"));
    assert_eq!(stands.playable("0192.WAV", "vm-13.WAV").await.unwrap(), made, "nothing is decoded twice");
    fs::write(folder.path().join("0193.wav"), "no sound").unwrap();
    assert!(desk.playable("0193.wav", "a.wav").await.is_err());
    assert!(!folder.path().join("0193.page.wav").exists());
}

#[tokio::test]
async fn an_idle_child_is_ended_and_its_memory_given_back() {
    let mut child = real();
    assert_eq!(child.rest().await, None);
    ask(&mut child).await;
    assert!(child.rest().await.is_some_and(|left| left <= Duration::from_mins(10)));
    assert!(child.pid().is_some());
    let options = ChildOptions { idle_after: Duration::ZERO, ..ChildOptions::default() };
    let mut child = Child::new(ChildOptions { program: PathBuf::from(env!("CARGO_BIN_EXE_nachtwache")), ..options });
    ask(&mut child).await;
    let pid = child.pid().unwrap().to_string();
    assert_eq!(child.rest().await, None);
    assert_eq!(child.pid(), None);
    dead(&pid).await;
}

#[tokio::test]
async fn the_real_child_steps_back_for_others_and_leaves_no_core() {
    let mut child = real();
    ask(&mut child).await;
    let pid = child.pid().unwrap();
    let read = |what: &str| fs::read_to_string(format!("/proc/{pid}/{what}")).unwrap();
    assert_eq!(read("oom_score_adj").trim(), "500");
    let limit = |name: &str| {
        let limits = read("limits");
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        line[name.len()..].split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(limit("Max core file size"), "0");
    assert!(limit("Max address space").parse::<u64>().unwrap() < 4 << 30);
    // nothing of our environment
    assert_eq!(read("environ"), "GLIBC_TUNABLES=glibc.malloc.hugetlb=1\0MALLOC_MMAP_THRESHOLD_=131072\0");
}

#[test]
fn the_real_child_ends_when_its_input_ends() {
    let child = std::process::Command::new(env!("CARGO_BIN_EXE_nachtwache"))
        .arg("child")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    assert!(child.status.success());
    assert_eq!(child.stdout, frame(&Reply::Hello { version: VERSION }).unwrap());
}

fn transcript() -> Transcript {
    Transcript {
        model: "m".to_owned(),
        language: "de".to_owned(),
        sound_ms: 1_000,
        words: vec![Word { text: "Ja.".to_owned(), start_ms: 0, end_ms: 10, probability: 1.0 }],
        second: None,
        speech: Vec::new(),
        doubt: None,
        remark: None,
    }
}

//! The real binary, from a file in a spool to a message at the wire, with the real recogniser where words matter.
//! Covers F-03 (stop and orphans), F-10 (nothing can be stored), F-60, F-61, F-64 (no model).

use crate::fake_bot::FakeBot;
use nachtwache::domain::assessment::Verdict;
use nachtwache::domain::report::Report;
use nachtwache::store::{Reader, Store, assessments, hearings, reports};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) const ANNA: i64 = 101;
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/ggml-test-de.bin");

/// A firm: a scratch folder with settings, a spool and a store, and the fake Telegram.
pub(crate) struct Firm {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) bot: FakeBot,
}

/// The service as a process; killed when dropped.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Firm {
    pub(crate) async fn new(model: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bot = FakeBot::start().await;
        fs::create_dir_all(folder.path().join("voicemail/default/100/INBOX")).unwrap();
        fs::create_dir_all(folder.path().join("drop")).unwrap();
        let settings = format!(
            "[store]\nfolder = \"{0}/store\"\n[telegram]\ntoken = \"{1}\"\napi_url = \"{2}\"\nredact_closed = false\n\
             [hours]\nmonday = []\ntuesday = []\nwednesday = []\nthursday = []\nfriday = []\n\
             [watch]\ntell_start = false\n[drill]\nenabled = false\n[morning]\nenabled = false\n\
             [transcribe]\nmodel = \"{model}\"\nthreads = 1\nretry_after_s = [1]\n\
             [[technicians]]\nname = \"Anna\"\ntelegram_chat = {ANNA}\n\
             [[sources]]\nkind = \"asterisk\"\nname = \"spool\"\npath = \"{0}/voicemail\"\n\
             [[sources]]\nkind = \"folder\"\nname = \"drop\"\npath = \"{0}/drop\"\npoll_s = 1\n",
            folder.path().display(),
            bot.token(),
            bot.url(),
        );
        fs::write(folder.path().join("nachtwache.toml"), settings).unwrap();
        Self { folder, bot }
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nachtwache"));
        command.arg("--config").arg(self.folder.path().join("nachtwache.toml"));
        command
    }

    pub(crate) fn start(&self) -> Running {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        Running(self.command().arg("run").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub(crate) fn inbox(&self) -> PathBuf {
        self.folder.path().join("voicemail/default/100/INBOX")
    }

    /// A message as Asterisk leaves it: sound first, `.txt` renamed in last.
    pub(crate) fn leave(&self, number: usize, sound: &[u8], ending: &str) {
        let inbox = self.inbox();
        fs::write(inbox.join(format!("msg{number:04}.{ending}")), sound).unwrap();
        let text = format!(
            "[message]\norigmailbox=100\ncontext=default\ncallerid=\"Caller\" <0972155{number:05}>\norigtime={}\n\
             msg_id={}-{number:08x}\nflag=\nduration=0\n",
            1_795_300_000 + number,
            1_795_300_000 + number,
        );
        fs::write(inbox.join(format!("tmp{number:04}")), text).unwrap();
        fs::rename(inbox.join(format!("tmp{number:04}")), inbox.join(format!("msg{number:04}.txt"))).unwrap();
    }

    pub(crate) async fn store(&self) -> Store {
        let base = self.folder.path().join("store");
        fs::create_dir_all(&base).unwrap();
        let url = format!("sqlite://{}", base.join("nachtwache.db").display());
        Store::open(&url, &base.join("sound")).await.unwrap()
    }
}

pub(crate) fn recording(name: &str) -> Vec<u8> {
    fs::read(Path::new(DATA).join("recordings").join(name)).unwrap()
}

async fn verdict(reader: &mut Reader, report: &Report) -> Option<Verdict> {
    assessments::find(reader, report.id).await.unwrap().map(|found| found.verdict)
}

/// Waits for something outside of this process; bounded, and looked at often.
pub(crate) async fn until(what: &str, patience: Duration, mut so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + patience;
    while !so().await {
        assert!(Instant::now() < end, "waited in vain for: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voicemail_becomes_an_alert_on_the_phone() {
    let firm = Firm::new(MODEL).await;
    let _service = firm.start();
    firm.leave(0, &recording("vm-04.WAV"), "WAV");
    until("the alert", Duration::from_mins(2), async || {
        firm.bot.messages(ANNA).iter().any(|shown| shown.text.contains("NOTFALL") && !shown.silent)
    })
    .await;
    let phone = firm.bot.messages(ANNA);
    assert!(phone[0].file.as_ref().unwrap().voice, "the recording came first, as a voice message");
    assert!(phone.iter().any(|shown| shown.text.contains("💶 48,00 €")));
    let health = firm.command().args(["health", "--json"]).output().unwrap();
    assert!(String::from_utf8_lossy(&health.stdout).contains("\"running\": true"), "{health:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_larger_model_hears_it_a_second_time_in_a_process_of_its_own() {
    let firm = Firm::new(MODEL).await;
    let larger = firm.folder.path().join("larger.bin");
    fs::copy(MODEL, &larger).unwrap();
    let path = firm.folder.path().join("nachtwache.toml");
    let named = format!("[transcribe]\nconfirm_model = \"{}\"\n", larger.display());
    fs::write(&path, fs::read_to_string(&path).unwrap().replace("[transcribe]\n", &named)).unwrap();
    let _service = firm.start();
    firm.leave(0, &recording("vm-04.WAV"), "WAV");
    let store = firm.store().await;
    until("the second verdict", Duration::from_mins(3), async || {
        let mut reader = store.read().await.unwrap();
        let Some(report) = reports::all(&mut reader).await.unwrap().pop() else { return false };
        let heard = hearings::find(&mut reader, report.id).await.unwrap();
        heard.is_some_and(|heard| heard.verdict.is_some() && heard.transcript.model == "larger.bin")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_model_every_caller_still_reaches_a_human() {
    let firm = Firm::new("/nowhere/model.bin").await;
    let _service = firm.start();
    firm.leave(0, &recording("vm-13.WAV"), "WAV");
    until("the alert without text", Duration::from_mins(1), async || {
        firm.bot.messages(ANNA).iter().any(|shown| shown.text.contains("UNKLAR – BITTE ANHÖREN"))
    })
    .await;
    assert!(firm.bot.messages(ANNA).iter().any(|shown| shown.file.is_some()), "with the recording");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_its_certificate_keeps_nobody_asleep() {
    let firm = Firm::new("/nowhere/model.bin").await;
    let path = firm.folder.path().join("nachtwache.toml");
    let page = "[web]\nlisten = \"127.0.0.1:0\"\ncertificate = \"/nowhere/c.pem\"\nkey = \"/nowhere/k.pem\"\n\
                public_url = \"https://wache.example\"\n";
    fs::write(&path, fs::read_to_string(&path).unwrap() + page).unwrap();
    let mut service = firm.start();
    firm.leave(0, &recording("vm-13.WAV"), "WAV");
    until("the alert without text", Duration::from_mins(1), async || {
        firm.bot.messages(ANNA).iter().any(|shown| shown.text.contains("UNKLAR – BITTE ANHÖREN"))
    })
    .await;
    until("the complaint", Duration::from_secs(30), async || firm.log().contains("the page cannot be served")).await;
    assert!(firm.log().contains("/nowhere/c.pem"), "it says which file");
    assert!(service.0.try_wait().unwrap().is_none(), "the service runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_files_are_named_stay_on_record_and_stop_nobody() {
    let firm = Firm::new("/nowhere/model.bin").await;
    let drop_folder = firm.folder.path().join("drop");
    fs::write(drop_folder.join("empty.wav"), b"").unwrap();
    fs::write(drop_folder.join("text.wav"), b"this is no sound at all").unwrap();
    fs::create_dir(drop_folder.join("msg0000.wav")).unwrap();
    let huge = fs::File::create(drop_folder.join("huge.wav")).unwrap();
    huge.set_len(2 << 30).unwrap();
    let _service = firm.start();
    firm.leave(0, &recording("vm-13.WAV"), "WAV");
    let store = firm.store().await;
    until("four reports judged", Duration::from_secs(90), async || {
        let mut reader = store.read().await.unwrap();
        let all = reports::all(&mut reader).await.unwrap();
        let mut judged = 0;
        for report in &all {
            judged += usize::from(verdict(&mut reader, report).await.is_some());
        }
        judged == 4
    })
    .await;
    let mut reader = store.read().await.unwrap();
    for report in reports::all(&mut reader).await.unwrap() {
        assert_eq!(verdict(&mut reader, &report).await, Some(Verdict::Unclear), "{}", report.key);
        if report.key.contains("huge") {
            assert!(report.trouble.as_deref().unwrap_or("").contains("huge.wav"), "{:?}", report.trouble);
        }
    }
    let standing = nachtwache::store::troubles::standing(&mut reader).await.unwrap();
    assert!(standing.iter().any(|one| one.what.contains("msg0000.wav")), "{standing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_nothing_can_be_stored_a_human_is_told_directly_and_the_message_stays() {
    let firm = Firm::new("/nowhere/model.bin").await;
    let store = firm.store().await;
    store.close().await;
    let sound = firm.folder.path().join("store/sound");
    fs::remove_dir(&sound).unwrap();
    let service = firm.start();
    until("the service runs", Duration::from_secs(30), async || sound.exists()).await;
    fs::remove_dir(&sound).unwrap();
    fs::write(&sound, b"a file where a folder should be").unwrap();
    firm.leave(0, &recording("vm-13.WAV"), "WAV");
    until("the cry", Duration::from_secs(30), async || {
        firm.bot.messages(ANNA).iter().any(|shown| shown.text.contains("SPEICHERN NICHT MÖGLICH"))
    })
    .await;
    assert!(firm.inbox().join("msg0000.txt").exists());
    fs::remove_file(&sound).unwrap();
    fs::create_dir(&sound).unwrap();
    until("the recording on the phone", Duration::from_secs(30), async || {
        firm.bot.messages(ANNA).iter().any(|shown| shown.file.is_some())
    })
    .await;
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_was_full_is_used_again_as_soon_as_there_is_room() {
    let firm = Firm::new("/nowhere/model.bin").await;
    firm.store().await.close().await;
    // No file may grow beyond 300 KiB: the write-ahead log hits it soon.
    let run = format!(
        "trap '' XFSZ; ulimit -S -f 300; exec {} --config {}/nachtwache.toml run",
        env!("CARGO_BIN_EXE_nachtwache"),
        firm.folder.path().display()
    );
    let service = Running(Command::new("bash").args(["-c", &run]).stderr(Stdio::null()).spawn().unwrap());
    let sound = recording("vm-13.WAV");
    let left = 30;
    (0..left).for_each(|number| firm.leave(number, &sound, "WAV"));
    until("the cry", Duration::from_mins(1), async || {
        firm.bot.messages(ANNA).iter().any(|shown| shown.text.contains("SPEICHERN NICHT MÖGLICH"))
    })
    .await;
    let pid = service.0.id().to_string();
    assert!(Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status().unwrap().success());
    let store = firm.store().await;
    until("all that were left are stored", Duration::from_mins(1), async || {
        reports::all(&mut store.read().await.unwrap()).await.unwrap().len() == left
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transcriber_killed_in_the_middle_costs_an_attempt_and_never_the_service() {
    let firm = Firm::new(MODEL).await;
    let mut service = firm.start();
    firm.leave(0, &recording("vm-03.wav"), "wav");
    let mut killed = Vec::new();
    until("the transcriber", Duration::from_mins(1), async || {
        // The voice child ends its work before; the one that holds the model is the larger.
        children(service.0.id()).into_iter().any(|pid| {
            let at_work = own_memory_kib(pid) > 40_000 && !killed.contains(&pid);
            if at_work {
                let pid_of = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
                rustix::process::kill_process(pid_of, rustix::process::Signal::ABORT).ok();
                killed.push(pid);
            }
            at_work
        })
    })
    .await;
    until("the alert all the same", Duration::from_mins(2), async || {
        firm.bot.messages(ANNA).iter().any(|shown| shown.text.contains("Vorgang") && !shown.silent)
    })
    .await;
    assert!(service.0.try_wait().unwrap().is_none(), "the service still runs");
    let store = firm.store().await;
    let mut reader = store.read().await.unwrap();
    let report = reports::all(&mut reader).await.unwrap().remove(0);
    let failed = nachtwache::store::events::count(&mut reader, report.id, nachtwache::domain::event::EventKind::Failed);
    assert!(failed.await.unwrap() >= 1, "the killed try stands in the story; log:\n{}", firm.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_leaves_no_orphan() {
    let firm = Firm::new(MODEL).await;
    let mut service = firm.start();
    firm.leave(0, &recording("vm-13.WAV"), "WAV");
    until("children", Duration::from_mins(1), async || !children(service.0.id()).is_empty()).await;
    let before = children(service.0.id());
    let pid = rustix::process::Pid::from_child(&service.0);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    until("the end", Duration::from_secs(40), async || service.0.try_wait().unwrap().is_some()).await;
    assert!(service.0.wait().unwrap().success(), "{}", firm.log());
    until("the children's end", Duration::from_secs(10), async || {
        before.iter().all(|pid| !Path::new(&format!("/proc/{pid}/exe")).exists())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_services_on_one_folder_are_refused() {
    let firm = Firm::new("/nowhere/model.bin").await;
    let _first = firm.start();
    until("the first holds the lock", Duration::from_secs(30), async || {
        firm.folder.path().join("store/service.lock").exists()
    })
    .await;
    until("the second is refused", Duration::from_secs(30), async || {
        let second = firm.command().arg("run").output().unwrap();
        !second.status.success() && String::from_utf8_lossy(&second.stderr).contains("another nachtwache")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submitted_file_is_stored_when_the_command_ends_and_found_by_the_service() {
    let firm = Firm::new("/nowhere/model.bin").await;
    let file = firm.folder.path().join("call.wav");
    fs::write(&file, recording("vm-13.WAV")).unwrap();
    let submit = || {
        let mut command = firm.command();
        command.arg("submit").arg(&file).args(["--caller", "09721555017", "--at", "2026-11-21T22:14:00+01:00"]);
        command.output().unwrap()
    };
    let said = String::from_utf8(submit().stdout).unwrap();
    assert!(said.starts_with("stored as report "), "{said}");
    assert_eq!(String::from_utf8(submit().stdout).unwrap(), "known already: nothing was changed\n");
    let _service = firm.start();
    until("the recording on the phone", Duration::from_secs(30), async || {
        firm.bot.messages(ANNA).iter().any(|shown| shown.file.is_some())
    })
    .await;
    let wrong = firm.command().args(["submit", "/nowhere.wav"]).output().unwrap();
    assert!(!wrong.status.success() && String::from_utf8_lossy(&wrong.stderr).contains("/nowhere.wav"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_plays_to_a_chat_and_prints_json() {
    let firm = Firm::new(MODEL).await;
    let recordings = firm.folder.path().join("recordings");
    fs::create_dir(&recordings).unwrap();
    for name in ["vm-13.WAV", "vm-22.wav", "manifest.jsonl"] {
        fs::write(recordings.join(name), recording(name)).unwrap();
    }
    let demo = |token: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nachtwache"));
        command.args(["demo", "--once", "--json", "--model", MODEL, "--recordings"]).arg(&recordings);
        command.env("NACHTWACHE_TELEGRAM_TOKEN", token).env("NACHTWACHE_TELEGRAM_CHAT", ANNA.to_string());
        command.env("NACHTWACHE_TELEGRAM_URL", firm.bot.url()).output().unwrap()
    };
    let played = demo(firm.bot.token());
    assert!(played.status.success(), "{}", String::from_utf8_lossy(&played.stderr));
    let rows: serde_json::Value = serde_json::from_slice(&played.stdout).unwrap();
    let verdicts: Vec<_> = rows.as_array().unwrap().iter().map(|row| (&row["verdict"], &row["expected"])).collect();
    assert_eq!(verdicts.len(), 2);
    assert!(verdicts.iter().all(|(found, expected)| found == expected), "{rows}");
    assert!(firm.bot.messages(ANNA).iter().any(|shown| shown.text.contains("NOTFALL UNVOLLSTÄNDIG")));
    let refused = demo("123456789:another-token_that_is_not_valid");
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("NACHTWACHE_TELEGRAM_TOKEN"));
}

/// Not a test but a measurement: `cargo test --release --test it -- --ignored --nocapture first_word`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn how_long_until_the_first_word() {
    let firm = Firm::new("/nowhere/model.bin").await;
    let service = firm.start();
    until("the service runs", Duration::from_secs(30), async || firm.folder.path().join("store/service.lock").exists())
        .await;
    let sound = recording("vm-04.WAV");
    let mut taken = Vec::new();
    for number in 0..50 {
        let before = firm.bot.calls_of("sendvoice").len();
        let started = Instant::now();
        firm.leave(number, &sound, "WAV");
        assert!(firm.bot.wait_until(|bot| bot.called("sendvoice") > before).await, "{}", firm.log());
        taken.push(started.elapsed());
    }
    until("all alerts", Duration::from_mins(2), async || firm.bot.calls_of("sendmessage").len() >= 50).await;
    taken.sort();
    let cpu = cpu_seconds(service.0.id()) + children(service.0.id()).into_iter().map(cpu_seconds).sum::<f64>();
    eprintln!(
        "first word after arrival: median {:?}, worst {:?}; CPU of service and children per report {:.0} ms (start included)",
        taken[taken.len() / 2],
        taken[taken.len() - 1],
        cpu * 1000.0 / 50.0
    );
}

pub(crate) fn children(pid: u32) -> Vec<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let list = |task: fs::DirEntry| fs::read_to_string(task.path().join("children")).unwrap_or_default();
    let lists: String = tasks.filter_map(Result::ok).map(list).collect::<Vec<_>>().join(" ");
    lists.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

fn own_memory_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap_or("");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}

/// User and system time of a process and of the children it has waited for, in seconds.
#[expect(clippy::cast_precision_loss, reason = "clock ticks of a short life")]
fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks: u64 = fields.iter().skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

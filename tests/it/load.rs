//! Many open cases, many technicians, and Telegram in bad weather: everybody is told, within Telegram's own limits. Covers
//! F-81, F-82 (no chat holds up another), F-83 and F-111.
//!
//! Takes minutes, so it is asked for: `cargo test --test it load:: -- --ignored --nocapture`. What it measures is printed.

use crate::fake_bot::{Fault, Shown};
use crate::world::World;
use chrono::{DateTime, Utc};
use nachtwache::domain::assessment::Verdict;
use nachtwache::domain::case::CaseId;
use nachtwache::domain::notice::{NoticeKind, cases_of};
use nachtwache::escalate::plan::PlanStep;
use nachtwache::escalate::send::SendStep;
use nachtwache::escalate::telegram::TelegramNotifier;
use nachtwache::runtime::bell::Bells;
use nachtwache::runtime::clock::{Clock, SystemClock};
use nachtwache::runtime::lifecycle::Lifecycle;
use nachtwache::runtime::status::Status;
use nachtwache::runtime::worker::Worker;
use nachtwache::store::{cases, notices};
use nachtwache::telegram::{Bot, Limits};
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

const CASES: usize = 200;
const TECHNICIANS: usize = 20;
const OFFICE: i64 = -500;
const SEED: u64 = 20_261_128;

/// Twenty lines, one technician each, and the office group for all.
fn settings() -> String {
    let mut text = String::from(
        "[hours]\nmonday = []\ntuesday = []\nwednesday = []\nthursday = []\nfriday = []\n[telegram]\nredact_closed = false\n\
         [escalation]\nfirst_notice = false\nlate_after_min = 1\n\
         [office]\ntelegram_chat = -500\n",
    );
    for number in 0..TECHNICIANS {
        let steps = "steps = [{ after_min = 0, tell = [\"WHO\", \"office\"], repeat_every_min = 60 }]"
            .replace("WHO", &format!("T{number:02}"));
        write!(
            text,
            "[[technicians]]\nname = \"T{number:02}\"\ntelegram_chat = {}\n[[escalation.policies]]\nverdicts = [\"confirmed\"]\n\
             lines = [\"{number}\"]\n{steps}\n",
            1000 + number
        )
        .unwrap();
    }
    text + "[[escalation.policies]]\nverdicts = [\"confirmed\", \"incomplete\", \"unclear\"]\n\
            steps = [{ after_min = 0, tell = [\"everyone\"], repeat_every_min = 60 }]\n"
}

async fn open_cases(world: &World) -> HashMap<usize, Vec<CaseId>> {
    let mut of = HashMap::<usize, Vec<CaseId>>::new();
    for number in 0..CASES {
        let line = number % TECHNICIANS;
        let mut arrival = world.arrival(u32::try_from(number).unwrap());
        arrival.mailbox = Some(line.to_string());
        let report = world.desk().accept(arrival).await.unwrap().id;
        let now = SystemClock.now();
        let mut tx = world.store.begin().await.unwrap();
        let case = cases::open(&mut tx, report, Verdict::Confirmed, false, now).await.unwrap();
        tx.commit().await.unwrap();
        of.entry(line).or_default().push(case.id);
    }
    of
}

/// The service's own workers, as many as it has.
fn start(world: &World, lifecycle: &Lifecycle) {
    let bells = Bells::default();
    let bot = Bot::with_limits(&world.bot.url(), world.bot.token().into(), false, Limits::default()).unwrap();
    let worker = |bell: &nachtwache::runtime::bell::Bell| Worker {
        bell: bell.clone(),
        poll: Duration::from_secs(1),
        lifecycle: lifecycle.clone(),
        status: Status::default(),
        clock: Arc::new(SystemClock),
    };
    for number in 1..=8 {
        let step = SendStep {
            number,
            clock: Arc::new(SystemClock),
            bells: bells.clone(),
            notifier: Arc::new(TelegramNotifier::new(bot.clone())),
            ..world.send()
        };
        lifecycle.spawn(format!("send {number}"), worker(&bells.send).run(step));
    }
    let plan = PlanStep { clock: Arc::new(SystemClock), bells: bells.clone(), ..world.plan() };
    lifecycle.spawn("plan".into(), worker(&bells.escalate).run(plan));
}

/// Whether a message is the case's own alert.
fn tells(shown: &Shown, case: CaseId) -> bool {
    !shown.silent && shown.text.contains(&format!("Vorgang {case}"))
}

/// How many were not told of their cases yet: by an alert of its own that arrived, or in a list that did.
async fn untold(world: &World, of: &HashMap<usize, Vec<CaseId>>) -> usize {
    let all = notices::all(&mut world.store.read().await.unwrap()).await.unwrap();
    let mut told = HashSet::new();
    for notice in all.iter().filter(|notice| notice.sent_at.is_some()) {
        match (notice.kind, notice.case) {
            (NoticeKind::Alert, Some(case)) => drop(told.insert((notice.chat, case))),
            (NoticeKind::Bundle, _) => {
                let cases = cases_of(notice.body.as_deref().unwrap_or_default());
                told.extend(cases.into_iter().map(|case| (notice.chat, case)));
            }
            _ => {}
        }
    }
    let wanted = of.iter().flat_map(|(line, cases)| {
        let chats = [1000 + i64::try_from(*line).unwrap(), OFFICE];
        cases.iter().flat_map(move |case| chats.map(|chat| (chat, *case)))
    });
    wanted.filter(|one| !told.contains(one)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes minutes; see the head of this file"]
async fn two_hundred_cases_and_twenty_technicians_in_bad_weather() {
    let begun: DateTime<Utc> = SystemClock.now();
    let world = World::by(&begun.to_rfc3339(), None, &settings()).await;
    let of = open_cases(&world).await;
    world.bot.limit();
    world.bot.fail_some(SEED, &[(10, Fault::TooMany(1)), (5, Fault::BadGatewayHtml), (2, Fault::Hang)]);
    let (lifecycle, start_at) = (Lifecycle::default(), Instant::now());
    start(&world, &lifecycle);
    let mut last = usize::MAX;
    let mut told_at = Vec::new();
    while last > 0 {
        assert!(start_at.elapsed() < Duration::from_mins(15), "still {last} untold");
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = untold(&world, &of).await;
        if last != usize::MAX {
            told_at.extend(std::iter::repeat_n(start_at.elapsed().as_secs_f32(), last.saturating_sub(now)));
        }
        last = now;
    }
    lifecycle.stop();
    let all_told = start_at.elapsed();
    let peaks = world.bot.peaks();
    assert!(peaks.are_allowed(), "{peaks:?}");
    let calls = world.bot.calls();
    let status = |code: u16| calls.iter().filter(|call| call.status == code).count();
    for line in 0..TECHNICIANS {
        in_order(&world.bot.messages(1000 + i64::try_from(line).unwrap()), &of[&line]);
    }
    let lists = world.bot.messages(OFFICE).iter().filter(|shown| shown.text.contains("NACH EINER STÖRUNG")).count();
    told_at.sort_by(f32::total_cmp);
    let at = |share: usize| told_at.get(told_at.len() * share / 100).copied().unwrap_or_default();
    eprintln!(
        "load: {CASES} cases, {TECHNICIANS} technicians and the office group, seed {SEED}: 0 lost; told after {:.1} s (half), \
         {:.1} s (95 %), {:.1} s (all); peaks {peaks:?}; {} calls, {} answered 429, {} answered 502, {} not at all; {lists} lists in the group",
        at(50),
        at(95),
        all_told.as_secs_f32(),
        calls.len(),
        status(429),
        status(502),
        status(0)
    );
}

/// A case's alert comes once as itself (a repeat says so), and its recording, if it came, after it.
fn in_order(messages: &[Shown], cases: &[CaseId]) {
    for case in cases {
        let alerts: Vec<&Shown> = messages.iter().filter(|shown| tells(shown, *case)).collect();
        let unmarked = alerts.iter().filter(|shown| !shown.text.contains("Wiederholung möglich")).count();
        assert!(unmarked <= 1, "case {case} was told {unmarked} times: {alerts:#?}");
        let caption = format!("Vorgang {case}");
        let voice = messages.iter().position(|shown| shown.file.is_some() && shown.text.contains(&caption));
        let first = messages.iter().position(|shown| tells(shown, *case));
        assert!(voice.is_none() || first < voice, "case {case}: the recording came before its alert");
    }
}

//! The real binary killed with SIGKILL again and again while reports go through. Covers F-01, F-02, I1 to I3, I5.

use crate::whole::{ANNA, Firm, until};
use nachtwache::domain::case::{Case, CaseState};
use nachtwache::store::sound::sha256;
use nachtwache::store::{cases, notices, reports};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// A second of a tone that no other report has.
fn sound(number: usize) -> Vec<u8> {
    let samples = (0..8000u32).map(|at| {
        let wave = (f64::from(at) * 0.02 * (1.0 + f64::from(u32::try_from(number).unwrap()) / 300.0)).sin();
        #[expect(clippy::cast_possible_truncation, reason = "within ±8000")]
        let sample = (wave * 8000.0) as i16;
        sample
    });
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let mut wav = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data".to_vec();
    wav.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
    wav.extend(data);
    wav
}

/// Xorshift: a seed makes a run repeatable as far as the machine allows.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "how long the crash story is told")]
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_moments_nothing_is_lost_and_nothing_stored_twice() {
    let (wanted, seed) = (usize::try_from(number("CRASH_REPORTS", 25)).unwrap(), number("CRASH_SEED", 20_261_124));
    let firm = Firm::new("/nowhere/model.bin").await;
    let kills = leave_and_kill(&firm, wanted, &mut Dice(seed)).await;
    let _service = firm.start();
    let store = firm.store().await;
    until("every case rang and nothing is due to be sent", Duration::from_mins(3), async || {
        let mut reader = store.read().await.unwrap();
        let mut rung = 0;
        for report in reports::all(&mut reader).await.unwrap() {
            let case = cases::of_report(&mut reader, report.id).await.unwrap();
            rung += usize::from(case.is_some_and(|case| case.progress.rings > 0));
        }
        rung >= wanted && notices::pending(&mut reader).await.unwrap() == 0
    })
    .await;

    let mut reader = store.read().await.unwrap();
    let all = reports::all(&mut reader).await.unwrap();
    let keys: HashSet<&str> = all.iter().map(|report| report.key.as_str()).collect();
    assert_eq!((all.len(), keys.len()), (wanted, wanted), "none lost, none stored twice (seed {seed})");
    let phone = Phone::of(&firm);
    assert!(phone.voices >= wanted, "every caller's voice is on the phone");
    let mut repeats = 0;
    for report in &all {
        let recording = report.recording.as_ref().unwrap();
        let kept = std::fs::read(store.sound_folder().join(&recording.file)).unwrap();
        assert_eq!(sha256(&kept), recording.sha256, "I1: the sound is what was stored");
        let case = cases::of_report(&mut reader, report.id).await.unwrap().unwrap();
        assert_eq!(case.state, CaseState::Open);
        repeats += phone.repeats(&case);
    }
    let (alerts, voices) = (phone.alerts.values().map(Vec::len).sum::<usize>(), phone.voices - wanted);
    eprintln!(
        "crash story: {wanted} reports, {kills} kills, seed {seed}: 0 lost, 0 twice, {alerts} alerts, {repeats} of them repeated, \
         {voices} recordings repeated"
    );
}

/// Leaves messages while the service is killed at random moments, then ten times in the middle of its recovery.
async fn leave_and_kill(firm: &Firm, wanted: usize, dice: &mut Dice) -> usize {
    let (mut left, mut kills, mut recoveries) = (0, 0, 0);
    while left < wanted || recoveries < 10 {
        let mut service = firm.start();
        let end = tokio::time::Instant::now() + Duration::from_millis(20 + dice.roll(900));
        recoveries += usize::from(left >= wanted);
        while tokio::time::Instant::now() < end && left < wanted {
            firm.leave(left, &sound(left), "wav");
            left += 1;
            tokio::time::sleep(Duration::from_millis(5 + dice.roll(60))).await;
        }
        tokio::time::sleep_until(end).await;
        service.0.kill().unwrap();
        service.0.wait().unwrap();
        kills += 1;
    }
    kills
}

/// What the technician's phone shows in the end.
struct Phone {
    /// The loud alerts, by case number.
    alerts: HashMap<String, Vec<String>>,
    voices: usize,
}

impl Phone {
    fn of(firm: &Firm) -> Self {
        let mut phone = Self { alerts: HashMap::new(), voices: 0 };
        for message in firm.bot.messages(ANNA) {
            phone.voices += usize::from(message.file.is_some());
            let case = message.text.split("Vorgang ").nth(1).and_then(|rest| rest.split_whitespace().next());
            if let (false, Some(case)) = (message.silent, case) {
                phone.alerts.entry(case.to_owned()).or_default().push(message.text.clone());
            }
        }
        phone
    }

    /// How many alerts more than rings a case shows; each of them must say that it may be a repeat (I5).
    fn repeats(&self, case: &Case) -> usize {
        let told = self.alerts.get(&case.id.to_string()).unwrap_or_else(|| panic!("case {} was never told", case.id));
        let unmarked = told.iter().filter(|text| !text.contains("(Wiederholung möglich)")).count();
        let rings = usize::try_from(case.progress.rings).unwrap();
        assert!(unmarked <= rings, "I5: {unmarked} unmarked alerts for {rings} rings of case {}", case.id);
        told.len().saturating_sub(rings)
    }
}

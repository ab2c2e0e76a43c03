//! Every press is answered within a second, whatever else goes on: measured where the answer arrives.

use crate::fake_bot::{Call, Fault};
use crate::world::{ANNA, BERND, EMERGENCY, World};
use nachtwache::acknowledge::telegram::{Listener, PATIENCE};
use nachtwache::domain::case::CaseState;
use nachtwache::domain::report::ReportId;
use nachtwache::runtime::lifecycle::Lifecycle;
use nachtwache::runtime::status::Status;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
const UNDER_WAY: &str = "Wird bearbeitet …";

/// A night with one open emergency and a listener as the service runs it.
struct Night {
    world: World,
    report: ReportId,
    lifecycle: Lifecycle,
}

impl Drop for Night {
    fn drop(&mut self) {
        self.lifecycle.abort();
    }
}

impl Night {
    async fn begin() -> Self {
        let mut world = World::night().await;
        let report = world.hear(EMERGENCY).await;
        let lifecycle = Lifecycle::default();
        let listener = Listener { desk: world.answers(), bot: world.wire(), patience: PATIENCE };
        lifecycle.spawn("listener".into(), listener.run(Status::default(), lifecycle.clone()));
        assert!(world.bot.wait_until(|bot| bot.called("getUpdates") > 0).await, "nobody listens");
        Self { world, report, lifecycle }
    }

    /// A press on a button of this case.
    async fn press(&self, act: &str, user: i64) -> (String, Instant) {
        let case = self.world.case(self.report).await.unwrap().id;
        let message = self.world.phone(ANNA).last().unwrap().id;
        let pressed = Instant::now();
        (self.world.bot.press_forged(user, message, &format!("{act}:{case}"), user), pressed)
    }

    /// The first answer to a press, which must have come within a second.
    async fn answered_in_time(&self, (callback, pressed): &(String, Instant)) -> Call {
        let answers = |call: &Call| call.callback.as_deref() == Some(callback);
        assert!(self.world.bot.wait_until(|bot| bot.calls().iter().any(answers)).await, "no answer");
        let answer = self.world.bot.calls().into_iter().find(answers).unwrap();
        let took = answer.at - *pressed;
        assert!(took < SECOND, "{took:?}: {answer:?}");
        answer
    }

    async fn said(&self, press: &(String, Instant)) -> String {
        self.answered_in_time(press).await.text.unwrap_or_default()
    }
}

#[tokio::test]
async fn an_answer_that_hangs_delays_no_other() {
    let night = Night::begin().await;
    night.world.bot.fail_next("answerCallbackQuery", Fault::Hang);
    let hangs = night.press("take", ANNA).await;
    assert_eq!(night.said(&hangs).await, "Du hast übernommen. Wann rufst du zurück?");
    for _ in 0..3 {
        let next = night.press("take", BERND).await;
        assert_ne!(night.said(&next).await, UNDER_WAY, "the act itself was quick");
    }
    let again = |call: &Call| call.callback.as_deref() == Some(&hangs.0) && call.status == 200;
    assert!(night.world.bot.wait_until(|bot| bot.calls().iter().any(again)).await, "it is said once more");
    assert_eq!(night.world.case(night.report).await.unwrap().taken_by.as_deref(), Some("Anna"));
}

#[tokio::test]
async fn every_answer_may_fail_and_the_acts_stand() {
    let night = Night::begin().await;
    night.world.bot.fail_always("answerCallbackQuery", Fault::Hang);
    for act in ["take", "called", "back"] {
        let press = night.press(act, ANNA).await;
        night.answered_in_time(&press).await;
    }
    night.world.bot.heal();
    let last = night.press("take", BERND).await;
    night.answered_in_time(&last).await;
    assert_eq!(night.world.case(night.report).await.unwrap().taken_by.as_deref(), Some("Bernd"));
}

#[tokio::test]
async fn a_busy_store_delays_the_act_and_not_the_answer() {
    let night = Night::begin().await;
    let writer = night.world.store.begin().await.unwrap();
    let first = night.press("take", ANNA).await;
    assert_eq!(night.said(&first).await, UNDER_WAY);
    let second = night.press("take", BERND).await;
    assert_eq!(night.said(&second).await, UNDER_WAY, "heard although the first one is not done");
    assert_eq!(night.world.case(night.report).await.unwrap().state, CaseState::Open);
    let last = night.press("nonsense", ANNA).await;
    drop(writer);
    night.said(&last).await;
    // dealt with in order: what came behind them is answered by what came of it
    let behind = night.press("called", ANNA).await;
    assert_eq!(night.said(&behind).await, "Rückruf vermerkt.");
    let case = night.world.case(night.report).await.unwrap();
    assert_eq!((case.state, case.taken_by.as_deref()), (CaseState::Taken, Some("Anna")));
}

#[tokio::test]
async fn a_store_that_refuses_loses_no_press() {
    let night = Night::begin().await;
    night.world.sql("ALTER TABLE cases RENAME TO lost").await;
    let message = night.world.phone(ANNA).last().unwrap().id;
    for user in [ANNA, BERND] {
        let pressed = Instant::now();
        let press = (night.world.bot.press_forged(user, message, "take:1001", user), pressed);
        assert_eq!(night.said(&press).await, UNDER_WAY);
    }
    night.world.sql("ALTER TABLE lost RENAME TO cases").await;
    let confirmed = || async {
        let polls = night.world.bot.calls_of("getUpdates").len();
        night.world.bot.wait_until(|bot| bot.called("getUpdates") > polls).await
    };
    while night.world.case(night.report).await.unwrap().state == CaseState::Open {
        assert!(confirmed().await, "the listener went silent");
    }
    assert_eq!(night.world.case(night.report).await.unwrap().taken_by.as_deref(), Some("Anna"));
}

#[tokio::test]
async fn a_press_counts_where_it_cannot_be_written_down_that_telegram_answers() {
    let night = Night::begin().await;
    night.world.sql("ALTER TABLE paths RENAME TO lost").await;
    night.world.clock.advance(chrono::TimeDelta::seconds(20));
    let press = night.press("take", ANNA).await;
    assert_eq!(night.said(&press).await, "Du hast übernommen. Wann rufst du zurück?");
}

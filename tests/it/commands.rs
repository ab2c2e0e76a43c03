//! What technicians ask for in Telegram, and how a phone becomes theirs: told as they see it.

use crate::fake_bot::Shown;
use crate::world::{ANNA, BERND, EMERGENCY, MORNING, NIGHT, OFFICE, World};
use chrono::TimeDelta;
use nachtwache::acknowledge::commands::{SwapStep, name_commands};
use nachtwache::acknowledge::telegram::Listener;
use nachtwache::domain::account::{Account, Role, Session, SessionStage};
use nachtwache::domain::act::Act;
use nachtwache::domain::case::CaseId;
use nachtwache::domain::notice::NoticeKind;
use nachtwache::runtime::clock::Clock as _;
use nachtwache::runtime::lifecycle::Lifecycle;
use nachtwache::runtime::status::Status;
use nachtwache::runtime::worker::{Round, Step as _};
use nachtwache::store::accounts::{self, Purpose};
use nachtwache::store::roster::ChangeState;
use nachtwache::store::{marks, notices, phones, roster, sessions};
use nachtwache::wording::commands::{Listed, open_cases};
use std::time::Duration;

const STRANGER: i64 = 777;
const NEW_PHONE: i64 = 201;
pub(crate) const CODE: &str = "ABCD-EFGH-2345";
/// Anna has the week of the night, Bernd the next one.
const WEEKS: &str = "[[roster.rotations]]\ntechnicians = [\"Anna\", \"Bernd\"]\nbegins = \"2026-11-16 08:00\"\n";

impl World {
    async fn heard(&self) -> i64 {
        let offset = marks::find(&mut self.store.read().await.unwrap(), "telegram.offset").await.unwrap();
        offset.unwrap_or(0).max(1)
    }

    /// People write one after the other, and everything that follows is done.
    async fn write_all(&self, texts: &[(i64, i64, &str)]) {
        let until = self.heard().await + i64::try_from(texts.len()).unwrap();
        for (chat, user, text) in texts {
            self.bot.text_from(*chat, *user, text);
        }
        self.listen_until(until).await;
    }

    async fn listen_until(&self, until: i64) {
        let lifecycle = Lifecycle::default();
        let listener = Listener { desk: self.answers(), bot: self.wire(), patience: Duration::from_secs(10) };
        lifecycle.spawn("listener".into(), listener.run(Status::default(), lifecycle.clone()));
        while self.heard().await < until {
            let polls = self.bot.calls_of("getUpdates").len();
            assert!(self.bot.wait_until(|bot| bot.called("getUpdates") > polls).await, "the listener went silent");
        }
        lifecycle.abort();
        self.settle().await;
    }

    /// Somebody writes in private; what his phone shows last.
    pub(crate) async fn write(&self, user: i64, text: &str) -> String {
        self.write_all(&[(user, user, text)]).await;
        self.last(user).text
    }

    fn last(&self, chat: i64) -> Shown {
        self.phone(chat).pop().unwrap_or_else(|| panic!("nothing on the phone {chat}"))
    }

    pub(crate) async fn invite(&self, name: &str) {
        let now = self.clock.now();
        let mut tx = self.store.begin().await.unwrap();
        let code = CODE.replace('-', "");
        phones::invite(&mut tx, name, &code, now, now + chrono::TimeDelta::hours(24)).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn lapse(&self) {
        let mut step = SwapStep { desk: self.answers() };
        while step.tick().await.unwrap() == Round::Worked {}
        self.settle().await;
    }

    async fn changes(&self) -> Vec<ChangeState> {
        let mut reader = self.store.read().await.unwrap();
        let all = roster::list(&mut reader, "2026-01-01T00:00:00Z".parse().unwrap()).await.unwrap();
        all.into_iter().map(|one| one.state).collect()
    }

    async fn on_duty(&self, at: &str) -> String {
        let mut reader = self.store.read().await.unwrap();
        let plan = self.roster.plan(&mut reader, self.clock.now()).await.unwrap();
        plan.at(at.parse().unwrap()).order.join(" ")
    }
}

fn labels(shown: &Shown) -> Vec<&str> {
    shown.buttons.iter().flatten().map(|key| key.label.as_str()).collect()
}

// ── pairing ──

#[tokio::test]
async fn a_phone_becomes_annas_by_her_code_and_her_alarms_go_there() {
    let mut world = World::night().await;
    world.invite("Anna").await;
    let said = world.write(NEW_PHONE, "/start abcd efgh 2345").await;
    assert!(said.starts_with("✅ Hallo Anna, dein Telefon ist verbunden."), "{said}");
    let office = world.last(OFFICE);
    assert!(office.silent && office.text.contains("Anna hat ein Telefon"), "{office:?}");
    assert!(world.last(ANNA).text.contains("gehen jetzt an ein anderes Telefon"));
    let rings = world.rings(ANNA);
    world.hear(EMERGENCY).await;
    assert_eq!((world.rings(NEW_PHONE), world.rings(ANNA)), (1, rings), "instead of the chat in the settings");
    let said = world.press(NEW_PHONE, "Übernehmen", NEW_PHONE).await;
    assert!(said.unwrap().starts_with("Du hast übernommen"));
}

#[tokio::test]
async fn a_phone_that_is_no_longer_annas_is_left_alone() {
    let mut world = World::night().await;
    let report = world.hear(EMERGENCY).await;
    world.invite("Anna").await;
    world.write(NEW_PHONE, "/start abcd efgh 2345").await;
    let texts = |world: &World| world.phone(ANNA).into_iter().map(|shown| shown.text).collect::<Vec<_>>();
    let left = texts(&world);
    for _ in 0..15 {
        world.after(1).await;
    }
    assert!(world.rings(NEW_PHONE) > 0, "the open case rings the new phone");
    let case = world.case(report).await.unwrap().id;
    world.act("Bernd", Act::Take, case).await;
    world.settle().await;
    assert_eq!(texts(&world), left);
}

#[tokio::test]
async fn a_code_works_once() {
    let world = World::night().await;
    world.invite("Anna").await;
    world.write(NEW_PHONE, &format!("/start {CODE}")).await;
    let said = world.write(STRANGER, &format!("/start {CODE}")).await;
    assert_eq!(said, "Dieser Code gilt nicht\nBitte lass dir im Büro einen neuen geben.");
}

#[tokio::test]
async fn a_wrong_code_and_an_old_one_are_refused_in_the_same_words() {
    let world = World::night().await;
    world.invite("Anna").await;
    let wrong = world.write(STRANGER, "/start ABCD-EFGH-2346").await;
    world.clock.advance(chrono::TimeDelta::hours(25));
    let old = world.write(STRANGER, &format!("/start {CODE}")).await;
    assert_eq!(wrong, old);
    assert!(phones::all(&mut world.store.read().await.unwrap()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_code_in_a_group_is_refused_and_used_up() {
    let world = World::night().await;
    world.invite("Anna").await;
    let text = format!("/start@nachtwache_bot {CODE}");
    world.write_all(&[(OFFICE, STRANGER, &text)]).await;
    assert!(world.last(OFFICE).text.starts_with("Bitte im privaten Chat mit mir"));
    let said = world.write(STRANGER, &format!("/start {CODE}")).await;
    assert!(said.starts_with("Dieser Code gilt nicht"), "{said}");
}

#[tokio::test]
async fn a_phone_of_a_colleague_is_not_taken_from_him_and_the_code_stays() {
    let world = World::night().await;
    world.invite("Anna").await;
    let said = world.write(BERND, &format!("/start {CODE}")).await;
    assert!(said.starts_with("Dieses Telefon gehört schon zu Bernd\n"), "{said}");
    let said = world.write(NEW_PHONE, &format!("/start {CODE}")).await;
    assert!(said.starts_with("✅ Hallo Anna"), "{said}");
}

#[tokio::test]
async fn after_five_codes_nobody_is_listened_to_for_an_hour() {
    let world = World::night().await;
    world.invite("Anna").await;
    let right = format!("/start {CODE}");
    let mut texts: Vec<(i64, i64, &str)> = vec![(STRANGER, STRANGER, "/start WRONG-CODE"); 5];
    texts.extend([(STRANGER, STRANGER, right.as_str()); 9]);
    world.write_all(&texts).await;
    let said: Vec<String> = world.phone(STRANGER).into_iter().map(|shown| shown.text).collect();
    assert_eq!(said.len(), 10, "then it is silent: {said:?}");
    assert!(said[..5].iter().all(|text| text.starts_with("Dieser Code gilt nicht")), "{said:?}");
    assert!(said[5..].iter().all(|text| text.starts_with("Zu viele Versuche")), "{said:?}");
    assert!(phones::all(&mut world.store.read().await.unwrap()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_stranger_learns_how_to_be_invited_and_nothing_else() {
    let mut world = World::night().await;
    world.hear(EMERGENCY).await;
    for text in ["/start", "/offen", "/dienst", "/test", "/pause", "hallo?"] {
        world.write(STRANGER, text).await;
    }
    let shown = world.phone(STRANGER);
    assert!(!shown.is_empty());
    assert!(shown.iter().all(|one| one.text.starts_with("Hier melden sich nur Techniker")), "{shown:?}");
    assert!(world.changes().await.is_empty());
}

// ── asking ──

#[tokio::test]
async fn telegram_is_told_the_commands_again_until_it_knows_them() {
    let world = World::night().await;
    world.bot.fail_next("setMyCommands", crate::fake_bot::Fault::BadGatewayHtml);
    let lifecycle = Lifecycle::default();
    lifecycle.spawn("commands".into(), name_commands(world.wire(), false, lifecycle.clone()));
    assert!(world.bot.wait_until(|bot| bot.called("setMyCommands") > 1).await);
    assert!(!lifecycle.is_stopping());
    lifecycle.abort();
    let names: Vec<String> = world.bot.commands().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["dienst", "offen", "pause", "tausch", "test", "hilfe"]);
}

#[tokio::test]
async fn help_is_short_and_anything_unknown_leads_there() {
    let world = World::night().await;
    let help = world.write(ANNA, "/hilfe").await;
    assert!(help.starts_with("Hallo Anna") && help.contains("/tausch – Dienst abgeben"), "{help}");
    assert_eq!(help, world.write(ANNA, "/start").await);
    for odd in ["/alarm", "was ist los?"] {
        assert!(world.write(ANNA, odd).await.starts_with("Das habe ich nicht verstanden\n"), "{odd}");
    }
    let before = world.phone(OFFICE).len();
    world.write_all(&[(OFFICE, ANNA, "Moin zusammen"), (OFFICE, ANNA, "/wetter")]).await;
    assert_eq!(world.phone(OFFICE).len(), before, "what people say to each other is none of our business");
    world.write_all(&[(OFFICE, ANNA, "/offen")]).await;
    assert!(world.last(OFFICE).text.starts_with("Bitte im privaten Chat mit mir"));
}

#[tokio::test]
async fn who_is_on_duty_and_when_it_is_my_turn() {
    let world = World::at(NIGHT, None, WEEKS).await;
    assert_eq!(
        world.write(BERND, "/dienst").await,
        "📅 Dienst hat Anna\nVertretung: Bernd (du)\nWechsel: Mo 23.11. 08:00, dann Bernd\n\n\
         Dein nächster Dienst:\nMo 23.11. 08:00 – Mo 30.11. 08:00"
    );
    assert!(world.write(ANNA, "/dienst").await.starts_with("📅 Dienst hat Anna (du)\nVertretung: Bernd\n"));
}

#[tokio::test]
async fn a_gap_is_said() {
    let more = "[roster]\nlast_resort = [\"everyone\", \"office\"]\n\
                [[roster.entries]]\ntechnician = \"Anna\"\nfrom = \"2026-11-23 08:00\"\nuntil = \"2026-11-24 08:00\"\n";
    let world = World::at(NIGHT, None, more).await;
    let said = world.write(BERND, "/dienst").await;
    assert_eq!(
        said,
        "⚠ Niemand hat Dienst\nGerufen wird: alle, das Büro\nWechsel: Mo 23.11. 08:00, dann Anna\n\nDu bist nicht eingeteilt."
    );
}

#[tokio::test]
async fn the_open_cases_are_listed_and_taken_from_the_list() {
    let mut world = World::night().await;
    assert_eq!(world.write(BERND, "/offen").await, "✅ Kein Vorgang ist offen.");
    let report = world.hear(EMERGENCY).await;
    let id = world.case(report).await.unwrap().id;
    let said = world.write(BERND, "/offen").await;
    assert_eq!(
        said,
        format!(
            "📋 1 offener Vorgang\n\nVorgang {id} · 🚨 bestätigt\nseit Sa 21.11. 22:14 · niemand hat ihn\n\
             🏢 Rossmeisl Elektrotechnik\n📞 +491713920020"
        )
    );
    assert_eq!(labels(&world.last(BERND)), [format!("{id} zeigen"), format!("{id} übernehmen")]);
    let alerts = world.phone(BERND).len();
    world.press(BERND, &format!("{id} zeigen"), BERND).await;
    assert!(world.phone(BERND).len() > alerts + 1, "the alert and the recording");
    let list = world.phone(BERND).into_iter().find(|shown| shown.text == said).unwrap().id;
    let answer = world.press_on(BERND, list, &format!("{id} übernehmen"), BERND).await;
    assert!(answer.unwrap().starts_with("Du hast übernommen"));
    assert!(world.write(ANNA, "/offen").await.contains("· bei Bernd"));
    assert!(world.write(BERND, "/offen").await.contains("· bei dir"));
    assert_eq!(labels(&world.last(BERND)), [format!("{id} zeigen")]);
    world.act("Bernd", Act::Done, id).await;
    assert_eq!(world.write(ANNA, "/offen").await, "✅ Kein Vorgang ist offen.");
}

#[tokio::test]
async fn the_longest_list_fits_into_a_message() {
    let mut world = World::night().await;
    let report = world.hear(EMERGENCY).await;
    let mut case = world.case(report).await.unwrap();
    case.id = CaseId(1_000_000);
    case.taken_by = Some("Ä".repeat(20));
    case.state = nachtwache::domain::case::CaseState::Taken;
    let listed = Listed { case, firm: Some("🏢<b>ß".repeat(750)), number: Some("9".repeat(300)) };
    let text = open_cases(&vec![listed; 20], 100_000, "Anna", chrono_tz::Europe::Berlin);
    let units = text.encode_utf16().count();
    assert!(units <= 4096, "{units}");
}

#[tokio::test]
async fn where_telegram_is_to_see_little_the_list_says_little() {
    let mut world = World::at(NIGHT, None, "").await;
    let mut settings = (*world.settings).clone();
    settings.telegram.view = nachtwache::config::View::Minimal;
    world.settings = std::sync::Arc::new(settings);
    world.hear(EMERGENCY).await;
    let said = world.write(ANNA, "/offen").await;
    assert!(said.contains("🚨 bestätigt") && !said.contains("Rossmeisl") && !said.contains("+49"), "{said}");
}

// ── the test alarm ──

#[tokio::test]
async fn a_test_alarm_rings_by_every_way_and_says_how_long_it_took() {
    let carla = "[smtp]\nhost = \"127.0.0.1\"\nfrom = \"a@firma.example\"\n\
                 [[channels]]\nkind = \"mail\"\nname = \"carla-mail\"\nto = \"carla@firma.example\"\n\
                 [[technicians]]\nname = \"Carla\"\ntelegram_chat = 103\nchannels = [\"carla-mail\"]\n";
    let world = World::at(NIGHT, None, carla).await;
    let said = world.write(103, "/test").await;
    assert!(said.starts_with("🔔 PROBEALARM für Carla"), "{said}");
    assert_eq!(world.rings(103), 1);
    let planned = notices::all(&mut world.store.read().await.unwrap()).await.unwrap();
    let ways: Vec<Option<&str>> = planned
        .iter()
        .filter(|notice| notice.kind == NoticeKind::Test && notice.loud)
        .map(|notice| notice.channel.as_deref())
        .collect();
    assert_eq!(ways, [None, Some("carla-mail")]);
    assert!(world.write(103, "/test").await.contains("Der letzte Probealarm ist keine Minute her."));
    world.clock.advance(chrono::TimeDelta::seconds(4));
    let answer = world.press(103, "Angekommen", 103).await;
    assert_eq!(answer.as_deref(), Some("✅ Probealarm angekommen nach 4 s"));
    let alarm = &world.phone(103)[0];
    assert_eq!((alarm.text.as_str(), alarm.buttons.len()), ("✅ Probealarm angekommen nach 4 s", 0));
    world.clock.advance(chrono::TimeDelta::minutes(2));
    assert!(world.write(103, "/test").await.starts_with("🔔 PROBEALARM"));
}

// ── pausing ──

#[tokio::test]
async fn whoever_pauses_is_not_rung_and_the_colleague_knows_that_he_is() {
    let mut world = World::at(NIGHT, None, WEEKS).await;
    world.write(ANNA, "/pause").await;
    assert_eq!(labels(&world.last(ANNA)), ["1 h", "2 h", "4 h", "bis 8:00"]);
    let answer = world.press(ANNA, "2 h", ANNA).await;
    assert_eq!(answer.as_deref(), Some("⏸ Du pausierst bis So 22.11. 00:14."));
    let mine = world.last(ANNA);
    assert!(mine.text.contains("Dienst hat Bernd."), "{mine:?}");
    assert_eq!(labels(&mine), ["Pause beenden"]);
    let told = world.last(BERND);
    assert!(!told.silent, "it is night, and it begins now");
    assert_eq!(told.text, "⏸ Anna macht Pause, du hast Dienst\nSa 21.11. 22:14 – So 22.11. 00:14");
    let office = world.last(OFFICE);
    assert!(office.silent && office.text == "⏸ Anna macht Pause bis So 22.11. 00:14.", "{office:?}");
    let rings = (world.rings(ANNA), world.rings(BERND));
    world.hear(EMERGENCY).await;
    assert_eq!((world.rings(ANNA), world.rings(BERND)), (rings.0, rings.1 + 1));
    assert!(world.write(ANNA, "/dienst").await.ends_with("⏸ Du pausierst bis So 22.11. 00:14."));
    world.press(ANNA, "Pause beenden", ANNA).await;
    assert!(world.on_duty("2026-11-21T21:30:00Z").await.starts_with("Anna"));
    assert_eq!(world.last(OFFICE).text, "▶ Anna hat die Pause beendet.");
}

#[tokio::test]
async fn a_pause_by_day_or_until_the_morning_wakes_nobody() {
    let world = World::at(MORNING, None, "").await;
    world.write(ANNA, "/pause").await;
    world.press(ANNA, "bis 8:00", ANNA).await;
    assert!(world.last(ANNA).text.starts_with("⏸ Du pausierst bis Di 24.11. 08:00."), "{:?}", world.last(ANNA));
    assert!(world.last(BERND).silent);
    world.write(ANNA, "/pause").await;
    assert!(labels(&world.last(ANNA)).contains(&"Pause beenden"));
}

#[tokio::test]
async fn a_pause_that_would_leave_nobody_is_refused() {
    let world = World::at(NIGHT, None, "").await;
    world.write(BERND, "/pause").await;
    world.press(BERND, "4 h", BERND).await;
    world.write(ANNA, "/pause").await;
    let answer = world.press(ANNA, "1 h", ANNA).await;
    assert_eq!(answer.as_deref(), Some("Das geht nicht: ab Sa 21.11. 22:14 hätte niemand Dienst."));
    assert!(world.last(ANNA).text.contains("/tausch"));
    assert_eq!(world.changes().await.len(), 1);
    assert_eq!(world.on_duty("2026-11-21T21:30:00Z").await, "Anna");
}

#[tokio::test]
async fn a_new_choice_while_somebody_pauses_replaces_the_end() {
    let world = World::at(NIGHT, None, WEEKS).await;
    world.write(ANNA, "/pause").await;
    world.press(ANNA, "4 h", ANNA).await;
    world.write(ANNA, "/pause").await;
    assert!(world.last(ANNA).text.ends_with("Neues Ende ab jetzt, oder beenden?"), "{:?}", world.last(ANNA));
    let answer = world.press(ANNA, "1 h", ANNA).await;
    assert_eq!(answer.as_deref(), Some("⏸ Du pausierst bis Sa 21.11. 23:14."));
    assert!(world.last(BERND).silent, "he has duty already");
    assert!(world.on_duty("2026-11-21T22:00:00Z").await.starts_with("Bernd"));
    assert!(world.on_duty("2026-11-21T22:30:00Z").await.starts_with("Anna"));
}

#[tokio::test]
async fn a_colleague_whom_nothing_reaches_covers_nobody() {
    let world = World::at(NIGHT, None, "[[technicians]]\nname = \"Carla\"\n").await;
    world.write(BERND, "/pause").await;
    world.press(BERND, "4 h", BERND).await;
    world.write(ANNA, "/pause").await;
    let answer = world.press(ANNA, "1 h", ANNA).await;
    assert_eq!(answer.as_deref(), Some("Das geht nicht: ab Sa 21.11. 22:14 hätte niemand Dienst."));
}

// ── swapping ──

const BERNDS_WEEK: &str = "Mo 23.11. 08:00 – Mo 30.11. 08:00";

/// Bernd asks Anna to take his week.
async fn asked() -> World {
    asked_in(World::at(NIGHT, None, WEEKS).await).await
}

async fn asked_in(world: World) -> World {
    world.write(BERND, "/tausch").await;
    assert_eq!(labels(&world.last(BERND)), [BERNDS_WEEK, "Mo 07.12. 08:00 – Mo 14.12. 08:00"]);
    world.press(BERND, BERNDS_WEEK, BERND).await;
    assert_eq!(labels(&world.last(BERND)), ["Anna"]);
    world.press(BERND, "Anna", BERND).await;
    let asking = world.last(BERND);
    assert!(asking.text.starts_with("🔁 Anna ist gefragt\nMo 23.11. 08:00"), "{asking:?}");
    assert_eq!(labels(&asking), ["Zurückziehen"]);
    let request = world.last(ANNA);
    assert_eq!(request.text, format!("🔁 Bernd fragt: Übernimmst du den Dienst?\n{BERNDS_WEEK}"));
    assert_eq!((request.silent, labels(&request)), (false, vec!["Annehmen", "Ablehnen"]));
    assert!(world.on_duty("2026-11-25T21:00:00Z").await.starts_with("Bernd"), "nothing counts before the answer");
    world
}

#[tokio::test]
async fn an_accepted_swap_counts_and_everybody_knows() {
    let world = asked().await;
    world.press(ANNA, "Annehmen", ANNA).await;
    assert!(world.on_duty("2026-11-25T21:00:00Z").await.starts_with("Anna"));
    assert_eq!(world.last(ANNA).text, format!("✅ Du hast den Dienst von Bernd übernommen\n{BERNDS_WEEK}"));
    assert!(world.last(ANNA).buttons.is_empty());
    assert_eq!(world.last(BERND).text, format!("✅ Anna hat deinen Dienst übernommen\n{BERNDS_WEEK}"));
    let office = world.last(OFFICE);
    assert!(office.silent && office.text.starts_with("🔁 Anna übernimmt den Dienst von Bernd"), "{office:?}");
    assert!(world.phone(BERND).iter().all(|shown| !labels(shown).contains(&"Zurückziehen")));
}

#[tokio::test]
async fn a_refused_swap_leaves_the_shift_and_the_asker_hears_it() {
    let world = asked().await;
    world.press(ANNA, "Ablehnen", ANNA).await;
    assert!(world.on_duty("2026-11-25T21:00:00Z").await.starts_with("Bernd"));
    let told = world.last(BERND);
    assert!(!told.silent && told.text.starts_with("❌ Anna übernimmt nicht, du behältst den Dienst"), "{told:?}");
    assert_eq!(world.changes().await, [ChangeState::Refused]);
}

#[tokio::test]
async fn a_swap_that_nobody_answers_is_over_after_a_day() {
    let world = asked().await;
    let request = world.last(ANNA).id;
    world.clock.advance(chrono::TimeDelta::hours(23));
    world.lapse().await;
    assert_eq!(world.changes().await, [ChangeState::Asked]);
    world.clock.advance(chrono::TimeDelta::hours(1));
    // too late even before it is noticed
    let answer = world.press_on(ANNA, request, "Annehmen", ANNA).await;
    assert_eq!(answer.as_deref(), Some("Das ist schon entschieden oder zu spät."));
    world.lapse().await;
    assert_eq!(world.changes().await, [ChangeState::Lapsed]);
    assert!(world.last(BERND).text.starts_with("⌛ Anna hat nicht geantwortet, du behältst den Dienst"));
    assert!(world.last(ANNA).text.starts_with("Abgelaufen"));
    assert!(world.on_duty("2026-11-25T21:00:00Z").await.starts_with("Bernd"));
}

#[tokio::test]
async fn a_swap_can_be_taken_back_until_it_is_answered() {
    let world = asked().await;
    world.press(BERND, "Zurückziehen", BERND).await;
    assert_eq!(world.changes().await, [ChangeState::Withdrawn]);
    let request = world.last(ANNA);
    assert!(request.text.starts_with("Zurückgezogen: Bernd behält den Dienst") && request.buttons.is_empty());
}

#[tokio::test]
async fn the_same_on_postgresql() {
    let world = asked_in(World::at(NIGHT, Some(crate::postgres::url()), WEEKS).await).await;
    world.press(ANNA, "Annehmen", ANNA).await;
    world.write(BERND, "/tausch").await;
    world.press(BERND, "Mo 07.12. 08:00 – Mo 14.12. 08:00", BERND).await;
    world.press(BERND, "Anna", BERND).await;
    world.write(BERND, "/pause").await;
    world.press(BERND, "1 h", BERND).await;
    world.press(BERND, "Pause beenden", BERND).await;
    world.clock.advance(chrono::TimeDelta::hours(24));
    world.lapse().await;
    assert_eq!(world.changes().await, [ChangeState::Active, ChangeState::Lapsed, ChangeState::Active]);
    assert!(world.write(ANNA, "/test").await.starts_with("🔔 PROBEALARM"));
    assert!(world.press(ANNA, "Angekommen", ANNA).await.unwrap().starts_with("✅ Probealarm angekommen nach 0 s"));
    world.invite("Anna").await;
    assert!(world.write(NEW_PHONE, &format!("/start {CODE}")).await.starts_with("✅ Hallo Anna"));
}

#[tokio::test]
async fn of_two_who_were_asked_the_first_one_to_agree_has_it() {
    let carla = "[[technicians]]\nname = \"Carla\"\ntelegram_chat = 103\n";
    let world = World::at(NIGHT, None, &format!("{carla}{WEEKS}")).await;
    for name in ["Anna", "Carla"] {
        world.write(BERND, "/tausch").await;
        world.press(BERND, BERNDS_WEEK, BERND).await;
        world.press(BERND, name, BERND).await;
    }
    world.press(103, "Annehmen", 103).await;
    let answer = world.press(ANNA, "Annehmen", ANNA).await;
    assert_eq!(answer.as_deref(), Some("Das ist schon entschieden oder zu spät."));
    assert!(world.on_duty("2026-11-25T21:00:00Z").await.starts_with("Carla"));
}

#[tokio::test]
async fn a_button_pressed_twice_counts_once() {
    let world = World::at(NIGHT, None, WEEKS).await;
    world.write(ANNA, "/pause").await;
    world.write(BERND, "/tausch").await;
    world.press(BERND, BERNDS_WEEK, BERND).await;
    let (pause, swap) = (world.last(ANNA).id, world.last(BERND).id);
    let two_hours = world.last(ANNA).buttons[0][1].data.clone();
    let anna = world.last(BERND).buttons[0][0].data.clone();
    world.press(ANNA, "2 h", ANNA).await;
    world.press(BERND, "Anna", BERND).await;
    for (user, message, data) in [(ANNA, pause, two_hours), (BERND, swap, anna)] {
        let until = world.heard().await + 1;
        world.bot.press_forged(user, message, &data, user);
        world.listen_until(until).await;
    }
    assert_eq!(world.changes().await, [ChangeState::Active, ChangeState::Asked]);
}

#[tokio::test]
async fn only_the_one_who_was_asked_can_accept() {
    let world = asked().await;
    let accept = world.last(ANNA).buttons[0][0].data.clone();
    let lifecycle = Lifecycle::default();
    let listener = Listener { desk: world.answers(), bot: world.wire(), patience: Duration::from_secs(10) };
    lifecycle.spawn("listener".into(), listener.run(Status::default(), lifecycle.clone()));
    for (user, said) in [(STRANGER, "Dafür bist du nicht freigeschaltet."), (BERND, "Diese Anfrage ist nicht an dich.")]
    {
        let press = world.bot.press_forged(user, 1, &accept, user);
        let answers = |call: &crate::fake_bot::Call| call.callback.as_deref() == Some(&press) && call.status == 200;
        assert!(world.bot.wait_until(|bot| bot.calls().iter().any(answers)).await, "no answer");
        let answer = world.bot.calls().into_iter().find(answers).unwrap().text;
        assert_eq!(answer.as_deref(), Some(said));
    }
    lifecycle.abort();
    assert_eq!(world.changes().await, [ChangeState::Asked]);
}

#[tokio::test]
async fn somebody_who_is_away_then_is_not_asked_and_cannot_accept() {
    let away = "[[roster.absences]]\ntechnician = \"Anna\"\nfrom = \"2026-11-25\"\nuntil = \"2026-11-26\"\n";
    let world = World::at(NIGHT, None, &format!("{WEEKS}{away}")).await;
    world.write(BERND, "/tausch").await;
    world.press(BERND, BERNDS_WEEK, BERND).await;
    let menu = world.last(BERND);
    assert!(menu.text.ends_with("In dieser Zeit kann niemand übernehmen.") && menu.buttons.is_empty(), "{menu:?}");
}

#[tokio::test]
async fn whoever_has_no_shift_has_none_to_give() {
    let world = World::at(NIGHT, None, "").await;
    assert_eq!(world.write(BERND, "/tausch").await, "Du hast in den nächsten vier Wochen keinen Dienst.");
    // without a rotation Anna always has duty: it is offered week by week
    world.write(ANNA, "/tausch").await;
    assert_eq!(labels(&world.last(ANNA))[0], "Sa 21.11. 22:14 – Sa 28.11. 22:14");
}

// ── the admin's commands ──

fn nachtwache(folder: &std::path::Path, words: &[&str]) -> (bool, String, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_nachtwache"))
        .arg("--config")
        .arg(folder.join("a.toml"))
        .args(words)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one phone, from the first code to its end")]
async fn the_admin_invites_lists_and_takes_off() {
    let bot = crate::fake_bot::FakeBot::start().await;
    let folder = tempfile::tempdir().unwrap();
    let settings = format!(
        "[store]\nfolder = \"{}\"\n[telegram]\ntoken = \"{}\"\napi_url = \"{}\"\n\
         [[technicians]]\nname = \"Anna\"\n[[technicians]]\nname = \"Bernd\"\ntelegram_chat = 102\n",
        folder.path().display(),
        bot.token(),
        bot.url()
    );
    std::fs::write(folder.path().join("a.toml"), settings).unwrap();
    let run = |words: &[&str]| nachtwache(folder.path(), words);

    let (ok, said, wrong) = run(&["technician", "invite", "anna", "--json"]);
    assert!(ok, "{wrong}");
    let invitation: serde_json::Value = serde_json::from_str(&said).unwrap();
    let code = invitation["code"].as_str().unwrap();
    assert_eq!((code.len(), invitation["technician"].as_str()), (14, Some("Anna")));
    let (_, said, _) = run(&["technician", "invite", "Anna"]);
    for line in ["Invitation for Anna, valid once, until", "open https://t.me/", "/start "] {
        assert!(said.contains(line), "{line} is missing in:\n{said}");
    }
    let (ok, _, wrong) = run(&["technician", "invite", "Zoe"]);
    assert!(!ok && wrong.contains("\"Zoe\" is no technician; known: Anna, Bernd"), "{wrong}");

    let (_, said, _) = run(&["technician", "list"]);
    assert!(said.contains("Anna   duty    NOT REACHED: invite") && said.contains("Bernd  backup  telegram"), "{said}");
    let store = nachtwache::store::Store::open(
        &format!("sqlite://{}/nachtwache.db", folder.path().display()),
        &folder.path().join("sound"),
    )
    .await
    .unwrap();
    let now = "2026-11-21T21:14:00Z".parse().unwrap();
    let mut tx = store.begin().await.unwrap();
    let stale = phones::use_invite(&mut tx, &code.replace('-', ""), now).await.unwrap();
    assert_eq!(stale, None, "a newer invitation takes the place of an older one");
    let phone = phones::Phone { technician: "Anna".into(), chat: 201, user: 201, paired_at: now };
    phones::pair(&mut tx, &phone).await.unwrap();
    let anna = Account::new("Anna", Role::Technician, Some("Anna".into()), now);
    accounts::add(&mut tx, &anna).await.unwrap();
    accounts::link(&mut tx, anna.id, Purpose::Enter, "link", now, now + TimeDelta::minutes(10)).await.unwrap();
    let session = Session {
        id: uuid::Uuid::now_v7(),
        account: anna.id,
        stage: SessionStage::Full,
        created_at: now,
        seen_at: now,
        proved_at: now,
        browser: String::new(),
        address: String::new(),
    };
    sessions::begin(&mut tx, &session, "token").await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    let (_, said, _) = run(&["technician", "list", "--json"]);
    let list: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&list[0]["paired"], &list[0]["ways"][0]), (&true.into(), &"telegram".into()));
    let (ok, said, _) = run(&["technician", "unpair", "Anna"]);
    assert!(ok && said.contains("Anna is not reached by Telegram now"), "{said}");
    let (ok, _, wrong) = run(&["technician", "unpair", "Anna"]);
    assert!(!ok && wrong.contains("no phone is paired with Anna"), "{wrong}");
    let store = nachtwache::store::Store::open(
        &format!("sqlite://{}/nachtwache.db", folder.path().display()),
        &folder.path().join("sound"),
    )
    .await
    .unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(sessions::of_token(&mut reader, "token").await.unwrap().map(|one| one.id), None, "she is out");
    let link = accounts::of_link(&mut reader, Purpose::Enter, "link", now).await.unwrap();
    assert_eq!(link.map(|id| id.0), None, "and her link is void");
}

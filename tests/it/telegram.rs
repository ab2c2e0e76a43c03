//! The Bot API as `nachtwache::telegram` speaks it, against a fake as strict as the real one.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nachtwache::telegram::{
    Bot, BotError, Button, Failure, Incoming, Limits, MessageId, Outgoing, Refusal, SendOptions, TEXT_MAX, What,
    escape, plain, shown_length, split,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::fake_bot::{FakeBot, Fault, Key, parsed};

const ANNA: i64 = 71;
const GROUP: i64 = -1001;

/// Short enough to run into on purpose, long enough for a loaded machine where nothing hangs.
const HASTY: Limits = Limits {
    connect: Duration::from_millis(500),
    text: Duration::from_secs(1),
    upload: Duration::from_secs(1),
    pace: false,
};

fn bot(fake: &FakeBot) -> Bot {
    let limits = Limits { pace: false, ..Limits::default() };
    Bot::with_limits(&fake.url(), fake.token().into(), false, limits).expect("the fake has a proper address and token")
}

fn hasty(url: &str, token: &str) -> Bot {
    Bot::with_limits(url, token.into(), false, HASTY).expect("a proper address and token")
}

fn buttons() -> Vec<Vec<Button>> {
    let button = |label: &str, data: &str| Button { label: label.into(), data: data.into() };
    vec![vec![button("Übernehmen", "take:1042"), button("Weitergeben", "pass:1042")], vec![button("Abschrift", "text")]]
}

fn labels(rows: &[Vec<Key>]) -> Vec<&str> {
    rows.iter().flatten().map(|key| key.label.as_str()).collect()
}

fn notice(html: &str) -> Outgoing {
    Outgoing { buttons: buttons(), ..Outgoing::new(ANNA, html) }
}

// ── what arrives ──

#[tokio::test]
async fn a_notice_is_shown_as_it_was_written() {
    let fake = FakeBot::start().await;
    let bot = bot(&fake);
    let first = bot.send(&Outgoing::new(ANNA, "eins")).await.unwrap();
    let html = format!("<b>NOTFALL</b> · {}", escape("Müller & <Söhne> https://example.org"));
    let message = Outgoing { silent: true, protect: true, reply_to: Some(first), ..notice(&html) };
    let id = bot.send(&message).await.unwrap();
    let shown = fake.messages(ANNA).pop().unwrap();
    assert_eq!((shown.id, shown.text.as_str()), (id.0, "NOTFALL · Müller & <Söhne> https://example.org"));
    assert!(shown.silent && shown.protect && shown.edits == 0 && shown.file.is_none());
    assert_eq!(shown.reply_to, Some(first.0));
    assert_eq!(labels(&shown.buttons), ["Übernehmen", "Weitergeben", "Abschrift"]);
    let call = fake.calls_of("sendMessage").pop().unwrap();
    assert!(call.silent && call.protect && !call.preview, "{call:?}");
    assert_eq!((call.chat, call.parse_mode.as_deref(), &call.buttons), (Some(ANNA), Some("HTML"), &shown.buttons));
    assert_eq!((call.text, call.status), (Some(html), 200));
}

#[tokio::test]
async fn an_answer_to_a_message_that_is_gone_is_sent_all_the_same() {
    let fake = FakeBot::start().await;
    bot(&fake).send(&Outgoing { reply_to: Some(MessageId(999)), ..notice("x") }).await.unwrap();
    assert_eq!(fake.messages(ANNA)[0].reply_to, None);
    assert_eq!(fake.calls()[0].reply_to, Some(999));
}

#[tokio::test]
async fn sound_arrives_as_a_voice_message_and_a_file_as_a_document() {
    let fake = FakeBot::start().await;
    let bot = bot(&fake);
    let voice = [b"OggS".as_slice(), &vec![7; 3_000_000]].concat();
    let options = SendOptions { buttons: buttons(), silent: true, reply_to: None, protect: true };
    let id = bot.send_voice(ANNA, voice.clone(), "<b>Vorgang</b> 1042", &options).await.unwrap();
    bot.send_document(ANNA, "abschrift.txt", b"hallo".to_vec(), "", &SendOptions::default()).await.unwrap();
    let shown = fake.messages(ANNA);
    let sound = shown[0].file.clone().unwrap();
    assert!(sound.voice && sound.bytes == voice && shown[0].silent && shown[0].protect);
    assert_eq!((shown[0].id, shown[0].text.as_str(), labels(&shown[0].buttons).len()), (id.0, "Vorgang 1042", 3));
    let file = shown[1].file.clone().unwrap();
    assert_eq!((file.name.as_str(), file.bytes.as_slice(), file.voice), ("abschrift.txt", b"hallo".as_slice(), false));
    assert!(!shown[1].silent);
    let call = &fake.calls()[0];
    assert_eq!((call.file_bytes, call.caption.as_deref()), (Some(3_000_004), Some("<b>Vorgang</b> 1042")));
}

#[tokio::test]
async fn who_takes_no_voice_messages_gets_a_document() {
    let fake = FakeBot::start().await;
    for fault in
        [Fault::VoiceForbidden, Fault::Refused(400, "Bad Request: not enough rights to send voice notes".into())]
    {
        fake.fail_next("sendVoice", fault);
        let options = SendOptions { buttons: buttons(), ..SendOptions::default() };
        bot(&fake).send_voice(ANNA, b"OggS".to_vec(), "Vorgang", &options).await.unwrap();
        let shown = fake.messages(ANNA).pop().unwrap();
        assert!(!shown.file.unwrap().voice);
        assert_eq!((shown.text.as_str(), labels(&shown.buttons).len()), ("Vorgang", 3));
    }
}

#[tokio::test]
async fn edits_replace_what_is_shown_and_nothing_new_is_a_success() {
    let fake = FakeBot::start().await;
    let bot = bot(&fake);
    let text = bot.send(&notice("offen")).await.unwrap();
    for _ in 0..2 {
        bot.edit_text(ANNA, text, "<b>übernommen</b>", &buttons()[1..]).await.unwrap();
    }
    for _ in 0..2 {
        bot.edit_buttons(ANNA, text, &[]).await.unwrap();
    }
    let voice = bot.send_voice(ANNA, b"OggS".to_vec(), "", &SendOptions::default()).await.unwrap();
    for _ in 0..2 {
        bot.edit_caption(ANNA, voice, "Vorgang &amp; Ende", &buttons()).await.unwrap();
    }
    let shown = fake.messages(ANNA);
    assert_eq!((shown[0].text.as_str(), shown[0].buttons.len(), shown[0].edits), ("übernommen", 0, 2));
    assert_eq!((shown[1].text.as_str(), shown[1].buttons.len(), shown[1].edits), ("Vorgang & Ende", 2, 1));
}

#[tokio::test]
async fn deleting_twice_is_a_success_and_editing_what_is_gone_is_not() {
    let fake = FakeBot::start().await;
    let bot = bot(&fake);
    let id = bot.send(&notice("offen")).await.unwrap();
    bot.delete(ANNA, id).await.unwrap();
    bot.delete(ANNA, id).await.unwrap();
    assert!(fake.messages(ANNA)[0].deleted);
    assert!(fake.calls_of("deleteMessage").iter().all(|call| call.message == Some(id.0)));
    let error = bot.edit_text(ANNA, id, "x", &[]).await.unwrap_err();
    assert_eq!((error.kind(), error.refusal()), (Failure::Refused, Some(Refusal::Gone)));
}

#[tokio::test]
async fn the_bot_knows_itself_and_its_chats() {
    let fake = FakeBot::start().await;
    let bot = bot(&fake);
    let me = bot.me().await.unwrap();
    assert_eq!((me.id, me.username.as_str()), (123_456_789, "nachtwache_bot"));
    let group = bot.chat(GROUP).await.unwrap();
    assert_eq!((group.id, group.kind.as_str(), group.title.as_str()), (GROUP, "supergroup", "Gruppe -1001"));
    assert_eq!(bot.chat(ANNA).await.unwrap().title, "Chat 71");
    fake.fail_next("getChat", Fault::ChatNotFound);
    assert_eq!(bot.chat(5).await.unwrap_err().kind(), Failure::Unreachable);
}

// ── what is refused ──

#[tokio::test]
async fn what_breaks_a_known_rule_never_leaves() {
    let fake = FakeBot::start().await;
    let bot = bot(&fake);
    let with = |label: &str, data: &str| Outgoing {
        buttons: vec![vec![Button { label: label.into(), data: data.into() }]],
        ..Outgoing::new(ANNA, "x")
    };
    let long = "ä".repeat(33);
    for message in [
        notice(""),
        notice(" <b>\n</b> "),
        notice(&"x".repeat(TEXT_MAX + 1)),
        notice(&"🚨".repeat(TEXT_MAX / 2 + 1)),
        with("x", ""),
        with(" ", "x"),
        with("x", &long),
    ] {
        let error = bot.send(&message).await.unwrap_err();
        assert!(matches!(error, BotError::Invalid(_)), "{error}");
        assert_eq!(error.kind(), Failure::Refused);
    }
    let caption = bot.send_voice(ANNA, b"OggS".to_vec(), &"x".repeat(1025), &SendOptions::default()).await;
    assert!(matches!(caption, Err(BotError::Invalid(_))));
    assert!(bot.delete(ANNA, MessageId(i64::MAX)).await.is_err());
    assert!(fake.calls().is_empty());
    let full = format!("<b>{}</b>", "&amp;".repeat(TEXT_MAX));
    bot.send(&Outgoing { buttons: vec![vec![]], ..Outgoing::new(ANNA, full) }).await.unwrap();
    assert_eq!(fake.messages(ANNA)[0].text.len(), TEXT_MAX);
}

#[tokio::test]
async fn html_that_telegram_cannot_read_goes_out_as_plain_text() {
    let fake = FakeBot::start().await;
    let bot = bot(&fake);
    let id = bot.send(&notice("<b>Anruf</b> von <müller> &amp; Co <i>offen")).await.unwrap();
    fake.fail_next("sendMessage", Fault::ParseRefused);
    bot.send(&notice("<b>gut</b>")).await.unwrap();
    bot.edit_text(ANNA, id, "3 < 4 <b>x</b>", &buttons()).await.unwrap();
    let voice = bot.send_voice(ANNA, b"OggS".to_vec(), "a <b b", &SendOptions::default()).await.unwrap();
    let texts = |fake: &FakeBot| fake.messages(ANNA).iter().map(|shown| shown.text.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&fake), ["3 < 4 x", "gut", "a <b b"]);
    bot.edit_caption(ANNA, voice, "c <d", &[]).await.unwrap();
    assert_eq!(texts(&fake)[2], "c <d");
    assert_eq!(fake.calls()[1].text.as_deref(), Some("Anruf von <müller> & Co offen"));
    assert_eq!(labels(&fake.messages(ANNA)[0].buttons).len(), 3);
    assert_eq!(fake.calls_of("sendmessage").len(), 4, "each refused once, sent once");
}

#[tokio::test]
async fn buttons_that_telegram_dislikes_do_not_cost_the_notice() {
    let fake = FakeBot::start().await;
    fake.fail_next("sendMessage", Fault::ButtonsRefused);
    bot(&fake).send(&notice("<b>Alarm</b>")).await.unwrap();
    let shown = fake.messages(ANNA);
    assert_eq!((shown.len(), shown[0].text.as_str(), shown[0].buttons.len()), (1, "Alarm", 0));
    fake.fail_always("sendMessage", Fault::ButtonsRefused);
    let error = bot(&fake).send(&notice("x")).await.unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::Buttons), "tried without, then given up");
}

#[tokio::test]
async fn each_answer_says_what_to_do() {
    let fake = FakeBot::start().await;
    let bot = bot(&fake);
    for (fault, expected) in [
        (Fault::TooMany(17), Failure::Wait(Duration::from_secs(17))),
        (Fault::BadGatewayHtml, Failure::Again),
        (Fault::Refused(500, "Internal Server Error".into()), Failure::Again),
        (Fault::Refused(504, "Gateway Timeout".into()), Failure::Unknown),
        (Fault::Migrate(-100_200), Failure::Moved(-100_200)),
        (Fault::Blocked403, Failure::Unreachable),
        (Fault::Refused(403, "Forbidden: bot was kicked from the supergroup chat".into()), Failure::Unreachable),
        (Fault::Refused(403, "Forbidden: user is deactivated".into()), Failure::Unreachable),
        (Fault::ChatNotFound, Failure::Unreachable),
        (Fault::Refused(400, "Bad Request: something new".into()), Failure::Refused),
        (Fault::Unauthorized401, Failure::Unauthorized),
        (Fault::Refused(404, "Not Found".into()), Failure::Unauthorized),
    ] {
        fake.fail_next("*", fault.clone());
        let error = bot.send(&notice("x")).await.unwrap_err();
        assert_eq!(error.kind(), expected, "{fault:?}: {error}");
    }
    assert!(fake.messages(ANNA).is_empty());
}

#[tokio::test]
async fn a_pause_for_one_chat_is_not_one_for_the_others() {
    let fake = FakeBot::start().await;
    let bot = bot(&fake);
    fake.fail_next_in(GROUP, "sendMessage", Fault::TooMany(60));
    bot.send(&notice("x")).await.unwrap();
    assert!(bot.send(&Outgoing::new(GROUP, "x")).await.is_err());
    bot.send(&Outgoing::new(GROUP, "x")).await.unwrap();
}

// ── what is known when there is no answer ──

#[tokio::test]
async fn a_lost_answer_is_unknown_whether_the_message_arrived_or_not() {
    let fake = FakeBot::start().await;
    let bot = hasty(&fake.url(), fake.token());
    for (fault, arrived) in [
        (Fault::Drop, 0),
        (Fault::DropAfterAccept, 1),
        (Fault::Hang, 1),
        (Fault::HangAfterAccept, 2),
        (Fault::Garbled, 3),
    ] {
        fake.fail_next("sendMessage", fault.clone());
        let error = bot.send(&notice("x")).await.unwrap_err();
        assert_eq!(error.kind(), Failure::Unknown, "{fault:?}: {error}");
        assert!(fake.wait_until(|world| world.messages(ANNA).len() == arrived).await, "{fault:?}");
    }
    fake.fail_next("sendVoice", Fault::HangAfterAccept);
    let error = bot.send_voice(ANNA, b"OggS".to_vec(), "", &SendOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), Failure::Unknown);
    bot.send(&notice("x")).await.expect("the next one has a connection of its own");
}

#[tokio::test]
async fn nothing_is_repeated_by_itself_after_a_lost_answer() {
    let fake = FakeBot::start().await;
    let bot = bot(&fake);
    bot.send(&notice("so that a connection is waiting")).await.unwrap();
    fake.fail_next("sendMessage", Fault::DropAfterAccept);
    bot.send(&notice("x")).await.unwrap_err();
    assert_eq!((fake.messages(ANNA).len(), fake.calls().len()), (2, 2));
}

#[tokio::test]
async fn a_connection_that_never_stood_proves_that_nothing_was_delivered() {
    let fake = FakeBot::start().await;
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    for url in [
        format!("http://{closed}"),
        "http://telegram.invalid".to_owned(),
        fake.url().replace("http:", "https:"),
        format!("https://{}", silent.local_addr().unwrap()),
    ] {
        let error = hasty(&url, fake.token()).send(&notice("x")).await.unwrap_err();
        assert!(matches!(error, BotError::NotReached(_)), "{url}: {error}");
        assert_eq!(error.kind(), Failure::Again);
    }
    assert!(fake.calls().is_empty());
}

#[tokio::test]
async fn what_changes_nothing_is_never_unknown() {
    let fake = FakeBot::start().await;
    let bot = hasty(&fake.url(), fake.token());
    fake.fail_always("*", Fault::Hang);
    assert_eq!(bot.me().await.unwrap_err().kind(), Failure::Again);
    assert_eq!(bot.chat(ANNA).await.unwrap_err().kind(), Failure::Again);
    assert_eq!(bot.webhook_clear().await.unwrap_err().kind(), Failure::Again);
    assert_eq!(bot.updates(0, Duration::ZERO).await.unwrap_err().kind(), Failure::Again);
    fake.heal();
    self::bot(&fake).me().await.unwrap();
}

// ── what people do ──

#[tokio::test]
async fn a_press_comes_back_until_it_is_confirmed_and_is_answered_once() {
    let fake = FakeBot::start().await;
    let bot = bot(&fake);
    fake.name(ANNA, "Anna Beispiel");
    let id = bot.send(&Outgoing { buttons: buttons(), ..Outgoing::new(GROUP, "x") }).await.unwrap();
    let press = fake.press(GROUP, id.0, "Übernehmen", ANNA);
    let first = bot.updates(0, Duration::ZERO).await.unwrap();
    assert_eq!(bot.updates(0, Duration::ZERO).await.unwrap(), first);
    let expected = What::Press {
        callback_id: press.clone(),
        data: "take:1042".into(),
        chat: GROUP,
        message: Some(id),
        user_id: ANNA,
        user_name: "Anna Beispiel".into(),
    };
    assert_eq!(first, [Incoming { update_id: 1, what: expected }]);
    assert!(bot.updates(2, Duration::ZERO).await.unwrap().is_empty());
    bot.answer(&press, Some(&"Übernommen ".repeat(40)), true).await.unwrap();
    bot.answer(&press, None, false).await.expect("too old to be answered: nobody waits any more");
    let answers = fake.calls_of("answerCallbackQuery");
    assert_eq!(answers.iter().map(|call| call.status).collect::<Vec<_>>(), [200, 400]);
    assert_eq!(answers[0].callback.as_deref(), Some(press.as_str()));
    assert_eq!(answers[0].text.as_deref().unwrap().chars().count(), 200);
}

#[tokio::test]
async fn a_waiting_poll_hears_at_once() {
    let fake = FakeBot::start().await;
    let bot = bot(&fake);
    let act = async {
        assert!(fake.wait_until(|world| world.called("getUpdates") == 1).await);
        fake.text_from(ANNA, ANNA, "bin dran")
    };
    let (updates, id) = tokio::join!(bot.updates(0, Duration::from_secs(50)), act);
    let [Incoming { what: What::Text { chat, user_id, text, message, reply_to, .. }, .. }] = &updates.unwrap()[..]
    else {
        panic!("one text")
    };
    assert_eq!((*chat, *user_id, text.as_str(), *message, *reply_to), (ANNA, ANNA, "bin dran", MessageId(id), None));
}

#[tokio::test]
async fn updates_of_unknown_shape_cost_neither_the_others_nor_their_number() {
    let fake = FakeBot::start().await;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/telegram/updates.json");
    let rows: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for row in &rows {
        fake.raw_update(row["kind"].as_str().unwrap(), row["content"].clone());
    }
    let updates = bot(&fake).updates(0, Duration::ZERO).await.unwrap();
    assert_eq!(updates.iter().map(|update| update.update_id).collect::<Vec<_>>(), (1..=8).collect::<Vec<_>>());
    let seen: Vec<_> = updates.iter().map(|update| &update.what).collect();
    assert!(matches!(seen[0], What::Press { data, chat: GROUP, message: Some(MessageId(9)), user_name, .. }
            if data == "take:1042" && user_name == "Anna Beispiel"));
    assert!(matches!(seen[1], What::Press { chat: ANNA, message: Some(MessageId(3)), .. }));
    assert!(matches!(seen[2], What::Press { chat: ANNA, message: None, data, .. } if data.is_empty()));
    assert!(matches!(seen[3], What::Text { text, reply_to: Some(MessageId(11)), .. } if text == "morgen um acht"));
    assert_eq!(*seen[4], What::Moved { from: -4001, to: -1_002_000_000_001 });
    assert!(seen[5..].iter().all(|what| **what == What::Other), "{:?}", &seen[5..]);
}

#[tokio::test]
async fn only_presses_and_texts_are_asked_for() {
    let fake = FakeBot::start().await;
    let bot = bot(&fake);
    assert!(bot.updates(0, Duration::ZERO).await.unwrap().is_empty());
    fake.raw_update("my_chat_member", Value::Null);
    fake.press_forged(ANNA, 1, "take:1", ANNA);
    assert_eq!(bot.updates(0, Duration::ZERO).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_somebody_says_is_heard_and_can_be_fetched() {
    let fake = FakeBot::start().await;
    let bot = bot(&fake);
    let alarm = bot.send(&notice("x")).await.unwrap();
    let sound = [b"OggS".as_slice(), &vec![3; 200_000]].concat();
    let said = fake.voice_from(ANNA, ANNA, &sound, 7, Some(alarm.0));
    let written = fake.answer_from(ANNA, ANNA, alarm.0, "fahre hin");
    fake.raw_update("message", audio());
    let updates = bot.updates(0, Duration::ZERO).await.unwrap();
    let What::Voice { chat, user_id, user_name, file_id, seconds, size, message, reply_to } = &updates[0].what else {
        panic!("a voice message: {updates:?}")
    };
    assert_eq!((*chat, *user_id, user_name.as_str(), *seconds, *size), (ANNA, ANNA, "User 71", 7, Some(200_004)));
    assert_eq!((*message, *reply_to), (MessageId(said), Some(alarm)));
    assert!(matches!(&updates[1].what, What::Text { message: MessageId(id), reply_to: Some(answered), .. }
            if *id == written && *answered == alarm));
    assert!(matches!(&updates[2].what, What::Voice { file_id, seconds: 0, size: None, .. } if file_id == "CQACAg"));
    let path = bot.file(file_id).await.unwrap();
    assert_eq!(bot.download(&path, 200_004).await.unwrap(), sound);
    assert!(matches!(bot.download(&path, 200_003).await, Err(BotError::Invalid(_))), "larger than wanted");
}

/// A file of music that says little about itself.
fn audio() -> Value {
    serde_json::json!({
        "message_id": 90, "date": 1, "chat": {"id": ANNA, "type": "private"}, "from": {"id": ANNA, "is_bot": false},
        "audio": {"file_id": "CQACAg", "performer": "x"},
    })
}

#[tokio::test]
async fn a_file_that_cannot_be_had_says_why_without_the_token() {
    let fake = FakeBot::start().await;
    let bot = bot(&fake);
    fake.voice_from(ANNA, ANNA, &vec![0; (20 << 20) + 1], 900, None);
    fake.voice_from(ANNA, ANNA, b"OggS", 1, None);
    let large = bot.file("AwACAgIAAx-1").await.unwrap_err();
    assert!(large.to_string().contains("file is too big"), "{large}");
    let path = bot.file("AwACAgIAAx-2").await.unwrap();
    fake.forget_files();
    let gone = bot.download(&path, 100).await.unwrap_err();
    assert_eq!((gone.kind(), gone.refusal()), (Failure::Refused, Some(Refusal::Gone)));
    assert!(matches!(bot.download("../getMe", 100).await, Err(BotError::Invalid(_))));
    let closed = hasty("http://127.0.0.1:1", fake.token()).download(&path, 100).await.unwrap_err();
    assert_eq!(closed.kind(), Failure::Again);
    let stranger = hasty(&fake.url(), "1:other").download(&path, 100).await.unwrap_err();
    assert_eq!(stranger.kind(), Failure::Unauthorized);
    for error in [large, gone, closed, stranger] {
        let told = format!("{error} {error:?}");
        assert!(!told.contains(fake.token()) && !told.contains("1:other"), "{told}");
    }
}

#[tokio::test]
async fn the_commands_are_shown_as_they_were_set() {
    let fake = FakeBot::start().await;
    let bot = bot(&fake);
    bot.commands_set(&[("dienst", "Wer hat Dienst?"), ("offen", "Offene Vorgänge")]).await.unwrap();
    let expected = [("dienst", "Wer hat Dienst?"), ("offen", "Offene Vorgänge")];
    assert_eq!(fake.commands(), expected.map(|(name, description)| (name.to_owned(), description.to_owned())));
    assert_eq!(bot.commands_set(&[("Dienst", "x")]).await.unwrap_err().kind(), Failure::Refused);
}

// ── how fast ──

/// Sends, and waits as long as it is told to.
async fn send_in_time(bot: &Bot, message: &Outgoing) -> MessageId {
    loop {
        match bot.send(message).await {
            Err(error) => match error.kind() {
                Failure::Wait(pause) => tokio::time::sleep(pause).await,
                other => panic!("{other:?}: {error}"),
            },
            Ok(id) => return id,
        }
    }
}

#[tokio::test]
async fn messages_keep_within_what_telegram_takes() {
    let fake = FakeBot::start().await;
    fake.limit();
    let bot = Bot::new(&fake.url(), fake.token().into(), false).unwrap();
    let chat = async |chat: i64| {
        for number in 0..5 {
            let id = send_in_time(&bot, &Outgoing::new(chat, number.to_string())).await;
            bot.edit_text(chat, id, "gesehen", &[]).await.ok();
        }
    };
    tokio::join!(chat(1), chat(2), chat(3), chat(4), chat(GROUP));
    let refused: Vec<_> = fake.calls().into_iter().filter(|call| call.status == 429).collect();
    assert!(refused.is_empty(), "{refused:?}");
    assert!([1, 2, 3, 4, GROUP].iter().all(|chat| fake.messages(*chat).len() == 5));
    let peaks = fake.peaks();
    assert!(peaks.are_allowed() && peaks.chat == 1, "{peaks:?}");
}

#[tokio::test]
async fn many_chats_at_once_are_spread_over_the_seconds() {
    let fake = FakeBot::start().await;
    fake.limit();
    let bot = Bot::new(&fake.url(), fake.token().into(), false).unwrap();
    let messages: Vec<_> = (1..=45).map(|chat| Outgoing::new(chat, "x")).collect();
    futures::future::join_all(messages.iter().map(|message| send_in_time(&bot, message))).await;
    assert_eq!(fake.calls().iter().filter(|call| call.status != 200).count(), 0);
    assert!(fake.peaks().are_allowed() && fake.peaks().overall >= 20, "{:?}", fake.peaks());
}

#[tokio::test]
async fn a_chat_that_has_to_wait_is_told_at_once_and_holds_up_no_other() {
    let fake = FakeBot::start().await;
    let bot = Bot::new(&fake.url(), fake.token().into(), false).unwrap();
    fake.fail_next_in(ANNA, "sendMessage", Fault::TooMany(60));
    assert_eq!(bot.send(&notice("x")).await.unwrap_err().kind(), Failure::Wait(Duration::from_mins(1)));
    let clone = bot.clone();
    let Err(BotError::Wait(left)) = clone.send(&notice("x")).await else { panic!("the pause is remembered") };
    assert!(left > Duration::from_secs(50) && fake.calls_of("sendMessage").len() == 1, "{left:?}");
    clone.send(&Outgoing::new(72, "x")).await.unwrap();
    let Err(BotError::Wait(left)) = bot.send(&Outgoing::new(72, "y")).await else { panic!("a second has not passed") };
    assert!(left <= Duration::from_secs(1));
    bot.send_further(&Outgoing::new(72, "a further piece waits in place")).await.unwrap();
    assert_eq!(fake.messages(72).len(), 2);
}

#[tokio::test]
async fn what_strikes_by_chance_strikes_again_with_the_same_seed() {
    let mut histories = Vec::new();
    for _ in 0..2 {
        let fake = FakeBot::start().await;
        fake.fail_some(5, &[(20, Fault::TooMany(1)), (10, Fault::BadGatewayHtml)]);
        let bot = bot(&fake);
        for _ in 0..100 {
            bot.send(&notice("x")).await.ok();
        }
        histories.push(fake.calls().iter().map(|call| call.status).collect::<Vec<_>>());
    }
    let of = |status| histories[0].iter().filter(|other| **other == status).count();
    assert!((10..=30).contains(&of(429)) && (3..=20).contains(&of(502)) && of(200) > 50, "{histories:?}");
    assert_eq!(histories[0], histories[1]);
}

#[tokio::test]
async fn a_second_poller_is_told_from_a_webhook() {
    let fake = FakeBot::start().await;
    let bot = bot(&fake);
    fake.fail_next("getUpdates", Fault::Webhook409);
    let error = bot.updates(0, Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, BotError::Conflict { webhook: true }) && error.kind() == Failure::Again, "{error}");
    bot.webhook_clear().await.unwrap();
    fake.fail_next("getUpdates", Fault::Conflict409);
    assert!(matches!(bot.updates(0, Duration::ZERO).await, Err(BotError::Conflict { webhook: false })));
    let second = async {
        assert!(fake.wait_until(|world| world.calls().last().is_some_and(|call| call.status == 0)).await);
        bot.updates(0, Duration::ZERO).await
    };
    let (first, second) = tokio::join!(bot.updates(0, Duration::from_secs(50)), second);
    assert!(matches!(first, Err(BotError::Conflict { webhook: false })) && second.is_ok());
}

// ── what must not be told ──

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no writer panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_token_and_the_callers_words_are_in_no_error_log_or_debug() {
    let log = Captured::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    // A second subscriber, for the reason in privacy.rs.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(std::io::sink).finish());
    let guard = tracing::subscriber::set_default(subscriber);
    let fake = FakeBot::start().await;
    let bot = hasty(&fake.url(), fake.token());
    let mut told = format!("{bot:?}");
    let echo = format!("Bad Request: wrong address /bot{}/SendMessage", fake.token());
    for fault in [
        Fault::Drop,
        Fault::Hang,
        Fault::Garbled,
        Fault::BadGatewayHtml,
        Fault::Unauthorized401,
        Fault::ParseRefused,
        Fault::Refused(400, echo.clone()),
        Fault::Refused(403, echo),
    ] {
        fake.fail_always("*", fault);
        let sent = bot.send(&notice("<b>Herr müller</b>")).await.map(|_| ()).unwrap_err();
        let polled = bot.updates(0, Duration::ZERO).await.unwrap_err();
        writeln!(told, "{sent} {sent:?} {polled} {polled:?}").unwrap();
        fake.heal();
    }
    let unreached = hasty("https://telegram.invalid", fake.token()).me().await.unwrap_err();
    let closed = hasty("http://127.0.0.1:1", fake.token()).me().await.unwrap_err();
    writeln!(told, "{unreached} {unreached:?} {closed} {closed:?}").unwrap();
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("sending it simpler") && told.contains("[token]"), "both were looked at: {log}");
    for secret in [fake.token(), "FAKE-token", "müller"] {
        assert!(!told.contains(secret) && !log.contains(secret), "{secret}: {told}{log}");
    }
}

#[test]
fn an_address_or_token_that_cannot_be_one_is_refused_without_repeating_it() {
    for (url, token) in [
        ("api.telegram.org", "1:a"),
        ("ftp://api.telegram.org", "1:a"),
        ("https://api.telegram.org", "secret/../../x"),
        ("https://api.telegram.org", ""),
    ] {
        let error = Bot::new(url, token.into(), false).unwrap_err();
        assert!(matches!(error, BotError::Invalid(_)) && !error.to_string().contains("secret"), "{error}");
    }
    Bot::new("https://api.telegram.org/", "1:a".into(), true).unwrap();
}

#[test]
fn calls_may_run_on_any_thread() {
    fn movable<T: Send>(_: &T) {}
    let bot = Bot::new("http://127.0.0.1:1", "1:a".into(), false).unwrap();
    let (message, options) = (notice("x"), SendOptions::default());
    movable(&bot.send(&message));
    movable(&bot.send_voice(ANNA, Vec::new(), "", &options));
    movable(&bot.edit_text(ANNA, MessageId(1), "x", &message.buttons));
    movable(&bot.edit_caption(ANNA, MessageId(1), "x", &message.buttons));
    movable(&bot.updates(0, Duration::ZERO));
}

// ── text of any kind ──

/// Valid HTML of words, lines, entities and nested tags.
fn html() -> impl Strategy<Value = String> {
    let word = prop_oneof!["[a-zäß]{1,9}", "[\\PC]{1,6}", Just("🚨👨‍👩‍👧".to_owned()), Just("<&>\"".to_owned())];
    let text = (word, prop_oneof![Just(""), Just(" "), Just("\n"), Just("\n\n")])
        .prop_map(|(word, gap)| format!("{}{gap}", escape(&word)));
    let leaf = prop_oneof![8 => text, 1 => Just("&#128680;".to_owned())];
    leaf.prop_recursive(5, 120, 8, |inner| {
        let tags = [("<b>", "</b>"), ("<i>", "</i>"), ("<a href=\"https://x.org/?a=1&amp;b=>\">", "</a>"), ("", "")];
        (prop::collection::vec(inner, 1..8), prop::sample::select(tags.to_vec()))
            .prop_map(|(parts, (open, close))| format!("{open}{}{close}", parts.concat()))
    })
}

fn without_space(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

proptest! {
    #[test]
    fn whatever_somebody_says_is_shown_as_text(said in ".{0,200}") {
        let written = escape(&said);
        prop_assert_eq!(&plain(&written), &parsed(&written).expect("no tag can come from a caller"));
        prop_assert!(!written.contains(['<', '>', '"']));
        let turning = |c: &char| matches!(c, '\0' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
        prop_assert_eq!(plain(&written), said.chars().filter(|c| !turning(c)).collect::<String>());
    }

    #[test]
    fn pieces_fit_are_valid_and_together_show_the_whole(html in html(), limit in 2_usize..60) {
        let pieces = split(&html, limit);
        for piece in &pieces {
            prop_assert!(shown_length(piece) <= limit, "{piece:?}");
            prop_assert!(!plain(piece).trim().is_empty());
            // the fake ends a tag at the first `>`; ours may stand in an attribute
            let readable = piece.replace("b=>\"", "b=\"").replace("&#128680;", "🚨");
            prop_assert_eq!(parsed(&readable).expect("tags are balanced"), plain(piece));
        }
        let together: String = pieces.iter().map(|piece| plain(piece)).collect();
        prop_assert_eq!(without_space(&together), without_space(&plain(&html)));
        let whole = plain(&html);
        let gaps = whole.chars().zip(whole.chars().skip(1));
        if limit > 2 && !gaps.into_iter().any(|(one, next)| one.is_whitespace() && next.is_whitespace()) {
            prop_assert_eq!(together.trim_end(), whole.trim_end(), "a single gap is never lost");
        }
    }

    #[test]
    fn any_bytes_at_all_come_out_as_valid_html(broken in "([<>&;\"'/#=]|lt|b|i|a href| |\n|[\\PC]){0,80}") {
        for piece in split(&broken, 16) {
            prop_assert!(shown_length(&piece) <= 16);
            prop_assert_eq!(plain(&piece), plain(&split(&piece, 16).concat()));
        }
        let together: String = split(&broken, 16).iter().map(|piece| plain(piece)).collect();
        prop_assert_eq!(without_space(&together), without_space(&plain(&broken)));
    }
}

#[tokio::test]
async fn a_long_notice_arrives_whole_in_pieces() {
    let fake = FakeBot::start().await;
    let bot = bot(&fake);
    let html = format!(
        "<b>Abschrift</b>\n<i>{}</i>",
        "Das Internet ist seit Mittag tot &amp; niemand hilft 🚨.\n".repeat(300)
    );
    for piece in split(&html, TEXT_MAX) {
        bot.send(&Outgoing::new(ANNA, piece)).await.unwrap();
    }
    assert!(fake.calls().is_sorted_by_key(|call| call.at));
    let shown = fake.messages(ANNA);
    let together: String = shown.iter().map(|shown| shown.text.as_str()).collect();
    assert_eq!(without_space(&together), without_space(&plain(&html)));
    assert_eq!((shown.len(), fake.calls_of("sendMessage").iter().filter(|call| call.status != 200).count()), (4, 0));
}

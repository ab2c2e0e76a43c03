//! The mailboxes of a FreeSWITCH, faked at the wire.

mod fake;

use crate::world::{NIGHT, World};
use fake::{Fake, Fault, Message, PASSWORD};
use nachtwache::domain::report::{Arrival, Content, Sound};
use nachtwache::intake::freeswitch::{EslSettings, FreeSwitch, FreeSwitchSettings, Mailbox, WebFiles};
use nachtwache::intake::http::Limits;
use nachtwache::intake::source::{Found, Listing, Source, SourceError};
use nachtwache::intake::{Intake, Memory};
use nachtwache::runtime::siren::siren;
use nachtwache::store::reports;
use secrecy::SecretString;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

/// 2026-11-21T21:14:00Z, the world's beginning.
const NOW: i64 = 1_795_295_640;
const IDS: [&str; 3] = [
    "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d",
    "11111111-2222-4333-8444-555555555555",
    "99999999-8888-4777-8666-555555555555",
];

struct Pbx {
    fake: Fake,
    world: World,
}

impl Pbx {
    async fn start() -> Self {
        let pbx = Self { fake: Fake::start().await, world: World::at(NIGHT, None, "").await };
        fs::create_dir_all(pbx.folder()).unwrap();
        pbx
    }

    fn storage(&self) -> std::path::PathBuf {
        self.world.folder.path().join("storage")
    }

    fn folder(&self) -> std::path::PathBuf {
        self.storage().join("default/pbx.example/1000")
    }

    /// A caller who hung up `age_s` seconds ago.
    fn leave(&self, uuid: &str, name: &str, age_s: i64) {
        let path = self.folder().join(format!("msg_{uuid}.wav"));
        fs::write(&path, format!("sound of {uuid}")).unwrap();
        self.leave_at(uuid, name, age_s, &path.display().to_string());
    }

    fn leave_at(&self, uuid: &str, name: &str, age_s: i64, path: &str) {
        let message = Message {
            mailbox: "1000@pbx.example".into(),
            uuid: uuid.into(),
            created: NOW - age_s,
            read: 0,
            path: path.into(),
            name: name.into(),
            number: "+4997215550".into(),
            seconds: 14,
        };
        self.fake.with(|state| state.messages.push(message));
    }

    fn settings(&self) -> FreeSwitchSettings {
        FreeSwitchSettings {
            esl: EslSettings {
                address: self.fake.address.clone(),
                password: SecretString::from(PASSWORD),
                timeout: Duration::from_millis(300),
            },
            mailboxes: vec![Mailbox::parse("1000@pbx.example", None).unwrap()],
            storage: self.storage(),
            files: None,
            poll: Duration::from_mins(1),
            mark_read: true,
            first_look: chrono::TimeDelta::hours(24),
            longest_s: Some(300),
            max_bytes: 1000,
            limits: Limits { give_up: Duration::ZERO, ..Limits::default() },
        }
    }

    fn source(&self) -> FreeSwitch {
        self.source_with(|_| {})
    }

    fn source_with(&self, change: impl FnOnce(&mut FreeSwitchSettings)) -> FreeSwitch {
        let mut settings = self.settings();
        change(&mut settings);
        let memory = Memory::new(self.world.store.clone(), "pbx".into());
        FreeSwitch::open("pbx".into(), settings, memory, Arc::new(self.world.clock.clone())).unwrap()
    }
}

/// The calls that are listed.
fn keys(listing: &Listing) -> Vec<&str> {
    listing.found.iter().map(|found| found.key.split('/').next().unwrap()).collect()
}

fn sound(arrival: &Arrival) -> Result<&[u8], &str> {
    match &arrival.content {
        Content::Voicemail(Sound::Bytes { bytes, .. }) => Ok(bytes),
        Content::Voicemail(Sound::Refused { why, .. }) => Err(why),
        other => panic!("{other:?}"),
    }
}

async fn first(source: &mut FreeSwitch) -> Arrival {
    let listing = source.list().await.unwrap();
    source.take(&listing.found[0]).await.unwrap()
}

#[tokio::test]
async fn a_message_is_stored_once_marked_after_and_a_second_look_changes_nothing() {
    let pbx = Pbx::start().await;
    pbx.leave(IDS[0], "Müller & Söhne: \"Notdienst\" <1>", 60);
    let mut intake = Intake::new(pbx.world.desk(), Box::new(pbx.source()), siren().0);
    assert_eq!(intake.look().await.unwrap().stored, 1);
    let all = async || reports::all(&mut pbx.world.store.read().await.unwrap()).await.unwrap();
    let report = all().await.remove(0);
    assert_eq!(report.key, format!("{0}/msg_{0}.wav", IDS[0]));
    assert_eq!(report.mailbox.as_deref(), Some("1000@pbx.example"));
    assert_eq!(report.caller.name.as_deref(), Some("Müller & Söhne: \"Notdienst\" <1>"));
    assert_eq!(report.caller.number.as_deref(), Some("+4997215550"));
    assert_eq!(report.called_at.timestamp(), NOW - 60 - 14, "when the caller began to speak");
    assert_eq!(report.longest_s, Some(300));
    let kept = fs::read(pbx.world.store.sound_folder().join(report.recording.unwrap().file)).unwrap();
    assert_eq!(kept, format!("sound of {}", IDS[0]).into_bytes());
    assert_ne!(pbx.fake.with(|state| state.messages[0].read), 0);

    let asked = pbx.fake.commands().len();
    assert_eq!(intake.look().await.unwrap().stored, 0);
    let mut after_restart = Intake::new(pbx.world.desk(), Box::new(pbx.source()), siren().0);
    assert_eq!(after_restart.look().await.unwrap().stored, 0);
    assert_eq!(all().await.len(), 1);
    assert_eq!(pbx.fake.commands().len(), asked + 2, "two lists and nothing else");
    assert_eq!(pbx.fake.with(|state| state.sessions), 2, "one session a source");
}

#[tokio::test]
async fn marking_names_one_message_and_is_looked_at_afterwards() {
    let pbx = Pbx::start().await;
    pbx.leave(IDS[0], "Erika", 60);
    pbx.leave(IDS[1], "Erika", 50);
    let mut source = pbx.source_with(|settings| {
        settings.mailboxes = vec![Mailbox::parse("1000@pbx.example", Some("firma")).unwrap()];
    });
    let listing = source.list().await.unwrap();
    source.confirm(&listing.found[0]).await.unwrap();
    let commands = pbx.fake.commands();
    assert_eq!(
        commands,
        [
            "api vm_list 1000@pbx.example/firma xml".to_owned(),
            format!("api vm_read 1000@pbx.example/firma read {}", IDS[0]),
            "api vm_list 1000@pbx.example/firma xml".to_owned(),
        ]
    );
    let read = pbx.fake.with(|state| state.messages.iter().map(|message| message.read != 0).collect::<Vec<_>>());
    assert_eq!(read, [true, false], "one message, not the domain");

    pbx.fake.fault(Fault::ReadDoesNothing);
    let error = source.confirm(&listing.found[1]).await.unwrap_err().to_string();
    assert!(error.contains("did not mark") && error.contains("remedy"), "{error}");
    pbx.fake.with(|state| state.faults.clear());
    source.confirm(&listing.found[1]).await.unwrap();
    let gone = Found { key: "gone".into(), place: String::new() };
    source.confirm(&gone).await.unwrap();
}

#[tokio::test]
async fn two_messages_of_one_call_are_two_messages() {
    let pbx = Pbx::start().await;
    pbx.leave(IDS[0], "Erika", 60);
    let again = pbx.folder().join("msg_again.wav");
    fs::write(&again, "and one thing more").unwrap();
    pbx.leave_at(IDS[0], "Erika", 30, &again.display().to_string());
    let mut intake = Intake::new(pbx.world.desk(), Box::new(pbx.source()), siren().0);
    assert_eq!(intake.look().await.unwrap().stored, 2);
    assert!(pbx.fake.with(|state| state.messages.iter().all(|message| message.read != 0)));
    assert_eq!(intake.look().await.unwrap(), nachtwache::intake::Look::default());
}

#[tokio::test]
async fn an_id_of_another_form_is_taken_and_never_marked() {
    let pbx = Pbx::start().await;
    for odd in ["call-4711", "", "00000000-0000-0000-0000-000000000000"] {
        pbx.leave(odd, "Erika", 60);
    }
    let mut source = pbx.source();
    let listing = source.list().await.unwrap();
    assert_eq!(keys(&listing), ["call-4711", "msg_.wav", "00000000-0000-0000-0000-000000000000"]);
    for found in &listing.found {
        assert!(sound(&source.take(found).await.unwrap()).is_ok());
        source.confirm(found).await.unwrap();
    }
    assert_eq!(pbx.fake.commands().len(), 1, "nothing but the list");
}

#[tokio::test]
async fn without_the_setting_nothing_is_marked() {
    let pbx = Pbx::start().await;
    pbx.leave(IDS[0], "Erika", 60);
    let mut source = pbx.source_with(|settings| settings.mark_read = false);
    let listing = source.list().await.unwrap();
    source.confirm(&listing.found[0]).await.unwrap();
    assert_eq!(pbx.fake.commands().len(), 1);
}

#[tokio::test]
async fn old_read_messages_are_left_alone_and_later_ones_read_by_somebody_else_are_taken() {
    let pbx = Pbx::start().await;
    pbx.leave(IDS[0], "old and read", 48 * 3600);
    pbx.leave(IDS[1], "old and new", 48 * 3600);
    pbx.leave(IDS[2], "read an hour ago", 3600);
    pbx.fake.with(|state| {
        state.messages[0].read = NOW - 100;
        state.messages[2].read = NOW - 100;
    });
    assert_eq!(keys(&pbx.source().list().await.unwrap()), [IDS[1], IDS[2]]);
    // two days later, after a restart: a message that was read on a telephone while the service was away
    pbx.world.clock.advance(chrono::TimeDelta::days(2));
    pbx.leave("77777777-8888-4777-8666-555555555555", "read at once", -24 * 3600);
    pbx.fake.with(|state| state.messages[3].read = NOW);
    let listing = pbx.source().list().await.unwrap();
    assert_eq!(keys(&listing), [IDS[1], IDS[2], "77777777-8888-4777-8666-555555555555"]);
}

#[tokio::test]
async fn no_path_leads_out_of_the_storage_folder() {
    let pbx = Pbx::start().await;
    let secret = pbx.world.folder.path().join("secret.wav");
    fs::write(&secret, "secret").unwrap();
    let link = pbx.folder().join("msg_link.wav");
    std::os::unix::fs::symlink(&secret, &link).unwrap();
    let inside = |rest: &str| pbx.storage().join(rest).display().to_string();
    for path in [
        secret.display().to_string(),
        inside("../secret.wav"),
        inside("default/../../secret.wav"),
        link.display().to_string(),
        "/etc/passwd".into(),
        "secret.wav".into(),
        String::new(),
        inside("default"),
        inside("nothing.wav"),
    ] {
        pbx.fake.with(|state| state.messages.clear());
        pbx.leave_at(IDS[0], "x</cid-name><path>/etc/passwd</path><cid-name>", 60, &path);
        let arrival = first(&mut pbx.source()).await;
        let why = sound(&arrival).unwrap_err();
        assert!(why.contains("remedy"), "{path}: {why}");
        assert_eq!(arrival.caller.number.as_deref(), Some("+4997215550"), "a human is woken, with the number");
    }
}

#[tokio::test]
async fn a_storage_folder_that_is_a_link_itself_is_fine_and_a_large_file_is_refused() {
    let pbx = Pbx::start().await;
    pbx.leave(IDS[0], "Erika", 60);
    let link = pbx.world.folder.path().join("link");
    std::os::unix::fs::symlink(pbx.storage(), &link).unwrap();
    let arrival = first(&mut pbx.source_with(|settings| settings.storage = link)).await;
    assert!(sound(&arrival).is_ok());
    let arrival = first(&mut pbx.source_with(|settings| settings.max_bytes = 5)).await;
    assert!(sound(&arrival).unwrap_err().contains("limit is 5"));
}

#[tokio::test]
async fn a_recording_that_is_not_there_yet_is_tried_again() {
    let pbx = Pbx::start().await;
    pbx.leave(IDS[0], "Erika", 60);
    let path = pbx.folder().join(format!("msg_{}.wav", IDS[0]));
    fs::rename(&path, path.with_extension("away")).unwrap();
    let mut source = pbx.source_with(|settings| settings.limits.give_up = Duration::from_mins(1));
    let found = source.list().await.unwrap().found.remove(0);
    assert!(matches!(source.take(&found).await, Err(SourceError::Busy(_))));
    fs::rename(path.with_extension("away"), &path).unwrap();
    assert!(sound(&source.take(&found).await.unwrap()).is_ok());
}

#[tokio::test]
async fn recordings_come_over_http_with_the_login_and_from_below_the_storage_folder_only() {
    let pbx = Pbx::start().await;
    let web = crate::hosted::web::Web::start().await;
    let path = format!("/srv/vm/default/pbx.example/1000/msg_{}.wav", IDS[0]);
    pbx.leave_at(IDS[0], "Erika", 60, &path);
    web.file(&format!("/files/default/pbx.example/1000/msg_{}.wav", IDS[0]), b"over http");
    let open = || {
        pbx.source_with(|settings| {
            settings.storage = "/srv/vm".into();
            let login = Some(("nachtwache".to_owned(), SecretString::from("geheim")));
            settings.files = Some(WebFiles { url: web.url("/files"), login });
        })
    };
    assert_eq!(sound(&first(&mut open()).await).unwrap(), b"over http");
    assert_eq!(web.seen()[0].authorization.as_deref(), Some("Basic bmFjaHR3YWNoZTpnZWhlaW0="));
    for path in ["/srv/vm/../x.wav", "/srv/vm2/x.wav", "/etc/passwd", "x.wav"] {
        pbx.fake.with(|state| state.messages[0].path = path.into());
        assert!(sound(&first(&mut open()).await).unwrap_err().contains("does not lie below"), "{path}");
    }
    assert_eq!(web.seen().len(), 1, "nothing else was asked for");
}

#[tokio::test]
async fn a_mailbox_that_fails_keeps_no_other_one_waiting() {
    let pbx = Pbx::start().await;
    pbx.leave(IDS[0], "Erika", 60);
    let mut source = pbx.source_with(|settings| {
        settings.mailboxes =
            ["1001@pbx.example", "1000@pbx.example"].map(|name| Mailbox::parse(name, None).unwrap()).into();
    });
    pbx.fake.fault(Fault::Hang);
    let listing = source.list().await.unwrap();
    assert_eq!(keys(&listing), [IDS[0]]);
    let [trouble] = listing.troubles.as_slice() else { panic!("{:?}", listing.troubles) };
    assert!(trouble.loses_calls && trouble.key == "mailbox/1001@pbx.example", "{trouble:?}");
    assert_eq!(source.list().await.unwrap().troubles, []);
    pbx.fake.with(|state| state.no_module = true);
    assert!(matches!(source.list().await, Err(SourceError::Unreachable(_))), "all of them");
}

#[tokio::test]
async fn an_event_is_a_hint_and_is_not_lost_while_an_answer_is_awaited() {
    let pbx = Pbx::start().await;
    let mut source = pbx.source();
    let soon = Duration::from_secs(5);
    source.list().await.unwrap();
    pbx.fake.event("authentication");
    pbx.fake.event("leave-message");
    tokio::time::timeout(soon, source.changed()).await.expect("the event ends the waiting");
    // the event comes before the row: it is looked again soon, without another event
    source.list().await.unwrap();
    tokio::time::timeout(soon, source.changed()).await.expect("an echo ends the waiting");

    let mut source = pbx.source();
    pbx.leave(IDS[0], "Erika", 60);
    pbx.fake.fault(Fault::EventFirst);
    assert_eq!(keys(&source.list().await.unwrap()), [IDS[0]], "the answer is the answer");
    tokio::time::timeout(Duration::from_millis(500), source.changed()).await.expect("the event was not lost");
}

#[tokio::test]
async fn waiting_may_be_dropped_and_the_session_goes_on() {
    let pbx = Pbx::start().await;
    let mut source = pbx.source();
    for _ in 0..3 {
        source.list().await.unwrap();
        drop(tokio::time::timeout(Duration::from_millis(20), source.changed()).await);
    }
    // a question that is dropped midway takes its session with it
    pbx.fake.fault(Fault::Hang);
    assert!(tokio::time::timeout(Duration::from_millis(50), source.list()).await.is_err());
    pbx.leave(IDS[0], "Erika", 60);
    assert_eq!(keys(&source.list().await.unwrap()), [IDS[0]]);
    assert_eq!(pbx.fake.with(|state| state.sessions), 2);
}

#[tokio::test]
async fn a_session_that_broke_is_made_again_at_once() {
    let pbx = Pbx::start().await;
    pbx.leave(IDS[0], "Erika", 60);
    for fault in [Fault::Cut, Fault::Goodbye, Fault::Hang] {
        let mut source = pbx.source();
        source.list().await.unwrap();
        pbx.fake.fault(fault);
        assert_eq!(keys(&source.list().await.unwrap()), [IDS[0]], "{fault:?}");
    }
}

#[tokio::test]
async fn whatever_goes_wrong_is_told_with_the_address_and_the_remedy_and_without_the_password() {
    let pbx = Pbx::start().await;
    let mut told = Vec::new();
    for fault in [Fault::HangAtOnce, Fault::Garbage, Fault::Hang, Fault::Cut, Fault::Goodbye] {
        pbx.fake.fault(fault);
        told.push(pbx.source().list().await.unwrap_err());
    }
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    told.push(pbx.source_with(|settings| settings.esl.address = nobody).list().await.unwrap_err());
    pbx.fake.with(|state| state.no_module = true);
    told.push(pbx.source().list().await.unwrap_err());
    for error in told {
        assert!(matches!(error, SourceError::Unreachable(_)), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("127.0.0.1:") && text.contains("remedy") && !text.contains(PASSWORD), "{text}");
    }
}

#[tokio::test]
async fn a_refused_password_and_a_refused_address_are_refusals() {
    let pbx = Pbx::start().await;
    for wrong in ["falsch", "ClueCon\n\napi shutdown"] {
        let mut source = pbx.source_with(|settings| settings.esl.password = SecretString::from(wrong));
        let error = source.list().await.unwrap_err();
        assert!(matches!(&error, SourceError::Refused(why) if why.contains("password") && !why.contains(wrong)));
    }
    pbx.fake.fault(Fault::Rude);
    let error = pbx.source().list().await.unwrap_err();
    assert!(matches!(&error, SourceError::Refused(why) if why.contains("apply-inbound-acl")), "{error}");
}

#[tokio::test]
async fn one_mailbox_without_its_profile_does_not_keep_the_others_waiting() {
    let pbx = Pbx::start().await;
    pbx.leave(IDS[0], "Erika", 60);
    let mut source = pbx.source_with(|settings| {
        settings.mailboxes.insert(0, Mailbox::parse("2000@pbx.example", Some("unknown")).unwrap());
        settings.mailboxes.push(Mailbox::parse("nobody@pbx.example", None).unwrap());
    });
    let listing = source.list().await.unwrap();
    assert_eq!(keys(&listing), [IDS[0]]);
    assert!(listing.troubles[0].loses_calls && listing.troubles[0].what.contains("2000@pbx.example"));
    let said = source.examine().await;
    assert_eq!(said.len(), 4);
    assert_eq!(said[1].as_deref(), Ok("1000@pbx.example: 1 messages"));
    assert!(said[2].as_ref().unwrap_err().contains("knows no nobody@pbx.example"));
    assert!(said[3].is_ok());
}

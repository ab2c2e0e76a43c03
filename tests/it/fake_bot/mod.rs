//! A Bot API on a free port of this machine, as strict as the real one, that remembers what it was asked and fails on
//! request. It runs on a thread of its own: it goes on answering while a test's own runtime stands still.
//!
//! Here: what a test sees and does. `server` is the wire and what goes wrong on it, `rules` is what Telegram accepts,
//! `limits` is how much of it.

mod limits;
mod rules;
mod server;

use std::collections::{BTreeMap, HashMap};
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};

pub(crate) use limits::Peaks;
pub(crate) use rules::parsed;

use limits::{Dice, Traffic};
use rules::chat_of;

const TOKEN: &str = "123456789:FAKE-token_only_for_tests";

/// Longest a test waits for something that should happen at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// What goes wrong with one call.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// 429 with this `retry_after` in seconds.
    TooMany(u64),
    /// 502 with a page of HTML, as from a gateway.
    BadGatewayHtml,
    /// The connection is cut without an answer; nothing is done.
    Drop,
    /// Done, then the connection is cut without an answer.
    DropAfterAccept,
    /// Never answered; nothing is done.
    Hang,
    /// Done, but never answered.
    HangAfterAccept,
    /// Done, but 200 with something unreadable.
    Garbled,
    /// 400 `can't parse entities`.
    ParseRefused,
    /// 400 about a button.
    ButtonsRefused,
    /// 409: a second poller.
    Conflict409,
    /// 409: a webhook is set.
    Webhook409,
    /// 403: the person blocked the bot.
    Blocked403,
    /// 400: the chat is not known.
    ChatNotFound,
    /// 400: the group has this new id.
    Migrate(i64),
    /// 400: no voice messages, please.
    VoiceForbidden,
    /// 401: the token was revoked.
    Unauthorized401,
    /// Any other error answer of the Bot API: code and description.
    Refused(u16, String),
}

/// One call as it arrived, whatever came of it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// In lower case: `sendmessage`.
    pub(crate) method: String,
    pub(crate) chat: Option<i64>,
    pub(crate) message: Option<i64>,
    /// `text` as sent, tags and all.
    pub(crate) text: Option<String>,
    pub(crate) caption: Option<String>,
    pub(crate) parse_mode: Option<String>,
    pub(crate) silent: bool,
    pub(crate) protect: bool,
    /// Whether Telegram may fetch an address in the text to show what is there.
    pub(crate) preview: bool,
    pub(crate) buttons: Vec<Vec<Key>>,
    pub(crate) reply_to: Option<i64>,
    pub(crate) callback: Option<String>,
    /// Size of the voice message or document.
    pub(crate) file_bytes: Option<usize>,
    /// HTTP status of the answer; 0 while there is none, or if there never was.
    pub(crate) status: u16,
    pub(crate) at: Instant,
}

/// A button as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) label: String,
    pub(crate) data: String,
}

/// A message as the phone shows it now.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) id: i64,
    /// Without tags; the caption of a file.
    pub(crate) text: String,
    pub(crate) buttons: Vec<Vec<Key>>,
    pub(crate) silent: bool,
    pub(crate) protect: bool,
    pub(crate) deleted: bool,
    pub(crate) edits: usize,
    pub(crate) reply_to: Option<i64>,
    pub(crate) file: Option<File>,
}

/// A file as the phone shows it.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// Shown with a play button: sent as a voice message and really Ogg.
    pub(crate) voice: bool,
}

/// Everything the fake knows.
#[derive(Default)]
pub(crate) struct World {
    calls: Vec<Call>,
    chats: BTreeMap<i64, Vec<Shown>>,
    names: HashMap<i64, String>,
    faults: Vec<Planned>,
    chance: Option<Chance>,
    traffic: Traffic,
    commands: Vec<(String, String)>,
    /// What people sent: by its id, where it lies and its bytes.
    uploads: BTreeMap<String, Upload>,
    updates: Vec<Value>,
    allowed: Vec<String>,
    open_presses: Vec<String>,
    last_update: i64,
    last_message: i64,
    poller: u64,
}

struct Planned {
    method: String,
    chat: Option<i64>,
    fault: Fault,
    lasting: bool,
}

/// Faults that strike by chance.
struct Chance {
    dice: Dice,
    faults: Vec<(u32, Fault)>,
}

/// A file that somebody sent to the bot.
struct Upload {
    path: String,
    bytes: Vec<u8>,
}

/// The Bot API with its control panel. Clones control the same one; it ends with the last of them.
#[derive(Clone)]
pub(crate) struct FakeBot {
    shared: Arc<Shared>,
    server: Arc<Server>,
}

struct Shared {
    world: Mutex<World>,
    changed: watch::Sender<u64>,
    address: SocketAddr,
    token: &'static str,
}

struct Server {
    runtime: tokio::runtime::Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.take().map(|stop| stop.send(()).ok());
        self.thread.take().map(|thread| thread.join().ok());
    }
}

impl World {
    /// The messages of a chat as shown now, deleted ones included, in the order they came.
    pub(crate) fn messages(&self, chat: i64) -> &[Shown] {
        self.chats.get(&chat).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// How often a method was called, whatever came of it.
    pub(crate) fn called(&self, method: &str) -> usize {
        self.calls.iter().filter(|call| call.method == method.to_lowercase()).count()
    }

    fn find(&mut self, chat: i64, id: i64) -> Option<&mut Shown> {
        self.chats.get_mut(&chat)?.iter_mut().find(|shown| shown.id == id && !shown.deleted)
    }

    fn user(&self, id: i64) -> Value {
        json!({"id": id, "is_bot": false, "first_name": self.names.get(&id).cloned().unwrap_or(format!("User {id}"))})
    }

    fn update(&mut self, kind: &str, content: Value) {
        if !self.allowed.is_empty() && !self.allowed.iter().any(|allowed| allowed == kind) {
            return;
        }
        self.last_update += 1;
        let mut update = json!({"update_id": self.last_update});
        update[kind] = content;
        self.updates.push(update);
    }

    fn fault(&mut self, method: &str, chat: Option<i64>) -> Option<Fault> {
        let fits = |plan: &Planned| {
            (plan.method == "*" || plan.method == method) && (plan.chat.is_none() || plan.chat == chat)
        };
        if let Some(at) = self.faults.iter().position(fits) {
            return Some(if self.faults[at].lasting {
                self.faults[at].fault.clone()
            } else {
                self.faults.remove(at).fault
            });
        }
        // a long poll that hangs would say more of its own length than of chance
        let chance = self.chance.as_mut().filter(|_| method != "getupdates")?;
        let rolled = chance.dice.percent();
        let mut below = 0;
        let struck = chance.faults.iter().find(|(percent, _)| {
            below += percent;
            rolled < below
        });
        struck.map(|(_, fault)| fault.clone())
    }
}

impl FakeBot {
    /// Starts one on a free port.
    pub(crate) async fn start() -> Self {
        let listener = StdListener::bind(("127.0.0.1", 0)).expect("a loopback port is free");
        listener.set_nonblocking(true).expect("a listener can be set non-blocking");
        let address = listener.local_addr().expect("a bound listener has an address");
        let shared =
            Arc::new(Shared { world: Mutex::default(), changed: watch::Sender::new(0), address, token: TOKEN });
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = oneshot::channel();
        let state = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            ready.send(runtime.handle().clone()).expect("the starter waits");
            runtime.block_on(async {
                tokio::select! {
                    () = server::serve(listener, state) => {}
                    _ = stopped => {}
                }
            });
        });
        let runtime = started.await.expect("the server's thread starts");
        let server = Server { runtime, stop: Some(stop), thread: Some(thread) };
        Self { shared, server: Arc::new(server) }
    }

    /// For `Bot::new`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    pub(crate) fn token(&self) -> &'static str {
        self.shared.token
    }

    /// What a chat shows now, in the order it came; deleted messages are there, and say so.
    pub(crate) fn messages(&self, chat: i64) -> Vec<Shown> {
        self.world().messages(chat).to_vec()
    }

    /// Every call so far, long polls included.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.world().calls.clone()
    }

    /// The calls of one method.
    pub(crate) fn calls_of(&self, method: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.method == method.to_lowercase()).collect()
    }

    /// Gives a user a name; without one he is `User 5`.
    pub(crate) fn name(&self, user: i64, name: &str) {
        self.world().names.insert(user, name.to_owned());
    }

    /// Presses the button with this label or data; gives the callback's id. The button must be there.
    pub(crate) fn press(&self, chat: i64, message: i64, label_or_data: &str, user: i64) -> String {
        let shown = self.world().find(chat, message).cloned().expect("the message is shown");
        let key = shown.buttons.iter().flatten().find(|key| key.label == label_or_data || key.data == label_or_data);
        let key = key.unwrap_or_else(|| panic!("no button {label_or_data:?} among {:?}", shown.buttons));
        self.press_forged(chat, message, &key.data, user)
    }

    /// A press with any data on any message: forged, or of a button that is no longer shown.
    pub(crate) fn press_forged(&self, chat: i64, message: i64, data: &str, user: i64) -> String {
        let mut world = self.world();
        let id = format!("{}", 4_000_000_000_000_000_000 + world.last_update);
        let press = json!({
            "id": id, "from": world.user(user), "chat_instance": "1", "data": data,
            "message": {"message_id": message, "date": 1, "chat": chat_of(chat), "text": "…"},
        });
        world.open_presses.push(id.clone());
        world.update("callback_query", press);
        drop(world);
        self.shared.changed();
        id
    }

    /// Somebody writes a text; gives the message's id.
    pub(crate) fn text_from(&self, chat: i64, user: i64, text: &str) -> i64 {
        self.message_from(chat, user, None, json!({"text": text}))
    }

    /// As [`FakeBot::text_from`], as an answer to a message.
    pub(crate) fn answer_from(&self, chat: i64, user: i64, message: i64, text: &str) -> i64 {
        self.message_from(chat, user, Some(message), json!({"text": text}))
    }

    /// Somebody says something (an answer to `reply_to`, if any); gives the message's id.
    pub(crate) fn voice_from(&self, chat: i64, user: i64, bytes: &[u8], seconds: u32, reply_to: Option<i64>) -> i64 {
        let mut world = self.world();
        let number = world.uploads.len() + 1;
        let file_id = format!("AwACAgIAAx-{number}");
        let voice = json!({
            "file_id": file_id, "file_unique_id": format!("u{number}"), "duration": seconds,
            "mime_type": "audio/ogg", "file_size": bytes.len(),
        });
        world.uploads.insert(file_id, Upload { path: format!("voice/file_{number}.oga"), bytes: bytes.to_vec() });
        drop(world);
        self.message_from(chat, user, reply_to, json!({"voice": voice}))
    }

    fn message_from(&self, chat: i64, user: i64, reply_to: Option<i64>, mut message: Value) -> i64 {
        let mut world = self.world();
        world.last_message += 1;
        let id = world.last_message;
        message["message_id"] = id.into();
        message["date"] = 1.into();
        message["chat"] = chat_of(chat);
        message["from"] = world.user(user);
        if let Some(answered) = reply_to {
            message["reply_to_message"] =
                json!({"message_id": answered, "date": 1, "chat": chat_of(chat), "text": "…"});
        }
        world.update("message", message);
        drop(world);
        self.shared.changed();
        id
    }

    /// What people sent is no longer to be had, as after an hour.
    pub(crate) fn forget_files(&self) {
        self.world().uploads.clear();
    }

    /// The commands as set last: name and description.
    pub(crate) fn commands(&self) -> Vec<(String, String)> {
        self.world().commands.clone()
    }

    /// From now on more than Telegram takes is refused: 30 messages in any second, one of them in a chat, 20 in any
    /// minute in a group.
    pub(crate) fn limit(&self) {
        self.world().traffic.limited = true;
    }

    /// The highest rates so far.
    pub(crate) fn peaks(&self) -> Peaks {
        self.world().peaks()
    }

    /// Hands out an update word for word but for its number; for what only the real Telegram would send.
    pub(crate) fn raw_update(&self, kind: &str, content: Value) {
        self.world().update(kind, content);
        self.shared.changed();
    }

    /// The next call of this method (`*`: any) fails so. Faults for the same method are used up in order.
    pub(crate) fn fail_next(&self, method: &str, fault: Fault) {
        self.plan(method, None, fault, false);
    }

    /// As [`FakeBot::fail_next`], for calls about one chat.
    pub(crate) fn fail_next_in(&self, chat: i64, method: &str, fault: Fault) {
        self.plan(method, Some(chat), fault, false);
    }

    /// As [`FakeBot::fail_always`], for calls about one chat.
    pub(crate) fn fail_always_in(&self, chat: i64, method: &str, fault: Fault) {
        self.plan(method, Some(chat), fault, true);
    }

    /// Every call of this method (`*`: any) fails so until [`FakeBot::heal`].
    pub(crate) fn fail_always(&self, method: &str, fault: Fault) {
        self.plan(method, None, fault, true);
    }

    /// So many of a hundred calls (long polls aside) fail so, by chance with this seed, until [`FakeBot::heal`].
    pub(crate) fn fail_some(&self, seed: u64, faults: &[(u32, Fault)]) {
        assert!(faults.iter().map(|(percent, _)| percent).sum::<u32>() <= 100, "more than all calls cannot fail");
        self.world().chance = Some(Chance { dice: Dice(seed), faults: faults.to_vec() });
    }

    /// Nothing fails any more.
    pub(crate) fn heal(&self) {
        let mut world = self.world();
        world.faults.clear();
        world.chance = None;
    }

    /// Waits until the state is so; false after ten seconds.
    pub(crate) async fn wait_until(&self, so: impl Fn(&World) -> bool) -> bool {
        let mut changes = self.shared.changed.subscribe();
        let (over, mut waited) = oneshot::channel::<()>();
        // on the server's runtime: the test's own clock may stand still
        self.server.runtime.spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            over.send(()).ok();
        });
        loop {
            changes.mark_unchanged();
            if so(&self.world()) {
                return true;
            }
            tokio::select! {
                _ = changes.changed() => {}
                _ = &mut waited => return so(&self.world()),
            }
        }
    }

    fn plan(&self, method: &str, chat: Option<i64>, fault: Fault, lasting: bool) {
        self.world().faults.push(Planned { method: method.to_lowercase(), chat, fault, lasting });
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no other test thread panicked with the fake's state")
    }

    fn changed(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
}

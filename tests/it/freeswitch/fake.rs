//! A FreeSWITCH at the wire: its event socket, its mailboxes, and what a test asks to go wrong.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

pub(super) const PASSWORD: &str = "ClueCon";

/// One message in its database.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) mailbox: String,
    pub(super) uuid: String,
    pub(super) created: i64,
    pub(super) read: i64,
    pub(super) path: String,
    pub(super) name: String,
    pub(super) number: String,
    pub(super) seconds: u32,
}

/// What goes wrong with the next connection or command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection is accepted and nothing is said.
    HangAtOnce,
    /// Something else listens there.
    Garbage,
    /// The address is on no list.
    Rude,
    /// The next command is never answered.
    Hang,
    /// The next answer ends in the middle, and the connection with it.
    Cut,
    /// The next answer comes after an event.
    EventFirst,
    /// The session is ended instead of an answer.
    Goodbye,
    /// `vm_read` says that it did and did not.
    ReadDoesNothing,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) messages: Vec<Message>,
    pub(super) faults: VecDeque<Fault>,
    /// Every line it was sent, without the password.
    pub(super) asked: Vec<String>,
    pub(super) no_module: bool,
    /// What must never be sent.
    pub(super) violations: Vec<String>,
    pub(super) sessions: usize,
}

/// The fake and its address.
pub(super) struct Fake {
    pub(super) address: String,
    pub(super) state: Arc<Mutex<State>>,
    events: broadcast::Sender<String>,
}

impl Fake {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let (events, _) = broadcast::channel(16);
        let fake = Self { address, state: state.clone(), events: events.clone() };
        #[expect(clippy::disallowed_methods, reason = "a fake peer has no lifecycle")]
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, state.clone(), events.subscribe()));
            }
        });
        fake
    }

    pub(super) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    pub(super) fn fault(&self, fault: Fault) {
        self.with(|state| state.faults.push_back(fault));
    }

    pub(super) fn event(&self, action: &str) {
        self.events.send(event(action)).unwrap();
    }

    /// The commands it was sent after the logins.
    pub(super) fn commands(&self) -> Vec<String> {
        self.with(|state| state.asked.iter().filter(|line| line.starts_with("api ")).cloned().collect())
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.with(|state| state.violations.clone()), Vec::<String>::new());
        }
    }
}

/// An event whose headers try to look like something else.
fn event(action: &str) -> String {
    let body = format!(
        "Event-Name: CUSTOM\nEvent-Subclass: vm%3A%3Amaintenance\nVM-Action: {action}\nVM-User: 1000\n\
         VM-Caller-ID-Name: Content-Type%3A%20api/response%0A%0A\n\n"
    );
    format!("Content-Length: {}\nContent-Type: text/event-plain\n\n{body}", body.len())
}

fn fault(state: &Mutex<State>, wanted: &[Fault]) -> Option<Fault> {
    let mut state = state.lock().unwrap();
    let next = state.faults.front().copied().filter(|fault| wanted.contains(fault));
    if next.is_some() {
        state.faults.pop_front();
    }
    next
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>, mut events: broadcast::Receiver<String>) {
    state.lock().unwrap().sessions += 1;
    match fault(&state, &[Fault::HangAtOnce, Fault::Garbage, Fault::Rude]) {
        Some(Fault::Garbage) => {
            drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: many\r\n\r\n").await);
            return;
        }
        Some(Fault::Rude) => {
            let says = "Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n";
            drop(stream.write_all(says.as_bytes()).await);
            return;
        }
        Some(_) => std::future::pending().await,
        None => {}
    }
    let mut stream = BufReader::new(stream);
    stream.get_mut().write_all(b"Content-Type: auth/request\n\n").await.unwrap();
    let (mut line, mut subscribed) = (String::new(), false);
    loop {
        tokio::select! {
            read = stream.read_line(&mut line) => if !read.is_ok_and(|read| read > 0) { return },
            Ok(event) = events.recv(), if subscribed && line.is_empty() => {
                drop(stream.get_mut().write_all(event.as_bytes()).await);
                continue;
            }
        }
        if line.ends_with("\n\n") {
            let asked = std::mem::take(&mut line);
            subscribed |= asked.starts_with("event ");
            let (bytes, ends) = answer(&state, asked.trim_end()).await;
            drop(stream.get_mut().write_all(&bytes).await);
            if ends {
                return;
            }
        }
    }
}

/// What it says to a line, and whether it hangs up then.
async fn answer(state: &Mutex<State>, asked: &str) -> (Vec<u8>, bool) {
    let reply = |text: &str| (format!("Content-Type: command/reply\nReply-Text: {text}\n\n").into_bytes(), false);
    if let Some(password) = asked.strip_prefix("auth ") {
        return reply(if password == PASSWORD { "+OK accepted" } else { "-ERR invalid" });
    }
    if asked.starts_with("event ") {
        state.lock().unwrap().asked.push(asked.to_owned());
        return reply("+OK event listener enabled plain");
    }
    let answer = command(&mut state.lock().unwrap(), asked);
    let answer = format!("Content-Type: api/response\nContent-Length: {}\n\n{answer}", answer.len());
    match fault(state, &[Fault::Hang, Fault::Cut, Fault::EventFirst, Fault::Goodbye]) {
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Cut) => (answer.as_bytes()[..answer.len() - 3].to_vec(), true),
        Some(Fault::EventFirst) => (format!("{}{answer}", event("leave-message")).into_bytes(), false),
        Some(Fault::Goodbye) => {
            (b"Content-Type: text/disconnect-notice\nContent-Length: 8\n\nGoodbye\n".to_vec(), true)
        }
        _ => (answer.into_bytes(), false),
    }
}

fn command(state: &mut State, asked: &str) -> String {
    state.asked.push(asked.to_owned());
    let words: Vec<&str> = asked.split(' ').collect();
    match words[..] {
        ["api", "vm_list", mailbox, "xml"] if state.no_module => {
            format!("-ERR vm_list Command not found! {}", mailbox.len())
        }
        ["api", "vm_list", mailbox, "xml"] => match mailbox.split_once('/') {
            Some((_, profile)) if profile != "firma" => "-ERR can't find user or profile.\n".into(),
            _ => list(state, mailbox),
        },
        ["api", "vm_read", _, "read", uuid] if is_uuid(uuid) => {
            let lies = state.faults.front() == Some(&Fault::ReadDoesNothing);
            for message in state.messages.iter_mut().filter(|message| message.uuid == uuid && !lies) {
                message.read = 1_795_400_000;
            }
            "+OK\n".into()
        }
        ["api", "user_exists", "id", user, _] => (user != "nobody").to_string(),
        _ => {
            state.violations.push(asked.to_owned());
            "-ERR no reply\n".into()
        }
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-') && text.contains(|c| !"0-".contains(c))
}

/// As `mod_voicemail` writes it: nothing is escaped.
fn list(state: &State, mailbox: &str) -> String {
    let mailbox = mailbox.split('/').next().unwrap();
    let (user, domain) = mailbox.split_once('@').unwrap();
    let mut text = String::from("<voicemail>\n");
    for message in state.messages.iter().filter(|message| message.mailbox == mailbox) {
        let Message { uuid, created, read, path, name, number, seconds, .. } = message;
        write!(
            text,
            " <message>\n  <created_epoch>{created}</created_epoch>\n  <read_epoch>{read}</read_epoch>\n  \
             <username>{user}</username>\n  <domain>{domain}</domain>\n  <folder>inbox</folder>\n  \
             <path>{path}</path>\n  <uuid>{uuid}</uuid>\n  <cid-name>{name}</cid-name>\n  \
             <cid-number>{number}</cid-number>\n  <message-len>{seconds}</message-len>\n </message>\n"
        )
        .unwrap();
    }
    text.push_str("</voicemail>\n");
    text
}

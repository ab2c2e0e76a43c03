//! A server that is written by hand, to misbehave as told; and a proxy that cuts the line.

use super::voicemail;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the server does after a line.
pub(crate) enum Reply {
    /// `{tag}` stands for the command's tag.
    Say(String),
    SayAndClose(String),
    Hang,
}

pub(crate) fn say(text: &str) -> Reply {
    Reply::Say(text.to_owned())
}

pub(crate) type Act = dyn Fn(usize, &str) -> Reply + Send + Sync;

pub(crate) struct Fake {
    pub(crate) port: u16,
    lines: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Fake {
    /// A server that greets with `greeting` (None: not at all) and answers each line by `act` (connection, line).
    pub(crate) async fn start(
        greeting: Option<&'static str>,
        act: impl Fn(usize, &str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (lines, connections) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let act: Arc<Act> = Arc::new(act);
        let (seen, counted) = (lines.clone(), connections.clone());
        #[expect(clippy::disallowed_methods, reason = "a test's server ends with its runtime")]
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let number = counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, greeting, number, act.clone(), seen.clone()));
            }
        });
        Self { port, lines, connections }
    }

    /// Every line that clients sent.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

pub(crate) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    greeting: Option<&'static str>,
    number: usize,
    act: Arc<Act>,
    seen: Arc<Mutex<Vec<String>>>,
) {
    let mut stream = stream;
    let Some(greeting) = greeting else { return std::future::pending().await };
    if stream.write_all(format!("{greeting}\r\n").as_bytes()).await.is_err() {
        return;
    }
    serve_greeted(stream, number, act, seen).await;
}

pub(crate) async fn serve_greeted(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    number: usize,
    act: Arc<Act>,
    seen: Arc<Mutex<Vec<String>>>,
) {
    let mut stream = BufReader::new(stream);
    let (mut line, mut tag, mut more) = (String::new(), String::new(), false);
    loop {
        line.clear();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let said = line.trim_end().to_owned();
        seen.lock().unwrap().push(said.clone());
        let command = if more || said == "DONE" {
            said
        } else {
            let (own, command) = said.split_once(' ').unwrap_or((&said, ""));
            tag = own.to_owned();
            command.to_owned()
        };
        let (text, close) = match act(number, &command) {
            Reply::Say(text) => (text, false),
            Reply::SayAndClose(text) => (text, true),
            Reply::Hang => std::future::pending().await,
        };
        more = text.starts_with('+') && !command.starts_with("IDLE");
        if stream.write_all(text.replace("{tag}", &tag).as_bytes()).await.is_err() || close {
            return;
        }
    }
}

/// The answers of a server on which all is well: two recordings in a folder of generation 7.
pub(crate) fn well(abilities: &str, command: &str) -> Reply {
    let mail = |number: u32| voicemail(number);
    let text = match command {
        _ if command.starts_with("CAPABILITY") => {
            format!("* CAPABILITY IMAP4rev1 {abilities}\r\n{{tag}} OK done\r\n")
        }
        _ if command.starts_with("SELECT") => "* FLAGS (\\Seen)\r\n* 2 EXISTS\r\n\
            * OK [PERMANENTFLAGS (\\Seen \\*)] flags\r\n* OK [UIDVALIDITY 7] numbers\r\n* OK [UIDNEXT 3] next\r\n\
            {tag} OK [READ-WRITE] open\r\n"
            .to_owned(),
        _ if command.starts_with("UID SEARCH") => "* SEARCH 1 2\r\n{tag} OK done\r\n".to_owned(),
        _ if command.starts_with("UID FETCH") && command.contains("RFC822.SIZE") => {
            let line = |number: u32| {
                format!(
                    "* {number} FETCH (UID {number} RFC822.SIZE {} INTERNALDATE \"28-Nov-2099 10:00:00 +0100\")\r\n",
                    mail(number).len()
                )
            };
            format!("{}{}{{tag}} OK done\r\n", line(1), line(2))
        }
        _ if command.starts_with("UID FETCH") => {
            let body = |number: u32| {
                let mail = mail(number);
                format!("* {number} FETCH (UID {number} BODY[] {{{}}}\r\n{mail})\r\n", mail.len())
            };
            format!("{}{}{{tag}} OK done\r\n", body(1), body(2))
        }
        "IDLE" => "+ idling\r\n".to_owned(),
        _ => "{tag} OK done\r\n".to_owned(),
    };
    Reply::Say(text)
}

/// A line to `port` that is cut after some bytes from the server, and again after each later budget; none = never.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    left: Arc<AtomicU64>,
    cuts: Arc<AtomicUsize>,
}

impl Proxy {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let (left, cuts) = (Arc::new(AtomicU64::new(u64::MAX)), Arc::new(AtomicUsize::new(0)));
        let (budget, counted) = (left.clone(), cuts.clone());
        #[expect(clippy::disallowed_methods, reason = "a test's proxy ends with its runtime")]
        tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let (budget, counted) = (budget.clone(), counted.clone());
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
                    let (mut near_read, mut near_write) = near.into_split();
                    let (mut far_read, mut far_write) = far.into_split();
                    let up = async { drop(tokio::io::copy(&mut near_read, &mut far_write).await) };
                    let down = async {
                        let mut buffer = [0; 1024];
                        while let Ok(read @ 1..) = far_read.read(&mut buffer).await {
                            let allowed = budget.load(Ordering::SeqCst).min(read as u64);
                            let passed = &buffer[..usize::try_from(allowed).unwrap()];
                            if near_write.write_all(passed).await.is_err() {
                                return;
                            }
                            if allowed < read as u64 {
                                counted.fetch_add(1, Ordering::SeqCst);
                                return;
                            }
                            if budget.load(Ordering::SeqCst) != u64::MAX {
                                budget.fetch_sub(allowed, Ordering::SeqCst);
                            }
                        }
                    };
                    tokio::select! { () = up => {}, () = down => {} }
                });
            }
        });
        Self { port: own, left, cuts }
    }

    /// The line is cut after so many more bytes from the server.
    pub(crate) fn cut_after(&self, bytes: u64) {
        self.left.store(bytes, Ordering::SeqCst);
    }

    pub(crate) fn cuts(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }
}

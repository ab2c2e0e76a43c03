//! A mail server that keeps what it is given, and fails as a test tells it to (RFC 5321).

use nachtwache::config::{Smtp, SmtpTls};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What a verb is answered with; "" = the connection ends there.
type Answers = Vec<(&'static str, &'static str)>;

pub(crate) struct MailServer {
    pub(crate) port: u16,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    mails: Vec<String>,
    verbs: Vec<String>,
}

impl MailServer {
    /// Answers these verbs so; the verb "." is the end of a mail.
    #[expect(clippy::disallowed_methods, reason = "a peer of its own, it ends with the test")]
    pub(crate) async fn start(answers: &[(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (answers, keeper) = (answers.to_vec(), seen.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                talk(socket, &answers, &keeper).await;
            }
        });
        Self { port, seen }
    }

    /// The mails, each with its envelope in front.
    pub(crate) fn kept(&self) -> Vec<String> {
        self.seen.lock().unwrap().mails.clone()
    }

    /// Every verb it was sent.
    pub(crate) fn verbs(&self) -> Vec<String> {
        self.seen.lock().unwrap().verbs.clone()
    }
}

/// Settings for a server on this machine.
pub(crate) fn smtp(port: u16) -> Smtp {
    Smtp {
        host: "127.0.0.1".into(),
        port,
        tls: SmtpTls::None,
        username: None,
        password: None,
        from: "Notdienst <service@kister-it.de>".into(),
    }
}

/// A mail's body, its transfer encoding undone.
pub(crate) fn readable(mail: &str) -> String {
    let mail = mail.split_once("\nFrom").map_or(mail, |(_, rest)| rest);
    mail_parser::MessageParser::default().parse(mail).unwrap().body_text(0).unwrap().into_owned()
}

/// One conversation.
async fn talk(socket: TcpStream, answers: &Answers, seen: &Mutex<Seen>) {
    let (read, mut write) = socket.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 mx.example ESMTP\r\n").await.unwrap();
    let mut envelope = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut verb = line.split([' ', ':']).next().unwrap_or("").to_ascii_uppercase();
        seen.lock().unwrap().verbs.push(verb.clone());
        if matches!(verb.as_str(), "MAIL" | "RCPT") {
            envelope.push_str(&line);
            envelope.push('\n');
        }
        if verb == "DATA" {
            write.write_all(b"354 go on\r\n").await.unwrap();
            let mut text = envelope.clone();
            while let Ok(Some(line)) = lines.next_line().await {
                if line == "." {
                    break;
                }
                text.push_str(&line);
                text.push('\n');
            }
            seen.lock().unwrap().mails.push(text);
            verb = ".".into();
        }
        let known = answers.iter().find(|(known, _)| *known == verb).map(|(_, answer)| *answer);
        let answer = known.unwrap_or(if verb == "QUIT" { "221 bye" } else { "250 ok" });
        if answer.is_empty() || write.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            break;
        }
    }
}

//! Asterisk's manager interface: moving one message to another folder. Since Asterisk 18.20 and 20.5.
//!
//! Asterisk answers `Response: Success` to a move that failed; its `Message:` tells. That line ends in a bare line feed
//! more than the protocol asks for, which looks like an empty packet. Values are the caller's text: only the first
//! `: ` of a line divides.

use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest line read, in bytes.
const LINE_MAX: u64 = 64 * 1024;

/// How to reach the manager interface.
#[derive(Debug)]
pub struct AmiSettings {
    /// Host and port, usually `127.0.0.1:5038`.
    pub address: String,
    /// The section of `manager.conf`; needs the right `user` for writing.
    pub username: String,
    /// Its secret.
    pub secret: SecretString,
    /// Where messages go when they are safe, usually `Old`.
    pub to_folder: String,
    /// For the whole exchange.
    pub timeout: Duration,
}

/// The message to move.
pub(super) struct Move<'a> {
    pub(super) context: &'a str,
    pub(super) mailbox: &'a str,
    pub(super) folder: &'a str,
    pub(super) id: &'a str,
}

/// What Asterisk answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It has been moved.
    Moved,
    /// It was not; Asterisk's words.
    NotMoved(String),
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum AmiError {
    #[error("Asterisk's manager interface at {0} cannot be reached: {1}; remedy: check the address and manager.conf")]
    Connection(String, std::io::Error),
    #[error("Asterisk's manager interface at {0} did not answer in time; remedy: see whether Asterisk hangs")]
    Timeout(String),
    #[error("Asterisk refused the login of {0}: {1}; remedy: check user name and secret against manager.conf")]
    Login(String, String),
    #[error("Asterisk refused to move messages for {0}: {1}; remedy: give it write = user in manager.conf")]
    Refused(String, String),
    #[error("a name in {0:?} cannot be sent to Asterisk: it has a line break")]
    Name(String),
}

/// Asks Asterisk to move a message.
pub(super) async fn move_message(settings: &AmiSettings, request: &Move<'_>) -> Result<Answer, AmiError> {
    match timeout(settings.timeout, exchange(settings, request)).await {
        Ok(answer) => answer,
        Err(_) => Err(AmiError::Timeout(settings.address.clone())),
    }
}

async fn exchange(settings: &AmiSettings, request: &Move<'_>) -> Result<Answer, AmiError> {
    let lost = |error| AmiError::Connection(settings.address.clone(), error);
    let stream = TcpStream::connect(&settings.address).await.map_err(lost)?;
    let mut peer = BufReader::new(stream);
    let secret = settings.secret.expose_secret();
    let login = [("Action", "Login"), ("ActionID", "login"), ("Username", &settings.username), ("Secret", secret)];
    let login = [&login[..], &[("Events", "off")]].concat();
    let answer = ask(&mut peer, &packet(&login)?, "login").await.map_err(lost)?;
    if answer.response != "Success" {
        return Err(AmiError::Login(settings.username.clone(), answer.message));
    }
    let action = [
        ("Action", "VoicemailMove"),
        ("ActionID", "move"),
        ("Context", request.context),
        ("Mailbox", request.mailbox),
        ("Folder", request.folder),
        ("ID", request.id),
        ("ToFolder", &settings.to_folder),
    ];
    let answer = ask(&mut peer, &packet(&action)?, "move").await.map_err(lost)?;
    // a courtesy: the answer is known
    drop(peer.get_mut().write_all(b"Action: Logoff\r\n\r\n").await);
    match (answer.response.as_str(), answer.message.contains("successful")) {
        ("Success", true) => Ok(Answer::Moved),
        ("Success", false) => Ok(Answer::NotMoved(answer.message)),
        _ => Err(AmiError::Refused(settings.username.clone(), answer.message)),
    }
}

fn packet(lines: &[(&str, &str)]) -> Result<String, AmiError> {
    let mut text = String::new();
    for (key, value) in lines {
        if value.contains(['\r', '\n', '\0']) {
            return Err(AmiError::Name((*key).to_owned()));
        }
        text.extend([*key, ": ", *value, "\r\n"]);
    }
    text.push_str("\r\n");
    Ok(text)
}

#[derive(Debug, Default)]
struct Reply {
    id: String,
    response: String,
    message: String,
}

/// Sends a packet and waits for the answer that carries its id; events between are nobody's business.
async fn ask(peer: &mut BufReader<TcpStream>, packet: &str, id: &str) -> std::io::Result<Reply> {
    peer.get_mut().write_all(packet.as_bytes()).await?;
    loop {
        let reply = reply(peer).await?;
        if reply.id == id && !reply.response.is_empty() {
            return Ok(reply);
        }
    }
}

/// The next packet; an empty one is a packet without anything in it.
async fn reply(peer: &mut BufReader<TcpStream>) -> std::io::Result<Reply> {
    let mut reply = Reply::default();
    loop {
        let mut line = Vec::new();
        let read = (&mut *peer).take(LINE_MAX).read_until(b'\n', &mut line).await?;
        if read == 0 {
            return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "it hung up"));
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            return Ok(reply);
        }
        // the greeting has no ": "
        let Some((key, value)) = line.split_once(": ") else { continue };
        match key {
            "ActionID" => value.clone_into(&mut reply.id),
            "Response" => value.clone_into(&mut reply.response),
            "Message" => value.clone_into(&mut reply.message),
            _ => {}
        }
    }
}

//! Moving a message over the manager interface, against the words of a real Asterisk.

use super::{ERIKA, snapshot};
use nachtwache::intake::asterisk::{AmiSettings, AsteriskSpool, SpoolSettings};
use nachtwache::intake::source::{Found, Source, SourceError};
use secrecy::SecretString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const GREETING: &str = "Asterisk Call Manager/11.0.0\r\n";
const WELCOME: &str = "Response: Success\r\nActionID: login\r\nMessage: Authentication accepted\r\n\r\n";
/// On the wire the text of a move ends in one line feed more.
const MOVED: &str = "Response: Success\r\nActionID: move\r\nMessage: Message move successful\n\r\n\r\n";
const NOT_MOVED: &str = "Response: Success\r\nActionID: move\r\nMessage: Message move failed\n\r\n\r\n";
/// Comes between, with a caller who tries to look like an answer.
const EVENT: &str = "Event: VoicemailBoxDetail\r\nActionID: s1\r\nCallerID: \"Response: Error\" <01701234567>\r\n\r\n\
    Event: MessageWaiting\r\nPrivilege: call,all\r\nMailbox: 100@default\r\nWaiting: 1\r\nNew: 5\r\nOld: 1\r\n\r\n";

/// Answers each packet in turn, hangs when it has no more answers; gives what it was asked.
async fn asterisk(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    #[expect(clippy::disallowed_methods, reason = "a fake peer has no lifecycle")]
    let peer = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        stream.get_mut().write_all(GREETING.as_bytes()).await.unwrap();
        let (mut asked, mut packet, mut answers) = (Vec::new(), String::new(), answers.into_iter());
        while stream.read_line(&mut packet).await.is_ok_and(|read| read > 0) {
            if packet.ends_with("\r\n\r\n") {
                asked.push(std::mem::take(&mut packet));
                if let Some(answer) = answers.next() {
                    stream.get_mut().write_all(answer.as_bytes()).await.unwrap();
                }
            }
        }
        asked
    });
    (address, peer)
}

fn source(root: &Path, address: String) -> AsteriskSpool {
    let mut settings = SpoolSettings::new(root.to_owned());
    settings.ami = Some(AmiSettings {
        address,
        username: "test".to_owned(),
        secret: SecretString::from("geheim"),
        to_folder: "Old".to_owned(),
        timeout: Duration::from_millis(500),
    });
    AsteriskSpool::new("pbx".to_owned(), settings)
}

/// Confirms Erika's message against these answers: the result, what Asterisk was asked, and the spool.
async fn confirm(answers: &[&str], prepare: impl FnOnce(&PathBuf)) -> (Result<(), SourceError>, Vec<String>) {
    let (_folder, root) = snapshot("run1-normal/04-all");
    let (address, peer) = asterisk(answers.iter().map(|answer| (*answer).to_owned()).collect()).await;
    let mut source = source(&root, address);
    let listing = source.list().await.unwrap();
    let erika = listing.found.into_iter().find(|found| found.key == ERIKA).unwrap();
    prepare(&root);
    let result = source.confirm(&erika).await;
    drop(source);
    (result, peer.await.unwrap())
}

#[tokio::test]
async fn a_message_that_is_safe_is_moved_by_asterisk() {
    let (result, asked) = confirm(&[WELCOME, &format!("{EVENT}{MOVED}")], |_| {}).await;
    result.unwrap();
    assert_eq!(asked[0], "Action: Login\r\nActionID: login\r\nUsername: test\r\nSecret: geheim\r\nEvents: off\r\n\r\n");
    assert_eq!(
        asked[1],
        "Action: VoicemailMove\r\nActionID: move\r\nContext: default\r\nMailbox: 100\r\nFolder: INBOX\r\n\
         ID: 1795342769-00000000\r\nToFolder: Old\r\n\r\n"
    );
}

#[tokio::test]
async fn a_success_that_says_failed_is_a_failure_while_the_message_still_lies_there() {
    let (result, _) = confirm(&[WELCOME, &format!("{EVENT}{NOT_MOVED}{EVENT}")], |_| {}).await;
    let SourceError::Unreachable(why) = result.unwrap_err() else { panic!("another error") };
    assert!(why.contains("Message move failed") && why.contains("full"), "{why}");
}

#[tokio::test]
async fn an_old_asterisk_or_a_login_without_rights_is_named_with_the_remedy() {
    let denied = "Response: Error\r\nActionID: move\r\nMessage: Permission denied\r\n\r\n";
    let (result, _) = confirm(&[WELCOME, denied], |_| {}).await;
    assert!(result.unwrap_err().to_string().contains("manager.conf"));
    let refused = "Response: Error\r\nActionID: login\r\nMessage: Authentication failed\r\n\r\n";
    let (result, _) = confirm(&[refused], |_| {}).await;
    let why = result.unwrap_err().to_string();
    assert!(why.contains("login of test") && !why.contains("geheim"), "{why}");
}

#[tokio::test]
async fn a_hanging_asterisk_is_an_error_in_time() {
    let (result, _) = confirm(&[WELCOME], |_| {}).await;
    assert!(result.unwrap_err().to_string().contains("did not answer in time"));
}

#[tokio::test]
async fn a_message_moved_by_somebody_else_needs_no_asterisk() {
    let (_folder, root) = snapshot("run1-normal/05-first-moved-to-Old-rest-renumbered");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut source = source(&root, listener.local_addr().unwrap().to_string());
    let erika = Found { key: ERIKA.to_owned(), place: String::new() };
    source.confirm(&erika).await.unwrap();
    fs::remove_dir_all(root.join("default/100")).unwrap();
    source.confirm(&erika).await.unwrap();
}

#[tokio::test]
async fn a_move_that_failed_because_somebody_was_faster_is_fine() {
    let (_folder, root) = snapshot("run1-normal/04-all");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut source = source(&root, listener.local_addr().unwrap().to_string());
    #[expect(clippy::disallowed_methods, reason = "a fake peer has no lifecycle")]
    let peer = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let mut packet = String::new();
        stream.get_mut().write_all(format!("{GREETING}{WELCOME}").as_bytes()).await.unwrap();
        while !packet.ends_with("ToFolder: Old\r\n\r\n") {
            stream.read_line(&mut packet).await.unwrap();
        }
        for ending in ["txt", "wav", "gsm", "WAV"] {
            fs::remove_file(root.join(format!("default/100/INBOX/msg0000.{ending}"))).unwrap();
        }
        stream.get_mut().write_all(NOT_MOVED.as_bytes()).await.unwrap();
    });
    source.confirm(&Found { key: ERIKA.to_owned(), place: String::new() }).await.unwrap();
    peer.await.unwrap();
}

#[tokio::test]
async fn without_a_manager_interface_confirming_does_nothing() {
    let (_folder, root) = snapshot("run1-normal/01-one-new");
    let mut source = AsteriskSpool::new("pbx".to_owned(), SpoolSettings::new(root));
    let found = source.list().await.unwrap().found.remove(0);
    source.confirm(&found).await.unwrap();
    source.confirm(&found).await.unwrap();
}

//! Mails out, by the server of `[smtp]`.
//!
//! Promise: what is called not delivered was provably not taken. Between the end of a message and the server's answer
//! nothing is proven. The server's own words never stand in an error of a delivery: they may quote the address.

use crate::config::{Smtp, SmtpTls};
use lettre::address::Envelope;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::ExposeSecret as _;
use std::time::Duration;

/// One command of a conversation, and a whole one.
const COMMAND: Duration = Duration::from_secs(20);
const WHOLE: Duration = Duration::from_secs(40);

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Why a mail did not go out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Provably not taken; may be tried again.
    #[error("the mail server did not take it: {0}")]
    NotDelivered(String),
    /// It may have been taken.
    #[error("broken off; it may have been taken: {0}")]
    Unknown(String),
    /// Refused for good, or it cannot be a mail at all.
    #[error("refused: {0}")]
    Refused(String),
}

/// A mail as somebody wants it.
#[derive(Debug, Clone, Copy)]
pub struct Mail<'a> {
    /// The receiver's address.
    pub to: &'a str,
    /// The subject.
    pub subject: &'a str,
    /// The text.
    pub text: &'a str,
    /// More headers.
    pub headers: &'a [(&'static str, &'a str)],
    /// Whether the sender stands on the envelope, so that a failure comes back to him; never for the answer to a mail.
    pub bounces: bool,
}

/// A mail as it goes out.
#[derive(Debug)]
pub struct Letter {
    envelope: Envelope,
    bytes: Vec<u8>,
}

/// Sends mails.
#[derive(Clone)]
pub struct Mailer {
    smtp: Transport,
    from: Mailbox,
}

impl Mailer {
    /// By the mail server of the settings; nothing is reached for yet.
    ///
    /// # Errors
    /// Where sender, host or secret cannot be used; the text names the key.
    pub fn new(settings: &Smtp) -> Result<Self, String> {
        let from = settings.from.parse().map_err(|error| format!("smtp.from: {error}"))?;
        Ok(Self { smtp: transport(settings)?, from })
    }

    /// The mail as it would go out; `None` where the address is none.
    #[must_use]
    pub fn letter(&self, mail: &Mail<'_>) -> Option<Letter> {
        let to = mail.to.parse::<Address>().ok()?;
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.clone()))
            .subject(one_line(mail.subject))
            .message_id(None)
            .header(ContentType::TEXT_PLAIN);
        for (name, value) in mail.headers {
            let name = HeaderName::new_from_ascii((*name).to_owned()).ok()?;
            message = message.raw_header(HeaderValue::new(name, one_line(value)));
        }
        let sender = mail.bounces.then(|| self.from.email.clone());
        let envelope = Envelope::new(sender, vec![to]).ok()?;
        let bytes = message.body(mail.text.to_owned()).ok()?.formatted();
        Some(Letter { envelope, bytes })
    }

    /// Whether the mail server answers and lets us in. Nobody is told.
    ///
    /// # Errors
    /// What it said instead.
    pub async fn probe(&self) -> Result<(), String> {
        match tokio::time::timeout(WHOLE, self.smtp.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err("the mail server does not answer as one".into()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the mail server does not answer in time".into()),
        }
    }

    /// Hands a letter to the mail server; does not look beforehand whether it is there.
    ///
    /// # Errors
    /// See [`MailError`]. A server that cannot be reached gives `Unknown` here: probe first.
    pub async fn deliver(&self, letter: &Letter) -> Result<(), MailError> {
        match tokio::time::timeout(WHOLE, self.smtp.send_raw(&letter.envelope, &letter.bytes)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                let code = error.status().map(|code| format!("status {code}")).unwrap_or_default();
                Err(match (error.is_transient(), error.is_permanent()) {
                    (true, _) => MailError::NotDelivered(code),
                    (_, true) => MailError::Refused(code),
                    _ if error.is_tls() => MailError::NotDelivered("TLS fails".into()),
                    _ => MailError::Unknown("the connection broke".into()),
                })
            }
            Err(_) => Err(MailError::Unknown("no answer in time".into())),
        }
    }

    /// Looks whether the mail server is there, and hands it the mail.
    ///
    /// # Errors
    /// See [`MailError`].
    pub async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        let letter = self.letter(mail).ok_or_else(|| MailError::Refused("it cannot be made a mail".into()))?;
        self.probe().await.map_err(MailError::NotDelivered)?;
        self.deliver(&letter).await
    }
}

/// Without line ends and other control characters, which end a header.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn transport(settings: &Smtp) -> Result<Transport, String> {
    let host = settings.host.as_str();
    let builder = match settings.tls {
        SmtpTls::Implicit => Transport::relay(host),
        SmtpTls::Starttls => Transport::starttls_relay(host),
        SmtpTls::None => Ok(Transport::builder_dangerous(host)),
    };
    let builder = builder.map_err(|error| format!("smtp.host: {error}"))?;
    let mut builder = builder.port(settings.port).timeout(Some(COMMAND));
    if let (Some(user), Some(secret)) = (&settings.username, &settings.password) {
        let password = secret.reveal().map_err(|error| format!("smtp.password: {error}"))?;
        builder = builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
    }
    Ok(builder.build())
}

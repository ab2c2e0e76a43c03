//! Notices to somebody, whatever his ways.

use super::notices::{Plan, plan};
use super::{Result, Tx};
use crate::domain::notice::{NoticeKind, Recipient};
use chrono::{DateTime, Utc};

/// Plans a notice by every way to somebody at once: Telegram, and each of his channels.
///
/// # Errors
/// Where the database refused.
pub async fn by_all(tx: &mut Tx, to: &Recipient, notice: &Plan, now: DateTime<Utc>) -> Result<()> {
    let notice = Plan { recipient: to.name.clone(), ..notice.clone() };
    if let Some(chat) = to.chat {
        plan(tx, &Plan { chat, ..notice.clone() }, now).await?;
    }
    for channel in &to.channels {
        plan(tx, &notice.by(channel), now).await?;
    }
    Ok(())
}

/// Plans a text to somebody: by Telegram; loud, by every other way too.
///
/// # Errors
/// Where the database refused.
pub async fn text(tx: &mut Tx, to: &Recipient, words: &str, loud: bool, now: DateTime<Utc>) -> Result<()> {
    let notice = Plan { loud, body: Some(words.to_owned()), ..Plan::new(NoticeKind::Message, &to.name, 0) };
    match to.chat {
        _ if loud => by_all(tx, to, &notice, now).await,
        Some(chat) => plan(tx, &Plan { chat, ..notice }, now).await.map(drop),
        None => Ok(()),
    }
}

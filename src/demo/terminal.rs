//! The phone on the terminal: messages as bubbles, changes and removals as one line.

use crate::escalate::notifier::{Attachment, Face, How, Notifier, NotifyError};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Letters in a line of a bubble: what a phone shows upright.
const WIDTH: usize = 44;

/// Shows messages on the terminal.
pub(super) struct Terminal {
    say: fn(&str),
    /// The first line of every message, by number.
    shown: Mutex<HashMap<i64, String>>,
}

impl Terminal {
    /// Prints by `say`.
    pub(super) fn new(say: fn(&str)) -> Self {
        Self { say, shown: Mutex::new(HashMap::new()) }
    }

    fn remember(&self, face: &Face, message: Option<i64>) -> i64 {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let number = message.unwrap_or_else(|| i64::try_from(shown.len()).unwrap_or(0) + 1);
        shown.insert(number, face.text.lines().last().unwrap_or("").to_owned());
        number
    }
}

#[async_trait]
impl Notifier for Terminal {
    async fn show(&self, how: How, face: &Face) -> Result<i64, NotifyError> {
        let number = self.remember(face, None);
        (self.say)(&bubble(number, how, face));
        Ok(number)
    }

    async fn change(&self, _chat: i64, message: i64, face: &Face, captioned: bool) -> Result<(), NotifyError> {
        self.remember(face, Some(message));
        let news = if captioned { face.text.lines().last() } else { face.text.lines().next() };
        (self.say)(&format!("   ✎ Nachricht {message} jetzt: {}", news.unwrap_or("")));
        Ok(())
    }

    async fn remove(&self, _chat: i64, message: i64) -> Result<(), NotifyError> {
        (self.say)(&format!("   ✗ Nachricht {message} entfernt"));
        Ok(())
    }
}

fn bubble(number: i64, how: How, face: &Face) -> String {
    let who = if how.chat == 2 { "Bernd" } else { "Anna" };
    let sound = if how.loud { "🔔 laut" } else { "🔕 leise" };
    let mut lines = vec![format!("┌─ an {who} · {sound} · Nachricht {number}")];
    match &face.attachment {
        Some(Attachment::Voice(_)) => lines.push("│ ▶ ━━━━━━━━━━━ Sprachnachricht".into()),
        Some(Attachment::File(_, name)) => lines.push(format!("│ 📎 {name}")),
        None => {}
    }
    lines.extend(face.text.lines().flat_map(wrapped).map(|line| format!("│ {line}")));
    for row in &face.buttons {
        let keys: Vec<String> = row.iter().map(|button| format!("[ {} ]", button.label)).collect();
        lines.push(format!("│ {}", keys.join(" ")));
    }
    lines.push("└─".into());
    lines.join("\n")
}

fn wrapped(line: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.last_mut().expect("there is always a last line");
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_broken_between_words() {
        let lines = wrapped("Internet seit heute Mittag komplett tot, Leitstelle läuft darüber und steht");
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
        assert_eq!(lines.join(" ").split(' ').count(), 11);
    }
}

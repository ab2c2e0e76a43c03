//! The box's call monitor, TCP 1012: lines about calls as they happen. A hint to look, never more.
//!
//! It is off until somebody dials `#96*5*`; then and whenever it breaks off, the poll alone finds the messages, and it is
//! tried again quietly. What is read is bounded, what is not understood passed over.

use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// The answering machines' extensions.
const MACHINES: std::ops::RangeInclusive<u32> = 40..=44;
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// Pause until the next try.
const PAUSE: Duration = Duration::from_secs(30);
/// A connection that says nothing for so long may be dead.
const SILENCE: Duration = Duration::from_mins(30);
/// Longer lines are none.
const LINE_MAX: usize = 1024;
/// A box has few lines; more calls at once are not remembered.
const CALLS_MAX: usize = 64;

/// What is known of the calls.
#[derive(Debug, Default)]
struct Calls {
    /// Whether an answering machine took the call, by its number.
    taken: HashMap<u32, bool>,
}

impl Calls {
    /// Whether a call that an answering machine had taken ended with this line:
    /// `date;CONNECT;id;extension;number;` and `date;DISCONNECT;id;seconds;`.
    fn ended(&mut self, line: &str) -> bool {
        let mut parts = line.split(';').skip(1);
        let (Some(event), Some(Ok(id))) = (parts.next(), parts.next().map(str::parse)) else { return false };
        match event {
            "CONNECT" if self.taken.len() < CALLS_MAX => {
                let by_machine =
                    parts.next().and_then(|word| word.parse().ok()).is_some_and(|at| MACHINES.contains(&at));
                self.taken.insert(id, by_machine);
                false
            }
            "DISCONNECT" => self.taken.remove(&id) == Some(true),
            _ => false,
        }
    }
}

/// Listens to the call monitor.
pub(super) struct Monitor {
    address: String,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
    calls: Calls,
    heard_at: Instant,
    next_try: Option<Instant>,
}

impl Monitor {
    /// The call monitor at host and port; nothing is reached for yet.
    pub(super) fn new(address: String) -> Self {
        let calls = Calls::default();
        Self { address, stream: None, buffer: Vec::new(), calls, heard_at: Instant::now(), next_try: None }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Whether it can be reached now.
    pub(super) async fn reach(&self) -> Result<TcpStream, String> {
        match tokio::time::timeout(CONNECT_LIMIT, TcpStream::connect(&self.address)).await {
            Ok(connected) => connected.map_err(|error| error.to_string()),
            Err(_) => Err("no answer in time".into()),
        }
    }

    /// Returns when a call that an answering machine had taken ended. May be dropped at any time.
    pub(super) async fn call_ended(&mut self) {
        loop {
            if self.stream.is_none() {
                let wait = self.next_try.map(|at| at.saturating_duration_since(Instant::now())).unwrap_or_default();
                tokio::time::sleep(wait).await;
                self.next_try = Some(Instant::now() + PAUSE);
                (self.stream, self.heard_at) = (self.reach().await.ok(), Instant::now());
                self.buffer.clear();
                self.calls = Calls::default();
            }
            let Some(stream) = &mut self.stream else { continue };
            let patience = SILENCE.saturating_sub(self.heard_at.elapsed());
            // what was read lies in the buffer before this can be dropped
            match tokio::time::timeout(patience, stream.read_buf(&mut self.buffer)).await {
                Ok(Ok(read)) if read > 0 && self.buffer.len() <= 64 * LINE_MAX => self.heard_at = Instant::now(),
                _ => self.stream = None,
            }
            if self.take_lines() {
                return;
            }
        }
    }

    fn take_lines(&mut self) -> bool {
        let mut ended = false;
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.buffer.drain(..=end).collect();
            ended |= line.len() <= LINE_MAX && self.calls.ended(String::from_utf8_lossy(&line).trim());
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(lines: &[&str]) -> Vec<bool> {
        let mut calls = Calls::default();
        lines.iter().map(|line| calls.ended(line)).collect()
    }

    #[test]
    fn only_the_end_of_a_call_that_a_machine_took_is_a_hint() {
        let lines = [
            "28.11.26 15:17:43;RING;2;01710000001;9782362;SIP0;",
            "28.11.26 15:17:59;CONNECT;2;40;01710000001;",
            "28.11.26 15:18:00;CONNECT;3;11;01710000002;",
            "28.11.26 15:18:30;DISCONNECT;2;31;",
            "28.11.26 15:18:31;DISCONNECT;3;31;",
            "28.11.26 15:18:32;DISCONNECT;2;31;",
            "28.11.26 15:19:00;RING;0;;9782362;SIP0;",
            "28.11.26 15:19:10;DISCONNECT;0;0;",
        ];
        assert_eq!(hints(&lines), [false, false, false, true, false, false, false, false]);
    }

    #[test]
    fn what_is_not_understood_is_passed_over() {
        let lines = ["", ";", ";;;", "x;CONNECT", "x;CONNECT;y;40;", "x;CONNECT;1", "x;DISCONNECT;1;", "x;DISCONNECT"];
        assert_eq!(hints(&lines), [false; 8]);
    }
}

//! Recordings as voice messages, made by a child of their own so that a long transcription never delays the first word.

use super::child::Child;
use crate::domain::report::Recording;
use crate::runtime::voices::{Voice, Voices};
use async_trait::async_trait;
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::Mutex;

/// Decoding and encoding ten minutes takes seconds.
const LIMIT: Duration = Duration::from_secs(30);
/// So many are remembered; a forgotten one is made again.
const REMEMBERED: usize = 1000;

/// Makes voice messages beside the recordings, each once.
pub struct VoiceDesk {
    folder: PathBuf,
    state: Mutex<State>,
}

struct State {
    child: Child,
    made: HashMap<String, Voice>,
}

impl VoiceDesk {
    /// A desk over the sound folder.
    #[must_use]
    pub fn new(folder: PathBuf, child: Child) -> Self {
        Self { folder, state: Mutex::new(State { child, made: HashMap::new() }) }
    }
}

#[async_trait]
impl Voices for VoiceDesk {
    async fn voice_of(&self, recording: &Recording) -> Result<Voice, String> {
        let mut state = self.state.lock().await;
        if let Some(voice) = state.made.get(&recording.file) {
            return Ok(voice.clone());
        }
        let from = self.folder.join(&recording.file);
        let stem = recording.file.split('.').next().unwrap_or(&recording.file);
        let to = self.folder.join(format!("{stem}.voice.ogg"));
        let made = state.child.voice(&from, &recording.name, &to, LIMIT).await.map_err(|error| error.to_string())?;
        let voice = Voice { path: to, sound_ms: made.sound_ms };
        if state.made.len() >= REMEMBERED {
            state.made.clear();
        }
        state.made.insert(recording.file.clone(), voice.clone());
        Ok(voice)
    }

    async fn rest(&self) {
        self.state.lock().await.child.rest().await;
    }
}

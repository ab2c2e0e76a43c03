//! Recordings as voice messages, and as files that browsers play, made by a child of their own so that a long transcription
//! never delays the first word.

use super::child::Child;
use crate::domain::report::Recording;
use crate::runtime::voices::{Playable, Voice, Voices};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
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

/// What stands beside a file that browsers play. Written last: where it is, the file is whole.
#[derive(Serialize, Deserialize)]
struct Picture {
    sound_ms: u32,
    peaks: Vec<u8>,
}

async fn made_before(wav: &Path, picture: &Path) -> Option<Playable> {
    let json = tokio::fs::read(picture).await.ok()?;
    let Picture { sound_ms, peaks } = serde_json::from_slice(&json).ok()?;
    let is_there = tokio::fs::try_exists(wav).await.unwrap_or(false);
    is_there.then(|| Playable { path: wav.to_owned(), sound_ms, peaks })
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

    async fn playable(&self, file: &str, name: &str) -> Result<Playable, String> {
        // the beginning of the name is its owner's id: whoever deletes the sound finds these too
        let stem = file.split('.').next().unwrap_or(file);
        let (wav, picture) =
            (self.folder.join(format!("{stem}.page.wav")), self.folder.join(format!("{stem}.page.json")));
        if let Some(made) = made_before(&wav, &picture).await {
            return Ok(made);
        }
        let mut state = self.state.lock().await;
        if let Some(made) = made_before(&wav, &picture).await {
            return Ok(made);
        }
        let from = self.folder.join(file);
        let made = state.child.listen(&from, name, &wav, LIMIT).await.map_err(|error| error.to_string())?;
        let made = Picture { sound_ms: made.0, peaks: made.1 };
        let json = serde_json::to_vec(&made).map_err(|error| error.to_string())?;
        let part = picture.with_added_extension("part");
        let written = async {
            tokio::fs::write(&part, json).await?;
            tokio::fs::rename(&part, &picture).await
        };
        written.await.map_err(|error| format!("could not write {}: {error}", picture.display()))?;
        Ok(Playable { path: wav, sound_ms: made.sound_ms, peaks: made.peaks })
    }

    async fn rest(&self) {
        self.state.lock().await.child.rest().await;
    }
}

//! Recordings laid into a scratch folder just as Asterisk lays them: sound first, the `.txt` renamed in last.

use crate::runtime::clock::{Clock as _, SystemClock};
use anyhow::Context as _;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

const SOUNDS: [&str; 6] = ["wav", "WAV", "gsm", "mp3", "ogg", "opus"];

/// The sound files of a folder, by name.
pub(super) fn recordings(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| {
        format!(
            "could not read {}: start the demo in the project's folder, or name one with --recordings",
            folder.display()
        )
    })?;
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_sound(path)).collect();
    files.sort();
    anyhow::ensure!(!files.is_empty(), "there are no recordings in {}", folder.display());
    Ok(files)
}

fn is_sound(path: &Path) -> bool {
    path.extension().and_then(|end| end.to_str()).is_some_and(|end| SOUNDS.contains(&end))
}

/// Lays the recordings into `mailbox`/default/9782362/INBOX; that folder.
pub(super) fn lay(mailbox: &Path, recordings: &[PathBuf]) -> anyhow::Result<PathBuf> {
    let inbox = mailbox.join("default/9782362/INBOX");
    fs::create_dir_all(&inbox).with_context(|| format!("could not make {}", inbox.display()))?;
    for (index, recording) in recordings.iter().enumerate() {
        lay_one(&inbox, index, recording)
            .with_context(|| format!("could not lay {} into the mailbox", recording.display()))?;
    }
    Ok(inbox)
}

fn lay_one(inbox: &Path, index: usize, recording: &Path) -> std::io::Result<()> {
    let end = recording.extension().and_then(|end| end.to_str()).unwrap_or("wav");
    let name = recording.file_name().and_then(|name| name.to_str()).unwrap_or("?");
    fs::copy(recording, inbox.join(format!("msg{index:04}.{end}")))?;
    let now = SystemClock.now().timestamp();
    let text = format!(
        ";\n; Message Information file\n;\n[message]\norigmailbox=9782362\ncontext=default\nexten=9782362\nrdnis=unknown\n\
         priority=2\ncallerchan=Local/9782362@default-{index:08};2\ncallerid=\"{name}\" <09721555{index:03}>\norigdate=\n\
         origtime={now}\ncategory=\nmsg_id={now}-{index:08x}\nflag=\nduration=0\n"
    );
    let tmp = inbox.join(format!(".msg{index:04}.txt"));
    fs::write(&tmp, text)?;
    fs::rename(tmp, inbox.join(format!("msg{index:04}.txt")))
}

/// The verdicts of the manifest beside the recordings, by file name; empty where there is none.
pub(super) fn expected(folder: &Path) -> HashMap<String, String> {
    let text = fs::read_to_string(folder.join("manifest.jsonl")).unwrap_or_default();
    let line = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).ok()?;
        Some((value["file"].as_str()?.to_owned(), value["expect"]["verdict"].as_str()?.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

/// The line that lays one more recording into the mailbox.
pub(super) fn how_to_add(inbox: &Path) -> String {
    let inbox = inbox.display();
    format!(
        "n=msg$(date +%H%M); cp AUFNAHME.wav {inbox}/$n.wav && printf '[message]\\ncallerid=09721555001\\norigtime=%s\\nmsg_id=%s-1\\nduration=0\\n' \
         $(date +%s) $(date +%s) > {inbox}/$n.neu && mv {inbox}/$n.neu {inbox}/$n.txt"
    )
}

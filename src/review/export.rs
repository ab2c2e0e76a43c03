//! What is stored of somebody as one archive: JSON that a person can read, the recordings, the mails as they came.

use super::requests::{Whom, find, words};
use crate::domain::case::NoteContent;
use crate::domain::event::{Event, EventKind};
use crate::domain::report::Report;
use crate::store::{
    Reader, Store, StoreError, assessments, cases, charges, consents, events, hearings, ledger, mails, notes,
    transcripts,
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::io::{Cursor, Write as _};
use std::path::Path;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The archive's bytes, and how many reports and words of the list are in it. Who asked is written into each report's story.
///
/// # Errors
/// Where the store refused, or a file that a row names cannot be read.
pub async fn export(
    store: &Store,
    whom: &Whom,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(Vec<u8>, usize), StoreError> {
    let found = find(store, whom).await?;
    let listed: Vec<String> = words(store, whom).await?.into_iter().map(|one| one.word).collect();
    let (mut rows, mut files) = (Vec::new(), Vec::new());
    let mut reader = store.read().await?;
    for report in &found {
        rows.push(described(report, &mut reader).await?);
        files.extend(files_of(report, &mut reader).await?);
    }
    drop(reader);
    let about = json!({ "exported_at": now, "by": actor, "reports": rows, "list_of_words": listed });
    let folder = store.sound_folder().to_owned();
    let packed = tokio::task::spawn_blocking(move || pack(&folder, &about, &files)).await;
    let bytes = packed.expect("packing does not panic")?;
    let mut tx = store.begin().await?;
    for report in &found {
        events::append(&mut tx, &Event::new(now, EventKind::Exported, "").report(report.id).by(actor)).await?;
    }
    tx.commit().await?;
    Ok((bytes, found.len() + listed.len()))
}

/// How many bytes of recordings and mails belong to these reports.
///
/// # Errors
/// Where the store refused.
pub async fn weigh(store: &Store, found: &[Report]) -> Result<u64, StoreError> {
    let mut files = Vec::new();
    let mut reader = store.read().await?;
    for report in found {
        files.extend(files_of(report, &mut reader).await?);
    }
    drop(reader);
    let folder = store.sound_folder().to_owned();
    let weighed = tokio::task::spawn_blocking(move || {
        files.iter().filter_map(|file| std::fs::metadata(folder.join(file)).ok()).map(|found| found.len()).sum()
    });
    Ok(weighed.await.expect("looking at files does not panic"))
}

async fn files_of(report: &Report, reader: &mut Reader) -> Result<Vec<String>, StoreError> {
    let mut files = spoken_notes(report, reader).await?;
    files.extend(report.recording.as_ref().map(|recording| recording.file.clone()));
    files.extend(mails::file(reader, report.id).await?);
    Ok(files)
}

async fn spoken_notes(report: &Report, reader: &mut Reader) -> Result<Vec<String>, StoreError> {
    let Some(case) = cases::of_report(reader, report.id).await? else { return Ok(Vec::new()) };
    let all = notes::of_case(reader, case.id).await?;
    Ok(all
        .into_iter()
        .filter_map(|note| match note.content {
            NoteContent::Spoken { file, .. } => file,
            NoteContent::Written(_) => None,
        })
        .collect())
}

async fn described(report: &Report, reader: &mut Reader) -> Result<Value, StoreError> {
    let transcript = transcripts::find(reader, report.id).await?.map(|(transcript, _)| transcript);
    let again = hearings::find(reader, report.id).await?.map(|hearing| hearing.transcript);
    let mail = mails::find(reader, report.id).await?.map(|(mail, sha256)| {
        json!({ "sender": mail.sender, "reply_to": mail.reply_to, "subject": mail.subject, "text": mail.text,
                "headers": mail.headers, "sha256": sha256 })
    });
    let case = cases::of_report(reader, report.id).await?;
    let story: Vec<Value> = events::of_report(reader, report.id)
        .await?
        .into_iter()
        .map(|event| json!({ "at": event.at, "what": event.kind.as_str(), "detail": event.detail }))
        .collect();
    let gone: Vec<Value> = ledger::of_report(reader, report.id)
        .await?
        .into_iter()
        .map(|row| json!({ "at": row.at, "class": row.class, "why": row.why }))
        .collect();
    let (mut written, mut charge, mut phone) = (Vec::new(), None, None);
    if let Some(case) = &case {
        written = notes::of_case(reader, case.id)
            .await?
            .into_iter()
            .filter_map(|note| match note.content {
                NoteContent::Written(text) => Some(json!({ "at": note.at, "text": text })),
                NoteContent::Spoken { .. } => None,
            })
            .collect();
        charge = charges::of_case(reader, case.id).await?.map(|charge| {
            let proof: Value = serde_json::from_str(&charge.proof).unwrap_or_default();
            json!({ "net_cents": charge.net.0, "gross_cents": charge.gross.0, "basis": charge.basis.as_str(), "proof": proof })
        });
        phone =
            consents::newest(reader, case.id).await?.map(|consent| json!({ "at": consent.at, "given": consent.given }));
    }
    Ok(json!({
        "report": report.id, "source": report.source, "medium": report.medium, "mailbox": report.mailbox,
        "called_at": report.called_at, "stored_at": report.stored_at,
        "displayed_number": report.caller.number, "displayed_name": report.caller.name,
        "recording": report.recording.as_ref().map(|recording| json!({ "file": recording.file, "sha256": recording.sha256 })),
        "transcript": transcript, "second_hearing": again, "mail": mail, "assessment": assessments::find(reader, report.id).await?,
        "case": case.as_ref().map(|case| json!({
            "number": case.id, "opened_at": case.opened_at, "called_back_at": case.called_back_at, "closed_at": case.closed_at,
        })),
        "notes": written, "charge": charge, "consent_on_the_phone": phone, "story": story, "deleted": gone,
    }))
}

/// Sound is packed as it is.
fn pack(folder: &Path, about: &Value, files: &[String]) -> Result<Vec<u8>, StoreError> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let broken = |error: &dyn std::fmt::Display| StoreError::Unfit(format!("the archive could not be made: {error}"));
    let mut add = |name: &str, bytes: &[u8]| {
        archive.start_file(name, SimpleFileOptions::default()).map_err(|error| broken(&error))?;
        archive.write_all(bytes).map_err(|error| broken(&error))
    };
    let text = serde_json::to_string_pretty(about).map_err(|error| broken(&error))?;
    add("reports.json", text.as_bytes())?;
    for file in files {
        let path = folder.join(file);
        match std::fs::read(&path) {
            Ok(bytes) => add(file, &bytes)?,
            // a mail whose sound is deleted already: the row is there for its text
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::Sound { path, error }),
        }
    }
    let done = archive.finish().map_err(|error| broken(&error))?;
    Ok(done.into_inner())
}

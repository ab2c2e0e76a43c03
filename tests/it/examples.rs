//! A report that was judged wrong becomes an example for the rules, anonymous where that is wanted.

use crate::corrections::review;
use crate::postgres;
use crate::world::{EMERGENCY, NIGHT, World};
use nachtwache::assess::bench::Record;
use nachtwache::assess::rules::{Rules, proper_words};
use nachtwache::domain::assessment::Verdict;
use nachtwache::domain::event::EventKind;
use nachtwache::review::examples::{anonymised, lines};
use nachtwache::review::{Change, Outcome};
use nachtwache::store::events;

/// The labelled messages of the development corpus.
pub(crate) fn corpus() -> Vec<Record> {
    let files = [
        include_str!("../corpus/dev-voicemail.jsonl"),
        include_str!("../corpus/dev-email.jsonl"),
        include_str!("../corpus/others.jsonl"),
    ];
    files.iter().flat_map(|file| file.lines()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn one_click_keeps_a_report_with_its_labels_in_the_benchs_format() {
    kept(World::night().await).await;
}

#[tokio::test]
async fn on_postgresql_it_is_kept_as_well() {
    kept(World::at(NIGHT, Some(postgres::url()), "").await).await;
}

async fn kept(mut world: World) {
    let report = world.hear(EMERGENCY).await;
    let review = review(&world);
    let wrong = Change::Verdict(Verdict::NotEmergency, "eine Übung".into());
    assert!(matches!(review.correct(report, 0, wrong, "Olga").await.unwrap(), Outcome::Done(_)));
    let draft = review.draft_example(report).await.unwrap().unwrap();
    assert_eq!(draft.expect.verdict, Verdict::NotEmergency);
    assert_eq!(draft.expect.company.as_deref(), Some("Rossmeisl Elektrotechnik"));
    let id = review.keep_example(report, draft.expect.clone(), "Olga").await.unwrap().unwrap();
    let examples = review.examples().await.unwrap();
    let records: Vec<Record> = lines(&examples).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records, [Record { id: id.clone(), ..draft }]);
    let scores = review.score(Rules::built_in(), &records);
    assert!(scores.wrong[0].differs.iter().any(|(name, ..)| *name == "verdict"));
    // nothing of him is left once it is anonymous
    let replaced = review.anonymise_example(&id, &["Mittag".into()], "Olga").await.unwrap().unwrap();
    assert!(replaced.iter().any(|(was, _)| was == "Rossmeisl") && replaced.iter().any(|(was, _)| was == "Mittag"));
    let after = review.examples().await.unwrap();
    assert!(after[0].example.anonymised && after[0].example.report.is_none());
    for word in ["Rossmeisl", "Dirk", "3920020", "9721", "Mittag"] {
        assert!(!lines(&after).contains(word), "{word}");
    }
    assert!(review.remove_example(&id, "Olga").await.unwrap() && review.examples().await.unwrap().is_empty());
    let story = events::of_report(&mut world.store.read().await.unwrap(), report).await.unwrap();
    assert_eq!(story.iter().filter(|event| event.kind == EventKind::Example).count(), 1);
}

#[test]
fn an_anonymous_message_has_none_of_the_callers_data() {
    for record in corpus() {
        let (now, replaced) = anonymised(&record, &[]);
        let labels = &now.expect;
        let values =
            [&now.subject, &now.caller_id, &labels.company, &labels.contact, &labels.callback, &labels.description];
        let values = values.into_iter().flatten().chain(now.headers.iter().map(|(_, value)| value));
        let text = values.fold(now.text.clone(), |text, value| format!("{text}\n{value}"));
        let names = [&record.expect.company, &record.expect.contact].into_iter().flatten();
        for word in names.flat_map(|name| proper_words(name)) {
            let left = text.split(|c: char| !c.is_alphanumeric()).any(|other| other.eq_ignore_ascii_case(&word));
            let invented = replaced.iter().any(|(_, now)| now.contains(&word));
            assert!(!left || invented, "{}: {word} in {text}", record.id);
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        for number in [&record.expect.callback, &record.caller_id].into_iter().flatten() {
            let tail: String = number.chars().filter(char::is_ascii_digit).collect();
            let tail = &tail[tail.len().saturating_sub(6)..];
            // numbers that the corpus took from those kept free may come back as another one's
            let free = replaced.iter().any(|(_, now)| now.replace(' ', "").contains(tail))
                || now.expect.callback.iter().chain(&now.caller_id).any(|one| one.replace(' ', "").ends_with(tail));
            assert!(tail.len() < 5 || free || !digits.contains(tail), "{}: {tail} in {text}", record.id);
        }
        for piece in record.text.split_whitespace().filter(|piece| piece.contains('@')) {
            assert!(!now.text.contains(piece), "{}: {piece}", record.id);
        }
    }
}

#[tokio::test]
async fn an_anonymous_message_is_judged_as_before() {
    let world = World::night().await;
    let review = review(&world);
    let rules = Rules::built_in();
    let mut other = Vec::new();
    // a share is measured: every third message gives it as well
    let records: Vec<Record> = corpus().into_iter().step_by(3).collect();
    for record in &records {
        let (now, _) = anonymised(record, &[]);
        let (before, after) = (review.judged(record, rules), review.judged(&now, rules));
        let labels =
            |one: &nachtwache::assess::rules::Judgement| (one.verdict, one.declaration, one.consent, one.urgent);
        if labels(&before) != labels(&after) {
            other.push(record.id.clone());
        }
    }
    assert!(other.len() * 50 < records.len(), "{} of {}: {other:?}", other.len(), records.len());
}

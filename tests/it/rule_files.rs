//! A firm's own rule files: they add, they replace, they are refused by name; what they would change in the store is
//! shown without changing it.

use crate::world::{CALLER, NO_EMERGENCY, World, spoken};
use nachtwache::assess::replay::replay;
use nachtwache::assess::rules::{Judgement, Message, Rules, Terms, judge_by};
use nachtwache::assess::rules_of;
use nachtwache::config::Settings;
use nachtwache::domain::assessment::{Declaration, Verdict};
use nachtwache::domain::tariff::Cents;
use nachtwache::run;
use nachtwache::runtime::worker::{Round, Step as _};
use nachtwache::store::{assessments, events};
use std::cell::RefCell;
use std::fmt::Write as _;

/// A word that only this firm and its customers know.
const OWN: &str = r#"
[[concept]]
name = "emergency"
patterns = ["code purpur"]
holds = ["Bei uns ist Code Purpur"]
not = ["der Vorhang ist purpur"]
"#;
const CODE: &str =
    "Guten Abend, hier ist Birgit Paulus vom Architekturbüro Paulus. Bei uns ist Code Purpur. Bitte rufen Sie zurück.";

fn file(name: &str, text: &str) -> (String, String) {
    (name.to_owned(), text.to_owned())
}

fn judged(rules: &Rules, text: &str) -> Judgement {
    let message = Message { text, subject: None, displayed: Some(CALLER), at: None, outside_hours: true, headers: &[] };
    judge_by(rules, &message, &Terms { fee: Cents(4800), own_numbers: &[] })
}

fn refused(files: &[(String, String)]) -> String {
    Rules::with(files).err().expect("the file is refused").to_string()
}

#[test]
fn an_own_file_adds_a_phrase_that_the_built_in_concepts_see() {
    let rules = Rules::with(&[file("firm.toml", OWN)]).unwrap();
    assert_eq!(rules.check(), []);
    assert_eq!(judged(Rules::built_in(), CODE).declaration, Declaration::Absent);
    let found = judged(&rules, CODE);
    assert_ne!(found.declaration, Declaration::Absent, "{found:?}");
    assert!(found.verdict.wakes() && found.rules == rules.version() && rules.version().len() == 8);
    let denied = judged(&rules, "Hier ist Birgit Paulus. Das ist kein Code Purpur, es reicht am Montag.");
    assert_eq!(denied.declaration, Declaration::Denied, "no_emergency refers to it: {denied:?}");
    assert_ne!(rules.version(), Rules::built_in().version());
}

#[test]
fn a_file_with_the_name_of_a_built_in_one_replaces_it() {
    let built_in = include_str!("../../src/assess/rules/de/statement.toml");
    let same = Rules::with(&[file("statement.toml", built_in)]).unwrap();
    assert_eq!(same.version(), Rules::built_in().version(), "the same data is the same version");
    let without = built_in.replace("\"ernstfall\", ", "");
    assert_ne!(without, built_in, "the phrase is there to be taken out");
    let text = "Hier ist Birgit Paulus vom Architekturbüro Paulus. Das ist ein Ernstfall.";
    assert_ne!(judged(&same, text).declaration, Declaration::Absent);
    let rules = Rules::with(&[file("statement.toml", &without)]).unwrap();
    assert_eq!(judged(&rules, text).declaration, Declaration::Absent);
    let error = refused(&[file("statement.toml", OWN)]);
    assert!(error.contains("statement.toml") && error.contains("must keep its concepts"), "{error}");
}

#[test]
fn a_bad_file_is_refused_with_file_concept_and_pattern() {
    let concept = |pattern: &str| OWN.replace("code purpur", pattern);
    for (pattern, told) in [("<nothing>", "nothing"), (".. purpur", ".. purpur"), ("code-purpur", "code-purpur")] {
        let error = refused(&[file("firm.toml", &concept(pattern))]);
        for part in ["firm.toml", "emergency", told] {
            assert!(error.contains(part), "{part} is missing in: {error}");
        }
    }
    for text in ["concept = 1", &OWN.replace("patterns", "pattern")] {
        assert!(refused(&[file("firm.toml", text)]).contains("firm.toml"));
    }
    let wrong =
        Rules::with(&[file("firm.toml", &OWN.replace("der Vorhang ist purpur", "Code Purpur"))]).unwrap().check();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert_eq!((wrong[0].file.as_str(), wrong[0].concept.as_str()), ("firm.toml", "emergency"));
    assert!(wrong[0].what.contains("should not hold") && wrong[0].what.contains("Code Purpur"), "{wrong:?}");
}

#[test]
fn the_folder_of_the_settings_is_named_when_it_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let settings = |path: &str| Settings::parse(&format!("[assess]\nrules = {path:?}")).unwrap();
    let path = folder.path().to_str().unwrap();
    std::fs::write(folder.path().join("firm.toml"), OWN).unwrap();
    std::fs::write(folder.path().join("README"), "no rule file").unwrap();
    let rules = run::rules(&settings(path)).unwrap();
    assert_eq!(rules.version(), rules_of(Some(folder.path())).unwrap().version());
    assert!(judged(&rules, CODE).verdict.wakes());

    let error = format!("{:#}", run::rules(&settings("/nowhere/rules")).err().unwrap());
    assert!(error.contains("assess.rules") && error.contains("/nowhere/rules"), "{error}");
    std::fs::write(folder.path().join("firm.toml"), OWN.replace("der Vorhang ist purpur", "Code Purpur")).unwrap();
    let error = format!("{:#}", run::rules(&settings(path)).err().unwrap());
    assert!(error.contains("assess.rules") && error.contains("rules check"), "{error}");
}

#[test]
fn a_mistyped_folder_is_not_taken_for_the_built_in_rules() {
    let folder = tempfile::tempdir().unwrap();
    let told = |path: &std::path::Path| rules_of(Some(path)).err().expect("nothing to lay over").to_string();
    assert!(told(folder.path()).contains("no rule file (*.toml)"));
    assert!(told(&folder.path().join("gone")).contains("could not read"));
    let path = folder.path().join("words.toml");
    std::fs::write(&path, OWN).unwrap();
    assert!(told(&path).contains("give a rule file another name"));

    let path = folder.path().join("firm.toml");
    std::fs::write(&path, OWN).unwrap();
    std::fs::remove_file(folder.path().join("words.toml")).unwrap();
    let alone = rules_of(Some(&path)).unwrap();
    assert_eq!(alone.version(), rules_of(Some(folder.path())).unwrap().version(), "one file, or the folder around it");
}

#[tokio::test]
async fn what_only_reads_the_store_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let settings = Settings::parse(&format!("[store]\nfolder = {:?}", store.to_str().unwrap())).unwrap();
    let error = run::existing_store(&settings).await.err().unwrap().to_string();
    assert!(error.contains("there is no store in") && error.contains("store.folder"), "{error}");
    assert!(!store.exists());
}

#[test]
fn the_example_of_the_manual_passes_the_check() {
    let manual = include_str!("../../docs/rules.md");
    let example = manual.split("```").find_map(|block| block.strip_prefix("toml\n[[concept]]")).expect("an example");
    let rules = Rules::with(&[file("firm.toml", &format!("[[concept]]{example}"))]).unwrap();
    assert_eq!(rules.check(), []);
}

#[tokio::test]
async fn a_replay_shows_what_would_flip_and_changes_nothing() {
    let mut world = World::night().await;
    let other = world.hear(NO_EMERGENCY).await;
    let report = world.hear(CODE).await;
    let before = state(&world, &[other, report]).await;
    assert_eq!(world.verdict(report).await, Some(Verdict::NotEmergency));

    let rules = Rules::with(&[file("firm.toml", OWN)]).unwrap();
    let shown = replay(&world.store, &world.settings, &rules, |_| ()).await.unwrap();
    assert_eq!((shown.n, shown.flips.len()), (2, 1), "{shown:?}");
    let flip = &shown.flips[0];
    assert_eq!((flip.report, flip.before.0), (report, Verdict::NotEmergency));
    assert!(flip.after.0.wakes() && flip.after.1 != Declaration::Absent, "{flip:?}");
    assert!(flip.new.iter().any(|finding| finding.quote.contains("Code Purpur")), "why: {flip:?}");

    assert_eq!(state(&world, &[other, report]).await, before);
    let again = replay(&world.store, &world.settings, Rules::built_in(), |_| ()).await.unwrap();
    assert_eq!((again.n, again.flips.len()), (2, 0), "the same rules flip nothing: {again:?}");
}

#[tokio::test]
async fn a_replay_reads_more_than_one_page_and_nothing_twice() {
    let mut world = World::night().await;
    let mut reports = Vec::new();
    for number in 0..101 {
        let report = world.call().await;
        let text = if matches!(number, 0 | 100) { CODE } else { NO_EMERGENCY };
        world.transcribed(report, &spoken(text)).await;
        reports.push(report);
    }
    let mut step = world.assess();
    while step.tick().await.unwrap() == Round::Worked {}
    let rules = Rules::with(&[file("firm.toml", OWN)]).unwrap();
    let told = RefCell::new(Vec::new());
    let shown = replay(&world.store, &world.settings, &rules, |done| told.borrow_mut().push(done)).await.unwrap();
    assert_eq!((shown.n, told.into_inner()), (101, vec![100, 101]));
    let mut flipped: Vec<_> = shown.flips.iter().map(|flip| flip.report.to_string()).collect();
    flipped.sort();
    let mut expected = [reports[0].to_string(), reports[100].to_string()];
    expected.sort();
    assert_eq!(flipped, expected);
}

/// Assessments, cases and events of these reports, and the notices that wait.
async fn state(world: &World, ids: &[nachtwache::domain::report::ReportId]) -> String {
    let mut told = format!("{} pending\n", world.pending().await);
    for id in ids {
        let case = world.case(*id).await;
        let mut reader = world.store.read().await.unwrap();
        let assessment = assessments::find(&mut reader, *id).await.unwrap();
        let events = events::of_report(&mut reader, *id).await.unwrap();
        writeln!(told, "{assessment:?} {case:?} {events:?}").unwrap();
    }
    told
}

#[test]
fn an_own_except_takes_back_what_the_built_in_patterns_find() {
    let own = r#"
[[concept]]
name = "emergency"
patterns = []
except = ["projekt notstand"]
holds = ["Das ist ein Notstand"]
not = ["Es geht um das Projekt Notstand"]
"#;
    let rules = Rules::with(&[file("firm.toml", own)]).unwrap();
    assert_eq!(rules.check(), []);
    let text = "Hier ist Birgit Paulus. Es geht um das Projekt Notstand, bitte am Montag melden.";
    assert_ne!(judged(Rules::built_in(), text).declaration, Declaration::Absent);
    assert_eq!(judged(&rules, text).declaration, Declaration::Absent);
}

#[test]
fn an_addition_may_refer_to_a_concept_of_its_own_file() {
    let helper =
        "[[concept]]\nname = \"purple\"\npatterns = [\"purpur|violett\"]\nholds = [\"violett\"]\nnot = [\"rot\"]\n";
    let rules =
        Rules::with(&[file("firm.toml", &format!("{helper}{}", OWN.replace("code purpur", "code <purple>")))]).unwrap();
    assert_eq!(rules.check(), []);
    assert!(judged(&rules, CODE).verdict.wakes());
}

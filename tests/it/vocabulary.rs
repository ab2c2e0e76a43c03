//! The firm's list of words: what it does to the company, and that it does nothing else.

use crate::corrections::review;
use crate::examples::corpus;
use crate::postgres;
use crate::world::{EMERGENCY, NIGHT, World, spoken};
use nachtwache::assess::bench;
use nachtwache::assess::rules::{Judgement, Names, Rules, Terms, judge_by, judge_knowing};
use nachtwache::domain::assessment::{Missing, Verdict};
use nachtwache::domain::hours::BusinessHours;
use nachtwache::domain::tariff::Cents;
use nachtwache::review::{Added, Unfit};
use nachtwache::store::assessments;
use nachtwache::store::vocabulary::{self, Kind};

#[tokio::test]
async fn a_customer_on_the_list_is_shown_by_his_own_name_though_misheard() {
    on_the_list(World::night().await).await;
}

#[tokio::test]
async fn on_postgresql_he_is_as_well() {
    on_the_list(World::at(NIGHT, Some(postgres::url()), "").await).await;
}

async fn on_the_list(mut world: World) {
    let review = review(&world);
    let add = async |word: &str| review.add_word(Kind::Customer, word, "Olga").await.unwrap();
    assert_eq!(add("Rossmeisl Elektrotechnik GmbH").await, Added::Done);
    assert_eq!(add(" Rossmeisl Elektrotechnik GmbH ").await, Added::Already);
    for word in ["Notfallpraxis Süd", "ich bin einverstanden", "Aktivierungsgebühr", "Geschäftsbedingungen", "48 Euro"]
    {
        assert_eq!(add(word).await, Added::Refused(Unfit::Terms), "{word}");
    }
    for word in ["", "X", "zwei\nZeilen", &"a".repeat(61)] {
        assert_eq!(add(word).await, Added::Refused(Unfit::Shape), "{word}");
    }
    let company = async |world: &World, report| {
        let found = assessments::find(&mut world.store.read().await.unwrap(), report).await.unwrap().unwrap();
        found.fields.company
    };
    let misheard = EMERGENCY.replace("Firma Rossmeisl", "Firma Rosmeisl");
    let report = world.hear(&misheard).await;
    assert_eq!(company(&world, report).await.as_deref(), Some("Rossmeisl Elektrotechnik GmbH"));
    let list = vocabulary::all(&mut world.store.read().await.unwrap()).await.unwrap();
    assert!(review.remove_word(&list[0].id, "Olga").await.unwrap());
    assert!(!review.remove_word(&list[0].id, "Olga").await.unwrap());
    let report = world.call().await;
    world.settle().await;
    world.transcribed(report, &spoken(&misheard)).await;
    world.settle().await;
    assert_eq!(company(&world, report).await.as_deref(), Some("Rosmeisl Elektrotechnik"));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_stops_no_verdict() {
    let mut world = World::night().await;
    world
        .sql("INSERT INTO vocabulary (id, kind, word, added_at, added_by) VALUES ('a', 'odd', 'Kister', 1, 'Olga')")
        .await;
    assert!(vocabulary::all(&mut world.store.read().await.unwrap()).await.is_err());
    let report = world.hear(EMERGENCY).await;
    let found = assessments::find(&mut world.store.read().await.unwrap(), report).await.unwrap().unwrap();
    assert_eq!(found.verdict, Verdict::Confirmed);
}

/// Judged by the built-in rules, without and with a list of names.
fn both(record: &bench::Record, names: &Names) -> (Judgement, Judgement) {
    let terms = Terms { fee: Cents(4800), own_numbers: &[] };
    let hours = BusinessHours::default();
    let message = bench::message(record, &hours);
    (judge_by(Rules::built_in(), &message, &terms), judge_knowing(Rules::built_in(), &message, &terms, names))
}

#[test]
fn an_empty_list_changes_nothing_at_all() {
    // one of ten, of every file: the list is asked behind one and the same judgement
    for record in corpus().into_iter().step_by(10) {
        let (without, with) = both(&record, &Names::default());
        assert_eq!(without, with, "{}", record.id);
    }
}

#[test]
fn whatever_stands_on_the_list_only_the_company_changes() {
    // one of twenty: all of them against all names take a minute
    let records: Vec<_> = corpus().into_iter().step_by(20).collect();
    let mut words: Vec<String> = records.iter().filter_map(|record| record.expect.company.clone()).collect();
    words.extend(["Notfall", "Einverstanden", "Gebühr GmbH", "Nein", "Ja"].map(str::to_owned));
    let names = Names::of(&words);
    let mut right = (0, 0);
    for record in &records {
        let (without, mut with) = both(record, &names);
        let is_right = |one: &Judgement| {
            usize::from(bench::same(
                record.expect.company.as_deref(),
                one.fields.company.as_deref(),
                bench::Measure::Whole,
            ))
        };
        right = (right.0 + is_right(&without), right.1 + is_right(&with));
        with.fields.company.clone_from(&without.fields.company);
        with.missing.retain(|one| *one != Missing::Company);
        let missing = without.missing.iter().copied().filter(|one| *one != Missing::Company).collect();
        assert_eq!(Judgement { missing, ..without }, with, "{}", record.id);
    }
    assert!(right.1 >= right.0, "companies that are right: {} without the list, {} with it", right.0, right.1);
}

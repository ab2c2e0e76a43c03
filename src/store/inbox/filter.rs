//! A filter as a statement: fixed pieces, and a place for each value. What somebody typed is only ever bound.

use super::words::{self, Matching};
use super::{Filter, State};
use crate::domain::assessment::Verdict;
use crate::domain::search;
use crate::store::{Dialect, ms};
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe};
use std::fmt::Write as _;

const PLACE: &str = "inbox.place";

enum Value {
    Text(String),
    Number(i64),
}

/// A statement under construction: what to select from, and under which conditions.
pub(super) struct Chosen {
    /// The tables.
    pub(super) tables: &'static str,
    /// The column that holds the place.
    pub(super) place: &'static str,
    /// What orders.
    pub(super) order: &'static str,
    conditions: String,
    values: Vec<Value>,
}

impl Chosen {
    fn any() -> Self {
        Self { tables: "inbox", place: PLACE, order: PLACE, conditions: "1 = 1".to_owned(), values: Vec::new() }
    }

    /// The rows that pass, without regard to verdict and state.
    pub(super) fn base(dialect: Dialect, filter: &Filter) -> Self {
        let mut chosen = Self::any();
        let terms = search::sought(&filter.words);
        if !terms.is_empty() {
            let Matching { tables, condition, place, order, sought } = words::matching(dialect, &terms);
            (chosen.tables, chosen.place, chosen.order) = (tables, place, order);
            chosen.and(condition, Value::Text(sought));
        }
        chosen.without_words(filter)
    }

    fn without_words(mut self, filter: &Filter) -> Self {
        let chosen = &mut self;
        if let Some(source) = &filter.source {
            chosen.and("inbox.source = ?", Value::Text(source.clone()));
        }
        if let Some(technician) = &filter.technician {
            chosen.and("inbox.technician = ?", Value::Text(technician.clone()));
        }
        if let Some(from) = filter.from {
            chosen.at(">=", ms(from).saturating_mul(256));
        }
        if let Some(until) = filter.until {
            chosen.at("<", ms(until).saturating_mul(256));
        }
        self
    }

    /// The rows that pass.
    pub(super) fn all(dialect: Dialect, filter: &Filter) -> Self {
        Self::base(dialect, filter).judged(filter)
    }

    fn judged(mut self, filter: &Filter) -> Self {
        self.one_of("inbox.verdict", filter.verdicts.iter().copied().map(Verdict::as_str));
        self.one_of("inbox.state", filter.state.iter().copied().map(State::as_str));
        self
    }

    /// Asks for the `first` and the `last` place of what passes, whatever its words. `None` where that narrows nothing, or there
    /// are no words. A word that is everywhere is looked up from there to there only: few reports are open, and none that is
    /// no emergency is. PostgreSQL begins with those by itself.
    pub(super) fn ends(dialect: Dialect, filter: &Filter) -> Option<Query<'static, Any, AnyArguments>> {
        let narrows = filter.state.is_some() || filter.technician.is_some();
        if dialect == Dialect::Postgres || !narrows || search::sought(&filter.words).is_empty() {
            return None;
        }
        let chosen = Self::any().without_words(filter).judged(filter);
        let end = |order| format!("SELECT place FROM inbox WHERE {} ORDER BY place {order} LIMIT 1", chosen.conditions);
        let sql = format!("SELECT ({}) AS first, ({}) AS last", end("ASC"), end("DESC"));
        Some(bound(sql, chosen.values))
    }

    fn one_of(&mut self, column: &'static str, words: impl Iterator<Item = &'static str>) {
        let words: Vec<&str> = words.collect();
        if words.is_empty() {
            return;
        }
        let places: Vec<String> = (1..=words.len()).map(|number| format!("${}", self.values.len() + number)).collect();
        self.values.extend(words.into_iter().map(|word| Value::Text(word.to_owned())));
        write!(self.conditions, " AND {column} IN ({})", places.join(", ")).expect("a string can be written to");
    }

    /// Only rows whose place is so.
    pub(super) fn at(&mut self, sign: &'static str, place: i64) {
        self.values.push(Value::Number(place));
        let (column, number) = (self.place, self.values.len());
        write!(self.conditions, " AND {column} {sign} ${number}").expect("a string can be written to");
    }

    fn and(&mut self, condition: &'static str, value: Value) {
        self.values.push(value);
        let condition = condition.replace('?', &format!("${}", self.values.len()));
        write!(self.conditions, " AND {condition}").expect("a string can be written to");
    }

    /// The statement `head FROM … WHERE … tail`, its values bound.
    pub(super) fn query(self, head: &str, tail: &str) -> Query<'static, Any, AnyArguments> {
        let sql = format!("{head} FROM {} WHERE {}{tail}", self.tables, self.conditions);
        bound(sql, self.values)
    }
}

fn bound(sql: String, values: Vec<Value>) -> Query<'static, Any, AnyArguments> {
    values.into_iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, value| match value {
        Value::Text(text) => query.bind(text),
        Value::Number(number) => query.bind(number),
    })
}

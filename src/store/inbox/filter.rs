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

enum Value {
    Text(String),
    Number(i64),
}

/// A statement under construction: what to select from, and under which conditions.
pub(super) struct Chosen {
    /// The tables.
    pub(super) tables: &'static str,
    /// The column that orders.
    pub(super) place: &'static str,
    conditions: String,
    values: Vec<Value>,
}

impl Chosen {
    /// The rows that pass, without regard to verdict and state.
    pub(super) fn base(dialect: Dialect, filter: &Filter) -> Self {
        let mut chosen =
            Self { tables: "inbox", place: "inbox.place", conditions: "1 = 1".to_owned(), values: Vec::new() };
        let terms = search::sought(&filter.words);
        if !terms.is_empty() {
            let Matching { tables, condition, place, sought } = words::matching(dialect, &terms);
            (chosen.tables, chosen.place) = (tables, place);
            chosen.and(condition, Value::Text(sought));
        }
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
        chosen
    }

    /// The rows that pass.
    pub(super) fn all(dialect: Dialect, filter: &Filter) -> Self {
        let mut chosen = Self::base(dialect, filter);
        chosen.one_of("inbox.verdict", filter.verdicts.iter().copied().map(Verdict::as_str));
        chosen.one_of("inbox.state", filter.state.iter().copied().map(State::as_str));
        chosen
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
        self.values.into_iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
        })
    }
}

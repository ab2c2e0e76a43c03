//! The words a report is found by. Full-text search is the one thing for which the databases have no common statement: FTS5
//! is a table of its own that is asked with `MATCH`, PostgreSQL has a type and the operator `@@`. All that differs stands here.
//!
//! Both get words that are folded already (`domain::search`), so neither may fold again: the tokenizer `ascii` only splits at
//! blanks, and a cast to `TSVECTOR` takes the words as they stand.

use crate::domain::search::Term;
use crate::store::{Dialect, Result, Tx};
use std::collections::BTreeSet;

/// These are the words of the row at `place`; what stood there is gone.
pub(super) async fn put(tx: &mut Tx, place: i64, words: &BTreeSet<String>) -> Result<()> {
    forget(tx, place).await?;
    let sql = match tx.dialect {
        Dialect::Sqlite => "INSERT INTO inbox_words (rowid, words) VALUES ($1, $2)",
        Dialect::Postgres => "INSERT INTO inbox_words (place, words) VALUES ($1, CAST($2 AS TSVECTOR))",
    };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    sqlx::query(sql).bind(place).bind(words.join(" ")).execute(tx.db()).await?;
    Ok(())
}

/// The words of the row at `place` are gone (SQLite: out of the file; PostgreSQL: once it has vacuumed).
pub(super) async fn forget(tx: &mut Tx, place: i64) -> Result<()> {
    let sql = match tx.dialect {
        Dialect::Sqlite => "DELETE FROM inbox_words WHERE rowid = $1",
        Dialect::Postgres => "DELETE FROM inbox_words WHERE place = $1",
    };
    sqlx::query(sql).bind(place).execute(tx.db()).await?;
    Ok(())
}

/// How rows with certain words are asked for.
pub(super) struct Matching {
    /// What to select from.
    pub(super) tables: &'static str,
    /// The condition; `?` is the place of `sought`.
    pub(super) condition: &'static str,
    /// The place, as the index has it.
    pub(super) place: &'static str,
    /// What orders by it.
    pub(super) order: &'static str,
    /// The words, in the database's own language.
    pub(super) sought: String,
}

/// The rows in which all of these words are.
pub(super) fn matching(dialect: Dialect, terms: &[Term]) -> Matching {
    match dialect {
        // CROSS JOIN: SQLite begins with the words, which come in the order of their places
        Dialect::Sqlite => Matching {
            tables: "inbox_words CROSS JOIN inbox",
            condition: "inbox_words MATCH ? AND inbox.place = inbox_words.rowid",
            place: "inbox_words.rowid",
            order: "inbox_words.rowid",
            sought: all(terms, " AND ", " *"),
        },
        Dialect::Postgres => Matching {
            tables: "inbox_words JOIN inbox ON inbox.place = inbox_words.place",
            condition: "inbox_words.words @@ CAST(? AS TSQUERY)",
            place: "inbox_words.place",
            // PostgreSQL takes a number for frequent and would look for it in the list from the top: this keeps it to its index
            order: if terms.iter().any(Term::is_number) { "inbox_words.place + 0" } else { "inbox_words.place" },
            sought: all(terms, " & ", ":*"),
        },
    }
}

/// Quoted, so that no word is taken for an operator; none has a quotation mark in it.
fn all(terms: &[Term], and: &str, begins: &str) -> String {
    let mark = if begins == ":*" { '\'' } else { '"' };
    let one = |term: &Term| format!("{mark}{}{mark}{}", term.word, if term.begins { begins } else { "" });
    terms.iter().map(one).collect::<Vec<_>>().join(and)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::search::sought;

    #[test]
    fn operators_of_a_database_are_words() {
        let terms = sought("Müller AND NEAR(x) \"a' OR 1=1 --*");
        assert_eq!(
            matching(Dialect::Sqlite, &terms).sought,
            r#""mueller" AND "and" AND "near" AND "x" AND "a" AND "or" AND "1" AND "1""#
        );
        assert_eq!(matching(Dialect::Postgres, &sought("& server | !")).sought, "'server':*");
    }
}

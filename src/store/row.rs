//! Rows to values, with table, column and id in every complaint.

use super::{Result, StoreError};
use chrono::{DateTime, Utc};
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// One row of a table.
pub(super) struct Fields<'a> {
    row: &'a AnyRow,
    table: &'static str,
    id: String,
}

impl<'a> Fields<'a> {
    /// A row whose id is text.
    pub(super) fn of(row: &'a AnyRow, table: &'static str) -> Result<Self> {
        Ok(Self { row, table, id: row.try_get("id")? })
    }

    /// A row known by something else.
    pub(super) fn named(row: &'a AnyRow, table: &'static str, id: String) -> Self {
        Self { row, table, id }
    }

    pub(super) fn text(&self, column: &'static str) -> Result<String> {
        Ok(self.row.try_get(column)?)
    }

    pub(super) fn maybe_text(&self, column: &'static str) -> Result<Option<String>> {
        Ok(self.row.try_get(column)?)
    }

    pub(super) fn number(&self, column: &'static str) -> Result<i64> {
        Ok(self.row.try_get(column)?)
    }

    pub(super) fn maybe_number(&self, column: &'static str) -> Result<Option<i64>> {
        Ok(self.row.try_get(column)?)
    }

    pub(super) fn count<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T> {
        let value = self.number(column)?;
        T::try_from(value).map_err(|_| self.broken(column, value.to_string()))
    }

    pub(super) fn truth(&self, column: &'static str) -> Result<bool> {
        Ok(self.number(column)? != 0)
    }

    pub(super) fn instant(&self, column: &'static str) -> Result<DateTime<Utc>> {
        let value = self.number(column)?;
        DateTime::from_timestamp_millis(value).ok_or_else(|| self.broken(column, value.to_string()))
    }

    pub(super) fn maybe_instant(&self, column: &'static str) -> Result<Option<DateTime<Utc>>> {
        self.maybe_number(column)?.map(|_| self.instant(column)).transpose()
    }

    /// A word of a closed choice.
    pub(super) fn word<T>(&self, column: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<T> {
        let value = self.text(column)?;
        parse(&value).ok_or_else(|| self.broken(column, value))
    }

    pub(super) fn maybe_word<T>(&self, column: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>> {
        self.maybe_text(column)?.map(|value| parse(&value).ok_or_else(|| self.broken(column, value))).transpose()
    }

    pub(super) fn json<T: serde::de::DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        serde_json::from_str(&self.text(column)?).map_err(|error| self.broken(column, error.to_string()))
    }

    pub(super) fn broken(&self, column: &'static str, value: String) -> StoreError {
        StoreError::Row { table: self.table, column, id: self.id.clone(), value }
    }
}

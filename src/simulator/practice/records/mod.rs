//! Rows of the practice database as Rust values, one type per table, with the column list beside them.
//!
//! Names and types of tables and columns are those of the public notes on Bp Premier. Only columns whose
//! type is known from those notes are there. A record says what the practice knows; how the tables are
//! filled from it is the matter of `filling`.

#![expect(
    missing_docs,
    reason = "the fields of a record are the columns of the same names"
)]

mod billing;
mod consultations;
mod history;
mod immunisations;
mod measurements;
mod medicines;
mod patients;
mod people;
mod womens_health;

use chrono::{NaiveDate, NaiveDateTime};

use super::super::engine::Value;

pub use billing::{Invoice, Service};
pub use consultations::{Appointment, Visit, VisitReason};
pub use history::{PastHistory, Reaction};
pub use immunisations::Immunisation;
pub use measurements::{Investigation, Observation, ReportValue};
pub use medicines::{CurrentRx, Prescription, ScriptItem};
pub use patients::{Alcohol, Clinical, Email, Patient, Tobacco};
pub use people::{Location, User};
pub use womens_health::{ObsGynDetail, PapSmear, Pregnancy};

/// `RECORDSTATUS` of a row that stands.
pub const LIVE: i32 = 1;
/// `RECORDSTATUS` of a row that was deleted; the row stays in the table.
pub const DELETED: i32 = 0;

/// Who wrote a row and when, and whether it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    pub record_status: i32,
    pub created: NaiveDateTime,
    /// A user, negative for a row that a program of the practice wrote in that user's name.
    pub created_by: i32,
    pub updated: Option<NaiveDateTime>,
    pub updated_by: Option<i32>,
}

impl Audit {
    pub(super) fn new(created: NaiveDateTime, created_by: i32) -> Self {
        Self {
            record_status: LIVE,
            created,
            created_by,
            updated: None,
            updated_by: None,
        }
    }

    /// When the row last changed: what a watermark sees.
    #[must_use]
    pub fn changed(&self) -> NaiveDateTime {
        self.updated.unwrap_or(self.created)
    }

    /// Whether the row stands.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.record_status == LIVE
    }

    pub(super) fn edit(&mut self, at: NaiveDateTime, by: i32) {
        self.updated = Some(at);
        self.updated_by = Some(by);
    }

    pub(super) fn delete(&mut self, at: NaiveDateTime, by: i32) {
        self.record_status = DELETED;
        self.edit(at, by);
    }
}

/// A row of one table.
pub(super) trait Record {
    /// The table's name.
    const TABLE: &'static str;
    /// Names and SQL Server types in the order of `values`; the first column is the key.
    const COLUMNS: &'static [(&'static str, &'static str)];

    /// The key.
    fn key(&self) -> u32;

    /// One value per column.
    fn values(&self) -> Vec<Value>;
}

/// Ties each column of a table to its type and to the value a record has for it, on one line.
macro_rules! record {
    ($type:ty as $row:ident, $table:literal, $key:ident { $($column:ident: $sql:literal = $value:expr),+ $(,)? }) => {
        impl super::Record for $type {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [(&'static str, &'static str)] =
                &[$((stringify!($column), $sql)),+];

            fn key(&self) -> u32 {
                self.$key
            }

            fn values(&self) -> Vec<super::super::super::engine::Value> {
                use super::IntoValue as _;
                let $row = self;
                vec![$($value.into_value()),+]
            }
        }
    };
}
use record;

/// What a column can be given.
pub(super) trait IntoValue {
    fn into_value(self) -> Value;
}

impl IntoValue for i32 {
    fn into_value(self) -> Value {
        Value::Int(i64::from(self))
    }
}

impl IntoValue for u32 {
    fn into_value(self) -> Value {
        Value::Int(i64::from(self))
    }
}

impl IntoValue for bool {
    /// Flags are whole numbers at Bp.
    fn into_value(self) -> Value {
        Value::Int(i64::from(self))
    }
}

impl IntoValue for &str {
    fn into_value(self) -> Value {
        Value::Text(self.to_owned())
    }
}

impl IntoValue for &String {
    fn into_value(self) -> Value {
        Value::Text(self.clone())
    }
}

impl IntoValue for String {
    fn into_value(self) -> Value {
        Value::Text(self)
    }
}

impl IntoValue for NaiveDate {
    /// A date-only fact has time 00:00, because every date column is a `datetime`.
    fn into_value(self) -> Value {
        Value::Text(self.format("%Y-%m-%dT00:00:00").to_string())
    }
}

impl IntoValue for NaiveDateTime {
    fn into_value(self) -> Value {
        Value::Text(self.format("%Y-%m-%dT%H:%M:%S%.3f").to_string())
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Value {
        self.map_or(Value::Null, T::into_value)
    }
}

#[cfg(test)]
mod tests;

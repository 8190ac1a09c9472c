//! What the query `control` counts at a practice in a night, and what two nights of it say.
//!
//! Rows of a practice are deleted by their status: a table never has fewer of them than before, nor an earlier newest
//! change. Where it has, an older copy of the database was restored, or another database answers.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDate, NaiveDateTime};

use crate::domain::QueryName;

/// Name of the query that counts the tables of a practice; its columns are read by [`Counted::of_batch`].
pub(super) const CONTROL: &str = "control";

/// Columns of [`CONTROL`] that are read.
pub(super) const COLUMNS: [&str; 6] = [
    "table_name",
    "brought_by",
    "total_rows",
    "largest_key",
    "last_changed",
    "due_rows",
];

/// One table of a practice on one night.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) table: String,
    /// The query whose objects hold a row for each row of the table; `None` for a table that is only joined.
    pub(super) brought_by: Option<QueryName>,
    pub(super) rows: i64,
    pub(super) largest_key: Option<i64>,
    pub(super) last_changed: Option<NaiveDateTime>,
    /// Rows that some extract must have brought.
    pub(super) due: i64,
}

/// What is wrong with a table or an extract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// The practice has rows that no object holds.
    #[error("{} of {due} rows never arrived; its objects begin with {since}", due - arrived)]
    NotArrived {
        /// Rows that some extract must have brought.
        due: u64,
        /// Rows that one brought.
        arrived: u64,
        /// First day of the first window.
        since: NaiveDate,
    },
    /// No object tells of the night yet, so that it cannot be said whether rows are missing.
    #[error("its objects reach to {}, not to this night", reaches(*until))]
    Behind {
        /// Up to this day; `None` if there is none.
        until: Option<NaiveDate>,
    },
    /// The table shrank.
    #[error("{before} rows on {since}, {now} now, although rows are deleted by their status only")]
    FewerRows {
        /// Rows at the night before.
        before: i64,
        /// Rows now.
        now: i64,
        /// That night.
        since: NaiveDate,
    },
    /// The largest key is smaller than it was.
    #[error("its largest key was {before} on {since} and is {now} now")]
    SmallerKey {
        /// At the night before.
        before: i64,
        /// Now.
        now: i64,
        /// That night.
        since: NaiveDate,
    },
    /// The newest change is older than it was.
    #[error("its newest change was of {before} on {since} and is of {now} now")]
    OlderChange {
        /// At the night before, in the practice's local time.
        before: NaiveDateTime,
        /// Now.
        now: NaiveDateTime,
        /// That night.
        since: NaiveDate,
    },
}

impl Loss {
    /// The kind in one or two words: `not arrived`, `behind`, `fewer rows`, `smaller key` or `older change`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotArrived { .. } => "not arrived",
            Self::Behind { .. } => "behind",
            Self::FewerRows { .. } => "fewer rows",
            Self::SmallerKey { .. } => "smaller key",
            Self::OlderChange { .. } => "older change",
        }
    }
}

fn reaches(until: Option<NaiveDate>) -> String {
    until.map_or_else(|| "no day at all".to_owned(), |until| until.to_string())
}

impl Counted {
    /// The tables that one batch of a control object counts; nothing if a column is missing or of another type, as
    /// in objects of a control that does not count what is due.
    pub(super) fn of_batch(batch: &RecordBatch) -> Vec<Self> {
        Self::read(batch).unwrap_or_default()
    }

    fn read(batch: &RecordBatch) -> Option<Vec<Self>> {
        let texts = |name: &str| batch.column_by_name(name)?.as_string_opt::<i32>();
        let numbers = |name: &str| batch.column_by_name(name)?.as_primitive_opt::<Int32Type>();
        let (tables, brought_by) = (texts("table_name")?, texts("brought_by")?);
        let (rows, keys, due) = (
            numbers("total_rows")?,
            numbers("largest_key")?,
            numbers("due_rows")?,
        );
        let changed = batch
            .column_by_name("last_changed")?
            .as_primitive_opt::<TimestampMicrosecondType>()?;
        let counted = (0..batch.num_rows()).map(|row| Self {
            table: tables.value(row).to_owned(),
            brought_by: brought_by
                .is_valid(row)
                .then(|| brought_by.value(row).parse().ok())
                .flatten(),
            rows: rows.value(row).into(),
            largest_key: keys.is_valid(row).then(|| keys.value(row).into()),
            last_changed: changed
                .is_valid(row)
                .then(|| DateTime::from_timestamp_micros(changed.value(row)))
                .flatten()
                .map(|at| at.naive_utc()),
            due: if due.is_valid(row) {
                due.value(row).into()
            } else {
                0
            },
        });
        Some(counted.collect())
    }

    /// What the table lost since it was counted as `before` on the night `since`; the plainest sign of it.
    pub(super) fn lost_since(&self, before: &Self, since: NaiveDate) -> Option<Loss> {
        if self.rows < before.rows {
            return Some(Loss::FewerRows {
                before: before.rows,
                now: self.rows,
                since,
            });
        }
        if let (Some(now), Some(before)) = (self.largest_key, before.largest_key)
            && now < before
        {
            return Some(Loss::SmallerKey { before, now, since });
        }
        match (self.last_changed, before.last_changed) {
            (Some(now), Some(before)) if now < before => {
                Some(Loss::OlderChange { before, now, since })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn visits() -> Counted {
        Counted {
            table: "VISITS".to_owned(),
            brought_by: Some("visit".parse().expect("a name")),
            rows: 100,
            largest_key: Some(104),
            last_changed: day("2026-11-18").and_hms_opt(18, 0, 0),
            due: 90,
        }
    }

    #[test]
    fn a_table_that_grew_or_stayed_lost_nothing() {
        let before = visits();
        let grown = Counted {
            rows: 103,
            largest_key: Some(107),
            last_changed: day("2026-11-19").and_hms_opt(9, 0, 0),
            // More patients opted out: that is no loss of the table.
            due: 80,
            ..visits()
        };
        let emptied_from_the_start = Counted {
            largest_key: None,
            last_changed: None,
            ..visits()
        };
        for now in [&before, &grown] {
            assert_eq!(now.lost_since(&before, day("2026-11-18")), None);
        }
        let first = grown.lost_since(&emptied_from_the_start, day("2026-11-18"));
        assert_eq!(first, None);
    }

    #[test]
    fn each_sign_of_a_restored_copy_is_told_with_both_numbers() {
        let since = day("2026-11-18");
        for (now, kind, says) in [
            (
                Counted {
                    rows: 97,
                    ..visits()
                },
                "fewer rows",
                "100 rows on 2026-11-18, 97 now",
            ),
            (
                Counted {
                    largest_key: Some(99),
                    ..visits()
                },
                "smaller key",
                "was 104 on 2026-11-18 and is 99 now",
            ),
            (
                Counted {
                    last_changed: day("2026-11-16").and_hms_opt(18, 0, 0),
                    ..visits()
                },
                "older change",
                "was of 2026-11-18 18:00:00 on 2026-11-18 and is of 2026-11-16 18:00:00 now",
            ),
        ] {
            let loss = now.lost_since(&visits(), since).expect(kind);
            assert_eq!(loss.kind(), kind);
            assert!(loss.to_string().contains(says), "{loss}");
        }
    }

    #[test]
    fn a_control_that_does_not_count_what_is_due_is_not_read() {
        let names = arrow::array::StringArray::from(vec!["VISITS"]);
        let batch = RecordBatch::try_from_iter([("table_name", std::sync::Arc::new(names) as _)]);
        assert_eq!(Counted::of_batch(&batch.expect("a batch")), []);
    }
}

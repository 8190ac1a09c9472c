//! The questions that every engine is asked in the same words: the newest rows, and those known on a day.

use super::lake::{Lake, PublishedQuery};
use crate::domain::Mode;

/// How an engine writes names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    /// What stands on both sides of a name.
    pub(super) quote: char,
}

impl Dialect {
    pub(super) fn name(self, name: &str) -> String {
        let quote = self.quote;
        format!("{quote}{name}{quote}")
    }

    fn names<'a>(self, names: impl IntoIterator<Item = &'a str>) -> String {
        let quoted: Vec<String> = names.into_iter().map(|name| self.name(name)).collect();
        quoted.join(", ")
    }

    /// All columns, those that the folders' names give included.
    pub(super) fn all_columns(self, query: &PublishedQuery) -> String {
        let columns = query.columns().map(|(name, _)| name);
        self.names(columns.chain(query.partitions()))
    }

    /// The rows that stand: of an incremental query the newest one of each key, of a snapshot those of each
    /// site's newest day. With `last_day`, an expression for a date, of the windows that ended by that day.
    ///
    /// `windows` gives site and first day of each object, `_site` and `_window_start`; by default the rows
    /// give it, and then a day without rows does not count as the newest.
    pub(super) fn standing(
        self,
        query: &PublishedQuery,
        history: &str,
        first_day_after: Option<&str>,
        windows: Option<&str>,
    ) -> String {
        let columns = self.all_columns(query);
        let by_then =
            first_day_after.map_or(String::new(), |day| format!(" WHERE _window_end <= {day}"));
        let rows = match query.mode {
            Mode::Incremental { .. } => {
                let key = self.names(query.row_key());
                format!(
                    "SELECT {columns}\nFROM (\n    SELECT *, row_number() OVER (\n        PARTITION BY _site, {key} ORDER BY _window_end DESC, _extracted_at DESC\n    ) AS _newest\n    FROM {history}{by_then}\n) AS ranked\nWHERE _newest = 1"
                )
            }
            Mode::Snapshot => {
                let windows = windows.unwrap_or(history);
                format!(
                    "SELECT {columns}\nFROM {history} AS h\nJOIN (\n    SELECT _site AS _newest_site, max(_window_start) AS _newest_start\n    FROM {windows}{by_then}\n    GROUP BY _site\n) AS newest ON h._site = newest._newest_site AND h._window_start = newest._newest_start\nWHERE true"
                )
            }
        };
        if query.tells_deletion() {
            format!("{rows} AND record_status = 1")
        } else {
            rows
        }
    }
}

/// Text as the literal of a statement.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What every file of views begins with.
pub(super) fn opening(lake: &Lake, engine: &str, how: &str) -> String {
    format!(
        "-- Views over the {environment} extracts for {engine}. Written by halo-extract after each night;\n-- changes here are lost. {how}\n--\n-- <query>_v<N>_history     every row of every window, as it was extracted\n-- <query>_v<N>_latest      the rows that stand: newest version of each key, or newest snapshot of each site\n-- <query>_v<N>_as_of(day)  the same, from the windows that ended by that day\n-- <query>_history, …       the same of the highest version\n--\n-- A row whose record_status is not 1 was deleted at the practice: history has it, latest has not.\n-- Which practice is missing, and why, is in _meta/coverage.parquet.\n",
        environment = lake.environment,
    )
}

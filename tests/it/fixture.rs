//! A small practice of one table and one query file, written for a test.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::harness::{Home, Simulator};

/// `visits.csv`, its types, and the query `visits`.
pub(crate) struct Fixture {
    folder: TempDir,
}

pub(crate) const SCHEMA: &str = "CREATE TABLE visits (
    id int NOT NULL,
    seen datetime NOT NULL,
    weight decimal(6,2) NULL,
    note varchar(40) NULL,
    updated datetime NULL
);";

pub(crate) const ROWS: &str = "id,seen,weight,note,updated
1,2026-11-01T09:30:00,71.50,first,
2,2026-11-02T10:00:00,,\"\",2026-11-03T08:00:00
3,2026-11-05T11:15:00,80.25,,
";

/// What `visits.csv` holds besides, row by row: enough for several pages.
pub(crate) fn many_rows(rows: usize) -> String {
    let mut text = String::from("id,seen,weight,note,updated\n");
    for id in 1..=rows {
        text.push_str(&format!(
            "{id},2026-11-{:02}T09:30:00,{}.25,row number {id},\n",
            id % 28 + 1,
            id % 100
        ));
    }
    text
}

pub(crate) const HEADER: &str = "/*---
purpose   = \"Visits of the test practice.\"
owner     = \"tests\"
pms       = \"best-practice\"
mode      = \"incremental\"
watermark = \"coalesce(updated, seen)\"
overlap   = \"0 days\"
key       = [\"id\"]
opt_out   = \"The table has no patients.\"

[columns]
id      = { type = \"int not null\", class = \"operational\" }
seen    = { type = \"datetime not null\", class = \"quasi\" }
weight  = { type = \"decimal(6,2)\", class = \"clinical\" }
note    = { type = \"varchar(40)\", class = \"clinical\" }
---*/
";

pub(crate) const SQL: &str = "SELECT v.id AS id, v.seen AS seen, v.weight AS weight, v.note AS note
FROM visits v
WHERE COALESCE(v.updated, v.seen) >= @window_start AND COALESCE(v.updated, v.seen) < @window_end
ORDER BY v.id
";

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with_rows(ROWS)
    }

    pub(crate) fn with_rows(rows: &str) -> Self {
        let fixture = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        std::fs::create_dir_all(fixture.data()).expect("made");
        std::fs::write(fixture.data().join("schema.sql"), SCHEMA).expect("written");
        std::fs::write(fixture.data().join("visits.csv"), rows).expect("written");
        fixture.query("visits", HEADER, SQL);
        fixture
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn queries(&self) -> PathBuf {
        self.folder.path().join("queries")
    }

    /// Writes `queries/<name>/v1.sql`.
    pub(crate) fn query(&self, name: &str, header: &str, sql: &str) {
        let folder = self.queries().join(name);
        std::fs::create_dir_all(&folder).expect("made");
        std::fs::write(folder.join("v1.sql"), format!("{header}{sql}")).expect("written");
    }

    /// A simulator of this practice, with more arguments.
    pub(crate) fn simulator(&self, arguments: &[&str]) -> Simulator {
        let data = self.data();
        let mut all = vec!["--data", text(&data)];
        all.extend(arguments);
        Simulator::start(&all)
    }

    /// An installation with the practice paired and active.
    pub(crate) fn home(&self, simulator: &Simulator) -> Home {
        let home = Home::new(simulator, &self.queries());
        home.pair_all(simulator);
        home
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}

/// `run` over November 2026.
pub(crate) const RUN: [&str; 7] = [
    "run",
    "--from",
    "2026-11-01",
    "--to",
    "2026-12-01",
    "--output",
    "json",
];

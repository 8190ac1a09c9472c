//! Tests of the catalog: one good file, and what becomes of it when something in it is replaced.

mod changes;
mod dictionaries;
mod fingerprints;
mod folders;
mod mistakes;
mod queries;
mod variants;

use super::Problem;
use super::files::QueryFile;
use super::read::check;
use crate::domain::Query;

const GOOD: &str = r#"/*---
purpose   = "Recorded measurements"
owner     = "population-health"
pms       = "best-practice"
catalogue = "BPSPatients"
mode      = "incremental"
watermark = "coalesce(UPDATED, CREATED)"
overlap   = "2 days"
key       = ["record_id"]
cron      = "30 1 * * *"
measures  = ["QIM 3", "QIM 8"]
opt_out   = "joins PATIENTS and takes those with no opt-out"
freshness = "36 hours"

[columns]
record_id  = { type = "int not null", class = "operational" }
patient_id = { type = "int not null", class = "identifier", privacy = "pseudonym", of = "patient" }
observed   = { type = "datetime not null", class = "quasi", privacy = "day" }
value      = { type = "varchar(20)", class = "clinical", trim = true, description = "as typed" }
---*/
SELECT o.RECORDID AS record_id, o.INTERNALID AS patient_id, o.OBSDATE AS observed, o.VALUE AS value
FROM OBSERVATIONS o WITH (NOLOCK)
WHERE COALESCE(o.UPDATED, o.CREATED) >= @window_start AND COALESCE(o.UPDATED, o.CREATED) < @window_end
ORDER BY o.RECORDID
OPTION (MAXDOP 1);
"#;

fn file() -> QueryFile {
    QueryFile {
        id: "observation@v1".parse().expect("an id"),
        path: "queries/observation/v1.sql".into(),
    }
}

fn query(text: &str) -> Query {
    check(&file(), text).expect("a query without problems")
}

/// The problems of a text, as `line:column what; instead`.
fn problems(text: &str) -> Vec<String> {
    let told = |problem: Problem| {
        let (line, column) = (
            problem.line.expect("a line"),
            problem.column.expect("a column"),
        );
        format!("{line}:{column} {}; {}", problem.what, problem.instead)
    };
    let problems = check(&file(), text).err().unwrap_or_default();
    problems.into_iter().map(told).collect()
}

/// The good file with one text in it replaced.
fn with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "`{from}` is not in the good file");
    GOOD.replacen(from, to, 1)
}

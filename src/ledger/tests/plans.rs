//! What SQLite means to do for the statements that run for each extraction, each site and query, or each look: never to
//! go through all that a site ever had, let alone the fleet.

use crate::ledger::{backfill, night, nightly, read, work};

use super::*;

/// What SQLite means to do, step by step; values decide nothing, so none is given.
fn steps(sql: &str) -> Vec<String> {
    let home = Home::new();
    let steps = home.ledger.read("explain a statement", |transaction| {
        let mut statement = transaction.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        let mut rows = statement.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next()? {
            steps.push(row.get("detail")?);
        }
        Ok(steps)
    });
    steps.expect("a plan")
}

#[track_caller]
fn assert_among(wanted: &str, steps: &[String]) {
    assert!(steps.iter().any(|step| step.ends_with(wanted)), "{steps:?}");
}

#[track_caller]
fn assert_unsorted(steps: &[String]) {
    let sorts = |step: &String| step.contains("TEMP B-TREE");
    assert!(!steps.iter().any(sorts), "{steps:?}");
}

#[test]
fn an_extraction_is_found_by_all_of_its_identity() {
    let wanted = "INDEX extraction_identity (site=? AND window_end=? AND window_start=? AND query=? AND version=?)";
    assert_among(wanted, &steps(work::FIND));
}

#[test]
fn what_lies_beyond_a_frontier_is_read_without_the_years_before() {
    let wanted = "INDEX extraction_identity (site=? AND window_end>?)";
    assert_among(wanted, &steps(night::BEYOND));
    assert_among(wanted, &steps(&nightly::at_site_sql()));
}

#[test]
fn what_is_open_of_the_nights_is_read_by_site_and_by_what_runs() {
    let steps = steps(night::OPEN);

    assert_among("INDEX extraction_waiting", &steps);
    assert_among("INDEX extraction_running", &steps);
}

#[test]
fn what_a_new_object_settles_is_sought_among_what_failed() {
    let steps = steps(backfill::SETTLE_COVERED);

    assert_among("PRIMARY KEY (rowid=?)", &steps);
    assert_among(
        "INDEX extraction_failed (site=? AND query=? AND version=?)",
        &steps,
    );
}

#[test]
fn remote_queries_that_are_open_are_sought_among_what_is_not_finished() {
    let steps = steps(read::OPEN_REMOTE);

    assert_among("PRIMARY KEY (extraction=?)", &steps);
    assert!(!steps.iter().any(|step| step == "SCAN a"), "{steps:?}");
    assert!(
        !steps.iter().any(|step| step == "SCAN extraction"),
        "{steps:?}"
    );
}

#[test]
fn what_a_query_took_is_read_from_the_newest_object_back() {
    for (at_site, index) in [
        (true, "extraction_by_site_and_publication (site=?"),
        (false, "extraction_by_publication"),
    ] {
        let steps = steps(&backfill::samples_sql(at_site));

        assert!(
            steps.iter().any(|step| step.contains(index)),
            "{index}: {steps:?}"
        );
        assert_among("PRIMARY KEY (extraction=?)", &steps);
        assert_unsorted(&steps);
    }
}

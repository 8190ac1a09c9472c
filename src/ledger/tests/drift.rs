use std::collections::BTreeMap;

use rusqlite::Connection;

use super::*;
use crate::domain::{FailureClass, Retry};
use crate::ledger::ContractBreak;

/// Fails the next extraction that is due, because of these columns.
fn fail(home: &Home, columns: &[&str]) {
    let claim = home.claim("02:00").expect("something to do");
    let breaks: Vec<_> = columns
        .iter()
        .map(|column| ContractBreak {
            column: (*column).to_owned(),
            reason: "is missing from the row".to_owned(),
        })
        .collect();
    recorded(home.ledger.record_breaks(&claim, &breaks));
    recorded(home.ledger.fail(
        &claim,
        FailureClass::Contract,
        "a message",
        Retry::Never,
        AttemptCost::default(),
        at("02:01"),
    ));
}

/// Sites `s1`, `s2` and `s3`, of which the last has a newer PMS.
fn three_sites() -> Home {
    let home = Home::new();
    for (key, version) in [("s1", "1.11"), ("s2", "1.11"), ("s3", "1.12")] {
        let site = Site {
            pms_version: Some(version.to_owned()),
            ..site(key)
        };
        home.ledger
            .put_site(&site, &change("activate"))
            .expect("a site");
    }
    home.plan(&[
        "s1/visit@v1/2026-11-18..2026-11-19",
        "s2/visit@v1/2026-11-18..2026-11-19",
        "s3/visit@v1/2026-11-18..2026-11-19",
    ]);
    home
}

#[test]
fn drift_counts_the_sites_of_each_difference_against_all_that_were_asked() {
    let home = three_sites();
    fail(&home, &["opt_out", "room"]);
    fail(&home, &["opt_out"]);
    let claim = home.run_up_to_record("02:05");
    home.succeed(&claim, "02:06");

    let drift = home.ledger.drift().expect("readable");

    let told: Vec<_> = drift
        .iter()
        .map(|it| (it.column.as_str(), it.sites.len(), it.of_sites))
        .collect();
    assert_eq!(told, [("opt_out", 2, 3), ("room", 1, 3)]);
    let versions = BTreeMap::from([("best-practice 1.11".to_owned(), 2)]);
    assert_eq!(drift[0].pms_versions, versions);
}

#[test]
fn what_was_mended_is_no_drift_any_more() {
    let home = three_sites();
    fail(&home, &["room"]);
    assert_eq!(home.ledger.drift().expect("readable").len(), 1);

    let mended = extraction("s1/visit@v1/2026-11-18..2026-11-19");
    let _requested = home
        .ledger
        .request_again(&mended, at("03:00"))
        .expect("requested");
    for _ in 0..3 {
        let claim = home.run_up_to_record("03:01");
        home.succeed(&claim, "03:02");
    }

    assert_eq!(home.ledger.drift().expect("readable"), []);
}

#[test]
fn a_ledger_of_the_first_schema_gets_the_later_tables_and_keeps_its_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = Connection::open(folder.path().join("ledger.sqlite")).expect("a database");
    raw.execute_batch(include_str!("../migrations/0001_one_night.sql"))
        .expect("the first schema");
    raw.execute_batch(
        "PRAGMA application_id = 0x48784c67; PRAGMA user_version = 1;
         INSERT INTO property VALUES ('environment', 'simulator');
         INSERT INTO site (key, pms_type, pms_id, catalogues, time_zone, groups, state)
         VALUES ('s1', 'best-practice', '1', '[]', 'Australia/Brisbane', '[]', 'active');",
    )
    .expect("a site of that time");
    drop(raw);

    let home = Home {
        ledger: open(&folder),
        folder,
    };

    home.plan(&["s1/visit@v1/2026-11-18..2026-11-19"]);
    fail(&home, &["room"]);
    assert_eq!(home.ledger.drift().expect("readable").len(), 1);
    assert_eq!(home.ledger.pseudonym_key().expect("readable"), None);
}

use super::*;
use crate::domain::{Class, Column, Contract, Mode, Query, SqlType};
use crate::ledger::{Freeze, FrozenVersion, LedgerErrorKind, SitePut};

#[test]
fn a_site_is_read_back_as_it_was_put() {
    let home = Home::new();
    let put = home
        .ledger
        .put_site(&site("s1"), &change("pair"))
        .expect("a site");

    assert_eq!(put, SitePut::Added);
    let key = "s1".parse().expect("a key");
    assert_eq!(home.ledger.site(&key).expect("readable"), Some(site("s1")));
    let absent = "s9".parse().expect("a key");
    assert_eq!(home.ledger.site(&absent).expect("readable"), None);
}

#[test]
fn putting_the_same_site_again_leaves_no_trace() {
    let home = Home::with_sites();

    let put = home
        .ledger
        .put_site(&site("s1"), &change("import"))
        .expect("a site");

    assert_eq!(put, SitePut::Same);
    assert_eq!(home.ledger.audit_tail(10).expect("readable").len(), 2);
}

#[test]
fn a_change_of_a_site_is_audited_with_what_was_before() {
    let home = Home::with_sites();
    let mut paused = site("s1");
    paused.state = SiteState::Paused;

    let put = home
        .ledger
        .put_site(&paused, &change("pause"))
        .expect("a site");

    assert_eq!(put, SitePut::Changed);
    let entry = home.ledger.audit_tail(1).expect("readable").remove(0);
    assert_eq!(
        (entry.seq, entry.actor.as_str(), entry.subject.as_str()),
        (3, "operator", "s1")
    );
    assert_eq!(entry.at, "2026-11-19T00:10:00.000Z");
    let state = [Some("active".to_owned()), Some("paused".to_owned())];
    assert_eq!(
        entry.changes.into_iter().collect::<Vec<_>>(),
        [("state".to_owned(), state)]
    );
}

#[test]
fn each_guid_and_name_of_a_site_is_remembered() {
    let home = Home::with_sites();
    let mut moved = site("s1");
    moved.halo_guid = Some(
        "00000000-0000-0000-0000-000000000002"
            .parse()
            .expect("a GUID"),
    );
    home.ledger
        .put_site(&moved, &change("follow"))
        .expect("a site");
    moved.state = SiteState::Paused;
    home.ledger
        .put_site(&moved, &change("pause"))
        .expect("a site");

    let history = home.ledger.site_identities(&moved.key).expect("readable");

    let guids: Vec<_> = history.iter().map(|identity| identity.halo_guid).collect();
    assert_eq!(guids, [Some(guid()), moved.halo_guid]);
}

#[test]
fn one_practice_database_has_one_key() {
    let home = Home::with_sites();
    let mut twin = site("s1");
    twin.key = "twin".parse().expect("a key");

    let error = home
        .ledger
        .put_site(&twin, &change("pair"))
        .expect_err("a refusal");

    assert!(
        matches!(error.kind, LedgerErrorKind::SiteTwice(_)),
        "{error:?}"
    );
}

#[test]
fn a_version_is_frozen_when_it_first_runs_and_an_edit_is_noticed() {
    let home = Home::new();
    let ledger = &home.ledger;
    let (original, edited) = (query('a'), query('b'));

    assert_eq!(ledger.frozen(&original.id).expect("readable"), None);
    assert_eq!(
        ledger.freeze(&original, at("02:00")).expect("a ledger"),
        Freeze::New
    );
    assert_eq!(
        ledger.freeze(&original, at("03:00")).expect("a ledger"),
        Freeze::Same
    );
    let frozen = FrozenVersion {
        fingerprint: original.fingerprint.clone(),
        since: at("02:00"),
    };
    assert_eq!(
        ledger.freeze(&edited, at("04:00")).expect("a ledger"),
        Freeze::Changed(frozen.clone())
    );
    assert_eq!(ledger.frozen(&original.id).expect("readable"), Some(frozen));
}

/// A query whose fingerprint is made of one hex digit.
fn query(digit: char) -> Query {
    Query {
        id: "visit@v1".parse().expect("an id"),
        file: "queries/visit/v1.sql".into(),
        purpose: "Visits".to_owned(),
        owner: "population-health".to_owned(),
        pms: PmsType::BestPractice,
        catalogue: None,
        mode: Mode::Snapshot,
        watermark: None,
        key: vec!["record_id".to_owned()],
        cron: None,
        freshness: None,
        measures: Vec::new(),
        opt_out: None,
        withheld: None,
        cost: None,
        contract: Contract {
            columns: vec![Column {
                name: "record_id".to_owned(),
                sql_type: SqlType::Int,
                nullable: false,
                class: Class::Operational,
                rule: None,
                trim: false,
                offset: false,
                description: None,
            }],
        },
        sql: "SELECT 1 AS record_id".to_owned(),
        fingerprint: digit.to_string().repeat(64).parse().expect("a fingerprint"),
    }
}

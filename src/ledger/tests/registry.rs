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
fn a_pause_ends_by_itself_on_its_day_at_the_site_and_only_once() {
    let home = Home::with_sites();
    let mut paused = site("s1");
    paused.stand(SiteState::Paused);
    paused.paused_until = "2026-11-20".parse().ok();
    home.ledger
        .put_site(&paused, &change("pause"))
        .expect("a site");
    let resumed = |now: &str| {
        let now = now.parse().expect("an instant");
        home.ledger.resume_paused(now).expect("a ledger")
    };

    // In Brisbane, ten hours ahead, the day begins at 14:00 UTC the day before.
    assert_eq!(resumed("2026-11-19T13:59:59Z"), []);
    assert_eq!(resumed("2026-11-19T14:00:00Z"), [paused.key.clone()]);
    assert_eq!(resumed("2026-11-20T14:00:00Z"), []);

    assert_eq!(
        home.ledger.site(&paused.key).expect("readable"),
        Some(site("s1"))
    );
    let entry = home.ledger.audit_tail(1).expect("readable").remove(0);
    assert_eq!(
        (entry.actor.as_str(), entry.reason.as_str()),
        ("schedule", "the pause ended on 2026-11-20")
    );
}

#[test]
fn a_pause_without_a_date_does_not_end_by_itself() {
    let home = Home::with_sites();
    let mut paused = site("s1");
    paused.stand(SiteState::Paused);
    home.ledger
        .put_site(&paused, &change("pause"))
        .expect("a site");

    let resumed = home
        .ledger
        .resume_paused("2099-01-01T00:00:00Z".parse().expect("an instant"));

    assert_eq!(resumed.expect("a ledger"), []);
}

#[test]
fn withdrawing_a_site_calls_off_what_is_open_and_its_worker_can_no_longer_record() {
    let home = Home::with_sites();
    home.plan(&[
        "s1/visit@v1/2026-11-18..2026-11-19",
        "s1/visit@v1/2026-11-17..2026-11-18",
        "s2/visit@v1/2026-11-18..2026-11-19",
    ]);
    let claim = home.run_up_to_record("02:00");
    let mut withdrawn = site("s1");
    withdrawn.stand(SiteState::Withdrawn);

    home.ledger
        .put_site(&withdrawn, &change("withdraw"))
        .expect("a site");

    let recorded = home.ledger.succeed(
        &claim,
        &proof(7),
        &object(7),
        AttemptCost::default(),
        at("02:01"),
    );
    assert_eq!(recorded.expect("a ledger"), Fenced::Lost);
    let states: Vec<_> = home
        .ledger
        .extractions(&crate::ledger::ExtractionFilter::default())
        .expect("readable")
        .into_iter()
        .map(|row| (row.extraction.site.to_string(), row.state.name().to_owned()))
        .collect();
    let state = |site: &str, state: &str| (site.to_owned(), state.to_owned());
    assert_eq!(
        states,
        [
            state("s1", "cancelled"),
            state("s2", "pending"),
            state("s1", "cancelled")
        ]
    );
    let entry = home.ledger.audit_tail(1).expect("readable").remove(0);
    assert_eq!(
        entry.changes["open_extractions"],
        [Some("2".to_owned()), None]
    );
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
        ledger
            .freeze(&original.id, &original.fingerprint, at("02:00"))
            .expect("a ledger"),
        Freeze::New
    );
    assert_eq!(
        ledger
            .freeze(&original.id, &original.fingerprint, at("03:00"))
            .expect("a ledger"),
        Freeze::Same
    );
    let frozen = FrozenVersion {
        fingerprint: original.fingerprint.clone(),
        since: at("02:00"),
    };
    assert_eq!(
        ledger
            .freeze(&edited.id, &edited.fingerprint, at("04:00"))
            .expect("a ledger"),
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
        variants: Vec::new(),
        fingerprint: digit.to_string().repeat(64).parse().expect("a fingerprint"),
    }
}

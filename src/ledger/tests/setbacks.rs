use super::*;
use crate::domain::{ExtractionState, FailureClass, Retry, Waiting};
use crate::ledger::Setback;

const VISIT: &str = "s1/visit@v1/2026-11-18..2026-11-19";

fn setback(what: &str, now: &str) -> Setback {
    Setback {
        at: at(now),
        class: FailureClass::Site,
        who: "the practice".to_owned(),
        what: what.to_owned(),
        why: None,
        next: Some("look".to_owned()),
    }
}

/// Claims what is due, meets a setback, and lets it wait for ten minutes.
fn met(home: &Home, what: &str, now: &str) {
    let claim = home.claim(now).expect("something is due");
    recorded(home.ledger.record_setback(&claim, &setback(what, now)));
    recorded(home.ledger.fail(
        &claim,
        FailureClass::Site,
        what,
        Retry::Later(Duration::from_secs(600)),
        AttemptCost::default(),
        at(now),
    ));
}

fn of_visit(home: &Home) -> Option<Setback> {
    home.ledger.setback(&extraction(VISIT)).expect("readable")
}

#[test]
fn the_last_setback_is_kept_until_the_extraction_succeeds() {
    let home = Home::with_sites();
    home.plan(&[VISIT]);
    assert_eq!(of_visit(&home), None);

    met(&home, "offline", "02:00");
    met(&home, "silent", "02:20");
    assert_eq!(of_visit(&home), Some(setback("silent", "02:20")));

    let claim = home.run_up_to_record("02:40");
    home.succeed(&claim, "02:41");
    assert_eq!(of_visit(&home), None);
}

#[test]
fn a_worker_that_lost_its_claim_leaves_no_setback() {
    let home = Home::with_sites();
    home.plan(&[VISIT]);
    let old = home.claim("02:00").expect("due");
    let _new = home.claim("02:30").expect("the lease ran out");

    let fenced = home
        .ledger
        .record_setback(&old, &setback("offline", "02:31"))
        .expect("a ledger");

    assert_eq!(fenced, Fenced::Lost);
    assert_eq!(of_visit(&home), None);
}

#[test]
fn what_a_site_has_not_published_is_grouped_by_state_with_its_last_setback() {
    let home = Home::with_sites();
    home.plan(&[
        VISIT,
        "s1/patient@v1/2026-11-18..2026-11-19",
        "s1/recall@v1/2026-11-18..2026-11-19",
        "s2/visit@v1/2026-11-18..2026-11-19",
    ]);
    let claim = home.run_up_to_record("02:00");
    assert_eq!(claim.extraction, extraction(VISIT));
    home.succeed(&claim, "02:01");
    met(&home, "offline", "02:02");

    let unfinished = home
        .ledger
        .unfinished_of_site(&"s1".parse().expect("a key"))
        .expect("readable");

    let told: Vec<_> = unfinished
        .iter()
        .map(|group| {
            (
                group.state.clone(),
                group.extractions,
                group.setback.clone(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                ExtractionState::Pending(Waiting::SiteOffline),
                1,
                Some(setback("offline", "02:02"))
            ),
            (ExtractionState::Pending(Waiting::Worker), 1, None),
        ]
    );
    assert_eq!(unfinished[0].not_before, at("02:12"));
}

#[test]
fn the_newest_window_of_each_query_version_is_told_and_no_older_one() {
    let home = Home::with_sites();
    home.plan(&[
        VISIT,
        "s1/visit@v1/2026-11-17..2026-11-18",
        "s1/visit@v2/2026-11-01..2026-11-02",
        "s1/patient@v1/2026-11-10..2026-11-11",
        "s2/visit@v1/2026-11-20..2026-11-21",
    ]);

    let newest = home
        .ledger
        .newest_of_site(&"s1".parse().expect("a key"))
        .expect("readable");

    let told: Vec<_> = newest
        .iter()
        .map(|row| row.extraction.to_string())
        .collect();
    assert_eq!(
        told,
        [
            "s1/patient@v1/2026-11-10..2026-11-11",
            VISIT,
            "s1/visit@v2/2026-11-01..2026-11-02"
        ]
    );
}

#[test]
fn the_queries_posted_in_a_month_are_those_of_the_site_in_that_month() {
    let home = Home::with_sites();
    home.plan(&[VISIT, "s2/visit@v1/2026-11-18..2026-11-19"]);
    let _first = home.run_up_to_record("02:00");
    let _second = home.run_up_to_record("02:00");
    let posted = |site: &str, now: &str| {
        let now = now.parse().expect("a time");
        home.ledger
            .posted_this_month(&site.parse().expect("a key"), now)
            .expect("readable")
    };

    assert_eq!(posted("s1", "2026-11-30T23:59:59Z"), 1);
    assert_eq!(posted("s2", "2026-11-19T03:00:00Z"), 1);
    assert_eq!(posted("s1", "2026-12-01T00:00:00Z"), 0);
}

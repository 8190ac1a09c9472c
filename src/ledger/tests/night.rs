use std::time::Duration;

use super::*;
use crate::domain::{AttemptNumber, ExtractionState, FailureClass, Retry, Step, Waiting, Window};
use crate::ledger::{AttemptOutcome, Cancelled, ExtractionFilter, LedgerErrorKind, Requested};

const VISIT: &str = "s1/visit@v1/2026-11-18..2026-11-19";
const PATIENT: &str = "s1/patient@v1/2026-11-18..2026-11-19";
const ELSEWHERE: &str = "s2/visit@v1/2026-11-18..2026-11-19";

fn state(home: &Home, text: &str) -> ExtractionState {
    let row = home.ledger.extraction(&extraction(text)).expect("readable");
    row.expect("planned").state
}

#[test]
fn a_night_ends_with_the_object_and_its_proof_on_record() {
    let home = Home::with_sites();
    home.plan(&[VISIT]);

    let claim = home.run_up_to_record("02:00");
    recorded(home.ledger.record_progress(&claim, &Step::Fetching));
    assert_eq!(
        state(&home, VISIT),
        ExtractionState::Running(Step::Fetching)
    );
    let cost = AttemptCost {
        pages: 3,
        size_bytes: 9_000,
        remote: Duration::from_secs(4),
        elapsed: Duration::from_secs(6),
    };
    recorded(
        home.ledger
            .succeed(&claim, &proof(7), &object(7), cost, at("02:01")),
    );

    let row = home
        .ledger
        .extraction(&extraction(VISIT))
        .expect("readable")
        .expect("planned");
    assert_eq!(row.state, ExtractionState::Succeeded);
    assert_eq!(row.proof, Some(proof(7)));
    assert_eq!(row.object, Some(object(7)));
    assert_eq!(row.extracted_at, Some(at("02:01")));
    assert_eq!((row.attempts, row.worker, row.lease_until), (1, None, None));
    let attempts = home.ledger.attempts(&extraction(VISIT)).expect("readable");
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].outcome, Some(AttemptOutcome::Succeeded));
    assert_eq!(attempts[0].remote, Some(remote(1)));
    assert_eq!(attempts[0].submitted_at, Some(at("02:00")));
    assert_eq!(
        (attempts[0].pages, attempts[0].size_bytes),
        (Some(3), Some(9_000))
    );
    assert_eq!(attempts[0].remote_duration, Some(Duration::from_secs(4)));
    assert_eq!(home.claim("03:00"), None);
}

#[test]
fn planning_twice_adds_nothing_and_tells_what_was_there() {
    let home = Home::with_sites();

    let first = home
        .ledger
        .plan(&[planned(VISIT)], at("01:00"))
        .expect("a plan");
    let mut again = planned(VISIT);
    again.lane = Lane::Backfill;
    let second = home
        .ledger
        .plan(&[again, planned(PATIENT)], at("01:05"))
        .expect("a plan");

    assert_eq!(first.added, [extraction(VISIT)]);
    assert_eq!(second.added, [extraction(PATIENT)]);
    let waiting = ExtractionState::Pending(Waiting::Worker);
    assert_eq!(second.already, [(extraction(VISIT), waiting)]);
    let row = home
        .ledger
        .extraction(&extraction(VISIT))
        .expect("readable")
        .expect("planned");
    assert_eq!((row.lane, row.planned_at), (Lane::Nightly, at("01:00")));
}

#[test]
fn a_plan_for_a_site_that_is_not_registered_is_refused() {
    let home = Home::new();

    let error = home
        .ledger
        .plan(&[planned(VISIT)], at("01:00"))
        .expect_err("no such site");

    assert!(
        matches!(error.kind, LedgerErrorKind::UnknownSite(_)),
        "{error:?}"
    );
    assert_eq!(
        error.kind.to_string(),
        "site s1 is not in the registry · pair or add it first"
    );
}

#[test]
fn nothing_is_claimed_before_its_time() {
    let home = Home::with_sites();
    home.plan(&[VISIT]);

    assert_eq!(home.claim("01:29"), None);
    assert!(home.claim("01:30").is_some());
}

#[test]
fn a_site_has_no_more_at_work_than_its_limit() {
    let home = Home::with_sites();
    home.plan(&[VISIT, PATIENT, ELSEWHERE]);

    let first = home.claim("02:00").expect("the first of s1");
    let second = home.claim("02:00").expect("the one of s2");
    assert_eq!(first.extraction, extraction(VISIT));
    assert_eq!(second.extraction, extraction(ELSEWHERE));
    assert_eq!(home.claim("02:00"), None);

    let two_at_once = ClaimRequest {
        per_site_limit: 2,
        ..request("02:00")
    };
    let third = home.ledger.claim(&two_at_once).expect("a ledger");
    assert_eq!(
        third.map(|claim| claim.extraction),
        Some(extraction(PATIENT))
    );
}

#[test]
fn a_site_with_a_limit_of_its_own_has_that_one() {
    let home = Home::with_sites();
    home.plan(&[VISIT, PATIENT]);
    let mut two_at_once = site("s1");
    two_at_once.overrides.extractions_at_once = Some(2);
    home.ledger
        .put_site(&two_at_once, &change("set"))
        .expect("a site");

    assert!(home.claim("02:00").is_some());
    assert!(home.claim("02:00").is_some());
}

#[test]
fn only_an_active_site_is_claimed_from() {
    let home = Home::with_sites();
    home.plan(&[VISIT]);
    for quiet in [
        SiteState::Invited,
        SiteState::Held,
        SiteState::Paused,
        SiteState::IdentityReview,
        SiteState::Withdrawn,
    ] {
        let mut site = site("s1");
        site.state = quiet;
        home.ledger
            .put_site(&site, &change("pause"))
            .expect("a site");
        assert_eq!(home.claim("02:00"), None, "{quiet}");
    }
}

#[test]
fn lanes_are_looked_through_in_the_order_asked_and_priorities_within_a_lane() {
    let home = Home::with_sites();
    let lane = |text, lane, priority| Planned {
        lane,
        priority,
        ..planned(text)
    };
    let plan = [
        lane("s1/a@v1/2026-11-18..2026-11-19", Lane::Backfill, 9),
        lane("s1/b@v1/2026-11-18..2026-11-19", Lane::Nightly, 0),
        lane("s1/c@v1/2026-11-18..2026-11-19", Lane::Nightly, 1),
        lane("s1/d@v1/2026-11-18..2026-11-19", Lane::Manual, 0),
    ];
    home.ledger.plan(&plan, at("01:00")).expect("a plan");
    let without_limit = ClaimRequest {
        per_site_limit: 10,
        ..request("02:00")
    };

    let order: Vec<_> = std::iter::from_fn(|| home.ledger.claim(&without_limit).expect("a ledger"))
        .map(|claim| claim.extraction.query.name.to_string())
        .collect();

    assert_eq!(order, ["d", "c", "b", "a"]);
}

#[test]
fn a_claim_can_be_confined_to_some_extractions() {
    let home = Home::with_sites();
    home.plan(&[VISIT, ELSEWHERE]);
    let wanted = extraction(ELSEWHERE);
    let is_wanted = |extraction: &Extraction| *extraction == wanted;
    let confined = ClaimRequest {
        only: Some(&is_wanted),
        ..request("02:00")
    };

    let claim = home
        .ledger
        .claim(&confined)
        .expect("a ledger")
        .expect("the one wanted");

    assert_eq!(claim.extraction, wanted);
    assert_eq!(home.ledger.claim(&confined).expect("a ledger"), None);
}

#[test]
fn a_failure_that_time_mends_waits_and_then_is_attempted_again() {
    let home = Home::with_sites();
    home.plan(&[VISIT]);
    let claim = home.run_up_to_record("02:00");

    let later = Retry::Later(Duration::from_secs(600));
    let cost = AttemptCost::default();
    recorded(home.ledger.fail(
        &claim,
        FailureClass::Site,
        "no answer",
        later,
        cost,
        at("02:01"),
    ));

    assert_eq!(
        state(&home, VISIT),
        ExtractionState::Pending(Waiting::SiteOffline)
    );
    assert_eq!(home.claim("02:10"), None);
    let second = home.claim("02:11").expect("the second attempt");
    assert_eq!(second.attempt, AttemptNumber(2));
    assert_eq!(second.resume, None);
    let attempts = home.ledger.attempts(&extraction(VISIT)).expect("readable");
    assert_eq!(attempts[0].failure, Some(FailureClass::Site));
    assert_eq!(attempts[0].message.as_deref(), Some("no answer"));
}

#[test]
fn a_failure_that_nobody_mended_is_not_attempted_until_asked_again() {
    let home = Home::with_sites();
    home.plan(&[VISIT]);
    let claim = home.run_up_to_record("02:00");
    let cost = AttemptCost::default();
    recorded(home.ledger.fail(
        &claim,
        FailureClass::Sql,
        "no such column",
        Retry::Never,
        cost,
        at("02:01"),
    ));
    assert_eq!(
        state(&home, VISIT),
        ExtractionState::Failed(FailureClass::Sql)
    );
    assert_eq!(home.claim("23:00"), None);

    let asked = home
        .ledger
        .request_again(&extraction(VISIT), at("23:00"))
        .expect("a ledger");

    assert_eq!(asked, Requested::Pending);
    assert_eq!(
        home.claim("23:00").map(|claim| claim.attempt),
        Some(AttemptNumber(2))
    );
}

#[test]
fn lost_results_count_until_the_extraction_is_finished_and_asked_for_again() {
    let home = Home::with_sites();
    home.plan(&[VISIT]);
    let lose = |claim: &Claim, retry, now: &str| {
        let (class, cost) = (FailureClass::Gone, AttemptCost::default());
        recorded(home.ledger.fail(claim, class, "gone", retry, cost, at(now)));
    };
    let ask_again = |now: &str| {
        let asked = home.ledger.request_again(&extraction(VISIT), at(now));
        assert_eq!(asked.expect("a ledger"), Requested::Pending);
    };
    let first = home.run_up_to_record("02:00");
    assert_eq!(first.results_lost, 0);
    lose(&first, Retry::Now, "02:01");
    let offline = home.run_up_to_record("02:02");
    assert_eq!(offline.results_lost, 1);
    recorded(home.ledger.fail(
        &offline,
        FailureClass::Site,
        "offline",
        Retry::Now,
        AttemptCost::default(),
        at("02:03"),
    ));

    ask_again("02:04");
    let second = home.run_up_to_record("02:04");
    assert_eq!(second.results_lost, 1, "it waited, so it goes on");
    lose(&second, Retry::Never, "02:05");
    ask_again("02:06");

    let anew = home.run_up_to_record("02:06");
    assert_eq!(anew.results_lost, 0);
}

#[test]
fn the_old_object_stands_until_a_new_one_is_recorded() {
    let home = Home::with_sites();
    home.plan(&[VISIT]);
    let claim = home.run_up_to_record("02:00");
    home.succeed(&claim, "02:01");
    let window: Window = "2026-11-18..2026-11-19".parse().expect("a window");
    let covered = [(window, at("02:01"))];
    let coverage = || {
        let site = "s1".parse().expect("a key");
        home.ledger
            .coverage(&site, &extraction(VISIT).query)
            .expect("readable")
    };

    assert_eq!(
        home.ledger
            .request_again(&extraction(VISIT), at("03:00"))
            .expect("a ledger"),
        Requested::Pending
    );
    assert_eq!(coverage(), covered);
    let claim = home.run_up_to_record("03:00");
    let cost = AttemptCost::default();
    recorded(home.ledger.fail(
        &claim,
        FailureClass::Contract,
        "column missing",
        Retry::Never,
        cost,
        at("03:01"),
    ));

    assert_eq!(coverage(), covered);
    let row = home
        .ledger
        .extraction(&extraction(VISIT))
        .expect("readable")
        .expect("planned");
    assert_eq!(row.state, ExtractionState::Failed(FailureClass::Contract));
    assert_eq!(row.object, Some(object(7)));
}

#[test]
fn an_object_without_a_proof_is_not_recorded() {
    let home = Home::with_sites();
    home.plan(&[VISIT]);
    let claim = home.run_up_to_record("02:00");
    let short = Proof {
        footer: 6,
        ..proof(7)
    };
    let record = |proof: &Proof, object: &ObjectRecord| {
        home.ledger
            .succeed(&claim, proof, object, AttemptCost::default(), at("02:01"))
    };

    let broken = record(&short, &object(7)).expect_err("counts differ");
    assert!(
        matches!(broken.kind, LedgerErrorKind::BrokenProof(_)),
        "{broken:?}"
    );
    let other = record(&proof(7), &object(8)).expect_err("rows differ");
    assert!(
        matches!(
            other.kind,
            LedgerErrorKind::OtherRows {
                object: 8,
                proof: 7
            }
        ),
        "{other:?}"
    );

    assert_eq!(state(&home, VISIT), ExtractionState::Running(Step::Polling));
}

#[test]
fn what_is_put_off_waits_with_its_reason_and_keeps_its_attempt() {
    let home = Home::with_sites();
    home.plan(&[VISIT]);
    let claim = home.claim("02:00").expect("a claim");

    recorded(
        home.ledger
            .put_off(&claim, &Waiting::QuietHours, at("09:00"), at("02:00")),
    );

    assert_eq!(
        state(&home, VISIT),
        ExtractionState::Pending(Waiting::QuietHours)
    );
    assert_eq!(home.claim("08:59"), None);
    assert_eq!(
        home.claim("09:00").map(|claim| claim.attempt),
        Some(AttemptNumber(1))
    );
}

#[test]
fn a_cancelled_extraction_takes_its_worker_the_claim() {
    let home = Home::with_sites();
    home.plan(&[VISIT]);
    let claim = home.run_up_to_record("02:00");

    let cancelled = home
        .ledger
        .cancel(&extraction(VISIT), &change("cancel"))
        .expect("a ledger");

    assert_eq!(cancelled, Cancelled::Cancelled);
    assert_eq!(
        home.ledger
            .renew(&claim, at("02:01"), LEASE)
            .expect("a ledger"),
        Fenced::Lost
    );
    assert_eq!(state(&home, VISIT), ExtractionState::Cancelled);
    let again = home
        .ledger
        .cancel(&extraction(VISIT), &change("cancel"))
        .expect("a ledger");
    assert_eq!(again, Cancelled::Finished);
    let audit = home.ledger.audit_tail(1).expect("readable");
    assert_eq!(
        (audit[0].action.as_str(), audit[0].subject.as_str()),
        ("cancel", VISIT)
    );
}

#[test]
fn extractions_are_read_by_site_query_state_and_window() {
    let home = Home::with_sites();
    let older = "s1/visit@v1/2026-11-10..2026-11-12";
    home.plan(&[VISIT, PATIENT, ELSEWHERE, older]);
    let read = |filter: ExtractionFilter| -> Vec<String> {
        let rows = home.ledger.extractions(&filter).expect("readable");
        rows.into_iter()
            .map(|row| row.extraction.to_string())
            .collect()
    };

    let of_s1_visit = ExtractionFilter {
        site: Some("s1".parse().expect("a key")),
        query: Some("visit".parse().expect("a name")),
        ..ExtractionFilter::default()
    };
    assert_eq!(read(of_s1_visit), [VISIT, older]);
    let overlapping = ExtractionFilter {
        within: Some("2026-11-11..2026-11-18".parse().expect("a window")),
        ..ExtractionFilter::default()
    };
    assert_eq!(read(overlapping), [older]);
    let failed = ExtractionFilter {
        state: Some("failed".to_owned()),
        ..ExtractionFilter::default()
    };
    assert!(read(failed).is_empty());
    let newest = ExtractionFilter {
        limit: Some(1),
        ..ExtractionFilter::default()
    };
    assert_eq!(read(newest), [PATIENT]);
}

#[test]
fn the_summary_counts_per_query_and_state() {
    let home = Home::with_sites();
    home.plan(&[VISIT, ELSEWHERE, PATIENT]);
    let claim = home.run_up_to_record("02:00");
    home.succeed(&claim, "02:01");

    let summary = home.ledger.summary().expect("readable");

    let rows: Vec<_> = summary
        .rows
        .iter()
        .map(|row| {
            (
                row.query.to_string(),
                row.state.as_str(),
                row.extractions,
                row.rows,
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("patient@v1".to_owned(), "pending", 1, 0),
            ("visit@v1".to_owned(), "pending", 1, 0),
            ("visit@v1".to_owned(), "succeeded", 1, 7),
        ]
    );
}

#[test]
fn a_budget_counts_the_queries_posted_to_one_site_in_one_calendar_month() {
    let home = Home::with_sites();
    home.plan(&[VISIT, PATIENT, ELSEWHERE]);
    let ledger = &home.ledger;
    let post = |claim: &Claim, budget, now| {
        ledger
            .begin_submit(claim, guid(), Some(budget), now)
            .expect("a ledger that can be written")
    };
    let december = |day| at("02:00") + chrono::TimeDelta::days(day);
    let first = home.run_up_to_record("02:00");
    home.succeed(&first, "02:01");
    let mut claims = [
        home.claim("02:02").expect("another site or query"),
        home.claim("02:02").expect("another site or query"),
    ];
    claims.sort_by(|a, b| a.extraction.site.cmp(&b.extraction.site));
    let [same_site, other_site] = claims;
    assert_eq!(same_site.extraction.site, first.extraction.site);

    assert_eq!(post(&same_site, 1, at("02:03")), Submission::BudgetSpent);
    assert_eq!(post(&other_site, 1, at("02:03")), Submission::Journalled);
    // 2026-11-30 and 2026-12-01.
    assert_eq!(post(&same_site, 1, december(11)), Submission::BudgetSpent);
    assert_eq!(post(&same_site, 1, december(12)), Submission::Journalled);
}

#[test]
fn a_query_that_one_attempt_posts_again_counts_once() {
    let home = Home::with_sites();
    home.plan(&[VISIT]);
    let claim = home.claim("02:00").expect("something to do");

    for now in ["02:01", "02:02"] {
        journalled(home.ledger.begin_submit(&claim, guid(), Some(1), at(now)));
    }
}

#[test]
fn a_budget_counts_immediate_queries_too_each_in_its_month() {
    let home = Home::with_sites();
    home.plan(&[VISIT]);
    let claim = home.claim("02:00").expect("something to do");
    let site = &claim.extraction.site;
    let december = at("02:00") + chrono::TimeDelta::days(12);
    let posted = |now| home.ledger.posted_this_month(site, now).expect("a ledger");

    for now in ["02:01", "02:02"] {
        home.ledger
            .count_immediate(site, at(now))
            .expect("a ledger that can be written");
    }

    assert_eq!((posted(at("02:03")), posted(december)), (2, 0));
    let spent = home
        .ledger
        .begin_submit(&claim, guid(), Some(2), at("02:03"));
    assert_eq!(spent.expect("a ledger"), Submission::BudgetSpent);
    journalled(
        home.ledger
            .begin_submit(&claim, guid(), Some(3), at("02:04")),
    );
    assert_eq!(posted(at("02:05")), 3);
}

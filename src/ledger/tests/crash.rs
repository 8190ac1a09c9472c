//! A worker may die between any two calls: what the next process finds must lead to one complete object.

use super::*;
use crate::domain::{AttemptNumber, ExtractionState};
use crate::ledger::{AttemptOutcome, Resume};

const VISIT: &str = "s1/visit@v1/2026-11-18..2026-11-19";

fn home() -> Home {
    let home = Home::with_sites();
    home.plan(&[VISIT]);
    home
}

fn attempts(home: &Home) -> Vec<super::super::AttemptRow> {
    home.ledger.attempts(&extraction(VISIT)).expect("readable")
}

#[test]
fn a_crash_before_the_post_costs_no_attempt() {
    let home = home();
    let _ = home.claim("02:00").expect("a claim");

    let home = home.after_a_crash();

    assert_eq!(home.claim("02:00"), None, "its lease still holds");
    let claim = home.claim("02:01").expect("its lease has run out");
    assert_eq!((claim.attempt, claim.resume), (AttemptNumber(1), None));
    assert_eq!((claim.fence, claim.resumed), (2, 1));
}

#[test]
fn a_crash_between_post_and_answer_closes_the_attempt_as_interrupted() {
    let home = home();
    let claim = home.claim("02:00").expect("a claim");
    journalled(home.ledger.begin_submit(&claim, guid(), None, at("02:00")));

    let home = home.after_a_crash();

    let claim = home.claim("02:01").expect("its lease has run out");
    assert_eq!((claim.attempt, claim.resume), (AttemptNumber(2), None));
    assert_eq!(
        attempts(&home)[0].outcome,
        Some(AttemptOutcome::Interrupted)
    );
}

#[test]
fn a_crash_while_the_remote_query_runs_goes_on_with_the_same_one() {
    let home = home();
    let _ = home.run_up_to_record("02:00");

    let home = home.after_a_crash();

    let claim = home.claim("02:01").expect("its lease has run out");
    let posted = Resume {
        halo_guid: guid(),
        remote: remote(1),
        variant: None,
    };
    assert_eq!(
        (claim.attempt, claim.resume.as_ref()),
        (AttemptNumber(1), Some(&posted))
    );
    home.succeed(&claim, "02:02");
    assert_eq!(attempts(&home).len(), 1);
}

#[test]
fn a_crash_after_the_record_leaves_nothing_to_do() {
    let home = home();
    let claim = home.run_up_to_record("02:00");
    home.succeed(&claim, "02:01");

    let home = home.after_a_crash();

    assert_eq!(home.claim("23:00"), None);
    let row = home
        .ledger
        .extraction(&extraction(VISIT))
        .expect("readable")
        .expect("planned");
    assert_eq!(row.state, ExtractionState::Succeeded);
}

#[test]
fn a_copy_of_the_files_at_any_step_leads_to_one_success() {
    type StepOf = fn(&Home, &Claim);
    let steps: [StepOf; 3] = [
        |home, claim| journalled(home.ledger.begin_submit(claim, guid(), None, at("02:00"))),
        |home, claim| recorded(home.ledger.record_remote(claim, remote(1), at("02:00"))),
        |home, claim| home.succeed(claim, "02:00"),
    ];
    for crash_after in 0..=steps.len() {
        let home = home();
        let claim = home.claim("02:00").expect("a claim");
        steps
            .iter()
            .take(crash_after)
            .for_each(|step| step(&home, &claim));

        let copy = copy_of(&home);
        if let Some(claim) = copy.claim("02:05") {
            if claim.resume.is_none() {
                journalled(copy.ledger.begin_submit(&claim, guid(), None, at("02:05")));
                recorded(copy.ledger.record_remote(&claim, remote(2), at("02:05")));
            }
            copy.succeed(&claim, "02:06");
        }

        let row = copy
            .ledger
            .extraction(&extraction(VISIT))
            .expect("readable")
            .expect("planned");
        assert_eq!(
            row.state,
            ExtractionState::Succeeded,
            "after {crash_after} steps"
        );
        assert_eq!(copy.claim("23:00"), None);
        let open = attempts(&copy)
            .iter()
            .filter(|attempt| attempt.outcome.is_none())
            .count();
        assert_eq!(open, 0, "after {crash_after} steps");
    }
}

/// What a power cut would leave: the database and its journal as they are on disk while the ledger is open.
fn copy_of(home: &Home) -> Home {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["ledger.sqlite", "ledger.sqlite-wal"] {
        std::fs::copy(home.folder.path().join(name), folder.path().join(name)).expect("a copy");
    }
    let ledger = open(&folder);
    Home { folder, ledger }
}

#[test]
fn a_worker_that_lost_its_lease_can_record_nothing() {
    let home = home();
    let old = home.run_up_to_record("02:00");
    let new = home.claim("02:01").expect("the lease has run out");
    let ledger = &home.ledger;
    let cost = AttemptCost::default();
    let never = crate::domain::Retry::Never;
    let class = crate::domain::FailureClass::Network;
    let polling = crate::domain::Step::Polling;

    recorded(ledger.holds(&new));
    let answers = [
        ledger.holds(&old),
        ledger.renew(&old, at("02:01"), LEASE),
        ledger.record_remote(&old, remote(9), at("02:01")),
        ledger.record_progress(&old, &polling),
        ledger.fail(&old, class, "cut", never, cost, at("02:01")),
        ledger.release(&old, at("02:01")),
        ledger.succeed(&old, &proof(7), &object(7), cost, at("02:01")),
    ];

    for answer in answers {
        assert_eq!(answer.expect("a ledger"), Fenced::Lost);
    }
    let submission = ledger.begin_submit(&old, guid(), None, at("02:01"));
    assert_eq!(submission.expect("a ledger"), Submission::Lost);
    assert_eq!(attempts(&home)[0].remote, Some(remote(1)));
    home.succeed(&new, "02:02");
}

#[test]
fn a_renewed_lease_is_not_taken_over() {
    let home = home();
    let claim = home.claim("02:00").expect("a claim");

    recorded(home.ledger.renew(&claim, at("02:00"), LEASE * 10));

    assert_eq!(home.claim("02:09"), None);
    assert!(home.claim("02:10").is_some());
}

#[test]
fn a_released_claim_is_taken_up_at_once_with_its_remote_query() {
    let home = home();
    let claim = home.run_up_to_record("02:00");

    recorded(home.ledger.release(&claim, at("02:00")));

    let claim = home.claim("02:00").expect("it was given back");
    assert_eq!(claim.attempt, AttemptNumber(1));
    assert_eq!(claim.resume.map(|resume| resume.remote), Some(remote(1)));
}

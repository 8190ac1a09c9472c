//! Merging step by step, as far as the ledger goes.

use super::*;
use crate::domain::{AttemptNumber, Gone};
use crate::ledger::{NewMerge, ObjectFilter, OpenMerge, StandingObject};

const DAYS: [&str; 2] = [
    "s1/visit@v1/2026-10-01..2026-10-02",
    "s1/visit@v1/2026-10-02..2026-10-03",
];
const BOTH: &str = "s1/visit@v1/2026-10-01..2026-10-03";

/// Two days that stand.
fn published() -> Home {
    let home = Home::with_sites();
    for day in DAYS {
        home.plan(&[day]);
        let claim = home.run_up_to_record("02:00");
        home.succeed(&claim, "02:10");
    }
    home
}

fn members(home: &Home) -> Vec<StandingObject> {
    let days = DAYS.map(extraction);
    home.ledger.standing(&days).expect("readable")
}

fn new_merge(home: &Home) -> NewMerge {
    NewMerge {
        extraction: extraction(BOTH),
        attempt: home
            .ledger
            .next_attempt(&extraction(BOTH))
            .expect("readable"),
        object: ObjectRecord {
            path: "merged".to_owned(),
            ..object(14)
        },
        withheld: Some(4),
        variant: None,
    }
}

fn note(home: &Home, members: &[StandingObject]) -> Option<OpenMerge> {
    let noted = home
        .ledger
        .note_merge(&new_merge(home), members, &change("compact"));
    noted.expect("writable")
}

fn standing(home: &Home) -> Vec<String> {
    let standing = home.ledger.standing_after(0, 10, &ObjectFilter::default());
    let standing = standing.expect("readable").into_iter();
    standing
        .map(|object| object.extraction.to_string())
        .collect()
}

#[test]
fn what_was_merged_stands_until_it_is_recorded_and_leaves_only_once_readers_were_told() {
    let home = published();
    let open = note(&home, &members(&home)).expect("nobody is at work");
    assert_eq!(standing(&home), DAYS);

    let home = home.after_a_crash();
    assert_eq!(
        home.ledger.open_merges().expect("readable"),
        std::slice::from_ref(&open)
    );
    for _twice in 0..2 {
        home.ledger
            .record_merge(&open, Some("tag"), at("03:00"))
            .expect("writable");
    }

    assert_eq!(standing(&home), [BOTH]);
    let merged = home
        .ledger
        .standing(&[extraction(BOTH)])
        .expect("readable")
        .remove(0);
    assert_eq!(merged.object.etag.as_deref(), Some("tag"));
    assert_eq!(
        (merged.proof.declared, merged.proof.withheld),
        (14, Some(4))
    );
    assert_eq!(merged.attempt, AttemptNumber(1));
    let replaced = home.ledger.replaced_since(at("03:00")).expect("readable");
    assert_eq!(replaced[&extraction(BOTH)].len(), 2);
    assert_eq!(home.ledger.leaving(0, 10).expect("readable"), []);
    home.ledger
        .close_merge(open.number, at("03:10"))
        .expect("writable");
    assert_eq!(home.ledger.leaving(0, 10).expect("readable").len(), 2);
    assert_eq!(home.ledger.open_merges().expect("readable"), []);
    for day in DAYS {
        let row = home.ledger.extraction(&extraction(day)).expect("readable");
        assert_eq!(row.expect("planned").gone, Some(Gone::Compacted));
    }
}

#[test]
fn nothing_is_merged_that_was_changed_or_is_being_extracted() {
    let home = published();
    let before = members(&home);

    let again = home.ledger.request_again(&extraction(DAYS[1]), at("04:00"));
    let _pending = again.expect("writable");
    assert_eq!(note(&home, &before), None, "asked for again");
    let claim = home.run_up_to_record("04:00");
    assert_eq!(note(&home, &before), None, "a worker has it");
    let mut anew = object(7);
    anew.sha256 = Sha256([8; 32]);
    let cost = AttemptCost::default();
    recorded(
        home.ledger
            .succeed(&claim, &proof(7), &anew, cost, at("04:10")),
    );
    assert_eq!(note(&home, &before), None, "it is another object now");

    let open = note(&home, &members(&home)).expect("as it is now");
    assert_eq!(note(&home, &members(&home)), None, "once at a time");
    home.ledger.give_up_merge(open.number).expect("writable");
    assert!(
        note(&home, &members(&home)).is_some(),
        "given up, it may begin again"
    );
}

#[test]
fn an_extraction_of_all_days_that_came_after_the_merge_was_numbered_is_not_written_over() {
    let home = published();
    let (merge, members) = (new_merge(&home), members(&home));
    home.plan(&[BOTH]);
    let claim = home.run_up_to_record("04:00");
    home.succeed(&claim, "04:10");

    let noted = home.ledger.note_merge(&merge, &members, &change("compact"));

    assert_eq!(noted.expect("writable"), None);
    assert_eq!(standing(&home), [DAYS[0], DAYS[1], BOTH]);
}

#[test]
fn a_day_that_a_worker_takes_between_stays_beside_the_merged_object() {
    let home = published();
    let open = note(&home, &members(&home)).expect("nobody is at work");
    let again = home.ledger.request_again(&extraction(DAYS[1]), at("04:00"));
    let _pending = again.expect("writable");
    let claim = home.run_up_to_record("04:00");

    home.ledger
        .record_merge(&open, None, at("04:05"))
        .expect("writable");
    home.ledger
        .close_merge(open.number, at("04:05"))
        .expect("writable");
    home.succeed(&claim, "04:10");

    assert_eq!(standing(&home), [DAYS[1], BOTH]);
    assert_eq!(home.ledger.leaving(0, 10).expect("readable").len(), 1);
}

#[test]
fn a_day_that_a_worker_takes_between_and_gives_back_leaves_with_the_others() {
    let home = published();
    let open = note(&home, &members(&home)).expect("nobody is at work");
    let again = home.ledger.request_again(&extraction(DAYS[1]), at("04:00"));
    let _pending = again.expect("writable");
    let claim = home.run_up_to_record("04:00");
    home.ledger
        .record_merge(&open, None, at("04:05"))
        .expect("writable");
    home.ledger
        .close_merge(open.number, at("04:05"))
        .expect("writable");
    assert_eq!(home.ledger.leaving(0, 10).expect("readable").len(), 1);

    recorded(home.ledger.release(&claim, at("04:10")));

    assert_eq!(standing(&home), [BOTH], "its rows are in the merged object");
    assert_eq!(home.ledger.leaving(0, 10).expect("readable").len(), 2);
}

#[test]
fn an_extraction_of_all_days_goes_on_counting_after_the_merge() {
    let home = published();
    let open = note(&home, &members(&home)).expect("nobody is at work");
    home.ledger
        .record_merge(&open, None, at("03:00"))
        .expect("writable");
    home.ledger
        .close_merge(open.number, at("03:00"))
        .expect("writable");

    let again = home.ledger.request_again(&extraction(BOTH), at("04:00"));
    let _pending = again.expect("writable");
    let claim = home.claim("04:00").expect("due");

    assert_eq!(
        (claim.extraction, claim.attempt),
        (extraction(BOTH), AttemptNumber(2))
    );
}

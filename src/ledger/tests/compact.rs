use rusqlite::Connection;

use super::*;
use crate::domain::{FailureClass, Retry};

const DONE: &str = "s1/visit@v1/2026-11-16..2026-11-18";
const REFUSED: &str = "s1/visit@v1/2026-11-18..2026-11-19";

/// A day on which every attempt of the night is old.
fn much_later() -> DateTime<Utc> {
    "2027-03-01T00:00:00Z".parse().expect("a time")
}

/// One extraction that succeeded at its second attempt, and one that stands failed after two.
fn night() -> Home {
    let home = Home::with_sites();
    home.plan(&[DONE, REFUSED]);
    for (now, retry) in [("02:00", Retry::Now), ("02:10", Retry::Never)] {
        let claim = home.run_up_to_record(now);
        let (class, retry) = if claim.extraction == extraction(DONE) {
            (FailureClass::Network, Retry::Now)
        } else {
            (FailureClass::Sql, retry)
        };
        fail(&home, &claim, class, retry, now);
    }
    while let Some(claim) = home.claim("02:20") {
        journalled(home.ledger.begin_submit(&claim, guid(), None, at("02:20")));
        if claim.extraction == extraction(DONE) {
            let cost = AttemptCost {
                pages: 2,
                size_bytes: 500,
                remote: Duration::from_millis(30),
                elapsed: Duration::from_millis(40),
            };
            let (proof, object) = (proof(7), object(7));
            recorded(
                home.ledger
                    .succeed(&claim, &proof, &object, cost, at("02:30")),
            );
        } else {
            fail(&home, &claim, FailureClass::Sql, Retry::Never, "02:30");
        }
    }
    home
}

fn fail(home: &Home, claim: &Claim, class: FailureClass, retry: Retry, now: &str) {
    let cost = AttemptCost::default();
    let failed = home
        .ledger
        .fail(claim, class, "refused", retry, cost, at(now));
    recorded(failed);
}

fn months(home: &Home) -> Vec<(String, u64, u64, u64, u64, u64)> {
    let raw = Connection::open(home.ledger.path()).expect("a database");
    let mut statement = raw
        .prepare("SELECT month, attempts, posted, succeeded, days, rows FROM attempt_month")
        .expect("a table");
    let rows = statement.query_map([], |row| {
        let (month, attempts, posted) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok((
            month,
            attempts,
            posted,
            row.get(3)?,
            row.get(4)?,
            row.get(5)?,
        ))
    });
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

fn numbers(home: &Home, text: &str) -> Vec<u32> {
    let attempts = home.ledger.attempts(&extraction(text)).expect("read");
    attempts.iter().map(|attempt| attempt.number.0).collect()
}

#[test]
fn old_attempts_give_way_to_a_months_sums_and_the_objects_stand() {
    let home = night();
    let before = home.ledger.extraction(&extraction(DONE)).expect("read");
    let made: u64 = [DONE, REFUSED]
        .iter()
        .map(|text| numbers(&home, text).len() as u64)
        .sum();

    assert_eq!(
        home.ledger.compactable(much_later()).expect("read"),
        made - 1
    );
    let removed = home.ledger.compact(much_later()).expect("written");

    assert_eq!(removed, made - 1);
    assert_eq!(
        home.ledger.extraction(&extraction(DONE)).expect("read"),
        before
    );
    assert_eq!(numbers(&home, DONE), Vec::<u32>::new());
    let (month, attempts, posted, succeeded, days, rows) = months(&home).remove(0);
    assert_eq!(month, "2026-11");
    assert_eq!((attempts, posted), (removed, removed));
    assert_eq!((succeeded, days, rows), (1, 2, 7));
}

#[test]
fn the_attempt_that_says_why_an_extraction_failed_stays() {
    let home = night();
    let last = *numbers(&home, REFUSED).last().expect("attempts");

    home.ledger.compact(much_later()).expect("written");

    assert_eq!(numbers(&home, REFUSED), [last]);
    let attempts = home.ledger.attempts(&extraction(REFUSED)).expect("read");
    assert_eq!(attempts[0].message.as_deref(), Some("refused"));
}

#[test]
fn numbering_goes_on_after_attempts_that_were_compacted() {
    let home = night();
    let made = u32::try_from(numbers(&home, DONE).len()).expect("few");
    home.ledger.compact(much_later()).expect("written");

    let again = home.ledger.request_again(&extraction(DONE), at("03:00"));
    assert_eq!(again.expect("written"), crate::ledger::Requested::Pending);
    let claim = home.claim("03:00").expect("due");

    assert_eq!(claim.attempt.0, made + 1);
    let row = home.ledger.extraction(&extraction(DONE)).expect("read");
    assert_eq!(row.expect("held").attempts, made + 1);
}

#[test]
fn compacting_twice_adds_nothing_and_what_is_younger_stays() {
    let home = night();
    let young: DateTime<Utc> = at("01:00");
    assert_eq!(home.ledger.compact(young).expect("written"), 0);

    home.ledger.compact(much_later()).expect("written");
    let sums = months(&home);
    assert_eq!(home.ledger.compact(much_later()).expect("written"), 0);

    assert_eq!(months(&home), sums);
    home.ledger.shrink().expect("written");
}

#[test]
fn an_attempt_that_is_open_is_never_compacted() {
    let home = Home::with_sites();
    home.plan(&[DONE]);
    let claim = home.run_up_to_record("02:00");

    assert_eq!(home.ledger.compact(much_later()).expect("written"), 0);

    home.succeed(&claim, "02:10");
    assert_eq!(numbers(&home, DONE), [1]);
}

use super::*;
use crate::domain::Gone;
use crate::ledger::{Begun, ForgottenObject, ObjectFilter};

const DAY: &str = "s1/visit@v1/2026-11-18..2026-11-19";

/// One extraction whose object stands.
fn published() -> Home {
    let home = Home::with_sites();
    home.plan(&[DAY]);
    let claim = home.run_up_to_record("02:00");
    home.succeed(&claim, "02:10");
    home
}

fn standing(home: &Home) -> Vec<String> {
    let standing = home
        .ledger
        .standing_after(0, 10, &ObjectFilter::default())
        .expect("readable");
    let count = home.ledger.count_standing(&ObjectFilter::default());
    assert_eq!(count.expect("readable"), standing.len() as u64);
    standing
        .into_iter()
        .map(|object| object.extraction.to_string())
        .collect()
}

fn let_go(home: &Home) -> u64 {
    let marked = home.ledger.let_go(
        &[extraction(DAY)],
        &Gone::Expired,
        "snapshots",
        &change("expire"),
    );
    marked.expect("writable")
}

#[test]
fn an_object_keeps_the_number_of_its_attempt_when_old_attempts_are_compacted_away() {
    let home = published();
    let attempt = |home: &Home| {
        let standing = home.ledger.standing(&[extraction(DAY)]).expect("readable");
        standing[0].attempt
    };
    let before = attempt(&home);

    let much_later = "2027-03-01T00:00:00Z".parse().expect("a time");
    let removed = home.ledger.compact(much_later).expect("writable");

    assert_eq!(removed, 1);
    assert_eq!(attempt(&home), before);
    assert_eq!(before.0, 1);
}

#[test]
fn an_object_that_is_let_go_no_longer_stands_and_is_leaving_until_it_is_noted_as_removed() {
    let home = published();
    assert_eq!(standing(&home), [DAY]);

    assert_eq!(let_go(&home), 1);
    assert_eq!(let_go(&home), 0, "it has gone already");

    let home = home.after_a_crash();
    assert_eq!(standing(&home), [""; 0]);
    let leaving = home.ledger.leaving(0, 10).expect("readable");
    assert_eq!(leaving.len(), 1);
    assert_eq!(leaving[0].path, object(7).path);
    home.ledger
        .note_removed(&[leaving[0].number], at("03:00"))
        .expect("writable");
    assert_eq!(home.ledger.leaving(0, 10).expect("readable"), []);
    let row = home.ledger.extraction(&extraction(DAY));
    let row = row.expect("readable").expect("planned");
    assert_eq!((row.object, row.gone), (None, Some(Gone::Expired)));
    let query = "visit@v1".parse().expect("an id");
    let covered = home.ledger.coverage(&extraction(DAY).site, &query);
    assert_eq!(
        covered.expect("readable").len(),
        1,
        "it was had, and is not asked for again"
    );
}

#[test]
fn an_object_that_is_extracted_again_before_its_removal_stands_and_is_not_removed() {
    let home = published();
    let_go(&home);

    let again = home.ledger.request_again(&extraction(DAY), at("04:00"));
    let _pending = again.expect("writable");
    let claim = home.run_up_to_record("04:00");
    assert_eq!(
        home.ledger.leaving(0, 10).expect("readable"),
        [],
        "while a worker has it, nothing is removed under it"
    );
    home.succeed(&claim, "04:10");

    assert_eq!(home.ledger.leaving(0, 10).expect("readable"), []);
    assert_eq!(standing(&home), [DAY]);
}

#[test]
fn only_a_withdrawn_site_is_forgotten() {
    let home = published();
    let key = extraction(DAY).site;
    let gone = ForgottenObject {
        path: object(7).path,
        size_bytes: 4_096,
        rows: Some(7),
        sha256: object(7).sha256,
    };
    let begin = |home: &Home| {
        let begun =
            home.ledger
                .begin_forgetting(&key, std::slice::from_ref(&gone), &change("forget"));
        begun.expect("writable")
    };
    assert_eq!(begin(&home), Begun::NotWithdrawn(SiteState::Active));
    let withdrawn = Site {
        state: SiteState::Withdrawn,
        ..site("s1")
    };
    home.ledger
        .put_site(&withdrawn, &change("withdraw"))
        .expect("writable");

    let Begun::Now(forgetting) = begin(&home) else {
        panic!("it may begin")
    };

    assert_eq!(standing(&home), [""; 0]);
    let written = home.ledger.forgotten_objects(forgetting.number);
    assert_eq!(written.expect("readable"), std::slice::from_ref(&gone));
    assert_eq!(begin(&home), Begun::Now(forgetting.clone()), "begun once");
    assert_eq!(
        home.ledger.forgetting(&key).expect("readable"),
        Some(forgetting.clone())
    );
    let sha256 = Sha256([3; 32]);
    home.ledger
        .end_forgetting(&forgetting, "a receipt", sha256, &change("forget"))
        .expect("writable");
    assert_eq!(home.ledger.forgetting(&key).expect("readable"), None);
    assert_eq!(home.ledger.leaving(0, 10).expect("readable"), []);
    let query = "visit@v1".parse().expect("an id");
    let covered = home.ledger.coverage(&key, &query).expect("readable");
    assert_eq!(covered, [], "what is forgotten covers nothing");
}

use super::*;
use crate::ledger::KeyStanding;

fn settle(home: &Home, id: &str, now: &str) -> KeyStanding {
    home.ledger
        .settle_pseudonym_key(id, at(now))
        .expect("a ledger that can be written")
}

#[test]
fn the_first_key_is_recorded_and_another_is_told() {
    let home = Home::with_sites();

    assert_eq!(settle(&home, "aaaaaaaa", "01:00"), KeyStanding::First);
    assert_eq!(settle(&home, "aaaaaaaa", "02:00"), KeyStanding::Same);
    let other = settle(&home, "bbbbbbbb", "03:00");

    let KeyStanding::Other(recorded) = other else {
        panic!("{other:?}");
    };
    assert_eq!(
        (recorded.id.as_str(), recorded.since),
        ("aaaaaaaa", at("01:00"))
    );
}

#[test]
fn a_rotation_is_audited_and_counts_only_objects_of_the_key_in_use() {
    let home = Home::with_sites();
    home.plan(&[
        "s1/visit@v1/2026-11-18..2026-11-19",
        "s2/visit@v1/2026-11-18..2026-11-19",
    ]);
    let first = settle(&home, "aaaaaaaa", "01:00");
    assert_eq!(first, KeyStanding::First);
    let claim = home.run_up_to_record("02:00");
    home.succeed(&claim, "02:01");
    assert_eq!(home.ledger.keyed_objects().expect("readable").len(), 1);

    let rotation = Change {
        at: at("03:00"),
        ..change("rotate-key")
    };
    home.ledger
        .rotate_pseudonym_key("bbbbbbbb", &rotation)
        .expect("rotated");

    assert_eq!(settle(&home, "bbbbbbbb", "03:01"), KeyStanding::Same);
    assert_eq!(home.ledger.keyed_objects().expect("readable"), []);
    let claim = home.run_up_to_record("03:02");
    home.succeed(&claim, "03:03");
    let keyed = home.ledger.keyed_objects().expect("readable");
    assert_eq!((keyed.len(), keyed[0].objects), (1, 1));
    let last = home.ledger.audit_tail(1).expect("readable").remove(0);
    assert_eq!(last.action, "rotate-key");
    assert_eq!(
        last.changes["id"],
        [Some("aaaaaaaa".to_owned()), Some("bbbbbbbb".to_owned())]
    );
    assert_eq!(home.ledger.audit_verify(None).expect("readable").faults, []);
}

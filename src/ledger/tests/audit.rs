use rusqlite::Connection;

use super::*;
use crate::ledger::AuditFault;

/// A ledger whose audit has three rows.
fn home() -> Home {
    let home = Home::with_sites();
    let mut paused = site("s1");
    paused.state = SiteState::Paused;
    home.ledger
        .put_site(&paused, &change("pause"))
        .expect("a site");
    home
}

/// Does by hand what the ledger itself would refuse.
fn tamper(home: &Home, sql: &str) {
    let raw = Connection::open(home.folder.path().join("ledger.sqlite")).expect("a database");
    let unlocked = "DROP TRIGGER audit_is_not_edited; DROP TRIGGER audit_is_not_cut;";
    raw.execute_batch(&format!("{unlocked} {sql}"))
        .expect("a change by hand");
}

fn faults(home: &Home) -> Vec<AuditFault> {
    home.ledger.audit_verify().expect("readable")
}

#[test]
fn an_audit_that_nobody_touched_is_whole() {
    assert_eq!(faults(&Home::new()), []);
    assert_eq!(faults(&home()), []);
    assert_eq!(home().ledger.audit_head().expect("readable").seq, 3);
}

#[test]
fn an_edited_row_is_found() {
    let home = home();
    tamper(
        &home,
        "UPDATE audit SET entry = replace(entry, 'operator', 'somebody') WHERE seq = 2",
    );
    assert_eq!(faults(&home), [AuditFault::Edited { seq: 2 }]);
}

#[test]
fn a_row_whose_hash_was_mended_breaks_the_next_one() {
    let home = home();
    tamper(&home, "UPDATE audit SET hash = previous WHERE seq = 2");
    assert_eq!(
        faults(&home),
        [
            AuditFault::Edited { seq: 2 },
            AuditFault::Broken { seq: 3, after: 2 }
        ]
    );
}

#[test]
fn a_missing_row_is_found_wherever_it_was() {
    for (seq, fault) in [
        (1, AuditFault::Broken { seq: 2, after: 0 }),
        (2, AuditFault::Broken { seq: 3, after: 1 }),
        (3, AuditFault::Cut { found: 2, head: 3 }),
    ] {
        let home = home();
        tamper(&home, &format!("DELETE FROM audit WHERE seq = {seq}"));
        assert_eq!(faults(&home), [fault]);
    }
}

#[test]
fn an_added_row_is_found() {
    let home = home();
    tamper(
        &home,
        "INSERT INTO audit SELECT 4, entry, previous, hash FROM audit WHERE seq = 3",
    );
    assert_eq!(
        faults(&home),
        [
            AuditFault::Broken { seq: 4, after: 3 },
            AuditFault::Edited { seq: 4 },
            AuditFault::Cut { found: 4, head: 3 },
        ]
    );
}

#[test]
fn the_database_itself_refuses_to_edit_or_cut_the_audit() {
    let home = home();
    let raw = Connection::open(home.folder.path().join("ledger.sqlite")).expect("a database");
    for sql in ["UPDATE audit SET entry = ''", "DELETE FROM audit"] {
        let error = raw.execute(sql, []).expect_err("a refusal");
        assert!(error.to_string().contains("append-only"), "{error}");
    }
}

#[test]
fn what_happens_outside_the_ledger_can_be_audited() {
    let home = home();
    home.ledger
        .record_audit(&change("forget"), "s1", Default::default())
        .expect("a ledger");
    let tail = home.ledger.audit_tail(2).expect("readable");
    let actions: Vec<_> = tail.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["pause", "forget"]);
    assert_eq!(faults(&home), []);
}

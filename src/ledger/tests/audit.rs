use rusqlite::Connection;

use super::*;
use crate::ledger::chain::link;
use crate::ledger::{AuditAnchor, AuditFault, AuditRow, broken_export};

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
    home.ledger.audit_verify(None).expect("readable").faults
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

fn rows(home: &Home) -> Vec<AuditRow> {
    home.ledger.audit_rows(0, 100).expect("readable")
}

/// Writes the whole audit anew, each row through `edit`, with hashes and head that fit.
fn rewrite(home: &Home, edit: impl Fn(&str) -> String) {
    let mut previous = Sha256([0; 32]);
    let mut sql = String::from("DELETE FROM audit;");
    for row in rows(home) {
        let entry = edit(&row.entry);
        let hash = link(previous, &entry);
        let quoted = entry.replace('\'', "''");
        sql.push_str(&format!(
            "INSERT INTO audit VALUES ({}, '{quoted}', '{previous}', '{hash}');",
            row.seq
        ));
        previous = hash;
    }
    sql.push_str(&format!(
        "UPDATE property SET value = '{previous}' WHERE name = 'audit_hash';"
    ));
    tamper(home, &sql);
}

#[test]
fn an_audit_rewritten_as_a_whole_is_found_by_what_was_noted_elsewhere_alone() {
    let home = home();
    let (noted, exported) = (home.ledger.audit_head().expect("readable"), rows(&home));
    let against = |anchor: AuditAnchor| {
        home.ledger
            .audit_verify(Some(&anchor))
            .expect("readable")
            .faults
    };
    assert_eq!(against(AuditAnchor::Hash(noted.hash)), []);
    assert_eq!(against(AuditAnchor::Rows(exported.clone())), []);

    rewrite(&home, |entry| entry.replace("\"pause\"", "\"hold\""));

    assert_eq!(faults(&home), []);
    assert_eq!(
        against(AuditAnchor::Hash(noted.hash)),
        [AuditFault::Unknown { hash: noted.hash }]
    );
    assert_eq!(
        against(AuditAnchor::Rows(exported)),
        [AuditFault::Rewritten { seq: 3 }]
    );
}

#[test]
fn a_tail_cut_off_together_with_its_head_is_found_by_an_export() {
    let home = home();
    let exported = rows(&home);
    let before = exported[1].hash.clone();

    tamper(
        &home,
        &format!(
            "DELETE FROM audit WHERE seq = 3;
             UPDATE property SET value = '2' WHERE name = 'audit_seq';
             UPDATE property SET value = '{before}' WHERE name = 'audit_hash';
             UPDATE site SET state = 'active' WHERE key = 's1';"
        ),
    );

    assert_eq!(faults(&home), []);
    let anchor = AuditAnchor::Rows(exported);
    let verdict = home.ledger.audit_verify(Some(&anchor)).expect("readable");
    assert_eq!(verdict.faults, [AuditFault::Missing { seq: 3 }]);
}

#[test]
fn a_later_row_than_those_exported_is_no_fault() {
    let home = home();
    let exported = rows(&home);
    home.ledger
        .record_audit(&change("forget"), "s1", Default::default())
        .expect("a ledger");

    let anchor = AuditAnchor::Rows(exported);
    let verdict = home.ledger.audit_verify(Some(&anchor)).expect("readable");
    assert_eq!((verdict.faults, verdict.head.seq), (vec![], 4));
}

#[test]
fn a_site_changed_past_the_audit_is_found() {
    let unexplained = |site: &str, what: &str| AuditFault::Unexplained {
        site: site.to_owned(),
        what: what.to_owned(),
    };
    for (sql, fault) in [
        (
            "UPDATE site SET state = 'active' WHERE key = 's1'",
            unexplained("s1", "state"),
        ),
        (
            "UPDATE site SET practice_name = 'Other' WHERE key = 's2'",
            unexplained("s2", "practice_name"),
        ),
        (
            "INSERT INTO site (key, pms_type, pms_id, halo_guid, practice_name, link_version, pms_version, catalogues,
                 time_zone, groups, state, overrides) SELECT 's3', pms_type, '777', halo_guid, practice_name, link_version, pms_version,
                 catalogues, time_zone, groups, state, overrides FROM site WHERE key = 's1'",
            unexplained("s3", "registration"),
        ),
        (
            "PRAGMA foreign_keys = off; DELETE FROM site WHERE key = 's2'",
            unexplained("s2", "registration"),
        ),
    ] {
        let home = home();
        tamper(&home, sql);
        assert_eq!(faults(&home), [fault], "{sql}");
    }
}

#[test]
fn an_export_that_was_edited_is_no_anchor() {
    let home = home();
    let whole = rows(&home);
    assert_eq!(broken_export(&whole), []);

    let mut edited = whole.clone();
    edited[1].entry = edited[1].entry.replace("operator", "somebody");
    assert_eq!(broken_export(&edited), [AuditFault::Edited { seq: 2 }]);
    assert_eq!(
        broken_export(&whole[1..]),
        [AuditFault::Broken { seq: 2, after: 0 }]
    );
}

#[test]
fn an_audit_is_about_its_subject() {
    let home = home();
    let about = |subject: &str| -> Vec<String> {
        let entries = home.ledger.audit_about(subject).expect("readable");
        entries.into_iter().map(|entry| entry.action).collect()
    };
    assert_eq!(about("s1"), ["activate", "pause"]);
    assert_eq!(about("s2"), ["activate"]);
    assert_eq!(about("nobody"), Vec::<String>::new());
}

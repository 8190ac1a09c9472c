//! `audit`: the story of a site is told, tampering by hand is found, and another program can check an export.

use std::process::Command;

use crate::fixture::{Fixture, text};
use crate::harness::{Finished, Home, Simulator, present, program, project};
use crate::snapshot::matches_snapshot;

/// A practice that was paired, activated and paused by named people.
fn story() -> (Fixture, Simulator, Home) {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = Home::new(&simulator, &fixture.queries());
    let code = simulator.sites()[0]["pairing_code"].as_str().expect("code");
    for arguments in [
        &["site", "pair", "--pms-id", "40001", "--code", code][..],
        &["site", "activate", "s40001", "--reason", "agreement signed"],
        &["site", "pause", "s40001", "--reason", "server\nmoves"],
    ] {
        let mut command = home.command(arguments);
        command.args(["--actor", "maria"]);
        Finished::of(command.output().expect("runs")).succeeded();
    }
    (fixture, simulator, home)
}

/// Edits the ledger's file as somebody with access to it could.
fn tamper(home: &Home, sql: &str) {
    let ledger = rusqlite::Connection::open(home.path().join("ledger.sqlite")).expect("opens");
    let unlocked =
        "DROP TRIGGER IF EXISTS audit_is_not_edited; DROP TRIGGER IF EXISTS audit_is_not_cut;";
    ledger
        .execute_batch(&format!("{unlocked} {sql}"))
        .expect("edited");
}

fn export(home: &Home) -> std::path::PathBuf {
    let file = home.path().join("audit.jsonl");
    let exported = home.run(&["audit", "export"]).succeeded();
    std::fs::write(&file, exported.stdout).expect("written");
    file
}

#[test]
fn the_tail_tells_who_changed_what_and_why_and_no_secret() {
    let (_fixture, simulator, home) = story();

    let tail = home.run(&["audit", "tail"]).succeeded();

    matches_snapshot("audit_tail", &tail.told(&home));
    let code = simulator.sites()[0]["pairing_code"].as_str().expect("code");
    for secret in [code, simulator.key()] {
        assert!(!tail.stdout.contains(secret), "{tail:#?}");
    }
    let last = home
        .run(&[
            "audit", "tail", "-n", "1", "--about", "s40001", "--output", "json",
        ])
        .succeeded()
        .json();
    assert_eq!(last.as_array().map(Vec::len), Some(1));
    assert_eq!(last[0]["action"], "pause");
    assert_eq!(last[0]["actor"], "maria");
    assert_eq!(
        last[0]["changes"]["state"],
        serde_json::json!(["active", "paused"])
    );
}

#[test]
fn an_actor_is_the_flag_then_the_variable_then_the_user() {
    let (_fixture, _simulator, home) = story();
    let actor_of = |change: &mut Command| {
        Finished::of(change.output().expect("runs")).succeeded();
        let tail = home.run(&["audit", "tail", "-n", "1", "--output", "json"]);
        tail.json()[0]["actor"].as_str().expect("actor").to_owned()
    };
    let hold = ["site", "hold", "s40001", "--reason", "test"];
    let activate = ["site", "activate", "s40001", "--reason", "test"];

    let mut by_variable = home.command(&hold);
    by_variable
        .env("HALO_EXTRACT_ACTOR", "nina")
        .env("USER", "otto");
    assert_eq!(actor_of(&mut by_variable), "nina");
    let mut by_user = home.command(&activate);
    by_user.env("HALO_EXTRACT_ACTOR", "").env("USER", "otto");
    assert_eq!(actor_of(&mut by_user), "otto");
    let mut by_flag = home.command(&hold);
    by_flag
        .args(["--actor", "pia"])
        .env("HALO_EXTRACT_ACTOR", "nina");
    assert_eq!(actor_of(&mut by_flag), "pia");
    #[cfg(unix)]
    {
        let told = Command::new("id").arg("-un").output().expect("id runs");
        let user = String::from_utf8(told.stdout).expect("UTF-8");
        let mut of_a_service = home.command(&activate);
        for name in ["HALO_EXTRACT_ACTOR", "USER", "USERNAME"] {
            of_a_service.env_remove(name);
        }
        assert_eq!(actor_of(&mut of_a_service), user.trim());
    }
}

#[test]
fn a_whole_audit_is_told_with_the_hash_to_note_elsewhere() {
    let (_fixture, _simulator, home) = story();

    let verified = home.run(&["audit", "verify"]).succeeded();

    matches_snapshot("audit_whole", &verified.told(&home));
    let checked = home
        .run(&["audit", "verify", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(checked["whole"], true);
    assert_eq!(checked["rows"], 3);
    let hash = checked["last_hash"].as_str().expect("a hash");
    let anchored = home
        .run(&["audit", "verify", "--against", hash])
        .succeeded();
    matches_snapshot("audit_anchored", &anchored.told(&home));
}

#[test]
fn tampering_by_hand_is_found_and_the_place_is_told() {
    for (name, sql) in [
        (
            "audit_edited",
            "UPDATE audit SET entry = replace(entry, 'maria', 'nobody') WHERE seq = 2",
        ),
        ("audit_missing_row", "DELETE FROM audit WHERE seq = 2"),
        ("audit_cut", "DELETE FROM audit WHERE seq = 3"),
        (
            "audit_moved_rows",
            "UPDATE audit SET seq = 9 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3;
             UPDATE audit SET seq = 3 WHERE seq = 9",
        ),
        (
            "audit_past_it",
            "UPDATE site SET state = 'active' WHERE key = 's40001'",
        ),
    ] {
        let (_fixture, _simulator, home) = story();
        tamper(&home, sql);

        let verified = home.run(&["audit", "verify"]);

        matches_snapshot(name, &verified.told(&home));
        assert_eq!(verified.code, Some(1), "{name}");
    }
}

#[test]
fn a_tail_cut_off_with_its_head_is_found_by_an_export_kept_elsewhere() {
    let (_fixture, _simulator, home) = story();
    let file = export(&home);
    home.run(&["audit", "verify", "--against", text(&file)])
        .succeeded();

    tamper(
        &home,
        "DELETE FROM audit WHERE seq = 3;
         UPDATE property SET value = '2' WHERE name = 'audit_seq';
         UPDATE property SET value = (SELECT hash FROM audit WHERE seq = 2) WHERE name = 'audit_hash';
         UPDATE site SET state = 'active' WHERE key = 's40001'",
    );

    home.run(&["audit", "verify"]).succeeded();
    let verified = home.run(&["audit", "verify", "--against", text(&file)]);
    matches_snapshot("audit_against_export", &verified.told(&home));
    let hash = "ab".repeat(32);
    let unknown = home.run(&["audit", "verify", "--against", &hash]);
    matches_snapshot("audit_against_hash", &unknown.told(&home));
}

#[test]
fn an_anchor_that_cannot_be_one_is_refused() {
    let (_fixture, _simulator, home) = story();
    let file = export(&home);
    let edited = home.path().join("edited.jsonl");
    let whole = std::fs::read_to_string(&file).expect("read");
    std::fs::write(&edited, whole.replace("maria", "nobody")).expect("written");
    let other = home.path().join("other.jsonl");
    std::fs::write(&other, "{\"seq\": 1}\n").expect("written");

    for (name, file) in [
        ("audit_anchor_edited", &edited),
        ("audit_anchor_other", &other),
        ("audit_anchor_absent", &home.path().join("absent.jsonl")),
    ] {
        let refused = home.run(&["audit", "verify", "--against", text(file)]);
        matches_snapshot(name, &refused.told(&home));
        assert_eq!(refused.code, Some(2), "{name}");
    }
}

#[test]
fn where_there_is_no_ledger_nothing_is_called_whole_and_none_is_made() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = Home::new(&simulator, &fixture.queries());

    let refused = home.run(&["audit", "verify"]);
    matches_snapshot("audit_no_ledger", &refused.told(&home));
    home.run(&["why", "s40001"]).failed(2, &["no ledger"]);
    assert!(!home.path().join("ledger.sqlite").exists());

    home.run(&["status"]).succeeded();
    let empty = home.run(&["audit", "verify"]);
    matches_snapshot("audit_empty", &empty.told(&home));
}

/// The script of `docs/audit.md`, which shares nothing with this program.
fn documented_script() -> String {
    let page = std::fs::read_to_string(project().join("docs/audit.md")).expect("the page");
    let (_, rest) = page.split_once("```python\n").expect("a script");
    let (script, _) = rest.split_once("```").expect("its end");
    script.to_owned()
}

#[test]
fn an_export_is_checked_by_the_script_of_the_documentation() {
    let found = program("python3", "HALO_EXTRACT_TEST_PYTHON");
    if !present(found.is_some(), "there is no python3") {
        return;
    }
    let python = found.expect("present");
    let (_fixture, _simulator, home) = story();
    let file = export(&home);
    let script = home.path().join("check.py");
    std::fs::write(&script, documented_script()).expect("written");
    let check = || {
        let mut command = Command::new(&python);
        Finished::of(command.arg(&script).arg(&file).output().expect("runs"))
    };
    let checked = home.run(&["audit", "verify", "--output", "json"]).json();

    let told = check().succeeded().stdout;

    let hash = checked["last_hash"].as_str().expect("a hash");
    assert_eq!(told, format!("3 {hash}\n"));
    let whole = std::fs::read_to_string(&file).expect("read");
    for broken in [
        whole.replacen("agreement signed", "no agreement", 1),
        whole.lines().skip(1).collect::<Vec<_>>().join("\n"),
    ] {
        assert_ne!(broken, whole);
        std::fs::write(&file, broken).expect("written");
        check().failed(1, &["does not follow"]);
    }
}

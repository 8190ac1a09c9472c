//! `doctor`: what it finds, what it says to do, and that looking costs no query.

use crate::fixture::{Fixture, HEADER, SQL, text};
use crate::harness::{Finished, Home, Simulator};

#[test]
fn a_healthy_installation_is_well_and_no_query_is_sent() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    simulator.delete("counters");

    let findings = home.run(&["doctor", "--output", "json"]).succeeded().json();

    for finding in findings.as_array().expect("findings") {
        assert_eq!(finding["verdict"], "well", "{findings:#}");
    }
    let about: Vec<_> = findings
        .as_array()
        .expect("findings")
        .iter()
        .map(|it| it["about"].clone())
        .collect();
    assert_eq!(
        about,
        [
            "settings", "queries", "storage", "ledger", "key", "clock", "s40001"
        ]
    );
    assert_eq!(requests(&simulator), ["site", "sites"], "one of each");
    assert_eq!(home.objects().len(), 0, "the probe of the storage is gone");
}

#[test]
fn a_probe_asks_each_site_one_query() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    simulator.delete("counters");

    home.run(&["doctor", "--probe"]).succeeded();

    assert_eq!(requests(&simulator), ["immediate", "site", "sites"]);
}

#[test]
fn every_fault_is_told_at_once_with_the_next_step() {
    let fixture = Fixture::new();
    fixture.query("visits", "no header\n", "SELECT 1\n");
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let blocked = home.path().join("blocked");
    std::fs::write(&blocked, "a file").expect("written");

    let mut command = home.command(&["doctor", "--storage", text(&blocked)]);
    let output = command
        .env("HALO_SUBSCRIPTION_KEY", "canary-wrong")
        .output()
        .expect("runs");

    let finished = Finished::of(output).failed(
        5,
        &[
            "queries",
            "visits/v1.sql",
            "storage",
            "--storage",
            "HALO_SUBSCRIPTION_KEY",
        ],
    );
    assert!(!finished.stderr.contains("canary"), "{}", finished.stderr);
}

#[test]
fn what_the_api_tells_of_a_site_is_a_note_with_its_next_step_and_who_takes_it() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    for fault in [
        r#"{"kind": "offline"}"#,
        r#"{"kind": "link_version", "version": "26.407.9115"}"#,
        r#"{"kind": "clock_skew", "seconds": 300}"#,
        r#"{"kind": "renamed", "practice_name": "Another Clinic"}"#,
    ] {
        simulator.post("faults", fault);
    }

    let notes = not_well(&home.run(&["doctor", "--output", "json"]).succeeded());

    let about_site = |note: &Note| note.about == "s40001" && note.verdict == "note";
    assert!(notes.iter().all(about_site), "{notes:#?}");
    let told: Vec<_> = notes
        .iter()
        .map(|note| (note.what.as_str(), note.who.as_str()))
        .collect();
    let practice = "the practice";
    assert_eq!(
        told,
        [
            ("offline, active", practice),
            (
                "Halo Link 26.407.9115: Halo Link may fail to start when its survey of the hardware times out.",
                practice
            ),
            (
                "Halo Link 26.407.9115: Submitted queries may stay in `executing` for ever; a restart of Halo Link helps.",
                practice
            ),
            ("the practice server's clock is off by 300 s", practice),
            (
                "the practice's name is another one than at pairing",
                "the operator"
            ),
        ]
    );
    assert!(notes.iter().all(|note| !note.next.is_empty()));
}

#[test]
fn a_clock_that_differs_from_the_apis_is_told() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    simulator.post("clock", r#"{"step": "10m"}"#);

    let notes = not_well(&home.run(&["doctor", "--output", "json"]).succeeded());

    assert_eq!(notes.len(), 1, "{notes:#?}");
    assert_eq!(
        (notes[0].about.as_str(), notes[0].verdict.as_str()),
        ("clock", "note")
    );
    assert!(notes[0].what.ends_with("s behind the API's"), "{notes:#?}");
    assert!(notes[0].next.contains("NTP"));
}

#[test]
fn a_catalogue_that_a_query_names_and_a_site_does_not_have_is_a_fault() {
    let fixture = Fixture::new();
    let header = HEADER.replace("pms       =", "catalogue = \"Elsewhere\"\npms       =");
    fixture.query("visits_elsewhere", &header, SQL);
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    let finished = home.run(&["doctor", "--output", "json"]);

    let faults = not_well(&finished);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    let fault = &faults[0];
    assert_eq!(
        (fault.about.as_str(), fault.verdict.as_str()),
        ("s40001", "fault")
    );
    assert_eq!(fault.who, "the query's author");
    finished.failed(5, &["has no catalogue Elsewhere", "visits_elsewhere@v1"]);
}

#[test]
fn a_damaged_ledger_is_told_before_a_night_meets_it() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    overwrite_table(&home, "attempt");

    let finished = home.run(&["doctor", "--output", "json"]);

    let faults = not_well(&finished);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert_eq!(faults[0].about, "ledger");
    assert!(!faults[0].next.contains("caused by"), "{faults:#?}");
    finished.failed(1, &["is damaged", "restore the last backup"]);
}

#[test]
fn a_pseudonym_key_that_is_missing_or_another_one_is_told_where_a_query_needs_it() {
    let fixture = Fixture::new();
    let pseudonymous = HEADER.replace(
        "id      = { type = \"int not null\", class = \"operational\" }",
        "id      = { type = \"int not null\", class = \"identifier\", privacy = \"pseudonym\", of = \"patient\" }",
    );
    fixture.query("visits", &pseudonymous, SQL);
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let with_key = |key: &str| {
        let mut command = home.command(&["doctor", "--output", "json"]);
        command.env("HALO_EXTRACT_PSEUDONYM_KEY", key);
        Finished::of(command.output().expect("runs"))
    };

    with_key("").failed(78, &["pseudonym key", "HALO_EXTRACT_PSEUDONYM_KEY"]);
    home.run(&crate::fixture::RUN).succeeded();
    with_key("another synthetic secret of tests, as long as the first")
        .failed(78, &["objects are written with", "rotate-key"]);
    home.run(&["doctor"]).succeeded();
}

/// A finding that is not well.
#[derive(Debug)]
struct Note {
    about: String,
    verdict: String,
    what: String,
    next: String,
    who: String,
}

fn not_well(finished: &Finished) -> Vec<Note> {
    let findings = finished.json();
    let findings = findings.as_array().expect("findings").iter();
    findings
        .filter(|finding| finding["verdict"] != "well")
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().expect("text").to_owned();
            Note {
                about: text("about"),
                verdict: text("verdict"),
                what: text("what"),
                next: text("next"),
                who: text("who"),
            }
        })
        .collect()
}

/// The endpoints that were asked since the counters were reset, each as often as it was.
fn requests(simulator: &Simulator) -> Vec<String> {
    let counters = simulator.control("counters");
    let mut asked = Vec::new();
    for site in counters.as_object().expect("counts by site").values() {
        for (endpoint, counts) in site.as_object().expect("counts by endpoint") {
            for _ in 0..counts["received"].as_u64().expect("a count") {
                asked.push(endpoint.clone());
            }
        }
    }
    asked.sort();
    asked
}

/// Overwrites the first page of a table with zeros, as a failing disk would.
fn overwrite_table(home: &Home, table: &str) {
    use std::io::{Seek, SeekFrom, Write};
    let path = home.path().join("ledger.sqlite");
    let place: (u64, u64) = rusqlite::Connection::open(&path)
        .expect("the ledger")
        .query_row(
            "SELECT rootpage, page_size FROM sqlite_schema, pragma_page_size WHERE name = ?1",
            [table],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .expect("the table");
    let (page, size) = place;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .open(path)
        .expect("the ledger");
    file.seek(SeekFrom::Start((page - 1) * size))
        .expect("there");
    file.write_all(&vec![0; usize::try_from(size).expect("small")])
        .expect("written");
}

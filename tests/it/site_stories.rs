//! Onboarding, story by story: what the operator types and reads from the pairing code to the first extraction,
//! and for each way in which it goes wrong. Whole transcripts, compared with `snapshots/`.

use std::process::Stdio;

use crate::fixture::{Fixture, RUN, text};
use crate::harness::{Finished, Home, Simulator};
use crate::resume::{received, submissions};
use crate::snapshot::matches_snapshot;

/// What an operator typed and read, command by command.
pub(crate) struct Story<'a> {
    simulator: &'a Simulator,
    home: &'a Home,
    told: String,
    secrets: Vec<String>,
}

impl<'a> Story<'a> {
    pub(crate) fn new(simulator: &'a Simulator, home: &'a Home) -> Self {
        let codes = simulator.sites().iter().map(code);
        Self {
            simulator,
            home,
            told: String::new(),
            secrets: codes.chain([simulator.key().to_owned()]).collect(),
        }
    }

    /// Runs a command and adds it to the transcript.
    pub(crate) fn types(&mut self, arguments: &[&str]) -> Finished {
        self.types_into(arguments, "")
    }

    /// Runs a command with something on its standard input, which the transcript does not show.
    pub(crate) fn types_into(&mut self, arguments: &[&str], input: &str) -> Finished {
        let mut child = self
            .home
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut stdin = child.stdin.take().expect("stdin");
        std::io::Write::write_all(&mut stdin, input.as_bytes()).expect("written");
        drop(stdin);
        let finished = Finished::of(child.wait_with_output().expect("ends"));
        let words: Vec<String> = arguments
            .iter()
            .map(|word| match word.contains(' ') || word.is_empty() {
                true => format!("\"{word}\""),
                false => (*word).to_owned(),
            })
            .collect();
        let home = text(self.home.path());
        let typed = words.join(" ").replace(home, "<home>");
        self.told.push_str(&format!(
            "$ halo-extract {typed}\n{}\n\n",
            finished.told(self.home)
        ));
        finished
    }

    /// Pairs with a code on standard input.
    pub(crate) fn pairs(&mut self, code: &str, more: &[&str]) -> Finished {
        let mut arguments = vec!["site", "pair", "--pms-id", "40001", "--code", "-"];
        arguments.extend(more);
        self.types_into(&arguments, code)
    }

    /// Has the practice make a new code.
    pub(crate) fn new_code(&mut self) -> String {
        let made = self.simulator.posted("sites/40001/pairing-code", "");
        let code = made["pairing_code"].as_str().expect("a code").to_owned();
        self.secrets.push(code.clone());
        code
    }

    /// Adds a line of prose to the transcript.
    pub(crate) fn then(&mut self, what: &str) {
        self.told.push_str(&format!("# {what}\n\n"));
    }

    /// Compares the transcript with its snapshot; no secret may be in it, nor in any file of home.
    #[track_caller]
    pub(crate) fn ends(self, name: &str) {
        for secret in &self.secrets {
            assert!(!self.told.contains(secret), "a secret is told");
            for file in ["ledger.sqlite", "ledger.sqlite-wal"] {
                let bytes = std::fs::read(self.home.path().join(file)).unwrap_or_default();
                let mut windows = bytes.windows(secret.len());
                assert!(
                    !windows.any(|window| window == secret.as_bytes()),
                    "a secret is in {file}"
                );
            }
        }
        matches_snapshot(name, &without_clocks(&self.told));
    }
}

/// Takes out how long the client kept trying and when a quota is renewed.
fn without_clocks(told: &str) -> String {
    let lines = told.lines().map(|line| {
        let line = match line.split_once(" times in ") {
            Some((tried, _)) => format!("{tried} times"),
            None => line.to_owned(),
        };
        match line.split_once("will be replenished in ") {
            Some((said, _)) => format!("{said}will be replenished"),
            None => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

pub(crate) fn code(site: &serde_json::Value) -> String {
    site["pairing_code"].as_str().expect("a code").to_owned()
}

/// A practice, an installation that does not know it yet, and its code.
fn unpaired(fixture: &Fixture) -> (Simulator, Home, String) {
    let simulator = fixture.simulator(&[]);
    let home = Home::new(&simulator, &fixture.queries());
    let code = code(&simulator.sites()[0]);
    (simulator, home, code)
}

fn states(home: &Home) -> Vec<String> {
    let sites = home.run(&["site", "list", "--output", "json"]).succeeded();
    let sites = sites.json();
    let states = sites.as_array().expect("sites").iter();
    states
        .map(|site| site["state"].as_str().expect("a state").to_owned())
        .collect()
}

#[test]
fn the_first_pairing_leaves_the_site_held_until_somebody_activates_it() {
    let fixture = Fixture::new();
    let (simulator, home, code) = unpaired(&fixture);
    let mut story = Story::new(&simulator, &home);

    let expected = ["--name", "Practice 40001", "--group", "north"];
    story.pairs(&code, &expected).succeeded();
    assert_eq!(states(&home), ["held"]);
    story.types(&RUN).failed(2, &["no site is active"]);
    assert_eq!(submissions(&simulator), 0);

    story
        .types(&["site", "activate", "s40001", "--reason", "agreement signed"])
        .succeeded();
    home.run(&RUN).succeeded();
    story.types(&["site", "show", "s40001"]).succeeded();
    assert_eq!(home.objects().len(), 1);
    story.then("the code comes again by mistake: nothing changes");
    story.pairs(&code, &[]).succeeded();
    assert_eq!(states(&home), ["active"]);
    story.ends("site_first_pairing");
}

#[test]
fn a_wrong_code_is_told_and_the_right_one_then_pairs() {
    let fixture = Fixture::new();
    let (simulator, home, code) = unpaired(&fixture);
    let mut story = Story::new(&simulator, &home);

    story.pairs("WRONG1", &[]).failed(77, &["not the one"]);
    assert!(states(&home).is_empty());
    story.pairs(&code, &[]).succeeded();
    assert_eq!(states(&home), ["held"]);
    story.ends("site_wrong_then_right_code");
}

#[test]
fn an_expired_code_is_told_and_a_new_one_then_pairs() {
    let fixture = Fixture::new();
    let (simulator, home, code) = unpaired(&fixture);
    let mut story = Story::new(&simulator, &home);
    simulator.post("clock", r#"{"step": "8d"}"#);

    story
        .pairs(&code, &[])
        .failed(77, &["expired", "seven days"]);
    story.then("the practice makes a new code");
    let code = story.new_code();
    story.pairs(&code, &[]).succeeded();
    story.ends("site_expired_code");
}

#[test]
fn every_other_refusal_has_a_message_of_its_own() {
    let fixture = Fixture::new();
    let (simulator, home, code) = unpaired(&fixture);
    let mut story = Story::new(&simulator, &home);
    for (what, fault, exit_code) in [
        (
            "the code was used",
            r#"{"kind": "pairing", "reason": "reused"}"#,
            77,
        ),
        (
            "a newer code exists",
            r#"{"kind": "pairing", "reason": "regenerated"}"#,
            77,
        ),
        (
            "the integration is not ticked",
            r#"{"kind": "pairing", "reason": "unticked"}"#,
            77,
        ),
        ("the practice's server is off", r#"{"kind": "offline"}"#, 69),
        (
            "Halo Link is too old, or Bp answers nonsense",
            r#"{"kind": "pairing", "reason": "unexpected"}"#,
            69,
        ),
        (
            "the API says no and not why",
            r#"{"kind": "http", "status": 403, "message": "Forbidden"}"#,
            77,
        ),
        (
            "the key is of another environment",
            r#"{"kind": "key_refused"}"#,
            77,
        ),
        (
            "the contract's calls of the day are spent",
            r#"{"kind": "quota", "calls": 0}"#,
            75,
        ),
    ] {
        simulator.post("faults", fault);
        story.then(what);
        let finished = story.pairs(&code, &[]);
        assert_eq!(finished.code, Some(exit_code), "{what}: {finished:#?}");
        simulator.delete("faults");
    }
    story.then("the Site ID is another one than on the screen, or the environment is");
    story
        .types_into(&["site", "pair", "--pms-id", "49999", "--code", "-"], &code)
        .failed(77, &["no practice with this Site ID", "--environment"]);
    story.then("a developer licence");
    story
        .types_into(&["site", "pair", "--pms-id", "0", "--code", "-"], &code)
        .failed(2, &["developer licence"]);
    story.then("no code at all");
    story
        .types(&["site", "pair", "--pms-id", "40001"])
        .failed(2, &["none was given"]);

    assert!(states(&home).is_empty());
    story.ends("site_pairing_refused");
}

#[test]
fn where_the_api_shows_the_agent_offline_too_old_and_bp_too_old_are_told_apart() {
    let fixture = Fixture::new();
    let (simulator, home, code) = unpaired(&fixture);
    let mut story = Story::new(&simulator, &home);
    for (what, faults, says) in [
        (
            "Halo Link is offline",
            &[r#"{"kind": "offline"}"#][..],
            "is offline",
        ),
        (
            "Halo Link is silent",
            &[r#"{"kind": "unreachable"}"#],
            "is offline",
        ),
        (
            "Halo Link is too old",
            &[
                r#"{"kind": "pairing", "reason": "unexpected"}"#,
                r#"{"kind": "link_version", "version": "26.407.9115"}"#,
            ],
            "its Halo Link 26.407.9115 is too old",
        ),
        (
            "Bp is too old",
            &[r#"{"kind": "pairing", "reason": "unexpected"}"#],
            "Bp did not look at the code",
        ),
    ] {
        simulator.post("faults", r#"{"kind": "shown_unpaired"}"#);
        faults
            .iter()
            .for_each(|fault| simulator.post("faults", fault));
        story.then(what);
        story.pairs(&code, &[]).failed(69, &[says]);
        simulator.delete("faults");
    }
    assert!(states(&home).is_empty());
    story.pairs(&code, &[]).succeeded();
    story.ends("site_pairing_seen");
}

#[test]
fn a_practice_that_calls_itself_otherwise_is_not_extracted_from_until_a_person_decides() {
    let fixture = Fixture::new();
    let (simulator, home, code) = unpaired(&fixture);
    let mut story = Story::new(&simulator, &home);

    let expected = ["--name", "Kurrajong Family Doctors"];
    story
        .pairs(&code, &expected)
        .failed(77, &["under review", "Kurrajong"]);
    assert_eq!(states(&home), ["identity-review"]);
    story
        .types(&["site", "activate", "s40001"])
        .failed(1, &["identity-review"]);
    story.types(&["site", "review", "s40001"]).succeeded();
    story
        .types(&[
            "site",
            "review",
            "s40001",
            "--accept",
            "--reason",
            "renamed last year",
        ])
        .succeeded();
    assert_eq!(states(&home), ["held"]);
    story.ends("site_other_name");
}

#[test]
fn accept_name_takes_a_practice_whatever_it_calls_itself() {
    let fixture = Fixture::new();
    let (simulator, home, code) = unpaired(&fixture);
    let mut story = Story::new(&simulator, &home);

    let expected = ["--name", "Kurrajong Family Doctors", "--accept-name"];
    story.pairs(&code, &expected).succeeded();

    assert_eq!(states(&home), ["held"]);
    story.ends("site_accepted_name");
}

#[test]
fn one_practice_cannot_be_registered_under_two_keys_and_no_code_is_spent_on_it() {
    let fixture = Fixture::new();
    let (simulator, home, code) = unpaired(&fixture);
    let mut story = Story::new(&simulator, &home);
    story.pairs(&code, &[]).succeeded();
    let asked = received(&simulator, "pair");

    story
        .pairs(&code, &["--key", "other"])
        .failed(2, &["registered as s40001"]);
    story
        .types_into(
            &[
                "site", "pair", "--pms-id", "7", "--key", "s40001", "--code", "-",
            ],
            &code,
        )
        .failed(2, &["belongs to the practice with Site ID 40001"]);

    assert_eq!(received(&simulator, "pair"), asked);
    story.ends("site_two_keys");
}

#[test]
fn an_agent_with_known_faults_is_told_at_pairing() {
    let fixture = Fixture::new();
    let (simulator, home, code) = unpaired(&fixture);
    simulator.post(
        "faults",
        r#"{"kind": "link_version", "version": "26.407.9115"}"#,
    );

    let finished = Story::new(&simulator, &home).pairs(&code, &[]).succeeded();

    for says in ["26.407.9115", "too old:", "26.414.9810 or later"] {
        assert!(finished.stderr.contains(says), "{says}: {finished:#?}");
    }
}

/// A registry file of every practice of the simulator, with its code.
fn registry(simulator: &Simulator, home: &Home) -> String {
    let mut csv = String::from("pms_id,name,time_zone,groups,queries_per_month,code\n");
    for site in simulator.sites() {
        let field = |name: &str| site[name].as_str().expect("a text").to_owned();
        csv.push_str(&format!(
            "{},{},{},fleet;north,900,{}\n",
            field("pms_id"),
            field("practice_name"),
            field("time_zone"),
            field("pairing_code")
        ));
    }
    let file = home.path().join("sites.csv");
    std::fs::write(&file, csv).expect("written");
    text(&file).to_owned()
}

#[test]
fn three_hundred_sites_come_from_one_file_and_the_second_time_nothing_changes() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&["--practices", "300"]);
    let home = Home::new(&simulator, &fixture.queries());
    let file = registry(&simulator, &home);

    let first = home.run(&["site", "import", &file, "--yes", "--output", "json"]);
    let first = first.succeeded();
    let lines = first.json();
    let lines = lines.as_array().expect("lines");
    assert_eq!(lines.len(), 300);
    assert!(
        lines.iter().all(|line| line["outcome"] == "paired"),
        "{}",
        first.stdout
    );
    assert_eq!(lines[299]["line"], 301);
    matches_snapshot(
        "site_import_300",
        &format!("{}\n{}\n{}", first.stderr.trim_end(), lines[0], lines[299]),
    );
    assert_eq!(received(&simulator, "pair"), 300);
    let audited = |home: &Home| {
        let tail = home.run(&["audit", "tail", "--lines", "1", "--output", "json"]);
        tail.succeeded().json()[0]["seq"].clone()
    };
    let before = audited(&home);

    let second = home.run(&["site", "import", &file, "--yes", "--output", "json"]);
    let second = second.succeeded();

    let lines = second.json();
    let mut lines = lines.as_array().expect("lines").iter();
    assert!(
        lines.all(|line| line["outcome"] == "unchanged"),
        "{}",
        second.stdout
    );
    assert!(second.stderr.contains("nothing to change"), "{second:#?}");
    assert_eq!(received(&simulator, "pair"), 300);
    assert_eq!(audited(&home), before);
    assert_eq!(states(&home), vec!["held"; 300]);
}

#[test]
fn an_import_shows_the_difference_and_applies_it_only_when_told() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&["--practices", "2"]);
    let home = Home::new(&simulator, &fixture.queries());
    let mut story = Story::new(&simulator, &home);
    let file = registry(&simulator, &home);

    story
        .types(&["site", "import", &file])
        .failed(2, &["nothing was applied", "--yes"]);
    story
        .types(&["site", "import", &file, "--dry-run"])
        .succeeded();
    assert!(states(&home).is_empty());
    story.types(&["site", "import", &file, "--yes"]).succeeded();
    story.then("one line gets quiet hours, and another code that nobody needs any more");
    let changed = "pms_id,quiet_hours,code\n40001,20:00-06:00,\n40002,,OLD\n";
    std::fs::write(home.path().join("sites.csv"), changed).expect("written");
    story.types(&["site", "import", &file, "--yes"]).succeeded();
    story.then("a file with mistakes");
    let wrong = "pms_id,zone,quiet_hours\n40001,x,night\n,,\n0,,\n";
    std::fs::write(home.path().join("sites.csv"), wrong).expect("written");
    story.types(&["site", "import", &file, "--yes"]).failed(
        78,
        &[
            "nothing was applied",
            "line 1",
            "line 2",
            "line 3",
            "line 4",
        ],
    );
    story.ends("site_import");
}

#[test]
fn a_line_whose_code_is_refused_is_told_and_the_others_are_paired() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&["--practices", "2"]);
    let home = Home::new(&simulator, &fixture.queries());
    let file = registry(&simulator, &home);
    simulator.post(
        "faults",
        r#"{"kind": "pairing", "reason": "expired", "sites": ["40001"]}"#,
    );

    let finished = home.run(&["site", "import", &file, "--yes"]);

    finished.failed(
        3,
        &["1 paired", "1 failed", "new codes", "site pair --pms-id"],
    );
    assert_eq!(states(&home), ["invited", "held"]);
    simulator.delete("faults");
    home.run(&["site", "import", &file, "--yes"]).succeeded();
    assert_eq!(states(&home), ["held", "held"]);
}

#[test]
fn an_export_imported_elsewhere_and_exported_again_is_the_same_file() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&["--practices", "3"]);
    let home = Home::new(&simulator, &fixture.queries());
    let file = registry(&simulator, &home);
    home.run(&["site", "import", &file, "--yes"]).succeeded();
    home.run(&[
        "site",
        "set",
        "s40002",
        "--quiet-hours",
        "20:00-06:00",
        "--query-off",
        "visits",
        "--extractions-at-once",
        "2",
    ])
    .succeeded();

    for format in ["toml", "csv"] {
        let export = ["site", "export", "--format", format];
        let exported = home.run(&export).succeeded().stdout;
        let elsewhere = Home::new(&simulator, &fixture.queries());
        let file = elsewhere.path().join(format!("sites.{format}"));
        std::fs::write(&file, &exported).expect("written");
        elsewhere
            .run(&["site", "import", text(&file), "--yes"])
            .succeeded();

        assert_eq!(elsewhere.run(&export).succeeded().stdout, exported);
        let again = home.run(&["site", "import", text(&file)]).succeeded();
        assert!(again.stderr.contains("nothing to change"), "{again:#?}");
        assert_eq!(states(&elsewhere), ["invited"; 3]);
    }
}

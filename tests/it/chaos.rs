//! Nights on a bad network with a process that is killed again and again: what is there in the end equals a calm
//! night, and no practice was asked twice without need.
//!
//! The short form runs always; `HALO_EXTRACT_CHAOS=full` asks 50 sites, `HALO_EXTRACT_CHAOS_SEED` throws the dice anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use chrono::{Days, NaiveDate, Utc};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::harness::{Home, Simulator, project};

/// How much is extracted, and when the process dies.
struct Night {
    sites: usize,
    patients: &'static str,
    queries: &'static [&'static str],
    seed: u64,
    /// Milliseconds that a process lives at least and at most.
    lives: std::ops::Range<u64>,
    /// Processes after which the night counts as never ending.
    most_runs: u32,
    /// Long enough for everything to happen that can.
    is_full: bool,
}

impl Night {
    fn chosen() -> Self {
        let seed = std::env::var("HALO_EXTRACT_CHAOS_SEED")
            .map_or(11, |text| text.parse().expect("a seed is a number"));
        let full = std::env::var("HALO_EXTRACT_CHAOS").is_ok_and(|form| form == "full");
        if full {
            Self {
                sites: 50,
                patients: "60",
                queries: &[
                    "patient",
                    "visit",
                    "observation",
                    "result_value",
                    "immunisation",
                    "patient_roster",
                ],
                seed,
                lives: 2_000..8_000,
                most_runs: 300,
                is_full: true,
            }
        } else {
            Self {
                sites: 6,
                patients: "40",
                queries: &["patient", "visit", "observation", "patient_roster"],
                seed,
                lives: 150..1_200,
                most_runs: 120,
                is_full: false,
            }
        }
    }

    /// Both nights begin at noon of `today` in the east, eleven hours before a practice lives on: a day that one of them
    /// has and the other has not would make their objects differ.
    fn simulator(&self, today: NaiveDate) -> Simulator {
        Simulator::start(&[
            "--start",
            &format!("{today}T02:00:00Z"),
            "--practices",
            &(self.sites + self.sites / 4).to_string(),
            "--patients",
            self.patients,
            "--page-bytes",
            "4096",
            "--seed",
            "7",
        ])
    }

    fn arguments(&self, today: NaiveDate) -> Vec<String> {
        let day = |back| (today - Days::new(back)).to_string();
        ["run", "--from", &day(60), "--to", &day(1)]
            .iter()
            .chain(&["--snapshot-date", &day(1), "--output", "json"])
            .map(|text| (*text).to_owned())
            .collect()
    }

    /// The commands that ask each practice what it can answer: those with the same tables together.
    fn commands(&self, today: NaiveDate, plan: &BTreeMap<Queries, Sites>) -> Vec<Vec<String>> {
        plan.iter()
            .map(|(queries, sites)| {
                let mut arguments = self.arguments(today);
                for query in queries {
                    arguments.extend(["--query".to_owned(), query.clone()]);
                }
                for site in sites {
                    arguments.extend(["--site".to_owned(), site.clone()]);
                }
                arguments
            })
            .collect()
    }
}

type Queries = BTreeSet<String>;
type Sites = BTreeSet<String>;

#[test]
fn a_fleet_on_a_bad_network_and_a_process_killed_at_any_moment_end_in_the_objects_of_a_calm_night()
{
    let night = Night::chosen();
    let today = Utc::now().date_naive();
    let queries = project().join("queries");

    let calm_cloud = night.simulator(today);
    let calm = Home::new(&calm_cloud, &queries);
    calm.pair_all(&calm_cloud);
    let mut everything = night.arguments(today);
    for query in night.queries {
        everything.extend(["--query".to_owned(), (*query).to_owned()]);
    }
    let plan = answerable(&calm.run(&texts(&everything)).json(), night.sites);
    let extractions = plan
        .iter()
        .map(|(queries, sites)| queries.len() * sites.len());
    let extractions: usize = extractions.sum();
    assert_eq!(plan.values().map(Sites::len).sum::<usize>(), night.sites);

    let cloud = night.simulator(today);
    let home = Home::new(&cloud, &queries);
    home.pair_all(&cloud);
    let scenario = project().join("config/scenarios/flaky-fleet.toml");
    cloud.post(
        "scenario",
        &std::fs::read_to_string(scenario).expect("it ships"),
    );
    for fault in WORSE {
        cloud.post("faults", fault);
    }
    let began = Instant::now();
    let kills = run_until_done(&night, &home, &night.commands(today, &plan));

    let asked = Asked::count(&cloud, &home);
    say(&format!(
        "{extractions} extractions at {} practices in {} groups after {kills} kills in {:?}: {asked:?}",
        night.sites,
        plan.len(),
        began.elapsed()
    ));
    assert!(kills > 0, "nothing was killed, so nothing was shown");
    assert_eq!(parquet_objects(&home).len(), extractions);
    assert_same_objects(&calm, &home);
    assert_eq!(asked.answered, extractions);
    assert_eq!(asked.unjustified, Vec::<String>::new());
    if night.is_full {
        assert!(
            asked.failed > 0 && asked.gone > 0 && asked.answer_lost > 0,
            "not everything was met: {asked:?}"
        );
    }
}

/// What a flaky fleet does not do by itself: submissions that are accepted and not heard of, and lost results.
const WORSE: [&str; 2] = [
    r#"{"kind": "lost", "performed": true, "endpoints": ["async"], "chance": 0.03}"#,
    r#"{"kind": "gone", "endpoints": ["page", "stream"], "chance": 0.002}"#,
];

fn texts(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

/// What the first practices answered that answered anything, those with the same answers together: some of the
/// fleet run a version of the practice software whose tables some queries do not fit.
fn answerable(outcomes: &serde_json::Value, most: usize) -> BTreeMap<Queries, Sites> {
    let outcomes = outcomes.as_array().expect("outcomes").iter();
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let mut answers: BTreeMap<String, Queries> = BTreeMap::new();
    for outcome in outcomes.filter(|outcome| outcome["state"] == "succeeded") {
        let query = text(&outcome["query"]);
        let answered = answers.entry(text(&outcome["site"])).or_default();
        answered.insert(query.split('@').next().unwrap_or(&query).to_owned());
    }
    let mut plan: BTreeMap<Queries, Sites> = BTreeMap::new();
    for (site, queries) in answers.into_iter().take(most) {
        plan.entry(queries).or_default().insert(site);
    }
    plan
}

/// Runs each command until it has succeeded, one after the other, each process killed at a moment of the seed's
/// choice.
fn run_until_done(night: &Night, home: &Home, commands: &[Vec<String>]) -> u32 {
    let mut dice = fastrand::Rng::with_seed(night.seed);
    let (mut kills, mut runs) = (0, 0);
    for command in commands {
        loop {
            runs += 1;
            assert!(
                runs <= night.most_runs,
                "not done after {} runs; the last one said: {}",
                night.most_runs,
                std::fs::read_to_string(home.path().join("stderr.log")).expect("a file")
            );
            let life = Duration::from_millis(dice.u64(night.lives.clone()));
            match live(home, command, life) {
                Some(status) if status.success() => break,
                // What waits for later is asked again by the next run.
                Some(_) => {}
                None => kills += 1,
            }
        }
    }
    kills
}

/// Runs a command and kills it after `life`; how it ended if it was done before.
fn live(home: &Home, arguments: &[String], life: Duration) -> Option<ExitStatus> {
    let errors = File::create(home.path().join("stderr.log")).expect("a file");
    let mut process = home
        .command(&texts(arguments))
        .env("HALO_EXTRACT__LIMITS__EXTRACTIONS_AT_ONCE", "8")
        .stdout(std::process::Stdio::null())
        .stderr(errors)
        .spawn()
        .expect("starts");
    let dies = Instant::now() + life;
    while Instant::now() < dies {
        if let Some(status) = process.try_wait().expect("its own child") {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    // SIGKILL; it may have ended by itself a moment ago.
    drop(process.kill());
    process.wait().expect("its own child");
    None
}

/// The Parquet files of a lake, as paths below it.
fn parquet_objects(home: &Home) -> BTreeSet<PathBuf> {
    let lake = home.lake();
    home.objects()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "parquet"))
        .map(|path| path.strip_prefix(&lake).unwrap_or(&path).to_owned())
        .collect()
}

#[track_caller]
fn assert_same_objects(calm: &Home, home: &Home) {
    let mut rows = 0;
    for path in parquet_objects(home) {
        let (one, other) = (
            data(&calm.lake().join(&path)),
            data(&home.lake().join(&path)),
        );
        assert!(
            one == other,
            "{} differs from the calm night",
            path.display()
        );
        rows += one.num_rows();
    }
    assert!(rows > 0, "a night without rows shows nothing");
}

/// The rows of an object in order, all columns but the instant of extraction.
fn data(path: &Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).expect("opens"))
        .expect("Parquet")
        .build()
        .expect("readable");
    let batches: Vec<RecordBatch> = reader.map(|batch| batch.expect("whole")).collect();
    let Some(first) = batches.first() else {
        return RecordBatch::new_empty(arrow::datatypes::Schema::empty().into());
    };
    let schema = first.schema();
    let all = concat_batches(&schema, &batches).expect("one schema");
    let kept: Vec<usize> = (0..schema.fields().len())
        .filter(|index| schema.field(*index).name() != "_extracted_at")
        .collect();
    let data = all.project(&kept).expect("its own columns");
    // Only the values count here: the footer tells of the attempt, and attempts differ.
    RecordBatch::try_new(
        data.schema()
            .as_ref()
            .clone()
            .with_metadata(std::collections::HashMap::new())
            .into(),
        data.columns().to_vec(),
    )
    .expect("the same columns")
}

/// How the remote queries of this scenario end that have no result.
const FAILED: [&str; 1] = ["uploadFailed"];

/// Every remote query that the simulator ran, by why it was posted.
#[derive(Debug, Default)]
struct Asked {
    /// Known to the ledger and not failed: the one whose result became the object.
    answered: usize,
    /// Known to the ledger, and failed at the site: there was no result.
    failed: usize,
    /// Known to the ledger, and lost by the service before all of it was fetched.
    gone: usize,
    /// Accepted, but the process died before it knew the id: nobody can ask for its result.
    answer_lost: usize,
    /// None of these.
    unjustified: Vec<String>,
}

impl Asked {
    /// Counts per site and statement; each statement is asked for one window only, so its parameters are the same.
    fn count(cloud: &Simulator, home: &Home) -> Self {
        let journal = Journal::read(home);
        let mut asked = Self::default();
        let mut results = BTreeSet::new();
        let mut unknown = 0;
        for query in cloud.control("queries").as_array().expect("a list") {
            let text = |name: &str| query[name].as_str().expect("text").to_owned();
            if text("mode") != "async" {
                continue;
            }
            let fetched = query["fetched"]
                .as_object()
                .is_some_and(|it| !it.is_empty());
            let is_known = journal.remote.contains(&text("id"));
            if !is_known && fetched {
                asked
                    .unjustified
                    .push(format!("fetched without a record: {query}"));
            } else if !is_known {
                asked.answer_lost += 1;
            } else if FAILED.contains(&text("status").as_str()) {
                asked.failed += 1;
            } else if journal.gone.contains(&text("id")) {
                asked.gone += 1;
            } else if results.insert((text("site"), text("text"))) {
                asked.answered += 1;
            } else {
                asked.unjustified.push(format!(
                    "posted again although another result lived: {query}"
                ));
            }
            unknown += usize::from(!is_known);
        }
        if unknown > journal.without_answer {
            asked.unjustified.push(format!(
                "{unknown} queries are unknown to the ledger, but only {} submissions have no answer",
                journal.without_answer
            ));
        }
        asked
    }
}

/// What the ledger remembers of its submissions.
struct Journal {
    remote: BTreeSet<String>,
    /// Those of attempts that ended because the service no longer held the result.
    gone: BTreeSet<String>,
    /// Attempts that were about to post, and never learned an id.
    without_answer: usize,
}

impl Journal {
    fn read(home: &Home) -> Self {
        let ledger =
            rusqlite::Connection::open(home.path().join("ledger.sqlite")).expect("the ledger");
        let ids = |which: &str| {
            ledger
                .prepare(&format!(
                    "SELECT remote_id FROM attempt WHERE remote_id IS NOT NULL AND {which}"
                ))
                .expect("the journal")
                .query_map([], |row| row.get(0))
                .expect("rows")
                .map(|id| id.expect("text"))
                .collect()
        };
        let (remote, gone) = (ids("true"), ids("failure_class = 'gone'"));
        let without_answer = ledger
            .query_row(
                "SELECT count(*) FROM attempt WHERE submitted_at IS NOT NULL AND remote_id IS NULL",
                [],
                |row| row.get(0),
            )
            .expect("a count");
        Self {
            remote,
            gone,
            without_answer,
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "how much was killed belongs to the result"
)]
fn say(what: &str) {
    eprintln!("{what}");
}

//! The scenarios that ship, each played from its beginning to its end by the real program.

use serde_json::Value;

use crate::fixture::{Fixture, RUN, many_rows};
use crate::harness::{Finished, Home, Simulator, project};
use crate::resume::{pages_fetched, submissions};

/// An installation with paired practices, and the service at the beginning of a scenario.
struct Play {
    simulator: Simulator,
    home: Home,
    _fixture: Fixture,
}

impl Play {
    /// Pairs `practices` of `rows` rows each on the day before the scenario begins.
    fn begin(scenario: &str, practices: usize, rows: usize) -> Self {
        let fixture = Fixture::with_rows(&many_rows(rows));
        let simulator = fixture.simulator(&[
            "--practices",
            &practices.to_string(),
            "--page-bytes",
            "4096",
            "--start",
            // Eleven in the morning in Sydney, before any scenario begins.
            "2026-11-20T00:00:00Z",
        ]);
        let home = fixture.home(&simulator);
        let path = project().join(format!("config/scenarios/{scenario}.toml"));
        let text = std::fs::read_to_string(path).expect("it ships");
        simulator.post("scenario", &text);
        simulator.delete("counters");
        Self {
            simulator,
            home,
            _fixture: fixture,
        }
    }

    fn run(&self) -> Finished {
        self.home.run(&RUN)
    }

    fn run_again(&self) -> Finished {
        self.home.run(&[&RUN[..], &["--again"]].concat())
    }

    fn pass(&self, time: &str) {
        self.simulator
            .post("clock", &format!(r#"{{"step": "{time}"}}"#));
    }

    /// Async queries that the practices were given: those of extractions.
    fn queries(&self) -> Vec<Value> {
        let queries = self.simulator.control("queries");
        let queries = queries.as_array().expect("a list").iter();
        let is_async = |query: &&Value| query["mode"] == "async";
        queries.filter(is_async).cloned().collect()
    }

    fn accepted(&self) -> usize {
        self.queries().len()
    }
}

/// The state of each extraction of a run, by site.
fn states(finished: &Finished) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let outcomes = finished.json();
    let outcomes = outcomes.as_array().expect("outcomes").iter();
    let mut states: Vec<_> = outcomes
        .map(|outcome| (text(&outcome["site"]), text(&outcome["state"])))
        .collect();
    states.sort();
    states
}

fn states_are(finished: &Finished, wanted: &[(&str, &str)]) {
    let found = states(finished);
    let found: Vec<_> = found
        .iter()
        .map(|(site, state)| (site.as_str(), state.as_str()))
        .collect();
    assert_eq!(found, wanted, "{finished:#?}");
}

#[track_caller]
fn all_have_rows(finished: &Finished, practices: usize, rows: u64) {
    let outcomes = finished.json();
    let outcomes = outcomes.as_array().expect("outcomes");
    assert_eq!(outcomes.len(), practices);
    for outcome in outcomes {
        assert_eq!(outcome["state"], "succeeded", "{outcome:#}");
        assert_eq!(outcome["rows"], rows, "{outcome:#}");
    }
}

#[test]
fn a_quiet_night_takes_one_query_for_each_extraction_and_each_page_once() {
    let play = Play::begin("quiet-night", 3, 400);

    let finished = play.run().succeeded();

    all_have_rows(&finished, 3, 400);
    assert_eq!(submissions(&play.simulator), 3);
    for query in play.queries() {
        let fetched = query["fetched"].as_object().expect("fetches by page");
        assert!(fetched.len() > 1, "{query}");
        assert!(fetched.values().all(|times| times == 1), "{query}");
    }
}

#[test]
fn a_flaky_fleet_ends_in_every_object_by_running_the_same_command_again() {
    let play = Play::begin("flaky-fleet", 6, 400);

    let mut runs = 1;
    while play.run().code != Some(0) {
        runs += 1;
        assert!(runs < 20, "it never ends");
    }

    assert_eq!(play.home.objects().len(), 6);
    all_have_rows(&play.run().succeeded(), 6, 400);
}

#[test]
fn in_a_server_migration_the_practice_that_moved_is_followed_and_the_doubtful_one_waits_for_a_person()
 {
    let play = Play::begin("server-migration", 3, 40);
    all_have_rows(&play.run().succeeded(), 3, 40);
    let before = play.home.objects();
    let guid = |site: &str| {
        let sites = play.home.run(&["site", "list", "--output", "json"]).json();
        let sites = sites.as_array().expect("sites").clone();
        let found = sites.into_iter().find(|it| it["key"] == site);
        found.expect("the site")
    };
    let (moved, doubtful) = (guid("s40001"), guid("s40002"));

    // Both servers are down.
    play.pass("10m");
    let down = play.run_again();
    states_are(
        &down,
        &[
            ("s40001", "pending (site-offline)"),
            ("s40002", "pending (site-offline)"),
            ("s40003", "succeeded"),
        ],
    );
    down.failed(3, &["offline"]);

    // The move is over.
    play.pass("55m");
    let after = play.run_again();
    states_are(
        &after,
        &[
            ("s40001", "succeeded"),
            ("s40002", "pending (backing-off)"),
            ("s40003", "succeeded"),
        ],
    );
    after.failed(3, &["does not let us ask this site", "a new pairing code"]);
    assert_ne!(guid("s40001")["halo_guid"], moved["halo_guid"]);
    assert_eq!(guid("s40001")["state"], "active");
    assert_eq!(guid("s40002")["halo_guid"], doubtful["halo_guid"]);
    assert_eq!(play.home.objects(), before, "what stood there stands");

    // A person gets the code of whoever is there now, under another name: nothing comes from it before a review.
    let code = play.simulator.sites()[1]["pairing_code"].clone();
    let code = code.as_str().expect("a code");
    let paired = play
        .home
        .run(&["site", "pair", "--pms-id", "40002", "--code", code]);
    assert!(paired.stderr.contains("review"), "{paired:#?}");
    assert_eq!(guid("s40002")["state"], "identity-review");
    assert_eq!(play.home.objects(), before);
}

#[test]
fn expired_pages_have_the_whole_result_asked_for_once_more() {
    let play = Play::begin("expired-pages", 1, 4_000);

    all_have_rows(&play.run().succeeded(), 1, 4_000);

    assert_eq!(submissions(&play.simulator), 2);
    let queries = play.queries();
    let newest = queries.last().expect("two");
    let fetched = newest["fetched"].as_object().expect("fetches by page");
    assert!(fetched.len() > 3, "{newest}");
    assert!(fetched.values().all(|times| times == 1), "{newest}");
}

#[test]
fn on_a_quota_day_the_night_stops_at_the_quota_and_goes_on_after_midnight() {
    let play = Play::begin("quota-day", 8, 4_000);

    let stopped = play.run();
    let waiting = states(&stopped)
        .iter()
        .filter(|(_, state)| state == "pending (rate-limited)")
        .count();
    assert!(waiting > 0, "{stopped:#?}");
    stopped.failed(3, &["quota"]);
    // Calls that were under way when the first was refused may be refused as well; none begins after.
    let refused = answered(&play.simulator, "403");
    assert!((1..=16).contains(&refused), "{refused} refused calls");
    let done = play.home.objects().len();
    assert_eq!(done + waiting, 8);

    play.pass("2h");
    all_have_rows(&play.run().succeeded(), 8, 4_000);
    assert_eq!(play.accepted(), 8, "no query was given twice");
}

#[test]
fn practices_that_are_off_at_night_are_not_hammered_and_are_done_in_the_morning() {
    let play = Play::begin("offline-till-morning", 3, 400);

    let night = play.run();
    states_are(
        &night,
        &[
            ("s40001", "pending (site-offline)"),
            ("s40002", "pending (site-offline)"),
            ("s40003", "pending (site-offline)"),
        ],
    );
    night.failed(69, &["offline"]);
    assert!(
        submissions(&play.simulator) <= 3 * 4,
        "four tries of one call at each"
    );
    assert_eq!(play.accepted(), 0);
    assert_eq!(pages_fetched(&play.simulator), 0);

    // Half past ten in Sydney, half past seven in Perth.
    play.pass("9h");
    all_have_rows(&play.run().succeeded(), 3, 400);
    assert_eq!(play.accepted(), 3);
}

/// Answers with a status over all sites and endpoints.
fn answered(simulator: &Simulator, status: &str) -> u64 {
    let counters = simulator.control("counters");
    let sites = counters.as_object().expect("counts by site").values();
    sites
        .flat_map(|site| site.as_object().expect("counts by endpoint").values())
        .filter_map(|tally| tally["answered"][status].as_u64())
        .sum()
}

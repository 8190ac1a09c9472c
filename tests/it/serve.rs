//! `serve`: nights by themselves, quiet hours, stopping, and what its supervisor is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use chrono::{DateTime, TimeDelta, Utc};

use crate::fixture::{Fixture, HEADER, SQL};
use crate::harness::{Home, Simulator};
use crate::resume::{received, submissions, until};

const NIGHTLY: &str = "cron      = \"0 0 * * *\"\nkey       = [\"id\"]";

/// A practice whose query runs at midnight.
fn fixture() -> Fixture {
    let fixture = Fixture::new();
    let header = HEADER.replace("key       = [\"id\"]", NIGHTLY);
    fixture.query("visits", &header, SQL);
    fixture
}

/// A running service; killed when dropped.
struct Service {
    process: Child,
    url: String,
    stderr: BufReader<std::process::ChildStderr>,
}

impl Service {
    fn start(home: &Home, settings: &[(&str, &str)]) -> Self {
        let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
        command
            .env("HALO_EXTRACT__SCHEDULE__SPREAD", "0s")
            .env("HALO_EXTRACT__SCHEDULE__QUIET_HOURS", "00:00-00:00");
        command.envs(settings.iter().copied());
        let mut process = command.stderr(Stdio::piped()).spawn().expect("starts");
        let mut stderr = BufReader::new(process.stderr.take().expect("stderr"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("a line");
        let url = line
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .unwrap_or_else(|| panic!("no address in {line:?}"))
            .trim_end_matches("/readyz")
            .to_owned();
        Self {
            process,
            url,
            stderr,
        }
    }

    /// The answer to a request, head and all, whatever its status.
    fn answer(&self, request: &str) -> String {
        let host = self.url.trim_start_matches("http://");
        let mut stream = std::net::TcpStream::connect(host).expect("connects");
        write!(
            stream,
            "{request} HTTP/1.0\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n"
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    fn is_ready(&self) -> bool {
        let answer = self.answer("GET /readyz");
        answer.contains(" 200 ") && answer.contains("\"ready\":true")
    }

    fn is_stopping(&self) -> bool {
        let answer = self.answer("GET /readyz");
        answer.contains(" 503 ") && answer.contains("\"stopping\":true")
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([name, &self.process.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(status.success());
    }

    /// Stops it by one signal; its exit code and what it said.
    fn stop(mut self) -> (Option<i32>, String) {
        self.signal("-TERM");
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).expect("text");
        (self.process.wait().expect("ends").code(), said)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// What the ledger holds, by state.
fn states(home: &Home) -> Vec<String> {
    let ledger = rusqlite::Connection::open_with_flags(
        home.path().join("ledger.sqlite"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )
    .expect("a ledger");
    let mut statement = ledger
        .prepare("SELECT state || coalesce(' (' || detail || ')', '') FROM extraction ORDER BY id")
        .expect("SQL");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.map(|row| row.expect("a text")).collect()
}

#[test]
fn a_night_runs_by_itself_once_and_stopping_is_told() {
    let fixture = fixture();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    let service = Service::start(&home, &[]);
    until("the night is extracted", || states(&home) == ["succeeded"]);
    until("planning is well", || service.is_ready());
    assert!(service.answer("GET /healthz").ends_with("ok\n"));
    let (code, said) = service.stop();
    assert_eq!(code, Some(143));
    assert!(said.contains("stopped; nothing was at work"), "{said}");

    let again = Service::start(&home, &[]);
    until("planning is well", || again.is_ready());
    let (code, _) = again.stop();

    assert_eq!(code, Some(143));
    assert_eq!(submissions(&simulator), 1);
    assert_eq!(states(&home), ["succeeded"]);
}

/// Hours that begin two hours from now at the practice of the fixture, and end an hour later.
pub(crate) fn hours_to_come(simulator: &Simulator) -> String {
    let zone = simulator.sites()[0]["time_zone"].as_str().expect("zone");
    let zone: chrono_tz::Tz = zone.parse().expect("a zone");
    let at = |hours| {
        (Utc::now() + TimeDelta::hours(hours))
            .with_timezone(&zone)
            .format("%H:%M")
            .to_string()
    };
    format!("{}-{}", at(2), at(3))
}

#[test]
fn outside_quiet_hours_nothing_is_asked_and_the_night_waits_for_them() {
    let fixture = fixture();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let hours = hours_to_come(&simulator);
    let quiet = [("HALO_EXTRACT__SCHEDULE__QUIET_HOURS", hours.as_str())];

    let service = Service::start(&home, &quiet);
    until("the night is planned", || {
        states(&home) == ["pending (quiet-hours)"]
    });
    let (code, _) = service.stop();

    assert_eq!(code, Some(143));
    assert_eq!(submissions(&simulator), 0);
}

#[test]
fn work_left_over_when_a_site_closes_waits_and_what_was_asked_goes_on() {
    let fixture = fixture();
    fixture.query(
        "weights",
        &HEADER.replace("key       = [\"id\"]", NIGHTLY),
        SQL,
    );
    let simulator = fixture.simulator(&["--execute-ms", "4000"]);
    let home = fixture.home(&simulator);
    let service = Service::start(&home, &[("HALO_EXTRACT__SCHEDULE__GRACE", "0s")]);
    until("the query is posted", || {
        received(&simulator, "status") >= 1
    });
    let (_, said) = service.stop();
    assert!(said.contains("1 extraction was given back"), "{said}");

    let hours = hours_to_come(&simulator);
    let closed = [
        ("HALO_EXTRACT__SCHEDULE__QUIET_HOURS", hours.as_str()),
        ("HALO_EXTRACT__LIMITS__EXTRACTIONS_PER_SITE", "2"),
    ];
    let _service = Service::start(&home, &closed);
    until("the other one waits", || {
        let mut states = states(&home);
        states.sort();
        states == ["pending (quiet-hours)", "succeeded"]
    });

    assert_eq!(submissions(&simulator), 1);
}

#[test]
fn what_is_at_work_beyond_the_grace_goes_on_with_the_same_query_at_the_next_start() {
    let fixture = fixture();
    let simulator = fixture.simulator(&["--execute-ms", "4000"]);
    let home = fixture.home(&simulator);

    let service = Service::start(&home, &[("HALO_EXTRACT__SCHEDULE__GRACE", "0s")]);
    until("the query is posted", || {
        received(&simulator, "status") >= 1
    });
    let (code, said) = service.stop();
    assert_eq!(code, Some(143));
    assert!(said.contains("1 extraction was given back"), "{said}");
    assert!(said.contains("visits@v1"), "{said}");
    assert_eq!(states(&home), ["pending (interrupted)"]);

    let _service = Service::start(&home, &[]);
    until("the night is extracted", || states(&home) == ["succeeded"]);
    assert_eq!(submissions(&simulator), 1);
}

#[test]
fn the_second_signal_stops_at_once_and_the_next_start_goes_on() {
    let fixture = fixture();
    let simulator = fixture.simulator(&["--execute-ms", "4000"]);
    let home = fixture.home(&simulator);

    let service = Service::start(&home, &[("HALO_EXTRACT__SCHEDULE__GRACE", "1h")]);
    until("the query is posted", || {
        received(&simulator, "status") >= 1
    });
    service.signal("-TERM");
    until("it says that it stops", || service.is_stopping());
    let (code, _) = service.stop();
    assert_eq!(code, Some(143));
    assert_eq!(states(&home), ["pending (interrupted)"]);

    let _service = Service::start(&home, &[]);
    until("the night is extracted", || states(&home) == ["succeeded"]);
    assert_eq!(submissions(&simulator), 1);
}

#[test]
#[cfg(target_os = "linux")]
fn the_supervisor_is_told_when_it_is_ready_and_when_it_stops() {
    let fixture = fixture();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let path = home.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).expect("a socket");
    let told = || {
        let mut buffer = [0; 64];
        let length = socket.recv(&mut buffer).expect("told");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };

    let service = Service::start(&home, &[("NOTIFY_SOCKET", path.to_str().expect("UTF-8"))]);
    assert_eq!(told(), "READY=1");
    let (code, _) = service.stop();

    assert_eq!(code, Some(143));
    assert_eq!(told(), "STOPPING=1");
}

#[test]
fn a_notice_is_taken_under_any_path_when_the_secret_is_set() {
    let fixture = fixture();
    let simulator = fixture.simulator(&["--execute-ms", "600000"]);
    let home = fixture.home(&simulator);
    let secret = [("HALO_WEBHOOK_SECRET", "a synthetic secret of notices")];

    let service = Service::start(&home, &secret);
    let answer = service.answer("POST /notices");

    // Unsigned, so it is heard and refused.
    assert!(answer.contains(" 401 "), "{answer}");
}

#[test]
fn a_signed_notice_ends_the_wait_for_a_result() {
    let fixture = fixture();
    let simulator = fixture.simulator(&["--execute-ms", "2000"]);
    let home = fixture.home(&simulator);
    let webhooks = simulator.control("webhooks");
    let settings = [
        (
            "HALO_WEBHOOK_SECRET",
            webhooks["secret"].as_str().expect("a secret"),
        ),
        // Longer than this test waits for anything: only a notice can be in time.
        ("HALO_EXTRACT__HALO__POLL_FIRST", "20m"),
        ("HALO_EXTRACT__HALO__POLL_LONGEST", "20m"),
    ];

    let service = Service::start(&home, &settings);
    let address = serde_json::json!({"async_url": format!("{}/notices", service.url)});
    simulator.put("webhooks", &address.to_string());

    until("the night is extracted", || states(&home) == ["succeeded"]);
}

/// The date at which a night's window ends is the practice's own.
#[test]
fn the_window_is_the_day_before_at_the_site() {
    let fixture = fixture();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let zone = simulator.sites()[0]["time_zone"].as_str().expect("zone");
    let zone: chrono_tz::Tz = zone.parse().expect("a zone");
    let today = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
    let before = today(Utc::now());

    let _service = Service::start(&home, &[]);
    until("the night is extracted", || states(&home) == ["succeeded"]);

    let name = home.objects()[0]
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    let expected = [before, today(Utc::now())]
        .map(|day| format!("visits_{}_{day}.parquet", day.pred_opt().expect("a day")));
    assert!(expected.contains(&name), "{name}");
}

/// Queries that were posted and of which no id was heard, because the process was killed in between.
fn posted_and_not_heard(home: &Home) -> u64 {
    let ledger = rusqlite::Connection::open(home.path().join("ledger.sqlite")).expect("a ledger");
    let sql = "SELECT count(*) FROM attempt WHERE submitted_at IS NOT NULL AND remote_id IS NULL";
    ledger
        .query_row(sql, [], |row| row.get(0))
        .expect("a count")
}

#[test]
fn a_detached_backfill_is_carried_out_beside_the_night_and_a_kill_asks_no_unit_twice() {
    let fixture = fixture();
    let simulator = fixture.simulator(&["--execute-ms", "200"]);
    let home = fixture.home(&simulator);
    let plan = "backfill plan --from 2026-01-01 --to 2026-11-01 --max-days 38 --output json";
    let plan: Vec<&str> = plan.split(' ').collect();
    let planned = home.run(&plan).succeeded().json();
    assert_eq!(planned["units"].as_array().expect("units").len(), 8);
    home.run(&["backfill", "start", "1", "--detach"])
        .succeeded();

    let service = Service::start(&home, &[]);
    until("the night and some units are asked", || {
        submissions(&simulator) >= 4
    });
    service.signal("-KILL");
    drop(service);
    let _again = Service::start(&home, &[]);
    until("all is extracted", || {
        let states = states(&home);
        states.len() == 9 && states.iter().all(|state| state == "succeeded")
    });

    let lost = posted_and_not_heard(&home);
    assert!(lost <= 1, "{lost}");
    assert!((9..=9 + lost).contains(&submissions(&simulator)));
    let shown = home
        .run(&["backfill", "show", "1", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(shown["state"], "finished");
}

#[test]
fn of_two_backfills_the_more_urgent_one_goes_first_and_each_in_the_order_that_was_planned() {
    let fixture = fixture();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let backfill = |arguments: &str| {
        let mut all = vec!["backfill"];
        all.extend(arguments.split(' '));
        home.run(&all).succeeded()
    };
    backfill("plan --from 2025-01-01 --to 2025-03-02");
    backfill("plan --from 2026-01-01 --to 2026-04-01 --oldest-first");
    backfill("start 1 --detach");
    backfill("start 2 --detach");
    backfill("prioritise 2 10");

    let _service = Service::start(&home, &[]);
    until("both are over", || {
        let listed = backfill("list --output json").json();
        let listed = listed.as_array().expect("backfills");
        listed.len() == 2 && listed.iter().all(|it| it["state"] == "finished")
    });

    let ledger = rusqlite::Connection::open(home.path().join("ledger.sqlite")).expect("a ledger");
    let mut statement = ledger
        .prepare(
            "SELECT e.window_start FROM attempt AS a JOIN extraction AS e ON e.id = a.extraction
             WHERE e.window_end <= '2026-04-01' ORDER BY a.submitted_at",
        )
        .expect("a statement");
    let asked: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .expect("rows")
        .map(|day| day.expect("a day"))
        .collect();
    assert_eq!(
        asked,
        [
            "2026-01-01",
            "2026-01-31",
            "2026-03-02",
            "2025-01-31",
            "2025-01-01"
        ]
    );
}

#[test]
fn readers_are_told_once_the_night_is_over() {
    let fixture = fixture();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let told = home.lake().join("simulator/_meta/coverage.parquet");

    let _service = Service::start(&home, &[]);
    until("the night is extracted", || states(&home) == ["succeeded"]);

    until("readers are told", || told.is_file());
}

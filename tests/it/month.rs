//! Whole months of a fleet, stepped: planner, ledger, claims, shares and quiet hours are the real ones; only the
//! practices and the clock are invented. Sites go offline, attempts fail, the service dies and comes back, a
//! backfill runs all the time, and the clocks are changed.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use halo_extract::catalog::Catalog;
use halo_extract::domain::{
    BackfillEvent, BackfillId, BackfillState, Due, Environment, Extraction, FailureClass, HaloGuid,
    Lane, Mode, ObjectRecord, PmsType, Proof, RemoteQueryId, Retry, Sha256, Site, SiteKey,
    SiteOverrides, SiteState, Waiting, Window,
};
use halo_extract::ledger::{
    AttemptCost, Change, Claim, ClaimRequest, ExtractionFilter, Fenced, Ledger, NewBackfill,
    Steered, Submission,
};
use halo_extract::plan::{Breach, Rules, Timetable, fleet, windows};
use halo_extract::schedule::{Planner, Share, Taken};
use tempfile::TempDir;

use crate::fixture::{HEADER, SQL};

const SITES: u32 = 40;
/// Half of them are never given to the backfill, and are enough for the nights.
const WORKERS: u32 = 16;
/// The practice's agent ends a query after this.
const LONGEST_QUERY: TimeDelta = TimeDelta::minutes(5);
const STEP: TimeDelta = TimeDelta::minutes(10);
const WORKER: &str = "month";
const ZONES: [Tz; 5] = [
    chrono_tz::Australia::Sydney,
    chrono_tz::Australia::Brisbane,
    chrono_tz::Australia::Adelaide,
    chrono_tz::Australia::Perth,
    chrono_tz::Australia::Darwin,
];
const USUAL_HOURS: &str = "20:00-07:00";
const HOURS: [Option<&str>; 4] = [
    None,
    Some("22:00-05:30"),
    Some("00:00-06:00"),
    Some("01:30-05:00"),
];
/// One at the hour that is left out and shown twice, one beside midnight, one on the Sundays of the changes.
const QUERIES: [(&str, &str, &str); 4] = [
    ("visit", "30 2 * * *", "incremental"),
    ("service", "40 23 * * *", "incremental"),
    ("weekly", "15 2 * * 0", "incremental"),
    ("patient", "0 2 * * *", "snapshot"),
];
/// Trouble is over for so long before a site counts as calm.
const CALM_AFTER: TimeDelta = TimeDelta::days(3);
const GOAL: Duration = Duration::from_secs(36 * 3600);

#[test]
fn a_month_in_which_the_clocks_are_put_back_covers_every_day_once() {
    Month::new("2026-03-20T00:00:00Z", 1).pass(31);
}

#[test]
fn a_month_in_which_the_clocks_are_put_forward_covers_every_day_once() {
    Month::new("2026-09-20T00:00:00Z", 2).pass(31);
}

/// An attempt at work.
struct Work {
    claim: Claim,
    taken: Taken,
    ends: DateTime<Utc>,
}

struct Month {
    folder: TempDir,
    planner: Planner,
    sites: Vec<Site>,
    now: DateTime<Utc>,
    rng: fastrand::Rng,
    share: Share,
    at_work: Vec<Work>,
    /// When each site can not be reached.
    offline: Vec<(SiteKey, DateTime<Utc>, DateTime<Utc>)>,
    /// When the service is not there.
    down: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// When it is killed and starts again at once, which excuses nothing.
    kills: Vec<DateTime<Utc>>,
    /// Days, in its own calendar, on which something troubled a site.
    troubled: BTreeSet<(SiteKey, NaiveDate)>,
    /// Since when nothing troubles a site.
    calm_since: HashMap<SiteKey, DateTime<Utc>>,
    posted: u32,
    /// Nights that began while a unit of the backfill was at work.
    beside: u32,
    nights: u32,
    backfill: BackfillId,
    backfilled: u32,
    failed: u32,
    /// How often a calm site was held against its goal.
    judged: u32,
}

fn timetables(folder: &TempDir) -> Vec<Timetable> {
    let queries: PathBuf = folder.path().join("queries");
    for (name, cron, mode) in QUERIES {
        let (mode_line, sql) = match mode {
            "snapshot" => (
                "mode      = \"snapshot\"",
                SQL.replace("@window_end", "@snapshot_date")
                    .replace("@window_start", "@snapshot_date"),
            ),
            _ => ("mode      = \"incremental\"", SQL.to_owned()),
        };
        let mut header = HEADER
            .replace("mode      = \"incremental\"", mode_line)
            .replace(
                "key       = [\"id\"]",
                &format!("cron      = \"{cron}\"\nkey       = [\"id\"]"),
            );
        if mode == "snapshot" {
            header = header
                .replace("watermark = \"coalesce(updated, seen)\"\n", "")
                .replace("overlap   = \"0 days\"\n", "");
        }
        std::fs::create_dir_all(queries.join(name)).expect("made");
        std::fs::write(queries.join(name).join("v1.sql"), format!("{header}{sql}"))
            .expect("written");
    }
    let catalog = Catalog::read(&queries).unwrap_or_else(|error| panic!("{error}"));
    Timetable::of_all(catalog.current_queries()).expect("followed")
}

fn site(number: u32) -> Site {
    let hours = HOURS[(number / 5) as usize % HOURS.len()];
    Site {
        key: format!("s{number}").parse().expect("a key"),
        pms_type: PmsType::BestPractice,
        pms_id: number.to_string().parse().expect("an id"),
        halo_guid: Some(HaloGuid(uuid::Uuid::from_u128(u128::from(number) + 1))),
        practice_name: None,
        link_version: None,
        pms_version: None,
        catalogues: Vec::new(),
        time_zone: ZONES[number as usize % ZONES.len()],
        groups: Vec::new(),
        state: SiteState::Active,
        paused_until: None,
        overrides: SiteOverrides {
            quiet_hours: hours.map(|hours| hours.parse().expect("hours")),
            ..SiteOverrides::default()
        },
    }
}

/// A month waits for the disk tens of thousands of times, which is not what it is to show.
fn in_memory_if_possible() -> TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("a folder")
}

fn open(folder: &TempDir) -> Arc<Ledger> {
    let path = folder.path().join("ledger.sqlite");
    Arc::new(Ledger::open(&path, Environment::Simulator).expect("a ledger"))
}

impl Month {
    fn new(start: &str, seed: u64) -> Self {
        let now: DateTime<Utc> = start.parse().expect("a time");
        let folder = in_memory_if_possible();
        let ledger = open(&folder);
        let sites: Vec<Site> = (0..SITES).map(site).collect();
        let change = Change {
            actor: "test".to_owned(),
            action: "activate".to_owned(),
            reason: "test".to_owned(),
            at: now,
        };
        for site in &sites {
            ledger.put_site(site, &change).expect("a site");
        }
        let rules = Rules {
            spread: Duration::from_secs(7200),
            quiet_hours: USUAL_HOURS.parse().expect("hours"),
            last_start: TimeDelta::minutes(15),
            longest: NonZeroU32::new(35).expect("not zero"),
        };
        let timetables = timetables(&folder);
        let backfill = begin_backfill(&ledger, &sites, &timetables, now);
        Self {
            planner: Planner {
                ledger,
                timetables,
                rules,
            },
            calm_since: sites.iter().map(|site| (site.key.clone(), now)).collect(),
            sites,
            now,
            rng: fastrand::Rng::with_seed(seed),
            share: Share::new(WORKERS, now),
            at_work: Vec::new(),
            offline: Vec::new(),
            down: Vec::new(),
            kills: Vec::new(),
            troubled: BTreeSet::new(),
            folder,
            posted: 0,
            beside: 0,
            nights: 0,
            backfill,
            backfilled: 0,
            failed: 0,
            judged: 0,
        }
    }

    fn pass(mut self, days: u64) {
        let (start, end) = (self.now, self.now + Days::new(days));
        // The last days are calm, so that every trouble can be made good.
        self.invent_trouble(start, end - TimeDelta::days(4));
        let mut was_down = false;
        while self.now < end {
            let is_down = self
                .down
                .iter()
                .any(|it| it.0 <= self.now && self.now < it.1);
            if is_down && !was_down {
                self.die();
            } else if was_down && !is_down {
                self.come_back();
            }
            was_down = is_down;
            if !is_down {
                if self.kills.pop_if(|at| *at <= self.now).is_some() {
                    self.die();
                    self.reopen();
                }
                self.step();
            }
            self.now += STEP;
        }
        self.check();
    }

    fn invent_trouble(&mut self, from: DateTime<Utc>, to: DateTime<Utc>) {
        let minutes = (to - from).num_minutes();
        let stretch = |most_hours: i64, rng: &mut fastrand::Rng| {
            let begin = from + TimeDelta::minutes(rng.i64(0..minutes));
            (
                begin,
                (begin + TimeDelta::minutes(rng.i64(30..most_hours * 60))).min(to),
            )
        };
        for site in &self.sites {
            for _ in 0..2 {
                let (begin, end) = stretch(60, &mut self.rng);
                self.offline.push((site.key.clone(), begin, end));
            }
        }
        for _ in 0..3 {
            self.down.push(stretch(30, &mut self.rng));
        }
        for _ in 0..12 {
            self.kills
                .push(from + TimeDelta::minutes(self.rng.i64(0..minutes)));
        }
        // The next one is the last of the list.
        self.kills.sort_unstable_by(|a, b| b.cmp(a));
        for site in &self.sites {
            let of_site = self.offline.iter().filter(|it| it.0 == site.key);
            let stretches = of_site.map(|it| (it.1, it.2)).chain(self.down.clone());
            for (begin, end) in stretches {
                let day = |at: DateTime<Utc>| at.with_timezone(&site.time_zone).date_naive();
                let days = day(begin).iter_days().take_while(|it| *it <= day(end));
                self.troubled
                    .extend(days.map(|day| (site.key.clone(), day)));
            }
        }
    }

    /// One beat of the service.
    fn step(&mut self) {
        let (done, going) = std::mem::take(&mut self.at_work)
            .into_iter()
            .partition::<Vec<_>, _>(|work| work.ends <= self.now);
        self.at_work = going;
        for work in done {
            self.finish(work);
        }
        self.planner.look(self.now).expect("a look");
        while let Some((claim, lane)) = self.claim() {
            self.begin(claim, &lane);
        }
        if self.now.format("%H:%M").to_string() == "12:00" {
            self.judge();
        }
    }

    fn claim(&self) -> Option<(Claim, Lane)> {
        self.share.lanes(self.now).iter().find_map(|lane| {
            let request = ClaimRequest {
                worker: WORKER,
                now: self.now,
                lease: Duration::from_secs(6 * 3600),
                per_site_limit: 1,
                lanes: std::slice::from_ref(lane),
                only: None,
            };
            let claim = self.planner.ledger.claim(&request).expect("a claim")?;
            Some((claim, lane.clone()))
        })
    }

    fn begin(&mut self, claim: Claim, lane: &Lane) {
        let key = claim.extraction.site.clone();
        let site = self
            .sites
            .iter()
            .find(|site| site.key == key)
            .expect("a site")
            .clone();
        let (ledger, now) = (Arc::clone(&self.planner.ledger), self.now);
        if claim.resume.is_none() {
            let until = self.planner.rules.begin(&site, now);
            if until > now {
                recorded(
                    ledger
                        .put_off(&claim, &Waiting::QuietHours, until, now)
                        .expect("written"),
                );
                for lane in [Lane::Nightly, Lane::Backfill] {
                    ledger
                        .put_off_site(&key, &lane, &Waiting::QuietHours, until, now)
                        .expect("written");
                }
                return;
            }
            for at in [now, now + LONGEST_QUERY] {
                assert!(
                    is_quiet(&site, at),
                    "{} was asked at {now}, outside the hours in {}",
                    claim.extraction,
                    site.time_zone
                );
            }
            if *lane == Lane::Nightly {
                self.nights += 1;
                let is_backfill = |work: &Work| work.taken == Taken::Backfill;
                self.beside += u32::from(self.at_work.iter().any(is_backfill));
            }
            let guid = site.halo_guid.expect("paired");
            let submission = ledger
                .begin_submit(&claim, guid, None, now)
                .expect("written");
            assert_eq!(submission, Submission::Journalled);
            let remote = RemoteQueryId(uuid::Uuid::from_u128(self.rng.u128(..)));
            recorded(ledger.record_remote(&claim, remote, now).expect("written"));
            self.posted += 1;
        }
        let minutes = if *lane == Lane::Backfill {
            self.rng.i64(40..120)
        } else {
            self.rng.i64(1..10)
        };
        self.at_work.push(Work {
            claim,
            taken: self.share.take(lane, now),
            ends: now + TimeDelta::minutes(minutes),
        });
    }

    fn finish(&mut self, work: Work) {
        self.share.give_back(work.taken);
        let (claim, now) = (work.claim, self.now);
        let ledger = Arc::clone(&self.planner.ledger);
        let key = claim.extraction.site.clone();
        let is_offline = self
            .offline
            .iter()
            .any(|it| it.0 == key && it.1 <= now && now < it.2);
        let failure = if is_offline {
            Some((FailureClass::Site, Retry::Later(Duration::from_secs(1800))))
        } else if now > self.down[0].0 && self.rng.u32(0..100) < 3 {
            Some((FailureClass::Network, Retry::Now))
        } else if self.rng.u32(0..300) == 0 && work.taken == Taken::Other {
            Some((FailureClass::Contract, Retry::Never))
        } else {
            None
        };
        if let Some((class, retry)) = failure {
            self.failed += 1;
            let zone = self
                .sites
                .iter()
                .find(|site| site.key == key)
                .map(|site| site.time_zone)
                .expect("a site");
            self.troubled
                .insert((key.clone(), now.with_timezone(&zone).date_naive()));
            self.calm_since.insert(key, now);
            recorded(
                ledger
                    .fail(
                        &claim,
                        class,
                        "invented",
                        retry,
                        AttemptCost::default(),
                        now,
                    )
                    .expect("written"),
            );
            return;
        }
        if work.taken == Taken::Backfill {
            self.backfilled += 1;
        }
        let proof = Proof {
            declared: 1,
            pages: 1,
            batches: 1,
            footer: 1,
            withheld: None,
        };
        let object = ObjectRecord {
            path: format!("invented/{}", claim.extraction),
            size_bytes: 1,
            rows: 1,
            sha256: Sha256([0; 32]),
            etag: None,
        };
        recorded(
            ledger
                .succeed(&claim, &proof, &object, AttemptCost::default(), now)
                .expect("written"),
        );
    }

    /// The process is killed: claims are left behind.
    fn die(&mut self) {
        for work in std::mem::take(&mut self.at_work) {
            self.share.give_back(work.taken);
        }
    }

    /// A new process opens the ledger.
    fn reopen(&mut self) {
        self.planner.ledger = open(&self.folder);
        self.planner
            .ledger
            .release_worker(WORKER, self.now)
            .expect("released");
    }

    /// The service is there again after a while, and catches up.
    fn come_back(&mut self) {
        self.reopen();
        self.calm_since
            .values_mut()
            .for_each(|since| *since = self.now);
    }

    /// Sites that nothing troubled for days are fresh, whatever the backfill does.
    fn judge(&mut self) {
        let arrivals = self.planner.ledger.arrivals().expect("arrivals");
        let rows = fleet(
            &self.sites,
            &self.planner.timetables,
            &arrivals,
            GOAL,
            self.now,
        );
        let is_calm = |site: &SiteKey| {
            self.now - self.calm_since[site] > CALM_AFTER
                && !self
                    .offline
                    .iter()
                    .any(|it| it.0 == *site && it.1 <= self.now && self.now < it.2 + CALM_AFTER)
        };
        self.judged += u32::try_from(self.sites.iter().filter(|site| is_calm(&site.key)).count())
            .expect("few");
        // What was given up is late because of that, and is asked again by its next night: a weekly one after a week.
        let is_own_fault = |breach: &&Breach| breach.cause.starts_with("failed");
        let breaches = rows.iter().flat_map(|row| &row.breaches);
        for breach in breaches.filter(|breach| !is_own_fault(breach)) {
            assert!(
                !is_calm(&breach.site),
                "{}: {breach:?}\n{}",
                self.now,
                self.story(&breach.site)
            );
        }
    }

    /// What the ledger tells of a site's last days.
    fn story(&self, site: &SiteKey) -> String {
        let filter = ExtractionFilter {
            site: Some(site.clone()),
            limit: Some(16),
            ..ExtractionFilter::default()
        };
        let rows = self.planner.ledger.extractions(&filter).expect("rows");
        rows.iter()
            .map(|row| {
                format!(
                    "{} {} {}: planned {}, not before {}, since {}, attempts {}\n",
                    row.extraction.query,
                    row.extraction.window,
                    row.state,
                    row.planned_at,
                    row.not_before,
                    row.changed_at,
                    row.attempts
                )
            })
            .collect()
    }

    /// Every day since the first night is covered once, up to the last night that came round.
    fn check(&self) {
        let ledger = &self.planner.ledger;
        let standings = ledger.standings().expect("standings");
        let first_day = self.first_day();
        let mut snapshots = 0;
        for site in &self.sites {
            for timetable in &self.planner.timetables {
                let coverage = ledger
                    .coverage(&site.key, &timetable.query)
                    .expect("coverage");
                let nights: Vec<Window> = coverage
                    .into_iter()
                    .map(|it| it.0)
                    .filter(|window| window.start() >= first_day)
                    .collect();
                let standing = &standings[&site.key][&timetable.query];
                let planned_to = standing.planned_to.expect("planned");
                let name = format!("{} {}", site.key, timetable.query);
                let yesterday = self.now.with_timezone(&site.time_zone).date_naive() - Days::new(1);
                let last_due = match timetable.query.name.as_str() {
                    "weekly" => {
                        let since_sunday = yesterday.weekday().num_days_from_sunday();
                        yesterday - Days::new(since_sunday.into())
                    }
                    _ => yesterday,
                };
                assert!(
                    planned_to >= last_due,
                    "{name}: planned to {planned_to} only, not {last_due}"
                );
                if timetable.mode == Mode::Snapshot {
                    assert!(
                        nights.iter().any(|night| night.end() == planned_to),
                        "{name}: no snapshot"
                    );
                    snapshots += self.check_snapshots(site, &nights);
                    continue;
                }
                let days: u64 = nights.iter().map(Window::days).sum();
                let union = windows::union(&nights);
                assert_eq!(union.len(), 1, "{name}: a gap in {union:?}");
                assert_eq!(
                    union[0].days(),
                    days,
                    "{name}: a day is covered twice in {nights:?}"
                );
                assert_eq!(union[0].end(), planned_to, "{name}");
            }
        }
        assert!(
            snapshots > 100,
            "{snapshots} calm nights are too few to show anything"
        );
        let backfill = ledger.backfill(self.backfill, self.now).expect("read");
        let backfill = backfill.expect("a backfill");
        assert_eq!(backfill.state, BackfillState::Running);
        assert!(
            backfill.counts.waiting > 500,
            "the backfill was over before the month was: {:?}",
            backfill.counts
        );
        assert!(
            self.beside * 10 > self.nights * 9,
            "only {} of {} nights began while the backfill was at work",
            self.beside,
            self.nights
        );
        assert!(
            self.failed > 200,
            "{} failures are too few to show anything",
            self.failed
        );
        assert!(
            self.judged > 100,
            "{} judgements are too few to show anything",
            self.judged
        );
        assert!(
            self.backfilled > 100,
            "the backfill starved: {}",
            self.backfilled
        );
        assert!(self.posted > 3_000, "{} queries were posted", self.posted);
    }

    /// Of every night that nothing troubled there is the snapshot, and it carries that night's date; how many nights
    /// that were.
    fn check_snapshots(&self, site: &Site, nights: &[Window]) -> usize {
        let today = self.now.with_timezone(&site.time_zone).date_naive();
        let is_troubled = |day: NaiveDate| {
            let around = [day - Days::new(1), day, day + Days::new(1)];
            let mut days = around.into_iter().map(|day| (site.key.clone(), day));
            days.any(|day| self.troubled.contains(&day))
        };
        let first = nights.iter().map(Window::start).min().expect("a snapshot");
        let calm: Vec<NaiveDate> = first
            .iter_days()
            .take_while(|day| *day < today)
            .filter(|day| !is_troubled(*day))
            .collect();
        for day in &calm {
            let of_day = nights.iter().filter(|night| night.start() == *day).count();
            assert_eq!(of_day, 1, "{}: snapshots of {day}", site.key);
        }
        calm.len()
    }

    fn first_day(&self) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day")
    }
}

/// Whether the site is open, by minutes of its clock: judged without the code that decides it.
fn is_quiet(site: &Site, at: DateTime<Utc>) -> bool {
    let number: u32 = site.pms_id.to_string().parse().expect("a number");
    let hours = HOURS[(number / 5) as usize % HOURS.len()].unwrap_or(USUAL_HOURS);
    let minutes = |text: &str| {
        let (hours, minutes) = text.split_once(':').expect("a time");
        hours.parse::<u32>().expect("hours") * 60 + minutes.parse::<u32>().expect("minutes")
    };
    let (from, to) = hours.split_once('-').expect("hours");
    let (from, to) = (minutes(from), minutes(to));
    let local = at.with_timezone(&site.time_zone);
    let now = local.hour() * 60 + local.minute();
    if from < to {
        (from..to).contains(&now)
    } else {
        now >= from || now < to
    }
}

/// A year in windows of four days at every site: more than there is room for in a month.
fn begin_backfill(
    ledger: &Ledger,
    sites: &[Site],
    timetables: &[Timetable],
    now: DateTime<Utc>,
) -> BackfillId {
    let first = NaiveDate::from_ymd_opt(2024, 12, 31).expect("a day");
    let visit = timetables
        .iter()
        .find(|it| it.query.name.as_str() == "visit")
        .expect("visit");
    let windows = (0..91).rev().map(|window| {
        let start = first + Days::new(4 * window);
        Window::new(start, start + Days::new(4)).expect("four days")
    });
    let units: Vec<(Extraction, Due)> = windows
        .flat_map(|window| sites.iter().map(move |site| (site, window)))
        .map(|(site, window)| {
            let extraction = Extraction {
                site: site.key.clone(),
                query: visit.query.clone(),
                window,
            };
            (extraction, Due::Missing)
        })
        .collect();
    let plan = NewBackfill {
        digest: "invented",
        asked: "{}",
        estimate: "{}",
        most_failed: "100%".parse().expect("a limit"),
        priority: 0,
        units: &units,
    };
    let id = ledger.save_backfill(&plan, now).expect("saved");
    let change = Change {
        actor: "test".to_owned(),
        action: "backfill start".to_owned(),
        reason: "test".to_owned(),
        at: now,
    };
    let started = ledger.steer_backfill(id, BackfillEvent::Start, &change);
    let all = units.len();
    assert!(
        matches!(started.expect("started"), Steered::Done { units, .. } if units == all),
        "the backfill has not started"
    );
    id
}

#[track_caller]
fn recorded(fenced: Fenced) {
    assert_eq!(fenced, Fenced::Recorded);
}

//! Planning a night and asking how the fleet stands, over a ledger that holds a month of nights.

use std::collections::HashSet;
use std::error::Error;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use halo_extract::catalog::Catalog;
use halo_extract::domain::{
    Environment, HaloGuid, Lane, ObjectRecord, PmsType, Proof, RemoteQueryId, Sha256, Site,
    SiteOverrides, SiteState,
};
use halo_extract::ledger::{AttemptCost, Change, ClaimRequest, Ledger};
use halo_extract::plan::{Rules, Timetable, fleet};
use halo_extract::schedule::Planner;
use serde_json::json;

/// Extractions that are claimed and recorded one by one.
const ONE_BY_ONE: u32 = 1_000;

/// Nights before the one that is measured end on this day.
const LAST_DAY: &str = "2026-11-17";

/// Fills the ledger of `home` with `nights` nights of `sites` sites, plans one more, and prints how long each step took.
pub(crate) fn run(
    home: &Path,
    sites: u32,
    queries: usize,
    nights: u32,
) -> Result<(), Box<dyn Error>> {
    let file = home.join("ledger.sqlite");
    let ledger = Arc::new(Ledger::open(&file, Environment::Simulator)?);
    let catalog = Catalog::read(Path::new("queries"))?;
    let timetables: Vec<Timetable> =
        Timetable::of_all(catalog.current_queries().filter(|query| {
            query
                .cron
                .as_deref()
                .is_some_and(|cron| cron.ends_with("* * *"))
        }))?
        .into_iter()
        .take(queries)
        .collect();
    // 06:00 in Brisbane: every query of the night of the 18th is due.
    let now: DateTime<Utc> = "2026-11-17T20:00:00Z".parse()?;
    register(&ledger, sites, now)?;
    let began = Instant::now();
    fill(&file, sites, &timetables, nights)?;
    let filled = began.elapsed();

    let rules = Rules {
        spread: Duration::from_secs(7200),
        quiet_hours: "20:00-07:00".parse()?,
        last_start: TimeDelta::minutes(15),
        longest: NonZeroU32::new(35).ok_or("not zero")?,
    };
    let planner = Planner {
        ledger: Arc::clone(&ledger),
        timetables,
        rules,
    };
    let began = Instant::now();
    let look = planner.look(now)?;
    let planning = began.elapsed();
    let began = Instant::now();
    let again = planner.look(now)?;
    let idle = began.elapsed();
    let began = Instant::now();
    let rows = fleet(
        &ledger.sites()?,
        &planner.timetables,
        &ledger.arrivals()?,
        Duration::from_secs(36 * 3600),
        now,
    );
    let status = began.elapsed();
    let one_by_one = one_by_one(&ledger, now)?;
    println!(
        "{}",
        json!({
            "sites": sites,
            "queries": planner.timetables.len(),
            "extractions_before": u64::from(nights) * u64::from(sites) * planner.timetables.len() as u64,
            "planned": look.planned,
            "planned_again": again.planned,
            "fresh": rows.iter().map(|row| row.fresh).sum::<u64>(),
            "fill_seconds": filled.as_secs_f64(),
            "planning_seconds": planning.as_secs_f64(),
            "idle_look_seconds": idle.as_secs_f64(),
            "status_seconds": status.as_secs_f64(),
            "recorded_a_second": f64::from(ONE_BY_ONE) / one_by_one.as_secs_f64(),
        })
    );
    Ok(())
}

fn register(ledger: &Ledger, sites: u32, now: DateTime<Utc>) -> Result<(), Box<dyn Error>> {
    let zones = [
        chrono_tz::Australia::Brisbane,
        chrono_tz::Australia::Lindeman,
    ];
    let change = Change {
        actor: "benchmark".to_owned(),
        action: "activate".to_owned(),
        reason: "benchmark".to_owned(),
        at: now,
    };
    for number in 0..sites {
        let site = Site {
            key: format!("s{number}").parse()?,
            pms_type: PmsType::BestPractice,
            pms_id: number.to_string().parse()?,
            halo_guid: Some(HaloGuid(uuid::Uuid::from_u128(u128::from(number) + 1))),
            practice_name: None,
            link_version: None,
            pms_version: None,
            catalogues: Vec::new(),
            time_zone: zones[number as usize % zones.len()],
            groups: Vec::new(),
            state: SiteState::Active,
            paused_until: None,
            overrides: SiteOverrides::default(),
        };
        ledger.put_site(&site, &change)?;
    }
    Ok(())
}

/// Past nights are written past the ledger's calls, which take one transaction for each step of each extraction.
fn fill(
    file: &Path,
    sites: u32,
    timetables: &[Timetable],
    nights: u32,
) -> Result<(), Box<dyn Error>> {
    let last: NaiveDate = LAST_DAY.parse()?;
    let mut connection = rusqlite::Connection::open(file)?;
    let transaction = connection.transaction()?;
    for night in 0..nights {
        let end = last - Days::new(u64::from(nights - 1 - night));
        let start = end - Days::new(1);
        let at = end
            .and_time(chrono::NaiveTime::MIN)
            .and_utc()
            .timestamp_millis();
        for timetable in timetables {
            transaction.prepare_cached(
                "INSERT INTO extraction (site, query, version, window_start, window_end, state, due, lane, priority,
                     not_before, planned_at, changed_at, object_path, object_bytes, object_rows, object_sha256,
                     proof_declared, proof_pages, proof_batches, proof_footer, extracted_at)
                 SELECT key, ?1, ?2, ?3, ?4, 'succeeded', 'scheduled', 'nightly', 0, ?5, ?5, ?5,
                     'simulator/data/' || ?1 || '/v1/site=' || key || '/date=' || ?3 || '/x.parquet', 4096, 7,
                     '0000000000000000000000000000000000000000000000000000000000000000', 7, 7, 7, 7, ?5
                 FROM site LIMIT ?6",
            )?.execute(rusqlite::params![
                timetable.query.name.as_str(), timetable.query.version.number(), start.to_string(), end.to_string(), at, sites
            ])?;
        }
    }
    transaction.execute_batch(
        "INSERT INTO attempt (extraction, number, worker, started_at, submitted_at, remote_id, ended_at, outcome, pages,
                              bytes, remote_ms, duration_ms)
         SELECT id, 1, 'benchmark', planned_at, planned_at, 'x', changed_at, 'succeeded', 1, 4096, 100, 200 FROM extraction;
         INSERT INTO nightly (site, query, version, since, planned_to, covered_to, newest)
         SELECT site, query, version, min(planned_at), max(window_end), max(window_end), max(id) FROM extraction
         GROUP BY site, query, version;
         INSERT INTO reach (site, query, version, covered_to, extracted_at)
         SELECT site, query, version, max(window_end), max(extracted_at) FROM extraction GROUP BY site, query, version;",
    )?;
    transaction.commit()?;
    Ok(())
}

/// Claims and records as workers do, one call after the other.
fn one_by_one(ledger: &Ledger, now: DateTime<Utc>) -> Result<Duration, Box<dyn Error>> {
    let began = Instant::now();
    let mut seen = HashSet::new();
    for number in 0..ONE_BY_ONE {
        let claim = ledger
            .claim(&ClaimRequest {
                worker: "benchmark",
                now,
                lease: Duration::from_secs(120),
                per_site_limit: 1,
                lanes: &[Lane::Nightly],
                only: None,
            })?
            .ok_or("nothing to claim")?;
        if !seen.insert(claim.extraction.clone()) {
            return Err("claimed twice".into());
        }
        let guid = HaloGuid(uuid::Uuid::from_u128(1));
        let remote = RemoteQueryId(uuid::Uuid::from_u128(u128::from(number) + 1));
        let proof = Proof {
            declared: 7,
            pages: 7,
            batches: 7,
            footer: 7,
            withheld: None,
        };
        let object = ObjectRecord {
            path: format!("simulator/data/{}", claim.extraction),
            size_bytes: 4096,
            rows: 7,
            sha256: Sha256([0; 32]),
            etag: None,
        };
        let _submission = ledger.begin_submit(&claim, guid, None, now)?;
        let _fenced = ledger.record_remote(&claim, remote, now)?;
        let _fenced = ledger.succeed(&claim, &proof, &object, AttemptCost::default(), now)?;
    }
    Ok(began.elapsed())
}

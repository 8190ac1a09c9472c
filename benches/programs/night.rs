//! A ledger that holds a month of nights: filling it, planning the next night, and recording that night.

use std::collections::HashSet;
use std::error::Error;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use halo_extract::catalog::Catalog;
use halo_extract::domain::{
    Environment, Extraction, HaloGuid, Lane, ObjectRecord, PmsType, Proof, Query, RemoteQueryId,
    Sha256, Site, SiteOverrides, SiteState,
};
use halo_extract::ledger::{AttemptCost, Change, ClaimRequest, Ledger};
use halo_extract::plan::{Rules, Timetable};
use halo_extract::schedule::Planner;
use serde_json::json;

/// Nights before the one that is measured end on this day.
const LAST_DAY: &str = "2026-11-17";

/// Fills the ledger of `home` with `nights` nights of `queries` queries at `sites` sites.
pub(crate) fn fill(
    home: &Path,
    sites: u32,
    queries: usize,
    nights: u32,
) -> Result<(), Box<dyn Error>> {
    let file = home.join("ledger.sqlite");
    let ledger = Ledger::open(&file, Environment::Simulator)?;
    register(&ledger, sites, now())?;
    write_nights(&file, sites, &timetables(queries)?, nights)?;
    println!(
        "{}",
        json!({"extractions": u64::from(nights) * u64::from(sites) * queries as u64})
    );
    Ok(())
}

/// Plans the next night of a fleet that `fill` made, looks again, and judges the fleet.
pub(crate) fn plan(home: &Path, queries: usize) -> Result<(), Box<dyn Error>> {
    let ledger = Arc::new(open(home)?);
    let planner = Planner {
        ledger: Arc::clone(&ledger),
        timetables: timetables(queries)?,
        rules: Rules {
            spread: Duration::from_secs(7200),
            quiet_hours: "20:00-07:00".parse()?,
            last_start: TimeDelta::minutes(15),
            longest: NonZeroU32::new(35).ok_or("not zero")?,
        },
    };
    let began = Instant::now();
    let look = planner.look(now())?;
    let planning = began.elapsed();
    let began = Instant::now();
    let again = planner.look(now())?;
    let idle = began.elapsed();
    println!(
        "{}",
        json!({
            "planned": look.planned,
            "planned_again": again.planned,
            "planning_seconds": planning.as_secs_f64(),
            "idle_look_seconds": idle.as_secs_f64(),
        })
    );
    Ok(())
}

/// Claims and records `extractions` of a planned night as workers do, one call after the other.
pub(crate) fn work(home: &Path, extractions: u32) -> Result<(), Box<dyn Error>> {
    let ledger = open(home)?;
    let began = Instant::now();
    let mut seen = HashSet::new();
    for number in 0..extractions {
        let extraction = one(&ledger, number)?;
        if !seen.insert(extraction) {
            return Err("claimed twice".into());
        }
    }
    println!(
        "{}",
        json!({"recorded": seen.len(), "seconds": began.elapsed().as_secs_f64()})
    );
    Ok(())
}

/// 06:00 in Brisbane: every query of the night of the 18th is due.
fn now() -> DateTime<Utc> {
    "2026-11-17T20:00:00Z".parse().expect("an instant")
}

fn open(home: &Path) -> Result<Ledger, Box<dyn Error>> {
    Ok(Ledger::open(
        &home.join("ledger.sqlite"),
        Environment::Simulator,
    )?)
}

/// The queries that ship and run every night, and as many of the others as are needed, made nightly.
fn timetables(queries: usize) -> Result<Vec<Timetable>, Box<dyn Error>> {
    let catalog = Catalog::read(Path::new("queries"))?;
    let is_nightly = |query: &Query| {
        query
            .cron
            .as_deref()
            .is_some_and(|cron| cron.ends_with("* * *"))
    };
    let (nightly, mut others): (Vec<Query>, Vec<Query>) =
        catalog.current_queries().cloned().partition(is_nightly);
    for query in &mut others {
        query.cron = Some("30 1 * * *".to_owned());
    }
    let chosen: Vec<&Query> = nightly.iter().chain(&others).take(queries).collect();
    if chosen.len() < queries {
        return Err(format!("there are only {} queries", chosen.len()).into());
    }
    Ok(Timetable::of_all(chosen)?)
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
fn write_nights(
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

/// One extraction from claim to record.
fn one(ledger: &Ledger, number: u32) -> Result<Extraction, Box<dyn Error>> {
    let now = now();
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
    Ok(claim.extraction)
}

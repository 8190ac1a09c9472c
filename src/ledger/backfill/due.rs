//! The next unit that a worker may begin, at a cost that does not grow with what waits.
//!
//! Each backfill has a place of its own in the indexes, so that one that is paused is never looked into. The units of one
//! that runs are tried in their order; where the first of them are at sites that cannot be asked now, the sites
//! that can are looked for, each once, and the first of their first units is taken.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, Transaction, named_params};

use super::super::column::{self, millis};
use super::super::lease::{BUSY, Candidate, ClaimRequest, NO_NIGHT_DUE};

/// Units that are tried in their order before the sites are looked through.
const TRIED: u32 = 100;

/// Units that wait, of one backfill or of none.
const WAITING: &str = "e.backfill IS :backfill AND e.lane = 'backfill' AND e.state = 'pending'";

/// The number of a backfill; `None` for units without one.
type Backfill = Option<i64>;

/// When a unit is due, and its row: its place in the order of its backfill.
type Place = (i64, i64);

/// The first unit that is due and wanted, of a backfill that runs, at a site that can be asked.
pub(in super::super) fn due_unit(
    transaction: &Transaction<'_>,
    request: &ClaimRequest<'_>,
) -> rusqlite::Result<Option<Candidate>> {
    for backfill in running(transaction)? {
        let (tried, mut found) = in_order(transaction, request, backfill)?;
        if found.is_none() && tried == TRIED {
            found = by_site(transaction, request, backfill)?;
        }
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The backfills whose units may be claimed, the most urgent first.
fn running(transaction: &Transaction<'_>) -> rusqlite::Result<Vec<Backfill>> {
    let mut statement = transaction.prepare_cached(
        "SELECT id, priority FROM backfill WHERE state = 'running' UNION ALL SELECT NULL, 0
         ORDER BY priority DESC, id NULLS LAST",
    )?;
    let rows = statement.query_map([], |row| row.get("id"))?;
    rows.collect()
}

/// How many of the first units were tried, and the one among them that will do.
fn in_order(
    transaction: &Transaction<'_>,
    request: &ClaimRequest<'_>,
    backfill: Backfill,
) -> rusqlite::Result<(u32, Option<Candidate>)> {
    let mut statement = transaction.prepare_cached(&in_order_sql())?;
    let mut rows = statement.query(named_params! {
        ":backfill": backfill,
        ":now": millis(request.now),
        ":limit": request.per_site_limit,
    })?;
    let mut tried = 0;
    while let Some(row) = rows.next()? {
        tried += 1;
        if row.get("may_begin")? {
            let found = Candidate::read(row)?;
            if request.wants(&found.extraction) {
                return Ok((tried, Some(found)));
            }
        }
    }
    Ok((tried, None))
}

fn in_order_sql() -> String {
    format!(
        "SELECT {identity}, e.id, e.fence, e.results_lost,
                EXISTS (SELECT 1 FROM site WHERE site.key = e.site AND site.state = 'active')
                AND e.site NOT IN ({BUSY}) AND {NO_NIGHT_DUE} AS may_begin
         FROM extraction AS e INDEXED BY extraction_unit_due WHERE {WAITING} AND e.not_before <= :now
         ORDER BY e.not_before, e.id LIMIT {TRIED}",
        identity = column::IDENTITY,
    )
}

/// The first wanted unit of all sites that can be asked.
fn by_site(
    transaction: &Transaction<'_>,
    request: &ClaimRequest<'_>,
    backfill: Backfill,
) -> rusqlite::Result<Option<Candidate>> {
    let mut heads: BTreeMap<Place, Candidate> = BTreeMap::new();
    for site in sites(transaction, request, backfill)? {
        let before_all = (i64::MIN, i64::MIN);
        heads.extend(next_at(transaction, request, backfill, &site, before_all)?);
    }
    while let Some((place, found)) = heads.pop_first() {
        if request.wants(&found.extraction) {
            return Ok(Some(found));
        }
        let site = found.extraction.site.as_str();
        heads.extend(next_at(transaction, request, backfill, site, place)?);
    }
    Ok(None)
}

/// The sites that can be asked and at which units of the backfill wait.
fn sites(
    transaction: &Transaction<'_>,
    request: &ClaimRequest<'_>,
    backfill: Backfill,
) -> rusqlite::Result<Vec<String>> {
    let mut statement = transaction.prepare_cached(&sites_sql())?;
    let parameters = named_params! {
        ":backfill": backfill,
        ":now": millis(request.now),
        ":limit": request.per_site_limit,
    };
    let rows = statement.query_map(parameters, |row| row.get("site"))?;
    rows.collect()
}

/// Goes from one site to the next without passing over the units between.
fn sites_sql() -> String {
    let first = |beyond: &str| {
        format!(
            "(SELECT e.site FROM extraction AS e INDEXED BY extraction_unit_by_site
              WHERE {WAITING} {beyond} ORDER BY e.site LIMIT 1)"
        )
    };
    format!(
        "WITH RECURSIVE waiting (site) AS (
             SELECT {first} UNION ALL SELECT {next} FROM waiting AS w WHERE w.site IS NOT NULL)
         SELECT e.site FROM waiting AS e JOIN site ON site.key = e.site
         WHERE site.state = 'active' AND e.site NOT IN ({BUSY}) AND {NO_NIGHT_DUE}",
        first = first(""),
        next = first("AND e.site > w.site"),
    )
}

/// The first due unit of the backfill at a site that comes after `place`, and its own place.
fn next_at(
    transaction: &Transaction<'_>,
    request: &ClaimRequest<'_>,
    backfill: Backfill,
    site: &str,
    place: Place,
) -> rusqlite::Result<Option<(Place, Candidate)>> {
    let placed = |row: &Row<'_>| {
        Ok((
            (row.get("not_before")?, row.get("id")?),
            Candidate::read(row)?,
        ))
    };
    transaction
        .prepare_cached(&next_at_sql())?
        .query_row(
            named_params! {
                ":backfill": backfill,
                ":site": site,
                ":now": millis(request.now),
                ":not_before": place.0,
                ":id": place.1,
            },
            placed,
        )
        .optional()
}

fn next_at_sql() -> String {
    let first = |after: &str| {
        format!(
            "(SELECT e.id FROM extraction AS e INDEXED BY extraction_unit_by_site
              WHERE {WAITING} AND e.site = :site AND {after} ORDER BY e.not_before, e.id LIMIT 1)"
        )
    };
    // Not one comparison of both: SQLite would seek by the time alone, and most units have the same.
    format!(
        "SELECT {identity}, e.id, e.fence, e.results_lost, e.not_before
         FROM extraction AS e WHERE e.id = coalesce({same_time}, {later})",
        identity = column::IDENTITY,
        same_time = first("e.not_before = :not_before AND e.id > :id"),
        later = first("e.not_before > :not_before AND e.not_before <= :now"),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::{DateTime, Utc};
    use rusqlite::StatementStatus;

    use super::super::super::{Change, Ledger, NewBackfill, Steered};
    use super::*;
    use crate::domain::{
        BackfillEvent, BackfillId, Due, Environment, Extraction, FailureLimit, Lane, PmsType, Site,
        SiteOverrides, SiteState,
    };

    fn now() -> DateTime<Utc> {
        "2026-11-18T12:00:00Z".parse().expect("an instant")
    }

    fn change() -> Change {
        Change {
            actor: "test".to_owned(),
            action: "steer".to_owned(),
            reason: "test".to_owned(),
            at: now(),
        }
    }

    fn put_site(ledger: &Ledger, key: &str, state: SiteState) {
        let site = Site {
            key: key.parse().expect("a key"),
            pms_type: PmsType::BestPractice,
            pms_id: key[1..].parse().expect("an id"),
            halo_guid: None,
            practice_name: None,
            link_version: None,
            pms_version: None,
            catalogues: Vec::new(),
            time_zone: chrono_tz::Australia::Brisbane,
            groups: Vec::new(),
            state,
            paused_until: None,
            overrides: SiteOverrides::default(),
        };
        ledger.put_site(&site, &change()).expect("a site");
    }

    /// A backfill of one day of each of `queries` queries at a site.
    fn units(site: &str, queries: usize) -> Vec<(Extraction, Due)> {
        let unit = |number| format!("{site}/q{number}@v1/2025-01-01..2025-01-02");
        (0..queries)
            .map(|number| (unit(number).parse().expect("an extraction"), Due::Missing))
            .collect()
    }

    fn started(ledger: &Ledger, digest: &str, units: &[(Extraction, Due)]) -> BackfillId {
        let plan = NewBackfill {
            digest,
            asked: "{}",
            estimate: "{}",
            most_failed: FailureLimit::Units(1),
            priority: 0,
            units,
        };
        let id = ledger.save_backfill(&plan, now()).expect("saved");
        steer(ledger, id, BackfillEvent::Start);
        id
    }

    fn steer(ledger: &Ledger, id: BackfillId, event: BackfillEvent) {
        let steered = ledger.steer_backfill(id, event, &change());
        assert!(matches!(steered.expect("written"), Steered::Done { .. }));
    }

    /// What a claim takes of a ledger in which `many` units are paused and as many wait at a site on hold, and the
    /// steps that SQLite took for it.
    fn steps(many: usize, only: Option<&str>) -> (String, i32) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("ledger.sqlite");
        let ledger = Ledger::open(&path, Environment::Simulator).expect("a ledger");
        put_site(&ledger, "s1", SiteState::Active);
        put_site(&ledger, "s2", SiteState::Held);
        let paused = started(&ledger, "paused", &units("s1", many));
        steer(&ledger, paused, BackfillEvent::Pause);
        let mut running = units("s2", many);
        running.extend(units("s1", many + 3).split_off(many));
        started(&ledger, "running", &running);
        let wanted = |extraction: &Extraction| {
            only.is_none_or(|query| extraction.query.to_string() == query)
        };
        let request = ClaimRequest {
            worker: "test",
            now: now(),
            lease: Duration::from_secs(60),
            per_site_limit: 1,
            lanes: &[Lane::Backfill],
            only: Some(&wanted),
        };

        let claim = ledger.claim(&request).expect("a claim").expect("due");

        let counted = ledger.read("count steps", |transaction| {
            let mut steps = 0;
            for sql in [in_order_sql(), sites_sql(), next_at_sql()] {
                let statement = transaction.prepare_cached(&sql)?;
                steps += statement.get_status(StatementStatus::VmStep);
            }
            Ok(steps)
        });
        (claim.extraction.site.to_string(), counted.expect("counted"))
    }

    #[test]
    fn a_claim_costs_the_same_however_many_units_are_paused_or_wait_at_sites_on_hold() {
        let (site, few) = steps(150, None);
        assert_eq!(site, "s1");
        assert!(few > 0);

        assert_eq!(steps(1500, None), (site, few));
    }

    #[test]
    fn of_a_site_whose_first_unit_is_not_wanted_a_later_one_is_found() {
        let (site, _) = steps(150, Some("q152@v1"));
        assert_eq!(site, "s1");
    }
}

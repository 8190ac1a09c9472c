//! One night in the ledger, told test by test: plan, claim, journal, crash, record.

mod audit;
mod backfill;
mod compact;
mod crash;
mod drift;
mod keys;
mod merge;
mod night;
mod nightly;
mod objects;
mod open;
mod plans;
mod registry;
mod setbacks;
mod transfer;
mod upgrade;

use std::time::Duration;

use chrono::{DateTime, Utc};
use tempfile::TempDir;

use super::{AttemptCost, Change, Claim, ClaimRequest, Fenced, Ledger, Submission};
use crate::domain::{
    Due, Environment, Extraction, HaloGuid, Lane, ObjectRecord, Planned, PmsType, Proof,
    RemoteQueryId, Sha256, Site, SiteOverrides, SiteState,
};

const LANES: [Lane; 3] = [Lane::Manual, Lane::Nightly, Lane::Backfill];
const LEASE: Duration = Duration::from_secs(60);

/// A ledger in a folder of its own, which goes with it.
struct Home {
    folder: TempDir,
    ledger: Ledger,
}

impl Home {
    /// An empty ledger.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ledger = open(&folder);
        Self { folder, ledger }
    }

    /// A ledger with the active sites `s1` and `s2`.
    fn with_sites() -> Self {
        let home = Self::new();
        for key in ["s1", "s2"] {
            home.ledger
                .put_site(&site(key), &change("activate"))
                .expect("a site");
        }
        home
    }

    /// The same file, as a new process finds it after the old one was killed.
    fn after_a_crash(self) -> Self {
        let Self { folder, ledger } = self;
        drop(ledger);
        let ledger = open(&folder);
        Self { folder, ledger }
    }

    fn plan(&self, extractions: &[&str]) {
        let planned: Vec<_> = extractions.iter().map(|text| planned(text)).collect();
        self.ledger.plan(&planned, at("01:00")).expect("a plan");
    }

    fn claim(&self, now: &str) -> Option<Claim> {
        self.ledger.claim(&request(now)).expect("a claim")
    }

    /// Claims, posts and fetches the next extraction up to the point where its object is published.
    fn run_up_to_record(&self, now: &str) -> Claim {
        let claim = self.claim(now).expect("something to do");
        journalled(self.ledger.begin_submit(&claim, guid(), None, at(now)));
        recorded(self.ledger.record_remote(&claim, remote(1), at(now)));
        claim
    }

    fn succeed(&self, claim: &Claim, now: &str) {
        recorded(self.ledger.succeed(
            claim,
            &proof(7),
            &object(7),
            AttemptCost::default(),
            at(now),
        ));
    }
}

fn open(folder: &TempDir) -> Ledger {
    Ledger::open(&folder.path().join("ledger.sqlite"), Environment::Simulator).expect("a ledger")
}

fn journalled<E: std::fmt::Debug>(result: Result<Submission, E>) {
    assert_eq!(
        result.expect("a ledger that can be written"),
        Submission::Journalled
    );
}

fn recorded<E: std::fmt::Debug>(result: Result<Fenced, E>) {
    assert_eq!(
        result.expect("a ledger that can be written"),
        Fenced::Recorded
    );
}

/// An instant of the night of the tests.
fn at(time: &str) -> DateTime<Utc> {
    format!("2026-11-19T{time}:00Z").parse().expect("a time")
}

fn extraction(text: &str) -> Extraction {
    text.parse().expect("an extraction")
}

fn planned(text: &str) -> Planned {
    Planned {
        extraction: extraction(text),
        lane: Lane::Nightly,
        priority: 0,
        due: Due::Scheduled,
        not_before: at("01:30"),
    }
}

fn request(now: &str) -> ClaimRequest<'static> {
    ClaimRequest {
        worker: "worker-1",
        now: at(now),
        lease: LEASE,
        per_site_limit: 1,
        lanes: &LANES,
        only: None,
    }
}

fn site(key: &str) -> Site {
    Site {
        key: key.parse().expect("a site key"),
        pms_type: PmsType::BestPractice,
        pms_id: key.trim_start_matches('s').parse().expect("a PMS id"),
        halo_guid: Some(guid()),
        practice_name: Some("Example Street Clinic".to_owned()),
        link_version: None,
        pms_version: None,
        catalogues: vec!["BPSPatients".to_owned()],
        time_zone: chrono_tz::Australia::Brisbane,
        groups: vec!["north".to_owned()],
        state: SiteState::Active,
        paused_until: None,
        overrides: SiteOverrides::default(),
    }
}

fn change(action: &str) -> Change {
    Change {
        actor: "operator".to_owned(),
        action: action.to_owned(),
        reason: "the practice agreed".to_owned(),
        at: at("00:10"),
    }
}

fn guid() -> HaloGuid {
    "5f0c2a52-7a4e-4a0b-8d53-9b1f6d2c7e10"
        .parse()
        .expect("a GUID")
}

fn remote(last_digit: u8) -> RemoteQueryId {
    format!("7d0ef2a1-52c4-4f0e-9b1f-6d2c7e105f0{last_digit}")
        .parse()
        .expect("a remote query id")
}

fn proof(rows: u64) -> Proof {
    Proof {
        declared: rows,
        pages: rows,
        batches: rows,
        footer: rows,
        withheld: Some(2),
    }
}

fn object(rows: u64) -> ObjectRecord {
    ObjectRecord {
        path: "simulator/data/visit/v1/site=s1/date=2026-11-18/visit_2026-11-18_2026-11-19.parquet"
            .to_owned(),
        size_bytes: 4_096,
        rows,
        sha256: Sha256([7; 32]),
        etag: None,
    }
}

//! Sites and queries for the tests of this folder.

use chrono_tz::Tz;

use crate::domain::{
    Class, Column, Contract, Mode, PmsType, Query, Site, SiteOverrides, SiteState, SqlType,
};

pub(super) fn site(key: &str, time_zone: Tz) -> Site {
    Site {
        key: key.parse().expect("a site key"),
        pms_type: PmsType::BestPractice,
        pms_id: key.trim_start_matches('s').parse().expect("a PMS id"),
        halo_guid: None,
        practice_name: None,
        link_version: None,
        pms_version: None,
        catalogues: Vec::new(),
        time_zone,
        groups: Vec::new(),
        state: SiteState::Active,
        paused_until: None,
        overrides: SiteOverrides::default(),
    }
}

pub(super) fn incremental_query(name: &str) -> Query {
    query(name, Mode::Incremental { overlap_days: 2 })
}

pub(super) fn snapshot_query(name: &str) -> Query {
    query(name, Mode::Snapshot)
}

fn query(name: &str, mode: Mode) -> Query {
    Query {
        id: format!("{name}@v1").parse().expect("a query id"),
        file: format!("queries/{name}/v1.sql").into(),
        purpose: "For tests.".to_owned(),
        owner: "nobody".to_owned(),
        pms: PmsType::BestPractice,
        catalogue: None,
        mode,
        watermark: None,
        key: Vec::new(),
        cron: Some("30 1 * * *".to_owned()),
        freshness: None,
        measures: Vec::new(),
        opt_out: None,
        withheld: None,
        cost: None,
        contract: Contract {
            columns: vec![Column {
                name: "record_id".to_owned(),
                sql_type: SqlType::Int,
                nullable: false,
                class: Class::Operational,
                rule: None,
                trim: false,
                offset: false,
                description: None,
            }],
        },
        sql: "SELECT 1 AS record_id".to_owned(),
        variants: Vec::new(),
        fingerprint: "a".repeat(64).parse().expect("a fingerprint"),
    }
}

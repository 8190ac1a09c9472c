//! Where an object's rows come from, as its footer says.

use sha2::{Digest, Sha256 as Hasher};

use crate::domain::{Contract, Query, Sha256, Site};
use crate::ledger::{Claim, Resume};
use crate::objects::Provenance;

use super::engine::Engine;

pub(super) fn provenance(
    engine: &Engine,
    claim: &Claim,
    site: &Site,
    query: &Query,
    posted: &Resume,
    rows_declared: u64,
    rows_withheld: Option<u64>,
) -> Provenance {
    Provenance {
        environment: engine.environment,
        extraction: claim.extraction.clone(),
        fingerprint: query.fingerprint.clone(),
        variant: posted.variant.clone(),
        contract_hash: contract_hash(&query.contract),
        privacy_hash: privacy_hash(&query.contract),
        pseudonym_key_id: engine.pseudonym_key.as_ref().map(|key| key.id().to_owned()),
        pms_type: site.pms_type,
        link_version: site.link_version.clone(),
        remote_query_id: posted.remote,
        attempt: claim.attempt,
        rows_declared,
        rows_withheld,
        merged: Vec::new(),
    }
}

/// Digest of names, types and nullability, in order.
fn contract_hash(contract: &Contract) -> Sha256 {
    digest(contract.columns.iter().map(|column| {
        let null = if column.nullable { "null" } else { "not null" };
        format!("{} {} {null}", column.name, column.sql_type)
    }))
}

/// Digest of names, classes and rules, in order.
fn privacy_hash(contract: &Contract) -> Sha256 {
    digest(contract.columns.iter().map(|column| {
        let rule = column
            .rule
            .as_ref()
            .map_or_else(|| "none".to_owned(), ToString::to_string);
        format!("{} {} {rule}", column.name, column.class)
    }))
}

fn digest(lines: impl Iterator<Item = String>) -> Sha256 {
    let mut hasher = Hasher::new();
    for line in lines {
        hasher.update(line);
        hasher.update("\n");
    }
    Sha256(hasher.finalize().into())
}

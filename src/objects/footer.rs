//! What an object's footer says about itself: where its rows come from and how they were made.
//!
//! Kept as one key-value pair per fact in the Parquet footer, so that any reader shows them without knowing
//! us (DuckDB: `parquet_kv_metadata`). Holds names, numbers and digests; never a practice name, never a
//! secret, never a row value.

use std::collections::BTreeMap;
use std::fmt::Display;

use parquet::file::metadata::KeyValue;
use serde::{Deserialize, Serialize};

use crate::domain::{
    AttemptNumber, Environment, Extraction, Fingerprint, PmsType, QueryId, QueryName, QueryVersion,
    RemoteQueryId, Sha256, SiteKey, VariantName, Window,
};

/// Version of the object format: columns, footer keys and their meaning.
const FORMAT: &str = "1";
const PREFIX: &str = "halo_extract.";

/// Where the rows of an object come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// Which world the rows belong to.
    pub environment: Environment,
    /// The identity: site, query version, window.
    pub extraction: Extraction,
    /// What the query's text meant.
    pub fingerprint: Fingerprint,
    /// The variant of the query that was asked; `None` for its own statement.
    pub variant: Option<VariantName>,
    /// Digest of the query's contract.
    pub contract_hash: Sha256,
    /// Digest of the privacy rules that were applied.
    pub privacy_hash: Sha256,
    /// Id, not value, of the key that pseudonyms were made with; `None` if the query has none.
    pub pseudonym_key_id: Option<String>,
    /// The system of the practice.
    pub pms_type: PmsType,
    /// Version of the agent at the practice, if told.
    pub link_version: Option<String>,
    /// The API's id of the query that gave the rows.
    pub remote_query_id: RemoteQueryId,
    /// Which try at the extraction wrote the object.
    pub attempt: AttemptNumber,
    /// Rows that the API declared for the result.
    pub rows_declared: u64,
    /// Rows that the practice kept back; `None` if the query does not count them.
    pub rows_withheld: Option<u64>,
    /// The extractions whose rows were merged into the object, by window; empty if it is of one. Then window, rows and
    /// what was kept back are those of all, and what else belongs to one extraction is that of the last.
    pub merged: Vec<MergedPart>,
}

/// One extraction whose rows are in a merged object. They tell its window themselves, in `_window_start` and
/// `_window_end`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedPart {
    /// Of which days.
    pub window: Window,
    /// The attempt that fetched them.
    pub attempt: u32,
    /// The API's id of the query that gave them.
    pub remote_query_id: RemoteQueryId,
    /// How many.
    pub rows: u64,
    /// Rows that the practice kept back; `None` if the query does not count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_withheld: Option<u64>,
}

/// `created_by` of every object.
pub(super) fn created_by() -> String {
    concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned()
}

impl Provenance {
    /// The facts as the footer keeps them, in one order always.
    pub(super) fn to_key_values(&self) -> Vec<KeyValue> {
        let Extraction {
            site,
            query,
            window,
        } = &self.extraction;
        let merged = (!self.merged.is_empty())
            .then(|| serde_json::to_string(&self.merged).expect("parts have text keys only"));
        let facts: [(&str, Option<&dyn Display>); 19] = [
            ("format", Some(&FORMAT)),
            ("tool_version", Some(&env!("CARGO_PKG_VERSION"))),
            ("environment", Some(&self.environment)),
            ("query", Some(&query.name)),
            ("version", Some(&query.version)),
            ("fingerprint", Some(&self.fingerprint)),
            ("variant", as_display(&self.variant)),
            ("contract_sha256", Some(&self.contract_hash)),
            ("privacy_sha256", Some(&self.privacy_hash)),
            ("pseudonym_key_id", as_display(&self.pseudonym_key_id)),
            ("site", Some(site)),
            ("pms_type", Some(&self.pms_type)),
            ("link_version", as_display(&self.link_version)),
            ("window", Some(window)),
            ("remote_query_id", Some(&self.remote_query_id)),
            ("attempt", Some(&self.attempt)),
            ("rows_declared", Some(&self.rows_declared)),
            ("rows_withheld", as_display(&self.rows_withheld)),
            ("merged", as_display(&merged)),
        ];
        facts
            .into_iter()
            .filter_map(|(key, fact)| {
                Some(KeyValue::new(format!("{PREFIX}{key}"), fact?.to_string()))
            })
            .collect()
    }

    /// The provenance that a footer tells; `None` if it is not a footer of ours or of a later format.
    pub(super) fn from_key_values(pairs: &[KeyValue]) -> Option<Self> {
        let facts: BTreeMap<&str, &str> = pairs
            .iter()
            .filter_map(|pair| Some((pair.key.strip_prefix(PREFIX)?, pair.value.as_deref()?)))
            .collect();
        let fact = |key: &str| facts.get(key).copied();
        let owned = |key: &str| fact(key).map(str::to_owned);
        (fact("format")? == FORMAT).then_some(())?;
        Some(Self {
            environment: fact("environment")?.parse().ok()?,
            extraction: Extraction {
                site: fact("site")?.parse::<SiteKey>().ok()?,
                query: QueryId {
                    name: fact("query")?.parse::<QueryName>().ok()?,
                    version: fact("version")?.parse::<QueryVersion>().ok()?,
                },
                window: fact("window")?.parse::<Window>().ok()?,
            },
            fingerprint: fact("fingerprint")?.parse().ok()?,
            variant: match fact("variant") {
                Some(variant) => Some(variant.parse().ok()?),
                None => None,
            },
            contract_hash: fact("contract_sha256")?.parse().ok()?,
            privacy_hash: fact("privacy_sha256")?.parse().ok()?,
            pseudonym_key_id: owned("pseudonym_key_id"),
            pms_type: fact("pms_type")?.parse().ok()?,
            link_version: owned("link_version"),
            remote_query_id: fact("remote_query_id")?.parse().ok()?,
            attempt: AttemptNumber(fact("attempt")?.parse().ok()?),
            rows_declared: fact("rows_declared")?.parse().ok()?,
            rows_withheld: match fact("rows_withheld") {
                Some(rows) => Some(rows.parse().ok()?),
                None => None,
            },
            merged: match fact("merged") {
                Some(parts) => serde_json::from_str(parts).ok()?,
                None => Vec::new(),
            },
        })
    }
}

fn as_display<T: Display>(fact: &Option<T>) -> Option<&dyn Display> {
    fact.as_ref().map(|fact| fact as &dyn Display)
}

//! What the audit is compared with: rows or a hash noted elsewhere, and the registry of sites. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Sha256, Site};

use super::chain::{AuditFault, AuditRow};
use super::site::fields;
use super::{AuditAnchor, AuditEntry};

/// The field that every registration writes and nothing else does, which tells sites from other subjects.
const REGISTERS: &str = "pms_id";

/// How much of an anchor was seen again.
pub(super) enum Seen<'a> {
    /// This hash, and whether a row had it.
    Hash(&'a Sha256, bool),
    /// The exported rows that are still to come.
    Rows(&'a [AuditRow]),
}

impl<'a> Seen<'a> {
    pub(super) fn new(anchor: &'a AuditAnchor) -> Self {
        match anchor {
            AuditAnchor::Hash(hash) => Self::Hash(hash, false),
            AuditAnchor::Rows(rows) => Self::Rows(rows),
        }
    }

    /// Compares the next row of the ledger.
    pub(super) fn row(&mut self, row: &AuditRow) -> Vec<AuditFault> {
        match self {
            Self::Hash(hash, seen) => {
                *seen |= row.hash.parse() == Ok(**hash);
                Vec::new()
            }
            Self::Rows(rows) => {
                let passed = rows.partition_point(|exported| exported.seq < row.seq);
                let (missing, rest) = rows.split_at(passed);
                let mut faults: Vec<_> = missing.iter().map(missed).collect();
                *rows = rest;
                if let [same, rest @ ..] = rest
                    && same.seq == row.seq
                {
                    *rows = rest;
                    if same != row {
                        faults.push(AuditFault::Rewritten { seq: row.seq });
                    }
                }
                faults
            }
        }
    }

    /// What was not seen until the end.
    pub(super) fn end(self) -> Vec<AuditFault> {
        match self {
            Self::Hash(_, true) => Vec::new(),
            Self::Hash(hash, false) => vec![AuditFault::Unknown { hash: *hash }],
            Self::Rows(rows) => rows.iter().map(missed).collect(),
        }
    }
}

fn missed(row: &AuditRow) -> AuditFault {
    AuditFault::Missing { seq: row.seq }
}

/// What the audit tells of each subject: field → the value that the last change left.
#[derive(Default)]
pub(super) struct Told(BTreeMap<String, BTreeMap<String, Option<String>>>);

impl Told {
    pub(super) fn entry(&mut self, entry: AuditEntry) {
        let subject = self.0.entry(entry.subject).or_default();
        for (field, [_, after]) in entry.changes {
            subject.insert(field, after);
        }
    }

    /// Where the registry says something else. A field that the audit never mentioned is as it was made.
    pub(super) fn against(self, sites: &[Site]) -> Vec<AuditFault> {
        let unexplained = |site: &str, what: &str| AuditFault::Unexplained {
            site: site.to_owned(),
            what: what.to_owned(),
        };
        let known: BTreeSet<&str> = sites.iter().map(|site| site.key.as_str()).collect();
        let gone = self
            .0
            .iter()
            .filter(|(subject, told)| {
                told.contains_key(REGISTERS) && !known.contains(subject.as_str())
            })
            .map(|(subject, _)| unexplained(subject, "registration"));
        let mut faults: Vec<_> = gone.collect();
        for site in sites {
            let key = site.key.as_str();
            let Some(told) = self.0.get(key) else {
                faults.push(unexplained(key, "registration"));
                continue;
            };
            let differs = fields(site)
                .into_iter()
                .filter(|(field, value)| told.get(*field).is_some_and(|told| told != value));
            faults.extend(differs.map(|(field, _)| unexplained(key, field)));
        }
        faults
    }
}

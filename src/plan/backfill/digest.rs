//! The digest of a plan: equal for equal questions, units and texts of queries, whenever it was made.

use sha2::{Digest, Sha256};

use crate::domain::{Fingerprint, QueryId};

use super::units::{BackfillAsked, Unit};

/// SHA-256, as hex, of what was asked, of the queries' texts and of the units in their order.
#[must_use]
pub fn digest(asked: &BackfillAsked, texts: &[(QueryId, Fingerprint)], units: &[Unit]) -> String {
    let mut hasher = Sha256::new();
    let mut line = |text: String| {
        hasher.update(text.as_bytes());
        hasher.update(b"\n");
    };
    line(format!("range {}", asked.range));
    line(format!("reprocess {}", asked.reprocess));
    line(format!("oldest first {}", asked.oldest_first));
    for (query, fingerprint) in texts {
        line(format!("query {query} {fingerprint}"));
    }
    for unit in units {
        line(format!("unit {} {}", unit.extraction, unit.due));
    }
    let digest: [u8; 32] = hasher.finalize().into();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

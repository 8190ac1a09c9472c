//! `[ledger]`: how long the ledger remembers in detail.

use std::time::Duration;

use super::Layers;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long the ledger remembers in detail.
#[derive(Debug, Clone, Copy)]
pub struct Ledger {
    /// Age at which attempts of finished extractions are compacted to a month's sums; at least 32 days, because a
    /// site's budget counts the attempts of a month.
    pub keep_attempts: Duration,
}

impl Ledger {
    pub(super) fn read(layers: &mut Layers) -> Self {
        Self {
            keep_attempts: layers.duration("ledger.keep_attempts", 32 * DAY..=36_525 * DAY),
        }
    }
}

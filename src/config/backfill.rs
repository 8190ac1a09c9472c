//! `[backfill]`: how history is rebuilt unless the command says otherwise.

use std::num::NonZeroU32;

use crate::domain::FailureLimit;

use super::Layers;

/// How history is rebuilt unless the command says otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Backfill {
    /// Longest window where nothing is known of a site.
    pub window_days: NonZeroU32,
    /// How many units may fail before a backfill stops.
    pub max_failures: FailureLimit,
}

impl Backfill {
    pub(super) fn read(layers: &mut Layers) -> Self {
        Self {
            window_days: NonZeroU32::new(layers.count("backfill.window_days", 1..=3_660))
                .unwrap_or(NonZeroU32::MIN),
            max_failures: layers
                .text("backfill.max_failures")
                .unwrap_or(FailureLimit::Units(0)),
        }
    }
}

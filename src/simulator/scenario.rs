//! Scenario files: a story in TOML that the simulator plays from its start.
//!
//! ```toml
//! description = "what an operator should see"
//! clock = { start = "2026-11-20T14:00:00Z", scale = 60 }   # both optional
//!
//! [[fault]]
//! kind = "offline"            # the faults are listed in `faults.rs`
//! sites = ["40001"]           # PMS ids; every site if absent
//! endpoints = ["async"]       # every endpoint that the fault can touch if absent
//! after = "30m"               # simulated time until it begins
//! lasts = "7h"                # simulated time that it stands
//! skip = 2                    # occasions to let pass first
//! times = 3                   # occasions at which it strikes
//! chance = 0.1                # share of occasions at which it strikes
//! ```

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::faults::Rule;

/// A scenario as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Scenario {
    /// For people.
    pub(super) description: String,
    /// Where the simulated clock starts, and how fast it runs.
    pub(super) clock: ClockSetting,
    /// The rules, first one first.
    #[serde(rename = "fault")]
    pub(super) faults: Vec<Rule>,
}

/// What a scenario says about the clock.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ClockSetting {
    /// An instant with its offset.
    pub(super) start: Option<DateTime<Utc>>,
    /// Simulated seconds per real second.
    pub(super) scale: Option<f64>,
}

/// Why a scenario cannot be played.
#[derive(Debug, thiserror::Error)]
#[error("not a scenario: {0}")]
pub struct ScenarioError(#[from] toml::de::Error);

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// Names the line, and the key or value that it does not know.
    pub(super) fn parse(text: &str) -> Result<Scenario, ScenarioError> {
        Ok(toml::from_str(text)?)
    }
}

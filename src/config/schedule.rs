//! `[schedule]`: when things run by themselves.

use std::time::Duration;

use crate::domain::QuietHours;

use super::Layers;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// When things run by themselves.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// Over how much time the sites' starts are spread.
    pub spread: Duration,
    /// When extraction may run, at sites that do not say otherwise.
    pub quiet_hours: QuietHours,
    /// Nothing begins when less than this is left of the quiet hours.
    pub last_start: Duration,
    /// Longest window of a nightly extraction, in days.
    pub longest_window_days: u32,
    /// How old the newest object of a query may grow whose header does not say.
    pub freshness: Duration,
    /// How long attempts may go on after the first signal to stop.
    pub grace: Duration,
}

impl Schedule {
    pub(super) fn read(layers: &mut Layers) -> Self {
        Self {
            spread: layers.duration("schedule.spread", Duration::ZERO..=12 * HOUR),
            quiet_hours: layers
                .text("schedule.quiet_hours")
                .unwrap_or(QuietHours::ALWAYS),
            last_start: layers.duration("schedule.last_start", Duration::ZERO..=HOUR),
            longest_window_days: layers.count("schedule.longest_window_days", 1..=3660),
            freshness: layers.duration("schedule.freshness", HOUR..=1000 * HOUR),
            grace: layers.duration("schedule.grace", Duration::ZERO..=60 * MINUTE),
        }
    }
}

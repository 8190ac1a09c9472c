//! A unit of a backfill that takes the practice too long is cut in halves, down to single days.

use std::num::NonZeroU32;

use crate::domain::Window;
use crate::ledger::{AttemptCost, Claim, Cut, LedgerError};
use crate::plan::windows::{halves, tile};

use super::engine::Engine;
use super::error::AttemptError;

/// Puts shorter windows in the place of the claim's; `None` if it cannot be cut and is to be recorded as any failure:
/// it is no unit of a backfill, or a single day.
pub(super) async fn cut(
    engine: &Engine,
    claim: &Claim,
    error: &AttemptError,
    cost: AttemptCost,
) -> Result<Option<Cut>, LedgerError> {
    let Some(days) = half(claim.extraction.window) else {
        return Ok(None);
    };
    let (claim, class, message, now) = (
        claim.clone(),
        error.class(),
        error.to_string(),
        engine.now(),
    );
    let cut = engine
        .ledger(move |ledger| {
            let shorter = |window| tile(window, days);
            ledger.cut(&claim, (class, &message), cost, days, shorter, now)
        })
        .await?;
    Ok((cut != Cut::NoUnit).then_some(cut))
}

/// Days of the longer half; `None` for a single day.
fn half(window: Window) -> Option<NonZeroU32> {
    let (first, _) = halves(window)?;
    u32::try_from(first.days()).ok().and_then(NonZeroU32::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_of_half_a_window_are_its_halves() {
        for text in ["2026-11-01..2026-11-03", "2026-11-01..2026-11-08"] {
            let window: Window = text.parse().expect("a window");
            let (first, second) = halves(window).expect("more than a day");

            let days = half(window).expect("more than a day");

            assert_eq!(tile(window, days), [first, second]);
        }
        assert_eq!(half("2026-11-01..2026-11-02".parse().expect("a day")), None);
    }
}

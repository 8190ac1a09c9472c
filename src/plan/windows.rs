//! Arithmetic of windows: tiling, union, gaps, overlap, halves. Sets of civil dates, exact to the day.

use std::num::NonZeroU32;

use chrono::{Days, NaiveDate};

use crate::domain::Window;

/// Cuts a window into consecutive ones of `days`; the last may be shorter. No gap, no overlap.
#[must_use]
pub fn tile(whole: Window, days: NonZeroU32) -> Vec<Window> {
    let mut tiles = Vec::new();
    let mut start = whole.start();
    while let Some(tile) = Window::new(start, end_of_tile(start, days).min(whole.end())) {
        start = tile.end();
        tiles.push(tile);
    }
    tiles
}

fn end_of_tile(start: NaiveDate, days: NonZeroU32) -> NaiveDate {
    start
        .checked_add_days(Days::new(days.get().into()))
        .unwrap_or(NaiveDate::MAX)
}

/// The days of all windows as the fewest windows: ascending, none touching the next.
#[must_use]
pub fn union(windows: &[Window]) -> Vec<Window> {
    let mut sorted = windows.to_vec();
    sorted.sort_unstable();
    let mut merged: Vec<Window> = Vec::new();
    for window in sorted {
        let joined = merged.last().and_then(|last| join(*last, window));
        match (merged.last_mut(), joined) {
            (Some(last), Some(joined)) => *last = joined,
            _ => merged.push(window),
        }
    }
    merged
}

/// One window for both, if they overlap or touch.
fn join(a: Window, b: Window) -> Option<Window> {
    let touch = a.start() <= b.end() && b.start() <= a.end();
    touch
        .then(|| Window::new(a.start().min(b.start()), a.end().max(b.end())))
        .flatten()
}

/// The days of `whole` that no window of `covered` has, as the fewest windows, ascending.
#[must_use]
pub fn gaps(whole: Window, covered: &[Window]) -> Vec<Window> {
    let mut gaps = Vec::new();
    let mut start = whole.start();
    for window in union(covered) {
        gaps.extend(Window::new(start, window.start().min(whole.end())));
        start = start.max(window.end());
    }
    gaps.extend(Window::new(start, whole.end()));
    gaps
}

/// The days that both have.
#[must_use]
pub fn overlap(a: Window, b: Window) -> Option<Window> {
    Window::new(a.start().max(b.start()), a.end().min(b.end()))
}

/// Two halves of a window, the first the longer by a day if need be; `None` for a single day.
#[must_use]
pub fn halves(window: Window) -> Option<(Window, Window)> {
    let middle = window.start() + Days::new(window.days().div_ceil(2));
    Window::new(window.start(), middle).zip(Window::new(middle, window.end()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// The naive model: a window is the set of its days.
    fn days(windows: &[Window]) -> BTreeSet<NaiveDate> {
        windows
            .iter()
            .flat_map(|window| {
                window
                    .start()
                    .iter_days()
                    .take_while(|day| *day < window.end())
            })
            .collect()
    }

    /// Days around the turn of a leap year.
    fn any_window() -> impl Strategy<Value = Window> {
        let origin = NaiveDate::from_ymd_opt(2027, 12, 20).expect("a date");
        (0_u64..90, 1_u64..30).prop_map(move |(from, length)| {
            let start = origin + Days::new(from);
            Window::new(start, start + Days::new(length)).expect("a window")
        })
    }

    fn apart_and_ascending(windows: &[Window]) -> bool {
        windows
            .windows(2)
            .all(|pair| pair[0].end() < pair[1].start())
    }

    proptest! {
        #[test]
        fn tiles_follow_each_other_without_gap_or_overlap(whole in any_window(), size in 1_u32..40) {
            let tiles = tile(whole, NonZeroU32::new(size).expect("not zero"));

            prop_assert_eq!(tiles[0].start(), whole.start());
            prop_assert_eq!(tiles[tiles.len() - 1].end(), whole.end());
            prop_assert!(tiles.windows(2).all(|pair| pair[0].end() == pair[1].start()));
            let (last, full) = tiles.split_last().expect("at least one");
            prop_assert!(full.iter().all(|tile| tile.days() == u64::from(size)));
            prop_assert!(last.days() <= u64::from(size));
        }

        #[test]
        fn a_union_has_the_same_days_in_the_fewest_windows(windows in prop::collection::vec(any_window(), 0..8)) {
            let union = union(&windows);

            prop_assert_eq!(days(&union), days(&windows));
            prop_assert!(apart_and_ascending(&union));
        }

        #[test]
        fn gaps_are_the_days_that_are_not_covered(
            whole in any_window(),
            covered in prop::collection::vec(any_window(), 0..8),
        ) {
            let gaps = gaps(whole, &covered);

            let missing: BTreeSet<_> = days(&[whole]).difference(&days(&covered)).copied().collect();
            prop_assert_eq!(days(&gaps), missing);
            prop_assert!(apart_and_ascending(&gaps));
        }

        #[test]
        fn an_overlap_is_the_days_of_both(a in any_window(), b in any_window()) {
            let both: BTreeSet<_> = days(&[a]).intersection(&days(&[b])).copied().collect();
            prop_assert_eq!(days(overlap(a, b).as_slice()), both);
        }

        #[test]
        fn halves_tile_the_window_and_differ_by_a_day_at_most(whole in any_window()) {
            match halves(whole) {
                None => prop_assert_eq!(whole.days(), 1),
                Some((first, second)) => {
                    prop_assert_eq!(first.start(), whole.start());
                    prop_assert_eq!(first.end(), second.start());
                    prop_assert_eq!(second.end(), whole.end());
                    prop_assert!(first.days() - second.days() <= 1);
                }
            }
        }
    }
}

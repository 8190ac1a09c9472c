//! Who gets a free worker: nightly first, backfill in what is left, and neither starves.
//!
//! Half of the workers are never given to backfills, so that a night finds room at once. While nights are due,
//! backfills wait, but one that has waited long gets the next free worker of the other half.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::Lane;

/// A backfill that is due and got no worker for this long goes first.
const AGED: TimeDelta = TimeDelta::minutes(10);

/// The workers, and who has them.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    workers: u32,
    backfills: u32,
    others: u32,
    /// When a backfill last got a worker, or began to be looked for.
    fed: DateTime<Utc>,
}

/// A worker that was given away, to be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a worker that is not given back is lost"]
pub enum Taken {
    /// For a backfill.
    Backfill,
    /// For anything else.
    Other,
}

impl Share {
    /// So many workers, all free.
    #[must_use]
    pub fn new(workers: u32, now: DateTime<Utc>) -> Self {
        Self {
            workers,
            backfills: 0,
            others: 0,
            fed: now,
        }
    }

    /// The lanes that the next free worker is to look through, in this order; none when all are at work.
    #[must_use]
    pub fn lanes(&self, now: DateTime<Utc>) -> &'static [Lane] {
        if self.at_work() >= self.workers {
            return &[];
        }
        // A single worker has no half to keep free.
        let for_backfills = self.workers.div_ceil(2);
        if self.backfills >= for_backfills {
            &[Lane::Nightly]
        } else if now - self.fed >= AGED {
            &[Lane::Backfill, Lane::Nightly]
        } else {
            &[Lane::Nightly, Lane::Backfill]
        }
    }

    /// Gives a worker to a lane.
    pub fn take(&mut self, lane: &Lane, now: DateTime<Utc>) -> Taken {
        if *lane == Lane::Backfill {
            self.backfills += 1;
            self.fed = now;
            Taken::Backfill
        } else {
            self.others += 1;
            Taken::Other
        }
    }

    /// Takes a worker back.
    pub fn give_back(&mut self, taken: Taken) {
        match taken {
            Taken::Backfill => self.backfills -= 1,
            Taken::Other => self.others -= 1,
        }
    }

    /// Workers that are not free.
    #[must_use]
    pub fn at_work(&self) -> u32 {
        self.backfills + self.others
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    #[test]
    fn a_night_goes_before_a_backfill() {
        let share = Share::new(4, at(0));
        assert_eq!(share.lanes(at(1)), [Lane::Nightly, Lane::Backfill]);
    }

    #[test]
    fn half_of_the_workers_are_kept_for_nights() {
        let mut share = Share::new(4, at(0));
        let first = share.take(&Lane::Backfill, at(0));
        let _second = share.take(&Lane::Backfill, at(0));
        assert_eq!(share.lanes(at(60)), [Lane::Nightly]);

        share.give_back(first);
        assert_eq!(share.lanes(at(60)), [Lane::Backfill, Lane::Nightly]);
    }

    #[test]
    fn a_single_worker_serves_both() {
        let mut share = Share::new(1, at(0));
        assert_eq!(share.lanes(at(0)), [Lane::Nightly, Lane::Backfill]);
        let taken = share.take(&Lane::Backfill, at(0));
        assert_eq!(share.lanes(at(0)), []);
        share.give_back(taken);
        assert_eq!(share.at_work(), 0);
    }

    proptest! {
        /// Nights and backfills without end: both are served, and a night never waits for more than one backfill.
        #[test]
        fn neither_lane_starves(workers in 1_u32..9, lasts in prop::collection::vec(1_i64..9, 50..200)) {
            let mut share = Share::new(workers, at(0));
            let mut at_work: Vec<(i64, Taken)> = Vec::new();
            let (mut nights, mut backfills) = (0_u32, 0_u32);
            for (minute, last) in (0_i64..).zip(&lasts) {
                let (done, going) = at_work.into_iter().partition::<Vec<_>, _>(|it| it.0 <= minute);
                at_work = going;
                done.into_iter().for_each(|it| share.give_back(it.1));
                while let Some(lane) = share.lanes(at(minute)).first() {
                    match lane {
                        Lane::Backfill => backfills += 1,
                        _ => nights += 1,
                    }
                    at_work.push((minute + last, share.take(lane, at(minute))));
                }
                let backfills_at_work = at_work.iter().filter(|it| it.1 == Taken::Backfill).count();
                prop_assert!(backfills_at_work <= workers.div_ceil(2) as usize);
            }
            let minutes = u32::try_from(lasts.len()).expect("few");
            // Ten minutes to age, and at most eight until a worker is free.
            prop_assert!(backfills >= minutes / 19);
            prop_assert!(backfills <= minutes / 10);
            prop_assert!(nights >= backfills);
        }
    }
}

//! The simulated clock: every timestamp and every timer of the simulator reads it.
//!
//! It runs at a scale (0 stands still, 1 is real time, 3600 makes an hour of a second) and can be stepped
//! forwards, so that a retention of a day or a night without a practice server is tested in a moment.
//! Invariant: it never goes backwards. Only the practice database works in real time, because its work is real.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;
use tokio::time::Instant;

/// A clock that can be scaled and stepped.
#[derive(Debug)]
pub(super) struct Clock {
    course: Mutex<Course>,
    changed: watch::Sender<()>,
}

/// From `real` on, simulated time runs from `simulated` at `scale` seconds per real second.
#[derive(Debug, Clone, Copy)]
struct Course {
    real: Instant,
    simulated: DateTime<Utc>,
    scale: f64,
}

impl Course {
    fn now(&self) -> DateTime<Utc> {
        self.after(self.real.elapsed())
    }

    fn after(&self, elapsed: Duration) -> DateTime<Utc> {
        let passed = elapsed.as_secs_f64() * self.scale;
        self.simulated + delta(Duration::try_from_secs_f64(passed).unwrap_or(Duration::MAX))
    }
}

impl Clock {
    /// A clock that shows `start` now and runs at `scale`.
    pub(super) fn new(start: DateTime<Utc>, scale: f64) -> Clock {
        Clock {
            course: Mutex::new(Course {
                real: Instant::now(),
                simulated: start,
                scale: scale.max(0.0),
            }),
            changed: watch::Sender::new(()),
        }
    }

    /// The simulated instant.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.course().now()
    }

    /// Simulated seconds per real second.
    pub(super) fn scale(&self) -> f64 {
        self.course().scale
    }

    /// Moves the clock forwards at once and wakes every timer that has become due.
    pub(super) fn step(&self, by: Duration) {
        self.change(|course| course.simulated += delta(by));
    }

    /// Runs on at another scale from now.
    pub(super) fn set_scale(&self, scale: f64) {
        self.change(|course| course.scale = scale.max(0.0));
    }

    /// Waits for a stretch of simulated time.
    ///
    /// # Cancel safety
    /// Dropping it forgets the wait and nothing else.
    pub(super) async fn sleep(&self, time: Duration) {
        self.sleep_until(self.now() + delta(time)).await;
    }

    /// Waits until the clock shows `due`.
    pub(super) async fn sleep_until(&self, due: DateTime<Utc>) {
        // Subscribed before the first look, so that a step between look and wait is not missed.
        let mut changed = self.changed.subscribe();
        loop {
            let course = *self.course();
            let Ok(missing) = (due - course.now()).to_std() else {
                return;
            };
            if missing.is_zero() {
                return;
            }
            tokio::select! {
                () = real_wait(missing, course.scale) => {}
                _ = changed.changed() => {}
            }
        }
    }

    fn change(&self, edit: impl FnOnce(&mut Course)) {
        {
            let mut course = self.course();
            course.simulated = course.now();
            course.real = Instant::now();
            edit(&mut course);
        }
        self.changed.send_replace(());
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A standard duration as chrono's, capped at a century so that additions cannot overflow.
pub(super) fn delta(time: Duration) -> TimeDelta {
    const CENTURY: Duration = Duration::from_secs(100 * 366 * 86_400);
    TimeDelta::from_std(time.min(CENTURY)).expect("a century fits")
}

async fn real_wait(missing: Duration, scale: f64) {
    match Duration::try_from_secs_f64(missing.as_secs_f64() / scale) {
        // A microsecond more, so that rounding does not make a loop of tiny waits.
        Ok(wait) => tokio::time::sleep(wait + Duration::from_micros(1)).await,
        Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn noon() -> DateTime<Utc> {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    #[tokio::test]
    async fn a_standing_clock_moves_only_by_steps() {
        let clock = Clock::new(noon(), 0.0);

        clock.step(Duration::from_secs(86_400));

        assert_eq!(clock.now(), noon() + TimeDelta::days(1));
    }

    #[tokio::test]
    async fn a_step_wakes_a_timer_of_a_standing_clock() {
        let clock = Arc::new(Clock::new(noon(), 0.0));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(noon() + TimeDelta::hours(1)).await }
        });

        clock.step(Duration::from_secs(3601));

        sleeper.await.unwrap();
    }

    #[test]
    fn a_scaled_course_runs_an_hour_in_a_second() {
        let course = Course {
            real: Instant::now(),
            simulated: noon(),
            scale: 3600.0,
        };

        assert_eq!(
            course.after(Duration::from_secs(1)),
            noon() + TimeDelta::hours(1)
        );
    }

    #[tokio::test]
    async fn a_change_of_scale_keeps_what_has_passed() {
        let clock = Clock::new(noon(), 0.0);
        clock.step(Duration::from_secs(120));

        clock.set_scale(1.0);

        assert!(clock.now() >= noon() + TimeDelta::minutes(2));
        assert!(clock.now() < noon() + TimeDelta::minutes(3));
    }
}

//! A practice's Halo Link: one command at a time on the database, immediate ones first.
//!
//! Invariant: a turn is held by one command only and passes on when it is dropped, whatever became of its
//! holder. An immediate command that finds the database busy asks the holder to give way; a holder that does is
//! the next after it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::engine::{Command, Database, Interrupt, Outcome, RowSink, SqlError};

/// The database of one or several sites, with its queue.
pub(super) struct Link {
    database: Arc<Mutex<Database>>,
    interrupt: Interrupt,
    line: Arc<Mutex<Line>>,
}

/// Who may go before whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    Immediate,
    /// Gave way to an immediate one and goes on before those who have not begun.
    GaveWay,
    Patient,
}

#[derive(Default)]
struct Line {
    /// How the holder of the turn is asked to give way; `None` while the database is free.
    holder: Option<CancellationToken>,
    immediate: VecDeque<oneshot::Sender<Turn>>,
    patient: VecDeque<oneshot::Sender<Turn>>,
}

/// The right to use the database, until dropped.
pub(super) struct Turn {
    /// `None` once disarmed: it was never received.
    line: Option<Arc<Mutex<Line>>>,
    wanted: CancellationToken,
}

impl Turn {
    /// Resolves when an immediate command waits for this turn to end.
    ///
    /// # Cancel safety
    /// Dropping it changes nothing.
    pub(super) async fn wanted(&self) {
        self.wanted.cancelled().await;
    }
}

/// What a command did.
pub(super) struct Ran<S> {
    pub(super) sink: S,
    pub(super) outcome: Result<Outcome, SqlError>,
    /// Real time of the work.
    pub(super) took: Duration,
    /// Stopped to give way; the outcome says nothing of the command.
    pub(super) gave_way: bool,
}

impl Link {
    pub(super) fn new(database: Database) -> Link {
        let interrupt = database.interrupt();
        Link {
            database: Arc::new(Mutex::new(database)),
            interrupt,
            line: Arc::default(),
        }
    }

    /// Names of the catalogues, the default one first.
    pub(super) fn catalogues(&self) -> Vec<String> {
        lock(&self.database).catalogues()
    }

    /// Waits for the database.
    ///
    /// # Cancel safety
    /// Dropping it gives the place in the queue up.
    pub(super) async fn turn(&self, urgency: Urgency) -> Turn {
        let waiting = {
            let mut line = lock(&self.line);
            let Some(holder) = &line.holder else {
                return line.grant(&self.line);
            };
            if urgency == Urgency::Immediate {
                holder.cancel();
            }
            let (sender, receiver) = oneshot::channel();
            match urgency {
                Urgency::Immediate => line.immediate.push_back(sender),
                Urgency::GaveWay => line.patient.push_front(sender),
                Urgency::Patient => line.patient.push_back(sender),
            }
            receiver
        };
        waiting.await.expect("the queue lives as long as the link")
    }

    /// Runs a command off the async threads and stops it when it takes longer than `limit`, or when the turn is
    /// wanted if it `gives_way`.
    pub(super) async fn run<S: RowSink + Send + 'static>(
        &self,
        turn: &Turn,
        command: Command,
        mut sink: S,
        limit: Duration,
        gives_way: bool,
    ) -> Ran<S> {
        let database = self.database.clone();
        let started = Instant::now();
        let mut work = tokio::task::spawn_blocking(move || {
            let outcome = lock(&database).run(&command, &mut sink);
            (sink, outcome)
        });
        let (finished, wanted) = tokio::select! {
            finished = &mut work => (finished, false),
            () = tokio::time::sleep(limit) => {
                self.interrupt.interrupt();
                (work.await, false)
            }
            () = turn.wanted(), if gives_way => {
                self.interrupt.interrupt();
                (work.await, true)
            }
        };
        let (sink, outcome) = finished.expect("the engine answers with errors, not panics");
        Ran {
            // A command that was done before the interruption reached it is done.
            gave_way: wanted && outcome.is_err(),
            sink,
            outcome,
            took: started.elapsed(),
        }
    }

    /// Works on the database besides commands, for example to add a day.
    pub(super) async fn edit<T: Send + 'static>(
        &self,
        _turn: &Turn,
        edit: impl FnOnce(&mut Database) -> T + Send + 'static,
    ) -> T {
        let database = self.database.clone();
        let work = tokio::task::spawn_blocking(move || edit(&mut lock(&database)));
        work.await.expect("an edit of the database does not panic")
    }

    /// Stops the command at work, if any.
    pub(super) fn stop(&self) {
        self.interrupt.interrupt();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(line) = self.line.take() else { return };
        let mut waiting = lock(&line);
        while let Some(next) = waiting.next() {
            match next.send(waiting.grant(&line)) {
                Ok(()) => return,
                // Nobody waits any more. Disarmed, because its drop would want the lock that is held here.
                Err(mut unwanted) => unwanted.line = None,
            }
        }
        waiting.holder = None;
    }
}

impl Line {
    /// Makes whoever is given the turn the holder, who is asked to give way at once if an immediate command waits.
    fn grant(&mut self, line: &Arc<Mutex<Line>>) -> Turn {
        let wanted = CancellationToken::new();
        if !self.immediate.is_empty() {
            wanted.cancel();
        }
        self.holder = Some(wanted.clone());
        Turn {
            line: Some(line.clone()),
            wanted,
        }
    }

    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        self.immediate
            .pop_front()
            .or_else(|| self.patient.pop_front())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn link() -> Link {
        Link::new(Database::in_memory("BPSPatients").unwrap())
    }

    #[tokio::test]
    async fn an_immediate_command_goes_before_those_that_wait_longer() {
        let link = link();
        let first = link.turn(Urgency::Patient).await;
        let mut patient = Box::pin(link.turn(Urgency::Patient));
        assert!(patient.as_mut().now_or_never().is_none());
        let mut immediate = Box::pin(link.turn(Urgency::Immediate));
        assert!(immediate.as_mut().now_or_never().is_none());

        drop(first);

        assert!(patient.as_mut().now_or_never().is_none());
        assert!(immediate.as_mut().now_or_never().is_some());
    }

    #[tokio::test]
    async fn who_gives_way_to_an_immediate_command_goes_on_before_those_who_have_not_begun() {
        let link = link();
        let first = link.turn(Urgency::Patient).await;
        let mut patient = Box::pin(link.turn(Urgency::Patient));
        assert!(patient.as_mut().now_or_never().is_none());
        assert!(first.wanted().now_or_never().is_none());
        let mut immediate = Box::pin(link.turn(Urgency::Immediate));
        assert!(immediate.as_mut().now_or_never().is_none());

        assert!(first.wanted().now_or_never().is_some());
        drop(first);
        let urgent = immediate.await;
        let mut again = Box::pin(link.turn(Urgency::GaveWay));
        assert!(again.as_mut().now_or_never().is_none());
        drop(urgent);

        assert!(patient.as_mut().now_or_never().is_none());
        assert!(again.as_mut().now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_place_given_up_is_passed_on() {
        let link = link();
        let first = link.turn(Urgency::Patient).await;
        let mut leaver = Box::pin(link.turn(Urgency::Patient));
        assert!(leaver.as_mut().now_or_never().is_none());
        let mut stayer = Box::pin(link.turn(Urgency::Patient));
        assert!(stayer.as_mut().now_or_never().is_none());

        drop(leaver);
        drop(first);

        assert!(stayer.as_mut().now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_turn_handed_over_but_never_taken_is_passed_on() {
        let link = link();
        let first = link.turn(Urgency::Patient).await;
        let mut leaver = Box::pin(link.turn(Urgency::Patient));
        assert!(leaver.as_mut().now_or_never().is_none());

        drop(first);
        drop(leaver);

        assert!(link.turn(Urgency::Patient).now_or_never().is_some());
    }
}

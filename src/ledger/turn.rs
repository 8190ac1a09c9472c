//! Turns at what lies in storage: any number publish side by side; who removes or replaces objects does it alone.
//!
//! For a moment storage and ledger differ: an object is published and not recorded yet, or read as one that leaves and
//! not removed yet. Whoever came in between would remove an object that was just published anew, or record one that
//! another has written over. Turns are locks on two files beside the ledger, so they hold between processes and fall
//! with a process that dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;

use super::{Ledger, LedgerError, LedgerErrorKind};

const WAIT_TO_PUBLISH: &str = "wait to publish";

/// A turn at what lies in storage. It ends when it is dropped.
#[derive(Debug)]
#[must_use = "the turn ends when it is dropped"]
pub struct Turn {
    _turn: File,
    /// Held by who has the turn alone: those who come later wait here.
    _queue: Option<File>,
}

impl Ledger {
    /// Waits for a turn to publish, beside others who publish. Have it from the last look at the claim until the object
    /// is recorded. Blocks while somebody removes.
    ///
    /// # Errors
    /// When the lock files cannot be used.
    pub fn turn_to_publish(&self) -> Result<Turn, LedgerError> {
        self.turn(WAIT_TO_PUBLISH, || {
            let queue = self.lock_file("queue")?;
            queue.lock_shared()?;
            let turn = self.lock_file("turn")?;
            turn.lock_shared()?;
            Ok(Turn {
                _turn: turn,
                _queue: None,
            })
        })
    }

    /// A turn to publish as [`turn_to_publish`](Self::turn_to_publish) gives it, if nobody has to be waited for.
    ///
    /// # Errors
    /// When the lock files cannot be used.
    pub fn free_turn_to_publish(&self) -> Result<Option<Turn>, LedgerError> {
        let (queue, turn) = (self.lock_file("queue"), self.lock_file("turn"));
        let both = queue.and_then(|queue| Ok((queue, turn?)));
        let try_both = both.map_err(TryLockError::Error).and_then(|(queue, turn)| {
            queue.try_lock_shared()?;
            turn.try_lock_shared()?;
            Ok(Turn {
                _turn: turn,
                _queue: None,
            })
        });
        match try_both {
            Ok(turn) => Ok(Some(turn)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(LedgerErrorKind::Turn(error).at(self.path(), WAIT_TO_PUBLISH))
            }
        }
    }

    /// Waits for a turn to remove or replace objects: until it ends nobody publishes, removes or replaces. Have it no
    /// longer than from reading what is to be done until that is recorded. Blocks until those who publish have ended.
    ///
    /// # Errors
    /// When the lock files cannot be used.
    pub fn turn_to_remove(&self) -> Result<Turn, LedgerError> {
        self.turn("wait to remove objects", || {
            // Without the queue a busy night, in which somebody always publishes, would never let it have its turn.
            let queue = self.lock_file("queue")?;
            queue.lock()?;
            let turn = self.lock_file("turn")?;
            turn.lock()?;
            Ok(Turn {
                _turn: turn,
                _queue: Some(queue),
            })
        })
    }

    fn turn(
        &self,
        doing: &'static str,
        wait: impl FnOnce() -> io::Result<Turn>,
    ) -> Result<Turn, LedgerError> {
        wait().map_err(|error| LedgerErrorKind::Turn(error).at(self.path(), doing))
    }

    fn lock_file(&self, extension: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        options.open(self.path().with_extension(extension))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{RecvError, channel};
    use std::time::Duration;

    use super::*;
    use crate::domain::Environment;

    #[test]
    fn many_publish_at_once_and_one_removes_alone_before_those_who_come_later() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger.sqlite");
        let ledger = Ledger::open(&path, Environment::Simulator).expect("a ledger");
        let one = ledger.turn_to_publish().expect("a turn");
        let free = ledger.free_turn_to_publish().expect("a lock");
        let other = free.expect("a turn beside it");

        std::thread::scope(|scope| {
            let (told, order) = channel();
            let (ledger, tell) = (&ledger, told.clone());
            scope.spawn(move || {
                let turn = ledger.turn_to_remove().expect("a turn");
                tell.send("removes").expect("the test listens");
                drop(turn);
            });
            // Its place in the queue shows in the lock that it holds.
            let queue = ledger.lock_file("queue").expect("a file");
            while queue.try_lock_shared().is_ok() {
                queue.unlock().expect("it was ours");
                std::thread::yield_now();
            }
            let free = ledger.free_turn_to_publish().expect("a lock");
            assert!(free.is_none(), "who removes was here before");
            scope.spawn(move || {
                let _turn = ledger.turn_to_publish().expect("a turn");
                told.send("publishes").expect("the test listens");
            });
            drop(one);
            let waited = order.recv_timeout(Duration::from_millis(50));
            assert!(waited.is_err(), "one publishes still: {waited:?}");

            drop(other);

            assert_eq!(order.recv(), Ok("removes"));
            assert_eq!(order.recv(), Ok("publishes"));
            // Nobody is left who could say more.
            assert_eq!(order.recv(), Err(RecvError));
        });
    }
}

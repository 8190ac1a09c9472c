//! Which worker processes are alive, told by locks on files in home.
//!
//! A process that dies by any signal, or stops without waiting for what it has at work, leaves its leases behind, and its
//! lock falls. The next process finds the file without a lock and gives the leases back at once, instead of waiting until
//! they run out.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// This process as a worker: its name, while it lives. Dropped, it counts as dead; when nothing is at work any more it
/// takes its [leave](Presence::leave) instead.
#[derive(Debug)]
pub struct Presence {
    name: String,
    path: PathBuf,
    // The lock falls with the file.
    _locked: File,
}

/// The folder of worker files cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the folder of worker locks {} cannot be used; check that this user may write in home", path.display())]
pub struct PresenceError {
    path: PathBuf,
    source: io::Error,
}

impl Presence {
    /// Announces this process in `home` as worker `name`, which must be unique, and names the workers that
    /// died since.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn announce(home: &Path, name: &str) -> Result<(Self, Vec<String>), PresenceError> {
        let folder = home.join("workers");
        let refused = |source| PresenceError {
            path: folder.clone(),
            source,
        };
        std::fs::create_dir_all(&folder).map_err(refused)?;
        let dead = dead_workers(&folder).map_err(refused)?;
        let path = folder.join(name);
        let locked = File::create(&path).map_err(refused)?;
        locked.lock().map_err(refused)?;
        Ok((
            Self {
                name: name.to_owned(),
                path,
                _locked: locked,
            },
            dead,
        ))
    }

    /// The worker's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Ends properly: nothing is at work under this name any more.
    pub fn leave(self) {
        // A file that stays is of a worker without leases.
        drop(std::fs::remove_file(&self.path));
    }

    /// Forgets a worker that died, once its leases were given back.
    pub fn forget(&self, dead: &str) {
        // A file that stays is found and forgotten by the next process.
        drop(std::fs::remove_file(self.path.with_file_name(dead)));
    }
}

fn dead_workers(folder: &Path) -> io::Result<Vec<String>> {
    let mut dead = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // One that vanishes meanwhile has ended properly.
        let Ok(file) = File::open(entry.path()) else {
            continue;
        };
        match file.try_lock() {
            Ok(()) => dead.extend(entry.file_name().into_string()),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(dead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_living_worker_is_not_taken_for_dead() {
        let home = tempfile::tempdir().expect("a folder");

        let (first, dead) = Presence::announce(home.path(), "first").expect("announced");
        assert!(dead.is_empty());

        let (_second, dead) = Presence::announce(home.path(), "second").expect("announced");
        assert!(dead.is_empty());
        assert_eq!(first.name(), "first");
    }

    #[test]
    fn a_worker_that_is_dropped_is_dead_and_one_that_left_is_not() {
        let home = tempfile::tempdir().expect("a folder");
        let announce = |name| Presence::announce(home.path(), name).expect("announced");
        let (dropped, _) = announce("dropped");
        let (left, _) = announce("left");

        drop(dropped);
        left.leave();

        let (_next, dead) = announce("next");
        assert_eq!(dead, ["dropped"]);
    }

    #[test]
    fn a_worker_whose_lock_fell_is_dead_until_it_is_forgotten() {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(home.path().join("workers")).expect("made");
        std::fs::write(home.path().join("workers/crashed"), "").expect("written");

        let (presence, dead) = Presence::announce(home.path(), "new").expect("announced");
        assert_eq!(dead, ["crashed"]);

        presence.forget("crashed");
        let (_other, dead) = Presence::announce(home.path(), "other").expect("announced");
        assert!(dead.is_empty());
    }
}

//! Finds the tables of a data folder.

use std::path::Path;

use crate::simulator::engine::Database;

/// A data folder that has been looked over: which tables there are, which sites, which types.
pub struct Folder {
    sites: Vec<String>,
}

/// Why a folder cannot play a practice.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct LoadError {
    message: String,
}

impl Folder {
    /// Looks `directory` over and reads its `schema.sql`; no rows yet.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn open(directory: &Path, _default_catalogue: &str) -> Result<Self, LoadError> {
        Err(LoadError {
            message: format!("{}: not readable as a data folder", directory.display()),
        })
    }

    /// PMS ids found under `sites/`, sorted; empty when the folder has no such level.
    #[must_use]
    pub fn sites(&self) -> &[String] {
        &self.sites
    }

    /// Creates and fills the folder's tables, with those of `site` on top where it has its own.
    ///
    /// # Errors
    /// Names file, line or row, and column of the first value that does not fit; never the value.
    pub fn fill(&self, _site: Option<&str>, _database: &mut Database) -> Result<(), LoadError> {
        Ok(())
    }
}

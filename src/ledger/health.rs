//! Whether the ledger's file is whole.

use super::{Ledger, LedgerError, schema};

/// Faults of a damaged file that are told; one is enough to act on.
const MOST_FAULTS: u32 = 3;

/// How the ledger's file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Number of its schema, from 1.
    pub schema: u32,
    /// What SQLite finds wrong with its pages and rows, in SQLite's words; empty if nothing.
    pub faults: Vec<String>,
}

impl Ledger {
    /// Reads through the whole file and says what is wrong with it; a few seconds for years of nights.
    ///
    /// # Errors
    /// When the file cannot be read at all.
    pub fn health(&self) -> Result<Health, LedgerError> {
        self.read("check the ledger", |transaction| {
            let mut check = transaction.prepare(&format!("PRAGMA quick_check({MOST_FAULTS})"))?;
            let told = check.query_map([], |row| row.get::<_, String>(0))?;
            let faults = told
                .filter(|line| !line.as_ref().is_ok_and(|line| line == "ok"))
                .collect::<Result<_, _>>()?;
            let schema = schema::version(transaction)?;
            Ok(Health { schema, faults })
        })
    }
}

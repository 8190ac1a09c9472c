//! The ledger's tables: numbered migrations, and the checks before any of them runs.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use crate::domain::Environment;

use super::LedgerErrorKind;

/// Migrations in order; the n-th leads to schema n. Those that shipped never change.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_one_night.sql"),
    include_str!("migrations/0002_contract_break.sql"),
    include_str!("migrations/0003_pseudonym_key.sql"),
    include_str!("migrations/0004_withheld.sql"),
    include_str!("migrations/0005_site_overrides.sql"),
    include_str!("migrations/0006_objects_leave.sql"),
    include_str!("migrations/0007_retention.sql"),
    include_str!("migrations/0008_site_lifecycle.sql"),
    include_str!("migrations/0009_setback.sql"),
    include_str!("migrations/0010_variant.sql"),
    include_str!("migrations/0011_backfill.sql"),
    include_str!("migrations/0012_results_lost.sql"),
    include_str!("migrations/0013_object_attempt.sql"),
    include_str!("migrations/0014_workable_times.sql"),
    include_str!("migrations/0015_confirmation.sql"),
    include_str!("migrations/0016_nightly.sql"),
    include_str!("migrations/0017_immediate.sql"),
    include_str!("migrations/0018_merge.sql"),
    include_str!("migrations/0019_publication.sql"),
    include_str!("migrations/0020_units.sql"),
    include_str!("migrations/0021_identity_by_day.sql"),
];

/// Marks a SQLite file as ours in its header (`PRAGMA application_id`): "HxLg" in ASCII.
const APPLICATION_ID: i32 = 0x4878_4c67;

/// Latest schema that this program knows, from 1.
pub(super) fn known() -> u32 {
    u32::try_from(MIGRATIONS.len()).expect("there are few migrations")
}

/// Refuses a database that another program made, or a newer one of ours, before anything is written.
pub(super) fn refuse_a_stranger(connection: &Connection) -> Result<(), LedgerErrorKind> {
    let application: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let fresh = application == 0 && tables == 0;
    if !fresh && application != APPLICATION_ID {
        return Err(LedgerErrorKind::NotALedger);
    }
    let (found, known) = (version(connection)?, known());
    if found > known {
        return Err(LedgerErrorKind::Newer { found, known });
    }
    Ok(())
}

/// Brings the tables up to date and checks whose they are, in one transaction. Afterwards foreign keys hold.
///
/// They are switched off meanwhile, which SQLite only does between transactions: a migration that makes a table anew
/// drops the old one, to which others refer. Instead all of them are checked before the transaction ends.
pub(super) fn migrate(
    connection: &mut Connection,
    environment: Environment,
) -> Result<(), LedgerErrorKind> {
    connection.pragma_update(None, "foreign_keys", false)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have migrated while we waited for the lock, so the version is read under it.
    let done = usize::try_from(version(&transaction)?).expect("a schema number fits");
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration)?;
    }
    let migrated = done > 0 && done < MIGRATIONS.len();
    if migrated {
        refuse_dangling(&transaction)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", known().max(version(&transaction)?))?;
    settle_environment(&transaction, environment)?;
    transaction.commit()?;
    connection.pragma_update(None, "foreign_keys", true)?;
    if migrated {
        // A table that was made anew went through the log, which else keeps that size until nobody has the file open.
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    }
    Ok(())
}

/// Refuses rows that refer to rows that are not there.
fn refuse_dangling(transaction: &Transaction<'_>) -> Result<(), LedgerErrorKind> {
    let dangling = transaction
        .query_row("PRAGMA foreign_key_check", [], |row| {
            Ok(LedgerErrorKind::Dangling {
                of: row.get("table")?,
                to: row.get("parent")?,
            })
        })
        .optional()?;
    dangling.map_or(Ok(()), Err)
}

/// The file's schema number; 0 for a file without one.
pub(super) fn version(connection: &Connection) -> Result<u32, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn settle_environment(
    transaction: &Transaction<'_>,
    environment: Environment,
) -> Result<(), LedgerErrorKind> {
    let found: Option<String> = transaction
        .query_row(
            "SELECT value FROM property WHERE name = 'environment'",
            [],
            |row| row.get(0),
        )
        .optional()?;
    match found {
        None => {
            transaction.execute(
                "INSERT INTO property (name, value) VALUES ('environment', ?1)",
                [environment.to_string()],
            )?;
            Ok(())
        }
        Some(found) if found == environment.to_string() => Ok(()),
        Some(found) => Err(LedgerErrorKind::OtherEnvironment {
            found,
            asked: environment,
        }),
    }
}

//! From records to tables: creates a practice's tables and views, fills them, and applies a night's changes.

use super::super::engine::{
    ColumnDefinition, Command, Database, Mode, Now, SqlError, TableDefinition, Value,
};
use super::identity::Identity;
use super::lookups::{self, Cell, Lookup, PATIENTS};
use super::population::{Population, Rows, Visitor};
use super::records::{Patient, Record};
use super::views;

/// The opt-out column of `PATIENTS`. Its name at a real practice is not public, this one is invented.
const OPT_OUT_COLUMN: &str = "DATASHARINGOPTOUT";
/// Keys per DELETE, below SQLite's limit on the depth of an expression.
const KEYS_PER_DELETE: usize = 500;

/// Creates all tables and views of a practice in an empty database and fills them.
pub(super) fn fill(
    database: &mut Database,
    identity: &Identity,
    population: &Population,
) -> Result<(), SqlError> {
    for lookup in lookups::all(&identity.name) {
        fill_lookup(database, lookup)?;
    }
    population.visit(&mut Filler { database, identity })?;
    for (name, query) in views::ALL {
        database.create_view(PATIENTS, name, query)?;
    }
    if !identity.current_rx_readable {
        database.deny(PATIENTS, "CURRENTRX");
    }
    Ok(())
}

fn fill_lookup(database: &mut Database, lookup: Lookup) -> Result<(), SqlError> {
    database.create_table(&definition(lookup.catalogue, lookup.table, lookup.columns))?;
    let rows = lookup.rows.into_iter().map(|row| {
        row.into_iter()
            .map(|cell| match cell {
                Cell::Number(number) => Value::Int(i64::from(number)),
                Cell::Text(text) => Value::Text(text.to_owned()),
                Cell::Owned(text) => Value::Text(text),
            })
            .collect()
    });
    database.insert(lookup.catalogue, lookup.table, rows)?;
    Ok(())
}

/// A table from the columns that are declared beside its records: `int not null` is a type and a promise.
fn definition(catalogue: &str, table: &str, columns: &[(&str, &str)]) -> TableDefinition {
    let column = |(name, declared): &(&str, &str)| {
        let not_null = declared.strip_suffix(" not null");
        let sql_type = not_null.unwrap_or(declared).parse();
        ColumnDefinition {
            name: (*name).to_owned(),
            sql_type: sql_type.expect("the types of records are SQL Server types"),
            nullable: not_null.is_none(),
        }
    };
    TableDefinition {
        catalogue: catalogue.to_owned(),
        name: table.to_owned(),
        columns: columns.iter().map(column).collect(),
    }
}

/// The position of the opt-out column in a table that must not have it.
fn missing_column<R: Record>(identity: &Identity) -> Option<usize> {
    if identity.has_opt_out_column || R::TABLE != Patient::TABLE {
        return None;
    }
    R::COLUMNS
        .iter()
        .position(|(name, _)| *name == OPT_OUT_COLUMN)
}

fn values<R: Record>(record: &R, without: Option<usize>) -> Vec<Value> {
    let mut values = record.values();
    if let Some(position) = without {
        values.remove(position);
    }
    values
}

struct Filler<'a> {
    database: &'a mut Database,
    identity: &'a Identity,
}

impl Visitor for Filler<'_> {
    type Error = SqlError;

    fn table<R: Record>(&mut self, rows: &Rows<R>) -> Result<(), SqlError> {
        let without = missing_column::<R>(self.identity);
        let mut columns = R::COLUMNS.to_vec();
        if let Some(position) = without {
            columns.remove(position);
        }
        self.database
            .create_table(&definition(PATIENTS, R::TABLE, &columns))?;
        self.database.insert(
            PATIENTS,
            R::TABLE,
            rows.iter().map(|row| values(row, without)),
        )?;
        Ok(())
    }
}

/// What the practice wrote since its database was filled or last changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Night {
    tables: Vec<TableChange>,
}

#[derive(Debug, Clone, PartialEq)]
struct TableChange {
    table: &'static str,
    key: &'static str,
    replaced: Vec<u32>,
    rows: Vec<Vec<Value>>,
}

impl Night {
    pub(super) fn of(identity: &Identity, population: &Population) -> Self {
        let mut collector = Collector {
            identity,
            night: Self::default(),
        };
        match population.visit(&mut collector) {
            Ok(()) => collector.night,
            Err(never) => match never {},
        }
    }

    /// Rows that were added or changed, deletions included: they change a row's `RECORDSTATUS`.
    #[must_use]
    pub fn changed_rows(&self) -> usize {
        self.tables.iter().map(|change| change.rows.len()).sum()
    }

    /// Brings the practice's database up to date.
    ///
    /// # Errors
    /// What the database says when it does not hold this practice.
    pub fn apply(self, database: &mut Database) -> Result<(), SqlError> {
        for change in self.tables {
            for keys in change.replaced.chunks(KEYS_PER_DELETE) {
                delete(database, change.table, change.key, keys)?;
            }
            database.insert(PATIENTS, change.table, change.rows)?;
        }
        Ok(())
    }
}

fn delete(database: &mut Database, table: &str, key: &str, keys: &[u32]) -> Result<(), SqlError> {
    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let command = Command {
        text: format!("DELETE FROM {table} WHERE {key} IN ({})", keys.join(", ")),
        catalogue: Some(PATIENTS.to_owned()),
        mode: Mode::NonQuery,
        stored_procedure: false,
        parameters: Vec::new(),
        now: Now {
            local: chrono::DateTime::UNIX_EPOCH.naive_utc(),
            offset_minutes: 0,
        },
    };
    database.run(&command, &mut Vec::new())?;
    Ok(())
}

struct Collector<'a> {
    identity: &'a Identity,
    night: Night,
}

impl Visitor for Collector<'_> {
    type Error = std::convert::Infallible;

    fn table<R: Record>(&mut self, rows: &Rows<R>) -> Result<(), Self::Error> {
        let edited = rows.edited();
        if edited.is_empty() && rows.added().is_empty() {
            return Ok(());
        }
        let without = missing_column::<R>(self.identity);
        self.night.tables.push(TableChange {
            table: R::TABLE,
            key: R::COLUMNS[0].0,
            replaced: edited.iter().map(|row| row.key()).collect(),
            rows: edited
                .into_iter()
                .chain(rows.added())
                .map(|row| values(row, without))
                .collect(),
        });
        Ok(())
    }
}

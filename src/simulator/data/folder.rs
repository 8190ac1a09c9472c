//! Finds the tables of a data folder and fills a practice with them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::csv_table::CsvTable;
use super::parquet_table::ParquetTable;
use crate::simulator::engine::{
    ColumnDefinition, Database, Misfit, SqlError, TableDefinition, table_definitions,
};

/// A data folder that has been looked over: which tables there are, which sites, which types.
#[derive(Debug)]
pub struct Folder {
    default_catalogue: String,
    shared: Tables,
    sites: BTreeMap<String, Tables>,
    names: Vec<String>,
}

/// The tables of one folder, by lower-case name.
type Tables = BTreeMap<String, Table>;

#[derive(Debug, Clone)]
struct Table {
    name: String,
    /// From `schema.sql`, if it has the table.
    definition: Option<TableDefinition>,
    /// `None` for a table that only `schema.sql` names: it is empty.
    file: Option<PathBuf>,
}

/// Why a folder cannot play a practice: the file, the place in it, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct LoadError {
    path: PathBuf,
    problem: String,
}

impl LoadError {
    pub(super) fn new(path: &Path, problem: &str) -> Self {
        Self {
            path: path.to_owned(),
            problem: problem.to_owned(),
        }
    }

    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::new(path, &format!("cannot be read: {error}"))
    }

    /// A value that is not of its column's type; the value itself is not repeated.
    pub(super) fn misfit(path: &Path, unit: &str, place: u64, column: &ColumnDefinition) -> Self {
        let ColumnDefinition { name, sql_type, .. } = column;
        Self::new(
            path,
            &format!(
                "{unit} {place}, column {name}: not a value of type {sql_type}; correct the file, or declare a wider type in schema.sql"
            ),
        )
    }
}

impl Folder {
    /// Looks `directory` over and reads its `schema.sql` files; no rows yet.
    ///
    /// # Errors
    /// A file that cannot be read, two files for one table, a `schema.sql` that is no list of CREATE TABLE.
    pub fn open(directory: &Path, default_catalogue: &str) -> Result<Self, LoadError> {
        let shared = tables(directory, default_catalogue)?;
        let mut sites = BTreeMap::new();
        let of_sites = directory.join("sites");
        if of_sites.is_dir() {
            for path in entries(&of_sites)? {
                let name = path
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned());
                if let Some(name) = name.filter(|_| path.is_dir()) {
                    sites.insert(name, tables(&path, default_catalogue)?);
                }
            }
        }
        if shared.is_empty() && sites.values().all(BTreeMap::is_empty) {
            return Err(LoadError::new(
                directory,
                "holds no tables; put .csv, .csv.gz or .parquet files in it, named after their tables",
            ));
        }
        let names = sites.keys().cloned().collect();
        Ok(Self {
            default_catalogue: default_catalogue.to_owned(),
            shared,
            sites,
            names,
        })
    }

    /// PMS ids found under `sites/`, sorted; empty when the folder has no such level.
    #[must_use]
    pub fn sites(&self) -> &[String] {
        &self.names
    }

    /// Creates and fills the folder's tables, with those of `site` on top where it has its own.
    ///
    /// # Errors
    /// Names file, line or row, and column of the first value that does not fit; never the value.
    pub fn fill(&self, site: Option<&str>, database: &mut Database) -> Result<(), LoadError> {
        let mut tables = self.shared.clone();
        if let Some(own) = site.and_then(|site| self.sites.get(site)) {
            for (key, table) in own {
                let mut table = table.clone();
                // A site's file without a type of its own takes the shared one.
                if table.definition.is_none() {
                    table.definition = tables.get(key).and_then(|shared| shared.definition.clone());
                }
                tables.insert(key.clone(), table);
            }
        }
        tables
            .values()
            .try_for_each(|table| table.fill(&self.default_catalogue, database))
    }
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let unreadable = |error| LoadError::unreadable(directory, &error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        paths.push(entry.map_err(unreadable)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn tables(directory: &Path, default_catalogue: &str) -> Result<Tables, LoadError> {
    let mut tables = Tables::new();
    let schema = directory.join("schema.sql");
    if schema.is_file() {
        let text =
            fs::read_to_string(&schema).map_err(|error| LoadError::unreadable(&schema, &error))?;
        for definition in table_definitions(&text, default_catalogue).map_err(|error| {
            LoadError::new(
                &schema,
                &format!("{error} Write CREATE TABLE statements only."),
            )
        })? {
            let table = Table {
                name: definition.name.clone(),
                definition: Some(definition),
                file: None,
            };
            tables.insert(table.name.to_lowercase(), table);
        }
    }
    for path in entries(directory)? {
        let Some(name) = table_name(&path) else {
            continue;
        };
        let table = tables.entry(name.to_lowercase()).or_insert_with(|| Table {
            name: name.clone(),
            definition: None,
            file: None,
        });
        if let Some(other) = table.file.replace(path.clone()) {
            return Err(LoadError::new(
                &path,
                &format!(
                    "table {name} has a second file, {}; keep one of them",
                    other.display()
                ),
            ));
        }
    }
    Ok(tables)
}

/// The table that a file is, by its name; `None` for other files.
fn table_name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let stem = [".csv", ".csv.gz", ".parquet"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))?;
    (path.is_file() && !stem.is_empty()).then(|| stem.to_owned())
}

impl Table {
    fn fill(&self, default_catalogue: &str, database: &mut Database) -> Result<(), LoadError> {
        let Some(path) = &self.file else {
            let definition = self
                .definition
                .as_ref()
                .expect("a table without file comes from schema.sql");
            return create(database, definition, Path::new("schema.sql"));
        };
        if path
            .extension()
            .is_some_and(|extension| extension == "parquet")
        {
            let table = ParquetTable::open(path)?;
            let definition = self.defined(default_catalogue, || table.columns(path))?;
            let order = order(path, &definition, &table.header())?;
            create(database, &definition, path)?;
            load(
                database,
                &definition,
                path,
                "row",
                table.rows(path, &definition.columns, order),
            )
        } else {
            let definition =
                self.defined(default_catalogue, || CsvTable::open(path)?.infer(path))?;
            let table = CsvTable::open(path)?;
            let order = order(path, &definition, table.header())?;
            create(database, &definition, path)?;
            load(
                database,
                &definition,
                path,
                "data row",
                table.rows(path, &definition.columns, order),
            )
        }
    }

    fn defined(
        &self,
        default_catalogue: &str,
        infer: impl FnOnce() -> Result<Vec<ColumnDefinition>, LoadError>,
    ) -> Result<TableDefinition, LoadError> {
        match &self.definition {
            Some(definition) => Ok(definition.clone()),
            None => Ok(TableDefinition {
                catalogue: default_catalogue.to_owned(),
                name: self.name.clone(),
                columns: infer()?,
            }),
        }
    }
}

fn create(
    database: &mut Database,
    definition: &TableDefinition,
    path: &Path,
) -> Result<(), LoadError> {
    database
        .create_table(definition)
        .map_err(|error| LoadError::new(path, &error.to_string()))
}

/// For each declared column, which column of the file it is; both sides must name the same ones.
fn order(
    path: &Path,
    definition: &TableDefinition,
    header: &[String],
) -> Result<Vec<usize>, LoadError> {
    let declared = |name: &String| {
        definition
            .columns
            .iter()
            .any(|column| column.name.eq_ignore_ascii_case(name))
    };
    if let Some(extra) = header.iter().find(|name| !declared(name)) {
        return Err(LoadError::new(
            path,
            &format!(
                "column {extra} is not declared; add it to table {} in schema.sql",
                definition.name
            ),
        ));
    }
    let places = definition.columns.iter().map(|column| {
        header
            .iter()
            .position(|name| name.eq_ignore_ascii_case(&column.name))
            .ok_or_else(|| {
                LoadError::new(
                    path,
                    &format!(
                        "has no column {}, which schema.sql declares; add it to the file",
                        column.name
                    ),
                )
            })
    });
    places.collect()
}

/// An error while rows go in: the file's own, or a value that the table refuses.
enum Loading {
    File(LoadError),
    Table(Misfit),
}

impl From<Misfit> for Loading {
    fn from(misfit: Misfit) -> Self {
        Self::Table(misfit)
    }
}

fn load(
    database: &mut Database,
    definition: &TableDefinition,
    path: &Path,
    unit: &str,
    rows: impl Iterator<Item = Result<Vec<crate::simulator::engine::Value>, LoadError>>,
) -> Result<(), LoadError> {
    let loaded = database.load(
        &definition.catalogue,
        &definition.name,
        rows.map(|row| row.map_err(Loading::File)),
    );
    match loaded {
        Ok(_) => Ok(()),
        Err(Loading::File(error)) => Err(error),
        Err(Loading::Table(misfit)) => Err(refused(path, unit, definition, &misfit)),
    }
}

fn refused(path: &Path, unit: &str, definition: &TableDefinition, misfit: &Misfit) -> LoadError {
    let column = definition
        .columns
        .iter()
        .find(|column| Some(&column.name) == misfit.column.as_ref());
    match (column, &misfit.error) {
        (Some(column), SqlError { number: 515, .. }) => LoadError::new(
            path,
            &format!(
                "{unit} {}, column {}: empty, but declared NOT NULL in schema.sql",
                misfit.row, column.name
            ),
        ),
        (Some(column), _) => LoadError::misfit(path, unit, misfit.row, column),
        (None, error) => LoadError::new(
            path,
            &format!("{unit} {}: error {}", misfit.row, error.number),
        ),
    }
}

//! What tables and views a practice has, by catalogue; names are found whatever their case.

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::ast::Query;

use super::{ColumnDefinition, SqlError};

/// The catalogues of one practice.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    /// The default catalogue first.
    catalogues: Vec<Catalogue>,
    next_object: i64,
}

#[derive(Debug)]
struct Catalogue {
    name: String,
    /// By lower-case name.
    objects: BTreeMap<String, Object>,
    denied: BTreeSet<String>,
}

/// A table or view.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) catalogue: String,
    pub(crate) name: String,
    /// SQL Server's object id.
    pub(crate) id: i64,
    pub(crate) columns: Vec<ColumnDefinition>,
    pub(crate) body: Body,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    Table,
    View(Box<Query>),
}

impl Object {
    /// The SQLite table that holds the rows, quoted.
    pub(crate) fn storage(&self) -> String {
        quoted(&format!("{}.{}", self.catalogue, self.name))
    }
}

/// An SQLite identifier in quotes.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Schema {
    pub(crate) fn new(default_catalogue: &str) -> Self {
        let mut schema = Self {
            catalogues: Vec::new(),
            next_object: 245_575_913,
        };
        schema.ensure_catalogue(default_catalogue);
        schema
    }

    pub(crate) fn ensure_catalogue(&mut self, name: &str) {
        if self.position(name).is_none() {
            self.catalogues.push(Catalogue {
                name: name.to_owned(),
                objects: BTreeMap::new(),
                denied: BTreeSet::new(),
            });
        }
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.catalogues
            .iter()
            .map(|catalogue| catalogue.name.clone())
            .collect()
    }

    pub(crate) fn default_catalogue(&self) -> &str {
        &self.catalogues[0].name
    }

    fn position(&self, catalogue: &str) -> Option<usize> {
        self.catalogues
            .iter()
            .position(|known| known.name.eq_ignore_ascii_case(catalogue))
    }

    /// The catalogue's declared spelling.
    ///
    /// # Errors
    /// 911 when there is no such database.
    pub(crate) fn catalogue(&self, name: &str) -> Result<&str, SqlError> {
        let at = self.position(name).ok_or_else(|| {
            SqlError::new(911, format!("Database '{name}' does not exist. Make sure that the name is entered correctly."))
        })?;
        Ok(&self.catalogues[at].name)
    }

    /// Enters a table or view, making its catalogue if new.
    ///
    /// # Errors
    /// 2714 when the name is taken.
    pub(crate) fn add(
        &mut self,
        catalogue: &str,
        name: &str,
        columns: Vec<ColumnDefinition>,
        body: Body,
    ) -> Result<&Object, SqlError> {
        self.ensure_catalogue(catalogue);
        let at = self.position(catalogue).expect("just ensured");
        let id = self.next_object;
        // SQL Server's ids have no order to rely on; a stride keeps anyone from assuming one.
        self.next_object += 16_000_057;
        let catalogue = &mut self.catalogues[at];
        let key = name.to_lowercase();
        if catalogue.objects.contains_key(&key) {
            return Err(SqlError::new(
                2714,
                format!("There is already an object named '{name}' in the database."),
            ));
        }
        let object = Object {
            catalogue: catalogue.name.clone(),
            name: name.to_owned(),
            id,
            columns,
            body,
        };
        Ok(catalogue.objects.entry(key).or_insert(object))
    }

    pub(crate) fn find(&self, catalogue: &str, name: &str) -> Option<&Object> {
        self.catalogues[self.position(catalogue)?]
            .objects
            .get(&name.to_lowercase())
    }

    pub(crate) fn deny(&mut self, catalogue: &str, name: &str) {
        if let Some(at) = self.position(catalogue) {
            self.catalogues[at].denied.insert(name.to_lowercase());
        }
    }

    pub(crate) fn is_denied(&self, object: &Object) -> bool {
        self.position(&object.catalogue).is_some_and(|at| {
            self.catalogues[at]
                .denied
                .contains(&object.name.to_lowercase())
        })
    }
}

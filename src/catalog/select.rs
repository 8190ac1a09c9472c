//! Choosing one query by what a person types: `observation` or `observation@v1`.

use super::Catalog;
use super::nearest::nearest;
use crate::domain::{ParseError, Query, QueryId, QueryName};

/// No query of the catalog is what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// The text is neither a query name nor a name and a version.
    #[error(transparent)]
    Text(#[from] ParseError),
    /// No query has the name.
    #[error("no query is named `{name}`; {}", did_you_mean(nearest.as_deref()))]
    Name {
        /// The name as given.
        name: QueryName,
        /// The name that it most likely means.
        nearest: Option<String>,
    },
    /// The query has other versions.
    #[error("there is no `{id}`; write one of {}", versions.join(", "))]
    Version {
        /// Name and version as given.
        id: QueryId,
        /// The versions that there are, as one would write them.
        versions: Vec<String>,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    match nearest {
        Some(name) => format!("write `{name}`"),
        None => "`query list` shows all names".to_owned(),
    }
}

impl Catalog {
    /// The query that `text` names: `observation` is its highest version, `observation@v1` that one.
    ///
    /// # Errors
    /// When `text` is no name, or nothing has that name or version; the message tells what to write.
    pub fn select(&self, text: &str) -> Result<&Query, SelectError> {
        if text.contains('@') {
            let id: QueryId = text.parse()?;
            self.get(&id).ok_or_else(|| self.no_version(id))
        } else {
            let name: QueryName = text.parse()?;
            self.current(&name).ok_or_else(|| self.no_name(name))
        }
    }

    fn no_name(&self, name: QueryName) -> SelectError {
        let names = self.queries().map(|query| query.id.name.as_str());
        SelectError::Name {
            nearest: nearest(name.as_str(), names).map(str::to_owned),
            name,
        }
    }

    fn no_version(&self, id: QueryId) -> SelectError {
        let versions: Vec<String> = self
            .versions(&id.name)
            .map(|query| query.id.to_string())
            .collect();
        if versions.is_empty() {
            self.no_name(id.name)
        } else {
            SelectError::Version { id, versions }
        }
    }
}

//! What names mean at a place in a query.

use std::cell::Cell;
use std::rc::Rc;

use crate::{SqlError, SqlType};

/// A translated value: SQLite text, and the SQL Server type it has.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    pub(crate) sql: String,
    pub(crate) sql_type: SqlType,
    pub(crate) nullable: bool,
    /// How much is known of a constant, where that changes the typing rules.
    pub(crate) constant: Constant,
}

/// Constants that typing rules single out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Constant {
    /// Not a constant, or none that matters.
    No,
    /// The bare word NULL, which takes any type.
    Null,
    /// A whole number; with a decimal it counts for its own digits only.
    Integer(i64),
}

impl Typed {
    pub(crate) fn new(sql: impl Into<String>, sql_type: SqlType, nullable: bool) -> Self {
        Self {
            sql: sql.into(),
            sql_type,
            nullable,
            constant: Constant::No,
        }
    }

    pub(crate) fn null(sql_type: SqlType) -> Self {
        Self {
            sql: "NULL".into(),
            sql_type,
            nullable: true,
            constant: Constant::Null,
        }
    }

    pub(crate) fn integer(number: i64) -> Self {
        let sql_type = if i32::try_from(number).is_ok() {
            SqlType::Int
        } else {
            SqlType::BigInt
        };
        // The smallest bigint has no literal of its own.
        let sql = if number == i64::MIN {
            format!("({} - 1)", i64::MIN + 1)
        } else {
            format!("({number})")
        };
        Self {
            sql,
            sql_type,
            nullable: false,
            constant: Constant::Integer(number),
        }
    }

    pub(crate) fn text(text: &str, sql_type: SqlType) -> Self {
        Self::new(literal(text), sql_type, false)
    }

    pub(crate) fn is_null(&self) -> bool {
        self.constant == Constant::Null
    }
}

/// A text as an SQLite literal.
pub(crate) fn literal(text: &str) -> String {
    if text.contains('\0') {
        // SQLite ends a literal at NUL, so such text goes in as bytes.
        let hex: String = text.bytes().map(|byte| format!("{byte:02X}")).collect();
        return format!("CAST(x'{hex}' AS TEXT)");
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// One visible column.
#[derive(Debug, Clone)]
pub(crate) struct Visible {
    pub(crate) name: String,
    pub(crate) value: Typed,
}

/// One table, view, subquery or function of a FROM clause.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Alias, or the table's own name.
    pub(crate) name: String,
    /// Catalogue, for names of three parts; only without alias.
    pub(crate) catalogue: Option<String>,
    pub(crate) columns: Vec<Visible>,
}

impl Source {
    fn find(&self, column: &str) -> Option<&Visible> {
        self.columns.iter().find(|visible| {
            visible.name.eq_ignore_ascii_case(column) || same(&visible.name, column)
        })
    }

    fn answers_to(&self, qualifier: &[&str]) -> bool {
        match qualifier {
            [name] => same(&self.name, name),
            [_, name] => same(&self.name, name),
            [catalogue, _, name] => {
                same(&self.name, name)
                    && self
                        .catalogue
                        .as_deref()
                        .is_none_or(|known| same(known, catalogue))
            }
            _ => false,
        }
    }
}

/// Whether two identifiers are the same name.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || (!a.is_ascii() && a.to_lowercase() == b.to_lowercase())
}

/// The sources of one SELECT, within those around it.
pub(crate) struct Scope<'p> {
    pub(crate) sources: Rc<Vec<Source>>,
    parent: Option<&'p Scope<'p>>,
    /// In a grouped query: what the groups are made of; only these are columns now.
    pub(crate) groups: Option<Rc<Vec<Typed>>>,
    /// Set when an aggregate of this level was met.
    pub(crate) saw_aggregate: Cell<bool>,
    pub(crate) place: Place,
}

/// What is allowed at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Select list and ORDER BY: aggregates and windows.
    List,
    /// HAVING: aggregates.
    Having,
    /// WHERE, ON, GROUP BY and inside an aggregate: neither.
    Row,
}

impl<'p> Scope<'p> {
    pub(crate) fn new(
        sources: Rc<Vec<Source>>,
        parent: Option<&'p Scope<'p>>,
        place: Place,
    ) -> Self {
        Self {
            sources,
            parent,
            groups: None,
            saw_aggregate: Cell::new(false),
            place,
        }
    }

    /// No names at all: for constants.
    pub(crate) fn empty() -> Scope<'static> {
        Scope::new(Rc::new(Vec::new()), None, Place::Row)
    }

    /// The same names at another place, without the restriction of groups.
    pub(crate) fn at(&self, place: Place) -> Scope<'p> {
        Scope::new(Rc::clone(&self.sources), self.parent, place)
    }

    /// The same names in a grouped query.
    pub(crate) fn grouped(&self, groups: Rc<Vec<Typed>>, place: Place) -> Scope<'p> {
        let mut scope = self.at(place);
        scope.groups = Some(groups);
        scope
    }

    /// The value that a name of one to four parts means.
    ///
    /// # Errors
    /// 207 unknown, 209 ambiguous, 4104 unknown qualifier, 8120 not part of the groups.
    pub(crate) fn column(&self, parts: &[&str]) -> Result<Typed, SqlError> {
        let (column, qualifier) = parts.split_last().expect("a name has a part");
        let mut scope = Some(self);
        while let Some(here) = scope {
            if let Some(found) = here.local(column, qualifier)? {
                return Ok(found);
            }
            scope = here.parent;
        }
        if qualifier.is_empty() {
            return Err(SqlError::invalid_column(column));
        }
        Err(SqlError::new(
            4104,
            format!(
                "The multi-part identifier \"{}\" could not be bound.",
                parts.join(".")
            ),
        ))
    }

    fn local(&self, column: &str, qualifier: &[&str]) -> Result<Option<Typed>, SqlError> {
        let mut found: Option<(&Source, &Visible)> = None;
        for source in self.sources.iter() {
            if !qualifier.is_empty() && !source.answers_to(qualifier) {
                continue;
            }
            match source.find(column) {
                Some(_) if found.is_some() => {
                    return Err(SqlError::new(
                        209,
                        format!("Ambiguous column name '{column}'."),
                    ));
                }
                Some(visible) => found = Some((source, visible)),
                // The qualifier is known here, so the column can be nowhere else.
                None if !qualifier.is_empty() => return Err(SqlError::invalid_column(column)),
                None => {}
            }
        }
        let Some((source, visible)) = found else {
            return Ok(None);
        };
        if let Some(groups) = &self.groups
            && !groups.iter().any(|group| group.sql == visible.value.sql)
        {
            return Err(not_grouped(source, visible, self.place));
        }
        Ok(Some(visible.value.clone()))
    }
}

fn not_grouped(source: &Source, visible: &Visible, place: Place) -> SqlError {
    let name = format!("{}.{}", source.name, visible.name);
    if place == Place::Having {
        return SqlError::new(
            8121,
            format!(
                "Column '{name}' is invalid in the HAVING clause because it is not contained in either an aggregate function or the GROUP BY clause."
            ),
        );
    }
    SqlError::new(
        8120,
        format!(
            "Column '{name}' is invalid in the select list because it is not contained in either an aggregate function or the GROUP BY clause."
        ),
    )
}

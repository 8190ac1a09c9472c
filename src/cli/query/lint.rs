//! `query lint`: every file by itself, and every version that has run against what it was then.

use crate::catalog::{Catalog, CatalogError, Problem};
use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::{self, Format};
use crate::cli::report::{Failure, remark};
use crate::domain::Query;
use crate::ledger::{FrozenVersion, Ledger};

pub(super) fn run(context: &Context) -> Result<(), Failure> {
    let config = context.config()?;
    let checked = Catalog::read(&config.queries);
    let problems = match &checked {
        Err(error) => error.problems.clone(),
        Ok(catalog) => match context.ledger_if_any(&config)? {
            Some(ledger) => edited(catalog, &ledger)?,
            None => Vec::new(),
        },
    };
    if context.format() != Format::Table {
        output::documents(context.format(), &problems)?;
    }
    if problems.is_empty() {
        let count = checked.map_or(0, |catalog| catalog.queries().count());
        remark(&format!(
            "{count} query versions in {}: no problems",
            config.queries.display()
        ));
        return Ok(());
    }
    Err(Failure::new(ExitCode::Contract, CatalogError { problems })
        .next("mend the query files, then check them: halo-extract query lint"))
}

/// Versions whose file says something else than when it first ran.
fn edited(catalog: &Catalog, ledger: &Ledger) -> Result<Vec<Problem>, Failure> {
    let mut problems = Vec::new();
    for query in catalog.queries() {
        let frozen = ledger
            .frozen(&query.id)
            .map_err(|error| Failure::new(ExitCode::Failed, error))?;
        if let Some(frozen) = frozen.filter(|frozen| frozen.fingerprint != query.fingerprint) {
            problems.push(problem(catalog, query, &frozen));
        }
    }
    Ok(problems)
}

fn problem(catalog: &Catalog, query: &Query, frozen: &FrozenVersion) -> Problem {
    let newest = catalog
        .current(&query.id.name)
        .map_or(query.id.version, |newest| newest.id.version);
    let next = newest.number() + 1;
    Problem {
        file: query.file.clone(),
        line: None,
        column: None,
        what: format!(
            "{} was changed after it had run (first on {}, then with fingerprint {}, now {})",
            query.id,
            frozen.since.format("%Y-%m-%d"),
            frozen.fingerprint,
            query.fingerprint
        ),
        instead: format!(
            "restore the file as it ran, and add the change as {}",
            query.file.with_file_name(format!("v{next}.sql")).display()
        ),
    }
}

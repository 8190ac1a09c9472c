//! `query diff`: what another version changes for those who read its rows.

use clap::Args;

use crate::catalog::diff::{Change, Weight, diff};
use crate::cli::context::Context;
use crate::cli::output::{self, Row};
use crate::cli::report::{Failure, remark};

use super::selected;

/// Compare two versions: statement, contract, privacy; breaking, additive or cosmetic
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The version that readers know, `observation@v1`
    #[arg(value_name = "NAME@vN")]
    from: String,
    /// The version that they would get
    #[arg(value_name = "NAME@vN")]
    to: String,
}

impl Diff {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        let catalog = context.catalog(&context.config()?)?;
        let (from, to) = (
            selected(&catalog, &self.from)?,
            selected(&catalog, &self.to)?,
        );
        let changes = diff(from, to);
        output::rows(context.format(), &changes)?;
        remark(&match changes.first() {
            None => format!("{} and {} are alike", from.id, to.id),
            Some(heaviest) => format!(
                "from {} to {}: {}, {}",
                from.id,
                to.id,
                heaviest.weight,
                consequence(heaviest.weight)
            ),
        });
        Ok(())
    }
}

fn consequence(weight: Weight) -> &'static str {
    match weight {
        Weight::Breaking => "so tell those who read the rows before it runs",
        Weight::Additive => "so what is read today stays as it is",
        Weight::Cosmetic => "so no row differs",
    }
}

impl Row for Change {
    const HEADINGS: &'static [&'static str] = &["WEIGHT", "PART", "WHAT"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.weight.to_string(),
            self.part.to_string(),
            self.what.clone(),
        ]
    }
}

//! `output forget`: a practice has left, and its data goes.

use clap::Args;
use serde::Serialize;

use super::{failed, holdings};
use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::{self, Row};
use crate::cli::report::{Failure, remark};
use crate::cli::site;
use crate::domain::{SiteKey, SiteState};
use crate::lake::{ForgetError, Forgotten, Holdings};
use crate::ledger::ForgottenObject;

/// Remove everything that was extracted from a withdrawn site; lists it first, and leaves a receipt
#[derive(Debug, Args)]
pub(crate) struct Forget {
    /// The site
    #[arg(value_name = "KEY", required_unless_present = "named")]
    site: Option<SiteKey>,
    /// The site, as other commands name it
    #[arg(
        long = "site",
        id = "named",
        value_name = "KEY",
        conflicts_with = "site"
    )]
    named: Option<SiteKey>,
    /// Why, for audit and receipt
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Do it; without this the command only lists what would go
    #[arg(long)]
    yes: bool,
}

impl Forget {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let catalog = context.catalog(&config)?;
        let holdings = holdings(context, &config)?;
        let site = self.site.as_ref().or(self.named.as_ref());
        let site = site.expect("the command line names one");
        let record = site::known(&holdings.ledger, site)?;
        if record.state != SiteState::Withdrawn {
            return Err(not_withdrawn(site, record.state));
        }
        if !self.yes {
            return plan(site, context, &holdings);
        }
        let change = context.change("forget", &self.reason);
        let forgotten = context
            .block_on(holdings.forget(site, &catalog, &change))?
            .map_err(|error| match error {
                ForgetError::Lake(error) => {
                    failed(error).next("it is half done; the same command goes on where it was")
                }
                ForgetError::NotWithdrawn(state) => not_withdrawn(site, state),
            })?;
        output::rows(context.format(), &[Done::of(&forgotten)])
    }
}

/// Lists what would go.
fn plan(site: &SiteKey, context: &Context, holdings: &Holdings) -> Result<(), Failure> {
    let begun = context
        .block_on(holdings.forgetting(site))?
        .map_err(failed)?;
    if let Some(begun) = begun {
        remark(&format!(
            "a forgetting that {} began on {} is half done; --yes goes on with it",
            begun.actor,
            begun.began_at.format("%Y-%m-%d %H:%M UTC")
        ));
    }
    let objects = context
        .block_on(holdings.plan_forgetting(site))?
        .map_err(failed)?;
    let rows: Vec<Going> = objects.into_iter().map(Going).collect();
    output::rows(context.format(), &rows)?;
    Err(Failure::new(
        ExitCode::Usage,
        format!(
            "nothing was removed: {} objects would go for good",
            rows.len()
        ),
    )
    .next("if that is what you want, the same command with --yes"))
}

fn not_withdrawn(site: &SiteKey, state: SiteState) -> Failure {
    Failure::new(
        ExitCode::Usage,
        format!("site {site} is {state}; only the data of a withdrawn site is removed"),
    )
    .next(format!(
        "if the practice has left: halo-extract site withdraw {site} --reason TEXT"
    ))
}

/// An object that would go. Part of the documented JSON.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Going(ForgottenObject);

impl Row for Going {
    const HEADINGS: &'static [&'static str] = &["PATH", ">ROWS", ">SIZE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.0.path.clone(),
            self.0.rows.map_or("-".to_owned(), |rows| rows.to_string()),
            output::size(self.0.size_bytes),
        ]
    }
}

/// What was done. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Done {
    site: String,
    objects: usize,
    rows: u64,
    size_bytes: u64,
    receipt: String,
    receipt_sha256: String,
}

impl Done {
    fn of(forgotten: &Forgotten) -> Self {
        let objects = &forgotten.receipt.objects;
        Self {
            site: forgotten.receipt.site.to_string(),
            objects: objects.len(),
            rows: objects.iter().filter_map(|object| object.rows).sum(),
            size_bytes: objects.iter().map(|object| object.size_bytes).sum(),
            receipt: forgotten.path.clone(),
            receipt_sha256: forgotten.sha256.to_string(),
        }
    }
}

impl Row for Done {
    const HEADINGS: &'static [&'static str] = &["SITE", ">OBJECTS", ">ROWS", ">SIZE", "RECEIPT"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.site.clone(),
            self.objects.to_string(),
            self.rows.to_string(),
            output::size(self.size_bytes),
            self.receipt.clone(),
        ]
    }
}

//! `output`: what lies in storage. One file per command.

mod compact;
mod expire;
mod forget;
mod list;
mod reconcile;
mod verify;
mod views;

pub(crate) use views::{refresh, sweep};

use std::sync::Arc;

use clap::{Args, Subcommand};

use crate::config::Config;
use crate::domain::{QueryName, SiteKey};
use crate::lake::{Holdings, LakeError};
use crate::ledger::{Ledger, ObjectFilter};

use super::context::Context;
use super::exit_code::ExitCode;
use super::report::Failure;

/// Published objects: list them, check them, keep them
#[derive(Debug, Subcommand)]
pub(crate) enum Output {
    List(list::List),
    Verify(verify::Verify),
    Reconcile(reconcile::Reconcile),
    Views(views::Views),
    Expire(expire::Expire),
    Forget(forget::Forget),
    Compact(compact::Compact),
}

/// The objects that a command is about; all where nothing is named
#[derive(Debug, Clone, Args)]
struct About {
    /// Only objects of this site
    #[arg(long, value_name = "KEY")]
    site: Option<SiteKey>,
    /// Only objects of this query, in all versions
    #[arg(long, id = "query", value_name = "NAME")]
    query: Option<QueryName>,
}

impl About {
    fn filter(&self) -> ObjectFilter {
        ObjectFilter {
            site: self.site.clone(),
            query: self.query.clone(),
            ..ObjectFilter::default()
        }
    }
}

impl Output {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        match self {
            Self::List(list) => list.run(context).map(|()| ExitCode::Ok),
            Self::Verify(verify) => verify.run(context),
            Self::Reconcile(reconcile) => reconcile.run(context),
            Self::Views(views) => views.run(context).map(|()| ExitCode::Ok),
            Self::Expire(expire) => expire.run(context).map(|()| ExitCode::Ok),
            Self::Forget(forget) => forget.run(context).map(|()| ExitCode::Ok),
            Self::Compact(compact) => compact.run(context),
        }
    }
}

/// Storage and ledger of this installation.
pub(crate) fn holdings(context: &Context, config: &Config) -> Result<Holdings, Failure> {
    holdings_with(context, config, context.ledger(config)?)
}

/// Storage of this installation, and its ledger, which is open already: each opening costs several waits for the disk.
pub(crate) fn holdings_with(
    context: &Context,
    config: &Config,
    ledger: Arc<Ledger>,
) -> Result<Holdings, Failure> {
    Ok(Holdings {
        environment: config.environment,
        store: context.store(config)?,
        ledger,
    })
}

/// A failure of either half, under the exit code that it has elsewhere.
pub(crate) fn failed(error: LakeError) -> Failure {
    match error {
        LakeError::Ledger(error) => Failure::new(ExitCode::Failed, error),
        LakeError::Storage(error) => Failure::new(ExitCode::Unavailable, error),
    }
}

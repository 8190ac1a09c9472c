//! `state`: the ledger itself, as something that grows and that moves to other machines.

mod rebuild;

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::ledger::{Ledger, ended_before};

use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::output;
use crate::cli::report::{Failure, remark};

/// The ledger itself: compact it, take it to another machine, rebuild it from the objects
#[derive(Debug, Subcommand)]
pub(crate) enum State {
    Compact(Compact),
    Export(Export),
    Import(Import),
    Rebuild(rebuild::Rebuild),
}

/// Replace old attempts by a month's sums; extractions, objects and the audit stay
#[derive(Debug, Args)]
pub(crate) struct Compact {
    /// Age of the attempts, at least 32 days; the setting ledger.keep_attempts if absent
    #[arg(long, value_name = "TIME", value_parser = at_least_a_month)]
    older_than: Option<Duration>,
    /// Also give the room back to the disk; nothing else can write to the ledger meanwhile
    #[arg(long)]
    shrink: bool,
    /// Only count
    #[arg(long)]
    dry_run: bool,
}

/// Write a consistent copy of the ledger to a new file; extractions may go on meanwhile
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The file; must not exist
    file: PathBuf,
}

/// Make an exported file the ledger of this home, which must have none
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file that `state export` wrote
    file: PathBuf,
}

impl State {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        match self {
            Self::Compact(compact) => compact.run(context).map(|()| ExitCode::Ok),
            Self::Export(export) => export.run(context).map(|()| ExitCode::Ok),
            Self::Import(import) => import.run(context).map(|()| ExitCode::Ok),
            Self::Rebuild(rebuild) => rebuild.run(context),
        }
    }
}

impl Compact {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let failed = |error| Failure::new(ExitCode::Failed, error);
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
        let age = self.older_than.unwrap_or(config.ledger.keep_attempts);
        let before = ended_before(age, Utc::now());
        let attempts = if self.dry_run {
            ledger.compactable(before).map_err(failed)?
        } else {
            ledger.compact(before).map_err(failed)?
        };
        if self.shrink && !self.dry_run {
            ledger.shrink().map_err(failed)?;
        }
        let done = Compacted {
            attempts,
            before,
            compacted: !self.dry_run,
            size_bytes: size(&ledger),
        };
        output::document(context.format(), &done)
    }
}

fn at_least_a_month(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(age) if age >= Duration::from_secs(32 * 24 * 3600) => Ok(age),
        Ok(_) => Err(
            "a site's budget counts the attempts of a month: write at least `32 days`".to_owned(),
        ),
        Err(error) => Err(format!("{error}; write for example `90 days`")),
    }
}

fn size(ledger: &Ledger) -> Option<u64> {
    std::fs::metadata(ledger.path()).ok().map(|file| file.len())
}

impl Export {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let Some(ledger) = context.ledger_if_any(&config)? else {
            return Err(Failure::new(
                ExitCode::Failed,
                format!("there is no ledger in {}", config.home.display()),
            )
            .next("name the folder that has it with --home"));
        };
        let place = self.file.display().to_string();
        let size_bytes = ledger
            .export(&self.file, &context.change("state export", &place))
            .map_err(|error| Failure::new(ExitCode::Failed, error))?;
        remark(
            "before it is imported elsewhere, stop everything that runs with this home: two ledgers would ask the practices twice\n\
             next, on the other machine: halo-extract state import FILE",
        );
        let exported = Exported {
            file: place,
            size_bytes,
        };
        output::document(context.format(), &exported)
    }
}

impl Import {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let change = context.change("state import", &self.file.display().to_string());
        let place = Context::ledger_file(&config);
        for rest in ["spool", "workers"] {
            let folder = config.home.join(rest);
            if folder.exists() {
                return Err(Failure::new(
                    ExitCode::Usage,
                    format!("{} is not empty: it has {rest}", config.home.display()),
                )
                .next("choose a new --home; what is there belongs to another ledger"));
            }
        }
        let imported = Ledger::import(&self.file, &place, config.environment, &change)
            .map_err(|error| Failure::new(ExitCode::Failed, error))?;
        remark(
            "next: halo-extract doctor looks at settings, storage, key and every site from here",
        );
        output::document(context.format(), &imported)
    }
}

/// What `state compact` did. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Compacted {
    attempts: u64,
    before: DateTime<Utc>,
    compacted: bool,
    size_bytes: Option<u64>,
}

/// What `state export` wrote. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Exported {
    file: String,
    size_bytes: u64,
}

//! `privacy`: the pseudonym key of this installation.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::catalog::Catalog;
use crate::ledger::Ledger;

use super::carry_out::has_pseudonyms;
use super::context::Context;
use super::exit_code::ExitCode;
use super::output::{self, Format, Row};
use super::report::{Failure, remark};

/// De-identification: the pseudonym key
#[derive(Debug, Subcommand)]
pub(crate) enum Privacy {
    RotateKey(RotateKey),
}

/// Take another pseudonym key into use; says first what can no longer be linked
#[derive(Debug, Args)]
pub(crate) struct RotateKey {
    /// Why, for the audit
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Do it without asking; else a person at a terminal is asked, and without a terminal nothing is done
    #[arg(long)]
    yes: bool,
}

/// What a rotation means. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Rotation {
    old_key_id: String,
    new_key_id: String,
    sites: usize,
    queries: usize,
    objects: u64,
    rotated: bool,
}

impl Privacy {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::RotateKey(rotate) => rotate.run(context),
        }
    }
}

impl RotateKey {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let failed = |error| Failure::new(ExitCode::Failed, error);
        let config = context.config()?;
        let new = context.pseudonym_key(&config)?;
        let unused = || {
            Failure::new(
                ExitCode::Usage,
                "no pseudonym key is in use yet, so there is none to rotate",
            )
            .next("the first run takes the configured key into use: halo-extract run")
        };
        let ledger = context.ledger_if_any(&config)?.ok_or_else(unused)?;
        let old = ledger.pseudonym_key().map_err(failed)?.ok_or_else(unused)?;
        if old.id == new.id() {
            return Err(Failure::new(
                ExitCode::Usage,
                format!("the configured pseudonym key ({}) is the one in use", old.id),
            )
            .next("put the new key where the old one was (HALO_EXTRACT_PSEUDONYM_KEY, or its file), then the same command"));
        }
        let catalog = context.catalog(&config)?;
        let mut rotation = Rotation::of(&catalog, &ledger, old.id, new.id())?;
        let asks = !self.yes && std::io::stdin().is_terminal();
        if asks || context.format() == Format::Table {
            remark(&rotation.meaning());
        }
        rotation.rotated = self.yes || (asks && confirmed(new.id())?);
        if rotation.rotated {
            let change = context.change("rotate-key", &self.reason);
            ledger
                .rotate_pseudonym_key(new.id(), &change)
                .map_err(failed)?;
        }
        output::rows(context.format(), std::slice::from_ref(&rotation))?;
        if rotation.rotated {
            return Ok(());
        }
        let refused = Failure::new(
            ExitCode::Usage,
            "nothing was changed: a rotation cannot be taken back",
        );
        Err(match asks {
            true => refused
                .next("if that is what you want, the same command, and type the id when asked"),
            false => refused.next("if that is what you want, the same command with --yes"),
        })
    }
}

/// Asks the person at the terminal. Typed is the id of the new key and not `yes`, so that it is read.
fn confirmed(new: &str) -> Result<bool, Failure> {
    remark(&format!(
        "To take key {new} into use, type its id; anything else changes nothing:"
    ));
    let mut typed = String::new();
    std::io::stdin()
        .read_line(&mut typed)
        .map_err(|error| Failure::new(ExitCode::Failed, error))?;
    Ok(typed.trim() == new)
}

impl Rotation {
    fn of(catalog: &Catalog, ledger: &Ledger, old: String, new: &str) -> Result<Self, Failure> {
        let mut keyed = ledger
            .keyed_objects()
            .map_err(|error| Failure::new(ExitCode::Failed, error))?;
        // A version whose file is gone may have had pseudonyms.
        keyed.retain(|it| catalog.get(&it.query).is_none_or(has_pseudonyms));
        let sites: BTreeSet<_> = keyed.iter().map(|it| &it.site).collect();
        let queries: BTreeSet<_> = keyed.iter().map(|it| &it.query).collect();
        Ok(Self {
            old_key_id: old,
            new_key_id: new.to_owned(),
            sites: sites.len(),
            queries: queries.len(),
            objects: keyed.iter().map(|it| it.objects).sum(),
            rotated: false,
        })
    }

    fn meaning(&self) -> String {
        format!(
            "the pseudonyms in {} objects ({} queries, {} sites) are of key {}. Those written under {} differ for the same patient: \
             rows from before and after cannot be linked by pseudonym, until the old objects are extracted again (halo-extract run \
             --again) or removed.",
            self.objects, self.queries, self.sites, self.old_key_id, self.new_key_id
        )
    }
}

impl Row for Rotation {
    const HEADINGS: &'static [&'static str] = &[
        "OLD KEY", "NEW KEY", ">SITES", ">QUERIES", ">OBJECTS", "ROTATED",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.old_key_id.clone(),
            self.new_key_id.clone(),
            self.sites.to_string(),
            self.queries.to_string(),
            self.objects.to_string(),
            if self.rotated { "yes" } else { "no" }.to_owned(),
        ]
    }
}

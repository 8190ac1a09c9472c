//! `why`: how a site or an extraction stands, since when, for what reason, who can mend it, and the exact next step.
//!
//! Read from the ledger alone: it asks no practice and needs no key. What to say is decided by pure functions, one
//! file for each kind of subject; this one gathers what they need to know.

mod explanation;
mod extraction;
mod site;

use std::str::FromStr;

use chrono::Utc;
use clap::Args;

use crate::config::Config;
use crate::domain::{Extraction, SiteKey};
use crate::ledger::Ledger;

use super::context::Context;
use super::exit_code::ExitCode;
use super::output::{self, Format};
use super::report::Failure;
use super::site::failed;
use explanation::Explanation;

/// Tell how a site or an extraction stands, since when and why, who can mend it, and the exact next step
#[derive(Debug, Args)]
pub(crate) struct Why {
    /// A site, `s40123`, or an extraction, `s40123/visit@v1/2026-11-18..2026-11-19`
    #[arg(value_name = "SITE|EXTRACTION")]
    subject: Subject,
}

/// What is asked about.
#[derive(Debug, Clone)]
enum Subject {
    Site(SiteKey),
    Extraction(Box<Extraction>),
}

impl FromStr for Subject {
    type Err = crate::domain::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains('/') {
            text.parse().map(|it| Self::Extraction(Box::new(it)))
        } else {
            text.parse().map(Self::Site)
        }
    }
}

impl Why {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let ledger = context.present_ledger(&config)?;
        let explanation = match &self.subject {
            Subject::Site(key) => about_site(&config, &ledger, key)?,
            Subject::Extraction(extraction) => {
                about_extraction(context, &config, &ledger, extraction)?
            }
        };
        match context.format() {
            Format::Table => output::line(&explanation.to_string()),
            format => output::document(format, &explanation),
        }
    }
}

fn about_site(config: &Config, ledger: &Ledger, key: &SiteKey) -> Result<Explanation, Failure> {
    let site = super::site::known(ledger, key)?;
    let now = Utc::now();
    let told = site::Told {
        changes: &ledger.audit_about(key.as_str()).map_err(failed)?,
        identities: &ledger.site_identities(key).map_err(failed)?,
        newest: ledger.newest_of_site(key).map_err(failed)?,
        unfinished: ledger.unfinished_of_site(key).map_err(failed)?,
        posted: ledger.posted_this_month(key, now).map_err(failed)?,
        budget: config.limits.queries_per_month(&site.overrides),
    };
    Ok(site::explain(&site, told, now))
}

fn about_extraction(
    context: &Context,
    config: &Config,
    ledger: &Ledger,
    extraction: &Extraction,
) -> Result<Explanation, Failure> {
    let site = super::site::known(ledger, &extraction.site)?;
    // Without the query files the command for asking again is longer; that is no reason not to answer.
    let catalog = context.catalog(config).ok();
    let mode = catalog
        .as_ref()
        .and_then(|catalog| catalog.get(&extraction.query))
        .map(|query| query.mode);
    let again = extraction::ask_command(extraction, mode);
    let row = ledger
        .extraction(extraction)
        .map_err(failed)?
        .ok_or_else(|| {
            Failure::new(ExitCode::Usage, format!("{extraction} was never planned")).next(format!(
                "to ask it now: {again}; what was planned last for the site: halo-extract why {}",
                extraction.site
            ))
        })?;
    let told = extraction::Told {
        attempts: ledger.attempts(extraction).map_err(failed)?,
        setback: ledger.setback(extraction).map_err(failed)?,
        changes: &ledger
            .audit_about(&extraction.to_string())
            .map_err(failed)?,
        again,
    };
    Ok(extraction::explain(&row, &site, told, Utc::now()))
}

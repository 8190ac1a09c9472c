//! `query show`: all that is known of one version, or only its statement.

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use serde::Serialize;

use crate::catalog::dictionary::{ColumnEntry, Dictionary, Entry};
use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::{self, Format, Row};
use crate::cli::report::Failure;
use crate::ledger::VariantChoice;

use super::selected;

/// Show one query: purpose, grain, columns with types and rules, schedule, cost, since when it is frozen
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The query, `observation` (its current version) or `observation@v1`
    #[arg(value_name = "NAME[@vN]")]
    query: String,
    /// Only print the statement, as it is sent
    #[arg(long)]
    sql: bool,
}

/// What `query show` tells. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    entry: Entry,
    file: String,
    frozen_since: Option<String>,
    /// Sites that are asked a variant, since when and why.
    asked_by_variant: Vec<VariantChoice>,
}

impl Show {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let catalog = context.catalog(&config)?;
        let query = selected(&catalog, &self.query)?;
        if self.sql {
            return output::line(&query.sql);
        }
        let (frozen, asked_by_variant) = match context.ledger_if_any(&config)? {
            Some(ledger) => {
                let failed = |error| Failure::new(ExitCode::Failed, error);
                let frozen = ledger.frozen(&query.id).map_err(failed)?;
                (frozen, ledger.variant_choices(&query.id).map_err(failed)?)
            }
            None => (None, Vec::new()),
        };
        let entry = Dictionary::of(&catalog)
            .queries
            .into_iter()
            .find(|entry| entry.query == query.id.name && entry.version == query.id.version)
            .expect("the dictionary has every query of its catalog");
        let shown = Shown {
            entry,
            file: query.file.display().to_string(),
            frozen_since: frozen.map(|frozen| instant(frozen.since)),
            asked_by_variant,
        };
        match context.format() {
            Format::Table => shown.print(),
            format => output::document(format, &shown),
        }
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

impl Shown {
    fn print(&self) -> Result<(), Failure> {
        let Entry {
            query,
            version,
            current,
            columns,
            ..
        } = &self.entry;
        let older = if *current { "" } else { " (older)" };
        output::line(&format!("{query}@{version}{older}"))?;
        for (name, value) in self.facts() {
            output::line(&format!("  {name:<13}{value}"))?;
        }
        for variant in &self.entry.variants {
            output::line(&format!(
                "  {:<13}{}: {}",
                "variant", variant.name, variant.why
            ))?;
            output::line(&format!("  {:<13}{}", "", variant.rows))?;
        }
        for choice in &self.asked_by_variant {
            let since = instant(choice.since);
            output::line(&format!(
                "  {:<13}{} is asked `{}` since {since}",
                "", choice.site, choice.variant
            ))?;
        }
        output::line("")?;
        output::rows(Format::Table, columns)
    }

    /// What is known, with its name, in the order of interest.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let Entry {
            purpose,
            owner,
            grain,
            mode,
            overlap_days,
            watermark,
            key,
            cron,
            measures,
            opt_out,
            cost,
            fingerprint,
            ..
        } = &self.entry;
        let list = |texts: &[String]| (!texts.is_empty()).then(|| texts.join(", "));
        let overlap = overlap_days.map_or(String::new(), |days| format!(", overlap {days} days"));
        let never = || "never run, so it may still be edited".to_owned();
        let facts = [
            ("purpose", Some(purpose.clone())),
            ("owner", Some(owner.clone())),
            ("grain", Some(grain.clone())),
            ("key", list(key)),
            ("mode", Some(format!("{mode}{overlap}"))),
            ("watermark", watermark.clone()),
            (
                "schedule",
                cron.as_ref().map(|cron| format!("{cron} at the site")),
            ),
            ("measures", list(measures)),
            ("opt-out", opt_out.clone()),
            ("cost", cost.clone()),
            ("file", Some(self.file.clone())),
            ("fingerprint", Some(fingerprint.to_string())),
            (
                "frozen since",
                Some(self.frozen_since.clone().unwrap_or_else(never)),
            ),
        ];
        facts
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

impl Row for ColumnEntry {
    const HEADINGS: &'static [&'static str] = &["COLUMN", "TYPE", "CLASS", "WRITTEN", "MEANING"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.r#type.clone(),
            self.class.to_string(),
            self.written.clone(),
            self.description.clone().unwrap_or_default(),
        ]
    }
}

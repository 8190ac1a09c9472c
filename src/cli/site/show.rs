//! `site show`: everything the registry holds of one site.

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::output::{self, Format, Row};
use crate::cli::report::Failure;
use crate::domain::{Site, SiteKey};
use crate::ledger::{Confirmation, SiteIdentity};

use super::known::{failed, known};

/// Show all of one site: what it has of its own, its GUIDs and names so far, what its database calls itself
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The site
    #[arg(value_name = "KEY")]
    site: SiteKey,
}

/// All of one site. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    site: Site,
    identities: Vec<SiteIdentity>,
    database: Option<Confirmation>,
}

impl Show {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
        let site = known(&ledger, &self.site)?;
        let shown = Shown {
            identities: ledger.site_identities(&site.key).map_err(failed)?,
            database: ledger.confirmation(&site.key).map_err(failed)?,
            site,
        };
        match context.format() {
            Format::Table => output::rows(Format::Table, &shown.facts()),
            format => output::document(format, &shown),
        }
    }
}

impl Shown {
    fn facts(&self) -> Vec<Fact> {
        let site = &self.site;
        let overrides = &site.overrides;
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let or_default = |text: Option<String>| text.unwrap_or_else(|| "default".to_owned());
        let queries_off: Vec<&str> = overrides
            .queries_off
            .iter()
            .map(|name| name.as_str())
            .collect();
        let mut facts = vec![
            Fact("site", site.key.to_string()),
            Fact("state", site.state.to_string()),
        ];
        facts.extend(
            site.paused_until
                .map(|until| Fact("paused until", until.to_string())),
        );
        facts.extend([
            Fact("practice", or_dash(site.practice_name.clone())),
            Fact(
                "practice system",
                format!("{} {}", site.pms_type, or_dash(site.pms_version.clone())),
            ),
            Fact("Site ID", site.pms_id.to_string()),
            Fact(
                "Halo GUID",
                or_dash(site.halo_guid.map(|guid| guid.to_string())),
            ),
            Fact("Halo Link", or_dash(site.link_version.clone())),
            Fact("databases", site.catalogues.join(", ")),
            Fact("time zone", site.time_zone.to_string()),
            Fact("groups", site.groups.join(", ")),
            Fact(
                "quiet hours",
                or_default(overrides.quiet_hours.map(|hours| hours.to_string())),
            ),
            Fact(
                "extractions at once",
                or_default(overrides.extractions_at_once.map(|n| n.to_string())),
            ),
            Fact(
                "queries per month",
                or_default(overrides.queries_per_month.map(|n| n.to_string())),
            ),
            Fact("queries off", queries_off.join(", ")),
            Fact("its database calls itself", self.database_name()),
        ]);
        facts.extend(self.identities.iter().map(|identity| {
            let guid = identity
                .halo_guid
                .map_or("no GUID".to_owned(), |guid| guid.to_string());
            Fact(
                "identity",
                format!(
                    "since {}: {guid} \"{}\"",
                    identity.since.format("%Y-%m-%d %H:%M"),
                    identity.practice_name.as_deref().unwrap_or_default()
                ),
            )
        }));
        facts
    }

    fn database_name(&self) -> String {
        match &self.database {
            None => "not asked yet; the first extraction asks".to_owned(),
            Some(told) => match &told.practice_name {
                Some(name) => format!("\"{name}\""),
                None => "it does not tell".to_owned(),
            },
        }
    }
}

/// One line about a site.
#[derive(Debug, Serialize)]
struct Fact(&'static str, String);

impl Row for Fact {
    const HEADINGS: &'static [&'static str] = &["WHAT", "VALUE"];

    fn cells(&self) -> Vec<String> {
        vec![self.0.to_owned(), self.1.clone()]
    }
}

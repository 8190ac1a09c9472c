//! `--site`, `--group`, `--query`: which sites and queries a command is about. The same flags everywhere.

use chrono::Utc;
use clap::Args;

use crate::catalog::Catalog;
use crate::domain::{Query, Site, SiteKey, SiteState};
use crate::ledger::Ledger;

use super::exit_code::ExitCode;
use super::report::Failure;
use super::site::{self, failed, toward_active};

/// Sites and queries of a command; all where nothing is named.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// A site; may be given more than once. All active sites if absent
    #[arg(long = "site", value_name = "KEY")]
    sites: Vec<SiteKey>,
    /// The active sites of a group; may be given more than once
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// A query, `observation` (its current version) or `observation@v1`; may be given more than once. All if absent
    // Its own id: under the name of the field, the values would be those of the global `--queries` too.
    #[arg(long = "query", id = "query", value_name = "NAME[@vN]")]
    queries: Vec<String>,
}

impl Selection {
    /// The active sites that are meant, by key.
    ///
    /// # Errors
    /// When one that is named is unknown or not active, or none is left.
    pub(crate) fn active_sites(&self, ledger: &Ledger) -> Result<Vec<Site>, Failure> {
        // A pause that is over ends here, so that a run on its first day needs nobody.
        ledger.resume_paused(Utc::now()).map_err(failed)?;
        let mut chosen = Vec::new();
        for key in &self.sites {
            chosen.push(site::active(ledger, key)?);
        }
        let all = ledger.sites().map_err(failed)?;
        let wanted = |site: &Site| site.groups.iter().any(|group| self.groups.contains(group));
        let everything = self.sites.is_empty() && self.groups.is_empty();
        chosen.extend(
            all.into_iter()
                .filter(|site| site.state == SiteState::Active && (everything || wanted(site))),
        );
        chosen.sort_by(|a, b| a.key.cmp(&b.key));
        chosen.dedup_by(|a, b| a.key == b.key);
        if chosen.is_empty() {
            return Err(none_active(&ledger.sites().map_err(failed)?));
        }
        Ok(chosen)
    }

    /// The queries that are meant, in the versions that are meant.
    ///
    /// # Errors
    /// When one that is named is not in the catalog.
    pub(crate) fn queries(&self, catalog: &Catalog) -> Result<Vec<Query>, Failure> {
        if self.queries.is_empty() {
            return Ok(catalog.current_queries().cloned().collect());
        }
        self.queries
            .iter()
            .map(|text| {
                catalog.select(text).cloned().map_err(|error| {
                    Failure::new(ExitCode::Usage, error)
                        .next("halo-extract query list shows every query with its versions")
                })
            })
            .collect()
    }
}

/// Why there is nobody to ask, and what leads to somebody.
fn none_active(sites: &[Site]) -> Failure {
    let inactive: Vec<&Site> = sites
        .iter()
        .filter(|site| site.state != SiteState::Active)
        .take(5)
        .collect();
    let Some(nearest) = inactive.iter().min_by_key(|site| steps_to_go(site.state)) else {
        return Failure::new(ExitCode::Usage, "no site is active").next(
            "pair one (halo-extract site pair --pms-id ID --code -), then activate it (halo-extract site activate KEY)",
        );
    };
    let standing: Vec<String> = inactive
        .iter()
        .map(|site| format!("{} is {}", site.key, site.state))
        .collect();
    Failure::new(
        ExitCode::Usage,
        format!("no site is active: {}", standing.join(", ")),
    )
    .next(toward_active(nearest))
}

/// How far a state is from being active.
fn steps_to_go(state: SiteState) -> u8 {
    match state {
        SiteState::Active => 0,
        SiteState::Held | SiteState::Paused => 1,
        SiteState::IdentityReview => 2,
        SiteState::Invited | SiteState::Withdrawn => 3,
    }
}

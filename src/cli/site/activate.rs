//! `site activate`: extraction begins, at once or by a roll-out that sees a complete night of some sites first.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use clap::Args;

use crate::catalog::Catalog;
use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::output;
use crate::cli::report::{Failure, remark};
use crate::domain::{ExtractionState, Query, Site, SiteEvent, SiteKey, SiteState};
use crate::ledger::{ExtractionFilter, ExtractionRow, Ledger, Rollout};

use super::change::{Chosen, Step, change};
use super::known::{failed, known, of_group};
use super::list::Listed;

/// Begin extraction from held or paused sites
#[derive(Debug, Args)]
pub(crate) struct Activate {
    #[command(flatten)]
    chosen: Chosen,
    /// Roll the group out: activate so many of its sites first, and the others once those had a complete night
    #[arg(long, value_name = "N", requires = "group", conflicts_with_all = ["go_on", "sites"])]
    canary: Option<usize>,
    /// Go on with the roll-out of the group: activate the others, if the first ones had a complete night
    #[arg(
        long = "continue",
        id = "go_on",
        requires = "group",
        conflicts_with = "sites"
    )]
    go_on: bool,
}

/// What stands between the first sites of a roll-out and the others.
#[derive(Debug, PartialEq, Eq)]
struct Missing {
    site: SiteKey,
    query: String,
    why: String,
}

impl Activate {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        match (self.canary, self.go_on) {
            (None, false) => self
                .chosen
                .apply(context, &Step::new("activate", SiteEvent::Activate)),
            (canary, _) => {
                let [group] = self.chosen.groups.as_slice() else {
                    return Err(Failure::new(ExitCode::Usage, "a roll-out is of one group")
                        .next("roll the groups out one after the other"));
                };
                self.roll_out(context, group, canary)
            }
        }
    }

    fn roll_out(
        &self,
        context: &Context,
        group: &str,
        canary: Option<usize>,
    ) -> Result<(), Failure> {
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
        let sites = of_group(&ledger, group)?;
        let begun = ledger.rollout(group).map_err(failed)?;
        match (begun, canary) {
            (None, Some(first)) => self.begin(context, &ledger, group, &sites, first),
            (None, None) => Err(Failure::new(
                ExitCode::Usage,
                format!("no roll-out of {group} has begun"),
            )
            .next(format!(
                "begin with one site: halo-extract site activate --group {group} --canary 1"
            ))),
            (Some(rollout), canary) => {
                let catalog = context.catalog(&config)?;
                let missing = missing(&ledger, &catalog, &rollout)?;
                let rest = held(&sites);
                if !missing.is_empty() {
                    return Err(not_yet(&rollout, &missing));
                }
                if canary.is_some() {
                    remark(&format!(
                        "{} had a complete night since {}; {} sites of {group} are held",
                        join(&rollout.canaries),
                        day(rollout.since),
                        rest.len()
                    ));
                    remark(&format!(
                        "next: halo-extract site activate --group {group} --continue --reason TEXT"
                    ));
                    return output::rows::<Listed>(
                        context.format(),
                        &rest.iter().map(|site| Listed::of(site)).collect::<Vec<_>>(),
                    );
                }
                self.activate(context, &ledger, &rest)?;
                ledger.end_rollout(group).map_err(failed)
            }
        }
    }

    fn begin(
        &self,
        context: &Context,
        ledger: &Ledger,
        group: &str,
        sites: &[Site],
        first: usize,
    ) -> Result<(), Failure> {
        let held = held(sites);
        let canaries: Vec<&Site> = held.iter().copied().take(first).collect();
        if canaries.is_empty() {
            return Err(Failure::new(
                ExitCode::Usage,
                format!(
                    "{first} of the {} held sites of {group} are none to begin with",
                    held.len()
                ),
            )
            .next(
                "a roll-out begins with at least one site that is held: halo-extract site list",
            ));
        }
        self.activate(context, ledger, &canaries)?;
        let rollout = Rollout {
            group: group.to_owned(),
            canaries: canaries.iter().map(|site| site.key.clone()).collect(),
            since: Utc::now(),
        };
        ledger.begin_rollout(&rollout).map_err(failed)?;
        remark(&format!(
            "next: {} other sites of {group} wait for a complete night of {}; then: halo-extract site activate --group {group} \
             --continue",
            held.len() - canaries.len(),
            join(&rollout.canaries)
        ));
        Ok(())
    }

    fn activate(&self, context: &Context, ledger: &Ledger, sites: &[&Site]) -> Result<(), Failure> {
        let step = Step::new("activate", SiteEvent::Activate);
        let mut rows = Vec::new();
        for site in sites {
            let why = context.change(step.action, &self.chosen.reason);
            // One that was changed by somebody else meanwhile is left as it is.
            if let Ok(site) = change(ledger, &site.key, &step, &why)? {
                rows.push(Listed::of(&site));
            }
        }
        output::rows(context.format(), &rows)
    }
}

fn held(sites: &[Site]) -> Vec<&Site> {
    sites
        .iter()
        .filter(|site| site.state == SiteState::Held)
        .collect()
}

/// What the first sites of a roll-out still lack of a complete night; empty if they had one.
fn missing(ledger: &Ledger, catalog: &Catalog, rollout: &Rollout) -> Result<Vec<Missing>, Failure> {
    let mut missing = Vec::new();
    for key in &rollout.canaries {
        let site = known(ledger, key)?;
        let filter = ExtractionFilter {
            site: Some(key.clone()),
            ..ExtractionFilter::default()
        };
        let rows = ledger.extractions(&filter).map_err(failed)?;
        let asked: Vec<&Query> = catalog
            .current_queries()
            .filter(|query| query.pms == site.pms_type && site.overrides.allows(&query.id.name))
            .collect();
        missing.extend(lacks(&site, &asked, &rows, rollout.since));
    }
    Ok(missing)
}

/// What one site lacks of a complete night since then: every query answered, and nothing open or failed.
fn lacks(
    site: &Site,
    queries: &[&Query],
    rows: &[ExtractionRow],
    since: DateTime<Utc>,
) -> Vec<Missing> {
    let lack = |query: &str, why: String| Missing {
        site: site.key.clone(),
        query: query.to_owned(),
        why,
    };
    if site.state != SiteState::Active {
        return vec![lack("-", format!("the site is {}", site.state))];
    }
    let mut missing = Vec::new();
    for query in queries {
        let of_query: Vec<&ExtractionRow> = rows
            .iter()
            .filter(|row| row.extraction.query == query.id && row.changed_at >= since)
            .collect();
        let unfinished: BTreeSet<String> = of_query
            .iter()
            .filter(|row| row.state != ExtractionState::Succeeded)
            .map(|row| row.state.to_string())
            .collect();
        if of_query.is_empty() {
            missing.push(lack(&query.id.to_string(), "not extracted yet".to_owned()));
        }
        missing.extend(
            unfinished
                .into_iter()
                .map(|state| lack(&query.id.to_string(), state)),
        );
    }
    missing
}

fn not_yet(rollout: &Rollout, missing: &[Missing]) -> Failure {
    const SHOWN: usize = 5;
    let mut lines: Vec<String> = missing
        .iter()
        .take(SHOWN)
        .map(|lack| format!("  {} {}: {}", lack.site, lack.query, lack.why))
        .collect();
    if missing.len() > SHOWN {
        lines.push(format!("  … and {} more", missing.len() - SHOWN));
    }
    Failure::new(
        ExitCode::TryLater,
        format!(
            "{} had no complete night since {}, so the others of {} stay held\n{}",
            join(&rollout.canaries),
            day(rollout.since),
            rollout.group,
            lines.join("\n")
        ),
    )
    .next(format!(
        "wait for the next night, or mend what failed (halo-extract status) and run it again: halo-extract run --site {}",
        rollout.canaries.first().map_or("KEY", SiteKey::as_str)
    ))
}

fn join(keys: &[SiteKey]) -> String {
    let keys: Vec<&str> = keys.iter().map(SiteKey::as_str).collect();
    keys.join(", ")
}

fn day(instant: DateTime<Utc>) -> String {
    instant.format("%Y-%m-%d %H:%M UTC").to_string()
}

//! `schedule`: what will run by itself, and when.

use std::num::NonZeroU32;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::domain::{Query, Site, Standing};
use crate::plan::{self, Coming, Timetable};

use super::context::Context;
use super::exit_code::ExitCode;
use super::output::{self, Row};
use super::report::{Failure, remark};
use super::selection::Selection;
use super::serve::rules;

/// What will run by itself, and when
#[derive(Debug, Subcommand)]
pub(crate) enum Schedule {
    Next(Next),
}

/// Show the nights to come at each site, in local and UTC time, with the days that each asks for
///
/// The delay that spreads the fleet and the site's quiet hours are in the times; what is due already is only
/// counted. The days assume that every night before goes well.
#[derive(Debug, Args)]
pub(crate) struct Next {
    #[command(flatten)]
    selection: Selection,
    /// Nights to show of each query at each site
    #[arg(long, value_name = "N", default_value = "1")]
    count: NonZeroU32,
}

impl Schedule {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Next(next) => next.run(context),
        }
    }
}

impl Next {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
        let catalog = context.catalog(&config)?;
        let sites = self.selection.active_sites(&ledger)?;
        let queries = self.selection.queries(&catalog)?;
        let standings = ledger
            .standings()
            .map_err(|error| Failure::new(ExitCode::Failed, error))?;
        let rules = rules(&config.schedule);
        let (now, nothing) = (Utc::now(), Standing::default());
        let (mut rows, mut due) = (Vec::new(), 0);
        for query in &queries {
            let Some(timetable) = timetable(query)? else {
                remark(&format!("{} has no cron and runs only on demand", query.id));
                continue;
            };
            due += plan::nightly(
                &sites,
                std::slice::from_ref(&timetable),
                &standings,
                &rules,
                now,
            )
            .len();
            for site in sites
                .iter()
                .filter(|site| plan::is_wanted(site, &timetable))
            {
                let standing = standings
                    .get(&site.key)
                    .and_then(|of_site| of_site.get(&timetable.query))
                    .unwrap_or(&nothing);
                rows.extend(
                    plan::coming(site, &timetable, standing, &rules, now)
                        .take(self.count.get() as usize)
                        .map(|coming| ComingRow::of(site, &timetable, &coming)),
                );
            }
        }
        rows.sort_by(|a, b| (a.utc, &a.site, &a.query).cmp(&(b.utc, &b.site, &b.query)));
        output::rows(context.format(), &rows)?;
        if due > 0 {
            remark(&format!(
                "{due} more are due already; halo-extract serve plans them within a minute"
            ));
        }
        Ok(())
    }
}

fn timetable(query: &Query) -> Result<Option<Timetable>, Failure> {
    Timetable::of(query).map_err(|error| Failure::new(ExitCode::Contract, error))
}

/// One line of `schedule next`. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct ComingRow {
    utc: DateTime<Utc>,
    local: DateTime<Tz>,
    time_zone: &'static str,
    site: String,
    query: String,
    window: String,
}

impl ComingRow {
    fn of(site: &Site, timetable: &Timetable, coming: &Coming) -> Self {
        Self {
            utc: coming.start,
            local: coming.start.with_timezone(&site.time_zone),
            time_zone: site.time_zone.name(),
            site: site.key.to_string(),
            query: timetable.query.to_string(),
            window: coming.window.to_string(),
        }
    }
}

impl Row for ComingRow {
    const HEADINGS: &'static [&'static str] = &["UTC", "LOCAL", "SITE", "QUERY", "WINDOW"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.utc.format("%Y-%m-%d %H:%M").to_string(),
            self.local.format("%Y-%m-%d %H:%M %Z").to_string(),
            self.site.clone(),
            self.query.clone(),
            self.window.clone(),
        ]
    }
}

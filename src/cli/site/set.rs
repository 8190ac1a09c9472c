//! `site set`: what one site has otherwise than the configuration, its zone and its groups.

use std::fmt;
use std::str::FromStr;

use chrono_tz::Tz;
use clap::Args;

use crate::catalog::Catalog;
use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::output;
use crate::cli::report::Failure;
use crate::domain::{QueryName, QuietHours, Site};

use super::change::Chosen;
use super::known::{failed, nearest};
use super::list::Listed;

/// Set quiet hours, limits, queries, time zone and groups of sites
///
/// What is not named stays. `default` takes an override off, so that the configuration holds again.
#[derive(Debug, Args)]
pub(crate) struct Set {
    #[command(flatten)]
    chosen: Chosen,
    /// When extraction may run, in the site's local time: 20:00-06:00; 00:00-00:00 is the whole day
    #[arg(long, value_name = "HOURS|default")]
    quiet_hours: Option<Override<QuietHours>>,
    /// Extractions at work at the same time at the site
    #[arg(long, value_name = "N|default")]
    extractions_at_once: Option<Override<u32>>,
    /// Queries that may be posted to it in a calendar month; 0 is no limit
    #[arg(long, value_name = "N|default")]
    queries_per_month: Option<Override<u32>>,
    /// A query that is not asked there; may be given more than once
    #[arg(long = "query-off", value_name = "NAME")]
    queries_off: Vec<QueryName>,
    /// A query that is asked there again; may be given more than once
    #[arg(long = "query-on", value_name = "NAME")]
    queries_on: Vec<QueryName>,
    /// The site's time zone: windows and schedules that are not yet planned are read in it
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<Tz>,
    /// A group to put it into; may be given more than once
    #[arg(long = "add-group", value_name = "NAME")]
    groups_added: Vec<String>,
    /// A group to take it out of; may be given more than once
    #[arg(long = "remove-group", value_name = "NAME")]
    groups_removed: Vec<String>,
}

/// A value of its own, or that of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Override<T> {
    Default,
    Own(T),
}

impl<T: FromStr<Err: fmt::Display>> FromStr for Override<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "default" => Ok(Self::Default),
            own => own
                .parse()
                .map(Self::Own)
                .map_err(|error: T::Err| error.to_string()),
        }
    }
}

impl<T: Copy> Override<T> {
    fn own(self) -> Option<T> {
        match self {
            Self::Default => None,
            Self::Own(value) => Some(value),
        }
    }
}

impl Set {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        self.check()?;
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
        if !self.queries_off.is_empty() {
            known_queries(&context.catalog(&config)?, &self.queries_off)?;
        }
        let change = context.change("set", &self.chosen.reason);
        let mut rows = Vec::new();
        for site in self.chosen.find(&ledger)? {
            ledger
                .change_site(&site.key, &change, |site| self.edit(site))
                .map_err(failed)?;
            rows.push(Listed::of(&super::known(&ledger, &site.key)?));
        }
        output::rows(context.format(), &rows)
    }

    fn check(&self) -> Result<(), Failure> {
        let nothing = self.quiet_hours.is_none()
            && self.extractions_at_once.is_none()
            && self.queries_per_month.is_none()
            && self.time_zone.is_none()
            && [&self.queries_off, &self.queries_on]
                .iter()
                .all(|names| names.is_empty())
            && [&self.groups_added, &self.groups_removed]
                .iter()
                .all(|names| names.is_empty());
        if nothing {
            return Err(Failure::new(ExitCode::Usage, "there is nothing to set")
                .next("halo-extract site set --help lists what a site can have of its own"));
        }
        if self.extractions_at_once == Some(Override::Own(0)) {
            return Err(Failure::new(
                ExitCode::Usage,
                "with 0 extractions at once nothing would ever be extracted",
            )
            .next("to stop extraction: halo-extract site hold KEY --reason TEXT"));
        }
        Ok(())
    }

    fn edit(&self, site: &mut Site) {
        let overrides = &mut site.overrides;
        if let Some(hours) = self.quiet_hours {
            overrides.quiet_hours = hours.own();
        }
        if let Some(limit) = self.extractions_at_once {
            overrides.extractions_at_once = limit.own();
        }
        if let Some(budget) = self.queries_per_month {
            overrides.queries_per_month = budget.own();
        }
        overrides
            .queries_off
            .extend(self.queries_off.iter().cloned());
        for query in &self.queries_on {
            overrides.queries_off.remove(query);
        }
        site.time_zone = self.time_zone.unwrap_or(site.time_zone);
        for group in &self.groups_added {
            if !site.groups.contains(group) {
                site.groups.push(group.clone());
            }
        }
        site.groups
            .retain(|group| !self.groups_removed.contains(group));
    }
}

/// Refuses a name that no query has: switching it off would do nothing.
fn known_queries(catalog: &Catalog, names: &[QueryName]) -> Result<(), Failure> {
    let has = |name: &QueryName| {
        catalog
            .current_queries()
            .any(|query| query.id.name == *name)
    };
    let Some(unknown) = names.iter().find(|name| !has(name)) else {
        return Ok(());
    };
    let failure = Failure::new(ExitCode::Usage, format!("there is no query {unknown}"));
    let all = catalog
        .current_queries()
        .map(|query| query.id.name.as_str());
    Err(match nearest(unknown.as_str(), all) {
        Some(nearest) => failure.next(format!(
            "did you mean {nearest}? halo-extract query list shows all"
        )),
        None => failure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ParseError;

    #[test]
    fn an_override_is_a_value_or_the_word_default() {
        assert_eq!("default".parse::<Override<u32>>(), Ok(Override::Default));
        assert_eq!("3".parse::<Override<u32>>(), Ok(Override::Own(3)));
        let error: ParseError = "night".parse::<QuietHours>().expect_err("no hours");
        assert_eq!(
            "night".parse::<Override<QuietHours>>(),
            Err(error.to_string())
        );
    }
}

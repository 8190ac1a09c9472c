//! `site list` and the row that every command about sites prints.

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::output::{self, Row};
use crate::cli::report::Failure;
use crate::domain::Site;

use super::known::failed;

/// Prints every site.
pub(super) fn list(context: &Context) -> Result<(), Failure> {
    let config = context.config()?;
    let ledger = context.ledger(&config)?;
    let sites = ledger.sites().map_err(failed)?;
    output::rows(
        context.format(),
        &sites.iter().map(Listed::of).collect::<Vec<_>>(),
    )
}

/// A site as commands show it. Part of the documented JSON.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Listed(Site);

impl Listed {
    pub(super) fn of(site: &Site) -> Self {
        Self(site.clone())
    }
}

impl Row for Listed {
    const HEADINGS: &'static [&'static str] = &[
        "SITE",
        "STATE",
        "PRACTICE",
        "PMS ID",
        "TIME ZONE",
        "LINK",
        "GROUPS",
    ];

    fn cells(&self) -> Vec<String> {
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let state = match self.0.paused_until {
            Some(until) => format!("{} until {until}", self.0.state),
            None => self.0.state.to_string(),
        };
        vec![
            self.0.key.to_string(),
            state,
            or_dash(&self.0.practice_name),
            self.0.pms_id.to_string(),
            self.0.time_zone.to_string(),
            or_dash(&self.0.link_version),
            self.0.groups.join(", "),
        ]
    }
}

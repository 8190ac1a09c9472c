//! `site export`: the registry as a file that `site import` takes.

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::output;
use crate::cli::report::Failure;
use crate::domain::{Site, SiteState};

use super::known::failed;
use super::registry_file::{COLUMNS, Form};

/// Print the registry as a file that `site import` takes
///
/// Withdrawn sites are left out, and neither GUIDs nor states are in it: in another home its sites are invited,
/// and paired there.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The form of the file
    #[arg(long, value_enum, default_value = "toml")]
    format: Form,
}

/// One site of the file; its fields are the columns without `code`.
#[derive(Debug, Serialize)]
struct Exported {
    key: String,
    pms: String,
    pms_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    time_zone: &'static str,
    groups: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quiet_hours: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extractions_at_once: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queries_per_month: Option<u32>,
    queries_off: Vec<String>,
}

#[derive(Serialize)]
struct File {
    site: Vec<Exported>,
}

impl Export {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
        let site: Vec<Exported> = ledger
            .sites()
            .map_err(failed)?
            .iter()
            .filter(|site| site.state != SiteState::Withdrawn)
            .map(Exported::of)
            .collect();
        let text = match self.format {
            Form::Toml => toml::to_string(&File { site })
                .map_err(|error| Failure::new(ExitCode::Failed, error))?,
            Form::Csv => csv_text(&site).map_err(|error| Failure::new(ExitCode::Failed, error))?,
        };
        output::line(text.trim_end())
    }
}

impl Exported {
    fn of(site: &Site) -> Self {
        let overrides = &site.overrides;
        Self {
            key: site.key.to_string(),
            pms: site.pms_type.to_string(),
            pms_id: site.pms_id.to_string(),
            name: site.practice_name.clone(),
            time_zone: site.time_zone.name(),
            groups: site.groups.clone(),
            quiet_hours: overrides.quiet_hours.map(|hours| hours.to_string()),
            extractions_at_once: overrides.extractions_at_once,
            queries_per_month: overrides.queries_per_month,
            queries_off: overrides
                .queries_off
                .iter()
                .map(ToString::to_string)
                .collect(),
        }
    }

    /// In the order of the columns.
    fn cells(&self) -> [String; COLUMNS.len() - 1] {
        let number = |number: Option<u32>| number.map(|n| n.to_string()).unwrap_or_default();
        [
            self.key.clone(),
            self.pms.clone(),
            self.pms_id.clone(),
            self.name.clone().unwrap_or_default(),
            self.time_zone.to_owned(),
            self.groups.join(";"),
            self.quiet_hours.clone().unwrap_or_default(),
            number(self.extractions_at_once),
            number(self.queries_per_month),
            self.queries_off.join(";"),
        ]
    }
}

fn csv_text(sites: &[Exported]) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&COLUMNS[..COLUMNS.len() - 1])?;
    for site in sites {
        writer.write_record(site.cells())?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

//! Asking one site one small question at once.

use chrono::Utc;

use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::report::Failure;
use crate::config::Config;
use crate::domain::Site;
use crate::remote::{ImmediateResult, Statement};

/// Asks an active site, and counts it as the query that it is; the answer's rows are at most 8 MB.
pub(super) fn ask(
    context: &Context,
    config: &Config,
    site: &Site,
    statement: &Statement,
) -> Result<ImmediateResult, Failure> {
    let guid = site.halo_guid.ok_or_else(|| {
        Failure::new(ExitCode::Usage, format!("site {} is not paired", site.key)).next(format!(
            "halo-extract site pair --key {} --pms-id {} --code -",
            site.key, site.pms_id
        ))
    })?;
    let client = context.client(config)?;
    let ledger = context.ledger(config)?;
    ledger
        .count_immediate(&site.key, Utc::now())
        .map_err(|error| Failure::new(ExitCode::Failed, error))?;
    context
        .block_on(client.immediate(guid, statement))?
        .map_err(|error| {
            let next = error.next_step();
            Failure::new(ExitCode::of_failure(error.class()), error).next(next)
        })
}

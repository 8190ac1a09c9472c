//! `simulate`: the stand-in for Halo Cloud.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::simulator::{Ready, Settings, Simulator, Source};

use super::context::Context;
use super::exit_code::ExitCode;
use super::output;
use super::report::{Failure, remark};
use super::stop_signals::StopSignals;

/// Run a stand-in for Halo Cloud over practices that are generated or loaded
///
/// The first line of stdout is one JSON object with address, key, sites and pairing codes. It runs until it is
/// interrupted.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Folder of .csv, .csv.gz and .parquet tables, with an optional schema.sql of CREATE TABLE statements;
    /// `DIR/sites/PMS_ID/` holds tables of single sites
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How many practices; with --data, how many share its tables
    #[arg(long, value_name = "N")]
    practices: Option<usize>,
    /// Patients of each generated practice
    #[arg(long, default_value_t = 300, value_name = "N", conflicts_with = "data")]
    patients: usize,
    /// Decides every generated value: the same seed gives the same practices, codes and key
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// The one key that is accepted; derived from the seed if absent
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Bytes of row JSON in a result page
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    page_bytes: u64,
    /// Time that each query waits in the site's queue, in milliseconds
    #[arg(long, value_name = "MS")]
    queue_ms: Option<u64>,
    /// Time that each query takes at the site besides its real work, in milliseconds
    #[arg(long, value_name = "MS")]
    execute_ms: Option<u64>,
    /// Faults to begin with, a TOML file; config/scenarios holds some
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// What the simulated clock shows at the start; the real time if absent
    #[arg(long, value_name = "INSTANT")]
    start: Option<DateTime<Utc>>,
    /// Simulated seconds per real second
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    clock_scale: f64,
    /// Begin with every practice paired
    #[arg(long)]
    paired: bool,
    /// Where webhooks of async queries go; may hold {siteId}, {queryId} and {source}
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// Write the ready line to this file as well
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

impl Simulate {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        context.block_on(async {
            let mut signals = StopSignals::listen();
            let simulator = Simulator::start(self.settings())
                .await
                .map_err(|error| Failure::new(ExitCode::Failed, error))?;
            self.announce(simulator.ready())?;
            let shutdown = CancellationToken::new();
            let stop = shutdown.clone();
            tokio::spawn(async move {
                signals.next().await;
                stop.cancel();
            });
            simulator.run_until(shutdown).await;
            Ok(())
        })?
    }

    fn settings(&self) -> Settings {
        let source = match &self.data {
            Some(dir) => Source::Folder {
                dir: dir.clone(),
                practices: self.practices.unwrap_or(1),
            },
            None => Source::Generated {
                practices: self.practices.unwrap_or(3),
                patients: self.patients,
            },
        };
        let mut settings = Settings::new(source);
        settings.listen = self.listen;
        settings.seed = self.seed;
        settings.subscription_key = self.key.clone();
        settings.page_size_bytes = self.page_bytes;
        if let Some(queue) = self.queue_ms {
            settings.timings.queue = Duration::from_millis(queue);
        }
        if let Some(execute) = self.execute_ms {
            settings.timings.execute = Duration::from_millis(execute);
        }
        settings.scenario = self.scenario.clone();
        settings.start = self.start;
        settings.clock_scale = self.clock_scale;
        settings.paired = self.paired;
        settings.webhooks.async_url = self.webhook_url.clone();
        settings
    }

    fn announce(&self, ready: &Ready) -> Result<(), Failure> {
        let line =
            serde_json::to_string(ready).map_err(|error| Failure::new(ExitCode::Failed, error))?;
        if let Some(file) = &self.ready_file {
            // Whoever waits for the file must never see half of it.
            let unfinished = file.with_extension("unfinished");
            std::fs::write(&unfinished, format!("{line}\n"))
                .and_then(|()| std::fs::rename(&unfinished, file))
                .map_err(|error| {
                    Failure::new(
                        ExitCode::Failed,
                        format!("cannot write {}: {error}", file.display()),
                    )
                })?;
        }
        output::line(&line)?;
        remark(&format!(
            "simulating Halo Cloud at {} with {} sites; Ctrl-C ends it",
            ready.url,
            ready.sites.len()
        ));
        Ok(())
    }
}

//! `serve`: every night by itself, until told to stop.

use std::net::SocketAddr;
use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::catalog::Catalog;
use crate::config::{Config, Schedule, Secret};
use crate::domain::Waiting;
use crate::extract::{Engine, Hand, LEASE, Presence};
use crate::plan::{Rules, Timetable};
use crate::remote::webhook::{self, Verifier};
use crate::schedule::{Health, Messenger, Planner, Report, Service, Upkeep, router};

use super::carry_out::{engine_for, has_pseudonyms, present, stop_at_once};
use super::context::{Context, variable};
use super::exit_code::ExitCode;
use super::lake::holdings;
use super::report::{Failure, remark};
use super::stop_signals::StopSignals;

/// Notices that wait to be looked at; more are sent again by Halo Cloud.
const NOTICES: usize = 1_000;

/// Run every query at every active site when its time comes, until told to stop
///
/// Each query's cron is read in each site's time zone. What was missed while nobody ran is caught up at the
/// start. The first Ctrl-C or termination begins nothing new and lets what is at work end within
/// schedule.grace; the second stops at once. Query files and settings are read at the start.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where /healthz and /readyz are answered [setting: serve.listen]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

/// What the service is put together from.
struct Parts {
    engine: Engine,
    planner: Planner,
    verifier: Option<Verifier>,
    messenger: Messenger,
    upkeep: Upkeep,
    presence: Presence,
}

impl Serve {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let config = context.config()?;
        let catalog = Arc::new(context.catalog(&config)?);
        let timetables = timetables(&catalog)?;
        let ledger = context.ledger(&config)?;
        let needs_key = catalog.current_queries().any(has_pseudonyms);
        let mut engine = engine_for(
            context,
            &config,
            Arc::clone(&catalog),
            Arc::clone(&ledger),
            needs_key,
            false,
        )?;
        let rules = rules(&config.schedule);
        engine.quiet = Some(rules);
        let verifier = config
            .serve
            .webhook_secret
            .read_if_set("the secret of Halo Cloud's notices", variable)
            .map_err(|error| Failure::new(ExitCode::Config, error))?
            .map(|secret| Verifier::new(&secret));
        let messenger = messenger(&config)?;
        let presence = present(&config, &engine, "serve")?;
        // The budget may have been raised since it was spent.
        ledger
            .try_again(&Waiting::BudgetSpent, Utc::now())
            .map_err(|error| Failure::new(ExitCode::Failed, error))?;
        let planner = Planner {
            ledger,
            timetables,
            rules,
        };
        let upkeep = Upkeep {
            holdings: holdings(context, &config)?,
            catalog,
            keep_attempts: config.ledger.keep_attempts,
        };
        let parts = Parts {
            engine,
            planner,
            verifier,
            messenger,
            upkeep,
            presence,
        };
        context.block_on(self.serve(&config, parts))?
    }

    async fn serve(&self, config: &Config, parts: Parts) -> Result<ExitCode, Failure> {
        let Parts {
            engine,
            planner,
            verifier,
            messenger,
            upkeep,
            presence,
        } = parts;
        let address = self.listen.unwrap_or(config.serve.listen);
        let mut signals = StopSignals::listen();
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Failure::new(ExitCode::Config, format!("nothing can listen on {address}: {error}"))
                .next("end what listens there, or give another address: halo-extract serve --listen 127.0.0.1:0")
        })?;
        if let Ok(address) = listener.local_addr() {
            remark(&format!(
                "serving; health is told at http://{address}/readyz"
            ));
        }
        let health = Arc::new(Health::default());
        let mut routes = router(Arc::clone(&health));
        // Owned here, so that it ends with the service.
        let mut _waker = None;
        if let Some(verifier) = verifier {
            let (sender, notices) = mpsc::channel(NOTICES);
            let client = engine.client.clone();
            _waker = Some(AbortOnDropHandle::new(tokio::spawn(async move {
                webhook::wake_by_notices(&client, notices).await;
            })));
            routes = routes.fallback_service(webhook::router(verifier, sender));
        }
        let ledger = Arc::clone(&planner.ledger);
        let service = Service {
            planner,
            hand: Hand {
                engine,
                observer: Arc::new(|_, _| {}),
                cancel: CancellationToken::new(),
                lease: LEASE,
            },
            name: presence.name().to_owned(),
            grace: config.schedule.grace,
            listener,
            routes,
            health,
            messenger,
            freshness: config.schedule.freshness,
            upkeep,
        };
        let (begin_to_stop, stop) = oneshot::channel();
        let run = service.run(async move { drop(stop.await) });
        tokio::pin!(run);
        let mut first = None;
        let second = async {
            first = Some(signals.next().await);
            remark("stopping: nothing new is begun; once more stops at once");
            // A service that has ended by itself no longer listens.
            let _ = begin_to_stop.send(());
            signals.next().await
        };
        let report = tokio::select! {
            report = &mut run => report.map_err(|error| Failure::new(ExitCode::Failed, error))?,
            code = second => {
                stop_at_once(&ledger, presence)?;
                return Ok(code);
            }
        };
        presence.leave();
        tell(&report);
        Ok(first.unwrap_or(ExitCode::Ok))
    }
}

fn messenger(config: &Config) -> Result<Messenger, Failure> {
    let secret = |setting: &Secret, what| {
        setting
            .read_if_set(what, variable)
            .map_err(|error| Failure::new(ExitCode::Config, error))
    };
    let alerts = &config.alerts;
    Ok(Messenger {
        url: secret(&alerts.url, "the address of alerts")?,
        form: alerts.form,
        signing_key: secret(&alerts.signing_key, "the key that signs alerts")?,
        heartbeat_url: secret(&alerts.heartbeat_url, "the heartbeat address")?,
        environment: config.environment,
    })
}

/// The queries that run by themselves, with their times.
pub(crate) fn timetables(catalog: &Catalog) -> Result<Vec<Timetable>, Failure> {
    Timetable::of_all(catalog.current_queries())
        .map_err(|error| Failure::new(ExitCode::Contract, error))
}

/// The settings that planning the nights depends on.
pub(crate) fn rules(schedule: &Schedule) -> Rules {
    Rules {
        spread: schedule.spread,
        quiet_hours: schedule.quiet_hours,
        last_start: TimeDelta::from_std(schedule.last_start).unwrap_or(TimeDelta::hours(1)),
        longest: std::num::NonZeroU32::new(schedule.longest_window_days)
            .unwrap_or(std::num::NonZeroU32::MIN),
    }
}

fn tell(report: &Report) {
    if report.given_back.is_empty() {
        remark("stopped; nothing was at work");
        return;
    }
    let count = match report.given_back.len() {
        1 => "1 extraction was given back and goes".to_owned(),
        more => format!("{more} extractions were given back and go"),
    };
    remark(&format!(
        "stopped; {count} on with the same remote query at the next start:"
    ));
    for extraction in &report.given_back {
        remark(&format!("  {extraction}"));
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Cli, Command};

    fn serves(arguments: &[&str]) {
        let cli = Cli::try_parse_from(arguments).unwrap_or_else(|error| panic!("{error}"));
        assert!(matches!(cli.command, Command::Serve(_)), "{arguments:?}");
    }

    #[test]
    fn the_unit_starts_the_program_with_arguments_that_it_takes() {
        let unit = include_str!("../../config/deploy/halo-extract.service");
        let mut starts = unit
            .lines()
            .filter_map(|line| line.strip_prefix("ExecStart="));
        let start = starts.next().expect("a line ExecStart");

        serves(&start.split_whitespace().collect::<Vec<_>>());
        assert_eq!(starts.next(), None);
    }

    #[test]
    fn the_image_starts_the_program_with_arguments_that_it_takes() {
        let file = include_str!("../../config/deploy/Dockerfile");
        let list = |word: &str| -> Vec<String> {
            let line = file.lines().find_map(|line| line.strip_prefix(word));
            serde_json::from_str(line.expect("the instruction")).expect("a JSON list")
        };
        let all: Vec<String> = list("ENTRYPOINT ")
            .into_iter()
            .chain(list("CMD "))
            .collect();

        serves(&all.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

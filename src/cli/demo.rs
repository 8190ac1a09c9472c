//! `demo`: the whole night against an embedded simulator, with nothing but this program.

use std::sync::Arc;
use std::time::Duration;

use chrono::{NaiveDate, Utc};
use clap::Args;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::domain::{Environment, PmsId, PmsType, Site, SiteKey, SiteState, Window};
use crate::extract::{Engine, Spool};
use crate::ledger::Ledger;
use crate::objects::Store;
use crate::plan::{self, Asked};
use crate::privacy::PseudonymKey;
use crate::remote::{self, Client};
use crate::simulator::{ReadySite, Settings, Simulator, Source};

use super::carry_out;
use super::context::Context;
use super::exit_code::ExitCode;
use super::lake;
use super::outcome;
use super::report::{Failure, remark};
use super::site::Invitation;

/// Pseudonyms of invented patients need no secret.
const DEMO_PSEUDONYM_KEY: &str = "the demo's pseudonym key is no secret: its patients are invented";

/// First day of the demo's windows: the first night of a practice takes its whole history.
const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(1990, 1, 1).expect("a date");

/// The embedded simulator answers in milliseconds.
const POLL: Duration = Duration::from_millis(20);

/// See the whole work: simulated practices, pairing, a night of queries, Parquet
///
/// Starts the simulator inside this process with generated practices, pairs and activates them, runs every
/// query, and tells what to look at. Needs no account, network or service. Everything lies in HOME/demo.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// How many practices
    #[arg(long, default_value_t = 3, value_name = "N")]
    practices: usize,
    /// Patients of each practice
    #[arg(long, default_value_t = 300, value_name = "N")]
    patients: usize,
    /// Decides every generated value
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
}

impl Demo {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let context = &context.in_environment(Environment::Simulator);
        let config = demo_config(context)?;
        let catalog = Arc::new(context.catalog(&config)?);
        let ledger = context.ledger(&config)?;
        let store = context.store(&config)?;
        remark(&format!(
            "1. simulating Halo Cloud with {} practices of {} patients",
            self.practices, self.patients
        ));
        let settings = Settings {
            seed: self.seed,
            ..Settings::new(Source::Generated {
                practices: self.practices,
                patients: self.patients,
            })
        };
        let failed = |error| Failure::new(ExitCode::Failed, error);
        let simulator = context
            .block_on(Simulator::start(settings))?
            .map_err(|error| Failure::new(ExitCode::Failed, error))?;
        let ready = simulator.ready().clone();
        let shutdown = CancellationToken::new();
        let serving = context.spawn(simulator.run_until(shutdown.clone()))?;
        let client = client(&config, &ready.url, &ready.subscription_key)?;

        remark("2. pairing them by Site ID and code, and activating them");
        let sites = ready
            .sites
            .iter()
            .map(|site| pair(context, &client, &ledger, site))
            .collect::<Result<Vec<_>, _>>()?;

        let queries: Vec<_> = catalog.current_queries().cloned().collect();
        remark(&format!(
            "3. extracting {} queries from each\n",
            queries.len()
        ));
        let today = Utc::now().date_naive();
        let asked = Asked {
            sites: &sites,
            queries: &queries,
            range: Window::new(FIRST_DAY, today),
            max_days: None,
            snapshot_date: None,
        };
        let planned = plan::on_demand(&asked, Utc::now()).planned;
        let todo = carry_out::enter(&ledger, &planned, true)?;
        let engine = engine(
            &config,
            client,
            Arc::clone(&ledger),
            store,
            Arc::clone(&catalog),
        )?;
        let (finished, signal) = carry_out::carry_out(context, &config, engine, todo)?;
        outcome::show(context, &ledger, &planned, &finished)?;
        let holdings = lake::holdings_with(context, &config, ledger)?;
        lake::refresh(context, &holdings, &catalog)?;
        shutdown.cancel();
        context.block_on(serving)?.map_err(failed)?;
        remark(&what_next(&config.storage));
        Ok(signal.unwrap_or_else(|| outcome::exit_code(&finished)))
    }
}

/// Settings for a home of its own, so that the demo never meets a real ledger.
fn demo_config(context: &Context) -> Result<Config, Failure> {
    let mut config = context.config()?;
    config.home = config.home.join("demo");
    if !context.storage_is_given() {
        config.storage = config.home.join("lake").to_string_lossy().into_owned();
    }
    config.halo.poll_first = POLL;
    Ok(config)
}

fn client(config: &Config, url: &str, key: &str) -> Result<Client, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(ExitCode::Failed, error.to_string());
    let settings = remote::Settings {
        base_url: url.parse().map_err(|error| failed(&error))?,
        key: SecretString::from(key),
        pages_in_flight: config.halo.pages_in_flight as usize,
        ..remote::Settings::default()
    };
    Client::new(settings).map_err(|error| failed(&error))
}

fn engine(
    config: &Config,
    client: Client,
    ledger: Arc<Ledger>,
    store: Store,
    catalog: Arc<crate::catalog::Catalog>,
) -> Result<Engine, Failure> {
    let key = PseudonymKey::from_text(DEMO_PSEUDONYM_KEY)
        .map_err(|error| Failure::new(ExitCode::Failed, error))?;
    Ok(Engine {
        environment: config.environment,
        client,
        ledger,
        store,
        spool: Spool::open(&config.home, config.halo.spool_most_bytes),
        catalog,
        pseudonym_key: Some(key),
        halo: config.halo.clone(),
        limits: config.limits,
        allow_empty: true,
        quiet: None,
        clock: Arc::new(Utc::now),
    })
}

fn pair(
    context: &Context,
    client: &Client,
    ledger: &Ledger,
    ready: &ReadySite,
) -> Result<Site, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(ExitCode::Failed, error.to_string());
    let pms_id: PmsId = ready.pms_id.parse().map_err(|error| failed(&error))?;
    let code = SecretString::from(ready.pairing_code.as_str());
    let remote = context
        .block_on(client.pair_site(&pms_id, PmsType::BestPractice, Some(&code)))?
        .map_err(|error| Failure::new(ExitCode::Auth, error))?;
    let invitation = Invitation {
        key: SiteKey::from_pms_id(&pms_id),
        pms_type: PmsType::BestPractice,
        pms_id,
        name: None,
        accept_name: true,
        time_zone: Some(ready.time_zone.parse().map_err(|error| failed(&error))?),
        groups: vec!["demo".to_owned()],
    };
    let (mut site, _) = invitation.paired(&remote, None);
    site.stand(SiteState::Active);
    ledger
        .put_site(&site, &context.change("activate", "demo"))
        .map_err(|error| Failure::new(ExitCode::Failed, error))?;
    remark(&format!(
        "   {}  {}  ({})",
        site.key,
        site.practice_name.as_deref().unwrap_or("-"),
        site.time_zone
    ));
    Ok(site)
}

/// Three queries to paste: a test runs them.
pub(crate) fn what_next(storage: &str) -> String {
    let data = format!("{storage}/simulator/data");
    format!(
        "\n4. what to look at, for example with DuckDB (pip install duckdb, or the duckdb command):\n
-- patients per practice and birth decade, without a name in sight
SELECT _site, birth_year // 10 * 10 AS decade, count(*) AS patients
FROM '{data}/patient/v1/**/*.parquet' GROUP BY ALL ORDER BY ALL;

-- visits per month
SELECT date_trunc('month', visited) AS month, count(*) AS visits
FROM '{data}/visit/v1/**/*.parquet' WHERE record_status = 1 GROUP BY ALL ORDER BY ALL;

-- share of patients with a systolic blood pressure on record, joined by pseudonym
SELECT p._site, round(100.0 * count(DISTINCT o.patient_id) / count(DISTINCT p.patient_id), 1) AS percent
FROM '{data}/patient/v1/**/*.parquet' p
LEFT JOIN '{data}/observation/v1/**/*.parquet' o ON o.patient_id = p.patient_id AND o.observation_code = 3
GROUP BY ALL ORDER BY ALL;
"
    )
}

//! Starting and stopping a simulator.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use chrono::Utc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::access::Usage;
use super::answer::answer;
use super::clock::Clock;
use super::cloud::Cloud;
use super::control;
use super::counters::Counters;
use super::faults::Faults;
use super::fleet::{self, Fleet, FleetError};
use super::queries::Queries;
use super::ready::{Ready, ReadySite};
use super::registered::Registered;
use super::scenario::{Scenario, ScenarioError};
use super::settings::Settings;
use super::site::{PMS_NAME, Site, derive, guid};
use super::spool::Shelf;
use super::webhooks::Postman;

/// A Halo Cloud that listens on this machine.
pub struct Simulator {
    cloud: Arc<Cloud>,
    listener: TcpListener,
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}; choose another with --listen, port 0 takes a free one")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// The system's answer.
        source: std::io::Error,
    },
    /// No private folder for result pages.
    #[error("cannot make a private folder for result pages in {}", folder.display())]
    Spool {
        /// Where it was to be.
        folder: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// No practices.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The scenario file cannot be read.
    #[error("cannot read the scenario {}", file.display())]
    ScenarioFile {
        /// The file.
        file: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The scenario does not say what a scenario can say.
    #[error("the scenario {} cannot be played", file.display())]
    Scenario {
        /// The file.
        file: PathBuf,
        /// Line and reason.
        source: ScenarioError,
    },
}

/// How long requests at work have to end at shutdown.
const GRACE: Duration = Duration::from_secs(2);

impl Simulator {
    /// Makes or loads the practices and listens. Requests wait until [`Simulator::run_until`].
    ///
    /// # Errors
    /// When the address, the practices, the scenario or the folder for pages cannot be had.
    pub async fn start(settings: Settings) -> Result<Simulator, StartError> {
        let scenario = settings
            .scenario
            .as_deref()
            .map(read_scenario)
            .transpose()?
            .unwrap_or_default();
        let address = settings.listen;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| StartError::Listen { address, source })?;
        let url = match listener.local_addr() {
            Ok(bound) => format!("http://{bound}"),
            Err(source) => return Err(StartError::Listen { address, source }),
        };
        let made = tokio::task::spawn_blocking(move || {
            assemble(settings, &scenario, url).map(|made| (made, scenario))
        });
        let ((cloud, lives), scenario) = made
            .await
            .expect("assembling answers with errors, not panics")?;
        cloud.play_faults(scenario);
        for (index, practice) in lives {
            let site = cloud.sites[index].clone();
            cloud
                .tasks
                .spawn(fleet::live(cloud.clone(), site, practice));
        }
        Ok(Simulator { cloud, listener })
    }

    /// What a script needs to use it.
    #[must_use]
    pub fn ready(&self) -> &Ready {
        &self.cloud.ready
    }

    /// Serves until `shutdown`, then ends what is at work and removes the spooled pages.
    pub async fn run_until(self, shutdown: CancellationToken) {
        let Simulator { cloud, listener } = self;
        let app = Router::new()
            .merge(control::routes())
            .fallback(serve)
            .with_state(cloud.clone());
        let stop = shutdown.clone();
        let server = axum::serve(listener, app)
            .with_graceful_shutdown(async move { stop.cancelled().await });
        let overtime = async {
            shutdown.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            _ = server => {}
            () = overtime => {}
        }
        cloud.shutdown.cancel();
        cloud.sites.iter().for_each(|site| site.link.stop());
        cloud.tasks.close();
        // What does not end in time is dropped with the runtime; nothing of it outlives the process.
        let _ = tokio::time::timeout(GRACE, cloud.tasks.wait()).await;
    }
}

async fn serve(State(cloud): State<Arc<Cloud>>, request: Request) -> Response {
    answer(cloud, request).await
}

fn read_scenario(file: &Path) -> Result<Scenario, StartError> {
    let file = file.to_owned();
    match std::fs::read_to_string(&file) {
        Ok(text) => Scenario::parse(&text).map_err(|source| StartError::Scenario { file, source }),
        Err(source) => Err(StartError::ScenarioFile { file, source }),
    }
}

type Made = (Arc<Cloud>, Vec<(usize, super::practice::Practice)>);

fn assemble(settings: Settings, scenario: &Scenario, url: String) -> Result<Made, StartError> {
    let start = settings
        .start
        .or(scenario.clock.start)
        .unwrap_or_else(Utc::now);
    let scale = scenario.clock.scale.unwrap_or(settings.clock_scale);
    let Fleet { sites, lives } = Fleet::assemble(&settings, start)?;
    let folder = settings.spool.clone().unwrap_or_else(std::env::temp_dir);
    let shelf = Shelf::new(&folder).map_err(|source| StartError::Spool { folder, source })?;
    let seed = settings.seed;
    let key = settings
        .subscription_key
        .clone()
        .unwrap_or_else(|| secret(seed, "subscription key"));
    let ready = Ready {
        url,
        subscription_key: key.clone(),
        sites: sites.iter().map(|site| ready_site(site)).collect(),
    };
    let guids = sites.iter().enumerate().flat_map(|(index, site)| {
        [site.first_guid(), site.second_guid()].map(|guid| (guid, index))
    });
    let cloud = Cloud {
        by_guid: guids.collect(),
        clock: Clock::new(start, scale),
        faults: Faults::new(seed),
        counters: Counters::default(),
        usage: Usage::default(),
        queries: Queries::default(),
        registered: Registered::default(),
        postman: Postman::new(settings.webhooks.clone(), secret(seed, "webhook secret")),
        integrator: guid(seed, &["integrator"]),
        tasks: TaskTracker::new(),
        shutdown: CancellationToken::new(),
        settings,
        sites,
        key,
        ready,
        shelf,
    };
    Ok((Arc::new(cloud), lives))
}

fn ready_site(site: &Site) -> ReadySite {
    ReadySite {
        pms_id: site.profile.pms_id.clone(),
        pms_name: PMS_NAME.to_owned(),
        halo_guid: site.first_guid(),
        practice_name: site.profile.practice_name.clone(),
        pairing_code: site.code().0,
        time_zone: site.profile.time_zone.name().to_owned(),
    }
}

/// Thirty-two hexadecimal digits, as the gateway's keys have.
fn secret(seed: u64, purpose: &str) -> String {
    derive(seed, &[purpose])[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

//! The service from start to stop.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::domain::Extraction;
use crate::extract::Hand;

use super::health::Health;
use super::heartbeat::Heartbeat;
use super::messenger::Messenger;
use super::notify;
use super::planner::Planner;
use super::pool::Pool;
use super::upkeep::{Upkeep, keep};
use super::watch::Watch;

/// The planner looks by itself when no beat came for this long.
const SILENCE: Duration = Duration::from_secs(90);

/// What the service works with.
pub struct Service {
    /// Decides what is due.
    pub planner: Planner,
    /// Carries it out; its token is the service's own and must not be cancelled before.
    pub hand: Hand,
    /// Name of the worker, for people.
    pub name: String,
    /// How long attempts may go on after the signal to stop.
    pub grace: Duration,
    /// Where questions are answered.
    pub listener: TcpListener,
    /// What answers them, beside the routes of `health`.
    pub routes: Router,
    /// How it stands.
    pub health: Arc<Health>,
    /// Who is told when sites are late.
    pub messenger: Messenger,
    /// How old the newest object of a query may grow whose header does not say.
    pub freshness: Duration,
    /// What is done beside the nights.
    pub upkeep: Upkeep,
}

/// How the service ended.
#[derive(Debug)]
pub struct Report {
    /// What was at work beyond the grace period and given back; it goes on with the same remote query.
    pub given_back: Vec<Extraction>,
}

impl Service {
    /// Runs until `stop` is done, then brings what is at work to an end within the grace period.
    ///
    /// # Errors
    /// When the heartbeat cannot be started.
    pub async fn run(self, stop: impl Future<Output = ()>) -> io::Result<Report> {
        let (beat, due) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let closed = CancellationToken::new();
        let heartbeat = Heartbeat::start(Arc::clone(&beat))
            .await
            .map_err(io::Error::other)?;
        let server = AbortOnDropHandle::new(tokio::spawn(answer(self.listener, self.routes)));
        let clock = Arc::clone(&self.hand.engine.clock);
        let planner = Arc::new(self.planner);
        let watch = Watch {
            planner: Arc::clone(&planner),
            messenger: self.messenger,
            usual_goal: self.freshness,
            health: Arc::clone(&self.health),
        };
        let watching = AbortOnDropHandle::new(tokio::spawn(watch.run(Arc::clone(&clock))));
        let keeping = AbortOnDropHandle::new(tokio::spawn(keep(
            self.upkeep,
            Arc::clone(&clock),
            Arc::clone(&self.health),
        )));
        let planning = AbortOnDropHandle::new(tokio::spawn(plan(
            planner,
            clock,
            Arc::clone(&beat),
            Arc::clone(&due),
            Arc::clone(&self.health),
        )));
        let stop_attempts = self.hand.cancel.clone();
        let pool = Pool {
            hand: self.hand,
            name: self.name,
            due,
            health: Arc::clone(&self.health),
            closed: closed.clone(),
        };
        let mut pool = AbortOnDropHandle::new(tokio::spawn(pool.run()));
        notify::tell("READY=1");
        tracing::info!("serving");

        stop.await;

        self.health.stopping();
        notify::tell("STOPPING=1");
        tracing::info!("stopping: nothing new is begun");
        drop((planning, watching, keeping));
        heartbeat.stop().await;
        closed.cancel();
        let ended = match tokio::time::timeout(self.grace, &mut pool).await {
            Ok(ended) => ended,
            Err(_) => {
                stop_attempts.cancel();
                pool.await
            }
        };
        drop(server);
        let given_back =
            ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        Ok(Report { given_back })
    }
}

async fn answer(listener: TcpListener, routes: Router) {
    if let Err(error) = axum::serve(listener, routes).await {
        tracing::error!(%error, "questions about health are no longer answered");
    }
}

/// Looks at the start, at every beat, and when none comes.
async fn plan(
    planner: Arc<Planner>,
    clock: crate::extract::Clock,
    beat: Arc<Notify>,
    due: Arc<Notify>,
    health: Arc<Health>,
) {
    loop {
        let (planner, now) = (Arc::clone(&planner), clock());
        let looked = tokio::task::spawn_blocking(move || planner.look(now)).await;
        match looked {
            Ok(Ok(look)) => {
                health.planned(now);
                if look.planned > 0 || look.resumed > 0 {
                    tracing::info!(
                        planned = look.planned,
                        superseded = look.superseded,
                        "planned what is due"
                    );
                    due.notify_one();
                }
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "planning failed; it is tried again");
                health.failed(error.to_string());
            }
            Err(error) => {
                tracing::error!(%error, "planning failed; it is tried again");
                health.failed("the planner panicked".to_owned());
            }
        }
        // A beat that came while the planner looked is kept, so that nothing is missed.
        drop(tokio::time::timeout(SILENCE, beat.notified()).await);
    }
}

//! Settings: command line, environment, file and defaults, checked once into [`Config`].
//!
//! A value is taken from the first layer that has it: flag, environment variable, file, built-in default.
//! Every problem of every layer is reported in one go, each with the place it came from. Secrets are never
//! settings: a setting only says where a secret is found, and [`Secret::read`] finds it when it is needed.

mod alerts;
mod backfill;
mod halo;
mod lake;
mod layers;
mod ledger;
mod limits;
mod privacy;
mod schedule;
mod secret;
mod serve;

pub use alerts::{AlertForm, Alerts, UnknownForm};
pub use backfill::Backfill;
pub use halo::Halo;
pub use lake::{Encryption, EncryptionError, Lake, Retention, RetentionError};
pub use layers::{ConfigError, Layers, Origin, Problem};
pub use ledger::Ledger;
pub use limits::Limits;
pub use privacy::Privacy;
pub use schedule::Schedule;
pub use secret::{Secret, SecretError};
pub use serve::Serve;

use std::path::PathBuf;

use crate::domain::Environment;

/// The commented reference of every setting, `config/default.toml`.
pub const DEFAULT_TOML: &str = include_str!("../../config/default.toml");

/// All settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which world this installation belongs to.
    pub environment: Environment,
    /// Folder of the ledger and of kept pages.
    pub home: PathBuf,
    /// Where objects go: a URL or a folder.
    pub storage: String,
    /// Folder of the query files.
    pub queries: PathBuf,
    /// The remote API.
    pub halo: Halo,
    /// How much happens at the same time.
    pub limits: Limits,
    /// How long the ledger remembers in detail.
    pub ledger: Ledger,
    /// How history is rebuilt.
    pub backfill: Backfill,
    /// De-identification.
    pub privacy: Privacy,
    /// What is kept in storage, and how.
    pub lake: Lake,
    /// When things run by themselves.
    pub schedule: Schedule,
    /// What the service answers to.
    pub serve: Serve,
    /// Who is told when sites are late.
    pub alerts: Alerts,
}

impl Config {
    /// Checks the merged layers.
    ///
    /// # Errors
    /// With every unknown key, wrong type and value out of range of every layer, each with its place.
    pub fn new(mut layers: Layers) -> Result<Self, ConfigError> {
        let environment = layers
            .text("environment")
            .unwrap_or(Environment::Production);
        let home: PathBuf = layers.path("home");
        let storage = match layers.string("storage") {
            empty if empty.is_empty() => home.join("lake").to_string_lossy().into_owned(),
            storage => storage,
        };
        let config = Self {
            environment,
            storage,
            queries: layers.path("queries"),
            halo: Halo::read(&mut layers, environment),
            limits: Limits::read(&mut layers),
            ledger: Ledger::read(&mut layers),
            backfill: Backfill::read(&mut layers),
            privacy: Privacy::read(&mut layers),
            lake: Lake::read(&mut layers),
            schedule: Schedule::read(&mut layers),
            serve: Serve::read(&mut layers),
            alerts: Alerts::read(&mut layers),
            home,
        };
        layers.finish().map(|()| config)
    }
}

#[cfg(test)]
mod tests;

//! What commands need, each opened from the settings on first use.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use chrono::Utc;
use secrecy::ExposeSecret;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::catalog::Catalog;
use crate::config::{Config, Encryption, Layers};
use crate::domain::Environment;
use crate::ledger::{Change, Ledger};
use crate::objects::{ObjectKeys, Store};
use crate::privacy::PseudonymKey;
use crate::remote::{self, Client};

use super::Global;
use super::exit_code::ExitCode;
use super::output::Format;
use super::report::Failure;

/// Read when it exists and `--config` names no other.
const USUAL_CONFIG: &str = "config/halo-extract.toml";

/// The ledger's file in home.
const LEDGER_FILE: &str = "ledger.sqlite";

/// Each extraction at work holds two blocking threads, for conversion and encoding, while its pages and its steps
/// in the ledger need a third one: all would wait for each other if the threads ran out. Threads start when they
/// are needed, so the number costs nothing where few extractions are at work.
const MOST_BLOCKING_THREADS: usize = 4 * 1_024;

/// What commands need.
pub(crate) struct Context {
    global: Global,
    /// Runs async work, and what it started in the background, until the command ends.
    runtime: OnceLock<Runtime>,
}

impl Context {
    pub(crate) fn new(global: Global) -> Self {
        Self {
            global,
            runtime: OnceLock::new(),
        }
    }

    /// The same for another environment than the settings say.
    pub(crate) fn in_environment(&self, environment: Environment) -> Self {
        Self::new(Global {
            environment: Some(environment.to_string()),
            ..self.global.clone()
        })
    }

    /// Whether `--storage` was given.
    pub(crate) fn storage_is_given(&self) -> bool {
        self.global.storage.is_some()
    }

    pub(crate) fn format(&self) -> Format {
        self.global.output
    }

    /// The settings, from all layers.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        let mut layers = Layers::defaults();
        if let Some((path, text)) = self.config_file()? {
            layers.file(&path, &text);
        }
        layers.variables(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }));
        let Global {
            home,
            storage,
            queries,
            halo_url,
            environment,
            ..
        } = self.global.clone();
        layers.flag("--home", "home", home);
        layers.flag("--storage", "storage", storage);
        layers.flag("--queries", "queries", queries);
        layers.flag("--halo-url", "halo.url", halo_url);
        layers.flag("--environment", "environment", environment);
        Config::new(layers).map_err(|error| {
            Failure::new(ExitCode::Config, error)
                .next("mend each line; config/default.toml lists every setting with its meaning")
        })
    }

    fn config_file(&self) -> Result<Option<(PathBuf, String)>, Failure> {
        let path = match &self.global.config {
            Some(path) => path.clone(),
            None if Path::new(USUAL_CONFIG).exists() => PathBuf::from(USUAL_CONFIG),
            None => return Ok(None),
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some((path, text))),
            Err(error) => Err(Failure::new(
                ExitCode::Config,
                format!("the config file {} cannot be read: {error}", path.display()),
            )
            .next("check the path given with --config, and that this user may read the file")),
        }
    }

    /// The query files, all valid.
    pub(crate) fn catalog(&self, config: &Config) -> Result<Catalog, Failure> {
        Catalog::read(&config.queries).map_err(|error| {
            Failure::new(ExitCode::Contract, error)
                .next("mend the query files, then check them: halo-extract query lint")
        })
    }

    /// Where the ledger of a home is.
    pub(crate) fn ledger_file(config: &Config) -> PathBuf {
        config.home.join(LEDGER_FILE)
    }

    /// The ledger in home.
    pub(crate) fn ledger(&self, config: &Config) -> Result<Arc<Ledger>, Failure> {
        Ledger::open(&Self::ledger_file(config), config.environment)
            .map(Arc::new)
            .map_err(|error| Failure::new(ExitCode::Failed, error))
    }

    /// The ledger in home if there is one: a command that only looks makes none.
    pub(crate) fn ledger_if_any(&self, config: &Config) -> Result<Option<Arc<Ledger>>, Failure> {
        if Self::ledger_file(config).exists() {
            self.ledger(config).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The ledger that must be in home: nothing can be told of one that a wrong `--home` would make.
    pub(crate) fn present_ledger(&self, config: &Config) -> Result<Arc<Ledger>, Failure> {
        self.ledger_if_any(config)?.ok_or_else(|| {
            Failure::new(
                ExitCode::Usage,
                format!("there is no ledger in {}", config.home.display()),
            )
            .next("check --home; a new installation gets its ledger with its first site: halo-extract site pair --pms-id ID --code -")
        })
    }

    /// The API, with the key of this installation.
    pub(crate) fn client(&self, config: &Config) -> Result<Client, Failure> {
        let key = config
            .halo
            .subscription_key
            .read("the subscription key of Halo Cloud", variable)
            .map_err(|error| Failure::new(ExitCode::Config, error))?;
        let Some(base_url) = config.halo.url.clone() else {
            return Err(Failure::new(
                ExitCode::Config,
                "the address of the API is not known: the simulator has none of its own",
            )
            .next(
                "start `halo-extract simulate` and give the url that it prints: --halo-url URL",
            ));
        };
        let settings = remote::Settings {
            base_url,
            key,
            connect_timeout: config.halo.connect_timeout,
            read_timeout: config.halo.read_timeout,
            pages_in_flight: config.halo.pages_in_flight as usize,
            stuck_after: config.halo.stuck_after,
            calls_in_flight: config.limits.calls_at_once as usize,
            calls_per_second: config.limits.calls_per_second,
            ..remote::Settings::default()
        };
        Client::new(settings).map_err(|error| Failure::new(ExitCode::Failed, error))
    }

    /// Where objects go.
    pub(crate) fn store(&self, config: &Config) -> Result<Store, Failure> {
        let keys = object_keys(config)?;
        Store::open(&config.storage)
            .map(|store| store.with_keys(keys))
            .map_err(|error| Failure::new(ExitCode::Unavailable, error))
    }

    /// The key of pseudonyms.
    pub(crate) fn pseudonym_key(&self, config: &Config) -> Result<PseudonymKey, Failure> {
        let secret = config
            .privacy
            .pseudonym_key
            .read("the pseudonym key", variable)
            .map_err(|error| Failure::new(ExitCode::Config, error))?;
        PseudonymKey::from_text(secret.expose_secret())
            .map_err(|error| Failure::new(ExitCode::Config, error))
    }

    /// Who changes something now, for the audit.
    pub(crate) fn change(&self, action: &str, reason: &str) -> Change {
        let actor = self
            .global
            .actor
            .clone()
            .filter(|name| !name.trim().is_empty())
            .or_else(|| variable("USER"))
            .or_else(|| variable("USERNAME"))
            .or_else(user_of_process)
            .unwrap_or_else(|| "unknown".to_owned());
        Change {
            actor,
            action: action.to_owned(),
            reason: reason.to_owned(),
            at: Utc::now(),
        }
    }

    /// Runs async work to its end.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        Ok(self.runtime()?.block_on(work))
    }

    /// Runs async work in the background.
    pub(crate) fn spawn(
        &self,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Result<JoinHandle<()>, Failure> {
        Ok(self.runtime()?.spawn(work))
    }

    fn runtime(&self) -> Result<&Runtime, Failure> {
        if self.runtime.get().is_none() {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .max_blocking_threads(MOST_BLOCKING_THREADS)
                .build()
                .map_err(|error| Failure::new(ExitCode::Failed, error))?;
            // Only this thread sets it.
            drop(self.runtime.set(runtime));
        }
        Ok(self.runtime.get().expect("set above"))
    }
}

/// What objects are encrypted and read with. To encrypt, a key must be there; to read what was encrypted once, it may.
fn object_keys(config: &Config) -> Result<ObjectKeys, Failure> {
    const WHAT: &str = "the key that encrypts objects";
    let lake = &config.lake;
    let failed = |error| Failure::new(ExitCode::Config, error);
    let (text, writes) = match lake.encryption {
        Encryption::On => (
            lake.encryption_key
                .read(WHAT, variable)
                .map(Some)
                .map_err(failed)?,
            true,
        ),
        Encryption::Off => (
            lake.encryption_key
                .read_if_set(WHAT, variable)
                .map_err(failed)?,
            false,
        ),
    };
    match text {
        None => Ok(ObjectKeys::default()),
        Some(text) => ObjectKeys::from_text(text.expose_secret(), writes)
            .map_err(|error| Failure::new(ExitCode::Config, error)),
    }
}

/// An environment variable; empty counts as unset.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The user that this process runs as, where the environment does not tell it, as it does not to many a service.
#[cfg(unix)]
fn user_of_process() -> Option<String> {
    use std::os::unix::fs::MetadataExt;

    let id = std::fs::metadata("/proc/self").ok()?.uid().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    });
    Some(named.unwrap_or_else(|| format!("user {id}")))
}

#[cfg(not(unix))]
fn user_of_process() -> Option<String> {
    None
}

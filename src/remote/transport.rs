//! The way to the API: one connection pool, one key, one door for all calls, tries and pauses.

use std::time::{Duration, Instant};

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret;

use super::call::{Answer, Call};
use super::cause::Cause;
use super::error::RemoteError;
use super::facts;
use super::gate::Gate;
use super::retry::BackOff;
use super::settings::Settings;

/// What every call goes through.
pub(crate) struct Transport {
    http: reqwest::Client,
    gate: Gate,
    back_off: BackOff,
    max_attempts: u32,
}

impl Transport {
    /// # Errors
    /// When the key or the address cannot be used, or there are no certificates to trust.
    pub(crate) fn new(settings: &Settings) -> Result<Self, RemoteError> {
        Ok(Self {
            http: build_http(settings)?,
            gate: Gate::new(
                settings.calls_per_second,
                settings.calls_in_flight,
                settings.back_off.patience,
                settings.key_rest,
            ),
            back_off: settings.back_off,
            max_attempts: settings.max_attempts.max(1),
        })
    }

    /// Sends a call until it succeeds, must not be repeated, or was tried often enough.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, RemoteError> {
        let start = Instant::now();
        let mut attempt = 1;
        loop {
            let error = match self.try_once(call, attempt - 1, start).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let pause = self
                .back_off
                .pause(&error, call.repeat, attempt, fastrand::f64());
            match pause {
                Some(pause) if error.attempts() == attempt && attempt < self.max_attempts => {
                    tracing::debug!(attempt, ?pause, %error, "a remote call failed and is tried again");
                    tokio::time::sleep(pause).await;
                    attempt += 1;
                }
                _ => return Err(error),
            }
        }
    }

    /// One try. An error tells how many tries were made in all, which leaves out one stopped at the gate.
    async fn try_once(
        &self,
        call: &Call,
        earlier: u32,
        start: Instant,
    ) -> Result<Answer, RemoteError> {
        let _permit = self
            .gate
            .enter(&call.task)
            .await
            .map_err(|error| error.with_attempts(earlier, start.elapsed()))?;
        call.try_once(&self.http).await.map_err(|error| {
            self.gate.learn(&error);
            error.with_attempts(earlier + 1, start.elapsed())
        })
    }
}

fn build_http(settings: &Settings) -> Result<reqwest::Client, RemoteError> {
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static(facts::KEY_HEADER), key(settings)?);
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("halo-extract/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        // A redirect would carry the key to wherever it points.
        .redirect(reqwest::redirect::Policy::none())
        // Tries are counted and paused here; a second loop beneath would hide some.
        .retry(reqwest::retry::never())
        .connect_timeout(settings.connect_timeout)
        .gzip(true);
    let address = &settings.base_url;
    if !address.username().is_empty() || address.password().is_some() {
        return Err(wrong("the address must not hold a user name or password"));
    }
    match address.scheme() {
        // No certificate is needed, so a machine without any must not be refused.
        "http" => builder = builder.tls_certs_only([]),
        "https" => {}
        _ => return Err(wrong("the address must begin with https:// or http://")),
    }
    if is_loopback(address) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| {
        wrong("no TLS connection is possible; are the system's CA certificates installed?")
            .with_source(error.without_url())
    })
}

/// The key as a header that prints as a placeholder.
fn key(settings: &Settings) -> Result<HeaderValue, RemoteError> {
    let key = settings.key.expose_secret().trim();
    if key.is_empty() {
        return Err(wrong(
            "the subscription key is empty; set `HALO_SUBSCRIPTION_KEY`",
        ));
    }
    let mut key = HeaderValue::from_str(key)
        .map_err(|_| wrong("the subscription key holds characters that no header can carry"))?;
    key.set_sensitive(true);
    Ok(key)
}

fn wrong(said: &str) -> RemoteError {
    RemoteError::new(Cause::Misconfigured, "setting up the remote client")
        .with_said(said.to_owned())
        .with_attempts(0, Duration::ZERO)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

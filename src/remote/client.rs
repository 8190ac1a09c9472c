//! The client: one key, its connections and limits, and the calls about sites.
//!
//! The other operations are in files of their own: `ask.rs` (submit, immediate), `look.rs` (status, wait)
//! and `pages.rs`.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};
use reqwest::header::DATE;
use reqwest::{Method, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};

use crate::domain::{HaloGuid, PmsId, PmsType};

use super::call::{Answer, Call};
use super::error::RemoteError;
use super::facts;
use super::failure::Operation;
use super::retry::Repeat;
use super::settings::Settings;
use super::site::{RemoteSite, SiteBody, SitesBody, pms_name};
use super::sites::Sites;
use super::transport::Transport;

/// A site id that no practice has: looking it up tries the key and asks nobody.
const NOBODY: &str = "halo-extract-doctor";

/// A client of the remote API for one subscription key. Clones share connections and limits.
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Inner>);

/// What all clones of a client share.
pub(crate) struct Inner {
    transport: Transport,
    pub(crate) sites: Sites,
    pub(crate) settings: Settings,
    /// Set once the API has shown that it offers no `/stream`: then pages come in envelopes.
    pub(crate) no_stream: AtomicBool,
    /// Set once the API has shown that it offers no batch status: then each query is looked at alone.
    pub(crate) no_batch: AtomicBool,
}

impl Client {
    /// A client; no call is made.
    ///
    /// # Errors
    /// When the key is empty or cannot travel in a header, or the machine has no trusted certificates
    /// for an `https` address.
    pub fn new(settings: Settings) -> Result<Self, RemoteError> {
        Ok(Self(Arc::new(Inner {
            transport: Transport::new(&settings)?,
            sites: Sites::new(settings.breaker),
            settings,
            no_stream: AtomicBool::new(false),
            no_batch: AtomicBool::new(false),
        })))
    }

    /// Pairs our account with a site, by the id and code that the practice sent.
    ///
    /// The code is needed for Best Practice only. Pairing again is taken to be harmless.
    ///
    /// # Errors
    /// Among others [`Cause::PairingRefused`](super::Cause::PairingRefused) for a wrong or expired code.
    pub async fn pair_site(
        &self,
        pms_id: &PmsId,
        pms_type: PmsType,
        code: Option<&SecretString>,
    ) -> Result<RemoteSite, RemoteError> {
        let mut call = self.call(
            Operation::Pair,
            Method::POST,
            &["pair-site"],
            format!("pairing with site id {pms_id}"),
        );
        let mut query = vec![
            ("practiceManagementSiteId", pms_id.as_str()),
            ("practiceManagementName", pms_name(pms_type)),
        ];
        if let Some(code) = code {
            query.push(("pairingCode", code.expose_secret()));
            call.secrets.push(code.expose_secret().to_owned());
        }
        set_query(&mut call.url, &query);
        call.repeat = Repeat::IfNothingHappened;
        let answer = self.send(&call).await?;
        read_site(&call, &answer)
    }

    /// Tries the key by a call that asks no practice; gives the API's clock, in whole seconds, where it tells it.
    ///
    /// # Errors
    /// As any call; [`Cause::KeyRefused`](super::Cause::KeyRefused) among others.
    pub async fn try_key(&self) -> Result<Option<DateTime<Utc>>, RemoteError> {
        let nobody = NOBODY.parse().expect("visible characters");
        let call = self.look_up(&nobody, PmsType::BestPractice);
        let answer = self.send(&call).await?;
        let _: SitesBody = call.read_json(&answer)?;
        let date = answer.headers.get(DATE).and_then(|date| date.to_str().ok());
        let clock = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        Ok(clock.map(|clock| clock.to_utc()))
    }

    /// The sites of this environment with a given id in the practice system; empty if there is none.
    ///
    /// # Errors
    /// As any call.
    pub async fn find_sites(
        &self,
        pms_id: &PmsId,
        pms_type: PmsType,
    ) -> Result<Vec<RemoteSite>, RemoteError> {
        let call = self.look_up(pms_id, pms_type);
        let answer = self.send(&call).await?;
        let body: SitesBody = call.read_json(&answer)?;
        let sites = body.sites.unwrap_or_default().into_items();
        sites.map_err(|fault| call.unreadable(fault))
    }

    /// One site as it stands now.
    ///
    /// # Errors
    /// As any call; [`Cause::SiteUnknown`](super::Cause::SiteUnknown) if there is none.
    pub async fn site(&self, site: HaloGuid) -> Result<RemoteSite, RemoteError> {
        let call = self.call(
            Operation::LookUp,
            Method::GET,
            &["sites", &site.to_string()],
            format!("looking at site {site}"),
        );
        let answer = self.send(&call).await?;
        read_site(&call, &answer)
    }

    fn look_up(&self, pms_id: &PmsId, pms_type: PmsType) -> Call {
        let task = format!("looking up site id {pms_id}");
        let mut call = self.call(Operation::LookUp, Method::GET, &["sites"], task);
        set_query(
            &mut call.url,
            &[
                ("practiceManagementSiteId", pms_id.as_str()),
                ("practiceManagementName", pms_name(pms_type)),
            ],
        );
        call
    }

    /// A call that only reads and wants a 200; the operations change what differs.
    pub(crate) fn call(
        &self,
        operation: Operation,
        method: Method,
        path: &[&str],
        task: String,
    ) -> Call {
        let settings = &self.0.settings;
        let mut url = settings.base_url.clone();
        url.set_query(None);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("integrator").extend(path);
        }
        Call {
            task,
            operation,
            method,
            url,
            body: None,
            repeat: Repeat::Freely,
            success: StatusCode::OK,
            silence: settings.read_timeout,
            most_bytes: match operation {
                Operation::Status => facts::STATUS_MOST_BYTES,
                _ => facts::SITES_MOST_BYTES,
            },
            usual_bytes: 4 << 10,
            looks_whole: |_| true,
            secrets: vec![settings.key.expose_secret().to_owned()],
        }
    }

    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, RemoteError> {
        self.0.transport.send(call).await
    }
}

/// Whether an answer may mean that the API has no such operation.
pub(crate) fn not_offered(error: &RemoteError) -> bool {
    matches!(error.http_status(), Some(404 | 405 | 501))
}

/// Sets the query part, blanks as `%20`: form encoding's `+` is not understood everywhere.
fn set_query(url: &mut Url, pairs: &[(&str, &str)]) {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    // A plus sign in a value is `%2B` by now, so every remaining one is a blank.
    url.set_query(Some(&form.replace('+', "%20")));
}

fn read_site(call: &Call, answer: &Answer) -> Result<RemoteSite, RemoteError> {
    let body: SiteBody = call.read_json(answer)?;
    body.into_site()
        .ok_or_else(|| call.unreadable("the site has no id"))
}

/// The address only: the key is nobody's to see.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.0.settings.base_url.as_str())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;

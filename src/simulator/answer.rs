//! One request from its arrival to its answer: counted, admitted, performed, and spoilt where a fault says so.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ACCEPT_ENCODING, DATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;

use super::cloud::Cloud;
use super::counters::NO_SITE;
use super::faults::{Fault, Liberties};
use super::refusal::Refusal;
use super::reply::{self, Reply};
use super::route::{Endpoint, Route};
use super::{access, asynchronous, immediate, liberties, pages, pairing, registered};

/// Who asks for what.
struct Call {
    route: Route,
    endpoint: Endpoint,
    /// PMS id, where the request names a known site.
    site: Option<String>,
    accepts_gzip: bool,
}

/// Answers a request to the API.
pub(super) async fn answer(cloud: Arc<Cloud>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(route) = Route::read(&parts.method, parts.uri.path()) else {
        let refusal = Refusal::no_operation();
        let status = refusal.status.as_u16().to_string();
        cloud.counters.received(NO_SITE, Endpoint::NoOperation);
        cloud
            .counters
            .answered(NO_SITE, Endpoint::NoOperation, &status);
        return refusal.into_reply().into_response();
    };
    let call = Call {
        endpoint: route.endpoint(),
        site: site_named(&cloud, &route, &parts),
        route,
        accepts_gzip: accepts_gzip(&parts.headers),
    };
    let counted_at = call.site.clone().unwrap_or_else(|| NO_SITE.to_owned());
    cloud.counters.received(&counted_at, call.endpoint);
    let (mut response, outcome) = call.answer(&cloud, &parts, body).await;
    response.headers_mut().insert(DATE, date(&cloud));
    cloud
        .counters
        .answered(&counted_at, call.endpoint, &outcome);
    response
}

impl Call {
    /// The answer, and what to count it as.
    async fn answer(&self, cloud: &Arc<Cloud>, parts: &Parts, body: Body) -> (Response, String) {
        if let Some(time) = self.strike(cloud, |fault| match fault {
            Fault::Delay { time } => Some(time.0),
            _ => None,
        }) {
            cloud.pause(time).await;
        }
        let lost = self.strike(cloud, |fault| match fault {
            Fault::Lost { performed } => Some(*performed),
            _ => None,
        });
        if lost == Some(false) {
            return (liberties::lost(), "lost".to_owned());
        }
        let reply = self.reply(cloud, parts, body).await;
        let status = reply.status.as_u16().to_string();
        if lost == Some(true) {
            return (liberties::lost(), "lost".to_owned());
        }
        (self.spoil(cloud, reply).await, status)
    }

    async fn reply(&self, cloud: &Arc<Cloud>, parts: &Parts, body: Body) -> Reply {
        let performed = self.perform(cloud, parts, body).await;
        performed.unwrap_or_else(|refusal| {
            let other_form = self.strike(cloud, |fault| match fault {
                Fault::ErrorEnvelope { form } => Some(*form),
                _ => None,
            });
            let form = other_form.unwrap_or(refusal.envelope);
            refusal.shaped(form).into_reply()
        })
    }

    async fn perform(
        &self,
        cloud: &Arc<Cloud>,
        parts: &Parts,
        body: Body,
    ) -> Result<Reply, Refusal> {
        access::check(cloud, parts, self.site.as_deref(), self.endpoint)?;
        let scripted = self.strike(cloud, scripted_failure);
        match scripted {
            Some((failure, false)) => Err(failure),
            Some((failure, true)) => {
                self.dispatch(cloud, parts, body).await?;
                Err(failure)
            }
            None => self.dispatch(cloud, parts, body).await,
        }
    }

    async fn dispatch(
        &self,
        cloud: &Arc<Cloud>,
        parts: &Parts,
        body: Body,
    ) -> Result<Reply, Refusal> {
        let body = read_body(cloud, body).await?;
        match &self.route {
            Route::Pair => pairing::pair(cloud, parts),
            Route::Sites => pairing::find(cloud, parts),
            Route::Site { site } => pairing::show(cloud, site),
            Route::Immediate { site } => immediate::answer(cloud, site, &body).await,
            Route::Async { site } => asynchronous::submit(cloud, site, &body),
            Route::Status { site, query } => asynchronous::status(cloud, site, query),
            Route::StatusBatch { site } => asynchronous::status_batch(cloud, site, &body),
            Route::Page { site, query, page } => pages::envelope(cloud, site, query, page).await,
            Route::Stream { site, query, page } => pages::stream(cloud, site, query, page).await,
            Route::RegisteredCreate { site } => registered::create(cloud, site, &body),
            Route::RegisteredList { site } => registered::list(cloud, site),
            Route::RegisteredShow { site, query } => registered::show(cloud, site, query),
            Route::RegisteredResults { site, query } => registered::results(cloud, site, query),
            Route::RegisteredCancel { site, query } => registered::cancel(cloud, site, query),
        }
    }

    /// Applies what the wire does to an answer.
    async fn spoil(&self, cloud: &Cloud, mut reply: Reply) -> Response {
        let taken = self.strike(cloud, |fault| match fault {
            Fault::Wire(liberties) => Some(liberties.clone()),
            _ => None,
        });
        let taken: Liberties = taken.unwrap_or_default();
        if let reply::Body::Json(value) = &mut reply.body {
            liberties::take(&taken, value);
        }
        let mut response = reply.into_response();
        if taken.gzip && self.accepts_gzip {
            response = liberties::gzip(response).await;
        }
        let cut = self.strike(cloud, |fault| match fault {
            Fault::Cut { bytes } => Some(*bytes),
            _ => None,
        });
        match cut {
            Some(bytes) => liberties::cut(response, bytes).await,
            None => response,
        }
    }

    fn strike<T>(&self, cloud: &Cloud, pick: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        cloud
            .faults
            .strike(cloud.clock.now(), self.site.as_deref(), self.endpoint, pick)
    }
}

/// The service's clock, as every answer of HTTP tells it.
fn date(cloud: &Cloud) -> HeaderValue {
    let now = cloud.clock.now().format("%a, %d %b %Y %H:%M:%S GMT");
    HeaderValue::try_from(now.to_string()).expect("letters and digits")
}

/// The PMS id that a request is about, from the GUID of its path or its query string.
fn site_named(cloud: &Cloud, route: &Route, parts: &Parts) -> Option<String> {
    match route.site() {
        Some(guid) => cloud
            .site_of_guid(guid)
            .map(|(_, site)| site.pms_id().to_owned()),
        None => {
            let pms_id = access::parameter(parts, "practiceManagementSiteId")?;
            cloud
                .site_of_pms(&pms_id)
                .map(|site| site.pms_id().to_owned())
        }
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("gzip"))
}

/// A failure that a rule asks for, and whether the request takes effect all the same.
fn scripted_failure(fault: &Fault) -> Option<(Refusal, bool)> {
    let Fault::Http {
        status,
        message,
        retry_after,
        envelope,
        performed,
    } = fault
    else {
        return None;
    };
    let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let usual = || status.canonical_reason().unwrap_or("Unknown").to_owned();
    let mut refusal = Refusal::new(status, message.clone().unwrap_or_else(usual));
    refusal.retry_after = *retry_after;
    refusal.envelope = envelope.unwrap_or_default();
    Some((refusal, *performed))
}

async fn read_body(cloud: &Cloud, body: Body) -> Result<Bytes, Refusal> {
    let most = cloud.settings.limits.request_bytes;
    axum::body::to_bytes(body, most).await.map_err(|_| {
        Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The request body is larger than {most} bytes."),
        )
    })
}

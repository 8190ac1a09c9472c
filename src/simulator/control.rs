//! The control endpoint `/simulator/…`: what tests and trainers see and change while the simulator runs.
//!
//! It asks for no key, because the simulator listens on this machine only and holds invented data.
//! The requests are listed in the documentation of [`super`].

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::cloud::Cloud;
use super::faults::Rule;
use super::scenario::Scenario;
use super::stretch::Stretch;

type Shared = State<Arc<Cloud>>;

/// The routes of the control endpoint.
pub(super) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/simulator/ready", get(ready))
        .route("/simulator/counters", get(counters).delete(reset_counters))
        .route("/simulator/queries", get(queries))
        .route("/simulator/clock", get(clock).post(set_clock))
        .route(
            "/simulator/faults",
            get(faults).post(add_fault).delete(clear_faults),
        )
        .route("/simulator/faults/{id}", delete(remove_fault))
        .route("/simulator/scenario", post(play))
        .route("/simulator/sites/{pms_id}/pairing-code", post(new_code))
        .route("/simulator/sites/{pms_id}/unpair", post(unpair))
        .route("/simulator/webhooks", get(webhooks).put(readdress_webhooks))
}

async fn ready(State(cloud): Shared) -> Response {
    Json(&cloud.ready).into_response()
}

async fn counters(State(cloud): Shared) -> Response {
    Json(cloud.counters.snapshot()).into_response()
}

async fn reset_counters(State(cloud): Shared) -> StatusCode {
    cloud.counters.reset();
    StatusCode::NO_CONTENT
}

async fn queries(State(cloud): Shared) -> Response {
    Json(cloud.queries.list()).into_response()
}

async fn clock(State(cloud): Shared) -> Json<Value> {
    Json(json!({"now": cloud.clock.now(), "scale": cloud.clock.scale()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    step: Option<Stretch>,
    scale: Option<f64>,
}

async fn set_clock(State(cloud): Shared, body: String) -> Response {
    let change: ClockChange = match serde_json::from_str(&body) {
        Ok(change) => change,
        Err(error) => return refused(&error),
    };
    if let Some(scale) = change.scale {
        cloud.clock.set_scale(scale);
    }
    if let Some(step) = change.step {
        cloud.clock.step(step.0);
    }
    clock(State(cloud)).await.into_response()
}

async fn faults(State(cloud): Shared) -> Response {
    Json(cloud.faults.list()).into_response()
}

async fn add_fault(State(cloud): Shared, body: String) -> Response {
    match serde_json::from_str::<Rule>(&body) {
        Ok(rule) => {
            let id = cloud.faults.add(rule, cloud.clock.now());
            (StatusCode::CREATED, Json(json!({"id": id}))).into_response()
        }
        Err(error) => refused(&error),
    }
}

async fn clear_faults(State(cloud): Shared) -> StatusCode {
    cloud.faults.clear();
    StatusCode::NO_CONTENT
}

async fn remove_fault(State(cloud): Shared, Path(id): Path<u64>) -> StatusCode {
    if cloud.faults.remove(id) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
}

async fn play(State(cloud): Shared, body: String) -> Response {
    match Scenario::parse(&body) {
        Ok(scenario) => {
            cloud.play(scenario);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => refused(&error),
    }
}

async fn new_code(State(cloud): Shared, Path(pms_id): Path<String>) -> Response {
    let Some(site) = cloud.site_of_pms(&pms_id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (code, expires_at) = site.new_code(cloud.clock.now(), cloud.settings.limits.pairing_code);
    Json(json!({"pairing_code": code, "expires_at": expires_at})).into_response()
}

async fn unpair(State(cloud): Shared, Path(pms_id): Path<String>) -> StatusCode {
    let Some(site) = cloud.site_of_pms(&pms_id) else {
        return StatusCode::NOT_FOUND;
    };
    site.unpair();
    StatusCode::NO_CONTENT
}

async fn webhooks(State(cloud): Shared) -> Json<Value> {
    Json(json!({"secret": cloud.postman.secret(), "deliveries": cloud.postman.log()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Addresses {
    async_url: Option<String>,
    registered_url: Option<String>,
}

async fn readdress_webhooks(State(cloud): Shared, body: String) -> Response {
    match serde_json::from_str::<Addresses>(&body) {
        Ok(addresses) => {
            cloud
                .postman
                .readdress(addresses.async_url, addresses.registered_url);
            webhooks(State(cloud)).await.into_response()
        }
        Err(error) => refused(&error),
    }
}

fn refused(error: &dyn std::error::Error) -> Response {
    (
        StatusCode::BAD_REQUEST,
        Json(json!({"error": error.to_string()})),
    )
        .into_response()
}

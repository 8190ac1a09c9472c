//! A stand-in for the API that stores nothing: each page is invented from its number when it is asked for.
//!
//! It knows what one extraction needs and no more. The text of the query names the rows, `GENERATE_SERIES(1, N)`;
//! the id of the remote query is made of it, so that not even the query has to be kept.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Json;
use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::rows::{self, Random};

/// Sites that the ready line names; any other is answered as well.
const SITES: u128 = 20;

/// Which query this is of the process: two with as many rows must not share an id.
static ASKED: AtomicU64 = AtomicU64::new(1);

/// Serves results in pages of `page_rows` rows, until it is killed.
pub(crate) fn run(page_rows: u64) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", ready(&format!("http://{}", listener.local_addr()?)));
        let status = move |Path((_, query)): Path<(String, Uuid)>| async move {
            Json(status(query, page_rows))
        };
        let page = move |Path((_, query, number)): Path<(String, Uuid, u64)>| async move {
            tokio::task::spawn_blocking(move || page(query, number, page_rows))
                .await
                .unwrap_or_default()
        };
        let router = Router::new()
            .route("/integrator/sites/{site}/queries/async", post(submit))
            .route(
                "/integrator/sites/{site}/queries/immediate",
                post(async || Json(no_rows())),
            )
            .route("/integrator/sites/{site}/queries/{query}", get(status))
            .route(
                "/integrator/sites/{site}/queries/{query}/results/{number}/stream",
                get(page),
            );
        axum::serve(listener, router).await?;
        Ok(())
    })
}

fn ready(url: &str) -> Value {
    let site = |number: u128| {
        json!({
            "pms_id": (40_001 + number).to_string(),
            "halo_guid": Uuid::from_u128(number + 1),
            "practice_name": format!("Practice {}", 40_001 + number),
            "time_zone": "Australia/Sydney",
        })
    };
    json!({
        "url": url,
        "subscription_key": "0123456789abcdef0123456789abcdef",
        "sites": (0..SITES).map(site).collect::<Vec<_>>(),
    })
}

async fn submit(body: String) -> (StatusCode, Json<Value>) {
    let digits = |text: &str| -> String { text.chars().take_while(char::is_ascii_digit).collect() };
    let rows = body
        .split_once("GENERATE_SERIES(1, ")
        .and_then(|(_, rest)| digits(rest).parse::<u64>().ok());
    let Some(rows) = rows else {
        return (StatusCode::BAD_REQUEST, Json(json!({})));
    };
    let id = Uuid::from_u64_pair(ASKED.fetch_add(1, Ordering::Relaxed), rows);
    (
        StatusCode::CREATED,
        Json(json!({"id": id, "status": "initialising"})),
    )
}

/// The answer to any immediate query: the database does not tell what the practice calls itself.
fn no_rows() -> Value {
    json!({"status": "successful", "result": {"rows": 0, "data": "W10="}})
}

fn status(query: Uuid, page_rows: u64) -> Value {
    let (_, rows) = query.as_u64_pair();
    let page = |number: u64| {
        let count = page_rows.min(rows - (number - 1) * page_rows);
        json!({"pageNumber": number, "status": "cached", "rows": {"count": count}})
    };
    let pages: Vec<Value> = (1..=rows.div_ceil(page_rows)).map(page).collect();
    json!({"id": query, "status": "successful", "result": {"rows": rows, "pages": pages}})
}

fn page(query: Uuid, number: u64, page_rows: u64) -> String {
    let (_, rows) = query.as_u64_pair();
    let first = (number - 1) * page_rows;
    let mut page = String::with_capacity(page_rows as usize * 320);
    let mut random = Random(number.wrapping_mul(0x9E37_79B9));
    rows::array(&mut page, first, page_rows.min(rows - first), &mut random);
    page
}

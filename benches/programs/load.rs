//! What the simulator alone can serve: the requests of a night, sent as fast as they are answered.
//!
//! The same requests that the client makes for a small extraction, in the same order: the question who the practice
//! is, once at each site; then for each query the post, looks until it is done, and its pages. Answers are read whole
//! and thrown away; nothing is converted, written or remembered.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;

type Failure = Box<dyn Error + Send + Sync>;

#[derive(Deserialize)]
struct Ready {
    url: String,
    subscription_key: String,
    sites: Vec<Site>,
}

#[derive(Deserialize)]
struct Site {
    halo_guid: String,
}

#[derive(Deserialize)]
struct Status {
    status: String,
    result: Option<Outcome>,
}

#[derive(Deserialize)]
struct Outcome {
    pages: Vec<Page>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    page_number: u64,
}

struct Load {
    http: reqwest::Client,
    ready: Ready,
    statement: String,
    queries: usize,
    pause: Duration,
    next: AtomicUsize,
}

/// Asks every site of the stand-in the query on stdin `queries` times, `at_once` at a time; `pause` lies between the
/// first two looks at a query.
pub(crate) fn run(
    ready: &Path,
    queries: usize,
    at_once: usize,
    pause: Duration,
) -> Result<(), Box<dyn Error>> {
    let ready: Ready = serde_json::from_slice(&std::fs::read(ready)?)?;
    let mut headers = HeaderMap::new();
    headers.insert(
        "ocp-apim-subscription-key",
        HeaderValue::from_str(&ready.subscription_key)?,
    );
    let load = Arc::new(Load {
        http: reqwest::Client::builder()
            .default_headers(headers)
            .no_proxy()
            .tls_certs_only([])
            .build()?,
        statement: std::io::read_to_string(std::io::stdin())?,
        queries,
        pause,
        next: AtomicUsize::new(0),
        ready,
    });
    let runtime = tokio::runtime::Runtime::new()?;
    let began = Instant::now();
    runtime
        .block_on(async {
            let mut workers = JoinSet::new();
            for _ in 0..at_once {
                workers.spawn(Arc::clone(&load).worker());
            }
            while let Some(ended) = workers.join_next().await {
                ended??;
            }
            Ok::<_, Failure>(())
        })
        .map_err(|error| error.to_string())?;
    println!(
        "{}",
        json!({
            "extractions": load.ready.sites.len() * queries,
            "seconds": began.elapsed().as_secs_f64(),
        })
    );
    Ok(())
}

impl Load {
    /// Takes one query after the other until none is left; neighbours in time are at different sites.
    async fn worker(self: Arc<Self>) -> Result<(), Failure> {
        let sites = self.ready.sites.len();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= sites * self.queries {
                return Ok(());
            }
            let site = &self.ready.sites[number % sites].halo_guid;
            let queries = format!("{}/integrator/sites/{site}/queries", self.ready.url);
            if number < sites {
                let who = "SELECT TOP 10 PRACTICENAME AS practice_name FROM PRACTICE";
                self.post(&format!("{queries}/immediate"), who, 60_000)
                    .await?;
            }
            self.extract(&queries).await?;
        }
    }

    async fn extract(&self, queries: &str) -> Result<(), Failure> {
        let posted = self
            .post(&format!("{queries}/async"), &self.statement, 3_600_000)
            .await?;
        let posted: Value = serde_json::from_slice(&posted)?;
        let query = format!("{queries}/{}", posted["id"].as_str().ok_or("no id")?);
        let mut pause = self.pause;
        let pages = loop {
            let status: Status = serde_json::from_slice(&self.get(&query).await?)?;
            match status.result {
                Some(result) if status.status == "successful" => break result.pages,
                _ => tokio::time::sleep(pause).await,
            }
            pause = pause.mul_f64(1.5);
        };
        for page in pages {
            let page = format!("{query}/results/{}/stream", page.page_number);
            self.get(&page).await?;
        }
        Ok(())
    }

    async fn get(&self, url: &str) -> Result<bytes::Bytes, Failure> {
        let answer = self.http.get(url).send().await?.error_for_status()?;
        Ok(answer.bytes().await?)
    }

    async fn post(&self, url: &str, text: &str, queue_ms: u64) -> Result<bytes::Bytes, Failure> {
        let body = json!({
            "command": {"text": text, "executionMode": "reader", "type": "text", "parameters": []},
            "maxTimeInQueue": queue_ms,
        });
        let request = self.http.post(url).header(CONTENT_TYPE, "application/json");
        // A practice without the table answers with an error, which is an answer too.
        Ok(request.body(body.to_string()).send().await?.bytes().await?)
    }
}

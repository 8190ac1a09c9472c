//! A simulator under test, and the requests that tests make of it.

use halo_extract::simulator::{Ready, Settings, Simulator, Source};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A running simulator of one small practice, and a client that holds its key.
pub(super) struct Stand {
    pub(super) ready: Ready,
    client: reqwest::Client,
    shutdown: CancellationToken,
    server: JoinHandle<()>,
}

/// A site that every stand has.
pub(super) const PMS_ID: &str = "40001";

impl Stand {
    /// One paired practice whose clock runs in real time.
    pub(super) async fn paired() -> Stand {
        Stand::with(|settings| settings.paired = true).await
    }

    /// One practice, with settings of the test's own.
    pub(super) async fn with(edit: impl FnOnce(&mut Settings)) -> Stand {
        let mut settings = Settings::new(Source::Generated {
            practices: 1,
            patients: 3,
        });
        edit(&mut settings);
        let simulator = Simulator::start(settings).await.unwrap();
        let ready = simulator.ready().clone();
        let shutdown = CancellationToken::new();
        let server = tokio::spawn(simulator.run_until(shutdown.clone()));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Stand {
            ready,
            client,
            shutdown,
            server,
        }
    }

    /// The path of the first site's queries.
    pub(super) fn queries(&self) -> String {
        format!("/integrator/sites/{}/queries", self.guid())
    }

    pub(super) fn guid(&self) -> String {
        self.ready.sites[0].halo_guid.to_string()
    }

    /// A request with the key.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_without_key(method, path)
            .header("Ocp-Apim-Subscription-Key", &self.ready.subscription_key)
    }

    pub(super) fn request_without_key(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.ready.url))
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header("Content-Type", "application/json");
        Answer::of(request.body(body.to_string()).send().await.unwrap()).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path).send().await.unwrap()).await
    }

    /// Runs a statement at once.
    pub(super) async fn immediate(&self, sql: &str) -> Answer {
        self.post(&format!("{}/immediate", self.queries()), &command(sql))
            .await
    }

    /// Submits a statement and returns its id.
    pub(super) async fn submit(&self, sql: &str) -> String {
        let answer = self
            .post(&format!("{}/async", self.queries()), &command(sql))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.json);
        answer.json["id"].as_str().unwrap().to_owned()
    }

    /// Asks for the status until it is final.
    pub(super) async fn settled(&self, id: &str) -> Value {
        self.until(id, |status| {
            !["initialising", "queued", "executing", "uploading"].contains(&status)
        })
        .await
    }

    /// Asks for the status until it is as wanted.
    pub(super) async fn until(&self, id: &str, wanted: impl Fn(&str) -> bool) -> Value {
        loop {
            let answer = self.get(&format!("{}/{id}", self.queries())).await;
            assert_eq!(answer.status, 200, "{}", answer.json);
            if wanted(answer.json["status"].as_str().unwrap()) {
                return answer.json;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Puts a rule in force and returns its number.
    pub(super) async fn fault(&self, rule: Value) -> u64 {
        let answer = self.post("/simulator/faults", &rule).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
        answer.json["id"].as_u64().unwrap()
    }

    pub(super) async fn step(&self, time: &str) {
        assert_eq!(
            self.post("/simulator/clock", &json!({"step": time}))
                .await
                .status,
            200
        );
    }

    /// Requests received at an endpoint of the first site.
    pub(super) async fn received(&self, endpoint: &str) -> u64 {
        self.get("/simulator/counters").await.json[PMS_ID][endpoint]["received"]
            .as_u64()
            .unwrap_or(0)
    }

    /// Ends the simulator and waits for its end.
    pub(super) async fn stop(mut self) {
        self.shutdown.cancel();
        (&mut self.server).await.unwrap();
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// An answer that was read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    /// Null where the body is not JSON.
    pub(super) json: Value,
}

impl Answer {
    async fn of(response: Response) -> Answer {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        Answer {
            status,
            headers,
            json: serde_json::from_str(&text).unwrap_or(Value::Null),
        }
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

/// The body of a query.
pub(super) fn command(sql: &str) -> Value {
    json!({"command": {"text": sql, "executionMode": "reader", "type": "text", "parameters": []}})
}

/// The rows of a `data` field.
pub(super) fn rows(answer: &Value) -> Value {
    let data = answer["data"].as_str().unwrap();
    serde_json::from_slice(&base64_simd::STANDARD.decode_to_vec(data).unwrap()).unwrap()
}

//! A small stand-in for Google Cloud Storage: as much of its XML API as the client library uses, in this process.
//!
//! Facts: <https://cloud.google.com/storage/docs/xml-api/overview>, read 2026-11-24. No public stand-in speaks this
//! interface. Faults are switched on: answers of 500, and answers that take their time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use sha2::Digest;
use tokio::task::JoinHandle;

/// The bucket that exists.
pub(crate) const BUCKET: &str = "lake";

struct Stored {
    /// Joined when they are first read: the cloud does not copy an object either when its parts are complete.
    pieces: Vec<Bytes>,
    etag: String,
    written_at: DateTime<Utc>,
}

impl Stored {
    fn new(pieces: Vec<Bytes>, etag: String) -> Self {
        Self {
            pieces,
            etag,
            written_at: Utc::now(),
        }
    }

    fn size_bytes(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }

    fn bytes(&mut self) -> Bytes {
        if self.pieces.len() != 1 {
            self.pieces = vec![self.pieces.concat().into()];
        }
        self.pieces[0].clone()
    }
}

#[derive(Default)]
struct Bucket {
    objects: BTreeMap<String, Stored>,
    /// Parts of open uploads, by upload and number.
    uploads: BTreeMap<u64, BTreeMap<u32, Stored>>,
    uploads_begun: u64,
    /// How many of the next requests are answered by 500.
    failing: u32,
    slow: Duration,
}

/// The stand-in; ends with the runtime that it was started in.
pub(crate) struct GoogleStub {
    pub(crate) port: u16,
    bucket: Arc<Mutex<Bucket>>,
    serving: JoinHandle<()>,
}

impl GoogleStub {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let bucket = Arc::new(Mutex::new(Bucket::default()));
        let router = Router::new()
            .fallback(answer)
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(Arc::clone(&bucket));
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("served");
        });
        Self {
            port,
            bucket,
            serving,
        }
    }

    /// The variables that lead a client to `port`.
    pub(crate) fn variables(port: u16) -> Vec<(String, String)> {
        let key = format!(
            r#"{{"gcs_base_url":"http://127.0.0.1:{port}","disable_oauth":true,"client_email":"","private_key":"","private_key_id":""}}"#
        );
        vec![
            ("GOOGLE_SERVICE_ACCOUNT_KEY".to_owned(), key),
            ("GOOGLE_ALLOW_HTTP".to_owned(), "true".to_owned()),
        ]
    }

    /// Answers the next `requests` with 500.
    pub(crate) fn fail(&self, requests: u32) {
        lock(&self.bucket).failing = requests;
    }

    /// Lets every answer take so long.
    pub(crate) fn slow_down(&self, by: Duration) {
        lock(&self.bucket).slow = by;
    }

    pub(crate) fn open_uploads(&self) -> usize {
        lock(&self.bucket).uploads.len()
    }

    /// The open uploads that the program has noted.
    pub(crate) fn noted_uploads(&self) -> usize {
        let bucket = lock(&self.bucket);
        let noted = bucket.objects.keys();
        noted
            .filter(|path| path.contains("/_meta/uploads/"))
            .count()
    }
}

impl Drop for GoogleStub {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn lock(bucket: &Mutex<Bucket>) -> MutexGuard<'_, Bucket> {
    bucket.lock().expect("no handler panics")
}

async fn answer(
    State(bucket): State<Arc<Mutex<Bucket>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let slow = lock(&bucket).slow;
    if !slow.is_zero() {
        // What is played here is a slow server.
        tokio::time::sleep(slow).await;
    }
    let mut bucket = lock(&bucket);
    if bucket.failing > 0 {
        bucket.failing -= 1;
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let path = uri.path().trim_start_matches('/');
    let (name, key) = path.split_once('/').unwrap_or((path, ""));
    if decoded(name) != BUCKET {
        return error(StatusCode::NOT_FOUND, "NoSuchBucket");
    }
    let query: BTreeMap<String, String> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
    let key = decoded(key);
    match method {
        Method::GET if key.is_empty() => bucket.list(&query),
        Method::GET | Method::HEAD => bucket.get(&key, &headers),
        Method::PUT => bucket.put(&key, &query, body),
        Method::POST => bucket.post(key, &query, &body),
        Method::DELETE => bucket.delete(&key, &query),
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

impl Bucket {
    fn list(&self, query: &BTreeMap<String, String>) -> Response {
        let prefix = query.get("prefix").map_or("", String::as_str);
        let delimiter = query.get("delimiter");
        let mut text = "<ListBucketResult>".to_owned();
        let mut folders = std::collections::BTreeSet::new();
        for (key, stored) in self.objects.range(prefix.to_owned()..) {
            let Some(rest) = key.strip_prefix(prefix) else {
                break;
            };
            let folder = delimiter.and_then(|delimiter| rest.split_once(delimiter.as_str()));
            if let Some((folder, _)) = folder {
                folders.insert(format!("{prefix}{folder}/"));
                continue;
            }
            write!(
                text,
                "<Contents><Key>{key}</Key><Size>{}</Size><LastModified>{}</LastModified><ETag>{}</ETag></Contents>",
                stored.size_bytes(),
                stored.written_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
                stored.etag,
            )
            .expect("memory");
        }
        for folder in folders {
            write!(
                text,
                "<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>"
            )
            .expect("memory");
        }
        text.push_str("</ListBucketResult>");
        text.into_response()
    }

    fn get(&mut self, key: &str, headers: &HeaderMap) -> Response {
        let Some(stored) = self.objects.get_mut(key) else {
            return error(StatusCode::NOT_FOUND, "NoSuchKey");
        };
        let bytes = stored.bytes();
        let whole = bytes.len();
        let described = [
            (header::ETAG, stored.etag.clone()),
            (
                header::LAST_MODIFIED,
                stored
                    .written_at
                    .format("%a, %d %b %Y %H:%M:%S GMT")
                    .to_string(),
            ),
        ];
        let asked = headers
            .get(header::RANGE)
            .and_then(|range| range.to_str().ok())
            .and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
        let Some((first, last)) = asked else {
            return (described, bytes).into_response();
        };
        let number = |text: &str| text.parse::<usize>().ok();
        let (from, to) = match (number(first), number(last)) {
            (Some(first), Some(last)) => (first, (last + 1).min(whole)),
            (Some(first), None) => (first, whole),
            (None, Some(count)) => (whole.saturating_sub(count), whole),
            (None, None) => return StatusCode::BAD_REQUEST.into_response(),
        };
        let range = format!("bytes {from}-{}/{whole}", to.saturating_sub(1));
        (
            StatusCode::PARTIAL_CONTENT,
            described,
            [(header::CONTENT_RANGE, range)],
            bytes.slice(from..to),
        )
            .into_response()
    }

    fn put(&mut self, key: &str, query: &BTreeMap<String, String>, body: Bytes) -> Response {
        let etag = etag_of(&body);
        let stored = Stored::new(vec![body], etag.clone());
        match (query.get("uploadId"), query.get("partNumber")) {
            (Some(upload), Some(part)) => {
                let parts = upload.parse().ok().and_then(|id| self.uploads.get_mut(&id));
                let (Some(parts), Ok(part)) = (parts, part.parse()) else {
                    return error(StatusCode::NOT_FOUND, "NoSuchUpload");
                };
                parts.insert(part, stored);
            }
            _ => drop(self.objects.insert(key.to_owned(), stored)),
        }
        [(header::ETAG, etag)].into_response()
    }

    fn post(&mut self, key: String, query: &BTreeMap<String, String>, body: &[u8]) -> Response {
        let Some(upload) = query.get("uploadId") else {
            self.uploads_begun += 1;
            let id = self.uploads_begun;
            self.uploads.insert(id, BTreeMap::new());
            return format!(
                "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            )
            .into_response();
        };
        let id = upload.parse().unwrap_or_default();
        let Some(parts) = self.uploads.get_mut(&id) else {
            return error(StatusCode::NOT_FOUND, "NoSuchUpload");
        };
        let named = String::from_utf8_lossy(body)
            .matches("<PartNumber>")
            .count();
        if named != parts.len() {
            return error(StatusCode::BAD_REQUEST, "InvalidPart");
        }
        let marks: String = parts.values().map(|part| part.etag.as_str()).collect();
        // As in the clouds: the mark of an object of parts is not that of its bytes.
        let etag = etag_of(marks.as_bytes());
        let pieces = std::mem::take(parts).into_values();
        let pieces = pieces.flat_map(|part| part.pieces).collect();
        let stored = Stored::new(pieces, etag.clone());
        self.uploads.remove(&id);
        self.objects.insert(key, stored);
        format!(
            "<CompleteMultipartUploadResult><ETag>{etag}</ETag></CompleteMultipartUploadResult>"
        )
        .into_response()
    }

    fn delete(&mut self, key: &str, query: &BTreeMap<String, String>) -> Response {
        let there = match query.get("uploadId") {
            Some(upload) => {
                let id = upload.parse().unwrap_or_default();
                self.uploads.remove(&id).is_some()
            }
            None => self.objects.remove(key).is_some(),
        };
        if there {
            StatusCode::NO_CONTENT.into_response()
        } else {
            error(StatusCode::NOT_FOUND, "NoSuchKey")
        }
    }
}

fn etag_of(bytes: &[u8]) -> String {
    let digest = sha2::Sha256::digest(bytes);
    let hex: String = digest[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hex}\"")
}

fn error(status: StatusCode, code: &str) -> Response {
    (status, format!("<Error><Code>{code}</Code></Error>")).into_response()
}

fn decoded(text: &str) -> String {
    // A plus is a plus in a path.
    let text = text.replace('+', "%2B");
    let pairs: Vec<_> = url::form_urlencoded::parse(text.as_bytes()).collect();
    pairs
        .first()
        .map(|(key, _)| key.clone().into_owned())
        .unwrap_or_default()
}

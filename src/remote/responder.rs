//! A tiny HTTP server for tests, under full control of every byte: answers, breaks off, holds its tongue.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// With the query part.
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name)?;
        Some(&found.1)
    }
}

/// What to do with a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Send these bytes, then close.
    Bytes(Vec<u8>),
    /// Close without a word.
    Nothing,
    /// Wait for a permit, then send these bytes.
    Held(Arc<Semaphore>, Vec<u8>),
}

impl Reply {
    pub(crate) fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::with(status, &[("content-type", "application/json")], body)
    }

    pub(crate) fn with(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let mut bytes = format!(
            "HTTP/1.1 {status} Told\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            bytes.push_str(&format!("{name}: {value}\r\n"));
        }
        bytes.push_str("connection: close\r\n\r\n");
        let mut bytes = bytes.into_bytes();
        bytes.extend(body);
        Self::Bytes(bytes)
    }

    /// Breaks off in the last bytes of the body.
    pub(crate) fn cut(self) -> Self {
        match self {
            Self::Bytes(mut bytes) => {
                bytes.truncate(bytes.len() - 3);
                Self::Bytes(bytes)
            }
            other => other,
        }
    }

    pub(crate) fn held_by(self, gate: &Arc<Semaphore>) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Held(gate.clone(), bytes),
            other => other,
        }
    }
}

/// A running server; ends when dropped.
pub(crate) struct Responder {
    pub(crate) url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    _serving: AbortOnDropHandle<()>,
}

impl Responder {
    /// Answers each request by what `answer` says, given its place in the order of arrival (from 0).
    pub(crate) async fn start(
        answer: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (seen.clone(), Arc::new(answer));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, answer) = (log.clone(), answer.clone());
                tokio::spawn(async move {
                    let _ = serve(stream, &log, &*answer).await;
                });
            }
        });
        Self {
            url: format!("http://127.0.0.1:{port}").parse().expect("a URL"),
            seen,
            _serving: AbortOnDropHandle::new(serving),
        }
    }

    /// The requests so far, in order of arrival.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic while held").clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    log: &Mutex<Vec<Seen>>,
    answer: &(impl Fn(usize, &Seen) -> Reply + Sync),
) -> std::io::Result<()> {
    let Some(request) = read_request(&mut stream).await? else {
        return Ok(());
    };
    let reply = {
        let mut log = log.lock().expect("no panic while held");
        log.push(request.clone());
        answer(log.len() - 1, &request)
    };
    match reply {
        Reply::Nothing => return Ok(()),
        Reply::Bytes(bytes) => stream.write_all(&bytes).await?,
        Reply::Held(gate, bytes) => {
            gate.acquire().await.expect("never closed").forget();
            stream.write_all(&bytes).await?;
        }
    }
    stream.shutdown().await
}

async fn read_request(stream: &mut TcpStream) -> std::io::Result<Option<Seen>> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = memchr::memmem::find(&bytes, b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let mut seen = Seen {
        method: words.next().unwrap_or_default().to_owned(),
        path: words.next().unwrap_or_default().to_owned(),
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect(),
        body: bytes[head_end + 4..].to_vec(),
    };
    let length = seen
        .header("content-length")
        .map_or(0, |text| text.parse().expect("a length"));
    while seen.body.len() < length {
        if stream.read_buf(&mut seen.body).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(seen))
}

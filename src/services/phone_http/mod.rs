//! The HTTP server for the files of telephones, on a port of its own: no page for people is here, and nothing is changed by a request.

use super::descriptors;
use super::phone_files::{Answer, Asker, Body, Handed, PhoneFiles};
use crate::event::provision::{BrokenOff, FileOutcome, Given};
use crate::provision::Via;
use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read as _};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::spawn_local;

use crate::source_key::SourceKey;

/// The port unless another is named.
pub const PORT: u16 = 8069;
/// Connections at a time, where the system lets the program open enough files.
const MAX_CONNECTIONS: usize = 256;
/// Of these, of one address or /64.
const MAX_OF_ONE: usize = 16;
/// Bytes of a request's head.
const MAX_HEAD: usize = 8 * 1024;
/// Fields of a request's head.
const MAX_FIELDS: usize = 64;
/// How long a head may take, and how long a connection may be idle.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a connection may last: firmware over a slow line.
const CONNECTION_TIME: Duration = Duration::from_secs(300);
/// Bytes read from a file at a time.
const CHUNK: u64 = 32 * 1024;

const MANY: &str = "HTTP: too many connections";
const MANY_OF_ONE: &str = "HTTP: too many connections of one address";
const NETWORK: &str = "HTTP: from a network that is not served";

type Connections = Arc<Mutex<BTreeMap<SourceKey, usize>>>;

/// Serves requests until it is dropped. To be run within a `LocalSet`.
pub async fn serve(listener: TcpListener, files: Arc<PhoneFiles>) {
    let free = Arc::new(Semaphore::new(descriptors::bound(MAX_CONNECTIONS)));
    let connections = Connections::default();
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // No descriptor is left, or the connection is gone again.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let board = files.board();
        if !files.serves(peer.ip()) {
            board.dropped_otherwise(NETWORK);
            continue;
        }
        let Ok(permit) = free.clone().try_acquire_owned() else {
            board.dropped_otherwise(MANY);
            continue;
        };
        let Some(seat) = Seat::take(&connections, peer.ip()) else {
            board.dropped_otherwise(MANY_OF_ONE);
            continue;
        };
        let files = files.clone();
        spawn_local(async move {
            let _held = (permit, seat);
            // A connection that takes longer is cut off; so is one that breaks the protocol.
            let _ = tokio::time::timeout(CONNECTION_TIME, connection(stream, peer, files)).await;
        });
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, files: Arc<PhoneFiles>) -> Result<(), hyper::Error> {
    let Ok(local) = stream.local_addr() else { return Ok(()) };
    let answer = move |request: Request<Incoming>| {
        let files = files.clone();
        async move { Ok::<_, Infallible>(respond(request, peer, local.ip(), &files).await) }
    };
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_FIELDS)
        .serve_connection(TokioIo::new(stream), service_fn(answer))
        .await
}

type Answered = Response<BoxBody<Bytes, io::Error>>;

async fn respond(request: Request<Incoming>, peer: SocketAddr, reached_at: IpAddr, files: &PhoneFiles) -> Answered {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "Files can be fetched here, and nothing else.\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let Some(name) = decoded(request.uri().path()) else {
        return plain(StatusCode::BAD_REQUEST, "The path is not UTF-8.\n");
    };
    let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
    let asker = Asker { name: &name, via: Via::Http, peer, reached_at, user_agent };
    match files.ask(asker).await {
        Answer::Missing => plain(StatusCode::NOT_FOUND, "There is no such file.\n"),
        Answer::Refused => {
            plain(StatusCode::FORBIDDEN, "This file is not given to you: the exchange's log says why.\n")
        }
        Answer::Give(handed) => {
            let kind = content_type(&handed.name);
            let body = FileBody::new(*handed, request.method() == Method::HEAD);
            let mut response = Response::new(body.boxed());
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            // Telephones must not keep what has passwords in it, and see a change at once.
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
    }
}

fn plain(status: StatusCode, text: &'static str) -> Answered {
    let body = Full::new(Bytes::from_static(text.as_bytes())).map_err(|never: Infallible| match never {});
    let mut response = Response::new(body.boxed());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

/// The path with its percent signs decoded; none: what comes out is no UTF-8.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let pair = rest.clone().next().zip(rest.clone().nth(1));
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match pair.and_then(|(high, low)| digit(high).zip(digit(low))) {
            Some((high, low)) if byte == b'%' => {
                bytes.push((high << 4) | low);
                rest.nth(1);
            }
            Some(_) | None => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

/// Cisco's telephones insist on text/xml.
fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).as_deref() {
        Some("xml" | "cfg") => "text/xml",
        Some("cnf" | "txt" | "dat") => "text/plain",
        Some("bmp") => "image/bmp",
        Some("png") => "image/png",
        Some(_) | None => "application/octet-stream",
    }
}

/// The bytes of a file on their way; when it is dropped before its end the transfer has broken off.
struct FileBody {
    source: Source,
    left: u64,
    length: u64,
    what: Option<&'static str>,
    has_secret: bool,
    entry: Option<super::phone_files::Entry>,
}

enum Source {
    Made(Vec<u8>),
    OnDisk(File),
}

impl FileBody {
    fn new(handed: Handed, head_only: bool) -> FileBody {
        let Handed { body, length, what, has_secret, entry, .. } = handed;
        let source = match body {
            Body::Made(bytes) => Source::Made(bytes),
            Body::OnDisk(file) => Source::OnDisk(file),
        };
        let mut body = FileBody { source, left: length, length, what, has_secret, entry: Some(entry) };
        if head_only {
            // hyper takes the length of it and drops it.
            body.end(FileOutcome::Broken { bytes: 0, reason: BrokenOff::Ended("it asked for the length".into()) });
        } else if length == 0 {
            body.given();
        }
        body
    }

    fn end(&mut self, outcome: FileOutcome) {
        if let Some(entry) = self.entry.take() {
            entry.end(outcome);
        }
    }

    fn given(&mut self) {
        let took = self.entry.as_ref().map_or(Duration::ZERO, super::phone_files::Entry::took);
        let Self { what, length, has_secret, .. } = *self;
        self.end(FileOutcome::Given(Given { what, bytes: length, took, has_secret, ..Given::default() }));
    }

    fn next(&mut self) -> io::Result<Vec<u8>> {
        match &mut self.source {
            Source::Made(bytes) => Ok(std::mem::take(bytes)),
            Source::OnDisk(file) => {
                let mut bytes = Vec::new();
                file.take(self.left.min(CHUNK)).read_to_end(&mut bytes)?;
                if bytes.is_empty() { Err(io::Error::other("the file was cut short")) } else { Ok(bytes) }
            }
        }
    }
}

impl HttpBody for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        match self.next() {
            Ok(bytes) => {
                self.left = self.left.saturating_sub(bytes.len() as u64);
                let sent = self.length.saturating_sub(self.left);
                if let Some(entry) = &self.entry {
                    entry.progress(sent);
                }
                if self.left == 0 {
                    self.given();
                }
                Poll::Ready(Some(Ok(Frame::data(bytes.into()))))
            }
            Err(error) => {
                let bytes = self.length.saturating_sub(self.left);
                self.end(FileOutcome::Broken { bytes, reason: BrokenOff::Unreadable(error.to_string()) });
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// One of the connections that an address may have.
struct Seat {
    connections: Connections,
    key: SourceKey,
}

impl Seat {
    fn take(connections: &Connections, address: IpAddr) -> Option<Seat> {
        let key = SourceKey::of(address);
        let mut table = connections.lock().unwrap_or_else(PoisonError::into_inner);
        let count = table.entry(key).or_default();
        if *count >= MAX_OF_ONE {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Seat { connections: connections.clone(), key })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut table = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = table.get_mut(&self.key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                table.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded() {
        let text = |path| decoded(path).unwrap_or_default();
        assert_eq!(text("/spa%24PSN.cfg"), "/spa$PSN.cfg");
        assert_eq!(text("/a%2e%2E/%"), "/a../%");
        assert_eq!(text("/%zz%4"), "/%zz%4");
        assert_eq!(decoded("/%ff"), None);
    }

    #[test]
    fn kinds_are_those_that_telephones_want() {
        assert_eq!(content_type("directory.xml"), "text/xml");
        assert_eq!(content_type("/spa2102.CFG"), "text/xml");
        assert_eq!(content_type("P0S3-8-12-00.sbn"), "application/octet-stream");
        assert_eq!(content_type("none"), "application/octet-stream");
    }

    #[test]
    fn an_address_has_so_many_connections() {
        let connections = Connections::default();
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let seats: Vec<_> = (0..MAX_OF_ONE).filter_map(|_| Seat::take(&connections, address)).collect();
        assert_eq!(seats.len(), MAX_OF_ONE);
        assert!(Seat::take(&connections, address).is_none());
        assert!(Seat::take(&connections, "192.0.2.2".parse().unwrap()).is_some());
        drop(seats);
        assert!(Seat::take(&connections, address).is_some());
        assert!(connections.lock().unwrap().is_empty());
    }
}

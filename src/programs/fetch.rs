//! Web pages: one request, http or https and nothing else, bounded in time and size.

use crate::dialplan::outside::Fetch;
use crate::net::stream::tls;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, LOCATION, USER_AGENT};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The largest page, in bytes.
const MAX_PAGE: usize = 256 * 1024;
/// What we are to a server.
const AGENT: &str = concat!("strowger/", env!("CARGO_PKG_VERSION"));

/// What pages are fetched with: the authorities are read once.
#[derive(Default)]
pub(super) struct Fetcher {
    verifying: tokio::sync::OnceCell<TlsConnector>,
}

impl Fetcher {
    /// The page.
    pub(super) async fn fetch(&self, fetch: &Fetch) -> Result<String, String> {
        let page = tokio::time::timeout(fetch.total, self.follow(fetch)).await;
        page.unwrap_or_else(|_| Err(format!("{} did not answer within {} s", shown(&fetch.url), fetch.total.as_secs())))
    }

    async fn follow(&self, fetch: &Fetch) -> Result<String, String> {
        let mut url = with_scheme(&fetch.url);
        let mut post = fetch.post.clone();
        for left in (0..=fetch.redirects).rev() {
            let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
            if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
                return Err(format!("{} is neither http:// nor https://, and nothing else is fetched", shown(&url)));
            }
            let uri: Uri = url.parse().map_err(|error| format!("{} is no address: {error}", shown(&url)))?;
            let response = self.request(&uri, post.as_deref(), fetch).await?;
            let status = response.status().as_u16();
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            match location.filter(|_| left > 0 && (300..400).contains(&status)) {
                Some(location) => {
                    url = elsewhere(&uri, location);
                    // As every browser does: only these two keep the method.
                    post = post.filter(|_| matches!(status, 307 | 308));
                }
                None => return page(response).await,
            }
        }
        Err(format!("{} leads from one address to the next", shown(&fetch.url)))
    }

    async fn request(
        &self,
        uri: &Uri,
        post: Option<&str>,
        fetch: &Fetch,
    ) -> Result<Response<hyper::body::Incoming>, String> {
        let secure = uri.scheme_str() == Some("https");
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = tokio::time::timeout(fetch.connect, connect(&host, port));
        let stream = stream
            .await
            .map_err(|_| format!("no connection to {host}:{port} within {} s", fetch.connect.as_secs()))??;
        let request = request(uri, post, &fetch.headers)?;
        if !secure {
            return exchange(TokioIo::new(stream), request).await;
        }
        let connector = if fetch.verify {
            let read = || async {
                let read = tokio::task::spawn_blocking(|| tls::connector(true)).await;
                read.unwrap_or_else(|error| Err(error.to_string()))
            };
            self.verifying.get_or_try_init(read).await?.clone()
        } else {
            tls::connector(false)?
        };
        let name = ServerName::try_from(host.clone()).map_err(|error| format!("{}: {error}", shown(&host)))?;
        let stream = connector.connect(name, stream).await.map_err(|error| format!("{host}: {error}"))?;
        exchange(TokioIo::new(stream), request).await
    }
}

/// The first of the name's addresses that takes a connection.
pub(super) async fn connect(host: &str, port: u16) -> Result<TcpStream, String> {
    let found = tokio::net::lookup_host((host, port)).await;
    let mut addresses: Vec<_> = found.map_err(|error| format!("{host} is not found: {error}"))?.collect();
    addresses.sort_by_key(|address| !address.is_ipv4());
    let mut why = format!("{host} has no address");
    for address in addresses.into_iter().take(4) {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => why = format!("{address}: {error}"),
        }
    }
    Err(why)
}

fn request(uri: &Uri, post: Option<&str>, headers: &[String]) -> Result<Request<Full<Bytes>>, String> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let method = if post.is_some() { Method::POST } else { Method::GET };
    let mut request = Request::builder().method(method).uri(path).header(HOST, host).header(USER_AGENT, AGENT);
    if post.is_some() {
        request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    let body = Full::new(Bytes::from(post.unwrap_or_default().to_owned()));
    let mut request = request.body(body).map_err(|error| error.to_string())?;
    for line in headers {
        let header = line.split_once(':').and_then(|(name, value)| {
            Some((name.trim().parse::<HeaderName>().ok()?, value.trim().parse::<HeaderValue>().ok()?))
        });
        let (name, value) = header.ok_or_else(|| format!("{} is no header line", shown(line)))?;
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin + 'static>(
    stream: TokioIo<S>,
    request: Request<Full<Bytes>>,
) -> Result<Response<hyper::body::Incoming>, String> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(stream).await.map_err(|error| error.to_string())?;
    // It ends with the response's body, or with the time.
    tokio::task::spawn_local(async move {
        let _ = tokio::time::timeout(Duration::from_secs(120), connection).await;
    });
    sender.send_request(request).await.map_err(|error| error.to_string())
}

async fn page(response: Response<hyper::body::Incoming>) -> Result<String, String> {
    let mut body = response.into_body();
    let mut page = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| error.to_string())?;
        if let Some(data) = frame.data_ref() {
            if page.len().saturating_add(data.len()) > MAX_PAGE {
                return Err(format!("the page is larger than {} kB", MAX_PAGE / 1024));
            }
            page.extend_from_slice(data);
        }
    }
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn with_scheme(url: &str) -> String {
    if url.contains("://") { url.to_owned() } else { format!("http://{url}") }
}

/// Where a server sends the request.
fn elsewhere(from: &Uri, location: &str) -> String {
    if location.contains("://") {
        return location.to_owned();
    }
    let scheme = from.scheme_str().unwrap_or("http");
    let authority = from.authority().map_or("", |authority| authority.as_str());
    match location.strip_prefix('/') {
        Some(path) => format!("{scheme}://{authority}/{path}"),
        None => {
            let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{scheme}://{authority}{folder}/{location}")
        }
    }
}

/// For the log: no password of an address, and not all of a long one.
fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let path = path.split('?').next().unwrap_or_default();
    let whole = format!("{scheme}{}{host}/{path}", if scheme.is_empty() { "" } else { "://" });
    whole.chars().filter(|letter| !letter.is_control()).take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_server_sends_us() {
        let from: Uri = "http://a.example:8080/x/y?z".parse().unwrap();
        for (location, url) in [
            ("https://b.example/", "https://b.example/"),
            ("/up", "http://a.example:8080/up"),
            ("beside", "http://a.example:8080/x/beside"),
        ] {
            assert_eq!(elsewhere(&from, location), url);
        }
        assert_eq!(shown("https://me:secret@a.example/p?key=1"), "https://a.example/p");
        assert_eq!(with_scheme("a.example/x"), "http://a.example/x");
    }
}

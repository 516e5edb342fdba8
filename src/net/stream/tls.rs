//! Certificates and keys from files, and what TLS is spoken with: 1.2 and 1.3, by rustls.

use crate::clock::Wall;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Where systems keep the certificates of the authorities they trust.
const SYSTEM: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// The files TLS is set up from, with their whole paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// Our certificate with its chain.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authorities to trust; none: the system's list.
    pub authorities: Option<PathBuf>,
    /// Must a server show a certificate we trust?
    pub verify_server: bool,
}

/// What TLS connections are made with, both ways.
#[derive(Clone)]
pub struct Setup {
    pub(super) acceptor: TlsAcceptor,
    pub(super) connector: TlsConnector,
}

/// What connections to others' servers are made with: a certificate must lead to an authority of the system's list, or,
/// without `verify`, none is looked at.
///
/// # Errors
/// The system's list cannot be read.
pub fn connector(verify: bool) -> Result<TlsConnector, String> {
    connecting(Arc::new(ring::default_provider()), verify, None)
}

impl Setup {
    /// Reads the files.
    ///
    /// # Errors
    /// What is wrong, with the file's name, and what to do.
    pub fn read(files: &Files) -> Result<Setup, String> {
        let provider = Arc::new(ring::default_provider());
        let chain = certificates(&files.certificate)?;
        let accept = accepting(provider.clone(), chain, private_key(&files.key)?).map_err(|error| {
            format!("{}: the certificate cannot be used with its key: {error}", files.certificate.display())
        })?;
        let connector = connecting(provider, files.verify_server, files.authorities.as_deref())?;
        Ok(Setup { acceptor: TlsAcceptor::from(Arc::new(accept)), connector })
    }
}

fn connecting(
    provider: Arc<CryptoProvider>,
    verify_server: bool,
    trusted: Option<&Path>,
) -> Result<TlsConnector, String> {
    let connect = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let connect = if verify_server {
        connect.with_root_certificates(authorities(trusted)?).with_no_client_auth()
    } else {
        let trust_any = Arc::new(TrustAny(provider));
        connect.dangerous().with_custom_certificate_verifier(trust_any).with_no_client_auth()
    };
    Ok(TlsConnector::from(Arc::new(connect)))
}

fn accepting(
    provider: Arc<CryptoProvider>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    config.with_no_client_auth().with_single_cert(chain, key)
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| {
        let hint = "tlsprivatekey= names the key when it is not in the file of tlscertfile=";
        format!("{}: no private key can be read: {error} ({hint})", file.display())
    })
}

/// One of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsFile {
    /// The certificate with its chain.
    Certificate,
    /// Its key.
    Key,
    /// The authorities to trust.
    Authorities,
}

/// A problem with the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// One is missing, cannot be read, is no PEM, or does not belong to the others: why, with its name.
    Unusable(TlsFile, String),
    /// The certificate, or one of its chain, expired then.
    Expired(Wall),
    /// It is not valid yet.
    Early,
    /// It expires then, and that is soon.
    Expiring(Wall),
    /// Every user of this machine may read the key in this file.
    Open(String),
}

impl Problem {
    /// The file it is about.
    pub fn file(&self) -> TlsFile {
        match self {
            Problem::Unusable(file, _) => *file,
            Problem::Expired(_) | Problem::Early | Problem::Expiring(_) => TlsFile::Certificate,
            Problem::Open(_) => TlsFile::Key,
        }
    }
}

/// The problems of the files, now or by `soon`.
pub fn inspect(files: &Files, now: Wall, soon: Wall) -> Vec<Problem> {
    let mut found = Vec::new();
    let chain =
        certificates(&files.certificate).map_err(|why| found.push(Problem::Unusable(TlsFile::Certificate, why)));
    let key = private_key(&files.key).map_err(|why| found.push(Problem::Unusable(TlsFile::Key, why)));
    if let Some(Err(why)) = files.authorities.as_deref().map(certificates) {
        found.push(Problem::Unusable(TlsFile::Authorities, why));
    }
    if let Ok(chain) = &chain {
        found.extend(chain.iter().find_map(|one| age(one, now, soon)));
    }
    let is_open = fs::metadata(&files.key).is_ok_and(|found| found.mode() & 0o004 != 0);
    if key.is_ok() && is_open {
        found.push(Problem::Open(files.key.display().to_string()));
    }
    let (Ok(chain), Ok(key)) = (chain, key) else { return found };
    if let Err(error) = accepting(Arc::new(ring::default_provider()), chain, key) {
        let (key, certificate) = (files.key.display(), files.certificate.display());
        found.push(match error {
            rustls::Error::InconsistentKeys(_) => {
                Problem::Unusable(TlsFile::Key, format!("{key}: it is not the key of the certificate in {certificate}"))
            }
            other => Problem::Unusable(
                TlsFile::Certificate,
                format!("{certificate}: it cannot be used with its key: {other}"),
            ),
        });
    }
    found
}

/// Has a certificate expired, or will it have by `soon`? Its issuer does not matter here: rustls checks the dates
/// first.
fn age(certificate: &CertificateDer<'_>, now: Wall, soon: Wall) -> Option<Problem> {
    let algorithms = ring::default_provider().signature_verification_algorithms.all;
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let at = |wall: Wall| {
        let since = Duration::from_millis(u64::try_from(wall.0).unwrap_or_default());
        let (no_roots, time) = (RootCertStore::empty(), UnixTime::since_unix_epoch(since));
        verify_server_cert_signed_by_trust_anchor(&parsed, &no_roots, &[], time, algorithms).err()
    };
    let day = |time: UnixTime| Wall(i64::try_from(time.as_secs()).unwrap_or(i64::MAX).saturating_mul(1_000));
    use CertificateError::{ExpiredContext, NotValidYet, NotValidYetContext};
    match (at(now), at(soon)) {
        (Some(rustls::Error::InvalidCertificate(ExpiredContext { not_after, .. })), _) => {
            Some(Problem::Expired(day(not_after)))
        }
        (Some(rustls::Error::InvalidCertificate(NotValidYet | NotValidYetContext { .. })), _) => Some(Problem::Early),
        (_, Some(rustls::Error::InvalidCertificate(ExpiredContext { not_after, .. }))) => {
            Some(Problem::Expiring(day(not_after)))
        }
        (_, _) => None,
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| format!("{}: no certificate can be read: {error}", file.display()))?;
    if found.is_empty() {
        return Err(format!("{}: there is no certificate in it (-----BEGIN CERTIFICATE-----)", file.display()));
    }
    Ok(found)
}

/// A system without a list trusts no authority: a connection of ours then fails with an unknown issuer.
fn authorities(file: Option<&Path>) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    let system = || SYSTEM.iter().map(Path::new).find(|path| path.exists());
    if let Some(path) = file.or_else(system) {
        store.add_parsable_certificates(certificates(path)?);
    }
    Ok(store)
}

/// Trusts any certificate (`tlsdontverifyserver=yes`); its signatures are checked all the same.
#[derive(Debug)]
struct TrustAny(Arc<CryptoProvider>);

impl ServerCertVerifier for TrustAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

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

/// Where systems keep the certificates of the authorities they believe.
const SYSTEM: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// The files TLS is set up from, with their whole paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// Our certificate with its chain.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Whom to believe; none: the system's list.
    pub authorities: Option<PathBuf>,
    /// Must a server show a certificate we believe?
    pub verify_server: bool,
}

/// What TLS connections are made with, both ways.
#[derive(Clone)]
pub struct Setup {
    pub(super) acceptor: TlsAcceptor,
    pub(super) connector: TlsConnector,
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
        let connect = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let connect = if files.verify_server {
            connect.with_root_certificates(authorities(files.authorities.as_deref())?).with_no_client_auth()
        } else {
            let trusting = Arc::new(Trusting(provider));
            connect.dangerous().with_custom_certificate_verifier(trusting).with_no_client_auth()
        };
        let (acceptor, connector) = (TlsAcceptor::from(Arc::new(accept)), TlsConnector::from(Arc::new(connect)));
        Ok(Setup { acceptor, connector })
    }
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

/// Which of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The certificate with its chain.
    Certificate,
    /// Its key.
    Key,
    /// Whom to believe.
    Authorities,
}

/// Something wrong with the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ill {
    /// One is missing, cannot be read, is no PEM, or does not belong to the others: why, with its name.
    Unusable(Which, String),
    /// The certificate, or one of its chain, is over since then.
    Expired(Wall),
    /// Its time has not come.
    Early,
    /// It will be over then, and that is soon.
    Expiring(Wall),
    /// Everybody on this machine may read the key in this file.
    Open(String),
}

impl Ill {
    /// Whose fault it is.
    pub fn which(&self) -> Which {
        match self {
            Ill::Unusable(which, _) => *which,
            Ill::Expired(_) | Ill::Early | Ill::Expiring(_) => Which::Certificate,
            Ill::Open(_) => Which::Key,
        }
    }
}

/// What is wrong with the files, or will be by `soon`.
pub fn inspect(files: &Files, now: Wall, soon: Wall) -> Vec<Ill> {
    let mut found = Vec::new();
    let chain = certificates(&files.certificate).map_err(|why| found.push(Ill::Unusable(Which::Certificate, why)));
    let key = private_key(&files.key).map_err(|why| found.push(Ill::Unusable(Which::Key, why)));
    if let Some(Err(why)) = files.authorities.as_deref().map(certificates) {
        found.push(Ill::Unusable(Which::Authorities, why));
    }
    if let Ok(chain) = &chain {
        found.extend(chain.iter().find_map(|one| age(one, now, soon)));
    }
    let is_open = fs::metadata(&files.key).is_ok_and(|found| found.mode() & 0o004 != 0);
    if key.is_ok() && is_open {
        found.push(Ill::Open(files.key.display().to_string()));
    }
    let (Ok(chain), Ok(key)) = (chain, key) else { return found };
    if let Err(error) = accepting(Arc::new(ring::default_provider()), chain, key) {
        let (key, certificate) = (files.key.display(), files.certificate.display());
        found.push(match error {
            rustls::Error::InconsistentKeys(_) => {
                Ill::Unusable(Which::Key, format!("{key}: it is not the key of the certificate in {certificate}"))
            }
            other => {
                Ill::Unusable(Which::Certificate, format!("{certificate}: it cannot be used with its key: {other}"))
            }
        });
    }
    found
}

/// Is a certificate over, or will it be by `soon`? Nobody is believed here: its own days are looked at before its issuer.
fn age(certificate: &CertificateDer<'_>, now: Wall, soon: Wall) -> Option<Ill> {
    let algorithms = ring::default_provider().signature_verification_algorithms.all;
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let at = |wall: Wall| {
        let since = Duration::from_millis(u64::try_from(wall.0).unwrap_or_default());
        let (nobody, time) = (RootCertStore::empty(), UnixTime::since_unix_epoch(since));
        verify_server_cert_signed_by_trust_anchor(&parsed, &nobody, &[], time, algorithms).err()
    };
    let day = |time: UnixTime| Wall(i64::try_from(time.as_secs()).unwrap_or(i64::MAX).saturating_mul(1_000));
    use CertificateError::{ExpiredContext, NotValidYet, NotValidYetContext};
    match (at(now), at(soon)) {
        (Some(rustls::Error::InvalidCertificate(ExpiredContext { not_after, .. })), _) => {
            Some(Ill::Expired(day(not_after)))
        }
        (Some(rustls::Error::InvalidCertificate(NotValidYet | NotValidYetContext { .. })), _) => Some(Ill::Early),
        (_, Some(rustls::Error::InvalidCertificate(ExpiredContext { not_after, .. }))) => {
            Some(Ill::Expiring(day(not_after)))
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

/// A system without a list believes nobody: a connection of ours then says that the issuer is unknown.
fn authorities(file: Option<&Path>) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    let system = || SYSTEM.iter().map(Path::new).find(|path| path.exists());
    if let Some(path) = file.or_else(system) {
        store.add_parsable_certificates(certificates(path)?);
    }
    Ok(store)
}

/// Believes any certificate (`tlsdontverifyserver=yes`); its signatures are checked all the same.
#[derive(Debug)]
struct Trusting(Arc<CryptoProvider>);

impl ServerCertVerifier for Trusting {
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

//! Certificates and keys from files, and what TLS is spoken with: 1.2 and 1.3, by rustls.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use std::path::{Path, PathBuf};
use std::sync::Arc;
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
        let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| {
            let hint = "tlsprivatekey= names the key when it is not in the file of tlscertfile=";
            format!("{}: no private key can be read: {error} ({hint})", files.key.display())
        })?;
        let accept = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| {
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

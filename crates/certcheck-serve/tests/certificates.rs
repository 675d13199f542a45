//! Which of several certificates a client gets: by the name that it asks for, and by the signatures that it can verify.

mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use certcheck_rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use certcheck_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use certcheck_rustls::rustls::version::{TLS12, TLS13};
use certcheck_rustls::rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme, SupportedProtocolVersion,
};
use certcheck_rustls::tokio_rustls::TlsConnector;
use certcheck_testkit::served::client_config;
use certcheck_testkit::{Key, keys};
use support::*;
use tokio::net::TcpStream;

/// Accepts any certificate, and offers these signatures.
#[derive(Debug)]
struct Offers(Vec<SignatureScheme>);

impl ServerCertVerifier for Offers {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}

const RSA: SignatureScheme = SignatureScheme::RSA_PSS_SHA256;
const ECDSA: SignatureScheme = SignatureScheme::ECDSA_NISTP256_SHA256;
const ED25519: SignatureScheme = SignatureScheme::ED25519;

/// The certificate that a client gets that asks for this name and offers these signatures. `None` if it is refused.
async fn got(
    pki: &Pki,
    address: SocketAddr,
    name: Option<&str>,
    schemes: &[SignatureScheme],
    version: &'static SupportedProtocolVersion,
) -> Option<Vec<u8>> {
    let mut config: ClientConfig = client_config(Some(&pki.person("good")), version);
    config.dangerous().set_certificate_verifier(Arc::new(Offers(schemes.to_vec())));
    config.enable_sni = name.is_some();
    let name = ServerName::try_from(name.unwrap_or("localhost").to_owned()).expect("a name");
    let io = TcpStream::connect(address).await.expect("connects");
    let stream = TlsConnector::from(Arc::new(config)).connect(name, io).await.ok()?;
    Some(stream.get_ref().1.peer_certificates().expect("a certificate")[0].to_vec())
}

/// The certificate in a file.
fn in_file(pki: &Pki, name: &str) -> Option<Vec<u8>> {
    use certcheck_rustls::pki_types::pem::PemObject as _;
    let read = CertificateDer::from_pem_file(pki.path(&format!("{name}.pem")));
    Some(read.expect("a certificate").to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn name_and_signature_choose_the_certificate() {
    let pki = Pki::new();
    for (file, host, key) in [
        ("rsa", "localhost", keys::rsa2048("sni rsa")),
        ("ecdsa", "localhost", Key::p256("sni ecdsa")),
        ("ed25519", "localhost", keys::ed25519("sni ed25519")),
        ("other", "other.example", Key::p256("sni other")),
        ("wild", "*.wild.example", Key::p256("sni wild")),
    ] {
        pki.write_server(file, host, &key);
    }
    let pairs: Vec<String> = ["ecdsa", "rsa", "ed25519", "other", "wild"]
        .map(|name| format!("{{ chain = '{name}.pem', key = '{name}.key' }}"))
        .to_vec();
    let certificates = format!("certificates = [{}]", pairs.join(", "));
    let upstream = echo().await;
    for unknown in ["default", "refuse"] {
        let (front, address) = pki.front(&upstream, &format!("{certificates}\nunknown_sni = '{unknown}'"));
        for version in [&TLS12, &TLS13] {
            let got = |name: Option<&'static str>, schemes: &'static [SignatureScheme]| {
                got(&pki, address, name, schemes, version)
            };
            for (name, schemes, file) in [
                (Some("localhost"), &[RSA, ECDSA, ED25519][..], "ecdsa"),
                (Some("localhost"), &[RSA], "rsa"),
                (Some("localhost"), &[ECDSA], "ecdsa"),
                (Some("localhost"), &[ED25519], "ed25519"),
                (Some("OTHER.example"), &[RSA, ECDSA], "other"),
                (Some("a.wild.example"), &[ECDSA], "wild"),
                (None, &[RSA], "rsa"),
                (None, &[ECDSA, RSA], "ecdsa"),
            ] {
                let expected = in_file(&pki, file);
                assert_eq!(got(name, schemes).await, expected, "{name:?}, {schemes:?}, {version:?}");
            }
            for name in ["wild.example", "a.b.wild.example", "stranger.example"] {
                let expected = if unknown == "default" { in_file(&pki, "ecdsa") } else { None };
                assert_eq!(got(Some(name), &[ECDSA]).await, expected, "{name}, {unknown}");
            }
            // A name whose certificates the client cannot verify.
            assert_eq!(got(Some("other.example"), &[RSA]).await, None);
        }
        assert_eq!(front.generation(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn suites_versions_and_protocols_are_those_of_the_configuration() {
    let pki = Pki::new();
    let upstream = echo().await;
    let more = "tls_versions = ['1.2', '1.3']\nalpn = ['b', 'a']\n\
                suites = ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256']";
    let (_front, address) = pki.front(&upstream, more);
    for (version, suite) in
        [(&TLS13, "TLS13_CHACHA20_POLY1305_SHA256"), (&TLS12, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")]
    {
        let mut config = client_config(Some(&pki.person("good")), version);
        config.alpn_protocols = vec![b"a".to_vec(), b"b".to_vec()];
        let stream = dial(address, &Arc::new(config)).await;
        let connection = stream.get_ref().1;
        assert_eq!(
            connection.negotiated_cipher_suite().and_then(|found| found.suite().as_str()),
            Some(suite)
        );
        assert_eq!(connection.alpn_protocol(), Some(&b"b"[..]));
    }
    let (_front, address) = pki.front(&upstream, "tls_versions = '1.3'");
    assert!(try_dial(address, &pki.client_with("good", &TLS12)).await.is_err());
    ping(&mut dial(address, &pki.client_with("good", &TLS13)).await, b"new").await.expect("served");
}

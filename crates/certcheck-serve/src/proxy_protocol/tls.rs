//! What is known of a client's TLS connection, in the words of the PROXY protocol.

use certcheck_rustls::Client;
use certcheck_rustls::rustls::{ProtocolVersion, ServerConnection};

use crate::certificates::Certificates;

/// What is known of a TLS connection.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct TlsFacts {
    pub(crate) alpn: Option<Vec<u8>>,
    pub(crate) authority: Option<String>,
    pub(crate) version: Option<&'static str>,
    pub(crate) cipher: Option<String>,
    pub(crate) signature_algorithm: Option<String>,
    pub(crate) key_algorithm: Option<String>,
    pub(crate) common_name: Option<String>,
    /// The client's certificate, if it is verified.
    pub(crate) certificate: Option<Vec<u8>>,
    /// Whether the certificate was sent in an earlier connection of the session.
    pub(crate) is_resumed: bool,
}

impl TlsFacts {
    /// Of a connection whose client was accepted.
    pub(crate) fn of(
        connection: &ServerConnection,
        client: Option<&Client>,
        certificates: &Certificates,
    ) -> Self {
        let authority = connection.server_name().map(str::to_owned);
        let (key_algorithm, signature_algorithm) = certificates.algorithms(authority.as_deref());
        let identity = client.and_then(Client::identity).and_then(Result::ok);
        Self {
            alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
            authority,
            version: connection.protocol_version().and_then(|version| match version {
                ProtocolVersion::TLSv1_2 => Some("TLSv1.2"),
                ProtocolVersion::TLSv1_3 => Some("TLSv1.3"),
                _ => None,
            }),
            cipher: connection
                .negotiated_cipher_suite()
                .and_then(|suite| suite.suite().as_str())
                .map(openssl_name),
            signature_algorithm,
            key_algorithm,
            common_name: identity.as_ref().and_then(|identity| identity.common_name().map(Into::into)),
            certificate: identity.map(|identity| identity.certificate().to_vec()),
            is_resumed: client.is_some_and(Client::is_resumed),
        }
    }
}

/// The name of a cipher suite as receivers of the header know it: that of OpenSSL.
fn openssl_name(name: &str) -> String {
    match name.strip_prefix("TLS13_") {
        Some(rest) => format!("TLS_{rest}"),
        None => name
            .trim_start_matches("TLS_")
            .replace("_WITH_", "_")
            .replace("AES_128", "AES128")
            .replace("AES_256", "AES256")
            .replace("POLY1305_SHA256", "POLY1305")
            .replace('_', "-"),
    }
}

#[cfg(test)]
mod tests {
    use super::openssl_name;

    #[test]
    fn suites_are_named_as_by_openssl() {
        for (name, expected) in [
            ("TLS13_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"),
            ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
            ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"),
        ] {
            assert_eq!(openssl_name(name), expected);
        }
    }
}

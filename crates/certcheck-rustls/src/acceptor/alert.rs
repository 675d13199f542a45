//! The alert for a client that is refused at the gate. After a handshake rustls itself sends close_notify alone.

use rustls::crypto::cipher::{AeadKey, Iv, MessageEncrypter, OutboundChunks, OutboundPlainMessage};
use rustls::server::ServerConnection;
use rustls::{
    AlertDescription, ConnectionTrafficSecrets, ContentType, ProtocolVersion, SupportedCipherSuite,
};

/// AlertLevel fatal (RFC 8446 6).
const FATAL: u8 = 2;

/// The record with the alert, as the client can read it. `was_held` says whether the server's last writes were held
/// back and dropped. `None` if the alert cannot be sent: then the connection ends without one.
///
/// - TLS 1.2, full handshake: the server's Finished was held, so its side is not encrypted yet, and the alert is sent
///   in plaintext (RFC 5246 7.1).
/// - TLS 1.2, resumed: the server's Finished was sent, and the alert is encrypted as the next record.
/// - TLS 1.3: the alert is encrypted as the first record under the application keys. Tickets that were encrypted
///   before it were held and dropped, so no two records with the same nonce are sent.
///
/// RFC 8446 6.2.
#[doc(alias = "RFC 8446 section 6.2")]
pub(super) fn record(
    connection: ServerConnection,
    alert: AlertDescription,
    was_held: bool,
) -> Option<Vec<u8>> {
    let (version, suite) = (connection.protocol_version()?, connection.negotiated_cipher_suite()?);
    if version == ProtocolVersion::TLSv1_2 && was_held {
        let [version_high, version_low] = version.to_array();
        return Some(vec![ContentType::Alert.into(), version_high, version_low, 0, 2, FATAL, alert.into()]);
    }
    let (written, secrets) = connection.dangerous_extract_secrets().ok()?.tx;
    let (ConnectionTrafficSecrets::Aes128Gcm { key, iv }
    | ConnectionTrafficSecrets::Aes256Gcm { key, iv }
    | ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv }) = secrets
    else {
        return None;
    };
    let body = [FATAL, alert.into()];
    let message = OutboundPlainMessage {
        typ: ContentType::Alert,
        version: ProtocolVersion::TLSv1_2,
        payload: OutboundChunks::Single(&body),
    };
    let sequence = if version == ProtocolVersion::TLSv1_3 { 0 } else { written };
    let mut encrypter = encrypter(suite, key, iv)?;
    Some(encrypter.encrypt(message, sequence).ok()?.encode())
}

fn encrypter(suite: SupportedCipherSuite, key: AeadKey, iv: Iv) -> Option<Box<dyn MessageEncrypter>> {
    match suite {
        SupportedCipherSuite::Tls13(suite) => Some(suite.aead_alg.encrypter(key, iv)),
        SupportedCipherSuite::Tls12(suite) => {
            let shape = suite.aead_alg.key_block_shape();
            let (fixed, explicit) = iv.as_ref().split_at_checked(shape.fixed_iv_len)?;
            Some(suite.aead_alg.encrypter(key, fixed, explicit.get(..shape.explicit_nonce_len)?))
        }
    }
}

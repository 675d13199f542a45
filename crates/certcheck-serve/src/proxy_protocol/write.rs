//! Headers for the service behind.

use std::net::IpAddr;

use super::crc32c::crc32c;
use super::header::{Addresses, SIGNATURE, kind};
use super::tls::TlsFacts;
use crate::config::{ProxyProtocol, ProxyTlv, ProxyVersion};
use crate::cut::cut;

/// The longest common name.
const MAX_COMMON_NAME: usize = 64;
/// The most bytes of a header behind its fixed part.
const MAX_LENGTH: usize = u16::MAX as usize;
/// The most bytes about TLS: addresses, the other TLVs and a checksum have room next to them.
const MAX_SSL: usize = MAX_LENGTH - 1_024;

/// TLS was used; a certificate was sent in this connection, or in its session.
const USES_TLS: u8 = 0x01;
const IN_CONNECTION: u8 = 0x02;
const IN_SESSION: u8 = 0x04;

/// The header of a connection. `None` if none is asked for.
pub(crate) fn write(
    config: &ProxyProtocol,
    addresses: Option<Addresses>,
    facts: &TlsFacts,
) -> Option<Vec<u8>> {
    match config.version {
        ProxyVersion::None => None,
        ProxyVersion::V1 => Some(v1(addresses).into_bytes()),
        ProxyVersion::V2 => Some(v2(addresses, facts, &config.tlvs)),
    }
}

/// The header of a connection of the front itself, which has no client: version 2 calls it LOCAL.
pub(crate) const fn for_probe(version: ProxyVersion) -> Option<&'static [u8]> {
    match version {
        ProxyVersion::None => None,
        ProxyVersion::V1 => Some(b"PROXY UNKNOWN\r\n"),
        ProxyVersion::V2 => Some(b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"),
    }
}

fn v1(addresses: Option<Addresses>) -> String {
    let Some(Addresses { source, destination }) = addresses else { return "PROXY UNKNOWN\r\n".to_owned() };
    let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
    let (from, to) = (source.port(), destination.port());
    format!("PROXY {family} {} {} {from} {to}\r\n", source.ip(), destination.ip())
}

fn v2(addresses: Option<Addresses>, facts: &TlsFacts, tlvs: &[ProxyTlv]) -> Vec<u8> {
    let mut content = Vec::new();
    let family = match addresses {
        None => 0x00,
        Some(Addresses { source, destination }) => {
            for address in [source, destination] {
                match address.ip() {
                    IpAddr::V4(v4) => content.extend(v4.octets()),
                    IpAddr::V6(v6) => content.extend(v6.octets()),
                }
            }
            content.extend(source.port().to_be_bytes());
            content.extend(destination.port().to_be_bytes());
            if source.is_ipv4() { 0x11 } else { 0x21 }
        }
    };
    let has = |tlv| tlvs.contains(&tlv);
    if has(ProxyTlv::Alpn) {
        push(&mut content, kind::ALPN, facts.alpn.as_deref(), MAX_LENGTH);
    }
    if has(ProxyTlv::Authority) {
        push(&mut content, kind::AUTHORITY, facts.authority.as_deref().map(str::as_bytes), MAX_LENGTH);
    }
    if tlvs.iter().any(|tlv| is_of_ssl(*tlv)) {
        push(&mut content, kind::SSL, Some(&ssl(facts, tlvs)), MAX_LENGTH);
    }
    let checksum_at = has(ProxyTlv::Checksum).then(|| {
        push(&mut content, kind::CRC32C, Some(&[0; 4]), MAX_LENGTH);
        SIGNATURE.len() + content.len()
    });
    let mut header = SIGNATURE.to_vec();
    header.extend([0x21, family]);
    header.extend(u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes());
    header.extend(content);
    if let Some(at) = checksum_at {
        let checksum = crc32c(header.iter().copied());
        if let Some(field) = header.get_mut(at..at + 4) {
            field.copy_from_slice(&checksum.to_be_bytes());
        }
    }
    header
}

const fn is_of_ssl(tlv: ProxyTlv) -> bool {
    !matches!(tlv, ProxyTlv::Alpn | ProxyTlv::Authority | ProxyTlv::Checksum)
}

/// The TLV about TLS, with those inside it.
fn ssl(facts: &TlsFacts, tlvs: &[ProxyTlv]) -> Vec<u8> {
    let bits = match (&facts.certificate, facts.is_resumed) {
        (None, _) => USES_TLS,
        (Some(_), false) => USES_TLS | IN_CONNECTION | IN_SESSION,
        (Some(_), true) => USES_TLS | IN_SESSION,
    };
    let verify = u32::from(facts.certificate.is_none());
    let mut content = vec![bits];
    content.extend(verify.to_be_bytes());
    for tlv in tlvs {
        let (kind, value) = match tlv {
            ProxyTlv::Version => (kind::SSL_VERSION, facts.version.map(str::as_bytes)),
            ProxyTlv::CommonName => {
                (kind::SSL_CN, facts.common_name.as_deref().map(|name| cut(name, MAX_COMMON_NAME).as_bytes()))
            }
            ProxyTlv::Cipher => (kind::SSL_CIPHER, facts.cipher.as_deref().map(str::as_bytes)),
            ProxyTlv::SignatureAlgorithm => {
                (kind::SSL_SIG_ALG, facts.signature_algorithm.as_deref().map(str::as_bytes))
            }
            ProxyTlv::KeyAlgorithm => (kind::SSL_KEY_ALG, facts.key_algorithm.as_deref().map(str::as_bytes)),
            ProxyTlv::Certificate => (kind::SSL_CLIENT_CERT, facts.certificate.as_deref()),
            ProxyTlv::Alpn | ProxyTlv::Authority | ProxyTlv::Checksum => continue,
        };
        push(&mut content, kind, value, MAX_SSL);
    }
    content
}

/// A TLV, if it has a value and room.
fn push(content: &mut Vec<u8>, kind: u8, value: Option<&[u8]>, max: usize) {
    // Of its kind and its length.
    const HEAD: usize = 3;
    let Some(value) = value else { return };
    if content.len() + HEAD + value.len() > max {
        return;
    }
    content.push(kind);
    content.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
    content.extend_from_slice(value);
}

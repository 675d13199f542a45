//! The algorithms of a certificate, named as OpenSSL and HAProxy name them.

use certcheck_rustls::certcheck_core::oid::Oid;
use certcheck_rustls::certcheck_core::x509::SubjectPublicKeyInfo;

/// Of a key: `RSA2048`, `EC256`, `ED25519`.
pub(super) fn of_key(key: &SubjectPublicKeyInfo<'_>) -> Option<String> {
    match key.algorithm.oid.algorithm_name()? {
        "rsaEncryption" => modulus_bits(key.public_key).map(|bits| format!("RSA{bits}")),
        // An uncompressed point: 0x04 and two coordinates. Those of P-521 have 66 bytes.
        "id-ecPublicKey" => match key.public_key.len() {
            65 => Some("EC256".to_owned()),
            97 => Some("EC384".to_owned()),
            133 => Some("EC521".to_owned()),
            _ => None,
        },
        "Ed25519" => Some("ED25519".to_owned()),
        _ => None,
    }
}

/// Of a signature: `RSA-SHA256`, `ecdsa-with-SHA256`, `ED25519`.
pub(super) fn of_signature(oid: Oid<'_>) -> Option<String> {
    let name = oid.algorithm_name()?;
    Some(match name.strip_suffix("WithRSAEncryption") {
        Some(hash) => format!("RSA-{}", hash.to_ascii_uppercase()),
        None if name == "Ed25519" => "ED25519".to_owned(),
        None => name.to_owned(),
    })
}

/// The bits of the modulus in an RSAPublicKey (RFC 8017 A.1.1).
fn modulus_bits(key: &[u8]) -> Option<usize> {
    let (content, _) = value(key, 0x30)?;
    let (modulus, _) = value(content, 0x02)?;
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let significant = modulus.get(zeros..)?;
    let first = usize::try_from(significant.first()?.leading_zeros()).ok()?;
    Some(significant.len() * 8 - first)
}

/// The content of a DER value with this tag, and what is behind it.
fn value(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match usize::from(*first) {
        short @ ..=0x7f => (short, rest),
        0x81 => rest.split_first().map(|(one, rest)| (usize::from(*one), rest))?,
        0x82 => {
            let ([high, low], rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length).filter(|_| *found == tag)
}

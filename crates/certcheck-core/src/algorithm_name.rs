//! Names of algorithms, for messages.

use crate::oid::Oid;

impl Oid<'_> {
    /// The name of a signature, key or hash algorithm, as in its standard.
    #[must_use]
    pub const fn algorithm_name(self) -> Option<&'static str> {
        match self.content() {
            // pkcs-1.
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, arc] => of_pkcs1(*arc),
            // ansi-X9-62, keyType and signatures.
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1] => Some("id-ecPublicKey"),
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1] => Some("ecdsa-with-SHA1"),
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, arc] => of_ecdsa(*arc),
            [0x2b, 0x81, 0x04, 1, 12] => Some("id-ecDH"),
            [0x2b, 0x81, 0x04, 1, 13] => Some("id-ecMQV"),
            // x9-57, and Diffie-Hellman of X9.42.
            [0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1] => Some("id-dsa"),
            [0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3] => Some("dsa-with-sha1"),
            [0x2a, 0x86, 0x48, 0xce, 0x3e, 2, 1] => Some("dhpublicnumber"),
            // OIW, and the `rsa` of X.509.
            [0x2b, 0x0e, 3, 2, 26] => Some("SHA-1"),
            [0x2b, 0x0e, 3, 2, 29] => Some("sha1WithRSASignature"),
            [0x55, 8, 1, 1] => Some("id-ea-rsa"),
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 5] => Some("MD5"),
            // RFC 8410.
            [0x2b, 0x65, 110] => Some("X25519"),
            [0x2b, 0x65, 111] => Some("X448"),
            [0x2b, 0x65, 112] => Some("Ed25519"),
            [0x2b, 0x65, 113] => Some("Ed448"),
            // NIST.
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, class, arc] => of_nist(*class, *arc),
            // GOST R 34.10-2001 and 2012 (RFC 9215).
            [0x2a, 0x85, 3, 2, 2, 3] => Some("id-GostR3411-94-with-GostR3410-2001"),
            [0x2a, 0x85, 3, 2, 2, 19] => Some("id-GostR3410-2001"),
            [0x2a, 0x85, 3, 7, 1, 1, 1, 1] => Some("id-tc26-gost3410-12-256"),
            [0x2a, 0x85, 3, 7, 1, 1, 1, 2] => Some("id-tc26-gost3410-12-512"),
            [0x2a, 0x85, 3, 7, 1, 1, 3, 2] => Some("id-tc26-signwithdigest-gost3410-12-256"),
            [0x2a, 0x85, 3, 7, 1, 1, 3, 3] => Some("id-tc26-signwithdigest-gost3410-12-512"),
            [0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x83, 0x75] => Some("SM2-with-SM3"),
            _ => None,
        }
    }

    /// The hash of an ECDSA signature algorithm (RFC 5758 3.2, RFC 8692, FIPS 186-5).
    pub(crate) const fn ecdsa_hash(self) -> Option<&'static str> {
        match self.content() {
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1] => Some("SHA-1"),
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 1] => Some("SHA-224"),
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2] => Some("SHA-256"),
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3] => Some("SHA-384"),
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4] => Some("SHA-512"),
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 9] => Some("SHA3-224"),
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 10] => Some("SHA3-256"),
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 11] => Some("SHA3-384"),
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 12] => Some("SHA3-512"),
            _ => None,
        }
    }
}

const fn of_pkcs1(arc: u8) -> Option<&'static str> {
    Some(match arc {
        1 => "rsaEncryption",
        2 => "md2WithRSAEncryption",
        3 => "md4WithRSAEncryption",
        4 => "md5WithRSAEncryption",
        5 => "sha1WithRSAEncryption",
        7 => "id-RSAES-OAEP",
        8 => "MGF1",
        10 => "rsassaPss",
        11 => "sha256WithRSAEncryption",
        12 => "sha384WithRSAEncryption",
        13 => "sha512WithRSAEncryption",
        14 => "sha224WithRSAEncryption",
        15 => "sha512-224WithRSAEncryption",
        16 => "sha512-256WithRSAEncryption",
        _ => return None,
    })
}

const fn of_ecdsa(arc: u8) -> Option<&'static str> {
    Some(match arc {
        1 => "ecdsa-with-SHA224",
        2 => "ecdsa-with-SHA256",
        3 => "ecdsa-with-SHA384",
        4 => "ecdsa-with-SHA512",
        _ => return None,
    })
}

/// The names below `nistAlgorithms`: 2 are hashes, 3 signatures, 4 key encapsulation.
const fn of_nist(class: u8, arc: u8) -> Option<&'static str> {
    Some(match (class, arc) {
        (2, 1) => "SHA-256",
        (2, 2) => "SHA-384",
        (2, 3) => "SHA-512",
        (2, 4) => "SHA-224",
        (2, 5) => "SHA-512/224",
        (2, 6) => "SHA-512/256",
        (2, 7) => "SHA3-224",
        (2, 8) => "SHA3-256",
        (2, 9) => "SHA3-384",
        (2, 10) => "SHA3-512",
        (2, 11) => "SHAKE128",
        (2, 12) => "SHAKE256",
        (3, 1) => "dsa-with-sha224",
        (3, 2) => "dsa-with-sha256",
        (3, 9) => "ecdsa-with-SHA3-224",
        (3, 10) => "ecdsa-with-SHA3-256",
        (3, 11) => "ecdsa-with-SHA3-384",
        (3, 12) => "ecdsa-with-SHA3-512",
        (3, 13) => "rsassa-pkcs1-v1_5-with-SHA3-224",
        (3, 14) => "rsassa-pkcs1-v1_5-with-SHA3-256",
        (3, 15) => "rsassa-pkcs1-v1_5-with-SHA3-384",
        (3, 16) => "rsassa-pkcs1-v1_5-with-SHA3-512",
        (3, 17) => "ML-DSA-44",
        (3, 18) => "ML-DSA-65",
        (3, 19) => "ML-DSA-87",
        (3, 20) => "SLH-DSA-SHA2-128s",
        (3, 21) => "SLH-DSA-SHA2-128f",
        (3, 22) => "SLH-DSA-SHA2-192s",
        (3, 23) => "SLH-DSA-SHA2-192f",
        (3, 24) => "SLH-DSA-SHA2-256s",
        (3, 25) => "SLH-DSA-SHA2-256f",
        (3, 26) => "SLH-DSA-SHAKE-128s",
        (3, 27) => "SLH-DSA-SHAKE-128f",
        (3, 28) => "SLH-DSA-SHAKE-192s",
        (3, 29) => "SLH-DSA-SHAKE-192f",
        (3, 30) => "SLH-DSA-SHAKE-256s",
        (3, 31) => "SLH-DSA-SHAKE-256f",
        (4, 1) => "ML-KEM-512",
        (4, 2) => "ML-KEM-768",
        (4, 3) => "ML-KEM-1024",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::oid::OidBuf;

    #[test]
    fn known_algorithms_are_named() {
        for (dotted, name) in [
            ("1.2.840.113549.1.1.10", "rsassaPss"),
            ("1.2.840.10045.4.3.4", "ecdsa-with-SHA512"),
            ("1.2.840.10040.4.3", "dsa-with-sha1"),
            ("2.16.840.1.101.3.4.3.2", "dsa-with-sha256"),
            ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
            ("2.16.840.1.101.3.4.2.1", "SHA-256"),
            ("1.3.14.3.2.29", "sha1WithRSASignature"),
            ("1.3.101.112", "Ed25519"),
            ("1.2.643.7.1.1.3.2", "id-tc26-signwithdigest-gost3410-12-256"),
            ("1.2.156.10197.1.501", "SM2-with-SM3"),
        ] {
            let oid = OidBuf::from_dotted(dotted).expect("an identifier");
            assert_eq!(oid.as_oid().algorithm_name(), Some(name), "{dotted}");
        }
        let unknown = OidBuf::from_dotted("1.3.6.1.4.1.99999.1").expect("an identifier");
        assert_eq!(unknown.as_oid().algorithm_name(), None);
    }
}

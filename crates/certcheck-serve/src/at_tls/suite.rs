//! Cipher suites that policies name, and those of them that certcheck offers.

/// A cipher suite.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct KnownSuite {
    /// The code in TLS.
    pub(super) code: u16,
    pub(super) name: &'static str,
}

/// Suites of TLS 1.3 that certcheck offers.
const TLS13: [u16; 3] = [0x1301, 0x1302, 0x1303];
/// Suites of TLS 1.2 that certcheck offers.
const TLS12: [u16; 6] = [0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9];

impl KnownSuite {
    /// Whether certcheck offers it.
    pub(super) fn is_offered(self) -> bool {
        self.is_tls13() || TLS12.contains(&self.code)
    }

    /// Whether it is for TLS 1.3.
    pub(super) fn is_tls13(self) -> bool {
        TLS13.contains(&self.code)
    }

    /// The suite with this code.
    pub(super) fn with_code(code: u16) -> Option<Self> {
        ALL.iter().copied().find(|suite| suite.code == code)
    }

    /// The suite with this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        ALL.iter().copied().find(|suite| suite.name.eq_ignore_ascii_case(name))
    }
}

/// The suites of a word: one by its name, or several by their codes of so many digits.
pub(super) fn named(word: &str, digits: usize) -> Option<Vec<KnownSuite>> {
    if let Some(suite) = KnownSuite::of(word) {
        return Some(vec![suite]);
    }
    let is_hex = !word.is_empty()
        && word.len().is_multiple_of(digits)
        && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex {
        return None;
    }
    let letters: Vec<char> = word.chars().collect();
    let code = |digits: &[char]| u16::from_str_radix(&digits.iter().collect::<String>(), 16).ok();
    letters
        .chunks(digits)
        .map(|digits| code(digits).and_then(|code| ALL.iter().copied().find(|suite| suite.code == code)))
        .collect()
}

const fn suite(code: u16, name: &'static str) -> KnownSuite {
    KnownSuite { code, name }
}

/// The suites that System SSL knows.
const ALL: &[KnownSuite] = &[
    suite(0x0000, "TLS_NULL_WITH_NULL_NULL"),
    suite(0x0001, "TLS_RSA_WITH_NULL_MD5"),
    suite(0x0002, "TLS_RSA_WITH_NULL_SHA"),
    suite(0x0003, "TLS_RSA_EXPORT_WITH_RC4_40_MD5"),
    suite(0x0004, "TLS_RSA_WITH_RC4_128_MD5"),
    suite(0x0005, "TLS_RSA_WITH_RC4_128_SHA"),
    suite(0x0006, "TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5"),
    suite(0x0009, "TLS_RSA_WITH_DES_CBC_SHA"),
    suite(0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
    suite(0x000c, "TLS_DH_DSS_WITH_DES_CBC_SHA"),
    suite(0x000d, "TLS_DH_DSS_WITH_3DES_EDE_CBC_SHA"),
    suite(0x000f, "TLS_DH_RSA_WITH_DES_CBC_SHA"),
    suite(0x0010, "TLS_DH_RSA_WITH_3DES_EDE_CBC_SHA"),
    suite(0x0012, "TLS_DHE_DSS_WITH_DES_CBC_SHA"),
    suite(0x0013, "TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA"),
    suite(0x0015, "TLS_DHE_RSA_WITH_DES_CBC_SHA"),
    suite(0x0016, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    suite(0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA"),
    suite(0x0030, "TLS_DH_DSS_WITH_AES_128_CBC_SHA"),
    suite(0x0031, "TLS_DH_RSA_WITH_AES_128_CBC_SHA"),
    suite(0x0032, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA"),
    suite(0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"),
    suite(0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"),
    suite(0x0036, "TLS_DH_DSS_WITH_AES_256_CBC_SHA"),
    suite(0x0037, "TLS_DH_RSA_WITH_AES_256_CBC_SHA"),
    suite(0x0038, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA"),
    suite(0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
    suite(0x003b, "TLS_RSA_WITH_NULL_SHA256"),
    suite(0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256"),
    suite(0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256"),
    suite(0x003e, "TLS_DH_DSS_WITH_AES_128_CBC_SHA256"),
    suite(0x003f, "TLS_DH_RSA_WITH_AES_128_CBC_SHA256"),
    suite(0x0040, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA256"),
    suite(0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"),
    suite(0x0068, "TLS_DH_DSS_WITH_AES_256_CBC_SHA256"),
    suite(0x0069, "TLS_DH_RSA_WITH_AES_256_CBC_SHA256"),
    suite(0x006a, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA256"),
    suite(0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"),
    suite(0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    suite(0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    suite(0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
    suite(0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"),
    suite(0x00a0, "TLS_DH_RSA_WITH_AES_128_GCM_SHA256"),
    suite(0x00a1, "TLS_DH_RSA_WITH_AES_256_GCM_SHA384"),
    suite(0x00a2, "TLS_DHE_DSS_WITH_AES_128_GCM_SHA256"),
    suite(0x00a3, "TLS_DHE_DSS_WITH_AES_256_GCM_SHA384"),
    suite(0x00a4, "TLS_DH_DSS_WITH_AES_128_GCM_SHA256"),
    suite(0x00a5, "TLS_DH_DSS_WITH_AES_256_GCM_SHA384"),
    suite(0x1301, "TLS_AES_128_GCM_SHA256"),
    suite(0x1302, "TLS_AES_256_GCM_SHA384"),
    suite(0x1303, "TLS_CHACHA20_POLY1305_SHA256"),
    suite(0xc001, "TLS_ECDH_ECDSA_WITH_NULL_SHA"),
    suite(0xc002, "TLS_ECDH_ECDSA_WITH_RC4_128_SHA"),
    suite(0xc003, "TLS_ECDH_ECDSA_WITH_3DES_EDE_CBC_SHA"),
    suite(0xc004, "TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA"),
    suite(0xc005, "TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA"),
    suite(0xc006, "TLS_ECDHE_ECDSA_WITH_NULL_SHA"),
    suite(0xc007, "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA"),
    suite(0xc008, "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA"),
    suite(0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
    suite(0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
    suite(0xc00b, "TLS_ECDH_RSA_WITH_NULL_SHA"),
    suite(0xc00c, "TLS_ECDH_RSA_WITH_RC4_128_SHA"),
    suite(0xc00d, "TLS_ECDH_RSA_WITH_3DES_EDE_CBC_SHA"),
    suite(0xc00e, "TLS_ECDH_RSA_WITH_AES_128_CBC_SHA"),
    suite(0xc00f, "TLS_ECDH_RSA_WITH_AES_256_CBC_SHA"),
    suite(0xc010, "TLS_ECDHE_RSA_WITH_NULL_SHA"),
    suite(0xc011, "TLS_ECDHE_RSA_WITH_RC4_128_SHA"),
    suite(0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    suite(0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    suite(0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    suite(0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
    suite(0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"),
    suite(0xc025, "TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA256"),
    suite(0xc026, "TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA384"),
    suite(0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    suite(0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
    suite(0xc029, "TLS_ECDH_RSA_WITH_AES_128_CBC_SHA256"),
    suite(0xc02a, "TLS_ECDH_RSA_WITH_AES_256_CBC_SHA384"),
    suite(0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    suite(0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    suite(0xc02d, "TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256"),
    suite(0xc02e, "TLS_ECDH_ECDSA_WITH_AES_256_GCM_SHA384"),
    suite(0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    suite(0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    suite(0xc031, "TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256"),
    suite(0xc032, "TLS_ECDH_RSA_WITH_AES_256_GCM_SHA384"),
    suite(0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    suite(0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
];

//! Object identifiers, compared as encoded.

use core::fmt;

use data_encoding::HEXLOWER;

use crate::der::{Rule, Tlv, ViewFault, tag};

/// An object identifier: the content bytes of an OBJECT IDENTIFIER (X.690 8.19). `Display` writes dotted decimal.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Oid<'a>(&'a [u8]);

/// The longest identifier, in bytes. The bound keeps display and comparison cheap. No path needs a longer one.
const MAX_BYTES: usize = 128;

impl<'a> Oid<'a> {
    /// An identifier from its content bytes, not checked. For constants.
    #[must_use]
    pub const fn new(content: &'a [u8]) -> Self {
        Self(content)
    }

    /// Parses the identifier in an element, which must have the tag OBJECT IDENTIFIER.
    ///
    /// # Errors
    /// [`Rule::UnexpectedTag`] and [`Rule::BadOid`].
    pub fn parse(tlv: Tlv<'a>, field: &'static str) -> Result<Self, ViewFault> {
        if tlv.tag != tag::OID {
            return Err(tlv.fault(field, Rule::UnexpectedTag { want: tag::OID, found: tlv.tag }));
        }
        Self::parse_content(tlv.value).ok_or_else(|| tlv.fault(field, Rule::BadOid))
    }

    /// The identifier with these content bytes. `None` if they are not valid.
    #[must_use]
    pub fn parse_content(content: &'a [u8]) -> Option<Self> {
        // Attribute types and most extensions.
        if let [0x55, 0x04 | 0x1d, 0..=0x7f] = content {
            return Some(Self(content));
        }
        let mut starts = true;
        for byte in content {
            // X.690 8.19.2: a sub-identifier has no leading 80.
            if starts && *byte == 0x80 {
                return None;
            }
            starts = byte & 0x80 == 0;
        }
        (starts && !content.is_empty() && content.len() <= MAX_BYTES).then_some(Self(content))
    }

    /// The content bytes.
    #[must_use]
    pub const fn content(self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Display for Oid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for group in self.0.split_inclusive(|byte| byte & 0x80 == 0) {
            // A sub-identifier of more than 128 bits is shown in hexadecimal.
            let is_wide =
                group.len() > 19 || group.len() == 19 && group.first().is_some_and(|top| top & 0x7f > 3);
            if is_wide {
                f.write_str(if first { "0x" } else { ".0x" })?;
                HEXLOWER.encode_write(group, f)?;
            } else {
                let value = group.iter().fold(0u128, |n, byte| n << 7 | u128::from(byte & 0x7f));
                match (first, value) {
                    (false, value) => write!(f, ".{value}")?,
                    (true, 0..=39) => write!(f, "0.{value}")?,
                    (true, 40..=79) => write!(f, "1.{}", value - 40)?,
                    (true, value) => write!(f, "2.{}", value - 80)?,
                }
            }
            first = false;
        }
        Ok(())
    }
}

impl fmt::Debug for Oid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An owned object identifier, for policies and settings.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct OidBuf(Box<[u8]>);

impl OidBuf {
    /// Parses dotted decimal.
    #[must_use]
    pub fn from_dotted(text: &str) -> Option<Self> {
        let mut arcs = text.split('.').map(|arc| {
            let plain = !arc.is_empty()
                && arc.bytes().all(|b| b.is_ascii_digit())
                && (arc == "0" || !arc.starts_with('0'));
            plain.then(|| arc.parse::<u128>().ok()).flatten()
        });
        let (root, second) = (arcs.next()??, arcs.next()??);
        if root > 2 || root < 2 && second > 39 {
            return None;
        }
        let mut content = Vec::new();
        push_base128(&mut content, second.checked_add(root * 40)?);
        for arc in arcs {
            push_base128(&mut content, arc?);
        }
        Oid::parse_content(&content).map(Self::from)
    }

    /// The identifier, borrowed.
    #[must_use]
    pub const fn as_oid(&self) -> Oid<'_> {
        Oid(&self.0)
    }
}

impl From<Oid<'_>> for OidBuf {
    fn from(oid: Oid<'_>) -> Self {
        Self(oid.0.into())
    }
}

impl fmt::Display for OidBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_oid(), f)
    }
}

impl fmt::Debug for OidBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_oid(), f)
    }
}

fn push_base128(content: &mut Vec<u8>, value: u128) {
    let groups = (128 - value.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let low = u8::try_from(value >> (7 * group) & 0x7f).unwrap_or(0);
        content.push(if group == 0 { low } else { low | 0x80 });
    }
}

macro_rules! oids {
    ($($(#[$doc:meta])* $name:ident = $content:expr;)*) => {
        $($(#[$doc])* pub const $name: Oid<'static> = Oid::new(&$content);)*
    };
}

/// `id-kp`, 1.3.6.1.5.5.7.3, with one more arc.
const fn id_kp(arc: u8) -> [u8; 8] {
    [0x2b, 6, 1, 5, 5, 7, 3, arc]
}

/// `id-pe`, 1.3.6.1.5.5.7.1, with one more arc.
const fn id_pe(arc: u8) -> [u8; 8] {
    [0x2b, 6, 1, 5, 5, 7, 1, arc]
}

oids! {
    /// id-ce-subjectKeyIdentifier, RFC 5280 4.2.1.2.
    SUBJECT_KEY_IDENTIFIER = [0x55, 0x1d, 14];
    /// id-ce-keyUsage, RFC 5280 4.2.1.3.
    KEY_USAGE = [0x55, 0x1d, 15];
    /// id-ce-subjectAltName, RFC 5280 4.2.1.6.
    SUBJECT_ALT_NAME = [0x55, 0x1d, 17];
    /// id-ce-issuerAltName, RFC 5280 4.2.1.7.
    ISSUER_ALT_NAME = [0x55, 0x1d, 18];
    /// id-ce-basicConstraints, RFC 5280 4.2.1.9.
    BASIC_CONSTRAINTS = [0x55, 0x1d, 19];
    /// id-ce-nameConstraints, RFC 5280 4.2.1.10.
    NAME_CONSTRAINTS = [0x55, 0x1d, 30];
    /// id-ce-cRLDistributionPoints, RFC 5280 4.2.1.13.
    CRL_DISTRIBUTION_POINTS = [0x55, 0x1d, 31];
    /// id-ce-certificatePolicies, RFC 5280 4.2.1.4.
    CERTIFICATE_POLICIES = [0x55, 0x1d, 32];
    /// anyPolicy, RFC 5280 4.2.1.4.
    ANY_POLICY = [0x55, 0x1d, 32, 0];
    /// id-ce-policyMappings, RFC 5280 4.2.1.5.
    POLICY_MAPPINGS = [0x55, 0x1d, 33];
    /// id-ce-authorityKeyIdentifier, RFC 5280 4.2.1.1.
    AUTHORITY_KEY_IDENTIFIER = [0x55, 0x1d, 35];
    /// id-ce-policyConstraints, RFC 5280 4.2.1.11.
    POLICY_CONSTRAINTS = [0x55, 0x1d, 36];
    /// id-ce-extKeyUsage, RFC 5280 4.2.1.12.
    EXTENDED_KEY_USAGE = [0x55, 0x1d, 37];
    /// anyExtendedKeyUsage, RFC 5280 4.2.1.12.
    ANY_EXTENDED_KEY_USAGE = [0x55, 0x1d, 37, 0];
    /// id-ce-freshestCRL, RFC 5280 4.2.1.15.
    FRESHEST_CRL = [0x55, 0x1d, 46];
    /// id-ce-inhibitAnyPolicy, RFC 5280 4.2.1.14.
    INHIBIT_ANY_POLICY = [0x55, 0x1d, 54];
    /// id-ce-cRLNumber, RFC 5280 5.2.3.
    CRL_NUMBER = [0x55, 0x1d, 20];
    /// id-ce-cRLReasons, RFC 5280 5.3.1.
    REASON_CODE = [0x55, 0x1d, 21];
    /// id-ce-invalidityDate, RFC 5280 5.3.2.
    INVALIDITY_DATE = [0x55, 0x1d, 24];
    /// id-ce-deltaCRLIndicator, RFC 5280 5.2.4.
    DELTA_CRL_INDICATOR = [0x55, 0x1d, 27];
    /// id-ce-issuingDistributionPoint, RFC 5280 5.2.5.
    ISSUING_DISTRIBUTION_POINT = [0x55, 0x1d, 28];
    /// id-ce-certificateIssuer, RFC 5280 5.3.3.
    CERTIFICATE_ISSUER = [0x55, 0x1d, 29];
    /// id-ce-noRevAvail, RFC 9608.
    NO_REV_AVAIL = [0x55, 0x1d, 56];
    /// id-pe-authorityInfoAccess, RFC 5280 4.2.2.1.
    AUTHORITY_INFO_ACCESS = id_pe(1);
    /// id-pe-subjectInfoAccess, RFC 5280 4.2.2.2.
    SUBJECT_INFO_ACCESS = id_pe(11);
    /// id-pe-tlsfeature, RFC 7633.
    TLS_FEATURE = id_pe(24);
    /// id-pkix-ocsp-nocheck, RFC 6960 4.2.2.2.1.
    OCSP_NOCHECK = [0x2b, 6, 1, 5, 5, 7, 48, 1, 5];
    /// id-ad-ocsp, RFC 5280 4.2.2.1.
    AD_OCSP = [0x2b, 6, 1, 5, 5, 7, 48, 1];
    /// id-ad-caIssuers, RFC 5280 4.2.2.1.
    AD_CA_ISSUERS = [0x2b, 6, 1, 5, 5, 7, 48, 2];
    /// id-qt-cps, RFC 5280 4.2.1.4.
    QT_CPS = [0x2b, 6, 1, 5, 5, 7, 2, 1];
    /// id-qt-unotice, RFC 5280 4.2.1.4.
    QT_USER_NOTICE = [0x2b, 6, 1, 5, 5, 7, 2, 2];
    /// id-kp-serverAuth, RFC 5280 4.2.1.12.
    KP_SERVER_AUTH = id_kp(1);
    /// id-kp-clientAuth, RFC 5280 4.2.1.12.
    KP_CLIENT_AUTH = id_kp(2);
    /// id-kp-OCSPSigning, RFC 6960 4.2.2.2.
    KP_OCSP_SIGNING = id_kp(9);
    /// id-on-SmtpUTF8Mailbox, RFC 9598 3.
    ON_SMTP_UTF8_MAILBOX = [0x2b, 6, 1, 5, 5, 7, 8, 9];
    /// id-on-dnsSRV, RFC 4985 2.
    ON_DNS_SRV = [0x2b, 6, 1, 5, 5, 7, 8, 7];
    /// Microsoft's user principal name.
    ON_UPN = [0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3];
    /// id-pkix-ocsp-basic, RFC 6960 4.2.1.
    OCSP_BASIC = [0x2b, 6, 1, 5, 5, 7, 48, 1, 1];
    /// id-pkix-ocsp-nonce, RFC 9654.
    OCSP_NONCE = [0x2b, 6, 1, 5, 5, 7, 48, 1, 2];
    /// id-pkix-ocsp-crl, RFC 6960 4.4.2.
    OCSP_CRL_REFERENCES = [0x2b, 6, 1, 5, 5, 7, 48, 1, 3];
    /// id-pkix-ocsp-response, RFC 6960 4.4.3.
    OCSP_RESPONSE = [0x2b, 6, 1, 5, 5, 7, 48, 1, 4];
    /// id-pkix-ocsp-archive-cutoff, RFC 6960 4.4.4.
    OCSP_ARCHIVE_CUTOFF = [0x2b, 6, 1, 5, 5, 7, 48, 1, 6];
    /// id-pkix-ocsp-pref-sig-algs, RFC 6960 4.4.7.
    OCSP_PREFERRED_ALGORITHMS = [0x2b, 6, 1, 5, 5, 7, 48, 1, 8];
    /// id-pkix-ocsp-extended-revoke, RFC 6960 4.4.8.
    OCSP_EXTENDED_REVOKE = [0x2b, 6, 1, 5, 5, 7, 48, 1, 9];
    /// id-sha1.
    SHA1 = [0x2b, 0x0e, 3, 2, 26];
    /// id-sha256.
    SHA256 = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
    /// id-sha384.
    SHA384 = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2];
    /// id-sha512.
    SHA512 = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3];
    /// emailAddress, PKCS #9.
    EMAIL_ADDRESS = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];
    /// id-at-commonName.
    COMMON_NAME = [0x55, 4, 3];
    /// signedData, RFC 5652 5.1.
    SIGNED_DATA = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_reads_back() {
        for text in [
            "1.2.3",
            "2.5.29.32.0",
            "0.9.2342.19200300.100.1.25",
            "2.999.1",
            "2.25.329800735698586629295641978511506172918",
            "2.16.840.1.101.3.2.1.3.7",
        ] {
            assert_eq!(OidBuf::from_dotted(text).map(|oid| oid.to_string()).as_deref(), Some(text));
        }
        for bad in ["", "1", "3.1", "1.40", "1.2.", "1..2", "1.2.03", "1.2.x", "1.-2"] {
            assert_eq!(OidBuf::from_dotted(bad), None, "{bad}");
        }
        assert_eq!(ANY_POLICY.to_string(), "2.5.29.32.0");
        assert_eq!(KP_CLIENT_AUTH.to_string(), "1.3.6.1.5.5.7.3.2");
    }

    #[test]
    fn padded_cut_and_endless_ones_are_refused() {
        for bad in [&[][..], &[0x80, 1], &[0x2b, 0x80, 1], &[0x2b, 0x86], &[0x2b; 129]] {
            assert!(Oid::parse_content(bad).is_none());
        }
    }
}

//! CRLs, field by field.

use crate::cert::sign;
use crate::der;
use crate::ext::{Ext, Point};
use crate::key::Key;
use crate::name::{general_names, name};

/// A CRL before it is signed. Every field may have any value.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "callers set the fields directly")]
pub struct CrlBuilder {
    /// The version: 1 or 2, or a number that is no version.
    pub version: i64,
    /// The `signature` field inside tbsCertList, if it should differ from the algorithm outside.
    pub inner_algorithm: Option<Vec<u8>>,
    /// The issuer, encoded as a Name.
    pub issuer: Vec<u8>,
    /// The thisUpdate, encoded as a Time.
    pub this_update: Vec<u8>,
    /// The nextUpdate, encoded as a Time.
    pub next_update: Option<Vec<u8>>,
    /// The entries in order. If there are none, the field is absent.
    pub entries: Vec<RevokedCertificate>,
    /// The whole revokedCertificates element, if it should be something else.
    pub raw_entries: Option<Vec<u8>>,
    /// The extensions in order. If there are none, the field is absent.
    pub extensions: Vec<Ext>,
    /// The whole `[0]` element, if it should be something else.
    pub raw_extensions: Option<Vec<u8>>,
}

/// An entry of a CRL.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "callers set the fields directly")]
pub struct RevokedCertificate {
    /// The content of userCertificate.
    pub serial: Vec<u8>,
    /// The revocationDate, encoded as a Time.
    pub revoked_at: Vec<u8>,
    /// The extensions in order. If there are none, the field is absent.
    pub extensions: Vec<Ext>,
}

impl RevokedCertificate {
    /// An entry that revokes on 1 March 2026, without a reason.
    #[must_use]
    pub fn new(serial: &[u8]) -> Self {
        Self {
            serial: serial.to_vec(),
            revoked_at: der::time("2026-03-01T00:00:00Z"),
            extensions: Vec::new(),
        }
    }

    /// Adds extensions.
    #[must_use]
    pub fn with(mut self, extensions: impl IntoIterator<Item = Ext>) -> Self {
        self.extensions.extend(extensions);
        self
    }

    fn der(&self) -> Vec<u8> {
        let extensions = if self.extensions.is_empty() {
            Vec::new()
        } else {
            der::seq(&self.extensions.iter().map(Ext::der).collect::<Vec<_>>())
        };
        der::seq(&[der::int_bytes(&self.serial), self.revoked_at.clone(), extensions])
    }
}

impl CrlBuilder {
    /// A complete CRL with number 1, of December 2026.
    #[must_use]
    pub fn new(issuer: &str) -> Self {
        Self {
            version: 2,
            inner_algorithm: None,
            issuer: name(issuer),
            this_update: der::time("2026-12-01T00:00:00Z"),
            next_update: Some(der::time("2027-02-01T00:00:00Z")),
            entries: Vec::new(),
            raw_entries: None,
            extensions: vec![number(1)],
            raw_extensions: None,
        }
    }

    /// Adds extensions. Each replaces one with the same identifier.
    #[must_use]
    pub fn with(mut self, extensions: impl IntoIterator<Item = Ext>) -> Self {
        for extension in extensions {
            match self.extensions.iter_mut().find(|known| known.oid == extension.oid) {
                Some(known) => *known = extension,
                None => self.extensions.push(extension),
            }
        }
        self
    }

    /// Adds entries.
    #[must_use]
    pub fn revoking(mut self, entries: impl IntoIterator<Item = RevokedCertificate>) -> Self {
        self.entries.extend(entries);
        self
    }

    /// Sets the times, in RFC 3339.
    #[must_use]
    pub fn valid(mut self, this_update: &str, next_update: Option<&str>) -> Self {
        self.this_update = der::time(this_update);
        self.next_update = next_update.map(der::time);
        self
    }

    /// The tbsCertList, with the signature algorithm of this signer.
    #[must_use]
    pub fn tbs(&self, signer: &Key) -> Vec<u8> {
        let version = if self.version == 1 { Vec::new() } else { der::int(self.version - 1) };
        let entries = match &self.raw_entries {
            Some(raw) => raw.clone(),
            None if self.entries.is_empty() => Vec::new(),
            None => der::seq(&self.entries.iter().map(RevokedCertificate::der).collect::<Vec<_>>()),
        };
        let extensions = match &self.raw_extensions {
            Some(raw) => raw.clone(),
            None if self.extensions.is_empty() => Vec::new(),
            None => der::ctx_c(0, &der::seq(&self.extensions.iter().map(Ext::der).collect::<Vec<_>>())),
        };
        der::seq(&[
            version,
            self.inner_algorithm.clone().unwrap_or_else(|| signer.algorithm()),
            self.issuer.clone(),
            self.this_update.clone(),
            self.next_update.clone().unwrap_or_default(),
            entries,
            extensions,
        ])
    }

    /// Signs with this key, and returns the CRL in DER.
    #[must_use]
    pub fn issue(&self, signer: &Key) -> Vec<u8> {
        sign(&self.tbs(signer), signer)
    }
}

/// The cRLNumber extension (RFC 5280 5.2.3).
#[must_use]
pub fn number(number: i64) -> Ext {
    Ext::new("2.5.29.20", false, der::int(number))
}

/// The deltaCRLIndicator extension (RFC 5280 5.2.4).
#[must_use]
pub fn delta(base: i64) -> Ext {
    Ext::new("2.5.29.27", true, der::int(base))
}

/// The issuingDistributionPoint extension before it is encoded (RFC 5280 5.2.5).
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "callers set the fields directly")]
pub struct Idp {
    /// The distributionPoint. Its reasons and issuer are not encoded.
    pub point: Point,
    /// The onlyContainsUserCerts flag.
    pub user: bool,
    /// The onlyContainsCACerts flag.
    pub ca: bool,
    /// The onlyContainsAttributeCerts flag.
    pub attribute: bool,
    /// The onlySomeReasons flags, by bit.
    pub reasons: Vec<u8>,
    /// The indirectCRL flag.
    pub indirect: bool,
}

impl Idp {
    /// The extension.
    #[must_use]
    pub fn ext(&self) -> Ext {
        let flag = |n, set: bool| if set { der::ctx(n, &[0xff]) } else { Vec::new() };
        let reasons = if self.reasons.is_empty() {
            Vec::new()
        } else {
            der::ctx(3, &der::named_bits(&self.reasons)[2..])
        };
        let fields = [
            self.point.name(),
            flag(1, self.user),
            flag(2, self.ca),
            reasons,
            flag(4, self.indirect),
            flag(5, self.attribute),
        ];
        Ext::new("2.5.29.28", true, der::seq(&fields))
    }
}

/// The reasonCode extension (RFC 5280 5.3.1), by its name in the RFC.
#[must_use]
pub fn reason(name: &str) -> Ext {
    Ext::new("2.5.29.21", false, der::tlv(0x0a, &[reason_code(name)]))
}

/// The reasonCode extension with the content bytes of its ENUMERATED.
#[must_use]
pub fn reason_number(content: &[u8]) -> Ext {
    Ext::new("2.5.29.21", false, der::tlv(0x0a, content))
}

/// The code of a reason.
#[must_use]
pub fn reason_code(name: &str) -> u8 {
    const NAMES: [&str; 11] = [
        "unspecified",
        "keyCompromise",
        "cACompromise",
        "affiliationChanged",
        "superseded",
        "cessationOfOperation",
        "certificateHold",
        "unused",
        "removeFromCRL",
        "privilegeWithdrawn",
        "aACompromise",
    ];
    u8::try_from(NAMES.iter().position(|known| *known == name).unwrap()).unwrap()
}

/// The invalidityDate extension (RFC 5280 5.3.2), in RFC 3339.
#[must_use]
pub fn invalidity_date(time: &str) -> Ext {
    let digits: String = time.chars().filter(char::is_ascii_digit).collect();
    Ext::new("2.5.29.24", false, der::tlv(0x18, format!("{digits}Z").as_bytes()))
}

/// The certificateIssuer extension (RFC 5280 5.3.3).
#[must_use]
pub fn certificate_issuer<S: AsRef<str>>(names: &[S]) -> Ext {
    Ext::new("2.5.29.29", true, general_names(names))
}

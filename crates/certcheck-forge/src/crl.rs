//! CRLs, field by field.

use crate::cert::sign;
use crate::der;
use crate::ext::{Ext, Point};
use crate::key::Key;
use crate::name::{general_names, name};

/// A CRL before it is signed. Every field may be anything.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "what is forged is written field by field")]
pub struct CrlBuilder {
    /// 1 or 2, or what no version is.
    pub version: i64,
    /// `signature` inside, where it is to differ.
    pub inner_algorithm: Option<Vec<u8>>,
    /// Name, encoded.
    pub issuer: Vec<u8>,
    /// The encoded Time.
    pub this_update: Vec<u8>,
    /// The encoded Time.
    pub next_update: Option<Vec<u8>>,
    /// In order; nothing is written if there are none.
    pub entries: Vec<RevokedCertificate>,
    /// revokedCertificates whole, where it is to be something else.
    pub raw_entries: Option<Vec<u8>>,
    /// Extensions in order; none written if there are none.
    pub extensions: Vec<Ext>,
    /// `[0]` whole, where it is to be something else.
    pub raw_extensions: Option<Vec<u8>>,
}

/// An entry.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "what is forged is written field by field")]
pub struct RevokedCertificate {
    /// The content of userCertificate.
    pub serial: Vec<u8>,
    /// The encoded Time.
    pub revoked_at: Vec<u8>,
    /// Extensions in order; none written if there are none.
    pub extensions: Vec<Ext>,
}

impl RevokedCertificate {
    /// Revoked on the first of March 2026, without a reason.
    #[must_use]
    pub fn new(serial: &[u8]) -> Self {
        Self {
            serial: serial.to_vec(),
            revoked_at: der::time("2026-03-01T00:00:00Z"),
            extensions: Vec::new(),
        }
    }

    /// The same with more extensions.
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
    /// A complete CRL, number 1, of December 2026.
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

    /// Adds extensions, each in place of one with its identifier.
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

    /// Lists certificates.
    #[must_use]
    pub fn revoking(mut self, entries: impl IntoIterator<Item = RevokedCertificate>) -> Self {
        self.entries.extend(entries);
        self
    }

    /// Times, in RFC 3339.
    #[must_use]
    pub fn valid(mut self, this_update: &str, next_update: Option<&str>) -> Self {
        self.this_update = der::time(this_update);
        self.next_update = next_update.map(der::time);
        self
    }

    /// tbsCertList, with the algorithm of this signer.
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

    /// Signs with this key.
    #[must_use]
    pub fn issue(&self, signer: &Key) -> Vec<u8> {
        sign(&self.tbs(signer), signer)
    }
}

/// cRLNumber (RFC 5280 5.2.3).
#[must_use]
pub fn number(number: i64) -> Ext {
    Ext::new("2.5.29.20", false, der::int(number))
}

/// deltaCRLIndicator (RFC 5280 5.2.4).
#[must_use]
pub fn delta(base: i64) -> Ext {
    Ext::new("2.5.29.27", true, der::int(base))
}

/// issuingDistributionPoint (RFC 5280 5.2.5), before it is written.
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "what is forged is written field by field")]
pub struct Idp {
    /// distributionPoint; its reasons and issuer are not written.
    pub point: Point,
    /// onlyContainsUserCerts
    pub user: bool,
    /// onlyContainsCACerts
    pub ca: bool,
    /// onlyContainsAttributeCerts
    pub attribute: bool,
    /// onlySomeReasons, by bit.
    pub reasons: Vec<u8>,
    /// indirectCRL
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

/// reasonCode (RFC 5280 5.3.1), by the name of the RFC.
#[must_use]
pub fn reason(name: &str) -> Ext {
    Ext::new("2.5.29.21", false, der::tlv(0x0a, &[reason_code(name)]))
}

/// reasonCode of any number, in the content bytes of its ENUMERATED.
#[must_use]
pub fn reason_number(content: &[u8]) -> Ext {
    Ext::new("2.5.29.21", false, der::tlv(0x0a, content))
}

/// The number of a reason.
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

/// invalidityDate (RFC 5280 5.3.2), in RFC 3339.
#[must_use]
pub fn invalidity_date(time: &str) -> Ext {
    let digits: String = time.chars().filter(char::is_ascii_digit).collect();
    Ext::new("2.5.29.24", false, der::tlv(0x18, format!("{digits}Z").as_bytes()))
}

/// certificateIssuer (RFC 5280 5.3.3).
#[must_use]
pub fn certificate_issuer<S: AsRef<str>>(names: &[S]) -> Ext {
    Ext::new("2.5.29.29", true, general_names(names))
}

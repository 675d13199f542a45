//! Certificates, field by field.

use sha2::{Digest as _, Sha256};

use crate::der;
use crate::ext::{self, Ext};
use crate::key::Key;
use crate::name::name;

/// A certificate before it is signed. Every field may have any value.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "callers set the fields directly")]
pub struct Cert {
    /// The version: 1, 2, 3, or a number that is no version.
    pub version: i64,
    /// The content of serialNumber.
    pub serial: Vec<u8>,
    /// The `signature` field inside tbsCertificate, if it should differ from the algorithm outside.
    pub inner_algorithm: Option<Vec<u8>>,
    /// The issuer, encoded as a Name.
    pub issuer: Vec<u8>,
    /// The notBefore, encoded as a Time.
    pub not_before: Vec<u8>,
    /// The notAfter, encoded as a Time.
    pub not_after: Vec<u8>,
    /// The subject, encoded as a Name.
    pub subject: Vec<u8>,
    /// The encoded SubjectPublicKeyInfo.
    pub spki: Vec<u8>,
    /// The encoded issuerUniqueID and subjectUniqueID.
    pub unique_ids: Vec<u8>,
    /// The extensions in order. If there are none, the field is absent.
    pub extensions: Vec<Ext>,
    /// The whole `[3]` element, if it should be something else.
    pub raw_extensions: Option<Vec<u8>>,
}

impl Cert {
    /// A certificate with the fields that every certificate has: valid from 2025 to 2125, with a serial number derived
    /// from the names and the key.
    #[must_use]
    pub fn new(subject: &str, key: &Key, issuer: &str) -> Self {
        let seed = [subject.as_bytes(), b"/", issuer.as_bytes(), key.spki()].concat();
        let mut serial = Sha256::digest(&seed)[..16].to_vec();
        serial[0] = serial[0] & 0x7f | 0x40;
        Self {
            version: 3,
            serial,
            inner_algorithm: None,
            issuer: name(issuer),
            not_before: der::time("2025-01-01T00:00:00Z"),
            not_after: der::time("2125-01-01T00:00:00Z"),
            subject: name(subject),
            spki: key.spki().to_vec(),
            unique_ids: Vec::new(),
            extensions: Vec::new(),
            raw_extensions: None,
        }
    }

    /// A self-signed CA. Sign it with the same key.
    #[must_use]
    pub fn root(subject: &str, key: &Key) -> Self {
        let usage = ext::key_usage(&["keyCertSign", "cRLSign"]);
        Self::new(subject, key, subject).with([ext::basic_constraints(true, None), usage, ext::ski(key)])
    }

    /// An intermediate CA.
    #[must_use]
    pub fn ca(subject: &str, key: &Key, issuer: &str, issuer_key: &Key) -> Self {
        let usage = ext::key_usage(&["keyCertSign", "cRLSign"]);
        Self::new(subject, key, issuer).with([
            ext::basic_constraints(true, None),
            usage,
            ext::ski(key),
            ext::aki(issuer_key),
        ])
    }

    /// A TLS client.
    #[must_use]
    pub fn leaf(subject: &str, key: &Key, issuer: &str, issuer_key: &Key) -> Self {
        Self::new(subject, key, issuer).with([
            ext::key_usage(&["digitalSignature"]),
            ext::eku(&["client"]),
            ext::ski(key),
            ext::aki(issuer_key),
        ])
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

    /// Removes an extension.
    #[must_use]
    pub fn without(mut self, oid: &str) -> Self {
        self.extensions.retain(|extension| extension.oid != oid);
        self
    }

    /// Sets the validity, in RFC 3339.
    #[must_use]
    pub fn valid(mut self, not_before: &str, not_after: &str) -> Self {
        self.not_before = der::time(not_before);
        self.not_after = der::time(not_after);
        self
    }

    /// The tbsCertificate, with the signature algorithm of this issuer.
    #[must_use]
    pub fn tbs(&self, issuer: &Key) -> Vec<u8> {
        let version = if self.version == 1 { Vec::new() } else { der::ctx_c(0, &der::int(self.version - 1)) };
        let algorithm = self.inner_algorithm.clone().unwrap_or_else(|| issuer.algorithm());
        let extensions = match &self.raw_extensions {
            Some(raw) => raw.clone(),
            None if self.extensions.is_empty() => Vec::new(),
            None => der::ctx_c(3, &der::seq(&self.extensions.iter().map(Ext::der).collect::<Vec<_>>())),
        };
        der::seq(&[
            version,
            der::int_bytes(&self.serial),
            algorithm,
            self.issuer.clone(),
            der::seq(&[&self.not_before, &self.not_after]),
            self.subject.clone(),
            self.spki.clone(),
            self.unique_ids.clone(),
            extensions,
        ])
    }

    /// Signs with the issuer's key, and returns the certificate in DER.
    #[must_use]
    pub fn issue(&self, issuer: &Key) -> Vec<u8> {
        sign(&self.tbs(issuer), issuer)
    }
}

/// Signs `tbs`, and appends algorithm and signature: the form of certificates, CRLs and OCSP responses.
#[must_use]
pub fn sign(tbs: &[u8], key: &Key) -> Vec<u8> {
    der::seq(&[tbs, &key.algorithm(), &der::bits(&key.sign(tbs))])
}

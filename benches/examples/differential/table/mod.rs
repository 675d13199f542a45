//! The explanations.

mod they_certificates;
mod they_evidence;
mod we_evidence;
mod we_openssl;
mod we_webpki;

use crate::case::Kind::{Certificate, Crl, Response};
use crate::case::Oracle::{OpenSsl, Webpki};
use crate::case::{Kind, Oracle};
use crate::explain::{Difference, Explanation, Stricter};

/// All of them; the first that fits is told.
pub(crate) const TABLES: [&[Explanation]; 5] =
    [they_certificates::TABLE, they_evidence::TABLE, we_openssl::TABLE, we_webpki::TABLE, we_evidence::TABLE];

const OPENSSL: &[Oracle] = &[OpenSsl];
const WEBPKI: &[Oracle] = &[Webpki];
const BOTH: &[Oracle] = &[OpenSsl, Webpki];
const ALL: &[Kind] = &[Certificate, Crl, Response];
const CERTIFICATES: &[Kind] = &[Certificate];
const CRLS: &[Kind] = &[Crl];
const RESPONSES: &[Kind] = &[Response];

const EXTENSIONS: &[&str] = &[
    "authorityKeyIdentifier",
    "subjectKeyIdentifier",
    "keyUsage",
    "certificatePolicies",
    "policyMappings",
    "subjectAltName",
    "issuerAltName",
    "basicConstraints",
    "nameConstraints",
    "policyConstraints",
    "extKeyUsage",
    "cRLDistributionPoints",
    "inhibitAnyPolicy",
    "freshestCRL",
    "authorityInfoAccess",
    "subjectInfoAccess",
    "noRevAvail",
    "id-pkix-ocsp-nocheck",
    "tlsfeature",
];
/// Extensions that OpenSSL does not parse on a path.
const UNOPENED_BY_OPENSSL: &[&str] = &[
    "issuerAltName",
    "freshestCRL",
    "authorityInfoAccess",
    "subjectInfoAccess",
    "noRevAvail",
    "id-pkix-ocsp-nocheck",
    "tlsfeature",
];
/// Extensions that webpki does not parse on a path.
const UNOPENED_BY_WEBPKI: &[&str] = &[
    "issuerAltName",
    "freshestCRL",
    "authorityInfoAccess",
    "subjectInfoAccess",
    "noRevAvail",
    "id-pkix-ocsp-nocheck",
    "tlsfeature",
    "authorityKeyIdentifier",
    "subjectKeyIdentifier",
    "keyUsage",
    "certificatePolicies",
    "policyMappings",
    "policyConstraints",
    "inhibitAnyPolicy",
    "cRLDistributionPoints",
];
const CRL_EXTENSIONS: &[&str] = &[
    "authorityKeyIdentifier",
    "cRLNumber",
    "deltaCRLIndicator",
    "issuingDistributionPoint",
    "freshestCRL",
    "authorityInfoAccess",
    "reasonCode",
    "invalidityDate",
    "certificateIssuer",
    "cRLDistributionPoints",
];
const NAMES: &[&str] = &["subject", "issuer", "responderID"];
const KEYS: &[&str] = &["subjectPublicKeyInfo", "RSAPublicKey", "namedCurve"];
const STRUCTURE: &[&str] = &[
    "unexpected bytes after",
    "tag 0x",
    "the length goes past",
    "list is empty",
    "invalid OBJECT IDENTIFIER",
    "unknown type or alternative",
    "INTEGER",
    "tag number above 30",
    "length is not encoded",
    "indefinite length",
    "length is longer",
    "extension appears twice",
    "BOOLEAN",
    "INTEGER is negative",
    "NULL is not empty",
];

type Texts = &'static [&'static str];
type When = fn(&Difference<'_>) -> bool;

const fn always(_: &Difference<'_>) -> bool {
    true
}

/// We refuse for one of these reasons, of one of these fields.
const fn we(
    (oracles, kinds): (&'static [Oracle], &'static [Kind]),
    (fields, reasons): (Texts, Texts),
    when: When,
    (clause, text): (&'static str, &'static str),
) -> Explanation {
    Explanation { stricter: Stricter::We, oracles, kinds, fields, reasons, when, text, clause }
}

/// They refuse for one of these reasons.
const fn they(
    (oracles, kinds): (&'static [Oracle], &'static [Kind]),
    reasons: Texts,
    when: When,
    (clause, text): (&'static str, &'static str),
) -> Explanation {
    Explanation { stricter: Stricter::They, oracles, kinds, fields: &[], reasons, when, text, clause }
}

/// One says good, the other revoked.
const fn opposed(
    (oracles, kinds): (&'static [Oracle], &'static [Kind]),
    _: Texts,
    when: When,
    (clause, text): (&'static str, &'static str),
) -> Explanation {
    Explanation { stricter: Stricter::Neither, oracles, kinds, fields: &[], reasons: &[], when, text, clause }
}

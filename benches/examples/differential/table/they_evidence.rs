//! Where the other is stricter about CRLs and OCSP responses, and where both read it and say the opposite.

use super::{BOTH, CRLS, OPENSSL, RESPONSES, WEBPKI, opposed, they};
use crate::explain::Explanation;
use crate::facts;

pub(super) const TABLE: &[Explanation] = &[
    they(
        (OPENSSL, RESPONSES),
        &["certificate verify error"],
        facts::has_time_within_skew,
        (
            "RFC 6960 3.2",
            "we let clocks differ by 300 seconds (`freshness.skew`) for a responder's certificate too; and the second of notAfter is of its validity",
        ),
    ),
    they(
        (WEBPKI, CRLS),
        &["BadDer", "TrailingData"],
        facts::lenient_encoding,
        (
            "X.690 11.1, 11.2.2; RFC 5280 5.1.2.7",
            "webpki accepts no BOOLEAN other than FF, no named bits that end in zero bits and no empty list; they are in use, and nobody can take them two ways",
        ),
    ),
    they(
        (WEBPKI, CRLS),
        &["BadDer", "UnsupportedCrlVersion"],
        facts::version_1,
        (
            "RFC 5280 5.1.2.1",
            "webpki accepts no CRL of version 1; the RFC requires applications to process them",
        ),
    ),
    they(
        (WEBPKI, CRLS),
        &["BadDer", "MalformedExtensions"],
        facts::without_crl_extensions,
        ("RFC 5280 5.1.2.7", "webpki accepts no CRL without extensions; only issuers must include them"),
    ),
    they(
        (WEBPKI, CRLS),
        &["TrailingData(Time)"],
        facts::without_next_update,
        (
            "RFC 5280 5.1.2.5",
            "webpki accepts no CRL without nextUpdate; we accept a revocation in one, and for a day that a certificate is not listed",
        ),
    ),
    they(
        (WEBPKI, CRLS),
        &["BadDerTime"],
        facts::has_time_before_1970,
        ("RFC 5280 5.1.2.6", "webpki accepts no time before 1970"),
    ),
    they(
        (WEBPKI, CRLS),
        &["BadDerTime"],
        facts::odd_invalidity_date,
        ("RFC 5280 5.3.2", "webpki accepts only what it can mean by invalidityDate; a UTCTime there we read"),
    ),
    they(
        (WEBPKI, CRLS),
        &[
            "UnsupportedIndirectCrl",
            "UnsupportedRevocationReasonsPartitioning",
            "UnsupportedCrlIssuingDistributionPoint",
            "UnsupportedDeltaCrl",
        ],
        facts::has_partition,
        (
            "RFC 5280 5.2.5, 6.3.3",
            "webpki processes no indirect CRLs, none with some reasons, and only URLs as distribution points; we process all",
        ),
    ),
    they(
        (WEBPKI, CRLS),
        &["UnknownRevocationStatus"],
        facts::other_bytes_of_issuer,
        ("RFC 5280 7.1", "webpki compares names as bytes; we as the RFC says"),
    ),
    they(
        (WEBPKI, CRLS),
        &["UnknownRevocationStatus"],
        facts::has_partition,
        (
            "RFC 5280 6.3.3 (b)(2)",
            "webpki accepts an issuingDistributionPoint for a certificate with distribution points only \
             if both have a URL in common; without a name in it the CRL is of all points",
        ),
    ),
    they(
        (WEBPKI, CRLS),
        &["UnsupportedCriticalExtension"],
        facts::critical_in_crl,
        ("RFC 5280 5.2, 5.3", "webpki knows fewer extensions of CRLs and entries that may be critical"),
    ),
    they(
        (WEBPKI, CRLS),
        &["UnsupportedRevocationReason"],
        facts::has_reason,
        ("RFC 5280 5.3.1", "webpki reads no reason that only a delta may have"),
    ),
    they(
        (BOTH, CRLS),
        &["CRL has expired", "CrlExpired"],
        facts::read_as_revoked,
        (
            "RFC 5280 6.3.3",
            "an outdated CRL shows no certificate as good, but its revocations still count: they cannot be undone",
        ),
    ),
    they(
        (BOTH, CRLS),
        &["CRL has expired", "CrlExpired", "CRL is not yet valid"],
        facts::has_time_within_skew,
        (
            "RFC 5280 5.1.2.4, 5.1.2.5",
            "we allow clocks to differ by 300 seconds (`freshness.skew`), and the second of nextUpdate is still valid",
        ),
    ),
    they(
        (OPENSSL, CRLS),
        &["unable to get certificate CRL"],
        facts::other_authority_key,
        (
            "RFC 5280 5.2.1",
            "OpenSSL finds CRLs by authorityKeyIdentifier and skips others; for us it is a hint, and name and signature decide",
        ),
    ),
    they(
        (OPENSSL, CRLS),
        &["unhandled critical CRL extension"],
        facts::critical_in_crl,
        (
            "RFC 5280 5.3",
            "OpenSSL accepts no critical extension of an entry except certificateIssuer, and few of a CRL; we process reasonCode and invalidityDate, critical or not",
        ),
    ),
    they(
        (OPENSSL, RESPONSES),
        &["root ca not trusted"],
        facts::several_answers,
        (
            "RFC 6960 4.2.2.3",
            "OpenSSL requires all answers in a response to have one issuer and one hash, or a trusted signer; we check those about the certificate",
        ),
    ),
    they(
        (OPENSSL, RESPONSES),
        &["unsupported", "unknown message digest", "no reason"],
        facts::several_answers,
        (
            "RFC 6960 4.1.1",
            "OpenSSL refuses a response with a CertID of an unknown hash, even if that of the certificate is right",
        ),
    ),
    they(
        (OPENSSL, RESPONSES),
        &[
            "type not primitive",
            "boolean is wrong length",
            "illegal zero content",
            "EVP lib",
            "string too short",
            "null is wrong length",
            "invalid object encoding",
            "integer",
        ],
        facts::odd_hash_parameters,
        (
            "RFC 6960 4.1.1",
            "OpenSSL decodes the parameters of the hash in a CertID, which have no meaning; we skip them",
        ),
    ),
    they(
        (OPENSSL, RESPONSES),
        &["unknown", "expired", "not yet valid"],
        facts::read_as_revoked,
        (
            "RFC 6960 2.2, 3.2",
            "revoked in one of several answers is revoked, and an old revocation still counts (except for a hold)",
        ),
    ),
    they(
        (OPENSSL, RESPONSES),
        &["certificate verify error"],
        facts::critical_in_response,
        (
            "RFC 6960 4.2.2.2.1",
            "OpenSSL accepts no responder's certificate with a critical ocsp-nocheck; whether it is critical \
             is not said, and we process it",
        ),
    ),
    they(
        (OPENSSL, RESPONSES),
        &["certificate verify error"],
        facts::other_delegate_authority,
        (
            "RFC 5280 4.2.1.1",
            "OpenSSL finds issuers by authorityKeyIdentifier; for us it is a hint, and name and signature decide",
        ),
    ),
    they(
        (OPENSSL, RESPONSES),
        &["certificate verify error"],
        facts::policies_in_response,
        (
            "RFC 5280 6.1.5, RFC 6960 4.2.2.2",
            "OpenSSL validates a path for a responder's certificate, policies included; we ask of it \
             what RFC 6960 asks: the CA's signature, the purpose, time, and that no critical extension is unknown. The \
             CA may sign what it has the responder sign, so nobody gains by it",
        ),
    ),
    they(
        (OPENSSL, RESPONSES),
        &[
            "invalid utf8string",
            "too long",
            "header too long",
            "mstring",
            "bmpstring",
            "type not",
            "universalstring",
        ],
        facts::odd_name_value,
        (
            "RFC 5280 4.1.2.4",
            "OpenSSL decodes the values in names of a responder or its certificate; we read strictly \
             down to the values",
        ),
    ),
    they(
        (OPENSSL, RESPONSES),
        &["header too long", "too long", "wrong tag", "not enough data", "bad object header"],
        facts::odd_certificates_behind,
        (
            "RFC 6960 4.2.1",
            "OpenSSL reads all certificates that are sent along; we look for the signer among them, \
             and read the others as far as they are elements. They are not signed: who could add to \
             them could leave them out",
        ),
    ),
    opposed(
        (OPENSSL, RESPONSES),
        &[],
        facts::several_answers,
        (
            "RFC 6960 2.2",
            "of several answers about one certificate OpenSSL uses the first; for us revoked in any is revoked",
        ),
    ),
    opposed(
        (OPENSSL, CRLS),
        &[],
        facts::removed_entry,
        (
            "RFC 5280 5.3.1",
            "an entry with removeFromCRL in a complete CRL, where it is not allowed, is not a revocation for OpenSSL and is one for us",
        ),
    ),
    they(
        (OPENSSL, CRLS),
        &["unable to get certificate CRL"],
        facts::revoked_in_a_part,
        (
            "RFC 5280 6.3.3 (e), (j)",
            "OpenSSL has no use for a CRL of some reasons alone; revoked for some is revoked, only good takes all",
        ),
    ),
];

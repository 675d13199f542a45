//! Where we are stricter about CRLs and OCSP responses.

use super::{CRL_EXTENSIONS, CRLS, OPENSSL, RESPONSES, WEBPKI, always, we};
use crate::explain::Explanation;
use crate::facts;

pub(super) const TABLE: &[Explanation] = &[
    we(
        (OPENSSL, CRLS),
        (&["revokedCertificates"], &["unknown critical extension"]),
        facts::has_entry_extension,
        (
            "RFC 5280 5.3",
            "after a certificateIssuer or reasonCode that cannot be parsed OpenSSL stops, and misses the critical extension of the entry",
        ),
    ),
    we(
        (OPENSSL, CRLS),
        (&["version"], &["unknown or wrongly encoded version"]),
        always,
        ("RFC 5280 5.1.2.1", "OpenSSL accepts any number for a version; a CRL has v2 or no number"),
    ),
    we(
        (OPENSSL, CRLS),
        (&["crlExtensions", "revokedCertificates"], &["with extensions, which need version"]),
        always,
        ("RFC 5280 5.1.2.7, 5.3", "OpenSSL accepts extensions of a version 1 CRL, and of its entries"),
    ),
    we(
        (WEBPKI, CRLS),
        (&["revokedCertificates"], &["INTEGER"]),
        always,
        ("X.690 8.3", "webpki accepts any bytes for a serial number in an entry"),
    ),
    we(
        (WEBPKI, CRLS),
        (&["crlExtensions"], &["extension appears twice"]),
        always,
        ("RFC 5280 5.2", "webpki notices a duplicate extension only if it uses it"),
    ),
    we(
        (OPENSSL, CRLS),
        (CRL_EXTENSIONS, &[]),
        always,
        (
            "RFC 5280 5.2, 5.3",
            "OpenSSL ignores an extension of a CRL or of an entry that cannot be parsed, or uses only its first value; for us such a CRL is unusable",
        ),
    ),
    we(
        (OPENSSL, CRLS),
        (&["revokedCertificates"], &["unexpected bytes after"]),
        always,
        ("RFC 5280 5.1.2.6", "OpenSSL ignores extra bytes in an entry"),
    ),
    we(
        (OPENSSL, CRLS),
        (&["tbsCertList"], &["unexpected bytes after"]),
        always,
        ("RFC 5280 5.1.2", "OpenSSL ignores extra bytes in the list"),
    ),
    we(
        (OPENSSL, CRLS),
        (&["revokedCertificates"], &["not a valid time"]),
        always,
        ("RFC 5280 5.1.2.6", "OpenSSL does not parse the revocation date"),
    ),
    we(
        (OPENSSL, CRLS),
        (&[], &["stale"]),
        facts::without_next_update,
        (
            "RFC 5280 5.1.2.5",
            "without nextUpdate OpenSSL accepts a CRL forever, we for a day after thisUpdate \
             (`freshness.max_age`)",
        ),
    ),
    we(
        (WEBPKI, CRLS),
        (&[], &["not-yet-valid"]),
        always,
        ("RFC 5280 5.1.2.4", "webpki does not compare thisUpdate with the time"),
    ),
    we(
        (WEBPKI, CRLS),
        (&[], &["stale"]),
        always,
        ("RFC 5280 5.1.2.5", "webpki does not hold nextUpdate against thisUpdate: before it, it is nonsense"),
    ),
    we(
        (WEBPKI, CRLS),
        (&[], &["out-of-scope"]),
        facts::has_partition,
        (
            "RFC 5280 6.3.3 (b)(2)(i)",
            "webpki accepts a CRL with a distribution point for a certificate without one; for us it covers only certificates that name the point",
        ),
    ),
    we(
        (WEBPKI, CRLS),
        (&["cRLNumber"], &["marked critical"]),
        always,
        ("RFC 5280 5.2.3", "webpki accepts a critical cRLNumber"),
    ),
    we(
        (WEBPKI, CRLS),
        (
            CRL_EXTENSIONS,
            &[
                "unexpected bytes after",
                "tag 0x",
                "the length goes past",
                "length is not encoded",
                "indefinite",
                "length is longer",
                "character that this string type",
                "list is empty",
                "authorityCert",
                "invalid OBJECT",
                "unknown type or alternative",
                "INTEGER",
            ],
        ),
        always,
        (
            "RFC 5280 5.2",
            "webpki does not parse authorityKeyIdentifier or freshestCRL of a CRL, and parses only the needed part of an issuingDistributionPoint, a reason or a date",
        ),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&["singleExtensions", "responseExtensions"], &["unknown critical extension"]),
        always,
        ("RFC 6960 4.4", "OpenSSL does not check whether an extension of a response is critical"),
    ),
    we(
        (OPENSSL, RESPONSES),
        (
            &["singleExtensions", "responseExtensions"],
            &[
                "unexpected bytes after",
                "tag 0x",
                "the length goes past",
                "not a valid time",
                "list is empty",
                "BOOLEAN",
            ],
        ),
        always,
        ("RFC 6960 4.4", "OpenSSL does not parse extensions of a response that nobody asks for"),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&["certStatus"], &["unknown type or alternative"]),
        always,
        (
            "RFC 5280 5.3.1, RFC 6960 4.2.1",
            "OpenSSL accepts any number for a reason, and ignores content in good and unknown, which have none",
        ),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&["certStatus", "producedAt", "thisUpdate", "nextUpdate"], &["not a valid time"]),
        always,
        (
            "RFC 6960 4.2.2.1, X.690 11.7",
            "OpenSSL does not parse producedAt, the time of revocation, or times of answers about others; and it accepts times with a fraction or an offset",
        ),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&["certID"], &["INTEGER", "unexpected bytes after", "tag 0x"]),
        always,
        ("RFC 6960 4.1.1", "OpenSSL reads a CertID by BER"),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&["BasicOCSPResponse", "responseBytes", "OCSPResponse", "responses"], &["unexpected bytes after"]),
        always,
        ("RFC 6960 4.2.1", "OpenSSL parses the response in its OCTET STRING and ignores bytes after it"),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&[], &["not-yet-valid"]),
        always,
        (
            "RFC 6960 4.2.2.1",
            "OpenSSL does not compare producedAt with the time, and uses only the first answer about the certificate",
        ),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&[], &["stale"]),
        facts::several_answers_or_no_next,
        (
            "RFC 6960 3.2",
            "OpenSSL uses only the first answer about the certificate, and accepts one without nextUpdate forever; for us one unusable answer among several invalidates the good ones",
        ),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&[], &["responder-unknown"]),
        facts::several_answers,
        (
            "RFC 6960 2.2",
            "OpenSSL uses only the first answer about the certificate; for us an additional unknown invalidates a good one",
        ),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&[], &["wrong-signer"]),
        facts::has_delegate,
        (
            "RFC 6960 4.2.2.2",
            "OpenSSL does not check whether a responder's certificate may sign at all (keyUsage), is a \
             CA, or names CRLs by which it would have to be checked",
        ),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&[], &["malformed"]),
        facts::has_delegate,
        (
            "RFC 5280 4.1",
            "we cannot parse the responder's certificate, for one of the reasons above; OpenSSL parses it as BER",
        ),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&[], &["unsupported"]),
        always,
        ("RFC 5758 3.2", "OpenSSL accepts parameters of ecdsa-with-SHA256, which the RFC forbids"),
    ),
];

//! Where we are the stricter about CRLs and OCSP responses.

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
            "once a certificateIssuer or reasonCode does not read OpenSSL looks no further, and misses the critical extension of the entry",
        ),
    ),
    we(
        (OPENSSL, CRLS),
        (&["version"], &["unknown or wrongly encoded version"]),
        always,
        ("RFC 5280 5.1.2.1", "OpenSSL takes any number for a version; a CRL has v2 or no number"),
    ),
    we(
        (OPENSSL, CRLS),
        (&["crlExtensions", "revokedCertificates"], &["with extensions, which need version"]),
        always,
        ("RFC 5280 5.1.2.7, 5.3", "OpenSSL reads extensions of a CRL of version 1, and of its entries"),
    ),
    we(
        (WEBPKI, CRLS),
        (&["revokedCertificates"], &["INTEGER"]),
        always,
        ("X.690 8.3", "webpki takes any bytes for a serial number in an entry"),
    ),
    we(
        (WEBPKI, CRLS),
        (&["crlExtensions"], &["extension appears twice"]),
        always,
        ("RFC 5280 5.2", "webpki minds an extension that comes twice only if it keeps it"),
    ),
    we(
        (OPENSSL, CRLS),
        (CRL_EXTENSIONS, &[]),
        always,
        (
            "RFC 5280 5.2, 5.3",
            "OpenSSL goes on without an extension of a CRL or of an entry that does not read, or \
             reads its first value alone; to us such a CRL is of no use",
        ),
    ),
    we(
        (OPENSSL, CRLS),
        (&["revokedCertificates"], &["unexpected bytes after"]),
        always,
        ("RFC 5280 5.1.2.6", "OpenSSL goes on behind bytes left over in an entry"),
    ),
    we(
        (OPENSSL, CRLS),
        (&["tbsCertList"], &["unexpected bytes after"]),
        always,
        ("RFC 5280 5.1.2", "OpenSSL goes on behind bytes left over in the list"),
    ),
    we(
        (OPENSSL, CRLS),
        (&["revokedCertificates"], &["not a valid time"]),
        always,
        ("RFC 5280 5.1.2.6", "OpenSSL does not read when a certificate was revoked"),
    ),
    we(
        (OPENSSL, CRLS),
        (&[], &["stale"]),
        facts::without_next_update,
        (
            "RFC 5280 5.1.2.5",
            "without nextUpdate OpenSSL takes a CRL for ever, we for a day after thisUpdate \
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
            "webpki takes a CRL with a distribution point of its own for a certificate without one; \
             to us it speaks for certificates that name the point",
        ),
    ),
    we(
        (WEBPKI, CRLS),
        (&["cRLNumber"], &["marked critical"]),
        always,
        ("RFC 5280 5.2.3", "webpki takes a cRLNumber that is critical"),
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
            "webpki does not open authorityKeyIdentifier or freshestCRL of a CRL, and reads an \
             issuingDistributionPoint, a reason or a date up to what it needs",
        ),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&["singleExtensions", "responseExtensions"], &["unknown critical extension"]),
        always,
        ("RFC 6960 4.4", "OpenSSL does not look whether an extension of a response is critical"),
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
        ("RFC 6960 4.4", "OpenSSL does not open extensions of a response that nobody asks for"),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&["certStatus"], &["unknown type or alternative"]),
        always,
        (
            "RFC 5280 5.3.1, RFC 6960 4.2.1",
            "OpenSSL takes any number for a reason, and does not mind content where good and unknown \
             have none",
        ),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&["certStatus", "producedAt", "thisUpdate", "nextUpdate"], &["not a valid time"]),
        always,
        (
            "RFC 6960 4.2.2.1, X.690 11.7",
            "OpenSSL does not read producedAt, the time of revocation, or times of answers about \
             others; and it reads times with a fraction or an offset",
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
        (
            "RFC 6960 4.2.1",
            "OpenSSL reads the response out of its OCTET STRING and does not mind what stands behind \
             it",
        ),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&[], &["not-yet-valid"]),
        always,
        (
            "RFC 6960 4.2.2.1",
            "OpenSSL does not compare producedAt with the time, and looks at the first answer about \
             the certificate alone",
        ),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&[], &["stale"]),
        facts::several_answers_or_no_next,
        (
            "RFC 6960 3.2",
            "OpenSSL looks at the first answer about the certificate alone, and takes one without \
             nextUpdate for ever; to us one of several that is of no use spoils the good ones",
        ),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&[], &["responder-unknown"]),
        facts::several_answers,
        (
            "RFC 6960 2.2",
            "OpenSSL looks at the first answer about the certificate alone; to us an unknown beside a \
             good one spoils it",
        ),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&[], &["wrong-signer"]),
        facts::has_delegate,
        (
            "RFC 6960 4.2.2.2",
            "OpenSSL does not ask whether a responder's certificate may sign at all (keyUsage), is a \
             CA, or names CRLs by which it would have to be checked",
        ),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&[], &["malformed"]),
        facts::has_delegate,
        (
            "RFC 5280 4.1",
            "the responder's certificate does not read to us, by one of the lines above; OpenSSL \
             reads it by BER",
        ),
    ),
    we(
        (OPENSSL, RESPONSES),
        (&[], &["unsupported"]),
        always,
        ("RFC 5758 3.2", "OpenSSL lets ecdsa-with-SHA256 have parameters, which the RFC forbids"),
    ),
];

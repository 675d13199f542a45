//! Where we are stricter than webpki about certificates.

use super::{CERTIFICATES, KEYS, UNOPENED_BY_WEBPKI, WEBPKI, always, we};
use crate::explain::Explanation;

pub(super) const TABLE: &[Explanation] = &[
    we(
        (WEBPKI, CERTIFICATES),
        (UNOPENED_BY_WEBPKI, &[]),
        always,
        ("RFC 5280 4.2", "webpki does not parse this extension on a path; we parse every known one"),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (&["subject"], &[]),
        always,
        ("RFC 5280 4.1.2.6", "webpki accepts a subject as bytes and does not parse the name"),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (KEYS, &[]),
        always,
        (
            "RFC 5280 4.1.2.7",
            "webpki does not check the key of the leaf on a path; we do, to check its strength",
        ),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (
            &[],
            &[
                "malformed: P-",
                "malformed: key",
                "malformed: the P-256 key",
                "malformed: the key is not a point",
                "unsupported-algorithm: the key is on the unknown curve",
                "malformed: RSA key",
                "weak-key: key",
                "weak-key: RSA key",
                "unsupported-algorithm: key",
            ],
        ),
        always,
        (
            "RFC 5280 4.1.2.7, RFC 5480 2.2, RFC 8017 3.1",
            "webpki does not check the leaf's own key on a path; we ask its form and strength, and that a point is on its curve",
        ),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (&[], &["unsupported-algorithm: the key's elliptic curve is not given by name"]),
        always,
        (
            "RFC 5480 2.1.1",
            "webpki does not check the key of the leaf on a path; explicit curves are forbidden",
        ),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (&["serialNumber"], &["INTEGER"]),
        always,
        (
            "X.690 8.3",
            "webpki accepts any bytes as a serial number, also none or padded ones. A serial number in two encodings can hide a revocation",
        ),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (&["extensions", "crlExtensions"], &["list is empty"]),
        always,
        ("RFC 5280 4.1.2.9", "webpki accepts an empty list of extensions"),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (&["extensions"], &["extension appears twice"]),
        always,
        ("RFC 5280 4.2", "webpki notices a duplicate extension only if it parses it"),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (&["subjectAltName"], &[]),
        always,
        (
            "RFC 5280 4.2.1.6",
            "webpki parses subjectAltName only to compare a constraint or a host, and some forms only as bytes",
        ),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (&["nameConstraints"], &[]),
        always,
        ("RFC 5280 4.2.1.10", "webpki parses nameConstraints only if there are names below, form by form"),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (
            &["extKeyUsage"],
            &[
                "tag 0x",
                "invalid OBJECT IDENTIFIER",
                "the length goes past",
                "unexpected bytes after",
                "length is not encoded",
                "indefinite",
            ],
        ),
        always,
        ("RFC 5280 4.2.1.12", "webpki parses key purposes until it finds the right one, we parse all"),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (&[], &["key-usage: keyUsage does not include"]),
        always,
        ("RFC 5280 4.2.1.3, 6.1.4 (n)", "webpki does not check keyUsage on a path"),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (&[], &["policy: no certificate policy"]),
        always,
        (
            "RFC 5280 6.1.5 (g)",
            "webpki processes no policies; it ignores constraints on them that are not critical",
        ),
    ),
];

//! Where we are stricter than webpki about certificates.

use super::{CERTIFICATES, KEYS, UNOPENED_BY_WEBPKI, WEBPKI, always, we};
use crate::explain::Explanation;

pub(super) const TABLE: &[Explanation] = &[
    we(
        (WEBPKI, CERTIFICATES),
        (UNOPENED_BY_WEBPKI, &[]),
        always,
        (
            "RFC 5280 4.2",
            "webpki does not open this extension on a path; we read every known one whatever hangs on \
             it",
        ),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (&["subject"], &[]),
        always,
        ("RFC 5280 4.1.2.6", "webpki takes a subject as bytes and does not read the name"),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (KEYS, &[]),
        always,
        (
            "RFC 5280 4.1.2.7",
            "webpki does not check the leaf's own key on a path; we do, since its strength is judged",
        ),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (
            &[],
            &[
                "malformed: P-",
                "malformed: key",
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
        (&[], &["unsupported-algorithm: the key's elliptic curve is not named"]),
        always,
        (
            "RFC 5480 2.1.1",
            "webpki does not check the leaf's own key on a path; explicit curves are forbidden",
        ),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (&["serialNumber"], &["INTEGER"]),
        always,
        (
            "X.690 8.3",
            "webpki takes any bytes for a serial number, none or padded ones too. A serial in two \
             encodings is how a revocation is missed",
        ),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (&["extensions", "crlExtensions"], &["list is empty"]),
        always,
        ("RFC 5280 4.1.2.9", "webpki takes extensions of which there are none"),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (&["extensions"], &["extension appears twice"]),
        always,
        ("RFC 5280 4.2", "webpki minds an extension that comes twice only if it is one that it reads"),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (&["subjectAltName"], &[]),
        always,
        (
            "RFC 5280 4.2.1.6",
            "webpki opens subjectAltName only where a constraint or a host is to be compared, and \
             there reads some forms as bytes",
        ),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (&["nameConstraints"], &[]),
        always,
        (
            "RFC 5280 4.2.1.10",
            "webpki opens nameConstraints only below, form by form as there are names to compare",
        ),
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
        (
            "RFC 5280 4.2.1.12",
            "webpki reads key purposes until it finds the one that is wanted, we all of them",
        ),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (&[], &["key-usage: keyUsage does not include"]),
        always,
        ("RFC 5280 4.2.1.3, 6.1.4 (n)", "webpki does not look at keyUsage on a path"),
    ),
    we(
        (WEBPKI, CERTIFICATES),
        (&[], &["policy: no certificate policy"]),
        always,
        (
            "RFC 5280 6.1.5 (g)",
            "webpki processes no policies; where constraints on them are not critical it goes on \
             without",
        ),
    ),
];

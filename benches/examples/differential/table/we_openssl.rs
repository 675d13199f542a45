//! Where we are stricter about certificates or all encodings, mostly than OpenSSL.

use super::{
    ALL, BOTH, CERTIFICATES, EXTENSIONS, KEYS, NAMES, OPENSSL, STRUCTURE, UNOPENED_BY_OPENSSL, always, we,
};
use crate::explain::Explanation;
use crate::facts;

pub(super) const TABLE: &[Explanation] = &[
    we(
        (OPENSSL, CERTIFICATES),
        (&["cRLDistributionPoints", "subjectAltName"], &["unknown type or alternative"]),
        always,
        ("X.690 8.14.3", "OpenSSL accepts a choice whose tag says primitive that should be constructed"),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&["freshestCRL"], STRUCTURE),
        always,
        ("RFC 5280 4.2.1.15", "OpenSSL does not parse freshestCRL on a path"),
    ),
    we(
        (OPENSSL, ALL),
        (&[], &["tag 0x1f", "tag 0x3f", "tag 0x9f", "tag 0xbf", "tag number above 30"]),
        always,
        ("X.690 8.1.2.2", "OpenSSL accepts a tag number below 31 in the form for larger ones"),
    ),
    we(
        (OPENSSL, ALL),
        (
            &[
                "policyMappings",
                "certificatePolicies",
                "extKeyUsage",
                "subjectAltName",
                "nameConstraints",
                "cRLDistributionPoints",
                "certStatus",
                "certID",
            ],
            &["invalid OBJECT IDENTIFIER"],
        ),
        facts::has_huge_identifier,
        ("RFC 5280 8", "OpenSSL accepts an identifier of any length, we of at most 128 bytes"),
    ),
    we(
        (OPENSSL, ALL),
        (
            &[],
            &[
                "length is not encoded in the fewest bytes",
                "indefinite length",
                "length is longer than four bytes",
            ],
        ),
        always,
        (
            "X.690 10.1",
            "OpenSSL accepts BER lengths, indefinite or in more bytes than needed; we require DER, in which a value has one encoding",
        ),
    ),
    we(
        (OPENSSL, ALL),
        (&[], &["tag 0x10 where 0x30", "tag 0x11 where 0x31"]),
        always,
        ("X.690 8.9.1, 8.12.1", "OpenSSL accepts a SEQUENCE or SET whose tag says primitive"),
    ),
    we(
        (OPENSSL, ALL),
        (&[], &["tag 0x24 where 0x04", "tag 0x22 where 0x02"]),
        always,
        ("X.690 10.2", "OpenSSL puts strings together from parts, as BER allows; in DER they are primitive"),
    ),
    we(
        (OPENSSL, ALL),
        (&[], &["BOOLEAN other than 00 or ff"]),
        always,
        ("X.690 11.1", "OpenSSL accepts any byte but 0 for TRUE; in DER only ff is"),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&["version"], &["unknown or wrongly encoded version"]),
        always,
        ("RFC 5280 4.1.2.1, X.690 11.5", "OpenSSL accepts any number for a version, and an explicit v1"),
    ),
    we(
        (OPENSSL, ALL),
        (
            &[
                "extensions",
                "crlExtensions",
                "responseExtensions",
                "singleExtensions",
                "revokedCertificates",
                "authorityInfoAccess",
                "authorityKeyIdentifier",
                "subjectKeyIdentifier",
            ],
            &["extension appears twice"],
        ),
        always,
        ("RFC 5280 4.2", "OpenSSL notices a duplicate extension only if it searches for that one"),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&["extensions"], &["version 1 or 2 certificate with extensions"]),
        always,
        ("RFC 5280 4.1.2.9", "OpenSSL accepts extensions of a version 1 or 2 certificate"),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&["issuerUniqueID", "subjectUniqueID"], &["unknown or wrongly encoded version"]),
        always,
        ("RFC 5280 4.1.2.8", "OpenSSL accepts unique identifiers in version 1"),
    ),
    we(
        (OPENSSL, ALL),
        (&["extensions", "crlExtensions"], &["list is empty"]),
        always,
        ("RFC 5280 4.1.2.9, 5.1.2.7", "OpenSSL accepts an empty list of extensions: SIZE (1..MAX)"),
    ),
    we(
        (BOTH, ALL),
        (&["extensions"], &["invalid OBJECT IDENTIFIER"]),
        always,
        (
            "X.690 8.19",
            "an extension that is not known is outcome by bytes: that they are no identifier, or one of \
             more than 128 bytes, is not minded by others. We read identifiers strictly, unknown \
             ones too",
        ),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (
            &["keyUsage", "cRLDistributionPoints", "freshestCRL"],
            &["named bits end in zero bits", "unused bits are not zero"],
        ),
        always,
        ("X.690 11.2", "OpenSSL masks unused bits and accepts trailing zero bits"),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (EXTENSIONS, &["unexpected bytes after the last field"]),
        always,
        ("X.690 8.1, RFC 5280 4.2", "OpenSSL decodes one value of an extension and ignores bytes after it"),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (UNOPENED_BY_OPENSSL, &[]),
        always,
        ("RFC 5280 4.2", "OpenSSL does not parse this extension on a path; we parse every known one"),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (
            &[
                "certificatePolicies",
                "subjectAltName",
                "nameConstraints",
                "cRLDistributionPoints",
                "extKeyUsage",
            ],
            &["list is empty"],
        ),
        always,
        ("RFC 5280 4.2.1", "OpenSSL accepts an extension whose list has no member: SIZE (1..MAX)"),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&["policyMappings", "inhibitAnyPolicy"], STRUCTURE),
        facts::mappings_without_policies,
        (
            "RFC 5280 4.2.1.4, 4.2.1.5",
            "OpenSSL does not parse mappings of a certificate without policies, nor those of a leaf",
        ),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (
            &["subjectAltName", "issuerAltName", "nameConstraints", "cRLDistributionPoints"],
            &["character that this string type does not allow"],
        ),
        always,
        (
            "RFC 5280 4.2.1.6",
            "OpenSSL accepts any bytes in an IA5String; we require ASCII, so that a name has one meaning",
        ),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (
            &["subjectAltName", "nameConstraints", "issuerAltName", "cRLDistributionPoints"],
            &["invalid IP address or mask"],
        ),
        always,
        (
            "RFC 5280 4.2.1.6, 4.2.1.10",
            "OpenSSL accepts an address of any length until it is compared, and masks with holes",
        ),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&["nameConstraints"], &["minimum or maximum"]),
        always,
        ("RFC 5280 4.2.1.10", "OpenSSL checks minimum and maximum only if a name of that form is compared"),
    ),
    we(
        (OPENSSL, ALL),
        (NAMES, &["list is empty", "invalid OBJECT IDENTIFIER"]),
        always,
        (
            "RFC 5280 4.1.2.4",
            "OpenSSL accepts an RDN without attribute, or an attribute type that is truncated or too long",
        ),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (
            KEYS,
            &[
                "invalid count of unused bits",
                "INTEGER is not encoded in the fewest bytes",
                "INTEGER is empty",
                "unexpected bytes after",
            ],
        ),
        always,
        (
            "X.690 11.2, 8.3",
            "OpenSSL accepts unused bits in a key, a number of no bytes, and a padded modulus or bytes after it; that is a second encoding of one key",
        ),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&["signature"], &["signature and signatureAlgorithm differ"]),
        always,
        ("RFC 5280 4.1.1.2", "OpenSSL compares the meaning of the two algorithm identifiers, we their bytes"),
    ),
    we(
        (BOTH, CERTIFICATES),
        (&[], &["malformed: the subject is empty and there is no subjectAltName"]),
        always,
        ("RFC 5280 4.1.2.6", "others accept a leaf without any name"),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&[], &["key-usage: keyUsage does not include digitalSignature"]),
        always,
        (
            "RFC 9846 4.5.2",
            "OpenSSL accepts keyAgreement of a client instead: fixed (EC)DH, which TLS no longer has",
        ),
    ),
    we(
        (BOTH, CERTIFICATES),
        (&[], &["name-constraint: name email:"]),
        facts::constrains_mailboxes,
        (
            "RFC 5280 4.2.1.10",
            "a mailbox with wrong syntax cannot be shown to be outside an excluded subtree; webpki compares no mailboxes, and does not parse that of the subject",
        ),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&[], &["name-constraint: name dns:", "name-constraint: name uri:"]),
        facts::has_constraints,
        (
            "RFC 5280 4.2.1.10",
            "a name or base with wrong syntax cannot be shown to be outside an excluded subtree; \
             OpenSSL compares the bytes",
        ),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&[], &["unsupported-algorithm: signature algorithm 1.2.840.10045.4.3.2"]),
        always,
        ("RFC 5758 3.2", "OpenSSL accepts parameters of ecdsa-with-SHA256, which the RFC forbids"),
    ),
    we(
        (BOTH, CERTIFICATES),
        (&[], &["weak-key: RSA key of"]),
        always,
        (
            "RFC 5280 6.1, NIST SP 800-131A",
            "by policy the minimum is 2048 bits (`min_rsa_bits`), also for the key of the leaf",
        ),
    ),
];

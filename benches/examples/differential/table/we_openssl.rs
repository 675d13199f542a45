//! Where we are the stricter about certificates or all encodings, mostly than OpenSSL.

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
        ("X.690 8.14.3", "OpenSSL takes a choice whose tag says primitive where it is constructed"),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&["freshestCRL"], STRUCTURE),
        always,
        ("RFC 5280 4.2.1.15", "OpenSSL does not open freshestCRL on a path"),
    ),
    we(
        (OPENSSL, ALL),
        (&[], &["tag 0x1f", "tag 0x3f", "tag 0x9f", "tag 0xbf", "tag number above 30"]),
        always,
        ("X.690 8.1.2.2", "OpenSSL reads a tag number below 31 in the form that is for those above"),
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
        ("RFC 5280 8", "OpenSSL takes an identifier of any length, we of at most 128 bytes"),
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
            "OpenSSL reads lengths by BER, indefinite or in more bytes than needed; we read DER, in \
             which a value has one encoding",
        ),
    ),
    we(
        (OPENSSL, ALL),
        (&[], &["tag 0x10 where 0x30", "tag 0x11 where 0x31"]),
        always,
        ("X.690 8.9.1, 8.12.1", "OpenSSL takes a SEQUENCE or SET whose tag says primitive"),
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
        ("X.690 11.1", "OpenSSL takes any byte but 0 for TRUE; in DER only ff is"),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&["version"], &["unknown or wrongly encoded version"]),
        always,
        ("RFC 5280 4.1.2.1, X.690 11.5", "OpenSSL takes any number for a version, and v1 spelled out"),
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
        ("RFC 5280 4.2", "OpenSSL minds an extension that comes twice only where it looks for that one"),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&["extensions"], &["version 1 or 2 certificate with extensions"]),
        always,
        ("RFC 5280 4.1.2.9", "OpenSSL reads extensions of a certificate of version 1 or 2"),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&["issuerUniqueID", "subjectUniqueID"], &["unknown or wrongly encoded version"]),
        always,
        ("RFC 5280 4.1.2.8", "OpenSSL takes unique identifiers in version 1"),
    ),
    we(
        (OPENSSL, ALL),
        (&["extensions", "crlExtensions"], &["list is empty"]),
        always,
        ("RFC 5280 4.1.2.9, 5.1.2.7", "OpenSSL takes extensions of which there are none: SIZE (1..MAX)"),
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
        ("X.690 11.2", "OpenSSL masks unused bits and takes trailing zero bits"),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (EXTENSIONS, &["unexpected bytes after the last field"]),
        always,
        (
            "X.690 8.1, RFC 5280 4.2",
            "OpenSSL decodes one value out of an extension and does not mind what stands behind it",
        ),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (UNOPENED_BY_OPENSSL, &[]),
        always,
        (
            "RFC 5280 4.2",
            "OpenSSL does not open this extension on a path; we read every known one whatever hangs \
             on it",
        ),
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
        ("RFC 5280 4.2.1", "OpenSSL takes an extension whose list has no member: SIZE (1..MAX)"),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&["policyMappings", "inhibitAnyPolicy"], STRUCTURE),
        facts::mappings_without_policies,
        (
            "RFC 5280 4.2.1.4, 4.2.1.5",
            "OpenSSL leaves mappings of a certificate unread that has no policies; and a leaf's \
             mappings always",
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
            "OpenSSL takes any bytes for an IA5String; ours are ASCII, so that nobody reads a name \
             as another",
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
            "OpenSSL takes an address of any length until it has to compare it, and masks with holes",
        ),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&["nameConstraints"], &["minimum or maximum"]),
        always,
        ("RFC 5280 4.2.1.10", "OpenSSL minds minimum and maximum only where a name of that form is compared"),
    ),
    we(
        (OPENSSL, ALL),
        (NAMES, &["list is empty", "invalid OBJECT IDENTIFIER"]),
        always,
        (
            "RFC 5280 4.1.2.4",
            "OpenSSL takes an RDN without attribute, or an attribute type that is cut short or \
             over-long",
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
            "OpenSSL takes unused bits in a key, a number of no bytes, and a padded modulus or bytes behind it; that is a second encoding of \
             one key",
        ),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&["signature"], &["signature and signatureAlgorithm differ"]),
        always,
        ("RFC 5280 4.1.1.2", "OpenSSL compares what the two algorithm identifiers mean, we their bytes"),
    ),
    we(
        (BOTH, CERTIFICATES),
        (&[], &["malformed: the subject is empty and there is no subjectAltName"]),
        always,
        ("RFC 5280 4.1.2.6", "others take a leaf that names nobody"),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&[], &["key-usage: keyUsage does not include digitalSignature"]),
        always,
        (
            "RFC 9846 4.5.2",
            "OpenSSL lets a client have keyAgreement instead: fixed (EC)DH, which TLS has no more",
        ),
    ),
    we(
        (BOTH, CERTIFICATES),
        (&[], &["name-constraint: name email:"]),
        facts::constrains_mailboxes,
        (
            "RFC 5280 4.2.1.10",
            "a mailbox that has no syntax cannot be shown to be outside an excluded subtree; and \
             webpki compares no mailboxes, and does not read the one of the subject",
        ),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&[], &["name-constraint: name dns:", "name-constraint: name uri:"]),
        facts::has_constraints,
        (
            "RFC 5280 4.2.1.10",
            "a name or base that has no syntax cannot be shown to be outside of what is excluded; \
             OpenSSL compares the bytes",
        ),
    ),
    we(
        (OPENSSL, CERTIFICATES),
        (&[], &["unsupported-algorithm: signature algorithm 1.2.840.10045.4.3.2"]),
        always,
        ("RFC 5758 3.2", "OpenSSL lets ecdsa-with-SHA256 have parameters, which the RFC forbids"),
    ),
    we(
        (BOTH, CERTIFICATES),
        (&[], &["weak-key: RSA key of"]),
        always,
        (
            "RFC 5280 6.1, NIST SP 800-131A",
            "by policy the least is 2048 bits (`min_rsa_bits`), of the leaf's key too",
        ),
    ),
];

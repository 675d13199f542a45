//! Where another is the stricter about certificates.

use super::{CERTIFICATES, OPENSSL, WEBPKI, they};
use crate::explain::Explanation;
use crate::facts;

pub(super) const TABLE: &[Explanation] = &[
    they(
        (WEBPKI, CERTIFICATES),
        &["BadDer", "TrailingData"],
        facts::lenient_encoding,
        (
            "X.690 11.1, 11.2.2; RFC 5280 4.1.2.9",
            "webpki takes no BOOLEAN other than FF, no named bits that end in zero bits and no empty list; they are in use, and nobody can take them two ways",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["unable to get local issuer certificate"],
        facts::has_edi_party,
        (
            "RFC 5280 4.2.1.6",
            "OpenSSL decodes an ediPartyName; we read past it, and where a constraint is on that form refuse it",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["unsupported or invalid name syntax"],
        facts::has_constraints,
        (
            "RFC 5280 4.2.1.10",
            "OpenSSL holds the common name against constraints as a host, and refuses one that has no syntax; a client is not known by a host in its common name",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["proxy certificates not allowed"],
        facts::has_proxy_info,
        (
            "RFC 5280 4.2",
            "OpenSSL asks whether it may take proxy certificates (RFC 3820), critical or not; to us proxyCertInfo is not known, and refuses where it is critical",
        ),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["UnsupportedCertVersion"],
        facts::leaf_of_version_1,
        ("RFC 5280 6.1.4 (k)", "webpki takes no certificate of version 1; the RFC asks version 3 of CAs"),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["unable to get local issuer certificate"],
        facts::half_character,
        (
            "RFC 5280 4.2.1.6",
            "OpenSSL decodes the values of other names too, and finds no issuer where one does not read; we read down to the value",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["unsuitable certificate purpose"],
        facts::has_netscape_type,
        (
            "RFC 5280 4.2",
            "OpenSSL still asks the Netscape certificate type, which no RFC has; not critical, it is not ours to process",
        ),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["UnsupportedCriticalExtension"],
        facts::critical_policies,
        (
            "RFC 5280 6.1.4 (o)",
            "webpki processes no policies, so that it refuses every critical extension about them; we \
             process them (RFC 9618)",
        ),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["UnsupportedCriticalExtension"],
        facts::critical_information,
        (
            "RFC 5280 4.2.1.7, RFC 6960 4.2.2.2.1",
            "webpki does not know issuerAltName or ocsp-nocheck; to us they are processed: neither \
             constrains a path",
        ),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["NameConstraintViolation"],
        facts::uncompared_constraint,
        (
            "RFC 5280 4.2.1.10",
            "webpki compares no names but hosts and addresses, so that it refuses whatever such a \
             constraint is above of; we compare them",
        ),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["CaUsedAsEndEntity"],
        facts::leaf_is_ca,
        (
            "RFC 5280 6.1.5",
            "webpki takes no certificate that asserts cA for a leaf; RFC 5280 lets a CA be one, with \
             the usages that are asked for",
        ),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["UnknownIssuer"],
        facts::other_bytes_of_issuer,
        (
            "RFC 5280 7.1",
            "webpki compares names as bytes; we by case, white space and string type, as the RFC \
             asks",
        ),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["RequiredEkuNotFound"],
        facts::any_purpose,
        (
            "RFC 5280 4.2.1.12",
            "webpki does not let anyExtendedKeyUsage stand for the purpose; the RFC leaves that to \
             who asks, and we do",
        ),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["BadDerTime"],
        facts::has_time_before_1970,
        ("RFC 5280 4.1.2.5", "webpki reads no time before 1970; UTCTime goes back to 1950"),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["BadDer"],
        facts::large_path_length,
        (
            "RFC 5280 4.2.1.9",
            "webpki reads pathLenConstraint as one byte; above what we count to it constrains \
             nothing",
        ),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["MalformedNameConstraint", "MalformedDnsIdentifier", "InvalidNetworkMask"],
        facts::has_constraints,
        (
            "RFC 5280 4.2.1.10",
            "webpki refuses a constraint or a name without syntax wherever it meets one, we where it \
             decides: a name inside another permitted subtree is inside; a wildcard of a permitted \
             domain is",
        ),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["TrailingData(CertificateExtensions", "BadDer"],
        facts::has_unique_ids,
        (
            "RFC 5280 4.1.2.8",
            "webpki takes no unique identifiers; the RFC has validators be able to read them",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["unable to get local issuer certificate"],
        facts::other_authority_key,
        (
            "RFC 5280 4.2.1.1",
            "OpenSSL finds issuers by authorityKeyIdentifier and refuses others; it is there to help \
             build paths, and 6.1 does not ask it. The name and the signature decide",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["unspecified certificate verification error"],
        facts::odd_leaf_key,
        (
            "RFC 5280 6.1.5",
            "OpenSSL decodes the leaf's own key, a point that is none. We leave that to who verifies \
             with it: no handshake comes of such a key",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["unspecified certificate verification error"],
        facts::has_leaf_policies,
        (
            "RFC 5280 4.2.1.4",
            "OpenSSL finds fault with policies of the leaf and has no word for it: qualifiers that do \
             not read, which we do not open",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["invalid or inconsistent certificate policy extension"],
        facts::has_policies,
        (
            "RFC 5280 4.2.1.4",
            "OpenSSL reads the qualifiers of policies, which have no bearing on a path; we read them \
             as far as their identifiers",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["certificate has expired", "certificate is not yet valid"],
        facts::has_time_now,
        (
            "RFC 5280 4.1.2.5",
            "the second of notAfter is the first of expiry to OpenSSL; the RFC has validity end with \
             it, inclusive",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["unsuitable certificate purpose"],
        facts::any_purpose,
        (
            "RFC 5280 4.2.1.12",
            "OpenSSL does not let anyExtendedKeyUsage stand for the purpose; the RFC leaves that to \
             who asks, and we do",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["permitted subtree violation", "excluded subtree violation"],
        facts::common_name_of_host,
        (
            "RFC 5280 4.2.1.10",
            "OpenSSL holds a common name that looks like a host against dNSName constraints; so do we \
             for servers, while a client is not known by a host in its common name",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["parse: "],
        facts::odd_name_value,
        (
            "RFC 5280 4.1.2.4",
            "OpenSSL decodes the values in names: that they are of a string type, UTF-8, of whole \
             characters. We read strictly down to the values, which compare as bytes where they are \
             not text",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["parse: "],
        facts::odd_parameters,
        (
            "RFC 5280 4.1.1.2",
            "OpenSSL decodes what stands as parameters of the leaf's own key; we leave it to who \
             verifies with it",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["unable to get local issuer certificate"],
        facts::odd_name_value,
        (
            "RFC 5280 4.2.1.6, 4.2.1.10",
            "OpenSSL decodes the values of names inside extensions too, and passes over a CA where one is no text; with us such a name is comparable with none",
        ),
    ),
];

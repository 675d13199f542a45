//! Where the other is stricter about certificates.

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
            "webpki accepts no BOOLEAN other than FF, no named bits that end in zero bits and no empty list; they are in use, and nobody can take them two ways",
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
            "OpenSSL compares the common name as a host with constraints, and refuses one with wrong syntax; the common name does not identify a client by host",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["proxy certificates not allowed"],
        facts::has_proxy_info,
        (
            "RFC 5280 4.2",
            "OpenSSL checks whether proxy certificates (RFC 3820) are allowed, critical or not; proxyCertInfo is unknown to us, and refused only if critical",
        ),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["UnsupportedCertVersion"],
        facts::leaf_of_version_1,
        (
            "RFC 5280 6.1.4 (k)",
            "webpki accepts no certificate of version 1; the RFC requires version 3 only for CAs",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["unable to get local issuer certificate"],
        facts::half_character,
        (
            "RFC 5280 4.2.1.6",
            "OpenSSL decodes the values of other names too, and finds no issuer if one cannot be parsed; we parse down to the value",
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
            "webpki processes no policies, so it refuses every critical extension about them; we \
             process them (RFC 9618)",
        ),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["UnsupportedCriticalExtension"],
        facts::critical_information,
        (
            "RFC 5280 4.2.1.7, RFC 6960 4.2.2.2.1",
            "webpki does not know issuerAltName or ocsp-nocheck; we process them: neither constrains a path",
        ),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["NameConstraintViolation"],
        facts::uncompared_constraint,
        (
            "RFC 5280 4.2.1.10",
            "webpki compares only hosts and addresses, so it refuses everything below another constraint; we compare all forms",
        ),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["CaUsedAsEndEntity"],
        facts::leaf_is_ca,
        (
            "RFC 5280 6.1.5",
            "webpki accepts no leaf that asserts cA; RFC 5280 allows a CA as leaf, with the required usages",
        ),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["UnknownIssuer"],
        facts::other_bytes_of_issuer,
        (
            "RFC 5280 7.1",
            "webpki compares names as bytes; we by case, white space and string type, as the RFC says",
        ),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["RequiredEkuNotFound"],
        facts::any_purpose,
        (
            "RFC 5280 4.2.1.12",
            "webpki does not accept anyExtendedKeyUsage for the purpose; the RFC leaves that to the application, and we do",
        ),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["BadDerTime"],
        facts::has_time_before_1970,
        ("RFC 5280 4.1.2.5", "webpki accepts no time before 1970; UTCTime goes back to 1950"),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["BadDer"],
        facts::large_path_length,
        ("RFC 5280 4.2.1.9", "webpki parses pathLenConstraint as one byte; larger values constrain nothing"),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["MalformedNameConstraint", "MalformedDnsIdentifier", "InvalidNetworkMask"],
        facts::has_constraints,
        (
            "RFC 5280 4.2.1.10",
            "webpki refuses a constraint or a name with wrong syntax in all cases, we only if it decides: a name inside another permitted subtree is inside, and so is a wildcard of a permitted domain",
        ),
    ),
    they(
        (WEBPKI, CERTIFICATES),
        &["TrailingData(CertificateExtensions", "BadDer"],
        facts::has_unique_ids,
        (
            "RFC 5280 4.1.2.8",
            "webpki accepts no unique identifiers; the RFC has validators be able to read them",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["unable to get local issuer certificate"],
        facts::other_authority_key,
        (
            "RFC 5280 4.2.1.1",
            "OpenSSL finds issuers by authorityKeyIdentifier and refuses others; it helps to build paths, and 6.1 does not check it. Name and signature decide",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["unspecified certificate verification error"],
        facts::odd_leaf_key,
        (
            "RFC 5280 6.1.5",
            "OpenSSL decodes the key of the leaf, an invalid point. We leave that to the code that verifies with it: no handshake succeeds with such a key",
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
            "OpenSSL parses the qualifiers of policies, which do not affect a path; we parse only their identifiers",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["certificate has expired", "certificate is not yet valid"],
        facts::has_time_now,
        (
            "RFC 5280 4.1.2.5",
            "for OpenSSL a certificate is expired in the second of notAfter; in the RFC this second is still valid",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["unsuitable certificate purpose"],
        facts::any_purpose,
        (
            "RFC 5280 4.2.1.12",
            "OpenSSL does not accept anyExtendedKeyUsage for the purpose; the RFC leaves that to the application, and we do",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["permitted subtree violation", "excluded subtree violation"],
        facts::common_name_of_host,
        (
            "RFC 5280 4.2.1.10",
            "OpenSSL compares a common name that looks like a host with dNSName constraints; we do so for servers, but the common name does not identify a client by host",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["parse: "],
        facts::odd_name_value,
        (
            "RFC 5280 4.1.2.4",
            "OpenSSL decodes the values in names: that they are of a string type, UTF-8, of whole \
             characters. We parse strictly down to the values, which are compared as bytes if they are not text",
        ),
    ),
    they(
        (OPENSSL, CERTIFICATES),
        &["parse: "],
        facts::odd_parameters,
        (
            "RFC 5280 4.1.1.2",
            "OpenSSL decodes the parameters of the key of the leaf; we leave it to the code that verifies with it",
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

//! Revocation: OCSP, CRLs over HTTP and LDAP, and in which order they are asked.

use super::Handling::{Always, Applied, Impossible, Instead};
use super::StatementKind::{GskAdvancedParms, GskHttpCdpParms, GskLdapParms, GskOcspParms};
use super::Values::{Codes, Number, NumberOrNone, OneOf, Secret, Url, Word};
use super::{KnownBy, Parameter, StatementKind, Use, Values, When, any, is};

const GSK: &[StatementKind] = &[GskAdvancedParms];
const HTTP: &[StatementKind] = &[GskHttpCdpParms];
const OCSP: &[StatementKind] = &[GskOcspParms];
const LDAP: &[StatementKind] = &[GskLdapParms];
const NAMED: &[Use] = &[any(Applied("the statement that it names"))];
const ON_OFF: Values = OneOf(&["On", "Off"]);
const LEVELS: Values = OneOf(&["Low", "Medium", "High"]);
const BYTES: Values = Number(0, 2_147_483_647);
const BY_SIZE: &str = "the cache is limited by its size, for CRLs and OCSP responses together: 512 MiB";
const ALWAYS_A_LIMIT: &str = "0 is no limit on z/OS; the limit of certcheck stays";

const fn above(number: u64, handling: super::Handling) -> Use {
    Use { when: When::Above(number), handling }
}

pub(super) static TABLE: &[Parameter] = &[
    reference("TTLSGskLdapParmsRef", GskLdapParms),
    reference("TTLSGskOcspParmsRef", GskOcspParms),
    reference("TTLSGskHttpCdpParmsRef", GskHttpCdpParms),
    Parameter::new("RevocationSecurityLevel", GSK, LEVELS)
        .or("Medium", KnownBy::Ibm)
        .uses(&[any(Applied("revocation"))]),
    Parameter::new("AIACDPPriority", GSK, ON_OFF).or("On", KnownBy::Ibm).uses(&[any(Applied("order"))]),
    Parameter::new("MaxSrcRevExtLocValues", GSK, Number(0, 256))
        .or("10", KnownBy::Unverified)
        .uses(&[
            is("0", Instead("0 is no limit on z/OS; here it is 10 sources for one certificate")),
            any(Applied("max_locations")),
        ]),
    Parameter::new("MaxValidRevExtLocValues", GSK, Number(0, 1024))
        .or("100", KnownBy::Unverified)
        .unset("there is no limit for the path as a whole: 10 sources are asked for each certificate")
        .uses(&[any(Instead("there is no limit for the path as a whole: 10 sources are asked for each certificate"))]),
    Parameter::new("HttpCdpEnable", HTTP, ON_OFF)
        .tolerated(GSK)
        .or("Off", KnownBy::Unverified)
        .unset("CRLs are fetched by HTTP from the URLs in certificates")
        .uses(&[
            is("Off", Instead("CRLs are fetched by HTTP all the same, from the URLs in certificates")),
            any(Always("CRLs are fetched by HTTP from the URLs in certificates")),
        ]),
    Parameter::new("HttpCdpProxyServerName", HTTP, Word).uses(&[any(Applied("proxy"))]),
    Parameter::new("HttpCdpProxyServerPort", HTTP, Number(1, 65_535))
        .or("80", KnownBy::Unverified)
        .uses(&[any(Applied("proxy"))]),
    Parameter::new("HttpCdpResponseTimeout", HTTP, Number(0, 43_200))
        .or("15", KnownBy::Unverified)
        .unset("a CRL may take 120 s; a check does not wait longer than the handshake may take")
        .uses(&[is("0", Instead(ALWAYS_A_LIMIT)), any(Applied("crl_timeout"))]),
    Parameter::new("HttpCdpMaxResponseSize", HTTP, BYTES)
        .or("204800", KnownBy::Unverified)
        .unset("a CRL may have 512 MiB")
        .uses(&[is("0", Instead(ALWAYS_A_LIMIT)), any(Applied("max_crl_bytes"))]),
    Parameter::new("HttpCdpCacheSize", HTTP, Number(0, 32_000))
        .or("32", KnownBy::Unverified)
        .unset(BY_SIZE)
        .uses(&[any(Instead(BY_SIZE))]),
    Parameter::new("HttpCdpCacheEntryMaxsize", HTTP, BYTES)
        .or("0", KnownBy::Unverified)
        .uses(&[is("0", Always("each CRL is kept")), any(Instead(BY_SIZE))]),
    Parameter::new("OcspAiaEnable", OCSP, ON_OFF)
        .tolerated(GSK)
        .or("Off", KnownBy::Ibm)
        .unset("the OCSP responders in certificates are asked")
        .uses(&[
            is("Off", Instead("the OCSP responders in certificates are asked all the same")),
            any(Always("the OCSP responders in certificates are asked")),
        ]),
    Parameter::new("OcspUrl", OCSP, Url).known_by(KnownBy::Ibm).uses(&[any(Applied("ocsp_url"))]),
    Parameter::new("OcspUrlPriority", OCSP, ON_OFF)
        .or("On", KnownBy::Ibm)
        .uses(&[any(Applied("ocsp_url_first"))]),
    Parameter::new("OcspProxyServerName", OCSP, Word).known_by(KnownBy::Ibm).uses(&[any(Applied("proxy"))]),
    Parameter::new("OcspProxyServerPort", OCSP, Number(1, 65_535))
        .or("80", KnownBy::Ibm)
        .uses(&[any(Applied("proxy"))]),
    Parameter::new("OcspRetrieveViaGet", OCSP, ON_OFF).or("Off", KnownBy::Ibm).uses(&[any(Applied("ocsp_get"))]),
    Parameter::new("OcspRequestSigkeylabel", OCSP, Word)
        .known_by(KnownBy::Ibm)
        .uses(&[any(Instead("requests are not signed; a responder that demands it returns no status"))]),
    Parameter::new("OcspRequestSigalg", OCSP, Codes)
        .or("0401", KnownBy::Ibm)
        .uses(&[any(Instead("requests are not signed"))]),
    Parameter::new("OcspResponseSigAlgPairs", OCSP, Codes)
        .repeated()
        .known_by(KnownBy::Ibm)
        .uses(&[any(Instead("the algorithms cannot be chosen: RSA and ECDSA with SHA-256 or better, and Ed25519"))]),
    Parameter::new("OcspServerStapling", OCSP, OneOf(&["Off", "Any", "EndEntity"]))
        .or("Off", KnownBy::Ibm)
        .uses(&[
            is("Off", Always("no OCSP response about the server's certificate is sent")),
            any(Instead("no OCSP response about the server's certificate is sent")),
        ]),
    Parameter::new("OcspClientCacheSize", OCSP, Number(0, 32_000))
        .or("256", KnownBy::Ibm)
        .unset(BY_SIZE)
        .uses(&[any(Instead(BY_SIZE))]),
    Parameter::new("OcspCliCacheEntryMaxsize", OCSP, Number(0, 32_000))
        .or("0", KnownBy::Ibm)
        .uses(&[is("0", Always("each response is kept")), any(Instead(BY_SIZE))]),
    Parameter::new("OcspNonceGenEnable", OCSP, ON_OFF).or("Off", KnownBy::Ibm).uses(&[any(Applied("nonce"))]),
    Parameter::new("OcspNonceCheckEnable", OCSP, ON_OFF).or("Off", KnownBy::Ibm).uses(&[any(Applied("nonce"))]),
    Parameter::new("OcspNonceSize", OCSP, Number(8, 256))
        .or("8", KnownBy::Ibm)
        .uses(&[
            is("32", Always("a nonce has 32 bytes")),
            above(128, Impossible("a nonce has at most 128 bytes (RFC 9654); responders refuse longer ones")),
            any(Instead("a nonce has 32 bytes, as RFC 9654 asks for")),
        ]),
    Parameter::new("OcspResponseTimeout", OCSP, Number(0, 43_200))
        .or("15", KnownBy::Ibm)
        .uses(&[is("0", Instead(ALWAYS_A_LIMIT)), any(Applied("ocsp_timeout"))]),
    Parameter::new("OcspMaxResponseSize", OCSP, BYTES)
        .or("20480", KnownBy::Ibm)
        .uses(&[is("0", Instead(ALWAYS_A_LIMIT)), any(Applied("max_ocsp_bytes"))]),
    Parameter::new("GSK_LDAP_SERVER", LDAP, Word).known_by(KnownBy::Ibm).uses(&[any(Applied("ldap_server"))]),
    Parameter::new("GSK_LDAP_SERVER_PORT", LDAP, Number(1, 65_535))
        .or("389", KnownBy::Ibm)
        .uses(&[any(Applied("ldap_server"))]),
    Parameter::new("GSK_LDAP_USER", LDAP, Word)
        .known_by(KnownBy::Ibm)
        .uses(&[any(Instead("the directory is read without a user (anonymous)"))]),
    Parameter::new("GSK_LDAP_USER_PW", LDAP, Secret).known_by(KnownBy::Ibm).uses(&[any(Instead(
        "the directory is read without a user (anonymous); the password is not used: remove it from the policy",
    ))]),
    Parameter::new("LDAPResponseTimeout", LDAP, Number(0, 43_200))
        .or("15", KnownBy::Ibm)
        .unset("a CRL may take as long by LDAP as by HTTP")
        .uses(&[any(Instead("a CRL may take as long by LDAP as by HTTP (HttpCdpResponseTimeout)"))]),
    Parameter::new("GSK_CRL_SECURITY_LEVEL", LDAP, LEVELS)
        .or("Medium", KnownBy::Unverified)
        .uses(&[any(Applied("revocation"))]),
    Parameter::new("GSK_CRL_CACHE_TIMEOUT", LDAP, Number(0, 720))
        .or("24", KnownBy::Unverified)
        .unset("a CRL is used until its nextUpdate")
        .uses(&[any(Instead("a CRL is used until its nextUpdate, and fetched again before"))]),
    Parameter::new("CRLCacheExtended", LDAP, ON_OFF).or("Off", KnownBy::Unverified).uses(&[
        is("On", Always("a CRL is used until its nextUpdate")),
        any(Instead("a CRL is used until its nextUpdate, as with On")),
    ]),
    Parameter::new("CRLCacheSize", LDAP, NumberOrNone(0, 32_000))
        .or("-1", KnownBy::Unverified)
        .uses(&[is("-1", Always("no limit on the number")), any(Instead(BY_SIZE))]),
    Parameter::new("CRLCacheEntryMaxsize", LDAP, BYTES)
        .or("0", KnownBy::Ibm)
        .uses(&[is("0", Always("each CRL is kept")), any(Instead(BY_SIZE))]),
    Parameter::new("CRLCacheTempCRL", LDAP, ON_OFF)
        .or("On", KnownBy::Unverified)
        .unset("there are no temporary CRLs: a CRL that is missing is an unknown status")
        .uses(&[
            is("Off", Always("there are no temporary CRLs")),
            any(Instead("there are no temporary CRLs: a CRL that is missing is an unknown status")),
        ]),
    Parameter::new("CRLCacheTempCRLTimeout", LDAP, Number(0, 720))
        .or("24", KnownBy::Unverified)
        .uses(&[any(Instead("there are no temporary CRLs: a CRL that is missing is an unknown status"))]),
    Parameter::new("CrlSigAlgPairs", LDAP, Codes)
        .repeated()
        .known_by(KnownBy::Checker)
        .uses(&[any(Instead("the algorithms cannot be chosen: RSA and ECDSA with SHA-256 or better, and Ed25519"))]),
];

const fn reference(name: &'static str, target: StatementKind) -> Parameter {
    Parameter::new(name, GSK, Values::Reference(target)).known_by(KnownBy::Ibm).uses(NAMED)
}

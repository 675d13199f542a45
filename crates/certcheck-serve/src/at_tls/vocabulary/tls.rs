//! The handshake: versions, suites, signatures, client authentication, limits, sessions.

use super::Handling::{Always, Applied, Impossible, Instead, Refused};
use super::StatementKind::{
    CipherParms, ConnectionAdvancedParms, EnvironmentAction, EnvironmentAdvancedParms, GskAdvancedParms,
    SignatureParms,
};
use super::Values::{Codes, Number, OneOf, Suites, Suites4, Word};
use super::{KnownBy, Parameter, Permission, StatementKind, Use, Values, When, any, is};

const BOTH: &[StatementKind] = &[EnvironmentAdvancedParms, ConnectionAdvancedParms];
const ENVIRONMENT: &[StatementKind] = &[EnvironmentAdvancedParms];
const GSK: &[StatementKind] = &[GskAdvancedParms];
const ON_OFF: Values = OneOf(&["On", "Off"]);
const THREE: Values = OneOf(&["Required", "Optional", "Off"]);
const IS_CLIENT: &[Use] =
    &[any(Instead("certcheck is never the client of these connections, so it has no effect"))];
const OLD: &[Use] = &[
    is("On", Instead("the version is not offered: certcheck has TLS 1.2 and TLS 1.3")),
    any(Always("the version is never offered")),
];
const TICKETS: &str = "certcheck keeps sessions in memory and gives out no keys of tickets";

const fn below(number: u64, handling: super::Handling) -> Use {
    Use { when: When::Below(number), handling }
}

/// A version of the protocol that rustls does not have.
const fn old_version(name: &'static str, default: &'static str) -> Parameter {
    Parameter::new(name, BOTH, ON_OFF).or(default, KnownBy::Ibm).uses(OLD)
}

/// A parameter that only matters to clients.
const fn of_client(name: &'static str, within: &'static [StatementKind], values: Values) -> Parameter {
    Parameter::new(name, within, values).known_by(KnownBy::Checker).uses(IS_CLIENT)
}

pub(super) static TABLE: &[Parameter] = &[
    Parameter::new("ClientAuthType", ENVIRONMENT, OneOf(&["PassThru", "Full", "Required", "SAFCheck"]))
        .or("Required", KnownBy::Ibm)
        .uses(&[
            is(
                "PassThru",
                Refused(
                    "on z/OS certificates are not validated; certcheck has no such listener, so the permission serves one that \
                     asks for no certificate",
                    Permission::PassThru,
                ),
            ),
            is("Full", Applied("client_auth")),
            is(
                "SAFCheck",
                Refused(
                    "there is no SAF here; rules of the configuration that names the policy find users (`identity`), and without rules a \
                     certificate that belongs to no user would be accepted too, as with Required",
                    Permission::NoUserMapping,
                ),
            ),
            any(Applied("client_auth")),
        ]),
    Parameter::new("CertValidationMode", ENVIRONMENT, OneOf(&["Any", "RFC2459", "RFC3280", "RFC5280"]))
        .or("Any", KnownBy::Ibm)
        .unset("certificates are validated by RFC 5280 alone, which is stricter than Any")
        .uses(&[
            is("RFC5280", Always("RFC 5280")),
            any(Instead("certificates are validated by RFC 5280 alone, which is stricter")),
        ]),
    Parameter::new("HandshakeTimeout", BOTH, Number(0, 600)).or("10", KnownBy::Ibm).uses(&[
        is("0", Instead("there is always a limit: 600 s, the longest that z/OS has")),
        any(Applied("handshake_timeout")),
    ]),
    old_version("SSLv2", "Off"),
    old_version("SSLv3", "Off"),
    old_version("TLSv1", "On"),
    old_version("TLSv1.1", "On"),
    Parameter::new("TLSv1.2", BOTH, ON_OFF)
        .or("Off", KnownBy::Ibm)
        .unset("TLS 1.2 is offered")
        .uses(&[any(Applied("tls_versions"))]),
    Parameter::new("TLSv1.3", BOTH, ON_OFF)
        .or("Off", KnownBy::Ibm)
        .unset("TLS 1.3 is offered; switch it off with `TLSv1.3 Off`")
        .uses(&[any(Applied("tls_versions"))]),
    Parameter::new("PeerMinCertVersion", ENVIRONMENT, OneOf(&["Any", "3"])).or("Any", KnownBy::Ibm).uses(&[
        is("3", Instead("issuers need version 3 always; a client's own certificate may have an older version, and then has no extensions")),
        any(Always("issuers need version 3")),
    ]),
    Parameter::new("PeerMinRsaKeySize", ENVIRONMENT, Number(0, 4096))
        .or("1024", KnownBy::Checker)
        .unset("keys of at least 2048 bits are accepted")
        .uses(&[
            below(2048, Instead("keys of at least 2048 bits are accepted")),
            any(Applied("min_rsa_bits")),
        ]),
    Parameter::new("PeerMinECCKeySize", ENVIRONMENT, Number(0, 521))
        .or("192", KnownBy::Ibm)
        .unset("curves of at least 256 bits are accepted")
        .uses(&[below(256, Instead("curves of at least 256 bits are accepted")), any(Applied("min_ec_bits"))]),
    Parameter::new("PeerMinDHKeySize", ENVIRONMENT, Number(0, 2048))
        .or("1024", KnownBy::Ibm)
        .uses(&[any(Always("certificates with Diffie-Hellman keys are never accepted"))]),
    Parameter::new("PeerMinDsaKeySize", ENVIRONMENT, Number(0, 2048))
        .or("1024", KnownBy::Ibm)
        .uses(&[any(Always("certificates with DSA keys are never accepted"))]),
    Parameter::new("RenegotiationCertCheck", BOTH, ON_OFF)
        .or("Off", KnownBy::Ibm)
        .uses(&[any(Always("there is no renegotiation"))]),
    Parameter::new("Renegotiation", BOTH, OneOf(&["Default", "Disabled", "All", "Abbreviated"]))
        .or("Default", KnownBy::Checker)
        .unset("there is no renegotiation")
        .uses(&[
            is("Disabled", Always("there is no renegotiation")),
            any(Instead("there is no renegotiation: a client that asks for one is disconnected")),
        ]),
    Parameter::new("RenegotiationIndicator", BOTH, OneOf(&["Optional", "Client", "Server", "Both"]))
        .or("Optional", KnownBy::Checker)
        .uses(&[any(Always("there is no renegotiation, and the indication is always sent"))]),
    Parameter::new("ResetCipherTimer", BOTH, Number(0, 1440)).or("0", KnownBy::Checker).uses(&[
        is("0", Always("keys are not changed by a timer")),
        any(Instead("keys are not changed by a timer: in TLS 1.3 they are changed by the amount of data")),
    ]),
    Parameter::new("TruncatedHMAC", BOTH, THREE).or("Off", KnownBy::Checker).uses(&[
        is("Required", Impossible("the extension does not exist here")),
        any(Always("the extension does not exist here, and no client needs it")),
    ]),
    Parameter::new("ServerMaxSSLFragment", BOTH, THREE).or("Off", KnownBy::Checker).uses(&[
        is("Off", Always("the size of records is not negotiated")),
        any(Instead("the size of records is not negotiated")),
    ]),
    Parameter::new("ServerHandshakeSNI", BOTH, THREE).or("Off", KnownBy::Checker).uses(&[
        is("Required", Instead("a client that asks for no name gets the first certificate, and is not refused for it")),
        any(Always("a name that the client asks for selects the certificate")),
    ]),
    Parameter::new("ServerHandshakeSNIMatch", BOTH, OneOf(&["Required", "Optional"]))
        .or("Optional", KnownBy::Checker)
        .uses(&[any(Applied("unknown_sni"))]),
    Parameter::new("ServerHandshakeSNIList", BOTH, Word)
        .known_by(KnownBy::Checker)
        .uses(&[any(Instead("the names in the server certificates are used"))]),
    Parameter::new("ServerExtendedMasterSecret", BOTH, OneOf(&["On", "Off", "Required"]))
        .or("On", KnownBy::Checker)
        .uses(&[
            is("Required", Instead("the extension is used with each client that has it; one without it is accepted in TLS 1.2")),
            is("Off", Instead("the extension is always used with clients that have it")),
            any(Always("the extension is used with clients that have it")),
        ]),
    Parameter::new("ServerScsv", BOTH, ON_OFF)
        .or("Off", KnownBy::Checker)
        .uses(&[any(Instead("TLS 1.3 protects against downgrades by itself; the signalling suite is not needed"))]),
    Parameter::new("ServerEDHGroupSize", BOTH, OneOf(&["Legacy", "2048", "Match"]))
        .or("Legacy", KnownBy::Checker)
        .uses(&[any(Always("only elliptic curves are used for key exchange"))]),
    Parameter::new("MiddleBoxCompatMode", BOTH, ON_OFF)
        .or("Off", KnownBy::Checker)
        .uses(&[any(Always("the compatibility mode is used with clients that ask for it"))]),
    Parameter::new("3DesKeyCheck", BOTH, ON_OFF)
        .or("Off", KnownBy::Checker)
        .uses(&[any(Always("3DES is never offered"))]),
    of_client("ClientHandshakeSNI", BOTH, THREE),
    of_client("ClientHandshakeSNIMatch", BOTH, OneOf(&["Required", "Optional"])),
    of_client("ClientHandshakeSNIList", BOTH, Word),
    of_client("ClientMaxSSLFragment", BOTH, THREE),
    of_client("ClientMaxSSLFragmentLength", BOTH, OneOf(&["512", "1024", "2048", "4096"])),
    of_client("ClientExtendedMasterSecret", BOTH, OneOf(&["On", "Off", "Required"])),
    of_client("ClientEDHGroupSize", BOTH, OneOf(&["Legacy", "2048"])),
    of_client("HostReferenceIdDNS", BOTH, Word),
    of_client("HostReferenceIdCN", BOTH, Word),
    of_client("HostRefWildcardValidation", BOTH, ON_OFF),
    Parameter::new("V2CipherSuites", &[CipherParms], Word)
        .repeated()
        .uses(&[any(Instead("SSL 2.0 is never offered"))]),
    Parameter::new("V3CipherSuites", &[CipherParms], Suites)
        .repeated()
        .unset("the suites of rustls are offered, all with forward secrecy")
        .uses(&[any(Applied("suites"))]),
    Parameter::new("V3CipherSuites4Char", &[CipherParms], Suites4).repeated().uses(&[any(Applied("suites"))]),
    Parameter::new("SignaturePairs", &[SignatureParms], Codes)
        .repeated()
        .known_by(KnownBy::Ibm)
        .uses(&[any(Instead("the signature algorithms cannot be chosen: RSA and ECDSA with SHA-256 or better, and Ed25519"))]),
    Parameter::new("SignaturePairsCert", &[SignatureParms], Codes)
        .repeated()
        .known_by(KnownBy::Checker)
        .uses(&[any(Instead("the algorithms cannot be chosen: certificates need RSA or ECDSA with SHA-256 or better, or Ed25519"))]),
    Parameter::new("ClientECurves", &[SignatureParms, CipherParms], Word)
        .repeated()
        .known_by(KnownBy::Ibm)
        .uses(IS_CLIENT),
    Parameter::new("ClientKeyShareGroups", &[SignatureParms, CipherParms], Word)
        .repeated()
        .known_by(KnownBy::Checker)
        .uses(IS_CLIENT),
    Parameter::new("ServerKeyShareGroups", &[SignatureParms, CipherParms], Word)
        .repeated()
        .known_by(KnownBy::Checker)
        .uses(&[any(Instead("the groups of rustls are offered: X25519, P-256, P-384"))]),
    Parameter::new("ServerKexECurves", &[SignatureParms, CipherParms], Word)
        .repeated()
        .known_by(KnownBy::Checker)
        .uses(&[any(Instead("the groups of rustls are offered: X25519, P-256, P-384"))]),
    Parameter::new("GSK_V2_SESSION_TIMEOUT", GSK, Number(0, 100))
        .or("100", KnownBy::Unverified)
        .uses(&[any(Always("SSL 2.0 is never offered"))]),
    Parameter::new("GSK_V2_SIDCACHE_SIZE", GSK, Number(0, 32_000))
        .or("256", KnownBy::Unverified)
        .uses(&[any(Always("SSL 2.0 is never offered"))]),
    Parameter::new("GSK_V3_SESSION_TIMEOUT", GSK, Number(0, 86_400))
        .or("86400", KnownBy::Ibm)
        .unset("a session may resume for 300 s")
        .uses(&[any(Applied("session_max_age"))]),
    Parameter::new("GSK_V3_SIDCACHE_SIZE", GSK, Number(0, 64_000))
        .or("512", KnownBy::Ibm)
        .unset("16,384 sessions are kept")
        .uses(&[any(Applied("max_sessions"))]),
    Parameter::new("GSK_SYSPLEX_SIDCACHE", GSK, ON_OFF).or("Off", KnownBy::Ibm).uses(&[
        is("On", Instead("sessions are not shared between systems: a client does a full handshake with each")),
        any(Always("sessions are not shared")),
    ]),
    Parameter::new("GSK_SYSPLEX_SESSION_TICKET_CACHE", GSK, ON_OFF).or("Off", KnownBy::Checker).uses(&[
        is("On", Instead("sessions are not shared between systems: a client does a full handshake with each")),
        any(Always("sessions are not shared")),
    ]),
    Parameter::new("GSK_SESSION_TICKET_SERVER_ENABLE", GSK, ON_OFF).or("On", KnownBy::Ibm).uses(&[
        is("Off", Applied("session_max_age")),
        any(Always("sessions of TLS 1.3 may resume within session_max_age")),
    ]),
    Parameter::new("GSK_SESSION_TICKET_SERVER_TIMEOUT", GSK, Number(0, 604_800))
        .or("300", KnownBy::Ibm)
        .uses(&[any(Applied("session_max_age"))]),
    Parameter::new("GSK_SESSION_TICKET_SERVER_COUNT", GSK, Number(0, 16))
        .or("2", KnownBy::Ibm)
        .uses(&[any(Instead("two tickets are sent, as rustls does"))]),
    Parameter::new(
        "GSK_SESSION_TICKET_SERVER_ALGORITHM",
        GSK,
        OneOf(&["AESCBC128", "AESCBC256", "AES_128", "AES_256"]),
    )
    .or("AESCBC128", KnownBy::Ibm)
    .uses(&[any(Instead(TICKETS))]),
    Parameter::new("GSK_SESSION_TICKET_SERVER_KEY_REFRESH", GSK, Number(0, 604_800))
        .or("300", KnownBy::Ibm)
        .uses(&[any(Instead(TICKETS))]),
    of_client("GSK_SESSION_TICKET_CLIENT_ENABLE", GSK, ON_OFF),
    of_client("GSK_SESSION_TICKET_CLIENT_MAXCACHED", GSK, Number(0, 4_294_967_295)),
    of_client("GSK_SESSION_TICKET_CLIENT_MAXSIZE", GSK, Number(0, 4_294_967_295)),
    Parameter::new("MaintenanceLevel", &[EnvironmentAction], Word)
        .uses(&[any(Instead("it has no meaning here"))]),
];

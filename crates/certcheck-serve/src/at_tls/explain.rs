//! What a policy does, in plain words.

use certcheck_rustls::Revocation;
use certcheck_rustls::certcheck_core::policy::{EvidenceOrder, Nonce};

use super::diagnostic::Position;
use super::plan::{ListenerPlan, PlannedCertificate, PlannedSettings};
use super::suite::KnownSuite;

/// A sentence about a listener.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PlainFact {
    /// What it is about, in one word or two.
    pub topic: &'static str,
    /// The sentence.
    pub text: String,
    /// The settings of the policy that it comes from: parameter and place. Empty: a default.
    pub from: Vec<(&'static str, Position)>,
}

/// A listener in plain words: where it listens, which clients are accepted, by what, and for how long.
#[must_use]
pub fn explain(plan: &ListenerPlan) -> Vec<PlainFact> {
    let settings = &plan.settings;
    let fact = |topic, parameters: &[&str], text: String| {
        let of = |parameter: &str| parameters.contains(&parameter);
        let sources = plan.sources.iter().filter(|source| of(source.parameter));
        PlainFact { topic, text, from: sources.map(|source| (source.parameter, source.at)).collect() }
    };
    let mut facts = vec![
        fact("listens on", &["LocalAddr", "LocalPortRange"], listens(plan)),
        fact("clients", &["RemoteAddr"], clients(plan)),
        fact("certificate", &["HandshakeRole", "ClientAuthType"], certificate(settings).to_owned()),
    ];
    if settings.certificate != PlannedCertificate::None {
        let validated = format!(
            "by RFC 5280, against the CAs of the key ring {}; RSA keys need {} bits, curves {}",
            settings.keyring,
            settings.min_rsa_bits.unwrap_or(2048),
            settings.min_ec_bits.unwrap_or(256)
        );
        let keys = ["Keyring", "CertValidationMode", "PeerMinRsaKeySize", "PeerMinECCKeySize"];
        facts.push(fact("validation", &keys, validated));
        let levels = ["RevocationSecurityLevel", "GSK_CRL_SECURITY_LEVEL"];
        facts.push(fact("revocation", &levels, revocation(settings.revocation).to_owned()));
        if settings.revocation != Revocation::Off {
            let asked = [
                "AIACDPPriority",
                "HttpCdpEnable",
                "OcspAiaEnable",
                "OcspUrl",
                "OcspUrlPriority",
                "OcspRetrieveViaGet",
                "OcspNonceGenEnable",
                "OcspNonceCheckEnable",
                "MaxSrcRevExtLocValues",
                "GSK_LDAP_SERVER",
            ];
            facts.push(fact("evidence", &asked, evidence(settings)));
            let limits = [
                "OcspMaxResponseSize",
                "OcspResponseTimeout",
                "HttpCdpMaxResponseSize",
                "HttpCdpResponseTimeout",
            ];
            facts.push(fact("limits", &limits, limits_of(settings)));
        }
    }
    let sessions =
        ["GSK_V3_SESSION_TIMEOUT", "GSK_SESSION_TICKET_SERVER_TIMEOUT", "GSK_SESSION_TICKET_SERVER_ENABLE"];
    facts.push(fact(
        "handshake",
        &["HandshakeTimeout"],
        format!(
            "{} s for the handshake and the check of the certificate together",
            settings.handshake_timeout.as_secs()
        ),
    ));
    facts.push(fact("sessions", &sessions, self::sessions(settings)));
    facts.push(fact(
        "TLS",
        &["TLSv1.2", "TLSv1.3", "V3CipherSuites", "V3CipherSuites4Char", "SuiteBProfile"],
        tls(settings),
    ));
    facts.push(fact(
        "server",
        &["Keyring", "CertificateLabel", "ServerCertificateLabel"],
        match &settings.label {
            Some(label) => format!("its certificate is `{label}` of the key ring {}", settings.keyring),
            None => format!("its certificate is the default one of the key ring {}", settings.keyring),
        },
    ));
    facts
}

fn listens(plan: &ListenerPlan) -> String {
    let addresses: Vec<String> = plan.addresses.iter().map(ToString::to_string).collect();
    let addresses = match addresses.as_slice() {
        [] => "all addresses, IPv4 and IPv6".to_owned(),
        some => some.join(", "),
    };
    let is_one = matches!(plan.ports.as_slice(), [(first, last)] if first == last);
    let ports: Vec<String> = plan
        .ports
        .iter()
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
        .collect();
    format!("{addresses}; port{} {}", if is_one { "" } else { "s" }, ports.join(", "))
}

fn clients(plan: &ListenerPlan) -> String {
    if plan.clients.is_empty() {
        return "from any address".to_owned();
    }
    let ranges: Vec<String> = plan.clients.iter().map(ToString::to_string).collect();
    format!("only from {}; others are disconnected", ranges.join(", "))
}

const fn certificate(settings: &PlannedSettings) -> &'static str {
    match settings.certificate {
        PlannedCertificate::Required => "a client needs a good certificate; one without it is refused",
        PlannedCertificate::Optional => {
            "a client may send a certificate, which must then be good; one without it is accepted too"
        }
        PlannedCertificate::None => "clients are not asked for a certificate: every client is accepted",
    }
}

const fn revocation(revocation: Revocation) -> &'static str {
    match revocation {
        Revocation::HardFail => "hard-fail: each certificate of the path must be known not to be revoked",
        Revocation::IfOffered => {
            "if-offered: a certificate that names a source must be known not to be revoked; one that names none is accepted"
        }
        Revocation::SoftFail => {
            "soft-fail: a revoked certificate is refused; one with an unknown status is accepted"
        }
        Revocation::Off => "off: a revoked certificate is accepted",
        _ => "by a tolerance of its own",
    }
}

fn evidence(settings: &PlannedSettings) -> String {
    let order = match settings.order {
        EvidenceOrder::CrlFirst => "CRLs, then OCSP",
        _ => "OCSP, then CRLs",
    };
    let nonce = match settings.nonce {
        Nonce::Ask => ", with a nonce",
        Nonce::Demand => ", with a nonce that must be returned",
        _ => "",
    };
    let method = if settings.ocsp_get { "GET" } else { "POST" };
    let directory = match &settings.ldap_server {
        Some(server) => format!("; the directory is {server}"),
        None => String::new(),
    };
    let responder = match &settings.ocsp_url {
        Some(url) if settings.ocsp_url_first => {
            format!("; the responder {url} is asked first, about every certificate")
        }
        Some(url) => format!("; the responder {url} is asked too, about every certificate"),
        None => String::new(),
    };
    format!(
        "{order}, from the sources in certificates, {} at most for each; OCSP with {method}{nonce}{responder}{directory}",
        settings.max_locations.unwrap_or(10)
    )
}

fn limits_of(settings: &PlannedSettings) -> String {
    let limits = certcheck_rustls::FetchLimits::default();
    format!(
        "an OCSP response may have {} and take {} s, a CRL {} and {} s",
        size(settings.ocsp_bytes.unwrap_or(limits.ocsp_bytes)),
        settings.ocsp_time.unwrap_or(limits.small_whole).as_secs(),
        size(settings.crl_bytes.unwrap_or(limits.crl_bytes)),
        settings.crl_time.unwrap_or(limits.crl_whole).as_secs()
    )
}

/// A number of bytes, in MiB where it is one of those.
fn size(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    if bytes >= MIB && bytes.is_multiple_of(MIB) {
        format!("{} MiB", bytes / MIB)
    } else {
        format!("{bytes} bytes")
    }
}

fn sessions(settings: &PlannedSettings) -> String {
    match settings.session_max_age.as_secs() {
        0 => "none resumes: each connection needs the client's key".to_owned(),
        age => format!(
            "one may resume for {age} s after its full handshake, without the client's key; its certificate is checked again"
        ),
    }
}

fn tls(settings: &PlannedSettings) -> String {
    let versions = match (settings.tls12, settings.tls13) {
        (true, true) => "1.2 and 1.3",
        (true, false) => "1.2",
        _ => "1.3",
    };
    let names = settings.suites.iter().filter_map(|code| KnownSuite::with_code(*code));
    match names.map(|suite| suite.name).collect::<Vec<_>>().as_slice() {
        [] => format!("{versions}, with all cipher suites of certcheck"),
        names => format!("{versions}, with {}", names.join(", ")),
    }
}

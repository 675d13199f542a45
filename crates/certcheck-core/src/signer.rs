//! Which certificate signed a CRL or an OCSP response, for programs that inspect, show or keep evidence as such.
//!
//! A check does not use this: it looks for the signer that may answer for one certificate of one path.

use core::fmt;

use pki_types::CertificateDer;

use crate::check::Check;
use crate::crl::Crl;
use crate::key_ring::{KeyRing, RingCertificate, Role};
use crate::ocsp::BasicResponse;
use crate::oid;
use crate::policy::{Policy, Revocation};
use crate::reason::Reason;
use crate::status::Cause;
use crate::time::Time;
use crate::x509::{Certificate, KeyUsage};

/// The certificate whose key signed.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EvidenceSigner<'a> {
    /// As what it signed.
    pub signs_as: SignsAs,
    /// The certificate.
    pub certificate: Certificate<'a>,
    /// Its entry in the ring. `None` for a certificate that came with a response.
    pub entry: Option<&'a RingCertificate>,
}

/// As what a signer signs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SignsAs {
    /// As the issuer itself.
    Issuer,
    /// As a responder that the issuer authorized (RFC 6960 4.2.2.2).
    Delegate,
}

impl SignsAs {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Delegate => "delegate",
        }
    }
}

/// Why a signature does not count.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NoSigner {
    /// No certificate has the signer's name or key.
    NoCertificate,
    /// The signer's certificate may be one that cannot be parsed.
    Malformed,
    /// It does not verify.
    Signature(Reason),
    /// It verifies with a key that is not allowed to sign it.
    Wrong,
}

impl NoSigner {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoCertificate => "no-certificate",
            Self::Malformed => Cause::Malformed.code(),
            Self::Signature(reason) => reason.code(),
            Self::Wrong => Cause::WrongSigner.code(),
        }
    }

    /// Of two the one that says more.
    fn or(self, other: Self) -> Self {
        let rank = |fault: &Self| match fault {
            Self::NoCertificate => 0,
            Self::Malformed => 1,
            Self::Signature(_) => 2,
            Self::Wrong => 3,
        };
        if rank(&other) > rank(&self) { other } else { self }
    }
}

impl fmt::Display for NoSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCertificate => f.write_str("no certificate of the signer's name or key is in the ring"),
            Self::Malformed => f.write_str("a certificate that came with it cannot be parsed"),
            Self::Signature(reason) => reason.fmt(f),
            Self::Wrong => f.write_str(Cause::WrongSigner.sentence()),
        }
    }
}

impl core::error::Error for NoSigner {}

/// The first certificate of the ring with the issuer's name whose key verifies the CRL and may sign CRLs. Whether a path
/// leads from it to an anchor is asked by a check.
///
/// RFC 5280 6.3.3 (f), RFC 5280 6.3.3 (g).
///
/// # Errors
/// Why no certificate of the ring counts as its signer.
#[doc(alias("RFC 5280 section 6.3.3(f)", "RFC 5280 section 6.3.3(g)"))]
pub fn of_crl<'a>(crl: &Crl, ring: &'a KeyRing, policy: &Policy) -> Result<EvidenceSigner<'a>, NoSigner> {
    let mut fault = NoSigner::NoCertificate;
    for entry in ring.certificates() {
        let certificate = entry.certificate();
        if !certificate.subject().matches(crl.issuer()) {
            continue;
        }
        fault = fault.or(match crl.verify(certificate.spki(), policy) {
            Ok(_) if may_sign_crls(entry) && !ring.distrusts(&certificate) => {
                return Ok(EvidenceSigner { signs_as: SignsAs::Issuer, certificate, entry: Some(entry) });
            }
            Ok(_) => NoSigner::Wrong,
            Err(reason) => NoSigner::Signature(reason),
        });
    }
    Err(fault)
}

/// cRLSign. For an anchor, which is a name and a key, keyUsage may be absent (RFC 10007).
fn may_sign_crls(entry: &RingCertificate) -> bool {
    let usage = entry.certificate().key_usage();
    usage.map_or_else(|| entry.role() == Role::Anchor, |usage| usage.has_any(KeyUsage::CRL_SIGN))
}

/// The first certificate, of the ring or sent along, that the response names, whose key verifies it, and that may answer
/// about all that it answers about. Whether a delegate is revoked itself is asked by a check.
///
/// RFC 6960 4.2.2.2.
///
/// # Errors
/// Why no certificate counts as its signer.
#[doc(alias = "RFC 6960 section 4.2.2.2")]
pub fn of_response<'a>(
    basic: &BasicResponse<'a>,
    ring: &'a KeyRing,
    policy: &Policy,
    now: Time,
) -> Result<EvidenceSigner<'a>, NoSigner> {
    let mut policy = policy.clone();
    policy.revocation = Revocation::Off;
    let chain = |target: &Certificate<'_>| -> Vec<CertificateDer<'static>> {
        let sent = basic.certificates().flatten().map(|certificate| certificate.der().to_vec());
        core::iter::once(target.der().to_vec()).chain(sent).map(CertificateDer::from).collect()
    };
    let in_ring = ring.certificates().iter().filter(|entry| entry.role() != Role::Distrusted);
    let in_ring = in_ring.map(|entry| (entry.certificate(), Some(entry)));
    let sent = basic.certificates().flatten().map(|certificate| (certificate, None));
    let mut fault = NoSigner::NoCertificate;
    for (certificate, entry) in in_ring.chain(sent) {
        if !basic.responder.is(&certificate) {
            continue;
        }
        if let Err(reason) = basic.verify(certificate.spki(), &policy) {
            fault = fault.or(NoSigner::Signature(reason));
            continue;
        }
        if ring.distrusts(&certificate) {
            fault = fault.or(NoSigner::Wrong);
            continue;
        }
        let chain = chain(&certificate);
        match signs_as(basic, &certificate, entry, Check::new(&chain, ring, &policy, now)) {
            Some(signs_as) => return Ok(EvidenceSigner { signs_as, certificate, entry }),
            None => fault = fault.or(NoSigner::Wrong),
        }
    }
    // A certificate that cannot be parsed may be the signer's.
    if basic.certificates().any(|certificate| certificate.is_err()) {
        fault = fault.or(NoSigner::Malformed);
    }
    Err(fault)
}

/// How it signs: as the CA itself, or as a responder that the CA authorized. `None` if neither.
fn signs_as(
    basic: &BasicResponse<'_>,
    signer: &Certificate<'_>,
    entry: Option<&RingCertificate>,
    check: Check<'_>,
) -> Option<SignsAs> {
    let answers_for = |issuer: &Certificate<'_>| {
        basic.responses().all(|single| single.is_ok_and(|single| single.cert_id.is_of(issuer)))
    };
    if answers_for(signer) && entry.is_some_and(|entry| entry.role() == Role::Anchor) {
        return Some(SignsAs::Issuer);
    }
    let report = check.run();
    if !report.is_accepted() {
        return None;
    }
    if answers_for(signer) {
        return Some(SignsAs::Issuer);
    }
    let issuer = report.path.get(1)?;
    (is_for_answers(signer) && answers_for(&issuer.certificate)).then_some(SignsAs::Delegate)
}

/// id-kp-OCSPSigning named as such, a key for signatures, and no CA.
fn is_for_answers(signer: &Certificate<'_>) -> bool {
    let may_sign = signer.key_usage().is_none_or(|usage| usage.has_any(KeyUsage::DIGITAL_SIGNATURE));
    let is_ca = signer.basic_constraints().is_some_and(|constraints| constraints.ca);
    names_ocsp_signing(signer) && may_sign && !is_ca
}

/// Whether id-kp-OCSPSigning is among the purposes of a certificate.
#[must_use]
pub fn names_ocsp_signing(certificate: &Certificate<'_>) -> bool {
    let usage = certificate.extended_key_usage().ok().flatten();
    usage.is_some_and(|usage| usage.purposes().any(|purpose| purpose == Ok(oid::KP_OCSP_SIGNING)))
}

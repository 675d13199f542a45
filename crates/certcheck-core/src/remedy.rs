//! Remedies for rejections, as values that programs can match on.
//!
//! The text of a remedy names no flags and no calls, so that it fits every program. The program says how to apply it.

use core::fmt;

/// An action that turns a rejection into an acceptance, or shows why the rejection is right.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Remedy {
    /// Check that the certificate is complete, and not a file of another kind, before asking for a new one.
    CheckFile,
    /// Have the certificate issued again by software that follows RFC 5280.
    ReissueCertificate,
    /// Issue the certificate with a subject or a critical subjectAltName.
    NameSubject,
    /// Follow the rules of the profile that a pedantic policy checks, or turn it off.
    MeetProfile,
    /// Use a key or signature algorithm that is supported.
    UseSupportedAlgorithm,
    /// Issue the certificate for a key on a named curve.
    UseNamedCurve,
    /// Use another certificate with the issuer's name: the key in this one does not fit the signature.
    FindOtherIssuer,
    /// Issue the certificate for a key on a larger elliptic curve.
    UseLargerCurve,
    /// Issue the certificate for the same key, with its point in uncompressed form.
    UseUncompressedPoint,
    /// Create a new key pair: this one is weak or malformed.
    ReplaceKey,
    /// Issue the certificate for a stronger key.
    StrengthenKey,
    /// Have it signed over a stronger hash.
    StrengthenHash,
    /// Compare the certificate with the original: it was altered, or another issuer with the same name signed it.
    CompareWithOriginal,
    /// Add the missing issuer to the ring, or have the client send it.
    AddIssuer,
    /// Have a CA issue the certificate, or add it to the ring: it is self-signed.
    ReplaceSelfSigned,
    /// Check the clock, or wait until the certificate is valid.
    WaitUntilValid,
    /// Renew the certificate, and check the clock.
    RenewCertificate,
    /// Remove the certificate from the distrusted part of the ring.
    Undistrust,
    /// Use an issuer whose basicConstraints set cA.
    UseCa,
    /// Issue the certificate from a CA that allows intermediates below it.
    UseHigherCa,
    /// Issue the certificate with the key usage that is missing.
    AddKeyUsage,
    /// Issue the certificate for the purpose, or check for another purpose.
    AddPurpose,
    /// Check for a name that the certificate has.
    AskForItsName,
    /// Use a name that the CAs above are allowed to certify.
    UsePermittedName,
    /// Issue the certificate under a required policy.
    UsePolicy,
    /// Issue the certificate without the critical extension.
    DropExtension,
    /// Have the CA lift the hold.
    LiftHold,
    /// Use another certificate: this revocation is permanent.
    ReplaceCertificate,
    /// Send fewer certificates, or raise the limit.
    SendLess,
    /// Allow more intermediates.
    AllowDepth,
    /// Send a certificate.
    SendCertificate,
    /// Give revocation evidence, have the CA name a source, or accept certificates that name none.
    NameSource,
    /// Allow fetching, or give evidence.
    AllowFetching,
    /// Check whether the source of evidence can be reached from this machine.
    CheckSource,
    /// Allow the address of the source of evidence.
    AllowAddress,
    /// Give the evidence itself: its source cannot be used.
    GiveEvidence,
    /// Raise the limit that was reached.
    RaiseLimit,
    /// Give evidence from the certificate's own issuer.
    GiveEvidenceOfIssuer,
    /// Give the CRLs of every distribution point that the certificate names.
    GiveAllCrls,
    /// Have the CA name the distribution point in the certificate, or publish a CRL without one.
    NameDistributionPoint,
    /// Ask the responder's operator.
    AskResponder,
    /// Check the clock.
    CheckClock,
    /// Add the signer's certificate to the ring.
    AddSigner,
    /// Have the OCSP responder send its own certificate with the response, or trust it in the policy.
    IdentifyResponder,
    /// Have the evidence signed by an allowed signer: this signer's certificate does not allow it.
    ReplaceSigner,
    /// Give evidence for the signer's own certificate.
    GiveEvidenceOfSigner,
    /// Have the evidence signed with stronger algorithms.
    StrengthenEvidence,
    /// Get the evidence again: it was altered, or signed by another CA with the same name.
    FetchEvidenceAgain,
    /// Ask again: the response may be a replay.
    AskAgain,
    /// Inspect the evidence: it cannot be parsed.
    InspectEvidence,
    /// Get newer evidence, and check the clock.
    RenewEvidence,
    /// Use only the newer evidence.
    UseNewerEvidence,
    /// Ask the CA which of two CRLs is right.
    AskCa,
}

impl Remedy {
    /// What to do, in words for every program: no flags and no calls.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::CheckFile => {
                "check that this is a certificate and complete; if so, have it issued again by software that follows RFC 5280"
            }
            Self::ReissueCertificate => "have the certificate issued again by software that follows RFC 5280",
            Self::NameSubject => "issue the certificate with a subject or a critical subjectAltName",
            Self::MeetProfile => {
                "have the certificate issued again so that it follows the cited clause, or turn off the pedantic policy"
            }
            Self::UseSupportedAlgorithm => {
                "use RSA with 2048 to 8192 bits, P-256 or P-384 with SHA-256 or SHA-384, or Ed25519 (a build with aws-lc-rs adds SHA-512, P-521 and ML-DSA)"
            }
            Self::UseNamedCurve => "issue the certificate for a key on a named curve",
            Self::FindOtherIssuer => {
                "use another certificate with this issuer's name: the key in this one does not fit the signature"
            }
            Self::UseLargerCurve => {
                "issue the certificate for a key on a larger curve, such as P-256, or lower the minimum in the policy"
            }
            Self::UseUncompressedPoint => {
                "issue the certificate for the same key, with its point in uncompressed form"
            }
            Self::ReplaceKey => {
                "create a new key pair with other software, and issue the certificate for its public key"
            }
            Self::StrengthenKey => {
                "issue the certificate for a stronger key, or lower the minimum in the policy"
            }
            Self::StrengthenHash => "have it signed with SHA-256 or better, or accept SHA-1 in the policy",
            Self::CompareWithOriginal => {
                "if the CA has a new key, add its current certificate to the ring; otherwise compare the certificate with the original, because it was altered"
            }
            Self::AddIssuer => {
                "add the missing issuer to the ring, or have the client send it with its certificate"
            }
            Self::ReplaceSelfSigned => {
                "use a certificate that a CA of the ring issued, or add this one to the ring as an anchor if you trust it by itself"
            }
            Self::WaitUntilValid => "check the clock, or wait until the certificate is valid",
            Self::RenewCertificate => "renew the certificate, and check the clock",
            Self::Undistrust => {
                "remove the certificate from the distrusted part of the ring if it should be trusted again"
            }
            Self::UseCa => "use an issuer whose basicConstraints have cA set to TRUE",
            Self::UseHigherCa => "issue from a CA that allows intermediates below it",
            Self::AddKeyUsage => "issue the certificate with this key usage",
            Self::AddPurpose => "issue the certificate for this purpose, or check for another purpose",
            Self::AskForItsName => {
                "check for a name in its subjectAltName, or issue the certificate for this name"
            }
            Self::UsePermittedName => "use a name that the CAs above are allowed to certify",
            Self::UsePolicy => {
                "issue the certificate under a required policy, or require one that its CA asserts"
            }
            Self::DropExtension => {
                "issue the certificate without this extension, or mark the extension as not critical"
            }
            Self::LiftHold => "have the CA lift the hold, or use another certificate",
            Self::ReplaceCertificate => "use another certificate: this revocation is permanent",
            Self::SendLess => "send fewer certificates, or raise the limit if this PKI needs it",
            Self::AllowDepth => "allow more intermediates if this PKI has that many",
            Self::SendCertificate => "send a certificate",
            Self::NameSource => {
                "give a CRL or an OCSP response, have the CA name a source in its certificates, or accept certificates that name no source"
            }
            Self::AllowFetching => "allow fetching, or give a CRL or an OCSP response",
            Self::CheckSource => {
                "check whether the source can be reached from this machine, or give a CRL or an OCSP response"
            }
            Self::AllowAddress => "allow the address if it is correct, or give a CRL or an OCSP response",
            Self::GiveEvidence => "give a CRL or an OCSP response: this source cannot be used",
            Self::RaiseLimit => "give smaller evidence, or raise the limit if this PKI needs it",
            Self::GiveEvidenceOfIssuer => {
                "give a complete CRL or an OCSP response from the certificate's own issuer"
            }
            Self::GiveAllCrls => "give the CRLs of all distribution points that the certificate names",
            Self::NameDistributionPoint => {
                "have the CA issue certificates that name the CRL's distribution point, or a CRL without one"
            }
            Self::AskResponder => {
                "ask the responder's operator why it does not answer for this CA, or give a CRL"
            }
            Self::CheckClock => "check the clock",
            Self::AddSigner => {
                "add the signer's certificate to the ring if it is allowed to sign for this CA"
            }
            Self::IdentifyResponder => {
                "have the responder send its own certificate with the response, or trust the responder in the policy"
            }
            Self::ReplaceSigner => {
                "have the CA use a signer's certificate that is valid and issued for this use"
            }
            Self::GiveEvidenceOfSigner => "give a CRL or an OCSP response for the signer's own certificate",
            Self::StrengthenEvidence => {
                "have the evidence signed with SHA-256 or better and a key of sufficient length"
            }
            Self::FetchEvidenceAgain => {
                "get the evidence again: it was altered, or another key of the same name signed it"
            }
            Self::AskAgain => "ask again, or turn off the nonce: the response may be a replay",
            Self::InspectEvidence => "get the evidence again, and inspect what is wrong with it",
            Self::RenewEvidence => "get newer evidence, and check the clock",
            Self::UseNewerEvidence => "use only the newer evidence",
            Self::AskCa => "ask the CA which of the two CRLs is right",
        }
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    /// The text of a library is for every program, so it names no flag of one.
    #[test]
    fn no_text_names_a_flag() {
        let (texts, _tests) =
            include_str!("remedy.rs").split_once("#[cfg(test)]").expect("texts, then tests");
        assert!(!texts.contains(" --"), "a flag in a remedy");
        for file in [
            include_str!("reason/mod.rs"),
            include_str!("revocation/dismissal.rs"),
            include_str!("status/cause.rs"),
        ] {
            assert!(!file.contains(" --"), "a flag in a message");
        }
    }
}

//! What would help, in the words of this program: with the flag that does it, where there is one.

use certcheck_core::reason::Reason;
use certcheck_core::report::Report;
use certcheck_core::status::Cause;
use certcheck_core::{Remedy, Verdict};
use certcheck_fetch::{Refusal, SourceTried};
use certcheck_serve::verification::Hints;

/// What JSON objects say would help.
pub(crate) const HINTS: Hints = Hints { of, for_report };

/// What would help with a report's refusal. Empty if it accepts.
pub(crate) fn for_report(report: &Report<'_>, sources: &[SourceTried]) -> String {
    if report.verdict == Verdict::Accept {
        return String::new();
    }
    let refused = report
        .reason
        .as_ref()
        .filter(|rejection| matches!(rejection.reason, Reason::RevocationUnknown(Cause::RefusedAddress)));
    if let Some(rejection) = refused {
        let at = rejection.at;
        let mut latest = sources.iter().rev().filter(|tried| tried.at == at);
        if let Some(hint) = latest.find_map(for_source) {
            return hint;
        }
    }
    report.remedy().map(|remedy| of(remedy).to_owned()).unwrap_or_default()
}

/// What would help with a source that was refused. `None` if it was not.
fn for_source(tried: &SourceTried) -> Option<String> {
    let (cause, _) = tried.failure.as_ref()?;
    if *cause != Cause::RefusedAddress {
        return None;
    }
    let how = match &tried.refusal {
        Some(Refusal::Tls(_)) => "allow the scheme with --allow-https if it is correct".to_owned(),
        Some(Refusal::Port(port)) => format!("allow the port with --allow-port {port} if it is correct"),
        Some(Refusal::Address { address, .. } | Refusal::Private(address)) => {
            format!("allow the address with --allow-net {address} if it is correct")
        }
        Some(Refusal::NoDirectory) => "name the LDAP server with --ldap-server".to_owned(),
        // No flag lets these pass.
        Some(_) => return Some(of(Remedy::GiveEvidence).to_owned()),
        None => return Some(of(Remedy::AllowAddress).to_owned()),
    };
    Some(format!("{how}, or give evidence with --crl or --ocsp"))
}

/// A remedy, with the flag for it.
pub(crate) const fn of(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::UseLargerCurve => {
            "issue the certificate for a key on a larger curve, such as P-256; for an old ring, lower the minimum with --min-ec-bits"
        }
        Remedy::StrengthenKey => {
            "issue the certificate for a stronger key; for an old ring, lower the minimum with --min-rsa-bits"
        }
        Remedy::StrengthenHash => {
            "have it signed with SHA-256 or better; for an old ring, SHA-1 is accepted by --allow-sha1"
        }
        Remedy::AddPurpose => "issue the certificate for this purpose, or check for another with --purpose",
        Remedy::AllowDepth => "raise --max-depth if this PKI has that many intermediates",
        Remedy::NameSource => {
            "give evidence with --crl or --ocsp, have the CA name a source in its certificates, or accept such \
             certificates with --revocation if-offered"
        }
        Remedy::AllowFetching => "allow fetching (without --offline), or give evidence with --crl or --ocsp",
        Remedy::CheckSource => {
            "check whether the source can be reached from this machine, or give evidence with --crl or --ocsp"
        }
        Remedy::AllowAddress => {
            "allow the address with --allow-net if it is correct, or give evidence with --crl or --ocsp"
        }
        Remedy::GiveEvidence => "give evidence with --crl or --ocsp: this source cannot be used",
        Remedy::GiveEvidenceOfIssuer => {
            "give a complete CRL (--crl) or an OCSP response (--ocsp) from the certificate's own issuer"
        }
        Remedy::RaiseLimit => "give evidence with --crl or --ocsp, or raise the limit if this PKI needs it",
        Remedy::GiveAllCrls => {
            "give the CRLs of all distribution points that the certificate names with --crl"
        }
        Remedy::GiveEvidenceOfSigner => {
            "give a CRL (--crl) or an OCSP response (--ocsp) for the signer's own certificate"
        }
        Remedy::AddSigner => {
            "add the signer's certificate to the ring if it is allowed to sign for this CA; `certcheck crl FILE` and `certcheck ocsp FILE` \
             show the signer"
        }
        Remedy::IdentifyResponder => {
            "have the responder send its own certificate with the response, or give a CRL with --crl"
        }
        Remedy::InspectEvidence => {
            "get the evidence again; `certcheck crl FILE` and `certcheck ocsp FILE` show what is wrong with it"
        }
        other => other.text(),
    }
}

#[cfg(test)]
mod tests {
    /// Flags are promises: each that a hint names is one of `verify`.
    #[test]
    fn flags_in_hints_exist() {
        let (hints, _tests) = include_str!("hint.rs").split_once("#[cfg(test)]").expect("hints, then tests");
        let reference = include_str!("../../../docs/cli.md");
        let is_of_flag = |sign: char| sign == '-' || sign.is_ascii_lowercase();
        let flags: Vec<&str> =
            hints.split(|sign| !is_of_flag(sign)).filter(|word| word.starts_with("--")).collect();
        assert!(flags.len() >= 10, "{flags:?}");
        for flag in flags {
            assert!(reference.contains(&format!("`{flag}")), "no flag {flag}");
        }
    }
}

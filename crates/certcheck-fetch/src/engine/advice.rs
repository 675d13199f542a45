//! What to do about a refusal, in the words of these libraries: with the call that does it, where there is one.

use std::borrow::Cow;

use certcheck_core::Remedy;
use certcheck_core::reason::Reason;
use certcheck_core::status::Cause;

use crate::engine::report::{CheckReport, SourceTried};
use crate::transport::refusal::Refusal;

/// What to do about the refusal of this report.
pub(super) fn of_report(report: &CheckReport) -> Option<Cow<'static, str>> {
    let rejection = report.reason()?;
    if matches!(rejection.reason, Reason::RevocationUnknown(Cause::RefusedAddress)) {
        let mut latest = report.sources().iter().rev().filter(|tried| tried.at == rejection.at);
        if let Some(advice) = latest.find_map(of_source) {
            return Some(advice);
        }
    }
    report.remedy().map(|remedy| of_remedy(remedy).into())
}

/// What to do about a source that the guard refused. `None` if it did not.
fn of_source(tried: &SourceTried) -> Option<Cow<'static, str>> {
    let (cause, _) = tried.failure.as_ref()?;
    if *cause != Cause::RefusedAddress {
        return None;
    }
    let how = match &tried.refusal {
        Some(Refusal::Tls(_)) => "allow the scheme with `Guard::allow_tls` if it is right".to_owned(),
        Some(Refusal::Port(port)) => format!("allow port {port} with `Guard::allow_port` if it is right"),
        Some(Refusal::Address { address, .. } | Refusal::Private(address)) => {
            format!("allow {address} with `Guard::allow_net` if it is right")
        }
        Some(Refusal::NoDirectory) => "name the directory with `EngineBuilder::directory`".to_owned(),
        // No rule can allow the others.
        Some(_) => return Some(of_remedy(Remedy::GiveEvidence).into()),
        None => return Some(of_remedy(Remedy::AllowAddress).into()),
    };
    Some(format!("{how}, or give evidence with `EngineBuilder::evidence`").into())
}

/// A remedy, with the call for it.
const fn of_remedy(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::MeetProfile => {
            "have the certificate issued again as the clause asks, or set `Policy::pedantic` to false"
        }
        Remedy::UseLargerCurve => {
            "issue the certificate for a key on a larger curve, such as P-256, or lower `SignaturePolicy::min_ec_bits`"
        }
        Remedy::StrengthenKey => {
            "issue the certificate for a stronger key, or lower `SignaturePolicy::min_rsa_bits`"
        }
        Remedy::StrengthenHash => {
            "have it signed with SHA-256 or better, or accept SHA-1 with `SignaturePolicy::allow_sha1`"
        }
        Remedy::AddIssuer => {
            "add the missing issuer to the ring (`KeyRing::from_paths`, `Engine::reload`), or have the client send it with \
             its certificate"
        }
        Remedy::Undistrust => {
            "if the certificate is to be trusted again, take it out of the ring's distrusted part and call `Engine::reload`"
        }
        Remedy::AddPurpose => {
            "issue the certificate for this purpose, or ask for another with `Policy::with_purpose`"
        }
        Remedy::UsePolicy => {
            "issue the certificate under a policy in `Policy::initial_policies`, or ask for one that the CA asserts"
        }
        Remedy::SendLess => "have the client send fewer certificates, or raise the limit in `Policy::limits`",
        Remedy::AllowDepth => "raise `Policy::max_depth` if this PKI has that many intermediates",
        Remedy::SendCertificate => "have the client send a certificate",
        Remedy::NameSource => {
            "give evidence with `EngineBuilder::evidence`, have the CA name a source, or accept certificates that name none \
             with `Revocation::IfOffered`"
        }
        Remedy::AllowFetching => {
            "wait until it is fetched with `Engine::check`, give evidence with `EngineBuilder::evidence`, and build the \
             engine without `EngineBuilder::offline`"
        }
        Remedy::CheckSource => {
            "check whether the source answers from this host, set `EngineBuilder::proxy` if one is needed, or give \
             evidence with `EngineBuilder::evidence`"
        }
        Remedy::AllowAddress => {
            "allow the source with `EngineBuilder::guard` if it is right, or give evidence with `EngineBuilder::evidence`"
        }
        Remedy::GiveEvidence => "give evidence with `EngineBuilder::evidence`: this source cannot be used",
        Remedy::RaiseLimit => {
            "raise the limit that was reached (`FetchLimits::crl_bytes`, `FetchLimits::ocsp_bytes` or `Policy::limits`), or \
             give smaller evidence with `EngineBuilder::evidence`"
        }
        Remedy::GiveEvidenceOfIssuer => {
            "give a complete CRL or an OCSP response by the certificate's own issuer with `EngineBuilder::evidence`"
        }
        Remedy::GiveAllCrls => {
            "give the CRLs of all distribution points that the certificate names with `EngineBuilder::evidence`"
        }
        Remedy::AskResponder => {
            "ask the responder's operator why it does not answer for this CA, or give a CRL with `EngineBuilder::evidence`"
        }
        Remedy::AddSigner => {
            "if the signer may sign for this CA, add its certificate to the ring (`KeyRing::from_paths`, `Engine::reload`)"
        }
        Remedy::IdentifyResponder => {
            "have the responder send its own certificate with the response, or add it to `Policy::trusted_responders`"
        }
        Remedy::GiveEvidenceOfSigner => {
            "give a CRL or an OCSP response about the signer's own certificate with `EngineBuilder::evidence`"
        }
        Remedy::AskAgain => "ask again: the response may be a replay; or set `Policy::nonce` to `Nonce::Off`",
        other => other.text(),
    }
}

#[cfg(test)]
mod tests {
    /// Names in advice are promises: each item is public, and no flag of a program is among them.
    #[test]
    fn calls_in_advice_exist() {
        let (advice, _tests) = include_str!("advice.rs").split_once("#[cfg(test)]").unwrap();
        assert!(!advice.contains(" --"), "a flag of a program");
        let sources = [
            include_str!("builder.rs"),
            include_str!("mod.rs"),
            include_str!("../limits.rs"),
            include_str!("../transport/guard.rs"),
            include_str!("../../../certcheck-core/src/policy/mod.rs"),
            include_str!("../../../certcheck-core/src/policy/algorithms.rs"),
            include_str!("../../../certcheck-core/src/key_ring/directory.rs"),
        ];
        let names = advice.split('`').skip(1).step_by(2).filter_map(|name| name.split_once("::"));
        let mut found = 0;
        for (owner, item) in names {
            let is_item = |source: &&str| {
                source.contains(&format!(" {owner} ")) || source.contains(&format!(" {owner} {{"))
            };
            let declared = ["fn ", "pub ", "    "].map(|before| format!("{before}{item}"));
            let is_declared =
                |source: &&str| declared.iter().any(|text| source.contains(text)) && is_item(source);
            assert!(sources.iter().any(is_declared), "no {owner}::{item}");
            found += 1;
        }
        assert!(found >= 30, "{found}");
    }
}

//! What the codes mean, for readers who see one without the rest.

use certcheck_core::Remedy;
use certcheck_core::status::Cause;

use crate::sentence::capitalized;

/// Codes of certificates with their meaning and what to do, sorted. The sentence of a [`Reason`] has the values of a
/// certificate, so it cannot be used here. A code that is also a cause has the text for both.
///
/// [`Reason`]: certcheck_core::reason::Reason
const RULES: &[(&str, &str, &str)] = &[
    (
        "bad-signature",
        "a signature does not verify",
        "compare the certificate or the evidence with the original, and look for a new key of the issuer",
    ),
    (
        "certificate-revoked",
        "a certificate is revoked",
        "use another certificate; only a certificate on hold can be released, by its CA",
    ),
    ("distrusted", "the key ring distrusts a certificate", Remedy::Undistrust.text()),
    ("expired", "a certificate has expired", Remedy::RenewCertificate.text()),
    (
        "expires-soon",
        "a certificate or evidence expires soon",
        "renew the certificate, or have the CA publish new evidence",
    ),
    ("extended-key-usage", "a certificate is not for this purpose", Remedy::AddPurpose.text()),
    ("key-usage", "a key usage is missing", Remedy::AddKeyUsage.text()),
    ("limit-exceeded", "a limit was reached before a good path was found", Remedy::SendLess.text()),
    (
        "malformed",
        "a certificate or evidence cannot be parsed, or breaks its profile",
        "issue it again, or fetch it again",
    ),
    ("name-constraint", "a name is outside the constraints of a CA", Remedy::UsePermittedName.text()),
    ("name-mismatch", "the certificate does not have the name of the server", Remedy::AskForItsName.text()),
    (
        "no-certificate",
        "an input could not be read, or has no certificate",
        "give a file with a certificate in PEM, DER or PKCS #7",
    ),
    ("not-a-ca", "an issuer is no CA", Remedy::UseCa.text()),
    ("not-yet-valid", "a certificate or evidence is not valid yet", "check the clock, or wait"),
    ("path-length", "more intermediates follow than a CA allows", Remedy::UseHigherCa.text()),
    ("policy", "no acceptable certificate policy is valid for the path", Remedy::UsePolicy.text()),
    (
        "revocation-unknown",
        "the revocation status of a certificate could not be established",
        "see the cause: check the source, or give evidence",
    ),
    ("unhandled-critical-extension", "a critical extension is not known", Remedy::DropExtension.text()),
    ("unknown-issuer", "no certificate of the issuer leads to an anchor", Remedy::AddIssuer.text()),
    (
        "unsupported-algorithm",
        "an algorithm or a kind of key is not supported",
        Remedy::UseSupportedAlgorithm.text(),
    ),
    ("weak-key", "a key is too weak", Remedy::StrengthenKey.text()),
    ("weak-signature", "a signature is over a weak hash", Remedy::StrengthenHash.text()),
];

/// Causes with a code of their own: the core has their meaning and what to do.
const CAUSES: &[Cause] = &[
    Cause::NoSource,
    Cause::NotTried,
    Cause::BreakerOpen,
    Cause::Unreachable,
    Cause::RefusedAddress,
    Cause::TooLarge,
    Cause::OutOfScope,
    Cause::ResponderError,
    Cause::ResponderUnknown,
    Cause::WrongSigner,
    Cause::Unsupported,
    Cause::NonceMismatch,
    Cause::Stale,
    Cause::Rollback,
    Cause::Conflict,
];

/// The meaning of a code and what to do, both as sentences. [`docs/operating.md`] has more about each.
///
/// [`docs/operating.md`]: ../../../../docs/operating.md
pub(super) fn of(code: &str) -> Option<(String, String)> {
    let of_cause = |cause: &Cause| (cause.code(), cause.sentence(), cause.remedy().text());
    let mut all = RULES.iter().copied().chain(CAUSES.iter().map(of_cause));
    let (_, meaning, help) = all.find(|(known, ..)| *known == code)?;
    let sentence = |text: &str| format!("{}.", capitalized(text));
    Some((sentence(meaning), sentence(help)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Codes of the runbook that only a server gives.
    const OF_SERVERS: [&str; 6] =
        ["busy", "deadline", "handshake", "no-identity", "other-ring", "session-too-old"];

    #[test]
    fn every_code_of_the_runbook_has_a_rule() {
        let page = include_str!("../../../../docs/operating.md");
        let (_, runbook) = page.split_once("\n## Runbook\n").expect("a runbook");
        let runbook = runbook.split("\n## ").next().unwrap_or_default();
        let firsts = runbook.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
        let codes: BTreeSet<&str> =
            firsts.flat_map(|cell| cell.split('`').step_by(2)).filter(|code| !code.is_empty()).collect();
        let causes = CAUSES.iter().map(|cause| cause.code());
        let ruled: BTreeSet<&str> = RULES.iter().map(|(code, ..)| *code).chain(causes).collect();
        assert_eq!(ruled.len(), RULES.len() + CAUSES.len(), "a code has two rules");
        assert!(RULES.is_sorted());
        let expected: BTreeSet<&str> =
            ruled.iter().copied().filter(|code| *code != "expires-soon").chain(OF_SERVERS).collect();
        assert_eq!(codes, expected);
    }

    #[test]
    fn a_rule_has_sentences() {
        let (meaning, help) = of("stale").expect("a rule");
        assert_eq!(meaning, "The revocation evidence is too old.");
        assert!(help.starts_with(char::is_uppercase) && help.ends_with('.'), "{help}");
        assert_eq!(of("expired").expect("a rule").0, "A certificate has expired.");
        assert_eq!(of("accept"), None);
    }
}

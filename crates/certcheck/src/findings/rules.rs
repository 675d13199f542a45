//! What the codes mean, for readers who see one without the rest.

/// Codes with their meaning and what to do, sorted. [`docs/operating.md`] has more of each.
///
/// [`docs/operating.md`]: ../../../../docs/operating.md
const RULES: &[(&str, &str, &str)] = &[
    (
        "bad-signature",
        "A signature does not verify.",
        "Compare the certificate or the evidence with the original, and look for a new key of the issuer.",
    ),
    (
        "breaker-open",
        "A source of evidence failed too often and is left alone for a while.",
        "Look at the other failures of this host.",
    ),
    (
        "certificate-revoked",
        "A certificate is revoked.",
        "Get another certificate. Only a certificate on hold can be released, by its CA.",
    ),
    ("conflict", "Two CRLs of the same number and time differ.", "Ask the CA."),
    ("distrusted", "The key ring distrusts a certificate.", "Nothing, if it is intended."),
    ("expired", "A certificate has expired.", "Renew the certificate, and check the clock."),
    (
        "expires-soon",
        "A certificate or evidence expires soon.",
        "Renew the certificate, or have the CA publish new evidence.",
    ),
    (
        "extended-key-usage",
        "A certificate is not for this purpose.",
        "Issue the certificate for the purpose, or check for another one.",
    ),
    ("key-usage", "A key usage is missing.", "Issue the certificate with the key usage."),
    (
        "limit-exceeded",
        "A limit was reached before a good path was found.",
        "Send fewer certificates, or raise the limit if this PKI needs it.",
    ),
    (
        "malformed",
        "A certificate or evidence cannot be parsed, or breaks its profile.",
        "Issue it again, or fetch it again.",
    ),
    ("name-constraint", "A name is outside the constraints of a CA.", "Use a name within the constraints."),
    (
        "name-mismatch",
        "The certificate does not have the name of the server.",
        "Put the name into subjectAltName.",
    ),
    (
        "no-certificate",
        "An input could not be read, or has no certificate.",
        "Give a file with a certificate in PEM, DER or PKCS #7.",
    ),
    ("no-source", "A certificate names no source of evidence.", "Have the CA name one, or give evidence."),
    ("nonce-mismatch", "An OCSP response answers another request.", "Ask again, or do not demand a nonce."),
    ("not-a-ca", "An issuer is no CA.", "Use an issuer whose basicConstraints assert cA."),
    ("not-tried", "No evidence was given or fetched.", "Allow fetching, or give evidence."),
    ("not-yet-valid", "A certificate or evidence is not valid yet.", "Check the clock, or wait."),
    (
        "out-of-scope",
        "Evidence does not cover the certificate.",
        "Give the CRLs of all its distribution points.",
    ),
    (
        "path-length",
        "More intermediates follow than a CA allows.",
        "Issue from a CA that allows intermediates below it.",
    ),
    (
        "policy",
        "No acceptable certificate policy is valid for the path.",
        "Issue under such a policy, or ask for another one.",
    ),
    ("refused-address", "The address of a source is not allowed.", "Allow the address if it is right."),
    ("responder-error", "An OCSP responder answered with an error.", "Ask the operator of the responder."),
    (
        "responder-unknown",
        "An OCSP responder does not know the certificate.",
        "Ask the CA whether it issued the certificate.",
    ),
    (
        "revocation-unknown",
        "The revocation status of a certificate could not be established.",
        "The cause says why: check the source, or give evidence.",
    ),
    (
        "rollback",
        "Evidence is older than what has been seen before.",
        "Look for a cache that serves old copies.",
    ),
    ("stale", "Evidence is too old.", "Have the CA publish new evidence, and check the clock."),
    ("too-large", "Evidence is larger than a limit.", "Raise the limit if this PKI needs it."),
    (
        "unhandled-critical-extension",
        "A critical extension is not known.",
        "Issue the certificate without it, or mark it as not critical.",
    ),
    (
        "unknown-issuer",
        "No certificate of the issuer leads to an anchor.",
        "Add the issuer to the key ring, or have the client send it.",
    ),
    (
        "unreachable",
        "A source of evidence could not be reached.",
        "Check whether the source answers from here.",
    ),
    (
        "unsupported",
        "Evidence is signed with an algorithm or key that is not accepted.",
        "Have the CA sign with another one.",
    ),
    (
        "unsupported-algorithm",
        "An algorithm or a kind of key is not supported.",
        "Use one that is supported.",
    ),
    ("weak-key", "A key is too weak.", "Issue the certificate for a stronger key."),
    ("weak-signature", "A signature is over a weak hash.", "Have it signed with SHA-256 or better."),
    (
        "wrong-signer",
        "Evidence is signed by a certificate that may not sign it.",
        "Add the signer to the key ring if it may.",
    ),
];

/// What a code means, and what to do.
pub(super) fn of(code: &str) -> Option<(&'static str, &'static str)> {
    let (_, meaning, help) = RULES.iter().find(|(known, ..)| *known == code)?;
    Some((meaning, help))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Codes that only a server gives.
    const OF_SERVERS: [&str; 7] =
        ["busy", "deadline", "handshake", "no-identity", "other-ring", "session-too-old", "unreadable"];

    #[test]
    fn every_code_of_the_runbook_has_a_rule() {
        let page = include_str!("../../../../docs/operating.md");
        let (_, runbook) = page.split_once("\n## Runbook\n").expect("a runbook");
        let runbook = runbook.split("\n## ").next().unwrap_or_default();
        let firsts = runbook.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
        let codes: BTreeSet<&str> =
            firsts.flat_map(|cell| cell.split('`').step_by(2)).filter(|code| !code.is_empty()).collect();
        assert!(codes.len() > 30, "{codes:?}");
        for code in codes.iter().filter(|code| !OF_SERVERS.contains(code)) {
            assert!(of(code).is_some(), "no rule for {code}");
        }
        assert!(RULES.is_sorted());
        for (code, ..) in RULES.iter().filter(|(code, ..)| *code != "expires-soon") {
            assert!(codes.contains(code), "the runbook does not have {code}");
        }
    }
}

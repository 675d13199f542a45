//! From flags to what the core is asked with.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use certcheck_core::policy::{AnchorValidity, EvidenceOrder, Nonce, RevocationScope};
use certcheck_core::{Policy, Purpose, Revocation, Time};
use clap::ValueEnum;

use crate::flags::{NonceFlag, OrderFlag, PurposeFlag, RevocationFlag, ScopeFlag, Switch, VerifyArguments};

pub(crate) fn policy(arguments: &VerifyArguments) -> Policy {
    let mut policy = Policy::client(match arguments.revocation {
        RevocationFlag::HardFail => Revocation::HardFail,
        RevocationFlag::IfOffered => Revocation::IfOffered,
        RevocationFlag::SoftFail => Revocation::SoftFail,
        RevocationFlag::Off => Revocation::Off,
    });
    policy.purpose = match arguments.purpose {
        PurposeFlag::Client => Purpose::Client,
        PurposeFlag::Server => Purpose::Server,
        PurposeFlag::Any => Purpose::Any,
    };
    policy.server_name.clone_from(&arguments.hostname);
    policy.initial_policies.clone_from(&arguments.policy);
    policy.require_explicit_policy = arguments.require_explicit_policy;
    policy.inhibit_policy_mapping = arguments.inhibit_policy_mapping;
    policy.inhibit_any_policy = arguments.inhibit_any_policy;
    policy.max_depth = arguments.max_depth;
    // With the target and the anchor, and room for self-issued certificates, which are not counted.
    let longest = arguments.max_depth.saturating_add(4);
    policy.limits.path_length = policy.limits.path_length.max(longest);
    policy.signatures.min_rsa_bits = arguments.min_rsa_bits;
    policy.signatures.min_ec_bits = arguments.min_ec_bits;
    policy.signatures.allow_sha1 = arguments.allow_sha1;
    policy.partial_chain = arguments.partial_chain == Switch::On;
    if arguments.enforce_anchor_validity {
        policy.anchor_validity = AnchorValidity::Enforce;
    }
    policy.pedantic = arguments.pedantic;
    policy.revocation_scope = match arguments.scope {
        ScopeFlag::Chain => RevocationScope::Chain,
        ScopeFlag::Leaf => RevocationScope::Leaf,
    };
    policy.nonce = match arguments.nonce {
        NonceFlag::Off => Nonce::Off,
        NonceFlag::Ask => Nonce::Ask,
        NonceFlag::Demand => Nonce::Demand,
    };
    policy.aia = arguments.aia == Switch::On;
    policy.explain = arguments.explain;
    // A moment that is named is asked about with all that has been said of it since, whatever the clock says.
    policy.produced_until = arguments.at.map(|_| Time::from_unix(i64::MAX));
    policy.evidence_order = match arguments.order {
        OrderFlag::OcspFirst => EvidenceOrder::OcspFirst,
        OrderFlag::CrlFirst => EvidenceOrder::CrlFirst,
    };
    policy
}

/// What was asked, in words: a verdict means nothing without.
pub(crate) fn asked(arguments: &VerifyArguments) -> Vec<(&'static str, String)> {
    fn word(value: &impl ValueEnum) -> String {
        value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
    let paths = |paths: &[PathBuf]| {
        paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    };
    let mut asked = vec![
        ("Key ring", paths(&arguments.ring)),
        ("Purpose", word(&arguments.purpose)),
        ("Revocation", word(&arguments.revocation)),
    ];
    if let Some(name) = &arguments.hostname {
        asked.push(("Name", name.to_str().into_owned()));
    }
    if arguments.revocation != RevocationFlag::Off {
        asked.push(("Status of", word(&arguments.scope)));
        asked.push(("Order", word(&arguments.order)));
        asked.push(("Network", if arguments.network.offline { "none" } else { "asked" }.to_owned()));
    }
    let given =
        [("CRLs", &arguments.crl), ("OCSP responses", &arguments.ocsp), ("Presented", &arguments.untrusted)];
    asked.extend(
        given.into_iter().filter(|(_, given)| !given.is_empty()).map(|(what, given)| (what, paths(given))),
    );
    if !arguments.policy.is_empty() {
        let policies: Vec<_> = arguments.policy.iter().map(ToString::to_string).collect();
        asked.push(("Policies", policies.join(", ")));
    }
    let unusual = [
        (arguments.require_explicit_policy, "require-explicit-policy"),
        (arguments.inhibit_policy_mapping, "inhibit-policy-mapping"),
        (arguments.inhibit_any_policy, "inhibit-any-policy"),
        (arguments.allow_sha1, "allow-sha1"),
        (arguments.partial_chain == Switch::Off, "partial-chain off"),
        (arguments.enforce_anchor_validity, "enforce-anchor-validity"),
        (arguments.pedantic, "pedantic"),
        (arguments.aia == Switch::On, "aia on"),
        (arguments.nonce == NonceFlag::Ask, "nonce ask"),
        (arguments.nonce == NonceFlag::Demand, "nonce demand"),
        (arguments.network.trust_cache, "trust-cache"),
        (arguments.network.reach.allow_https, "allow-https"),
    ];
    let mut unusual: Vec<_> =
        unusual.into_iter().filter(|(is_so, _)| *is_so).map(|(_, flag)| flag.to_owned()).collect();
    let usual = Policy::client(Revocation::HardFail);
    for (number, usual, flag) in [
        (arguments.min_rsa_bits, usual.signatures.min_rsa_bits, "min-rsa-bits"),
        (arguments.min_ec_bits, usual.signatures.min_ec_bits, "min-ec-bits"),
        (arguments.max_depth, usual.max_depth, "max-depth"),
    ] {
        unusual.extend((number != usual).then(|| format!("{flag} {number}")));
    }
    if !unusual.is_empty() {
        asked.push(("Besides", unusual.join(", ")));
    }
    asked
}

/// The time asked about: the given one, else the clock's.
pub(crate) fn time(given: Option<Time>) -> Time {
    given.unwrap_or_else(|| {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Time::from_unix(i64::try_from(seconds).unwrap_or(i64::MAX))
    })
}

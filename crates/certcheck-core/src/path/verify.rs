//! Validation of one candidate path (RFC 5280 6.1), step by step, from the anchor down.
//!
//! Revocation, step 6.1.3 (a)(3), is decided after a path has been validated: only then may its URLs be used.

use super::candidate::{CertificateRef, Link};
use super::context::Context;
use super::inspect::{check_ca, check_criticality, check_may_sign, check_purpose};
use super::name_constraints::{self, CommonName};
use super::policies::{AnyPolicy, KeptGraph, PolicyGraph, PolicyMapping, user_constrained_set};
use super::pool::Pool;
use super::profile::{self, PathPosition};
use crate::budget::Spent;
use crate::key;
use crate::key_ring::RingCertificate;
use crate::oid::{self, Oid, OidBuf};
use crate::policy::{AnchorValidity, Policy};
use crate::reason::{Reason, Rejection};
use crate::x509::{Certificate, NameConstraints, SubjectPublicKeyInfo};

/// What a failure means for other paths.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Scope {
    /// No path with this certificate can be valid.
    Certificate,
    /// Only this signature or combination failed. Other paths may be valid.
    Path,
}

/// A path that failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) rejection: Rejection,
    pub(crate) scope: Scope,
}

/// The result of validation (6.1.6). The working public key is the target's own.
#[derive(Clone, Debug)]
pub(crate) struct Valid {
    /// The user-constrained-policy-set.
    pub(crate) policies: Vec<OidBuf>,
    /// Whether the anchor is outside its validity.
    pub(crate) anchor_outside_validity: bool,
}

/// The numbers of the state in 6.1.2. The rest of the state is the path itself, the graph and the constraints.
#[derive(Clone, Copy, Debug)]
struct State {
    explicit_policy: u32,
    inhibit_any_policy: u32,
    policy_mapping: u32,
    max_path_length: u32,
}

/// Validates `chain`, the target of the pool first, under `anchor`.
///
/// RFC 5280 6.1.2 (g), RFC 5280 6.1.2 (h), RFC 5280 6.1.2 (i), RFC 5280 6.1.2 (j), RFC 5280 6.1.4 (c),
/// RFC 5280 6.1.4 (d), RFC 5280 6.1.4 (e), RFC 5280 6.1.4 (f), RFC 5280 6.1.5 (c), RFC 5280 6.1.5 (d), RFC 5280 6.1.5 (e).
#[doc(alias(
    "RFC 5280 section 6.1.2(g)",
    "RFC 5280 section 6.1.2(h)",
    "RFC 5280 section 6.1.2(i)",
    "RFC 5280 section 6.1.2(j)",
    "RFC 5280 section 6.1.4(c)",
    "RFC 5280 section 6.1.4(d)",
    "RFC 5280 section 6.1.4(e)",
    "RFC 5280 section 6.1.4(f)",
    "RFC 5280 section 6.1.5(c)",
    "RFC 5280 section 6.1.5(d)",
    "RFC 5280 section 6.1.5(e)"
))]
pub(crate) fn validate<'a>(
    context: &mut Context<'a>,
    pool: &Pool<'a>,
    chain: &[CertificateRef],
    anchor: &'a RingCertificate,
) -> Result<Valid, Failure> {
    let target = pool.target();
    let above = chain.get(1..).unwrap_or_default();
    // A self-signed target that is itself an anchor is its own issuer, and need not be a CA for that.
    let is_own_anchor = above.is_empty() && *target.certificate.der() == **anchor.certificate.der();
    IssuerState::below(context, pool, above, anchor, is_own_anchor)?.check_target(context, &target)
}

/// The state of validation below the issuer of a target: what 6.1.2 to 6.1.4 yield of the certificates above it.
pub(crate) struct IssuerState<'a> {
    /// The working_public_key. The working_issuer_name is followed by the search.
    working_key: SubjectPublicKeyInfo<'a>,
    anchor: &'a RingCertificate,
    anchor_outside_validity: bool,
    above: Vec<NameConstraints<'a>>,
    graph: PolicyGraph<'a>,
    state: State,
}

/// The state of an issuer without constraints on names and policies, so that it is a few numbers. It holds as long as
/// the certificates of its path are valid, and for one ring and policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeptIssuerState {
    anchor_outside_validity: bool,
    graph: KeptGraph,
    state: State,
    /// What it has spent, apart from signatures.
    pub(crate) spent: Spent,
}

impl KeptIssuerState {
    /// The state below an issuer with this key and this anchor, which must be those it was made of.
    pub(crate) fn view<'a>(
        self,
        working_key: SubjectPublicKeyInfo<'a>,
        anchor: &'a RingCertificate,
    ) -> IssuerState<'a> {
        let Self { anchor_outside_validity, graph, state, .. } = self;
        let (above, graph) = (Vec::new(), graph.view());
        IssuerState { working_key, anchor, anchor_outside_validity, above, graph, state }
    }
}

impl<'a> IssuerState<'a> {
    /// Validates the certificates above a target, its issuer first, under `anchor`.
    pub(crate) fn below(
        context: &mut Context<'a>,
        pool: &Pool<'a>,
        chain: &[CertificateRef],
        anchor: &'a RingCertificate,
        is_own_anchor: bool,
    ) -> Result<Self, Failure> {
        let n = chain.len() + 1;
        let certificate = anchor.certificate();
        let at_anchor = |reason| Failure { rejection: Rejection { at: n, reason }, scope: Scope::Path };
        let anchor_outside_validity =
            check_anchor(context, anchor, &certificate, is_own_anchor).map_err(at_anchor)?;
        let mut above: Vec<NameConstraints<'a>> = Vec::new();
        let state = initial_state(context.policy, n, anchor, &certificate, &mut above).map_err(at_anchor)?;
        // 6.1.2 (a)
        let graph = PolicyGraph::new();
        let working_key = certificate.spki();
        let mut below = Self { working_key, anchor, anchor_outside_validity, above, graph, state };
        for (index, reference) in chain.iter().enumerate().rev() {
            let at = index + 1;
            let failure = |reason| Failure { rejection: Rejection { at, reason }, scope: Scope::Path };
            let link = pool.link(*reference).ok_or_else(|| failure(Reason::UnknownIssuer))?;
            below.check(context, &link, at, PathPosition::Intermediate)?;
            let Self { above, graph, state, .. } = &mut below;
            prepare_next(context, &link, above, graph, state).map_err(failure)?;
            below.working_key = link.certificate.spki();
        }
        Ok(below)
    }

    /// Validates the target, and wraps up.
    pub(crate) fn check_target(
        mut self,
        context: &mut Context<'a>,
        target: &Link<'a>,
    ) -> Result<Valid, Failure> {
        self.check(context, target, 0, PathPosition::Target)?;
        let Self { anchor, anchor_outside_validity, graph, state, .. } = self;
        let policies = wrap_up(context.policy, &target.certificate, anchor, graph, state)
            .map_err(|reason| Failure { rejection: Rejection { at: 0, reason }, scope: Scope::Path })?;
        Ok(Valid { policies: policies.into_iter().map(OidBuf::from).collect(), anchor_outside_validity })
    }

    /// The checks of 6.1.3 on one certificate, whose position in the path is `at`.
    fn check(
        &mut self,
        context: &mut Context<'a>,
        link: &Link<'a>,
        at: usize,
        position: PathPosition,
    ) -> Result<(), Failure> {
        let failure = |(scope, reason)| Failure { rejection: Rejection { at, reason }, scope };
        // 6.1.3 (a)(1). (a)(4) is true because the search follows names.
        context.verify_signature(link, self.working_key).map_err(|reason| failure((Scope::Path, reason)))?;
        context.inspect_once(link, position).map_err(|reason| failure((Scope::Certificate, reason)))?;
        process(context, link, position, &self.above, &mut self.graph, &mut self.state)
            .map_err(|reason| failure((Scope::Path, reason)))
    }

    /// The state as numbers. `None` if there are constraints on names or policies.
    pub(crate) fn keep(&self, spent: Spent) -> Option<KeptIssuerState> {
        let Self { anchor_outside_validity, graph, state, .. } = self;
        let graph = graph.keep().filter(|_| self.above.is_empty())?;
        let (anchor_outside_validity, state) = (*anchor_outside_validity, *state);
        Some(KeptIssuerState { anchor_outside_validity, graph, state, spent: spent.without_signatures() })
    }
}

/// The initial name constraints of a path: those of the policy and of the anchor.
///
/// RFC 5280 6.1.1 (h), RFC 5280 6.1.1 (i), RFC 5280 6.1.2 (b), RFC 5280 6.1.2 (c), RFC 5937 3.2, RFC 5937 4.
#[doc(alias(
    "RFC 5280 section 6.1.1(h)",
    "RFC 5280 section 6.1.1(i)",
    "RFC 5280 section 6.1.2(b)",
    "RFC 5280 section 6.1.2(c)",
    "RFC 5937 section 3.2",
    "RFC 5937 section 4"
))]
fn push_initial<'a>(
    policy: &'a Policy,
    anchor: &'a RingCertificate,
    certificate: &Certificate<'a>,
    above: &mut Vec<NameConstraints<'a>>,
) -> Result<(), Reason> {
    for subtrees in [&policy.initial_names, &anchor.constraints().names].into_iter().flatten() {
        above.push(subtrees.constraints()?);
    }
    above.extend(certificate.name_constraints()?);
    Ok(())
}

/// Checks the anchor, as its certificate and settings constrain it by RFC 5937. Returns whether it is outside its
/// validity.
///
/// RFC 5280 6.1.1 (d), RFC 5280 6.2, RFC 5937 3.2, RFC 5937 4.
#[doc(alias(
    "RFC 5280 section 6.1.1(d)",
    "RFC 5280 section 6.2",
    "RFC 5937 section 3.2",
    "RFC 5937 section 4"
))]
fn check_anchor(
    context: &Context<'_>,
    anchor: &RingCertificate,
    certificate: &Certificate<'_>,
    is_own_anchor: bool,
) -> Result<bool, Reason> {
    let (policy, now) = (context.policy, context.now);
    if context.ring.distrusts(certificate) {
        return Err(Reason::Distrusted);
    }
    let constraints = anchor.constraints();
    if let Some(not_after) = constraints.not_after.filter(|not_after| now > *not_after) {
        return Err(Reason::Expired { not_after, now });
    }
    let outside = now < certificate.not_before() || now > certificate.not_after();
    if outside && policy.anchor_validity == AnchorValidity::Enforce {
        return Err(if now > certificate.not_after() {
            Reason::Expired { not_after: certificate.not_after(), now }
        } else {
            Reason::NotYetValid { not_before: certificate.not_before(), now }
        });
    }
    key::check_form(certificate.spki(), &policy.signatures)?;
    check_criticality(certificate)?;
    if !is_own_anchor {
        match certificate.basic_constraints() {
            // Anchors from before version 3, or from before basicConstraints was usual, are self-signed.
            None if anchor.is_self_signed() => check_may_sign(certificate)?,
            _ => check_ca(certificate)?,
        }
    }
    if policy.pedantic {
        profile::check(certificate, PathPosition::Anchor, anchor.is_self_signed())?;
    }
    let wanted = policy.purpose.key_purpose();
    check_purpose(certificate, wanted)?;
    if let (Some(wanted), Some(purposes)) = (wanted, &constraints.purposes)
        && !purposes.iter().any(|purpose| purpose.as_oid() == wanted)
    {
        return Err(Reason::ExtendedKeyUsage { wanted: wanted.into() });
    }
    Ok(outside)
}

/// The initial state of 6.1.2, with the inputs that RFC 5937 section 4 takes from the anchor.
///
/// RFC 5280 6.1.1 (e), RFC 5280 6.1.1 (f), RFC 5280 6.1.1 (g), RFC 5280 6.1.2 (d), RFC 5280 6.1.2 (e),
/// RFC 5280 6.1.2 (f), RFC 5280 6.1.2 (k), RFC 5937 3.2, RFC 5937 4.
#[doc(alias(
    "RFC 5280 section 6.1.1(e)",
    "RFC 5280 section 6.1.1(f)",
    "RFC 5280 section 6.1.1(g)",
    "RFC 5280 section 6.1.2(d)",
    "RFC 5280 section 6.1.2(e)",
    "RFC 5280 section 6.1.2(f)",
    "RFC 5280 section 6.1.2(k)",
    "RFC 5937 section 3.2",
    "RFC 5937 section 4"
))]
fn initial_state<'a>(
    policy: &'a Policy,
    n: usize,
    anchor: &'a RingCertificate,
    certificate: &Certificate<'a>,
    above: &mut Vec<NameConstraints<'a>>,
) -> Result<State, Reason> {
    let unlimited = u32::try_from(n + 1).unwrap_or(u32::MAX);
    let unless = |inhibited: bool| if inhibited { 0 } else { unlimited };
    let constraints = anchor.constraints();
    let mut state = State {
        // (d), (e), (f)
        explicit_policy: unless(policy.require_explicit_policy || constraints.require_explicit_policy),
        inhibit_any_policy: unless(policy.inhibit_any_policy),
        policy_mapping: unless(policy.inhibit_policy_mapping),
        // (k)
        max_path_length: u32::try_from(n).unwrap_or(u32::MAX).min(constraints.path_len.unwrap_or(u32::MAX)),
    };
    if let Some(path_len) = certificate.basic_constraints().and_then(|constraints| constraints.path_len) {
        state.max_path_length = state.max_path_length.min(path_len);
    }
    lower_counters(&mut state, certificate)?;
    // (b), (c): the constraints with which the names below are compared.
    push_initial(policy, anchor, certificate, above)?;
    Ok(state)
}

/// Lowers the counters by policyConstraints and inhibitAnyPolicy.
///
/// RFC 5280 4.2.1.14, RFC 5280 6.1.4 (i), RFC 5280 6.1.4 (j).
#[doc(alias("RFC 5280 section 4.2.1.14", "RFC 5280 section 6.1.4(i)", "RFC 5280 section 6.1.4(j)"))]
fn lower_counters(state: &mut State, certificate: &Certificate<'_>) -> Result<(), Reason> {
    if let Some(constraints) = certificate.policy_constraints()? {
        if let Some(skip) = constraints.require_explicit_policy {
            state.explicit_policy = state.explicit_policy.min(skip);
        }
        if let Some(skip) = constraints.inhibit_policy_mapping {
            state.policy_mapping = state.policy_mapping.min(skip);
        }
    }
    if let Some(skip) = certificate.inhibit_any_policy()? {
        state.inhibit_any_policy = state.inhibit_any_policy.min(skip);
    }
    Ok(())
}

/// Processes the names and policies of one certificate of the path: (b) to (f).
///
/// RFC 5280 6.1.3 (b), RFC 5280 6.1.3 (f).
#[doc(alias("RFC 5280 section 6.1.3(b)", "RFC 5280 section 6.1.3(f)"))]
fn process<'a>(
    context: &mut Context<'a>,
    link: &Link<'a>,
    position: PathPosition,
    above: &[NameConstraints<'a>],
    graph: &mut PolicyGraph<'a>,
    state: &mut State,
) -> Result<(), Reason> {
    // (b), (c): not for self-issued certificates inside the path.
    let is_final = position == PathPosition::Target;
    if is_final || !link.is_self_issued {
        let common_name =
            if is_final { CommonName::of(&context.policy.purpose) } else { CommonName::NamesNoHost };
        name_constraints::check(&link.certificate, common_name, above, &mut context.budget)?;
    }
    // (d), (e)
    let any_policy = if state.inhibit_any_policy > 0 || (!is_final && link.is_self_issued) {
        AnyPolicy::Counts
    } else {
        AnyPolicy::Inhibited
    };
    graph.add_certificate(link.certificate.policies()?, any_policy, &mut context.budget)?;
    // (f)
    if state.explicit_policy == 0 && graph.is_null() { Err(Reason::Policy) } else { Ok(()) }
}

/// Prepares for the next certificate (6.1.4).
///
/// RFC 5280 6.1.4 (g), RFC 5280 6.1.4 (h), RFC 5280 6.1.4 (l), RFC 5280 6.1.4 (m).
#[doc(alias(
    "RFC 5280 section 6.1.4(g)",
    "RFC 5280 section 6.1.4(h)",
    "RFC 5280 section 6.1.4(l)",
    "RFC 5280 section 6.1.4(m)"
))]
fn prepare_next<'a>(
    context: &mut Context<'a>,
    link: &Link<'a>,
    above: &mut Vec<NameConstraints<'a>>,
    graph: &mut PolicyGraph<'a>,
    state: &mut State,
) -> Result<(), Reason> {
    let certificate = &link.certificate;
    // (a), (b)
    let mapping = if state.policy_mapping > 0 { PolicyMapping::Allowed } else { PolicyMapping::Inhibited };
    graph.prepare_next(certificate, mapping, &mut context.budget)?;
    // (c) to (f): the working name and key are this certificate's. Parameters are never inherited (DSA is not supported).
    // (g)
    above.extend(certificate.name_constraints()?);
    if !link.is_self_issued {
        // (h)
        state.explicit_policy = state.explicit_policy.saturating_sub(1);
        state.policy_mapping = state.policy_mapping.saturating_sub(1);
        state.inhibit_any_policy = state.inhibit_any_policy.saturating_sub(1);
        // (l)
        state.max_path_length = state.max_path_length.checked_sub(1).ok_or(Reason::PathLength)?;
    }
    // (i), (j)
    lower_counters(state, certificate)?;
    // (k), (n) and (o) do not depend on the path: see `inspect`.
    // (m)
    if let Some(path_len) = certificate.basic_constraints().and_then(|constraints| constraints.path_len) {
        state.max_path_length = state.max_path_length.min(path_len);
    }
    Ok(())
}

/// The wrap-up procedure (6.1.5). (c) to (e) yield the target's own key. `inspect` checks (f).
///
/// RFC 5280 6.1.5 (a), RFC 5280 6.1.5 (b), RFC 5280 6.1.5 (g).
#[doc(alias("RFC 5280 section 6.1.5(a)", "RFC 5280 section 6.1.5(b)", "RFC 5280 section 6.1.5(g)"))]
fn wrap_up<'a>(
    policy: &'a Policy,
    target: &Certificate<'a>,
    anchor: &'a RingCertificate,
    graph: PolicyGraph<'a>,
    mut state: State,
) -> Result<Vec<Oid<'a>>, Reason> {
    // (a), also for self-issued targets. RFC 3280 made an exception for them, RFC 5280 does not.
    state.explicit_policy = state.explicit_policy.saturating_sub(1);
    // (b)
    let constraints = target.policy_constraints()?;
    if constraints.and_then(|constraints| constraints.require_explicit_policy) == Some(0) {
        state.explicit_policy = 0;
    }
    // (g)
    let mut set = graph.authority_constrained_set();
    for allowed in anchor_policies(anchor, &anchor.certificate())? {
        set = user_constrained_set(&set, &allowed);
    }
    let wanted: Vec<Oid<'a>> = policy.initial_policies.iter().map(|policy| policy.as_oid()).collect();
    let set = user_constrained_set(&set, &wanted);
    if state.explicit_policy == 0 && set.is_empty() { Err(Reason::Policy) } else { Ok(set) }
}

/// The policies for which an anchor is trusted (RFC 5937 section 4): from its settings, and from its certificate unless
/// that has no policies or any-policy.
///
/// RFC 5937 3.2, RFC 5937 4.
#[doc(alias("RFC 5937 section 3.2", "RFC 5937 section 4"))]
fn anchor_policies<'a>(
    anchor: &'a RingCertificate,
    certificate: &Certificate<'a>,
) -> Result<Vec<Vec<Oid<'a>>>, Reason> {
    let mut sets = Vec::new();
    if let Some(policies) = &anchor.constraints().policies {
        sets.push(policies.iter().map(|policy| policy.as_oid()).collect());
    }
    if let Some(policies) = certificate.policies()? {
        let asserted: Result<Vec<_>, _> =
            policies.map(|information| information.map(|information| information.policy)).collect();
        let asserted = asserted?;
        if !asserted.contains(&oid::ANY_POLICY) {
            sets.push(asserted);
        }
    }
    Ok(sets)
}

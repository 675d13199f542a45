//! Certificate policies (RFC 5280 6.1 as updated by RFC 9618): a graph, so that nothing is exponential.
//!
//! A level has the policies that are valid for one certificate. A node names its parents by policy, and is not repeated
//! under each. So there are at most as many nodes as certificates times policies, and as many edges as mappings in the
//! certificates. Both count against the budget.

use crate::budget::Budget;
use crate::der::{Rule, ViewFault};
use crate::oid::{self, Oid};
use crate::reason::Reason;
use crate::x509::{Certificate, Policies};

/// Whether anyPolicy in a certificate counts (RFC 5280 6.1.3 (d)(2)).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AnyPolicy {
    /// Yes: inhibit_anyPolicy is above 0, or the certificate is self-issued and not the last.
    Counts,
    Inhibited,
}

/// Whether policies may be mapped (RFC 5280 6.1.4 (b)).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PolicyMapping {
    /// Yes: policy_mapping is above 0.
    Allowed,
    Inhibited,
}

/// One valid policy of one certificate.
#[derive(Clone, Debug)]
struct Node<'a> {
    /// The valid_policy, in the domain of this certificate's issuer.
    policy: Oid<'a>,
    /// The nodes of the level above whose expected_policy_set has this policy. Empty if the parent is any-policy.
    parents: Vec<Oid<'a>>,
    /// The expected_policy_set, if mapping changed it. Empty means the policy itself.
    expected: Vec<Oid<'a>>,
}

/// The nodes of one depth, sorted by policy, and whether there is one for any-policy.
#[derive(Clone, Debug, Default)]
struct Level<'a> {
    nodes: Vec<Node<'a>>,
    any: bool,
}

impl<'a> Level<'a> {
    fn is_empty(&self) -> bool {
        self.nodes.is_empty() && !self.any
    }

    fn position(&self, policy: Oid<'_>) -> Result<usize, usize> {
        self.nodes.binary_search_by(|node| node.policy.cmp(&policy))
    }
}

/// A graph in which no certificate has a policy other than any-policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeptGraph {
    /// Whether the last level has any-policy, if there is a level.
    last: Option<bool>,
    any_expected: bool,
}

impl KeptGraph {
    pub(crate) fn view<'a>(self) -> PolicyGraph<'a> {
        // With room for the level of the target.
        let mut levels = Vec::with_capacity(2);
        levels.extend(self.last.map(|any| Level { nodes: Vec::new(), any }));
        PolicyGraph { levels, expected: Vec::new(), any_expected: self.any_expected }
    }
}

/// The valid_policy_graph. Depth 0 is the any-policy of the anchor, which is not stored.
#[derive(Clone, Debug)]
pub(crate) struct PolicyGraph<'a> {
    levels: Vec<Level<'a>>,
    /// What the next level may have: pairs of a policy and its parent, sorted by policy, and any-policy.
    expected: Vec<(Oid<'a>, Oid<'a>)>,
    any_expected: bool,
}

impl<'a> PolicyGraph<'a> {
    /// The graph of 6.1.2 (a): one node, any-policy.
    ///
    /// RFC 5280 6.1.2 (a).
    #[doc(alias = "RFC 5280 section 6.1.2(a)")]
    pub(crate) const fn new() -> Self {
        Self { levels: Vec::new(), expected: Vec::new(), any_expected: true }
    }

    /// The graph without its policies. `None` if it has any.
    pub(crate) fn keep(&self) -> Option<KeptGraph> {
        let is_blank = self.expected.is_empty() && self.levels.iter().all(|level| level.nodes.is_empty());
        let last = self.levels.last().map(|level| level.any);
        is_blank.then_some(KeptGraph { last, any_expected: self.any_expected })
    }

    /// Whether valid_policy_graph is NULL.
    ///
    /// RFC 5280 6.1.3 (e).
    #[doc(alias = "RFC 5280 section 6.1.3(e)")]
    pub(crate) fn is_null(&self) -> bool {
        self.levels.last().is_some_and(Level::is_empty)
    }

    /// Processes the policies of a certificate: 6.1.3 (d) and (e).
    ///
    /// RFC 5280 6.1.3 (d)(1), RFC 5280 6.1.3 (d)(2), RFC 5280 6.1.3 (e), RFC 9618 5.
    #[doc(alias(
        "RFC 5280 section 6.1.3(d)(1)",
        "RFC 5280 section 6.1.3(d)(2)",
        "RFC 5280 section 6.1.3(e)",
        "RFC 9618 section 5"
    ))]
    pub(crate) fn add_certificate(
        &mut self,
        policies: Option<Policies<'a>>,
        any_policy: AnyPolicy,
        budget: &mut Budget<'_>,
    ) -> Result<(), Reason> {
        let mut level = Level::default();
        // (e) Without the extension the graph is NULL. Once NULL, it remains NULL.
        if let Some(policies) = policies.filter(|_| !self.is_null()) {
            let mut asserted = Vec::new();
            let mut asserts_any = false;
            for information in policies {
                let policy = information?.policy;
                if policy == oid::ANY_POLICY { asserts_any = true } else { asserted.push(policy) }
            }
            asserts_any &= any_policy == AnyPolicy::Counts;
            budget.policy_nodes(asserted.len())?;
            asserted.sort_unstable();
            // (d)(1)(i) Policies that a node above expects.
            let expected = core::mem::take(&mut self.expected);
            for edges in expected.chunk_by(|a, b| a.0 == b.0) {
                let Some((policy, _)) = edges.first().copied() else { continue };
                // (d)(2) any-policy stands for every expected policy that is not listed.
                if asserts_any || asserted.binary_search(&policy).is_ok() {
                    let parents = edges.iter().map(|(_, parent)| *parent).collect();
                    level.nodes.push(Node { policy, parents, expected: Vec::new() });
                }
            }
            // (d)(1)(ii) Policies that no node expects, below a parent of any-policy.
            if self.any_expected {
                let fresh: Vec<_> =
                    asserted.into_iter().filter(|policy| level.position(*policy).is_err()).collect();
                level.nodes.extend(fresh.into_iter().map(|policy| Node {
                    policy,
                    parents: Vec::new(),
                    expected: Vec::new(),
                }));
                level.nodes.sort_unstable_by(|a, b| a.policy.cmp(&b.policy));
                level.any = asserts_any;
            }
        }
        budget.policy_nodes(level.nodes.len())?;
        // (d)(3) Nodes without a child are pruned when the sets are computed, from the last level up.
        self.levels.push(level);
        self.expected.clear();
        Ok(())
    }

    /// Applies the mappings of 6.1.4 (a) and (b), and prepares the expected_policy_sets for the next certificate.
    ///
    /// RFC 5280 4.2.1.5, RFC 5280 6.1.4 (a), RFC 5280 6.1.4 (b), RFC 9618 5.
    #[doc(alias(
        "RFC 5280 section 4.2.1.5",
        "RFC 5280 section 6.1.4(a)",
        "RFC 5280 section 6.1.4(b)",
        "RFC 9618 section 5"
    ))]
    pub(crate) fn prepare_next(
        &mut self,
        certificate: &Certificate<'a>,
        mapping: PolicyMapping,
        budget: &mut Budget<'_>,
    ) -> Result<(), Reason> {
        let mut mappings = Vec::new();
        if let Some(pairs) = certificate.policy_mappings()? {
            for pair in pairs {
                let (issuer_domain, subject_domain) = pair?;
                // (a) any-policy must not be mapped, nor be mapped to.
                if issuer_domain == oid::ANY_POLICY || subject_domain == oid::ANY_POLICY {
                    let fault = ViewFault { offset: 0, field: "policyMappings", rule: Rule::AnyPolicyMapped };
                    return Err(fault.into());
                }
                budget.policy_nodes(1)?;
                mappings.push((issuer_domain, subject_domain));
            }
            mappings.sort_unstable();
            mappings.dedup();
        }
        let Some(level) = self.levels.last_mut() else { return Ok(()) };
        if mapping == PolicyMapping::Allowed {
            let mut fresh = Vec::new();
            for pairs in mappings.chunk_by(|a, b| a.0 == b.0) {
                let Some((policy, _)) = pairs.first().copied() else { continue };
                let expected = pairs.iter().map(|(_, subject_domain)| *subject_domain).collect();
                match level.position(policy) {
                    // (b)(1) The node expects the policies that it is mapped to,
                    Ok(at) => {
                        if let Some(node) = level.nodes.get_mut(at) {
                            node.expected = expected;
                        }
                    }
                    // or any-policy gets a node for it.
                    Err(_) if level.any => fresh.push(Node { policy, parents: Vec::new(), expected }),
                    Err(_) => {}
                }
            }
            level.nodes.append(&mut fresh);
            level.nodes.sort_unstable_by(|a, b| a.policy.cmp(&b.policy));
        } else {
            // (b)(2) Mapping is inhibited: the node is removed.
            level.nodes.retain(|node| mappings.binary_search_by(|pair| pair.0.cmp(&node.policy)).is_err());
        }
        self.any_expected = level.any;
        self.expected.clear();
        for node in &level.nodes {
            if node.expected.is_empty() {
                self.expected.push((node.policy, node.policy));
            }
            self.expected.extend(node.expected.iter().map(|policy| (*policy, node.policy)));
        }
        self.expected.sort_unstable();
        Ok(())
    }

    /// The authority-constrained-policy-set of 6.1.5 (g) and 6.1.6: the policies in the anchor's domain that are valid
    /// for the whole path. any-policy is returned as itself.
    ///
    /// RFC 5280 6.1.3 (d)(3), RFC 5280 6.1.6, RFC 9618 5.3, RFC 9618 5.6.
    #[doc(alias(
        "RFC 5280 section 6.1.3(d)(3)",
        "RFC 5280 section 6.1.6",
        "RFC 9618 section 5.3",
        "RFC 9618 section 5.6"
    ))]
    pub(crate) fn authority_constrained_set(&self) -> Vec<Oid<'a>> {
        let Some(last) = self.levels.last() else { return Vec::new() };
        let mut set = Vec::new();
        if last.any {
            set.push(oid::ANY_POLICY);
        }
        let mut reached: Vec<Oid<'a>> = last.nodes.iter().map(|node| node.policy).collect();
        for level in self.levels.iter().rev() {
            let mut above = Vec::new();
            for policy in &reached {
                let Some(node) = level.position(*policy).ok().and_then(|at| level.nodes.get(at)) else {
                    continue;
                };
                // The anchor's domain begins at a child of any-policy.
                if node.parents.is_empty() {
                    set.push(node.policy)
                } else {
                    above.extend_from_slice(&node.parents)
                }
            }
            above.sort_unstable();
            above.dedup();
            reached = above;
        }
        set.sort_unstable();
        set.dedup();
        set
    }
}

/// The user-constrained-policy-set of 6.1.5 (g)(iii): the part of the authority's set that is in `wanted`. An empty
/// `wanted` means all.
///
/// RFC 5280 6.1.1 (c), RFC 5280 6.1.5 (g).
#[doc(alias("RFC 5280 section 6.1.1(c)", "RFC 5280 section 6.1.5(g)"))]
pub(crate) fn user_constrained_set<'a>(authority: &[Oid<'a>], wanted: &[Oid<'a>]) -> Vec<Oid<'a>> {
    if wanted.is_empty() || wanted.contains(&oid::ANY_POLICY) {
        return authority.to_vec();
    }
    let any = authority.contains(&oid::ANY_POLICY);
    let mut set: Vec<_> = wanted.iter().copied().filter(|policy| any || authority.contains(policy)).collect();
    set.sort_unstable();
    set.dedup();
    set
}

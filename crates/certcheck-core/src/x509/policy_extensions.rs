//! Bodies of the extensions about certificate policies (RFC 5280 4.2.1.4, 4.2.1.5, 4.2.1.11).

use super::extensions::{Body, read_each};
use crate::der::{Reader, Rule, ViewFault, tag, unsigned};
use crate::oid::{self, Oid};

/// The most policies of a certificate, more than any real one asserts. Bounds the search for duplicates.
const MAX_POLICIES: usize = 512;

/// The certificatePolicies extension: `certificatePolicies ::= SEQUENCE SIZE (1..MAX) OF PolicyInformation`. An
/// iterator over them.
#[derive(Clone, Copy, Debug)]
pub struct Policies<'a>(Reader<'a>);

/// One policy of a certificate (RFC 5280 4.2.1.4).
///
/// ```asn1
/// PolicyInformation ::= SEQUENCE {
///      policyIdentifier CertPolicyId, policyQualifiers SEQUENCE SIZE (1..MAX) OF PolicyQualifierInfo OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PolicyInformation<'a> {
    /// The policy.
    pub policy: Oid<'a>,
    /// The qualifiers, not parsed.
    pub qualifiers: Option<&'a [u8]>,
}

impl<'a> Policies<'a> {
    pub(crate) fn parse(body: Body<'a>) -> Result<Self, ViewFault> {
        body.list().map(Self)
    }

    /// Parses all policies once.
    ///
    /// RFC 5280 4.2.1.4.
    #[doc(alias = "RFC 5280 section 4.2.1.4")]
    pub(super) fn check(self) -> Result<(), ViewFault> {
        let mut rest = self;
        for at in 0.. {
            let here = rest.0;
            let Some(information) = rest.next().transpose()? else { break };
            if at >= MAX_POLICIES {
                return Err(here.fault("certificatePolicies", Rule::TooMany));
            }
            // 4.2.1.4: a policy must not appear more than once.
            for earlier in self.take(at) {
                if earlier?.policy == information.policy {
                    return Err(here.fault("certificatePolicies", Rule::DuplicatePolicy));
                }
            }
        }
        Ok(())
    }

    /// Parses the next policy.
    ///
    /// RFC 5280 4.2.1.4.
    #[doc(alias = "RFC 5280 section 4.2.1.4")]
    fn read(&mut self) -> Result<PolicyInformation<'a>, ViewFault> {
        const FIELD: &str = "certificatePolicies";
        let mut fields = self.0.sequence(FIELD)?;
        let policy = Oid::parse(fields.any(FIELD)?, FIELD)?;
        let qualifiers = fields.optional(tag::SEQUENCE, FIELD)?;
        fields.finish(FIELD)?;
        // Deviation: an empty list, which exists in practice, is accepted as no qualifiers.
        let qualifiers = qualifiers.filter(|list| !list.value.is_empty());
        if let Some(list) = qualifiers {
            let mut rest = list.reader();
            while !rest.is_empty() {
                let mut qualifier = rest.sequence(FIELD)?;
                let kind = Oid::parse(qualifier.any(FIELD)?, FIELD)?;
                qualifier.any(FIELD)?;
                qualifier.finish(FIELD)?;
                if policy == oid::ANY_POLICY && kind != oid::QT_CPS && kind != oid::QT_USER_NOTICE {
                    return Err(list.fault(FIELD, Rule::BadPolicyQualifier));
                }
            }
        }
        Ok(PolicyInformation { policy, qualifiers: qualifiers.map(|list| list.value) })
    }
}

read_each!(Policies, PolicyInformation<'a>);

/// The policyMappings extension (RFC 5280 4.2.1.5). An iterator over the pairs.
///
/// ```asn1
/// PolicyMappings ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE {
///      issuerDomainPolicy CertPolicyId, subjectDomainPolicy CertPolicyId }
/// ```
///
/// Path validation checks that no pair has anyPolicy (RFC 5280 6.1.4 (a)).
#[derive(Clone, Copy, Debug)]
pub struct PolicyMappings<'a>(Reader<'a>);

impl<'a> PolicyMappings<'a> {
    pub(crate) fn parse(body: Body<'a>) -> Result<Self, ViewFault> {
        body.list().map(Self)
    }

    pub(super) fn check(mut self) -> Result<(), ViewFault> {
        self.try_for_each(|pair| pair.map(drop))
    }

    /// Parses the next pair.
    ///
    /// RFC 5280 4.2.1.5.
    #[doc(alias = "RFC 5280 section 4.2.1.5")]
    fn read(&mut self) -> Result<(Oid<'a>, Oid<'a>), ViewFault> {
        const FIELD: &str = "policyMappings";
        let mut fields = self.0.sequence(FIELD)?;
        let issuer_domain = Oid::parse(fields.any(FIELD)?, FIELD)?;
        let subject_domain = Oid::parse(fields.any(FIELD)?, FIELD)?;
        fields.finish(FIELD)?;
        Ok((issuer_domain, subject_domain))
    }
}

read_each!(PolicyMappings, (Oid<'a>, Oid<'a>));

/// The policyConstraints extension (RFC 5280 4.2.1.11).
///
/// ```asn1
/// PolicyConstraints ::= SEQUENCE {
///      requireExplicitPolicy [0] SkipCerts OPTIONAL, inhibitPolicyMapping [1] SkipCerts OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PolicyConstraints {
    /// The number of certificates after which a policy must be asserted.
    pub require_explicit_policy: Option<u32>,
    /// The number of certificates after which mapping is not allowed.
    pub inhibit_policy_mapping: Option<u32>,
}

impl PolicyConstraints {
    /// Parses the body.
    ///
    /// RFC 5280 4.2.1.11.
    #[doc(alias = "RFC 5280 section 4.2.1.11")]
    pub(crate) fn parse(body: Body<'_>) -> Result<Self, ViewFault> {
        let mut fields = body.list()?;
        let mut skip_certs = |n| {
            fields.optional(tag::context(n), body.field)?.map(|tlv| unsigned(tlv, body.field)).transpose()
        };
        let constraints =
            Self { require_explicit_policy: skip_certs(0)?, inhibit_policy_mapping: skip_certs(1)? };
        fields.finish(body.field)?;
        Ok(constraints)
    }
}

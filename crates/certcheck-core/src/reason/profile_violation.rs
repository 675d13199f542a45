//! Rules of the profile for issuers that RFC 5280 section 6 does not check.

/// A violated rule of the profile (RFC 5280 4) that section 6 does not check. Only a pedantic policy does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ProfileViolation {
    /// The serial number is zero, negative or longer than 20 bytes.
    SerialNumber,
    /// The subject is empty and subjectAltName is not critical.
    EmptySubject,
    /// The authorityKeyIdentifier is missing.
    NoAuthorityKeyIdentifier,
    /// A CA certificate has no subjectKeyIdentifier.
    NoSubjectKeyIdentifier,
    /// The keyUsage has keyCertSign, but basicConstraints do not set cA.
    KeyCertSignWithoutCa,
    /// A dNSName is not in the preferred name syntax.
    DnsNameSyntax,
    /// A CA certificate has no basicConstraints.
    NoBasicConstraints,
    /// basicConstraints of a CA certificate is not critical.
    BasicConstraintsNotCritical,
    /// The basicConstraints have a pathLenConstraint, but do not set cA.
    PathLenWithoutCa,
    /// nameConstraints is not critical.
    NameConstraintsNotCritical,
    /// A certificate that is not for a CA has nameConstraints.
    NameConstraintsOutsideCa,
    /// A dNSName constraint is not in the preferred name syntax.
    DnsConstraintSyntax,
    /// policyConstraints is not critical.
    PolicyConstraintsNotCritical,
    /// inhibitAnyPolicy is not critical.
    InhibitAnyPolicyNotCritical,
}

impl ProfileViolation {
    /// The violation, in a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::SerialNumber => "the serial number is not positive, or longer than 20 bytes",
            Self::EmptySubject => "the subject is empty and subjectAltName is not critical",
            Self::NoAuthorityKeyIdentifier => "authorityKeyIdentifier is missing",
            Self::NoSubjectKeyIdentifier => "a CA certificate has no subjectKeyIdentifier",
            Self::KeyCertSignWithoutCa => "keyUsage has keyCertSign, but basicConstraints do not set cA",
            Self::DnsNameSyntax => "a dNSName is not in the preferred name syntax",
            Self::NoBasicConstraints => "a CA certificate has no basicConstraints",
            Self::BasicConstraintsNotCritical => "basicConstraints of a CA certificate is not critical",
            Self::PathLenWithoutCa => "basicConstraints have a pathLenConstraint, but do not set cA",
            Self::NameConstraintsNotCritical => "nameConstraints is not critical",
            Self::NameConstraintsOutsideCa => "a certificate that is not for a CA has nameConstraints",
            Self::DnsConstraintSyntax => "a dNSName constraint is not in the preferred name syntax",
            Self::PolicyConstraintsNotCritical => "policyConstraints is not critical",
            Self::InhibitAnyPolicyNotCritical => "inhibitAnyPolicy is not critical",
        }
    }

    /// The clause that has the rule.
    #[must_use]
    pub const fn rfc(self) -> &'static str {
        match self {
            Self::SerialNumber => "RFC 5280 4.1.2.2",
            Self::EmptySubject => "RFC 5280 4.1.2.6",
            Self::NoAuthorityKeyIdentifier => "RFC 5280 4.2.1.1",
            Self::NoSubjectKeyIdentifier => "RFC 5280 4.2.1.2",
            Self::KeyCertSignWithoutCa => "RFC 5280 4.2.1.3",
            Self::DnsNameSyntax => "RFC 5280 4.2.1.6",
            Self::NoBasicConstraints | Self::BasicConstraintsNotCritical | Self::PathLenWithoutCa => {
                "RFC 5280 4.2.1.9"
            }
            Self::NameConstraintsNotCritical | Self::NameConstraintsOutsideCa | Self::DnsConstraintSyntax => {
                "RFC 5280 4.2.1.10"
            }
            Self::PolicyConstraintsNotCritical => "RFC 5280 4.2.1.11",
            Self::InhibitAnyPolicyNotCritical => "RFC 5280 4.2.1.14",
        }
    }
}

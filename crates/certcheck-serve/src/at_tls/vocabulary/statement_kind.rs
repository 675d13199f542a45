//! The kinds of statements.

/// A kind of statement.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum StatementKind {
    /// Which connections a policy is for.
    Rule,
    /// Whether TLS is on.
    GroupAction,
    /// The role, the key ring, and defaults for connections.
    EnvironmentAction,
    /// What is different for the connections of a rule.
    ConnectionAction,
    /// More of a group action.
    GroupAdvancedParms,
    /// More of an environment action.
    EnvironmentAdvancedParms,
    /// More of a connection action.
    ConnectionAdvancedParms,
    /// The key ring.
    KeyringParms,
    /// The cipher suites.
    CipherParms,
    /// The signature algorithms.
    SignatureParms,
    /// Sessions, and how revocation is checked.
    GskAdvancedParms,
    /// CRLs by LDAP.
    GskLdapParms,
    /// OCSP.
    GskOcspParms,
    /// CRLs by HTTP.
    GskHttpCdpParms,
    /// An address.
    IpAddr,
    /// A prefix or a range of addresses.
    IpAddrSet,
    /// Several addresses.
    IpAddrGroup,
    /// Ports.
    PortRange,
    /// Several ranges of ports.
    PortGroup,
    /// When a rule holds.
    IpTimeCondition,
}

impl StatementKind {
    /// All kinds.
    pub const ALL: [Self; 20] = [
        Self::Rule,
        Self::GroupAction,
        Self::EnvironmentAction,
        Self::ConnectionAction,
        Self::GroupAdvancedParms,
        Self::EnvironmentAdvancedParms,
        Self::ConnectionAdvancedParms,
        Self::KeyringParms,
        Self::CipherParms,
        Self::SignatureParms,
        Self::GskAdvancedParms,
        Self::GskLdapParms,
        Self::GskOcspParms,
        Self::GskHttpCdpParms,
        Self::IpAddr,
        Self::IpAddrSet,
        Self::IpAddrGroup,
        Self::PortRange,
        Self::PortGroup,
        Self::IpTimeCondition,
    ];

    /// The word, as IBM writes it.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Rule => "TTLSRule",
            Self::GroupAction => "TTLSGroupAction",
            Self::EnvironmentAction => "TTLSEnvironmentAction",
            Self::ConnectionAction => "TTLSConnectionAction",
            Self::GroupAdvancedParms => "TTLSGroupAdvancedParms",
            Self::EnvironmentAdvancedParms => "TTLSEnvironmentAdvancedParms",
            Self::ConnectionAdvancedParms => "TTLSConnectionAdvancedParms",
            Self::KeyringParms => "TTLSKeyringParms",
            Self::CipherParms => "TTLSCipherParms",
            Self::SignatureParms => "TTLSSignatureParms",
            Self::GskAdvancedParms => "TTLSGskAdvancedParms",
            Self::GskLdapParms => "TTLSGskLdapParms",
            Self::GskOcspParms => "TTLSGskOcspParms",
            Self::GskHttpCdpParms => "TTLSGskHttpCdpParms",
            Self::IpAddr => "IpAddr",
            Self::IpAddrSet => "IpAddrSet",
            Self::IpAddrGroup => "IpAddrGroup",
            Self::PortRange => "PortRange",
            Self::PortGroup => "PortGroup",
            Self::IpTimeCondition => "IpTimeCondition",
        }
    }

    /// The kind of this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.keyword().eq_ignore_ascii_case(word))
    }

    /// The statements that may contain it.
    #[must_use]
    pub const fn parents(self) -> &'static [Self] {
        match self {
            Self::Rule | Self::GroupAction | Self::EnvironmentAction | Self::ConnectionAction => &[],
            Self::GroupAdvancedParms => &[Self::GroupAction],
            Self::EnvironmentAdvancedParms | Self::KeyringParms | Self::GskAdvancedParms => {
                &[Self::EnvironmentAction]
            }
            Self::ConnectionAdvancedParms => &[Self::ConnectionAction],
            Self::CipherParms | Self::SignatureParms => &[Self::EnvironmentAction, Self::ConnectionAction],
            Self::GskLdapParms | Self::GskOcspParms | Self::GskHttpCdpParms => &[Self::GskAdvancedParms],
            Self::IpAddr | Self::IpAddrSet => &[Self::IpAddrGroup],
            Self::IpAddrGroup | Self::PortGroup => &[],
            Self::PortRange => &[Self::PortGroup],
            Self::IpTimeCondition => &[Self::Rule],
        }
    }

    /// Whether a statement that contains it may have several.
    #[must_use]
    pub const fn repeats(self) -> bool {
        matches!(self, Self::IpAddr | Self::IpAddrSet | Self::PortRange)
    }

    /// What it is for, as a sentence without its end.
    #[must_use]
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Rule => "Which connections the policy is for, and the actions for them",
            Self::GroupAction => "Whether TLS is on",
            Self::EnvironmentAction => "Role, key ring, and the settings of all connections",
            Self::ConnectionAction => "What is different for the connections of one rule",
            Self::GroupAdvancedParms => "More of a group action",
            Self::EnvironmentAdvancedParms => "Client authentication, versions, limits",
            Self::ConnectionAdvancedParms => "Versions and limits that are different for a connection",
            Self::KeyringParms => "The key ring",
            Self::CipherParms => "Cipher suites",
            Self::SignatureParms => "Signature algorithms and curves",
            Self::GskAdvancedParms => "Sessions, and how revocation is checked",
            Self::GskLdapParms => "CRLs by LDAP",
            Self::GskOcspParms => "OCSP",
            Self::GskHttpCdpParms => "CRLs by HTTP",
            Self::IpAddr => "An address with a name",
            Self::IpAddrSet => "A prefix or a range of addresses with a name",
            Self::IpAddrGroup => "Several addresses with a name",
            Self::PortRange => "Ports with a name",
            Self::PortGroup => "Several ranges of ports with a name",
            Self::IpTimeCondition => "When a rule holds",
        }
    }
}

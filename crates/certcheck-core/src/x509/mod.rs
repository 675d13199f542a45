//! Borrowed views of the original DER. Their content is parsed, but not verified.
//!
//! A view allocates nothing. The signed bytes are the bytes that a view returns. [`Certificate`] is the entry point.

mod algorithm;
mod certificate;
mod display;
mod extension_table;
mod extensions;
mod general_name;
mod name;
mod name_match;
mod name_text;
mod policy_extensions;
mod source_extensions;

pub use algorithm::{AlgorithmIdentifier, SubjectPublicKeyInfo};
pub(crate) use certificate::Positions;
pub use certificate::{Certificate, OwnedCertificate, Serial, Version};
pub use extension_table::{Extension, KnownExtension};
pub use extensions::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, NameConstraints, Subtrees,
};
pub use general_name::{GeneralName, GeneralNames};
pub use name::{Attribute, Name, Rdn};
pub use name_match::PREPARED;
pub(crate) use name_match::PreparedName;
pub use name_text::NameBuf;
pub use policy_extensions::{Policies, PolicyConstraints, PolicyInformation, PolicyMappings};
pub use source_extensions::{
    AccessDescriptions, DistributionPoint, DistributionPointName, DistributionPoints,
};

//! Revocation (RFC 5280 6.3, RFC 6960): evidence in, one status for each certificate of a validated path out.
//!
//! No evidence is used before its signature is verified for the certificate, once for each piece of evidence and key.
//! All available evidence is evaluated: revoked by any is revoked, and unknown is never good.

mod answers;
mod assessor;
mod checked_certificate;
mod concern;
mod considered;
mod crl;
mod crl_signer;
mod delta;
mod dismissal;
mod evidence;
mod freshness;
mod merge;
mod ocsp;
mod ocsp_responder;
pub(crate) mod plan;
mod record;
mod request;
mod scope;
mod usable;

pub use considered::Considered;
pub use dismissal::{Dismissal, ScopeGap, SignerFault};
pub use evidence::{Evidence, EvidenceFault, OcspEvidence};
pub use request::{Answer, AnswerPreview, EvidenceKind, EvidenceRequest, Need};

pub use answers::AnswerFn;
pub(crate) use answers::{AnswerSource, Answers, AnswersWith};
pub(crate) use assessor::{AssessContext, Assessor};
pub(crate) use checked_certificate::CheckedCertificate;
pub(crate) use concern::may_concern_others;
pub(crate) use merge::{AskedEvidence, FetchedEvidence};

//! OCSP messages (RFC 6960 4): requests that are encoded, and responses that are parsed over the original bytes, so
//! that the signed bytes are the verified ones.

pub(crate) mod nonce;
mod query;
mod request;
mod view;

pub use query::OcspQuery;
pub(crate) use request::HashedIssuer;
pub use request::{BadNonce, CertIdHash, OcspRequest};
pub(crate) use view::Layout;
pub use view::{
    BasicResponse, CertId, CertStatus, OcspResponse, ResponderId, ResponseStatus, SingleResponse,
};

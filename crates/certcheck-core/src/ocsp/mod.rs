//! OCSP messages (RFC 6960 4): requests that are written, responses that are read over the original bytes, so that
//! what was signed is what is verified.

pub(crate) mod nonce;
mod request;
mod view;

pub(crate) use request::HashedIssuer;
pub use request::{BadNonce, CertIdHash, OcspRequest};
pub(crate) use view::Layout;
pub use view::{
    BasicResponse, CertId, CertStatus, OcspResponse, ResponderId, ResponseStatus, SingleResponse,
};

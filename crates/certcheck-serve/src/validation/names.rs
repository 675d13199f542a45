//! Names of headers of requests and answers.

use hyper::header::HeaderName;

/// The secret of the peer, in a request.
pub(super) const SECRET: HeaderName = HeaderName::from_static("x-certcheck-secret");
/// `accept`, `reject`, `undetermined`, or `none` without a certificate.
pub(super) const VERDICT: HeaderName = HeaderName::from_static("x-certcheck-verdict");
/// The code of the reason.
pub(super) const CODE: HeaderName = HeaderName::from_static("x-certcheck-code");
/// How long the verdict holds with the evidence that it was made by.
pub(super) const VALID_UNTIL: HeaderName = HeaderName::from_static("x-certcheck-valid-until");

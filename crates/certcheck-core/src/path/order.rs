//! The order in which a search tries the certificates of a name (RFC 4158 3).

use super::candidate::{Candidate, CertificateRef};
use super::pool::Pool;
use crate::key_ring::NameId;
use crate::time::Time;

/// The certificates of a name, best first. Nearly always there is one.
pub(super) enum Ordered {
    One(CertificateRef),
    Many(std::vec::IntoIter<CertificateRef>),
    End,
}

impl Iterator for Ordered {
    type Item = CertificateRef;

    fn next(&mut self) -> Option<CertificateRef> {
        match self {
            Self::One(only) => {
                let only = *only;
                *self = Self::End;
                Some(only)
            }
            Self::Many(rest) => rest.next(),
            Self::End => None,
        }
    }
}

/// The certificates that may have issued this one, best first.
///
/// RFC 5280 4.2.1.1, RFC 5280 4.2.1.2.
#[doc(alias("RFC 5280 section 4.2.1.1", "RFC 5280 section 4.2.1.2"))]
pub(super) fn candidates<'a>(now: Time, pool: &Pool<'a>, child: CertificateRef) -> Ordered {
    match pool.candidate(child) {
        Some(Candidate { issuer, .. }) => candidates_of(now, pool, issuer, Some(child)),
        None => Ordered::End,
    }
}

/// The certificates of a name, best first: those named by key identifier, then those that are valid now, then the
/// newest. The order is total.
pub(super) fn candidates_of(
    now: Time,
    pool: &Pool<'_>,
    name: NameId,
    child: Option<CertificateRef>,
) -> Ordered {
    let mut rest = pool.by_subject(name);
    match (rest.next(), rest.next()) {
        (Some(first), Some(second)) => {
            let found = [first, second].into_iter().chain(rest).collect();
            Ordered::Many(sorted(now, pool, child, found).into_iter())
        }
        (Some(only), None) => Ordered::One(only),
        (None, _) => Ordered::End,
    }
}

/// Certificates of one name, best first.
fn sorted(
    now: Time,
    pool: &Pool<'_>,
    child: Option<CertificateRef>,
    mut found: Vec<CertificateRef>,
) -> Vec<CertificateRef> {
    // An identifier that cannot be parsed gives no hint. The certificate would be rejected anyway.
    let child = child.and_then(|child| pool.certificate(child));
    let wanted = child.and_then(|child| child.authority_key_identifier().ok().flatten()?.key_identifier);
    found.sort_by_cached_key(|candidate| {
        let Some(certificate) = pool.certificate(*candidate) else { return (3, true, 0, *candidate) };
        let own = certificate.subject_key_identifier().ok().flatten();
        let key_match = match (wanted, own) {
            (Some(wanted), Some(own)) if wanted == own => 0,
            (Some(_), Some(_)) => 2,
            _ => 1,
        };
        let is_outside = now < certificate.not_before() || now > certificate.not_after();
        (key_match, is_outside, -certificate.not_before().unix(), *candidate)
    });
    found
}

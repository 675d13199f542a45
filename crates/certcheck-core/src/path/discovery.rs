//! Where a search without a path could continue: certificates whose issuers can be fetched from the URLs in them (RFC
//! 5280 4.2.2.1).
//!
//! In a mesh of cross-certified CAs, one CA has several certificates, and each may lead to an anchor. So every
//! certificate that verified signatures reach from the target counts, not only those of the best attempt. A certificate
//! without such signatures does not count: with it, a client could make a server follow any URL.

use super::candidate::{CertificateRef, Link};
use super::context::Context;
use super::inspect::inspect;
use super::order::candidates;
use super::pool::Pool;
use super::profile::PathPosition;
use crate::x509::Certificate;

/// The most certificates that are visited. Each costs at least one signature, and there are fewer of those.
const MOST: usize = 256;

/// The certificates that verified signatures reach from the target, nearest first.
#[derive(Default)]
pub(crate) struct Reached<'a> {
    /// Those whose issuer is missing, or is only available as a root that is not trusted.
    pub(crate) dead_ends: Vec<Certificate<'a>>,
    /// Those whose issuer is available but leads nowhere: it may have other certificates.
    pub(crate) others: Vec<Certificate<'a>>,
}

/// Follows verified signatures from the target upwards.
pub(crate) fn reach<'a>(context: &mut Context<'a>, pool: &Pool<'a>) -> Reached<'a> {
    let mut reached = Reached::default();
    let mut queue: Vec<Link<'a>> = vec![pool.target()];
    let mut seen: Vec<CertificateRef> = vec![CertificateRef::Target];
    let mut at = 0;
    while let Some(child) = queue.get(at).copied() {
        at += 1;
        let mut has_issuer = false;
        for reference in candidates(context.now, pool, child.reference) {
            let Some(issuer) = pool.link(reference) else { continue };
            if context.verify_signature(&child, issuer.certificate.spki()).is_err() {
                continue;
            }
            // A root that is not trusted ends a path.
            has_issuer |= !issuer.is_self_issued;
            let is_new = !seen.contains(&reference) && queue.len() < MOST;
            if is_new && inspect(context, &issuer, PathPosition::Intermediate).is_ok() {
                seen.push(reference);
                queue.push(issuer);
            }
        }
        let list = if has_issuer { &mut reached.others } else { &mut reached.dead_ends };
        list.push(child.certificate);
    }
    reached
}

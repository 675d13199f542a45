//! The issuers that a failed search is missing, by the locations that certificates name (RFC 5280 4.2.2.1).

use crate::oid;
use crate::path::context::Context;
use crate::path::discovery;
use crate::path::pool::Pool;
use crate::revocation::EvidenceRequest;
use crate::x509::Certificate;

/// The most locations that one certificate may have for its issuer's certificate. One is usual, or two with HTTP and
/// LDAP.
const LOCATIONS_OF_ONE: usize = 4;

/// The locations of certificates that a failed search is missing, nearest to the target first.
#[derive(Clone, Debug, Default)]
pub(super) struct WantedIssuers {
    /// Issuers without any certificate.
    pub(super) missing: Vec<EvidenceRequest>,
    /// Issuers that may have other certificates than those that lead nowhere.
    pub(super) others: Vec<EvidenceRequest>,
}

impl WantedIssuers {
    /// The locations in the certificates that a search reaches.
    ///
    /// RFC 5280 4.2.2.1.
    #[doc(alias = "RFC 5280 section 4.2.2.1")]
    pub(super) fn of<'e>(context: &mut Context<'e>, pool: &Pool<'e>) -> Self {
        let reached = discovery::reach(context, pool);
        let missing = locations(&reached.dead_ends, &[]);
        let others = locations(&reached.others, &missing);
        Self { missing, others }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.others.is_empty()
    }
}

/// The caIssuers locations of these certificates, each once, without the known ones.
fn locations(certificates: &[Certificate<'_>], known: &[EvidenceRequest]) -> Vec<EvidenceRequest> {
    let mut found: Vec<EvidenceRequest> = Vec::new();
    for certificate in certificates {
        let access = certificate.authority_info_access().ok().flatten();
        for url in
            access.into_iter().flat_map(|access| access.urls(oid::AD_CA_ISSUERS)).take(LOCATIONS_OF_ONE)
        {
            let ask = EvidenceRequest::Issuers { url: url.into() };
            if !known.contains(&ask) && !found.contains(&ask) {
                found.push(ask);
            }
        }
    }
    found
}

//! What rustls-webpki says.

use std::time::Duration;

use pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{
    CertRevocationList, EndEntityCert, Error, ExpirationPolicy, KeyUsage, OwnedCertRevocationList,
    RevocationCheckDepth, RevocationOptionsBuilder, UnknownStatusPolicy,
};

use crate::case::{Answer, Case, Kind, NOW};

pub(crate) struct WebPki {
    anchor: TrustAnchor<'static>,
}

impl WebPki {
    pub(crate) fn new(root: &[u8]) -> Self {
        let root = CertificateDer::from(root);
        Self { anchor: webpki::anchor_from_trusted_cert(&root).unwrap().to_owned() }
    }

    /// `None` where it has no word for the question.
    pub(crate) fn ask(&self, case: &Case) -> Option<Answer> {
        let said = match case.kind {
            Kind::Certificate => self.verify(case, None),
            Kind::Crl => OwnedCertRevocationList::from_der(&case.evidence)
                .and_then(|crl| self.verify(case, Some(&CertRevocationList::Owned(crl)))),
            Kind::Response => return None,
        };
        Some(match said {
            Ok(()) => Answer::GOOD,
            Err(Error::CertRevoked) => Answer::REVOKED,
            Err(error) => {
                let text = format!("{error:?}");
                Answer::refused(text.split([' ', '{']).next().unwrap_or_default())
            }
        })
    }

    fn verify(&self, case: &Case, crl: Option<&CertRevocationList<'_>>) -> Result<(), Error> {
        let [leaf, ca] = [&case.leaf, &case.ca].map(|der| CertificateDer::from(der.as_slice()));
        let crls: Vec<_> = crl.into_iter().collect();
        let revocation = RevocationOptionsBuilder::new(&crls).ok().map(|builder| {
            builder
                .with_depth(RevocationCheckDepth::EndEntity)
                .with_status_policy(UnknownStatusPolicy::Deny)
                .with_expiration_policy(ExpirationPolicy::Enforce)
                .build()
        });
        let time = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(NOW).unwrap()));
        EndEntityCert::try_from(&leaf)?
            .verify_for_usage(
                webpki::ALL_VERIFICATION_ALGS,
                std::slice::from_ref(&self.anchor),
                &[ca],
                time,
                KeyUsage::client_auth(),
                revocation,
                None,
            )
            .map(drop)
    }
}

//! What the others say: rustls-webpki, and OpenSSL.

use std::ffi::c_int;
use std::time::Duration;

use certcheck_core::Time;
use foreign_types::ForeignType as _;
use openssl::hash::MessageDigest;
use openssl::ocsp::{OcspCertId, OcspCertStatus, OcspFlag, OcspResponse};
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509Crl, X509PurposeId, X509StoreContext};
use openssl_sys::{X509_CRL, X509_STORE};
use pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{
    BorrowedCertRevocationList, CertRevocationList, EndEntityCert, Error, ExpirationPolicy, KeyUsage,
    RevocationCheckDepth, RevocationOptionsBuilder, UnknownStatusPolicy, anchor_from_trusted_cert,
};

use crate::{NOW, Said};

/// Asks rustls-webpki.
pub(crate) struct Webpki {
    anchor: TrustAnchor<'static>,
}

impl Webpki {
    pub(crate) fn new(root: &[u8]) -> Self {
        let root = CertificateDer::from(root);
        Self { anchor: anchor_from_trusted_cert(&root).unwrap().to_owned() }
    }

    pub(crate) fn path(&self, leaf: &[u8], ca: &[u8]) -> Said {
        self.verify(leaf, ca, None)
    }

    pub(crate) fn crl(&self, leaf: &[u8], ca: &[u8], crl: &[u8]) -> Said {
        match BorrowedCertRevocationList::from_der(crl) {
            Ok(crl) => self.verify(leaf, ca, Some(crl.into())),
            Err(error) => Said::Refused(word(&error)),
        }
    }

    fn verify(&self, leaf: &[u8], ca: &[u8], crl: Option<CertRevocationList<'_>>) -> Said {
        let (leaf, ca) = (CertificateDer::from(leaf), [CertificateDer::from(ca)]);
        let end_entity = match EndEntityCert::try_from(&leaf) {
            Ok(end_entity) => end_entity,
            Err(error) => return Said::Refused(word(&error)),
        };
        let crls: Vec<&CertRevocationList<'_>> = crl.iter().collect();
        let revocation = (!crls.is_empty()).then(|| {
            RevocationOptionsBuilder::new(&crls)
                .unwrap()
                .with_depth(RevocationCheckDepth::EndEntity)
                .with_status_policy(UnknownStatusPolicy::Deny)
                .with_expiration_policy(ExpirationPolicy::Enforce)
                .build()
        });
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW.unsigned_abs()));
        let anchors = std::slice::from_ref(&self.anchor);
        let verified = end_entity.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            anchors,
            &ca,
            now,
            KeyUsage::client_auth(),
            revocation,
            None,
        );
        match verified {
            Ok(_) => Said::Good,
            Err(Error::CertRevoked) => Said::Revoked,
            Err(error) => Said::Refused(word(&error)),
        }
    }
}

/// The variant's name.
fn word(error: &Error) -> String {
    let text = format!("{error:?}");
    text.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}

unsafe extern "C" {
    // The crate has no name for it.
    fn X509_STORE_add_crl(store: *mut X509_STORE, crl: *mut X509_CRL) -> c_int;
}

/// Asks OpenSSL.
pub(crate) struct OpenSsl {
    root: X509,
}

impl OpenSsl {
    pub(crate) fn new(root: &[u8]) -> Self {
        Self { root: X509::from_der(root).unwrap() }
    }

    fn store(&self, purpose: X509PurposeId, crl: Option<&X509Crl>) -> X509Store {
        let mut store = X509StoreBuilder::new().unwrap();
        store.add_cert(self.root.clone()).unwrap();
        let mut param = X509VerifyParam::new().unwrap();
        param.set_time(NOW);
        param.set_purpose(purpose).unwrap();
        if let Some(crl) = crl {
            // SAFETY: both live; the store takes a reference of its own.
            assert_eq!(unsafe { X509_STORE_add_crl(store.as_ptr(), crl.as_ptr()) }, 1);
            param.set_flags(X509VerifyFlags::CRL_CHECK | X509VerifyFlags::EXTENDED_CRL_SUPPORT).unwrap();
        }
        store.set_param(&param).unwrap();
        store.build()
    }

    pub(crate) fn path(&self, leaf: &[u8], ca: &[u8]) -> Said {
        self.verify(leaf, ca, None)
    }

    pub(crate) fn crl(&self, leaf: &[u8], ca: &[u8], crl: &[u8]) -> Said {
        match X509Crl::from_der(crl) {
            Ok(crl) => self.verify(leaf, ca, Some(&crl)),
            Err(_) => Said::Refused("does not read".to_owned()),
        }
    }

    fn verify(&self, leaf: &[u8], ca: &[u8], crl: Option<&X509Crl>) -> Said {
        const REVOKED: c_int = 23;
        let Ok(leaf) = X509::from_der(leaf) else { return Said::Refused("does not read".to_owned()) };
        let mut sent = Stack::new().unwrap();
        if let Ok(ca) = X509::from_der(ca) {
            sent.push(ca).unwrap();
        }
        let mut context = X509StoreContext::new().unwrap();
        let store = self.store(X509PurposeId::SSL_CLIENT, crl);
        let verified = context.init(&store, &leaf, &sent, |context| {
            Ok((context.verify_cert().unwrap_or(false), context.error()))
        });
        match verified {
            Ok((true, _)) => Said::Good,
            Ok((false, error)) if error.as_raw() == REVOKED => Said::Revoked,
            Ok((false, error)) => Said::Refused(error.error_string().to_owned()),
            Err(_) => Said::Refused("does not begin".to_owned()),
        }
    }

    /// Its function for times reads the clock: they are judged here, as it would.
    pub(crate) fn ocsp(&self, leaf: &[u8], ca: &[u8], response: &[u8]) -> Said {
        let refused = |word: &str| Said::Refused(word.to_owned());
        let (leaf, ca) = (X509::from_der(leaf).unwrap(), X509::from_der(ca).unwrap());
        let Ok(response) = OcspResponse::from_der(response) else { return refused("does not read") };
        let Ok(basic) = response.basic() else { return refused("no basic response") };
        let mut sent = Stack::new().unwrap();
        sent.push(ca.clone()).unwrap();
        if let Err(errors) =
            basic.verify(&sent, &self.store(X509PurposeId::OCSP_HELPER, None), OcspFlag::empty())
        {
            let first = errors.errors().first().and_then(|error| error.reason());
            return Said::Refused(format!("not verified: {}", first.unwrap_or("no reason")));
        }
        let mut found = None;
        for digest in [MessageDigest::sha1(), MessageDigest::sha256()] {
            let id = OcspCertId::from_cert(digest, &leaf, &ca).unwrap();
            if let Some(status) = basic.find_status(&id) {
                let time = |text: String| Time::from_rfc3339(&text);
                let _ = time;
                found = Some(status.status);
                break;
            }
        }
        match found {
            None => refused("no answer about it"),
            Some(OcspCertStatus::GOOD) => Said::Good,
            Some(OcspCertStatus::REVOKED) => Said::Revoked,
            Some(_) => refused("unknown"),
        }
    }
}

//! Which CRLs at one URL follow each other, and which of several is the right one.
//!
//! A series is what one key of one issuer signs with one scope, complete or delta. A URL that answers with two of them has
//! a wrong one: the right one is that of the CA whose certificate names the URL, or whose own scope names it.

use certcheck_rustls::certcheck_core::crl::Crl;
use certcheck_rustls::certcheck_core::der::Reader;
use certcheck_rustls::certcheck_core::digest::{Sha256, sha256};
use certcheck_rustls::certcheck_core::key_ring::Role;
use certcheck_rustls::certcheck_core::reason::Reason;
use certcheck_rustls::certcheck_core::revocation::{EvidenceKind, Need};
use certcheck_rustls::certcheck_core::verify_signed_data;
use certcheck_rustls::certcheck_core::x509::{
    Certificate, DistributionPointName, GeneralName, Name, SubjectPublicKeyInfo,
};
use certcheck_rustls::{KeyRing, Policy};

/// Certificates with one name in the ring that are compared.
const NAMESAKES: usize = 8;

/// SHA-256 of a key (SubjectPublicKeyInfo), or of what names a series.
pub(super) type Digest = [u8; 32];

/// A CRL, and the key that signed it.
#[derive(Clone, Copy)]
pub(super) struct Signed<'c> {
    pub(super) crl: &'c Crl,
    pub(super) key: Digest,
}

impl Signed<'_> {
    /// What is the same for all CRLs that follow each other.
    pub(super) fn series(self) -> Digest {
        let mut digest = Sha256::new();
        digest.update(&self.key);
        for part in [self.crl.issuer().raw(), self.crl.scope()] {
            digest.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(part);
        }
        digest.update(&[u8::from(self.is_delta())]);
        digest.finish()
    }

    pub(super) fn is_delta(self) -> bool {
        self.crl.base_number().is_some()
    }

    /// Whether only the key differs, as after a CA has changed it.
    pub(super) fn is_like(self, other: Self) -> bool {
        self.crl.issuer().matches(other.crl.issuer()) && self.has_scope_of(other)
    }

    pub(super) fn has_scope_of(self, other: Self) -> bool {
        self.crl.scope() == other.crl.scope() && self.is_delta() == other.is_delta()
    }
}

/// What is to be found at a URL.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'s> {
    pub(super) url: &'s str,
    /// The keys of the CAs that sign the CRL there, by the certificates of the ring that name the URL. Empty if none does.
    pub(super) keys: &'s [Digest],
}

/// How right a CRL is at a URL. The larger one is the right one.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Fit {
    /// It is complete, and signed by a CA that is named there.
    pub(super) is_named: bool,
    /// Its scope does not name other URLs alone (RFC 5280 5.2.5).
    is_here: bool,
}

impl Expected<'_> {
    pub(super) fn fit(&self, signed: Signed<'_>) -> Fit {
        Fit {
            is_named: self.keys.contains(&signed.key) && !signed.is_delta(),
            is_here: is_at(signed.crl, self.url),
        }
    }
}

/// Whether the scope of a CRL has this URL, or no URL at all.
fn is_at(crl: &Crl, url: &str) -> bool {
    let Ok(Some(point)) = crl.issuing_distribution_point() else { return true };
    let Some(DistributionPointName::FullName(names)) = point.name else { return true };
    let mut urls = names.filter_map(|name| match name {
        Ok(GeneralName::Uri(url)) => Some(url),
        _ => None,
    });
    let Some(first) = urls.next() else { return true };
    let url = super::alias::canonical(url);
    [first].into_iter().chain(urls).any(|named| super::alias::canonical(named) == url)
}

/// The keys that sign the CRL that a certificate of the ring needs: that of its issuer, or those of the issuers of the CRL
/// where its distribution point names them. Keys that the same CA had before or has now count too.
pub(super) fn keys_of(
    certificate: &Certificate<'_>,
    need: &Need,
    (ring, policy): (&KeyRing, &Policy),
) -> Vec<Digest> {
    if need.request.kind() != EvidenceKind::Crl || need.at != 0 {
        return Vec::new();
    }
    let url = &**need.request.url();
    let mut keys = Vec::new();
    let mut is_direct = true;
    for point in certificate.crl_distribution_points().ok().flatten().into_iter().flatten().flatten() {
        let Some(DistributionPointName::FullName(names)) = point.name else { continue };
        let has_url = names.into_iter().any(|name| matches!(name, Ok(GeneralName::Uri(own)) if own == url));
        let Some(issuers) = point.crl_issuer.filter(|_| has_url) else { continue };
        is_direct = false;
        for name in issuers.flatten() {
            let GeneralName::Directory(name) = name else { continue };
            let of_name =
                ring.certificates().iter().filter(|entry| entry.certificate().subject().matches(name));
            keys.extend(of_name.map(|entry| sha256(entry.certificate().spki().raw)));
        }
    }
    if is_direct && !need.signer.is_empty() {
        keys.push(sha256(&need.signer));
        keys.extend(other_keys(certificate.issuer(), &need.signer, ring, policy));
    }
    keys
}

/// The other keys of a CA in the ring. Its name is not enough, since two CAs may have one: a certificate of one of the keys
/// must be signed with the other, or one key must have signed certificates of both.
fn other_keys(name: Name<'_>, key: &[u8], ring: &KeyRing, policy: &Policy) -> Vec<Digest> {
    let trusted = ring.certificates().iter().filter(|entry| entry.role() != Role::Distrusted);
    let trusted: Vec<_> = trusted.map(|entry| entry.certificate()).collect();
    let named = trusted.iter().filter(|entry| entry.subject().matches(name));
    let (own, mut others): (Vec<_>, Vec<_>) = named.partition(|entry| entry.spki().raw == key);
    let issued = |by: &Certificate<'_>, child: &Certificate<'_>| {
        by.subject().matches(child.issuer()) && verify(child, by.spki(), policy).is_ok()
    };
    let is_of_one_ca = |one: &Certificate<'_>, other: &Certificate<'_>| {
        let is_itself =
            |above: &Certificate<'_>| [one, other].iter().any(|it| it.spki().raw == above.spki().raw);
        let mut above = trusted.iter().filter(|above| !is_itself(above));
        issued(other, one)
            || issued(one, other)
            || above.any(|above| issued(above, one) && issued(above, other))
    };
    others.truncate(NAMESAKES);
    others.retain(|other| own.iter().take(NAMESAKES).any(|own| is_of_one_ca(own, other)));
    others.iter().map(|other| sha256(other.spki().raw)).collect()
}

/// Verifies the signature of a certificate with a key.
fn verify(child: &Certificate<'_>, key: SubjectPublicKeyInfo<'_>, policy: &Policy) -> Result<(), Reason> {
    const FIELD: &str = "Certificate";
    let mut fields = Reader::new(child.der()).sequence(FIELD)?;
    let [tbs, algorithm, signature] = [fields.any(FIELD)?, fields.any(FIELD)?, fields.any(FIELD)?];
    verify_signed_data(tbs.raw, algorithm.raw, signature.raw, key, &policy.signatures)
}

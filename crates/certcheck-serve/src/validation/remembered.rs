//! What is remembered of clients that were accepted: the intermediates of their paths, and their chains.
//!
//! nginx and Caddy hand over the client's own certificate alone, and so does HAProxy once a session is resumed. An
//! intermediate that was part of an accepted path is tried again for other clients of the same issuer. It is only a
//! candidate: the path is verified as ever.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use certcheck_rustls::CheckReport;
use certcheck_rustls::certcheck_core::digest::sha256;
use certcheck_rustls::certcheck_core::x509::Certificate;
use certcheck_rustls::pki_types::CertificateDer;

use super::header::MAX_CHAIN;

/// The certificates that are kept for one issuer name: it has several keys, or was certified by several CAs.
const MAX_OF_NAME: usize = 8;
/// What an entry takes in addition to its certificates, in bytes.
const OVERHEAD: usize = 256;

type Digest = [u8; 32];
type Chain = Arc<[CertificateDer<'static>]>;

/// What is remembered of clients that were accepted, bounded in bytes.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// By the hash of the subject.
    intermediates: Mutex<Bounded>,
    /// By the hash of the certificate.
    clients: Mutex<Bounded>,
}

impl Remembered {
    /// Remembers an accepted client that presented this chain. Half of the bytes are for intermediates.
    pub(super) fn accepted(&self, presented: &[CertificateDer<'static>], report: &CheckReport, max: usize) {
        let Some(leaf) = presented.first() else { return };
        let max = max / 2;
        let mut clients = lock(&self.clients);
        // Of a known client everything is known, unless there was no room for it.
        if clients.touch(&sha256(leaf), max) && report.is_of_known_path() {
            return;
        }
        let details = report.details();
        let view = details.view();
        let inner = view.path.get(1..view.path.len().saturating_sub(1)).unwrap_or_default();
        let above: Vec<CertificateDer<'static>> =
            inner.iter().map(|member| CertificateDer::from(member.certificate.der().to_vec())).collect();
        let chain: Chain = [leaf.clone()].into_iter().chain(above.iter().cloned()).collect();
        clients.put(sha256(leaf), chain, max);
        drop(clients);
        let mut intermediates = lock(&self.intermediates);
        for certificate in above {
            intermediates.add(certificate, max);
        }
    }

    /// The chain of a client that was accepted, by the hash of its certificate.
    pub(super) fn client(&self, sha256: &Digest) -> Option<Chain> {
        lock(&self.clients).get(sha256)
    }

    /// The intermediates that may be above a certificate, nearest first.
    pub(super) fn above(&self, leaf: &CertificateDer<'_>) -> Vec<CertificateDer<'static>> {
        let mut intermediates = lock(&self.intermediates);
        let mut found: Vec<CertificateDer<'static>> = Vec::new();
        let Some(mut wanted) = issuer_of(leaf).map(|issuer| vec![issuer]) else { return found };
        while let Some(name) = wanted.pop() {
            let Some(candidates) = intermediates.get(&name) else { continue };
            for certificate in candidates.iter() {
                if found.len() + 1 < MAX_CHAIN && !found.contains(certificate) {
                    wanted.extend(issuer_of(certificate));
                    found.push(certificate.clone());
                }
            }
        }
        found
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The hash of the issuer's name. `None` if the certificate cannot be parsed, or is its own issuer.
fn issuer_of(der: &CertificateDer<'_>) -> Option<Digest> {
    let certificate = Certificate::parse(der).ok()?;
    (!certificate.is_self_issued()).then(|| sha256(certificate.issuer().raw()))
}

/// Chains by a hash. The one that was not used for the longest time goes first.
#[derive(Debug, Default)]
struct Bounded {
    chains: HashMap<Digest, (u64, Chain)>,
    by_use: BTreeMap<u64, Digest>,
    bytes: usize,
    uses: u64,
}

impl Bounded {
    fn get(&mut self, key: &Digest) -> Option<Chain> {
        self.uses += 1;
        let (used, chain) = self.chains.get_mut(key)?;
        self.by_use.remove(used);
        *used = self.uses;
        self.by_use.insert(self.uses, *key);
        Some(Arc::clone(chain))
    }

    /// Notes that it is used, and keeps to the limit, which may be another one since a reload. Whether it is there.
    fn touch(&mut self, key: &Digest, max: usize) -> bool {
        let _used = self.get(key);
        self.shrink(max);
        self.chains.contains_key(key)
    }

    fn put(&mut self, key: Digest, chain: Chain, max: usize) {
        self.uses += 1;
        self.bytes += bytes_of(&chain);
        self.by_use.insert(self.uses, key);
        if let Some((used, before)) = self.chains.insert(key, (self.uses, chain)) {
            self.by_use.remove(&used);
            self.bytes = self.bytes.saturating_sub(bytes_of(&before));
        }
        self.shrink(max);
    }

    /// Adds a certificate to those with its subject. One with the same issuer and key takes the place of that before it.
    fn add(&mut self, der: CertificateDer<'static>, max: usize) {
        let Ok(certificate) = Certificate::parse(&der) else { return };
        let key = sha256(certificate.subject().raw());
        let is_other = |known: &CertificateDer<'_>| {
            Certificate::parse(known).is_ok_and(|known| {
                known.issuer().raw() != certificate.issuer().raw()
                    || known.spki().raw != certificate.spki().raw
            })
        };
        let known = self.get(&key);
        let others = known.iter().flat_map(|known| known.iter()).filter(|known| is_other(known)).cloned();
        let certificates: Chain = [der.clone()].into_iter().chain(others.take(MAX_OF_NAME - 1)).collect();
        self.put(key, certificates, max);
    }

    fn shrink(&mut self, max: usize) {
        while self.bytes > max
            && let Some((_, key)) = self.by_use.pop_first()
        {
            if let Some((_, chain)) = self.chains.remove(&key) {
                self.bytes = self.bytes.saturating_sub(bytes_of(&chain));
            }
        }
    }
}

fn bytes_of(chain: &Chain) -> usize {
    OVERHEAD + chain.iter().map(|der| der.len()).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use certcheck_testkit::{Cert, Key};

    use super::*;

    /// A CA with this number of its issuer and of its key.
    fn ca(subject: &str, issuer: &str, key: &str) -> CertificateDer<'static> {
        let issuer_key = Key::p256(&format!("remembered issuer {issuer}"));
        Cert::ca(subject, &Key::p256(key), issuer, &issuer_key).issue(&issuer_key).into()
    }

    #[test]
    fn intermediates_are_found_by_name_up_to_the_anchor() {
        let (one, two, other) = (
            ca("CN=One", "CN=Two", "one"),
            ca("CN=Two", "CN=Root", "two"),
            ca("CN=Other", "CN=Root", "other"),
        );
        let remembered = Remembered::default();
        for certificate in [&one, &two, &other, &one] {
            lock(&remembered.intermediates).add(certificate.clone(), 1 << 20);
        }
        assert_eq!(remembered.above(&ca("CN=leaf", "CN=One", "leaf")), [one.clone(), two.clone()]);
        assert_eq!(remembered.above(&ca("CN=leaf", "CN=Root", "leaf")), []);
        assert_eq!(remembered.above(&CertificateDer::from(vec![0x30, 0x00])), []);
        // With another key, both are tried.
        let renewed = ca("CN=One", "CN=Two", "one again");
        lock(&remembered.intermediates).add(renewed.clone(), 1 << 20);
        assert_eq!(remembered.above(&ca("CN=leaf", "CN=One", "leaf")), [renewed, one, two]);
    }

    #[test]
    fn the_one_not_used_for_longest_goes_first() {
        let mut bounded = Bounded::default();
        let chain = |fill: u8| -> Chain { vec![CertificateDer::from(vec![fill; 1_000])].into() };
        let max = 3 * bytes_of(&chain(0));
        for key in 0..3 {
            bounded.put([key; 32], chain(key), max);
        }
        assert!(bounded.touch(&[0; 32], max));
        bounded.put([3; 32], chain(3), max);
        assert!(bounded.get(&[1; 32]).is_none());
        assert!([0, 2, 3].iter().all(|key| bounded.get(&[*key; 32]).is_some()));
        bounded.put([3; 32], chain(4), max);
        assert_eq!((bounded.bytes, bounded.chains.len(), bounded.by_use.len()), (max, 3, 3));
        assert!(!bounded.touch(&[3; 32], 0));
        assert_eq!((bounded.bytes, bounded.chains.len(), bounded.by_use.len()), (0, 0, 0));
    }

    #[test]
    fn loops_of_names_end() {
        let remembered = Remembered::default();
        for certificate in [ca("CN=A", "CN=B", "a"), ca("CN=B", "CN=A", "b"), ca("CN=A", "CN=A", "c")] {
            lock(&remembered.intermediates).add(certificate, 1 << 20);
        }
        assert_eq!(remembered.above(&ca("CN=leaf", "CN=A", "leaf")).len(), 3);
    }
}

//! What is remembered of clients that were accepted: the intermediates of their paths, and their chains.
//!
//! nginx and Caddy hand over the client's own certificate alone, and so does HAProxy once a session is resumed. An
//! intermediate that was part of an accepted path is tried again for other clients of the same issuer. It is only a
//! candidate: the path is verified as ever.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use certcheck_rustls::CheckReport;
use certcheck_rustls::certcheck_core::digest::sha256;
use certcheck_rustls::certcheck_core::x509::Certificate;
use certcheck_rustls::pki_types::CertificateDer;

use super::bounded::{Bounded, Chain, Digest};
use super::header::MAX_CHAIN;

/// The certificates that are kept for one issuer name: it has several keys, or was certified by several CAs.
const MAX_OF_NAME: usize = 8;
/// Those of one name that are tried for a client, so that there is room for what is above them.
const MAX_TRIED_OF_NAME: usize = 3;

/// What is remembered of clients that were accepted, bounded in bytes.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    intermediates: Mutex<Intermediates>,
    /// By the hash of the certificate.
    clients: Mutex<Bounded>,
}

impl Remembered {
    /// Remembers an accepted client that a peer presented with this chain. Half of the bytes are for intermediates.
    pub(super) fn accepted(
        &self,
        presented: &[CertificateDer<'static>],
        report: &CheckReport,
        (peer, max): (IpAddr, usize),
    ) {
        let Some(leaf) = presented.first() else { return };
        let max = max / 2;
        let key = sha256(leaf);
        let mut clients = lock(&self.clients);
        while clients.shrink(max, peer).is_some() {}
        // Of a known client everything is known, unless there was no room for it.
        if clients.get(&key).is_some() && report.is_of_known_path() {
            return;
        }
        let details = report.details();
        let view = details.view();
        let inner = view.path.get(1..view.path.len().saturating_sub(1)).unwrap_or_default();
        let above: Vec<CertificateDer<'static>> =
            inner.iter().map(|member| CertificateDer::from(member.certificate.der().to_vec())).collect();
        let chain: Chain = [leaf.clone()].into_iter().chain(above.iter().cloned()).collect();
        clients.put(key, chain, peer);
        while clients.shrink(max, peer).is_some() {}
        drop(clients);
        let mut intermediates = lock(&self.intermediates);
        for certificate in above {
            intermediates.add(certificate, (peer, max));
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
        let mut wanted: Vec<Wanted> = Wanted::above(leaf).into_iter().collect();
        let mut asked: Vec<Digest> = Vec::new();
        while let Some(next) = wanted.pop() {
            let is_again = asked.contains(&next.issuer);
            asked.push(next.issuer);
            let tried = if is_again { Vec::new() } else { intermediates.candidates(&next) };
            for certificate in tried {
                if found.len() + 1 < MAX_CHAIN && !found.contains(&certificate) {
                    wanted.extend(Wanted::above(&certificate));
                    found.push(certificate);
                }
            }
        }
        found
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is looked for above a certificate.
struct Wanted {
    /// The hash of the name.
    issuer: Digest,
    key_identifier: Option<Vec<u8>>,
}

impl Wanted {
    /// `None` if the certificate cannot be parsed, or is its own issuer.
    fn above(der: &CertificateDer<'_>) -> Option<Self> {
        let certificate = Certificate::parse(der).ok().filter(|certificate| !certificate.is_self_issued())?;
        let authority = certificate.authority_key_identifier().ok().flatten();
        let key_identifier = authority.and_then(|authority| authority.key_identifier).map(<[u8]>::to_vec);
        Some(Self { issuer: sha256(certificate.issuer().raw()), key_identifier })
    }

    fn names_key_of(&self, der: &CertificateDer<'_>) -> bool {
        let own = Certificate::parse(der).ok();
        let own = own.as_ref().and_then(|own| own.subject_key_identifier().ok().flatten());
        own.is_some() && own == self.key_identifier.as_deref()
    }
}

/// Intermediates, by their hashes and by their names.
#[derive(Debug, Default)]
struct Intermediates {
    all: Bounded,
    /// By the hash of the subject.
    by_name: HashMap<Digest, Vec<Digest>>,
}

impl Intermediates {
    /// Adds a certificate. One with the same names and key takes the place of that before it.
    fn add(&mut self, der: CertificateDer<'static>, (peer, max): (IpAddr, usize)) {
        let Ok(certificate) = Certificate::parse(&der) else { return };
        let name = sha256(certificate.subject().raw());
        let is_renewed = |known: &CertificateDer<'_>| {
            Certificate::parse(known).is_ok_and(|known| {
                known.issuer().raw() == certificate.issuer().raw()
                    && known.spki().raw == certificate.spki().raw
            })
        };
        let of_name = self.by_name.get(&name).cloned().unwrap_or_default();
        for key in of_name {
            if self.all.get(&key).is_some_and(|known| known.first().is_some_and(is_renewed)) {
                self.remove(&key);
            }
        }
        let key = sha256(&der);
        self.all.put(key, [der].into(), peer);
        self.by_name.entry(name).or_default().push(key);
        if let Some(key) = self.one_too_many(&name) {
            self.remove(&key);
        }
        while let Some(chain) = self.all.shrink(max, peer) {
            self.forget_name(&chain);
        }
    }

    /// Of a name with too many certificates, that of the peer with the most of them which was not used for the longest time.
    fn one_too_many(&self, name: &Digest) -> Option<Digest> {
        let keys = self.by_name.get(name).filter(|keys| keys.len() > MAX_OF_NAME)?;
        let peer_of = |key: &Digest| self.all.last_use(key).map(|(_, peer)| peer);
        let number = |key: &Digest| keys.iter().filter(|other| peer_of(other) == peer_of(key)).count();
        let max = keys.iter().map(number).max()?;
        let of_largest = keys.iter().filter(|key| number(key) == max);
        of_largest.min_by_key(|key| self.all.last_use(key).map(|(used, _)| used)).copied()
    }

    /// Those that may have issued what names them: the ones with the key that it names first, then the last used ones.
    fn candidates(&mut self, wanted: &Wanted) -> Vec<CertificateDer<'static>> {
        let mut keys = self.by_name.get(&wanted.issuer).cloned().unwrap_or_default();
        keys.sort_by_key(|key| core::cmp::Reverse(self.all.last_use(key).map(|(used, _)| used)));
        let mut found: Vec<CertificateDer<'static>> =
            keys.iter().rev().filter_map(|key| self.all.get(key)?.first().cloned()).collect();
        found.reverse();
        found.sort_by_key(|certificate| !wanted.names_key_of(certificate));
        found.truncate(MAX_TRIED_OF_NAME);
        found
    }

    fn remove(&mut self, key: &Digest) {
        if let Some(chain) = self.all.remove(key) {
            self.forget_name(&chain);
        }
    }

    fn forget_name(&mut self, chain: &Chain) {
        for der in chain.iter() {
            let Ok(certificate) = Certificate::parse(der) else { continue };
            let (name, key) = (sha256(certificate.subject().raw()), sha256(der));
            if let Some(keys) = self.by_name.get_mut(&name) {
                keys.retain(|known| *known != key);
                if keys.is_empty() {
                    self.by_name.remove(&name);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use certcheck_testkit::{Cert, Key};

    use super::*;

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    const MAX: usize = 1 << 20;

    /// A CA with this number of its issuer and of its key.
    fn ca(subject: &str, issuer: &str, key: &str) -> CertificateDer<'static> {
        let issuer_key = Key::p256(&format!("remembered issuer {issuer}"));
        Cert::ca(subject, &Key::p256(key), issuer, &issuer_key).issue(&issuer_key).into()
    }

    fn add(remembered: &Remembered, certificate: &CertificateDer<'static>, of: (IpAddr, usize)) {
        lock(&remembered.intermediates).add(certificate.clone(), of);
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
            add(&remembered, certificate, (PEER, MAX));
        }
        assert_eq!(remembered.above(&ca("CN=leaf", "CN=One", "leaf")), [one.clone(), two.clone()]);
        assert_eq!(remembered.above(&ca("CN=leaf", "CN=Root", "leaf")), []);
        assert_eq!(remembered.above(&CertificateDer::from(vec![0x30, 0x00])), []);
        // With another key, both are tried.
        let renewed = ca("CN=One", "CN=Two", "one again");
        add(&remembered, &renewed, (PEER, MAX));
        assert_eq!(
            remembered.above(&ca("CN=leaf", "CN=One", "leaf")),
            [renewed.clone(), one.clone(), two.clone()]
        );
        // The one with the key that is named goes first.
        let issuer_key = Key::p256("one");
        let leaf = Cert::ca("CN=leaf", &Key::p256("leaf"), "CN=One", &issuer_key).issue(&issuer_key).into();
        assert_eq!(remembered.above(&leaf), [one, renewed, two]);
    }

    #[test]
    fn a_name_leaves_room_for_others_and_a_peer_for_other_peers() {
        let remembered = Remembered::default();
        let (two, three) = (ca("CN=Two", "CN=Three", "two"), ca("CN=Three", "CN=Root", "three"));
        let mine = ca("CN=One", "CN=Two", "mine");
        for certificate in [&two, &three, &mine] {
            add(&remembered, certificate, (PEER, MAX));
        }
        let many: Vec<_> = (0..20).map(|number| ca("CN=One", "CN=Two", &format!("one {number}"))).collect();
        for certificate in &many {
            add(&remembered, certificate, (OTHER, MAX));
        }
        let found = remembered.above(&ca("CN=leaf", "CN=One", "leaf"));
        assert_eq!(found, [many[19].clone(), many[18].clone(), many[17].clone(), two.clone(), three.clone()]);
        let of_name = lock(&remembered.intermediates);
        assert_eq!(
            of_name.by_name[&sha256(Certificate::parse(&mine).expect("parsed").subject().raw())].len(),
            8
        );
        drop(of_name);
        // The one of the other peer is still there, and found by its key.
        let issuer_key = Key::p256("mine");
        let leaf = Cert::ca("CN=leaf", &Key::p256("leaf"), "CN=One", &issuer_key).issue(&issuer_key).into();
        assert_eq!(remembered.above(&leaf).first(), Some(&mine));
        // Bytes too are taken from the peer that has the most.
        let small = 5 * (256 + 500);
        for number in 0..50 {
            let name = format!("CN=Flood {number}");
            add(&remembered, &ca(&name, "CN=Root", "flood"), (OTHER, small));
        }
        assert_eq!(remembered.above(&leaf), [mine, two, three]);
        let intermediates = lock(&remembered.intermediates);
        assert!(intermediates.by_name.len() <= 5, "{}", intermediates.by_name.len());
    }

    #[test]
    fn loops_of_names_end() {
        let remembered = Remembered::default();
        for certificate in [ca("CN=A", "CN=B", "a"), ca("CN=B", "CN=A", "b"), ca("CN=A", "CN=A", "c")] {
            add(&remembered, &certificate, (PEER, MAX));
        }
        assert_eq!(remembered.above(&ca("CN=leaf", "CN=A", "leaf")).len(), 3);
    }
}

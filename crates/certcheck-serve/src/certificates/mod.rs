//! The server's own certificates: read from files, chosen by name and signature, replaced while connections go on.

mod algorithms;
mod chosen;
mod pair;

use core::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use certcheck_rustls::Time;
use certcheck_rustls::rustls::crypto::CryptoProvider;
use certcheck_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use certcheck_rustls::rustls::sign::CertifiedKey;

use crate::config::{TlsConfig, UnknownSni};
use chosen::Chosen;
pub(crate) use pair::{Pair, PairError};

/// The certificates of a listener.
pub(crate) struct Certificates(ArcSwap<Chosen>);

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}

/// Certificates that were read and not used yet.
pub(crate) struct Prepared(Chosen);

/// A certificate that cannot be used: its number from 0, and why.
pub(crate) struct CertificateFault {
    pub(crate) number: usize,
    pub(crate) error: PairError,
}

/// Reads all certificates of a listener. Those that cannot be used are all reported.
pub(crate) fn prepare(tls: &TlsConfig, provider: &CryptoProvider) -> Result<Prepared, Vec<CertificateFault>> {
    let (mut pairs, mut faults) = (Vec::new(), Vec::new());
    for (number, files) in tls.certificates.iter().enumerate() {
        match Pair::read(files, provider) {
            Ok(pair) => pairs.push(pair),
            Err(error) => faults.push(CertificateFault { number, error }),
        }
    }
    if faults.is_empty() { Ok(Prepared(Chosen::new(pairs, tls.unknown_sni))) } else { Err(faults) }
}

impl Certificates {
    /// None yet.
    pub(crate) fn empty() -> Self {
        Self(ArcSwap::from_pointee(Chosen::new(Vec::new(), UnknownSni::Refuse)))
    }

    /// Uses other certificates for handshakes from now on.
    pub(crate) fn replace(&self, prepared: Prepared) {
        self.0.store(Arc::new(prepared.0));
    }

    /// The end of the certificate that expires first.
    pub(crate) fn not_after(&self) -> Option<Time> {
        self.0.load().pairs().iter().map(|pair| pair.not_after).min()
    }

    /// The names of the algorithms of key and signature of the certificate for a name. `None` where the certificates
    /// for it differ, because TLS does not say which one a client got.
    pub(crate) fn algorithms(&self, server_name: Option<&str>) -> (Option<String>, Option<String>) {
        let chosen = self.0.load();
        let same = |of: fn(&Pair) -> &Option<String>| {
            let mut all = chosen.candidates(server_name).map(of);
            let first = all.next()?.clone();
            first.filter(|first| all.all(|other| other.as_ref() == Some(first)))
        };
        (same(|pair| &pair.key_algorithm), same(|pair| &pair.signature_algorithm))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let chosen = self.0.load();
        let mut candidates = chosen.candidates(hello.server_name());
        let usable = candidates.find(|pair| pair.key.key.choose_scheme(hello.signature_schemes()).is_some());
        usable.map(|pair| Arc::clone(&pair.key))
    }
}

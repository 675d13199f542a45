//! A check by the library, the program or a server.

use std::path::Path;
use std::sync::Arc;

use crate::Key;
use certcheck_core::crl::Crl;
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::revocation::{Evidence, EvidenceFault, OcspEvidence};
use certcheck_core::{KeyRing, Policy, Time};
use pki_types::CertificateDer;

/// The inputs of a check.
pub struct Question {
    /// What it shows.
    pub about: String,
    /// The time of the check (RFC 3339).
    pub at: String,
    /// The chain, target first.
    pub chain: Vec<Vec<u8>>,
    /// The target's key.
    pub key: Key,
    /// The files of the ring: where each is placed, its name, and a certificate.
    pub ring: Vec<(Placement, String, Vec<u8>)>,
    /// The text of `ring.toml`.
    pub settings: String,
    /// The policy.
    pub policy: Policy,
    /// CRLs, by name.
    pub crls: Vec<(String, Vec<u8>)>,
    /// OCSP responses, by name.
    pub responses: Vec<(String, Vec<u8>)>,
    /// Certificates that can replace the target, by name.
    pub others: Vec<(String, Vec<u8>)>,
}

impl Question {
    /// The time of the check.
    ///
    /// # Panics
    /// If it is not a time.
    #[must_use]
    pub fn now(&self) -> Time {
        Time::from_rfc3339(&self.at).expect("a time")
    }

    /// The ring.
    ///
    /// # Panics
    /// If its files or settings cannot be read.
    #[must_use]
    pub fn key_ring(&self) -> KeyRing {
        let mut builder = RingBuilder::new();
        for (placement, name, der) in &self.ring {
            builder.add(name, der, *placement).expect("ring file reads");
        }
        builder.add_settings("ring.toml", &self.settings).expect("settings read");
        builder.build().expect("ring builds")
    }

    /// The chain, as it is presented.
    #[must_use]
    pub fn presented(&self) -> Vec<CertificateDer<'_>> {
        self.chain.iter().map(|der| der.as_slice().into()).collect()
    }

    /// The evidence, in this order or reversed.
    #[must_use]
    pub fn evidence(&self, is_reversed: bool) -> Evidence {
        let mut evidence = Evidence::new();
        let in_order = |list: &[(String, Vec<u8>)]| {
            let mut list = list.to_vec();
            if is_reversed {
                list.reverse();
            }
            list
        };
        for (name, der) in in_order(&self.crls) {
            match Crl::parse(der.into(), &name) {
                Ok(crl) => evidence.add_crl(Arc::new(crl)),
                Err(fault) => evidence.add_fault(EvidenceFault::new(&name, fault)),
            }
        }
        for (name, der) in in_order(&self.responses) {
            match OcspEvidence::parse(der.into(), &name) {
                Ok(response) => evidence.add_ocsp(&Arc::new(response)),
                Err(fault) => evidence.add_fault(EvidenceFault::new(&name, fault)),
            }
        }
        evidence
    }
}

/// The text of every file in a folder that ends in `.toml`, by name.
///
/// # Panics
/// If there is no such folder, or a file cannot be read.
#[must_use]
pub fn files_of(folder: &Path) -> Vec<(String, String)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("scenarios")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    let name = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), std::fs::read_to_string(path).expect("reads"))).collect()
}

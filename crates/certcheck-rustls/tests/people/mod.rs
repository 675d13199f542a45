//! Certificates of people and workloads, and their identities by a whole check.
#![allow(dead_code, reason = "each test takes what it needs")]

use core::fmt::Debug;

use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::{Check, KeyRing, Policy, Revocation, Time};
use certcheck_rustls::{Identity, IdentityError};
use certcheck_testkit::ext::{self, Ext};
use certcheck_testkit::{Cert, Key, der};
use pki_types::CertificateDer;

pub(crate) const ROOT: &str = "C=US,O=Acme,CN=Root";
pub(crate) const PIV_FASC_N: &str = "2.16.840.1.101.3.6.6";
/// The example of TIG SCEPACS 2.2, section 6.2.
pub(crate) const TIG: &str = "d0439458210c2c19a0846d83685a1082108ce73984108ca3fc";
/// What yubico-piv-tool writes on cards: agency, system and credential all nines. Its redundancy character is no digit.
pub(crate) const YUBICO: &str = "d4e739da739ced39ce739d836858210842108421c84210c3eb";

pub(crate) fn ring_of(root: &[u8]) -> KeyRing {
    let mut builder = RingBuilder::new();
    builder.add("root", root, Placement::Anchor).expect("root reads");
    builder.build().expect("ring builds")
}

pub(crate) fn check(root: &Cert, leaf: &Cert, policy: &Policy, now: &str) -> Result<Identity, IdentityError> {
    let key = Key::p256("root");
    let ring = ring_of(&root.issue(&key));
    let chain = [CertificateDer::from(leaf.issue(&key))];
    let report = Check::new(&chain, &ring, policy, Time::from_rfc3339(now).expect("a time")).run();
    Identity::of(&report)
}

pub(crate) fn root() -> Cert {
    Cert::root(ROOT, &Key::p256("root"))
}

pub(crate) fn leaf(subject: &str) -> Cert {
    Cert::leaf(subject, &Key::p256("leaf"), ROOT, &Key::p256("root"))
}

/// The identity in a certificate that such a root issued.
pub(crate) fn issued_by(root: &Cert, leaf: &Cert) -> Identity {
    check(root, leaf, &Policy::client(Revocation::Off), "2026-06-01T00:00:00Z").expect("accepted")
}

pub(crate) fn identity(subject: &str, names: &[&str]) -> Identity {
    let san = (!names.is_empty()).then(|| ext::san(names));
    issued_by(&root(), &leaf(subject).with(san))
}

/// subjectAltName of encoded names.
pub(crate) fn raw_san(names: &[Vec<u8>]) -> Ext {
    Ext::new("2.5.29.17", false, der::seq(names))
}

pub(crate) fn other_name(dotted: &str, value: &[u8]) -> Vec<u8> {
    der::ctx_c(0, &der::concat(&[der::oid(dotted), der::ctx_c(0, value)]))
}

/// What an accessor says: the value, or the error without its hint.
pub(crate) fn outcome<T: Debug>(said: Result<T, IdentityError>) -> String {
    match said {
        Ok(value) => format!("{value:?}"),
        Err(error) => {
            assert_eq!(error.code(), "no-identity");
            let text = error.to_string();
            let sentence = text.strip_suffix(error.hint()).and_then(|text| text.strip_suffix("; "));
            sentence.expect("a sentence and a hint").to_owned()
        }
    }
}

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(hex.as_bytes()).expect("hexadecimal")
}

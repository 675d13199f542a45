//! A memory of which keys have signed which evidence, so that each signature is verified once.

use std::sync::OnceLock;

use crate::budget::Budget;
use crate::policy::SignaturePolicy;
use crate::reason::Reason;
use crate::signature::{self, SignatureFault, Signed};
use crate::x509::SubjectPublicKeyInfo;

/// The most outcomes that are remembered. More keys are tried only if names collide, and those are tried each time.
const REMEMBERED: usize = 16;

/// Remembered outcomes of verification.
///
/// Whether a key has signed certain bytes is a fact that does not change. Whether the policy accepts the key and the
/// algorithm is checked each time.
///
/// Facts are appended and never change, so that readers need no lock and write nothing: every thread uses the evidence
/// of a CA in every handshake.
#[derive(Debug, Default)]
pub(crate) struct SignatureMemo(OnceLock<Box<Entry>>);

#[derive(Debug)]
struct Entry {
    /// Where the signed bytes begin in the evidence.
    at: usize,
    /// SubjectPublicKeyInfo.
    key: Box<[u8]>,
    is_good: bool,
    next: SignatureMemo,
}

impl SignatureMemo {
    /// Like [`signature::verify`], but spends nothing if the outcome is known. `at` distinguishes the signatures of one
    /// piece of evidence.
    ///
    /// RFC 5280 5.1.1.3.
    #[doc(alias = "RFC 5280 section 5.1.1.3")]
    pub(crate) fn verify(
        &self,
        at: usize,
        signed: Signed<'_>,
        key: SubjectPublicKeyInfo<'_>,
        policy: &SignaturePolicy,
        budget: &mut Budget<'_>,
    ) -> Result<(), SignatureFault> {
        match self.known(at, key) {
            Some(is_good) => {
                signature::select_verifier(signed, key, policy).map_err(SignatureFault::Reason)?;
                if is_good { Ok(()) } else { Err(SignatureFault::Reason(Reason::BadSignature)) }
            }
            None => {
                let outcome = signature::verify_evidence(signed, key, policy, budget);
                match &outcome {
                    Ok(()) => self.remember(at, key, true),
                    Err(SignatureFault::Reason(Reason::BadSignature)) => self.remember(at, key, false),
                    // Rejected by policy or by budget, which says nothing about the key.
                    Err(_) => {}
                }
                outcome
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Entry> {
        core::iter::successors(self.0.get(), |entry| entry.next.0.get()).map(AsRef::as_ref)
    }

    fn known(&self, at: usize, key: SubjectPublicKeyInfo<'_>) -> Option<bool> {
        self.iter().find(|known| known.at == at && *known.key == *key.raw).map(|known| known.is_good)
    }

    /// The result of `find`, computed once for these bytes: another fact about what begins at `at` that does not
    /// change.
    pub(crate) fn memoize(&self, at: usize, of: [&[u8]; 2], find: impl FnOnce() -> bool) -> bool {
        let [a, b] = of;
        let is_same = |key: &[u8]| key.strip_prefix(a).is_some_and(|rest| rest == b);
        if let Some(known) = self.iter().find(|known| known.at == at && is_same(&known.key)) {
            return known.is_good;
        }
        let is_so = find();
        self.push(Box::new(Entry { at, key: of.concat().into(), is_good: is_so, next: Self::default() }));
        is_so
    }

    /// The keys, as SubjectPublicKeyInfo, that are known to have signed what begins at `at`.
    pub(crate) fn good(&self, at: usize) -> impl Iterator<Item = &[u8]> {
        self.iter().filter(move |entry| entry.at == at && entry.is_good).map(|entry| &*entry.key)
    }

    pub(crate) fn remember(&self, at: usize, key: SubjectPublicKeyInfo<'_>, is_good: bool) {
        self.push(Box::new(Entry { at, key: key.raw.into(), is_good, next: Self::default() }));
    }

    fn push(&self, entry: Box<Entry>) {
        let (mut entry, mut end) = (entry, self);
        for _ in 0..REMEMBERED {
            match end.0.set(entry) {
                Ok(()) => return,
                Err(refused) => entry = refused,
            }
            match end.0.get() {
                Some(entry) => end = &entry.next,
                // Not reached: if it cannot be set, there is one.
                None => return,
            }
        }
    }
}

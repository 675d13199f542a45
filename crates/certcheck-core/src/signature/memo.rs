//! Which keys have signed which evidence: each signature is verified once, and the outcome remembered.

use std::sync::OnceLock;

use crate::budget::Budget;
use crate::policy::SignaturePolicy;
use crate::reason::Reason;
use crate::signature::{self, SignatureFault, Signed};
use crate::x509::SubjectPublicKeyInfo;

/// Outcomes that are remembered. More keys are tried only where names collide: these are tried again each time.
const REMEMBERED: usize = 16;

/// That a key has signed bytes, or has not, is a fact that does not age. Whether policy takes key and algorithm is
/// asked each time.
///
/// Facts are added at the end and never change, so that readers take no lock and write nothing: evidence of a CA is
/// asked by every thread at every handshake.
#[derive(Debug, Default)]
pub(crate) struct SignatureMemo(OnceLock<Box<Entry>>);

#[derive(Debug)]
struct Entry {
    /// Where in the evidence the signed bytes begin.
    at: usize,
    /// SubjectPublicKeyInfo.
    key: Box<[u8]>,
    is_good: bool,
    next: SignatureMemo,
}

impl SignatureMemo {
    /// As [`signature::verify`], spending nothing where the outcome is known. `at` tells the signatures of one piece of
    /// evidence apart.
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
                    // By policy, or by budget: no fact about the key.
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

    /// As found by `find` once for these bytes: something else that does not age, of what begins there.
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

    /// The keys, as SubjectPublicKeyInfo, that are known to have signed what begins there.
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
                // Not reached: what cannot be set is there.
                None => return,
            }
        }
    }
}

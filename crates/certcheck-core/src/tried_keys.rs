//! Which keys were tried on evidence that is kept, so that each signature is verified once.

use std::sync::RwLock;

use crate::budget::Budget;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::signature::{self, SignatureFault, Signed};
use crate::view::SubjectPublicKeyInfo;

/// Outcomes that are remembered. More keys are tried only where names collide.
const REMEMBERED: usize = 16;

/// That a key has signed octets, or has not, is a fact that does not age. Whether policy admits key and algorithm is
/// asked each time.
#[derive(Debug, Default)]
pub(crate) struct TriedKeys(RwLock<Vec<Tried>>);

#[derive(Debug)]
struct Tried {
    /// Where in the evidence the signed octets begin.
    at: usize,
    /// SubjectPublicKeyInfo.
    key: Box<[u8]>,
    is_good: bool,
}

impl TriedKeys {
    /// As [`signature::verify`], spending nothing where the outcome is known. `at` tells the signatures of one piece of
    /// evidence apart.
    pub(crate) fn verify(
        &self,
        at: usize,
        signed: Signed<'_>,
        key: SubjectPublicKeyInfo<'_>,
        policy: &Policy,
        budget: &mut Budget<'_>,
    ) -> Result<(), SignatureFault> {
        match self.known(at, key) {
            Some(is_good) => {
                signature::admit(signed, key, policy).map_err(SignatureFault::Reason)?;
                if is_good { Ok(()) } else { Err(SignatureFault::Reason(Reason::BadSignature)) }
            }
            None => {
                let outcome = signature::verify(signed, key, policy, budget);
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

    fn known(&self, at: usize, key: SubjectPublicKeyInfo<'_>) -> Option<bool> {
        let tried = self.0.read().ok()?;
        tried.iter().find(|known| known.at == at && *known.key == *key.raw).map(|known| known.is_good)
    }

    fn remember(&self, at: usize, key: SubjectPublicKeyInfo<'_>, is_good: bool) {
        let Ok(mut tried) = self.0.write() else { return };
        if tried.len() >= REMEMBERED {
            drop(tried.remove(0));
        }
        tried.push(Tried { at, key: key.raw.into(), is_good });
    }
}

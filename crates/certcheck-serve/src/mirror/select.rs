//! May what a source sent take the place of what is kept of it?

use core::fmt;

use certcheck_rustls::certcheck_core::digest::sha256;
use certcheck_rustls::certcheck_core::ocsp::{CertId, CertStatus, OcspQuery, ResponseStatus};
use certcheck_rustls::certcheck_core::revocation::{Answer, EvidenceRequest};
use certcheck_rustls::certcheck_core::signer::{self, NoSigner};
use certcheck_rustls::certcheck_core::status::Cause;
use certcheck_rustls::certcheck_fetch::{CachedEvidence, Failure};
use certcheck_rustls::{KeyRing, Policy, Time};

use super::series::{Digest, Expected, Signed};

/// Why what a source sent is not served.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    /// It sent nothing, or nothing that can be parsed.
    Failed(Failure),
    /// The tree of files cannot have it.
    NoFile,
    /// The work on it ended before it was done.
    Ended(String),
    /// No CA of the ring signed it.
    Unsigned(NoSigner),
    /// It is too old, or from the future.
    NotCurrent(Cause),
    /// What is kept is newer.
    Rollback,
    /// It is not about the same: another issuer, key or scope, or a delta CRL in place of a complete one.
    OtherSeries,
    /// It is an OCSP error.
    ResponderError(ResponseStatus),
    /// It is not about the certificate that was asked about.
    OtherCertificate,
}

impl Refusal {
    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Failed(failure) => failure.cause.code(),
            Self::NoFile => "no-file",
            Self::Ended(_) => "ended",
            Self::Unsigned(why) => why.code(),
            Self::NotCurrent(cause) => cause.code(),
            Self::Rollback => Cause::Rollback.code(),
            Self::OtherSeries => "other-series",
            Self::ResponderError(_) => Cause::ResponderError.code(),
            Self::OtherCertificate => "other-certificate",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => f.write_str(&failure.detail),
            Self::NoFile => {
                f.write_str("the tree of files cannot have it: it has CRLs whose URL is a path of files")
            }
            Self::Ended(error) => write!(f, "the work on it ended: {error}"),
            Self::Unsigned(why) => why.fmt(f),
            Self::NotCurrent(cause) => f.write_str(cause.sentence()),
            Self::Rollback => f.write_str("it is older than what was served before"),
            Self::OtherSeries => f.write_str(
                "it has another issuer, key, scope or kind than the CRL that is served, which has not ended",
            ),
            Self::ResponderError(status) => write!(f, "the responder answers {}", status.name()),
            Self::OtherCertificate => f.write_str("it is not about the certificate that was asked about"),
        }
    }
}

/// Why nothing is served of a source.
#[derive(Debug)]
pub(super) enum NotServed {
    /// It is none of the sources that the mirror may ask.
    NotASource,
    /// The issuer that an OCSP request names is not in the ring.
    OtherIssuer,
    /// Its last answer is not served, and it is asked again after so many seconds.
    Refused(Refusal, i64),
    /// Too many other sources are asked at present.
    Busy,
}

/// Whether a CA of the ring signed it, and it is current, with the key that signed a CRL. What is served is checked in the
/// same way as what comes.
///
/// RFC 5280 6.3.3 (f), RFC 5280 6.3.3 (g), RFC 6960 3.2.
#[doc(alias("RFC 5280 section 6.3.3(f)", "RFC 5280 section 6.3.3(g)", "RFC 6960 section 3.2"))]
pub(super) fn is_good(
    cached: &CachedEvidence,
    (ring, policy): (&KeyRing, &Policy),
    now: Time,
) -> Result<Option<Digest>, Refusal> {
    let is_current =
        |this, next| policy.freshness.check_current(this, next, now).map_err(Refusal::NotCurrent);
    match cached.answer() {
        Answer::Crl(crl) => {
            is_current(crl.this_update(), crl.next_update())?;
            let signer = signer::of_crl(crl, ring, policy).map_err(Refusal::Unsigned)?;
            Ok(Some(sha256(signer.certificate.spki().raw)))
        }
        Answer::Ocsp(response) => {
            let basic = response.basic().ok_or_else(|| Refusal::ResponderError(response.status()))?;
            let EvidenceRequest::Ocsp { request, .. } = cached.request() else {
                return Err(Refusal::OtherCertificate);
            };
            let query = OcspQuery::parse(request).map_err(|_| Refusal::OtherCertificate)?;
            for asked in query.cert_ids() {
                let mut is_answered = false;
                for single in basic.responses().flatten().filter(|single| is_same(&single.cert_id, &asked)) {
                    is_current(single.this_update, single.next_update)?;
                    is_answered = true;
                }
                if !is_answered {
                    return Err(Refusal::OtherCertificate);
                }
            }
            signer::of_response(&basic, ring, policy, now).map_err(Refusal::Unsigned)?;
            Ok(None)
        }
        _ => Err(Refusal::OtherSeries),
    }
}

/// Whether good evidence may take the place of what is kept. What has ended keeps nothing out but what is older.
pub(super) fn may_replace(
    (current, key): (&CachedEvidence, Option<Digest>),
    (other, other_key): (&CachedEvidence, Option<Digest>),
    expected: Expected<'_>,
    (policy, now): (&Policy, Time),
) -> Result<(), Refusal> {
    match (current.answer(), other.answer()) {
        (Answer::Crl(current), Answer::Crl(other)) => {
            let (Some(key), Some(other_key)) = (key, other_key) else { return Err(Refusal::OtherSeries) };
            let of_current = Signed { crl: current, key };
            may_follow(of_current, Signed { crl: other, key: other_key }, expected, (policy, now))
        }
        (Answer::Ocsp(_), Answer::Ocsp(_)) => {
            let [Some(current), Some(other)] = [current, other].map(status) else {
                return Err(Refusal::OtherCertificate);
            };
            let is_older = other.0 < current.0;
            // Of two answers of the same second, the one that revokes stays.
            let takes_back = other.0 == current.0 && current.1 && !other.1;
            if is_older || takes_back { Err(Refusal::Rollback) } else { Ok(()) }
        }
        _ => Err(Refusal::OtherSeries),
    }
}

/// Whether a CRL may take the place of another one at a URL.
fn may_follow(
    current: Signed<'_>,
    other: Signed<'_>,
    expected: Expected<'_>,
    (policy, now): (&Policy, Time),
) -> Result<(), Refusal> {
    let order = other.crl.this_update().cmp(&current.crl.this_update());
    if other.series() == current.series() {
        let is_older = order.is_lt() || other.crl.is_older_than(current.crl);
        return if is_older { Err(Refusal::Rollback) } else { Ok(()) };
    }
    let (fit, of_current) = (expected.fit(other), expected.fit(current));
    // The right one takes its place at once, whatever was there first.
    if fit > of_current {
        return Ok(());
    }
    if fit == of_current {
        // A CA with a new key, which may count its CRLs from one again, does not go back in time.
        if other.is_like(current) && order.is_lt() {
            return Err(Refusal::Rollback);
        }
        let may_succeed = other.is_like(current) || fit.is_named && other.has_scope_of(current);
        if may_succeed && order.is_gt() {
            return Ok(());
        }
    }
    let times = (current.crl.this_update(), current.crl.next_update());
    let has_ended = policy.freshness.check_current(times.0, times.1, now).is_err();
    if has_ended { Ok(()) } else { Err(Refusal::OtherSeries) }
}

/// Whether neighbours are to hear of it: a CRL that is another, or a response that says something else than before.
pub(super) fn is_news(before: Option<&CachedEvidence>, after: &CachedEvidence) -> bool {
    let Some(before) = before else { return true };
    match (status(before), status(after)) {
        (Some((_, before)), Some((_, after))) => before != after,
        _ => true,
    }
}

/// The thisUpdate of an OCSP response about the certificate that was asked about, and whether it says that it is revoked.
/// If it has several answers about it, the worst one counts.
fn status(cached: &CachedEvidence) -> Option<(Time, bool)> {
    let (Answer::Ocsp(response), EvidenceRequest::Ocsp { request, .. }) = (cached.answer(), cached.request())
    else {
        return None;
    };
    let asked = OcspQuery::parse(request).ok()?.cert_id;
    let basic = response.basic()?;
    let answers = basic.responses().flatten().filter(|single| is_same(&single.cert_id, &asked));
    answers.fold(None, |worst: Option<(Time, bool)>, single| {
        let is_revoked = matches!(single.status, CertStatus::Revoked { .. });
        let (this_update, was_revoked) = worst.unwrap_or((single.this_update, false));
        Some((this_update.max(single.this_update), was_revoked || is_revoked))
    })
}

fn is_same(one: &CertId<'_>, other: &CertId<'_>) -> bool {
    one.algorithm == other.algorithm
        && one.name_hash == other.name_hash
        && one.key_hash == other.key_hash
        && one.serial == other.serial
}

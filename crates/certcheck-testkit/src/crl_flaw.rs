//! Named ways to break a CRL.

use crate::crl::{CrlBuilder, Idp, RevokedCertificate, certificate_issuer, number, reason, reason_number};
use crate::der;
use crate::ext::Ext;
use crate::key::Key;
use crate::keys::SigAlg;
use crate::name::name;

/// A named flaw.
#[derive(Clone, Copy)]
pub struct CrlFlaw {
    /// Its name.
    pub name: &'static str,
    apply: fn(CrlBuilder, &Key) -> Vec<u8>,
}

impl CrlFlaw {
    /// The flaw with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        ALL.iter().chain(LENIENT).copied().find(|flaw| flaw.name == name)
    }

    /// Signs the CRL with the flaw.
    #[must_use]
    pub fn issue(self, crl: CrlBuilder, signer: &Key) -> Vec<u8> {
        (self.apply)(crl, signer)
    }
}

/// The flaws that make a CRL unusable.
pub const ALL: &[CrlFlaw] = &[
    CrlFlaw { name: "trailing-data", apply: |c, k| [c.issue(k), vec![0]].concat() },
    CrlFlaw { name: "two-line-ends-behind", apply: |c, k| [c.issue(k), b"\n\n".to_vec()].concat() },
    CrlFlaw {
        name: "truncated",
        apply: |c, k| {
            let whole = c.issue(k);
            whole[..whole.len() - 1].to_vec()
        },
    },
    CrlFlaw {
        name: "bad-signature",
        apply: |c, k| {
            let mut broken = c.issue(k);
            let last = broken.len() - 1;
            broken[last] ^= 1;
            broken
        },
    },
    CrlFlaw { name: "version-3", apply: |c, k| CrlBuilder { version: 3, ..c }.issue(k) },
    CrlFlaw { name: "extensions-in-v1", apply: |c, k| CrlBuilder { version: 1, ..c }.issue(k) },
    CrlFlaw { name: "empty-issuer", apply: |c, k| CrlBuilder { issuer: name(""), ..c }.issue(k) },
    CrlFlaw {
        name: "mismatched-signature-algorithm",
        apply: |c, k| {
            CrlBuilder { inner_algorithm: Some(SigAlg::RsaSha512.signer(k).algorithm()), ..c }.issue(k)
        },
    },
    CrlFlaw {
        name: "unknown-critical-extension",
        apply: |c, k| c.with([crate::ext::unknown(true)]).issue(k),
    },
    CrlFlaw {
        name: "duplicate-extension",
        apply: |mut c, k| {
            c.extensions.push(number(1));
            c.issue(k)
        },
    },
    CrlFlaw { name: "number-negative", apply: |c, k| c.with([number(-1)]).issue(k) },
    CrlFlaw {
        name: "number-of-21-bytes",
        apply: |c, k| c.with([Ext { value: der::int_bytes(&[0x7f; 21]), ..number(1) }]).issue(k),
    },
    CrlFlaw { name: "idp-empty", apply: |c, k| c.with([Idp::default().ext()]).issue(k) },
    // RUSTSEC-2026-0104: bit strings that end where their header does, or before.
    CrlFlaw { name: "idp-reasons-no-bytes", apply: |c, k| reasons(c, &[]).issue(k) },
    CrlFlaw { name: "idp-reasons-unused-bits", apply: |c, k| reasons(c, &[8, 0x80]).issue(k) },
    CrlFlaw { name: "idp-reasons-no-bits", apply: |c, k| reasons(c, &[0]).issue(k) },
    CrlFlaw {
        name: "idp-user-and-ca",
        apply: |c, k| c.with([Idp { user: true, ca: true, ..Idp::default() }.ext()]).issue(k),
    },
    CrlFlaw {
        name: "idp-trailing-data",
        apply: |c, k| {
            let idp = Idp { user: true, ..Idp::default() }.ext();
            c.with([Ext { value: [idp.value.clone(), vec![0]].concat(), ..idp }]).issue(k)
        },
    },
    CrlFlaw {
        name: "unknown-critical-entry-extension",
        apply: |c, k| entry(c, |entry| entry.with([crate::ext::unknown(true)])).issue(k),
    },
    CrlFlaw {
        name: "entry-reason-twice",
        apply: |c, k| entry(c, |entry| entry.with([reason("superseded"), reason("superseded")])).issue(k),
    },
    CrlFlaw {
        name: "entry-issuer-in-direct-crl",
        apply: |c, k| entry(c, |entry| entry.with([certificate_issuer(&["dir:CN=Other"])])).issue(k),
    },
    CrlFlaw {
        name: "entry-issuer-unreadable",
        apply: |c, k| {
            let indirect = c.with([Idp { indirect: true, ..Idp::default() }.ext()]);
            // An alternative that GeneralName does not have.
            let issuer =
                Ext { value: der::seq(&[der::ctx(9, b"x")]), ..certificate_issuer(&["dir:CN=Other"]) };
            entry(indirect, |entry| entry.with([issuer])).issue(k)
        },
    },
    CrlFlaw {
        name: "entry-serial-not-minimal",
        apply: |c, k| entry(c, |entry| RevokedCertificate { serial: vec![0, 1], ..entry }).issue(k),
    },
    CrlFlaw {
        name: "entry-without-serial",
        apply: |c, k| entry(c, |entry| RevokedCertificate { serial: Vec::new(), ..entry }).issue(k),
    },
    CrlFlaw {
        name: "entry-no-such-day",
        apply: |c, k| {
            entry(c, |entry| RevokedCertificate { revoked_at: der::tlv(0x17, b"260230000000Z"), ..entry })
                .issue(k)
        },
    },
    CrlFlaw {
        name: "entries-not-a-sequence",
        apply: |c, k| CrlBuilder { raw_entries: Some(der::seq(&[der::null()])), ..c }.issue(k),
    },
];

/// Encodings that are not quite DER or the profile, but are unambiguous. CRLs in use have them, and they are accepted.
pub const LENIENT: &[CrlFlaw] = &[
    CrlFlaw { name: "number-critical", apply: |c, k| c.with([Ext { critical: true, ..number(1) }]).issue(k) },
    CrlFlaw {
        name: "empty-extensions",
        apply: |c, k| {
            CrlBuilder {
                extensions: Vec::new(),
                raw_extensions: Some(der::ctx_c(0, &der::seq::<Vec<u8>>(&[]))),
                ..c
            }
            .issue(k)
        },
    },
    CrlFlaw {
        name: "idp-boolean-not-ff",
        apply: |c, k| c.with([Ext::new("2.5.29.28", true, der::seq(&[der::ctx(1, &[1])]))]).issue(k),
    },
    // All reasons, in bytes whose last bits are unused and are encoded.
    CrlFlaw { name: "idp-reasons-trailing-zeros", apply: |c, k| reasons(c, &[0, 0x7f, 0x80]).issue(k) },
    CrlFlaw {
        name: "entry-reason-unused",
        apply: |c, k| entry(c, |entry| entry.with([reason("unused")])).issue(k),
    },
    CrlFlaw {
        name: "entry-reason-weak-algorithm-or-key",
        apply: |c, k| entry(c, |entry| entry.with([reason_number(&[11])])).issue(k),
    },
    CrlFlaw {
        name: "entry-reason-of-two-bytes",
        apply: |c, k| entry(c, |entry| entry.with([reason_number(&[1, 0])])).issue(k),
    },
    CrlFlaw {
        name: "entry-invalidity-date-utc-time",
        apply: |c, k| {
            let date = Ext::new("2.5.29.24", false, der::time("2026-02-01T00:00:00Z"));
            entry(c, |entry| entry.with([date])).issue(k)
        },
    },
    CrlFlaw {
        name: "fractions-of-seconds",
        apply: |c, k| {
            let time = |text: &str| der::tlv(0x18, text.as_bytes());
            let next = Some(time("20270201000000.999Z"));
            CrlBuilder { this_update: time("20261201000000.5Z"), next_update: next, ..c }.issue(k)
        },
    },
    CrlFlaw { name: "line-feed-behind", apply: |c, k| [c.issue(k), b"\n".to_vec()].concat() },
    CrlFlaw { name: "carriage-return-behind", apply: |c, k| [c.issue(k), b"\r".to_vec()].concat() },
    CrlFlaw { name: "line-end-behind", apply: |c, k| [c.issue(k), b"\r\n".to_vec()].concat() },
];

/// onlySomeReasons with this content.
fn reasons(crl: CrlBuilder, content: &[u8]) -> CrlBuilder {
    crl.with([Ext::new("2.5.29.28", true, der::seq(&[der::ctx(3, content)]))])
}

/// One more entry, modified.
fn entry(crl: CrlBuilder, change: impl FnOnce(RevokedCertificate) -> RevokedCertificate) -> CrlBuilder {
    crl.revoking([change(RevokedCertificate::new(&[0x55, 1]))])
}

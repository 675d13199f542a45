//! Named ways to break an OCSP response.

use crate::der;
use crate::ext::Ext;
use crate::key::Key;
use crate::ocsp::{AnswerBuilder, Response, nonce, time};

/// A named flaw.
#[derive(Clone, Copy)]
pub struct OcspFlaw {
    /// Its name.
    pub name: &'static str,
    apply: fn(Response, &Key) -> Vec<u8>,
}

impl OcspFlaw {
    /// The flaw with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        ALL.iter().chain(LENIENT).copied().find(|flaw| flaw.name == name)
    }

    /// Signs the response with the flaw.
    #[must_use]
    pub fn issue(self, response: Response, signer: &Key) -> Vec<u8> {
        (self.apply)(response, signer)
    }
}

/// The flaws that make a response unusable.
pub const ALL: &[OcspFlaw] = &[
    OcspFlaw { name: "trailing-data", apply: |r, k| [r.issue(k), vec![0]].concat() },
    OcspFlaw {
        name: "trailing-data-inside",
        apply: |r, k| {
            let tbs = r.tbs();
            r.wrap(&[&tbs, &k.algorithm(), &der::bits(&k.sign(&tbs)), &der::null()])
        },
    },
    OcspFlaw {
        name: "bad-signature",
        apply: |r, k| r.wrap(&[&r.tbs(), &k.algorithm(), &der::bits(&k.sign(b"another"))]),
    },
    OcspFlaw {
        name: "other-response-type",
        apply: |r, k| Response { kind: "1.3.6.1.4.1.99999.3".to_owned(), ..r }.issue(k),
    },
    OcspFlaw {
        name: "time-with-empty-fraction",
        apply: |r, k| Response { produced_at: der::tlv(0x18, b"20270101000000.Z"), ..r }.issue(k),
    },
    OcspFlaw { name: "success-without-bytes", apply: |_, _| Response::error(0) },
    OcspFlaw { name: "unused-status", apply: |_, _| Response::error(4) },
    OcspFlaw {
        name: "unknown-critical-extension",
        apply: |mut r, k| {
            r.extensions.push(crate::ext::unknown(true));
            r.issue(k)
        },
    },
    OcspFlaw {
        name: "unknown-critical-single-extension",
        apply: |mut r, k| {
            r.answers[0].extensions.push(crate::ext::unknown(true));
            r.issue(k)
        },
    },
    OcspFlaw {
        name: "nonce-twice",
        apply: |mut r, k| {
            r.extensions.extend([nonce(b"a"), nonce(b"a")]);
            r.issue(k)
        },
    },
    OcspFlaw {
        name: "utc-time",
        apply: |r, k| Response { produced_at: der::time("2027-01-01T00:00:00Z"), ..r }.issue(k),
    },
    OcspFlaw {
        name: "status-of-no-kind",
        apply: |mut r, k| {
            r.answers[0].status = der::ctx(3, &[]);
            r.issue(k)
        },
    },
    OcspFlaw {
        name: "good-with-content",
        apply: |mut r, k| {
            r.answers[0].status = der::ctx(0, &[0]);
            r.issue(k)
        },
    },
    OcspFlaw {
        name: "responder-of-no-kind",
        apply: |r, k| Response { responder: der::ctx_c(3, &der::null()), ..r }.issue(k),
    },
    OcspFlaw {
        name: "certs-behind-signer",
        apply: |mut r, k| {
            r.certificates.push(vec![0x30, 0x05, 0]);
            r.issue(k)
        },
    },
];

/// Encodings that are not quite DER or the profile, but are unambiguous. Responders in use have them, and they are
/// accepted.
pub const LENIENT: &[OcspFlaw] = &[
    OcspFlaw {
        name: "fractions-of-seconds",
        apply: |mut r, k| {
            let time = |text: &str| der::tlv(0x18, text.as_bytes());
            r.answers[0].this_update = time("20270101000000.123Z");
            r.answers[0].next_update = Some(time("20270108000000.5Z"));
            Response { produced_at: time("20270101000000.000000001Z"), ..r }.issue(k)
        },
    },
    OcspFlaw {
        name: "invalidity-date-utc-time",
        apply: |mut r, k| {
            r.answers[0].extensions.push(Ext::new("2.5.29.24", false, der::time("2026-02-01T00:00:00Z")));
            r.issue(k)
        },
    },
    OcspFlaw {
        name: "empty-extensions",
        apply: |r, k| {
            let parts = [r.responder.clone(), r.produced_at.clone()];
            let answers = der::seq(&r.answers.iter().map(AnswerBuilder::der).collect::<Vec<_>>());
            let tbs = der::seq(&[der::concat(&parts), answers, der::ctx_c(1, &der::seq::<Vec<u8>>(&[]))]);
            r.wrap(&[&tbs, &k.algorithm(), &der::bits(&k.sign(&tbs))])
        },
    },
    OcspFlaw {
        name: "critical-not-ff",
        apply: |r, k| {
            // An archive cutoff, which is known in answers.
            let body = der::bytes(&time("2020-01-01T00:00:00Z"));
            let extension = der::seq(&[der::oid("1.3.6.1.5.5.7.48.1.6"), vec![1, 1, 1], body]);
            let answers: Vec<_> = r
                .answers
                .iter()
                .map(|answer| {
                    let whole = answer.der();
                    let header = whole.len() - der_content(&whole).len();
                    der::seq(&[&whole[header..], &der::ctx_c(1, &der::seq(&[&extension]))])
                })
                .collect();
            let tbs =
                der::seq(&[der::concat(&[r.responder.clone(), r.produced_at.clone()]), der::seq(&answers)]);
            r.wrap(&[&tbs, &k.algorithm(), &der::bits(&k.sign(&tbs))])
        },
    },
];

fn der_content(element: &[u8]) -> &[u8] {
    let header = if element[1] < 0x80 { 2 } else { 2 + usize::from(element[1] & 0x7f) };
    &element[header..]
}

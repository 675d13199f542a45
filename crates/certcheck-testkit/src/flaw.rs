//! Named flaws of certificates. Each one makes the bytes wrong in one way.

use crate::cert::Cert;
use crate::der;
use crate::ext::{self, Ext};
use crate::key::Key;
use crate::keys::SigAlg;
use crate::name::name;

type Break = fn(Cert, &Key) -> Vec<u8>;

/// A named flaw.
#[derive(Clone, Copy)]
pub struct Flaw {
    /// Its name.
    pub name: &'static str,
    apply: Break,
}

impl Flaw {
    /// The flaw with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        ALL.iter().chain(LENIENT).copied().find(|flaw| flaw.name == name)
    }

    /// Signs the certificate with the flaw.
    #[must_use]
    pub fn issue(self, cert: Cert, issuer: &Key) -> Vec<u8> {
        (self.apply)(cert, issuer)
    }
}

/// The flaws that are rejected.
pub const ALL: &[Flaw] = &[
    Flaw { name: "trailing-data", apply: |c, k| [c.issue(k), vec![0]].concat() },
    Flaw {
        name: "trailing-data-inside",
        apply: |c, k| outer(&[&c.tbs(k), &k.algorithm(), &signature(&c, k), &der::null()]),
    },
    Flaw {
        name: "indefinite-length",
        apply: |c, k| [&[0x30, 0x80][..], &inside(&c.issue(k)), &[0, 0]].concat(),
    },
    Flaw {
        name: "non-minimal-length",
        apply: |c, k| {
            let inside = inside(&c.issue(k));
            let length = u32::try_from(inside.len()).unwrap().to_be_bytes();
            [&[0x30, 0x84][..], &length, &inside].concat()
        },
    },
    Flaw {
        name: "non-minimal-integer",
        apply: |c, k| Cert { serial: [vec![0], c.serial.clone()].concat(), ..c }.issue(k),
    },
    Flaw { name: "empty-serial", apply: |c, k| Cert { serial: Vec::new(), ..c }.issue(k) },
    Flaw { name: "duplicate-extension", apply: |c, k| again(c, "2.5.29.14").issue(k) },
    Flaw {
        name: "duplicate-unknown-extension",
        apply: |c, k| again(c.with([ext::unknown(false)]), "1.3.6.1.4.1.99999.2").issue(k),
    },
    Flaw { name: "extensions-in-v1", apply: |c, k| Cert { version: 1, ..c }.issue(k) },
    Flaw { name: "extensions-in-v2", apply: |c, k| Cert { version: 2, ..c }.issue(k) },
    Flaw { name: "version-4", apply: |c, k| Cert { version: 4, ..c }.issue(k) },
    Flaw {
        name: "unique-id-in-v1",
        apply: |c, k| {
            Cert { version: 1, extensions: Vec::new(), unique_ids: der::ctx(1, &[0, 1]), ..c }.issue(k)
        },
    },
    Flaw {
        name: "mismatched-signature-algorithm",
        apply: |c, k| Cert { inner_algorithm: Some(SigAlg::RsaSha512.signer(k).algorithm()), ..c }.issue(k),
    },
    Flaw {
        name: "smuggled-parameters",
        apply: |c, k| {
            let algorithm = der::seq(&[inside(&k.algorithm()), der::bytes(b"more")]);
            let c = Cert { inner_algorithm: Some(algorithm.clone()), ..c };
            outer(&[&c.tbs(k), &algorithm, &signature(&c, k)])
        },
    },
    Flaw {
        name: "bad-signature",
        apply: |c, k| {
            let mut broken = c.issue(k);
            let last = broken.len() - 1;
            broken[last] ^= 1;
            broken
        },
    },
    Flaw {
        name: "zero-signature",
        apply: |c, k| with_signature(&c, k, &der::bits(&der::seq(&[der::int(0), der::int(0)]))),
    },
    Flaw { name: "empty-signature", apply: |c, k| with_signature(&c, k, &der::bits(&[])) },
    Flaw { name: "oversized-signature", apply: |c, k| with_signature(&c, k, &der::bits(&[0x5a; 20_000])) },
    Flaw {
        name: "unused-bits-in-signature",
        apply: |c, k| {
            let bytes = k.sign(&c.tbs(k));
            with_signature(&c, k, &der::bit_string(1, &bytes))
        },
    },
    Flaw {
        name: "key-usage-unused-bits-set",
        apply: |c, k| c.with([value("2.5.29.15", vec![3, 2, 7, 0xff])]).issue(k),
    },
    Flaw {
        name: "key-usage-empty",
        apply: |c, k| c.with([value("2.5.29.15", der::bit_string(0, &[]))]).issue(k),
    },
    Flaw {
        name: "key-usage-too-many-unused-bits",
        apply: |c, k| c.with([value("2.5.29.15", vec![3, 2, 8, 0x80])]).issue(k),
    },
    Flaw { name: "key-usage-no-bytes", apply: |c, k| c.with([value("2.5.29.15", vec![3, 0])]).issue(k) },
    Flaw { name: "empty-issuer", apply: |c, k| Cert { issuer: name(""), ..c }.issue(k) },
    Flaw {
        name: "empty-rdn",
        apply: |c, k| Cert { subject: der::seq(&[der::set::<Vec<u8>>(&[])]), ..c }.issue(k),
    },
    Flaw { name: "empty-eku", apply: |c, k| c.with([ext::eku::<&str>(&[])]).issue(k) },
    Flaw { name: "empty-policies", apply: |c, k| c.with([ext::policies::<&str>(&[])]).issue(k) },
    Flaw { name: "duplicate-policy", apply: |c, k| c.with([ext::policies(&["1.2.3", "1.2.3"])]).issue(k) },
    Flaw {
        name: "empty-name-constraints",
        apply: |c, k| c.with([ext::name_constraints::<&str>(&[], &[])]).issue(k),
    },
    Flaw {
        name: "subtree-minimum",
        apply: |c, k| {
            let subtree = der::seq(&[crate::name::general_name("dns:a"), der::ctx(0, &[1])]);
            c.with([value("2.5.29.30", der::seq(&[der::ctx_c(0, &subtree)]))]).issue(k)
        },
    },
    Flaw {
        name: "ip-mask-not-contiguous",
        apply: |c, k| {
            let subtree = der::seq(&[der::ctx(7, &[10, 0, 0, 0, 255, 0, 255, 0])]);
            c.with([value("2.5.29.30", der::seq(&[der::ctx_c(0, &subtree)]))]).issue(k)
        },
    },
    Flaw {
        name: "bad-ip-length",
        apply: |c, k| c.with([value("2.5.29.17", der::seq(&[der::ctx(7, &[1, 2, 3])]))]).issue(k),
    },
    Flaw {
        name: "non-ascii-dns",
        apply: |c, k| {
            c.with([value("2.5.29.17", der::seq(&[der::ctx(2, "\u{e4}.example".as_bytes())]))]).issue(k)
        },
    },
    Flaw {
        name: "unknown-general-name",
        apply: |c, k| c.with([value("2.5.29.17", der::seq(&[der::ctx(9, b"x")]))]).issue(k),
    },
    Flaw {
        name: "malformed-san",
        apply: |c, k| c.with([value("2.5.29.17", vec![0x30, 0x03, 0x82, 0x05, b'a'])]).issue(k),
    },
    Flaw {
        name: "half-aki",
        apply: |c, k| c.with([value("2.5.29.35", der::seq(&[der::ctx(2, &[1])]))]).issue(k),
    },
    Flaw {
        name: "reasons-without-bits",
        apply: |c, k| c.with([value("2.5.29.31", der::seq(&[der::seq(&[der::ctx(1, &[])])]))]).issue(k),
    },
    Flaw {
        name: "reasons-alone",
        apply: |c, k| {
            c.with([value("2.5.29.31", der::seq(&[der::seq(&[der::ctx(1, &[6, 0x40])])]))]).issue(k)
        },
    },
    Flaw {
        name: "negative-path-len",
        apply: |c, k| c.with([ext::basic_constraints(true, Some(-1))]).issue(k),
    },
    Flaw {
        name: "policy-constraints-empty",
        apply: |c, k| c.with([ext::policy_constraints(None, None)]).issue(k),
    },
    Flaw {
        name: "time-without-z",
        apply: |c, k| Cert { not_after: der::tlv(0x17, b"3001010000000"), ..c }.issue(k),
    },
    Flaw {
        name: "fractional-time",
        apply: |c, k| Cert { not_after: der::tlv(0x18, b"20500101000000.5Z"), ..c }.issue(k),
    },
    Flaw {
        name: "utc-time-without-seconds",
        apply: |c, k| Cert { not_after: der::tlv(0x17, b"3001010000Z"), ..c }.issue(k),
    },
    Flaw {
        name: "time-with-offset",
        apply: |c, k| Cert { not_after: der::tlv(0x17, b"300101000000+0100"), ..c }.issue(k),
    },
    Flaw {
        name: "no-such-day",
        apply: |c, k| Cert { not_after: der::tlv(0x17, b"300230000000Z"), ..c }.issue(k),
    },
    Flaw {
        name: "explicit-version-1",
        apply: |c, k| {
            let tbs = c.tbs(k);
            let rest = inside(&tbs);
            crate::cert::sign(&der::seq(&[der::ctx_c(0, &der::int(0)), rest[5..].to_vec()]), k)
        },
    },
    Flaw {
        name: "high-tag",
        apply: |c, k| Cert { subject: [&[0x3f, 0x21, 0x00][..]].concat(), ..c }.issue(k),
    },
    Flaw {
        name: "huge-oid",
        apply: |c, k| {
            c.with([Ext { oid: format!("1.3{}", ".5".repeat(200)), ..ext::unknown(false) }]).issue(k)
        },
    },
    Flaw {
        name: "padded-oid",
        apply: |c, k| raw(c, &der::seq(&[der::tlv(6, &[0x2b, 0x80, 0x01]), der::bytes(b"")])).issue(k),
    },
    Flaw {
        name: "null-with-content",
        apply: |c, k| c.with([value("1.3.6.1.5.5.7.48.1.5", der::tlv(5, &[0]))]).issue(k),
    },
];

/// Encodings that are not quite DER or the profile, but are unambiguous. Certificates in use have them, and they are
/// accepted.
pub const LENIENT: &[Flaw] = &[
    Flaw {
        name: "key-usage-trailing-zeros",
        apply: |c, k| {
            let usage =
                c.extensions.iter().find(|extension| extension.oid == "2.5.29.15").unwrap().value.clone();
            // One byte of the same bits, none of them unused.
            let content = inside(&usage);
            c.with([Ext::new("2.5.29.15", true, der::bit_string(0, &content[1..]))]).issue(k)
        },
    },
    Flaw {
        name: "key-usage-trailing-zero-byte",
        apply: |c, k| {
            let usage =
                c.extensions.iter().find(|extension| extension.oid == "2.5.29.15").unwrap().value.clone();
            let content = [&inside(&usage)[1..], &[0]].concat();
            c.with([Ext::new("2.5.29.15", true, der::bit_string(7, &content))]).issue(k)
        },
    },
    Flaw {
        name: "reasons-trailing-zeros",
        apply: |c, k| {
            let name = der::ctx_c(0, &der::ctx_c(0, &crate::name::general_name("uri:http://a.example/")));
            let point = der::seq(&[name, der::ctx(1, &[0, 0x60])]);
            c.with([value("2.5.29.31", der::seq(&[point]))]).issue(k)
        },
    },
    Flaw {
        name: "boolean-not-ff",
        apply: |mut c, k| {
            let written = |extension: &Ext| {
                let critical = if extension.critical { vec![1, 1, 1] } else { vec![1, 1, 0] };
                der::seq(&[der::oid(&extension.oid), critical, der::bytes(&extension.value)])
            };
            let list: Vec<_> = c.extensions.iter().map(written).collect();
            c.raw_extensions = Some(der::ctx_c(3, &der::seq(&list)));
            c.issue(k)
        },
    },
    Flaw {
        name: "ca-not-ff",
        apply: |c, k| c.with([Ext::new("2.5.29.19", true, der::seq(&[vec![1, 1, 0x2a]]))]).issue(k),
    },
    Flaw { name: "empty-san", apply: |c, k| c.with([ext::san::<&str>(&[])]).issue(k) },
    Flaw {
        name: "empty-issuer-alt-name",
        apply: |c, k| c.with([value("2.5.29.18", der::seq::<Vec<u8>>(&[]))]).issue(k),
    },
    Flaw {
        name: "empty-policy-qualifiers",
        apply: |c, k| {
            let information = der::seq(&[der::oid("1.2.3.4"), der::seq::<Vec<u8>>(&[])]);
            c.with([value("2.5.29.32", der::seq(&[information]))]).issue(k)
        },
    },
    Flaw {
        name: "empty-extensions",
        apply: |c, k| Cert { raw_extensions: Some(der::ctx_c(3, &der::seq::<Vec<u8>>(&[]))), ..c }.issue(k),
    },
];

fn inside(element: &[u8]) -> Vec<u8> {
    let header = if element[1] < 0x80 { 2 } else { 2 + usize::from(element[1] & 0x7f) };
    element[header..].to_vec()
}

fn outer(parts: &[&[u8]]) -> Vec<u8> {
    der::seq(parts)
}

fn signature(cert: &Cert, key: &Key) -> Vec<u8> {
    der::bits(&key.sign(&cert.tbs(key)))
}

fn with_signature(cert: &Cert, key: &Key, signature: &[u8]) -> Vec<u8> {
    outer(&[&cert.tbs(key), &key.algorithm(), signature])
}

fn value(oid: &str, value: Vec<u8>) -> Ext {
    Ext::new(oid, false, value)
}

/// The certificate with a duplicate of an extension.
fn again(mut cert: Cert, oid: &str) -> Cert {
    let twin = cert.extensions.iter().find(|extension| extension.oid == oid).unwrap().clone();
    cert.extensions.push(twin);
    cert
}

/// The certificate with this extension, as it is.
fn raw(mut cert: Cert, extension: &[u8]) -> Cert {
    cert.raw_extensions = Some(der::ctx_c(3, &der::seq(&[extension])));
    cert
}

//! Chains of at most 64 KiB that cost as much as possible: what anyone may present, and what a constrained CA below the
//! anchor may issue in addition.

use crate::bulk::Onslaught;
use crate::cert::Cert;
use crate::ext::{self, Ext, Point};
use crate::key::Key;
use crate::keys::{self, SigAlg};

/// Bytes that a generator may present, the target included.
pub const MOST: usize = 64 << 10;

/// The character that grows most under NFKC, from three bytes to 33.
const GROWS: &str = "\u{fdfa}";

const ROOT: &str = "CN=Hostile Root";
const CA: &str = "CN=Hostile CA";

fn root_key() -> Key {
    Key::p256("hostile root")
}

fn key(n: usize) -> Key {
    Key::p256(&format!("hostile {n}"))
}

fn anchor() -> Vec<u8> {
    Cert::root(ROOT, &root_key()).issue(&root_key())
}

/// A leaf below a CA that the anchor has certified.
fn vouched(
    ca: impl IntoIterator<Item = Ext>,
    subject: &str,
    leaf: impl IntoIterator<Item = Ext>,
) -> Onslaught {
    let ca_key = key(0);
    Onslaught {
        anchor: anchor(),
        presented: vec![Cert::ca(CA, &ca_key, ROOT, &root_key()).with(ca).issue(&root_key())],
        leaf: Cert::leaf(subject, &key(1), CA, &ca_key).with(leaf).issue(&ca_key),
    }
}

/// As many uncertified CA certificates as fit, and a leaf below the first.
fn junk(names: impl Fn(usize) -> (String, String)) -> Onslaught {
    let forger = key(0);
    let leaf = Cert::leaf("CN=client", &key(1), &names(0).0, &forger).issue(&forger);
    let mut left = MOST.saturating_sub(leaf.len());
    let mut presented = Vec::new();
    for n in 0.. {
        let (own, issuer) = names(n);
        let mut cert = Cert::ca(&own, &key(n % 64), &issuer, &forger);
        cert.serial = [&[0x40][..], &u32::try_from(n).unwrap().to_be_bytes()].concat();
        let der = cert.issue(&forger);
        match left.checked_sub(der.len()) {
            Some(rest) => left = rest,
            None => break,
        }
        presented.push(der);
    }
    Onslaught { anchor: anchor(), leaf, presented }
}

/// CA certificates with the name of a root that has this key, none of them signed by it. Each costs a signature to
/// reject.
fn below_root(root: &Key, alg: SigAlg) -> Onslaught {
    let anchor = Cert::root(ROOT, root).issue(root);
    let forger = match alg {
        SigAlg::Default => key(0),
        _ => alg.signer(&keys::rsa4096("hostile forger")),
    };
    let mut left = MOST;
    let mut presented = Vec::new();
    for n in 0_u32.. {
        let mut cert = Cert::ca(CA, &key(0), ROOT, root);
        cert.serial = [&[0x40][..], &n.to_be_bytes()].concat();
        let der = cert.issue(if matches!(alg, SigAlg::Default) { root } else { &forger });
        match left.checked_sub(der.len()) {
            Some(rest) => left = rest,
            None => break,
        }
        presented.push(spoilt(der));
    }
    let leaf = Cert::leaf("CN=client", &key(1), CA, &key(0)).issue(&key(0));
    presented.pop();
    Onslaught { anchor, leaf, presented }
}

/// As many keys of one CA as fit, each certified by another one, and none by the root.
fn self_issued() -> Onslaught {
    let cert = |n: usize| Cert::ca(CA, &key(n), CA, &key(n + 1)).issue(&key(n + 1));
    let leaf = Cert::leaf("CN=client", &key(500), CA, &key(0)).issue(&key(0));
    let max = MOST / (cert(0).len() + 16) - 1;
    Onslaught { anchor: anchor(), leaf, presented: (0..max).map(cert).collect() }
}

/// The same certificate, with a signature that does not verify.
fn spoilt(mut der: Vec<u8>) -> Vec<u8> {
    if let Some(last) = der.last_mut() {
        *last ^= 1;
    }
    der
}

/// As many of these texts as fit in `max` bytes, each with its size.
fn fill(max: usize, size: usize, text: impl Fn(usize) -> String) -> Vec<String> {
    (0..max / size).map(text).collect()
}

/// RDNs with commas between them.
fn rdns(count: usize, rdn: impl Fn(usize) -> String) -> String {
    (0..count).map(rdn).collect::<Vec<_>>().join(",")
}

/// Names and constraints of this many bytes and forms.
fn constrained(
    about: &'static str,
    size: usize,
    form: impl Fn(usize, bool) -> String,
) -> (&'static str, Onslaught) {
    let half = MOST / 2 - 2_048;
    let excluded = fill(half, size + 6, |n| form(n, false));
    let names = fill(half, size + 4, |n| form(n, true));
    let none: [String; 0] = [];
    (about, vouched([ext::name_constraints(&none, &excluded)], "CN=client", [ext::san(&names)]))
}

/// Every generator, by name.
#[must_use]
pub fn all() -> Vec<(&'static str, Onslaught)> {
    let none: [String; 0] = [];
    let excluded_directories = |count: usize| {
        let bases: Vec<String> = (0..count).map(|n| format!("dir:CN=x{n}")).collect();
        ext::name_constraints(&none, &bases)
    };
    let big = |bytes: usize| format!("CN={}", GROWS.repeat(bytes / 3));
    let many_values = |count: usize, n: usize| rdns(count, |v| format!("OU={v} {n} {}", GROWS.repeat(40)));
    let set_of = |count: usize, from: usize| {
        (0..count).map(|v| format!("OU=\u{e9}{}", v + from)).collect::<Vec<_>>().join("+")
    };
    let mut all = vec![
        ("a subject of one value that grows, and excluded directories", {
            vouched([excluded_directories(1_000)], &big(28 << 10), [])
        }),
        ("a subject of many values that grow, and excluded directories", {
            vouched([excluded_directories(1_000)], &many_values(200, 0), [])
        }),
        ("a subject and constraints that grow alike", {
            let bases: Vec<String> = (0..150).map(|n| format!("dir:{}", many_values(1, n))).collect();
            vouched([ext::name_constraints(&none, &bases)], &many_values(170, 1_000), [])
        }),
        ("names that grow as much as is prepared, and constraints that do", {
            let value = |n: usize| format!("CN={n}{}{}", "\u{e9}".repeat(100), GROWS.repeat(12));
            let bases: Vec<String> = (0..100).map(|n| format!("dir:{}", value(n))).collect();
            let names: Vec<String> = (0..100).map(|n| format!("dir:{}", value(n + 1_000))).collect();
            vouched([ext::name_constraints(&none, &bases)], "CN=client", [ext::san(&names)])
        }),
        ("short names that grow, and constraints that do", {
            let value = |n: usize| format!("CN=\u{fdfa}\u{fdfa}{n}");
            let bases: Vec<String> = (0..900).map(|n| format!("dir:{}", value(n))).collect();
            let names: Vec<String> = (0..900).map(|n| format!("dir:{}", value(n + 1_000))).collect();
            vouched([ext::name_constraints(&none, &bases)], "CN=client", [ext::san(&names)])
        }),
        ("a subject of short values that grow", {
            let subject = rdns(1_500, |n| format!("OU=\u{fdfa}\u{fdfa}{n}"));
            vouched([excluded_directories(1_000)], &subject, [])
        }),
        ("names that grow, and constraints that do", {
            let bases: Vec<String> = (0..150).map(|n| format!("dir:{}", many_values(1, n))).collect();
            let names: Vec<String> = (0..150).map(|n| format!("dir:{}", many_values(1, n + 1_000))).collect();
            vouched([ext::name_constraints(&none, &bases)], "CN=client", [ext::san(&names)])
        }),
        ("sets of many attributes in one RDN, and constraints that are such", {
            let bases = [format!("dir:{}", set_of(1_000, 0)), format!("dir:{}", set_of(1_000, 1))];
            vouched([ext::name_constraints(&none, &bases)], &set_of(1_000, 2), [])
        }),
        ("many small directory names, and as many constraints", {
            let bases: Vec<String> = (0..1_000).map(|n| format!("dir:CN=\u{e9}{n}")).collect();
            let names: Vec<String> = (0..1_000).map(|n| format!("dir:CN=\u{ea}{n}")).collect();
            vouched([ext::name_constraints(&none, &bases)], "CN=client", [ext::san(&names)])
        }),
        constrained("hosts against hosts", 12, |n, is_name| {
            if is_name { format!("dns:a{n}.b.example") } else { format!("dns:c{n}.example") }
        }),
        constrained("mailboxes against hosts", 14, |n, is_name| {
            if is_name { format!("email:a{n}@b.example") } else { format!("email:c{n}.example") }
        }),
        constrained("URIs against hosts", 20, |n, is_name| {
            if is_name { format!("uri:http://a{n}.b.example/") } else { format!("uri:c{n}.example") }
        }),
        ("a mailbox of 28 KB, and many hosts", {
            let bases: Vec<String> = (0..2_000).map(|n| format!("email:c{n}.example")).collect();
            let name = format!("email:{}@b.example", "a".repeat(28 << 10));
            vouched([ext::name_constraints(&none, &bases)], "CN=client", [ext::san(&[name])])
        }),
        ("a user principal name of 28 KB, and many of them", {
            let bases: Vec<String> = (0..900).map(|n| format!("upn:c{n}.example")).collect();
            let name = format!("upn:{}@b.example", "a".repeat(28 << 10));
            vouched([ext::name_constraints(&none, &bases)], "CN=client", [ext::san(&[name])])
        }),
        ("a URI of 28 KB, and many hosts", {
            let bases: Vec<String> = (0..2_000).map(|n| format!("uri:c{n}.example")).collect();
            let name = format!("uri:http://{}@b.example/", "a".repeat(28 << 10));
            vouched([ext::name_constraints(&none, &bases)], "CN=client", [ext::san(&[name])])
        }),
        ("keys of one CA that certify each other", self_issued()),
        constrained("long hosts against long hosts", 240, |n, is_name| {
            let label = if is_name { "a" } else { "b" }.repeat(60);
            format!("dns:{n}.{label}.{label}.{label}")
        }),
        ("junk whose names grow", junk(|n| (many_values(8, n), many_values(8, n + 1)))),
        ("junk whose names grow, all self-issued", junk(|n| (many_values(16, n), many_values(16, n)))),
        ("junk of one name that grows", junk(|_| (many_values(8, 0), many_values(8, 0)))),
        (
            "junk of one name that grows, below the root's name",
            junk(|_| (many_values(8, 0), ROOT.to_owned())),
        ),
        ("junk of one key and one name that grows", {
            let name = many_values(8, 0);
            let mut all = junk(|_| (name.clone(), name.clone()));
            all.leaf = Cert::leaf(&many_values(8, 1), &key(0), &name, &key(0)).issue(&key(0));
            all.presented.truncate(all.presented.len() - 2);
            all
        }),
        ("junk of sets", junk(|n| (set_of(100, n), set_of(100, n + 1)))),
        ("junk of the issuer's name, below the root's name", junk(|_| (CA.to_owned(), ROOT.to_owned()))),
        (
            "junk below the name of a root with a P-384 key",
            below_root(&Key::p384("hostile root"), SigAlg::Default),
        ),
        ("junk below the name of a root with a long RSA key", {
            below_root(&keys::rsa4096("hostile root"), SigAlg::RsaSha512)
        }),
        ("junk below the name of a root, with salts of odd lengths", {
            below_root(&keys::rsa4096("hostile root"), SigAlg::RsaPss(20))
        }),
        ("junk of one name", junk(|_| (CA.to_owned(), CA.to_owned()))),
        ("junk in a line up to the root's name", {
            junk(|n| {
                (
                    format!("CN=Line {n}"),
                    if n % 20 == 19 { ROOT.to_owned() } else { format!("CN=Line {}", n + 1) },
                )
            })
        }),
        ("junk in layers up to the root's name", {
            junk(|n| {
                let (layer, own, above) = (n / 16, n / 4 % 4, n % 4);
                let issuer =
                    if layer >= 6 { ROOT.to_owned() } else { format!("CN=Layer {} {above}", layer + 1) };
                (format!("CN=Layer {layer} {own}"), issuer)
            })
        }),
        ("many points, issuers and URLs", {
            let points: Vec<Point> = (0..700)
                .map(|n| Point {
                    full: vec![format!("uri:http://x/{n}")],
                    crl_issuer: vec![format!("dir:CN=\u{e9}{n}")],
                    ..Point::default()
                })
                .collect();
            let urls: Vec<String> = (0..500).map(|n| format!("http://y/{n}")).collect();
            vouched([], "CN=client", [ext::cdp(&points), ext::aia(&urls, &urls)])
        }),
        ("many extensions", {
            let extensions =
                (0..2_000).map(|n| Ext::new(&format!("1.3.6.1.4.1.99999.7.{n}"), false, vec![5, 0]));
            vouched([], "CN=client", extensions)
        }),
        ("many policies, mapped in each CA", policies()),
    ];
    all.retain(|(about, onslaught)| {
        let size = onslaught.leaf.len() + onslaught.presented.iter().map(Vec::len).sum::<usize>();
        assert!(size <= MOST + 2_048, "{about}: {size} bytes");
        true
    });
    all
}

/// Certified CAs that map every policy to every other.
fn policies() -> Onslaught {
    let policy = |n: usize| format!("1.3.6.1.4.1.99999.8.{n}");
    let mut presented = Vec::new();
    let (mut issuer, mut issuer_key) = (ROOT.to_owned(), root_key());
    for level in 0..8 {
        let names: Vec<String> = (0..40).map(policy).collect();
        let pairs: Vec<(String, String)> =
            (0..20).flat_map(|a| (20..30).map(move |b| (policy(a), policy(b)))).collect();
        let own = (format!("CN=Policies {level}"), key(level));
        let cert = Cert::ca(&own.0, &own.1, &issuer, &issuer_key)
            .with([ext::policies(&names), ext::policy_mappings(&pairs)]);
        presented.push(cert.issue(&issuer_key));
        (issuer, issuer_key) = own;
    }
    let names: Vec<String> = (0..40).map(policy).collect();
    let leaf = Cert::leaf("CN=client", &key(99), &issuer, &issuer_key).with([ext::policies(&names)]);
    Onslaught { anchor: anchor(), leaf: leaf.issue(&issuer_key), presented }
}

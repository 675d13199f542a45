//! PKIs that are made to exhaust a validator.

use crate::cert::Cert;
use crate::der;
use crate::ext::{self, Ext};
use crate::key::Key;

/// What an attacker sends, and the anchor.
pub struct Onslaught {
    /// The anchor's certificate.
    pub anchor: Vec<u8>,
    /// The target.
    pub leaf: Vec<u8>,
    /// The certificates presented along with it.
    pub presented: Vec<Vec<u8>>,
}

/// How the certificates of a mesh differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Mesh {
    /// One name and one key: only serial numbers differ.
    SameNameSameKey,
    /// One name, and a key for each certificate.
    SameNameOtherKeys,
    /// A name for each certificate, and one key.
    OtherNamesSameKey,
    /// Layers of `width` names, each issued by all names of the layer above.
    Layers {
        /// The names of a layer.
        width: usize,
    },
}

/// A mesh of `count` CA certificates below an anchor that has certified none of them, so that there is no valid path.
#[must_use]
pub fn mesh(shape: Mesh, count: usize) -> Onslaught {
    let root_key = Key::p256("mesh root");
    let anchor = Cert::root("CN=Mesh Root", &root_key).issue(&root_key);
    let mut presented = Vec::new();
    let key = |n: usize| Key::p256(&format!("mesh {n}"));
    let numbered = |mut cert: Cert, n: usize| {
        cert.serial = [&[0x40][..], &u32::try_from(n).unwrap().to_be_bytes()].concat();
        cert
    };
    let (top, leaf_issuer, leaf_key): (Vec<String>, String, Key) = match shape {
        Mesh::SameNameSameKey | Mesh::SameNameOtherKeys => {
            for n in 0..count {
                let (own, issuer) = if shape == Mesh::SameNameSameKey {
                    (key(0), key(0))
                } else {
                    (key(n), key((n + 1) % count))
                };
                presented.push(numbered(Cert::ca("CN=Mesh", &own, "CN=Mesh", &issuer), n).issue(&issuer));
            }
            (vec!["CN=Mesh".to_owned()], "CN=Mesh".to_owned(), key(0))
        }
        Mesh::OtherNamesSameKey => {
            for n in 0..count {
                let (own, issuer) = (format!("CN=Mesh {n}"), format!("CN=Mesh {}", n + 1));
                presented.push(Cert::ca(&own, &key(0), &issuer, &key(0)).issue(&key(0)));
            }
            (vec![format!("CN=Mesh {count}")], "CN=Mesh 0".to_owned(), key(0))
        }
        Mesh::Layers { width } => {
            let label = |layer: usize, n: usize| format!("CN=Layer {layer} no {n}");
            let layers = count / (width * width);
            for layer in 0..layers {
                for (n, m) in (0..width).flat_map(|n| (0..width).map(move |m| (n, m))) {
                    let (own, issuer) = (key(layer * width + n), key((layer + 1) * width + m));
                    presented
                        .push(Cert::ca(&label(layer, n), &own, &label(layer + 1, m), &issuer).issue(&issuer));
                }
            }
            ((0..width).map(|n| label(layers, n)).collect(), label(0, 0), key(0))
        }
    };
    // The top of the mesh has the anchor's name as its issuer, and is signed with a key that is not the anchor's.
    for (n, name) in top.iter().enumerate() {
        let forger = Key::p256("mesh forger");
        presented
            .push(numbered(Cert::ca(name, &key(n), "CN=Mesh Root", &forger), 1_000_000 + n).issue(&forger));
    }
    let client = Key::p256("mesh client");
    let leaf = Cert::leaf("CN=client", &client, &leaf_issuer, &leaf_key).issue(&leaf_key);
    Onslaught { anchor, leaf, presented }
}

/// A leaf below one CA, with these extensions.
#[must_use]
pub fn pair(ca: impl IntoIterator<Item = Ext>, leaf: impl IntoIterator<Item = Ext>) -> Onslaught {
    let (root_key, ca_key, key) = (Key::p256("bulk root"), Key::p256("bulk ca"), Key::p256("bulk client"));
    Onslaught {
        anchor: Cert::root("CN=Bulk Root", &root_key).issue(&root_key),
        presented: vec![Cert::ca("CN=Bulk CA", &ca_key, "CN=Bulk Root", &root_key).with(ca).issue(&root_key)],
        leaf: Cert::leaf("CN=client", &key, "CN=Bulk CA", &ca_key).with(leaf).issue(&ca_key),
    }
}

/// A leaf with this many names below a CA with this many constraints, where only the last constraint matches.
#[must_use]
pub fn names_and_constraints(names: usize, constraints: usize) -> Onslaught {
    let names: Vec<_> = (0..names).map(|n| format!("dns:n{n}.example.com")).collect();
    let mut bases: Vec<_> = (1..constraints).map(|n| format!("dns:c{n}.example.net")).collect();
    bases.push("dns:example.com".to_owned());
    pair([ext::name_constraints(&bases, &[])], [ext::san(&names)])
}

/// `width` policies mapped all to all at each of `depth` CAs.
#[must_use]
pub fn policy_bomb(width: usize, depth: usize) -> Onslaught {
    let root_key = Key::p256("bomb root");
    let policy = |level: usize, n: usize| format!("1.2.{level}.{n}");
    let mut presented = Vec::new();
    let mut issuer = ("CN=Bomb Root".to_owned(), root_key.clone());
    for level in 0..depth {
        let own = (format!("CN=Bomb {level}"), Key::p256(&format!("bomb {level}")));
        let policies: Vec<_> = (0..width).map(|n| policy(level, n)).collect();
        let mappings: Vec<_> = (0..width)
            .flat_map(|n| (0..width).map(move |m| (n, m)))
            .map(|(n, m)| (policy(level, n), policy(level + 1, m)))
            .collect();
        let cert = Cert::ca(&own.0, &own.1, &issuer.0, &issuer.1).with([
            ext::policies(&policies),
            ext::policy_mappings(&mappings),
            ext::policy_constraints(Some(0), None),
        ]);
        presented.push(cert.issue(&issuer.1));
        issuer = own;
    }
    let policies: Vec<_> = (0..width).map(|n| policy(depth, n)).collect();
    let key = Key::p256("bomb client");
    let leaf = Cert::leaf("CN=client", &key, &issuer.0, &issuer.1).with([ext::policies(&policies)]);
    Onslaught {
        anchor: Cert::root("CN=Bomb Root", &root_key).issue(&root_key),
        leaf: leaf.issue(&issuer.1),
        presented,
    }
}

/// A leaf whose certificate has about this many bytes.
#[must_use]
pub fn large(bytes: usize) -> Onslaught {
    pair([], [Ext { value: vec![0; bytes], ..ext::unknown(false) }])
}

/// A leaf with this many unknown extensions.
#[must_use]
pub fn many_extensions(count: usize) -> Onslaught {
    pair(
        [],
        (0..count)
            .map(|n| Ext { oid: format!("1.3.6.1.4.1.99999.3.{n}"), ..ext::unknown(false) })
            .collect::<Vec<_>>(),
    )
}

/// An element inside an element, this many times.
#[must_use]
pub fn nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(der::null(), |inner, _| der::tlv(0x30, &inner))
}

//! Named public keys that are weak or malformed, and a few that are only rare.

use crate::der;
use crate::key::Key;
use crate::keys;

/// A named SubjectPublicKeyInfo.
#[derive(Clone, Debug)]
pub struct OddKey {
    /// Its name.
    pub name: &'static str,
    /// SubjectPublicKeyInfo, encoded.
    pub spki: Vec<u8>,
}

/// The key with this name.
#[must_use]
pub fn named(name: &str) -> Option<OddKey> {
    all().into_iter().find(|key| key.name == name)
}

/// All of them.
#[must_use]
pub fn all() -> Vec<OddKey> {
    [of_rsa(), of_curves(), of_points(), of_25519(), of_others()].concat()
}

fn spki(algorithm: &[Vec<u8>], public: &[u8]) -> Vec<u8> {
    der::seq(&[der::seq(algorithm), der::bits(public)])
}

fn rsa(name: &'static str, modulus: &[u8], exponent: &[u8]) -> OddKey {
    let public = der::seq(&[der::int_bytes(modulus), der::int_bytes(exponent)]);
    OddKey { name, spki: spki(&[der::oid("1.2.840.113549.1.1.1"), der::null()], &public) }
}

fn of_rsa() -> Vec<OddKey> {
    let modulus = |bytes: &[u8]| [&[0], bytes].concat();
    let good = modulus(&keys::modulus(&keys::rsa2048("odd")));
    let mut even = good.clone();
    *even.last_mut().unwrap() &= 0xfe;
    let mut larger = good.clone();
    *larger.last_mut().unwrap() |= 2;
    let mut long = vec![0xa5; 1032];
    long[1031] |= 1;
    let trailing = der::seq(&[der::int_bytes(&good), der::int(65_537), der::null()]);
    vec![
        rsa("rsa-exponent-1", &good, &[1]),
        rsa("rsa-exponent-2", &good, &[2]),
        rsa("rsa-exponent-65536", &good, &[1, 0, 0]),
        rsa("rsa-exponent-zero", &good, &[0]),
        rsa("rsa-exponent-negative", &good, &[0xfd]),
        rsa("rsa-exponent-not-minimal", &good, &[0, 3]),
        rsa("rsa-exponent-as-large-as-the-modulus", &good, &larger),
        rsa("rsa-exponent-3", &good, &[3]),
        rsa("rsa-exponent-of-40-bits", &good, &[0, 0x80, 0, 0, 0, 1]),
        rsa("rsa-modulus-even", &even, &[1, 0, 1]),
        rsa("rsa-modulus-negative", &[&[0x80][..], &good[1..]].concat(), &[1, 0, 1]),
        rsa("rsa-modulus-not-minimal", &[&[0][..], &good].concat(), &[1, 0, 1]),
        rsa("rsa-modulus-zero", &[0], &[1, 0, 1]),
        rsa("rsa-1024", &modulus(&keys::modulus(&keys::rsa1024("odd"))), &[1, 0, 1]),
        rsa("rsa-8256", &modulus(&long), &[1, 0, 1]),
        OddKey {
            name: "rsa-trailing-data",
            spki: spki(&[der::oid("1.2.840.113549.1.1.1"), der::null()], &trailing),
        },
    ]
}

/// `04`, and coordinates of this many bytes that are on no curve.
fn point(bytes: usize) -> Vec<u8> {
    let mut point = vec![0x5a; 1 + 2 * bytes];
    point[0] = 4;
    point
}

fn on(name: &'static str, curve: &str, public: &[u8]) -> OddKey {
    OddKey { name, spki: spki(&[der::oid("1.2.840.10045.2.1"), der::oid(curve)], public) }
}

fn of_curves() -> Vec<OddKey> {
    vec![
        on("secp112r1", "1.3.132.0.6", &point(14)),
        on("secp128r1", "1.3.132.0.28", &point(16)),
        on("secp160r1", "1.3.132.0.8", &point(20)),
        on("secp192r1", "1.2.840.10045.3.1.1", &point(24)),
        on("secp224r1", "1.3.132.0.33", &point(28)),
        on("sect163k1", "1.3.132.0.1", &point(21)),
        on("sect233r1", "1.3.132.0.27", &point(30)),
        on("sect283k1", "1.3.132.0.16", &point(36)),
        on("brainpoolP160r1", "1.3.36.3.3.2.8.1.1.1", &point(20)),
        on("brainpoolP256r1-off-the-curve", "1.3.36.3.3.2.8.1.1.7", &point(32)),
        on("curve-unknown", "1.3.6.1.4.1.99999.3", &point(32)),
        OddKey {
            name: "curve-inherited",
            spki: spki(&[der::oid("1.2.840.10045.2.1"), der::null()], &point(32)),
        },
        OddKey { name: "curve-absent", spki: spki(&[der::oid("1.2.840.10045.2.1")], &point(32)) },
    ]
}

fn of_points() -> Vec<OddKey> {
    const P256: &str = "1.2.840.10045.3.1.7";
    let good = Key::p256("odd").public_key();
    let with = |at: usize, byte: u8| {
        let mut point = good.clone();
        point[at] = byte;
        point
    };
    let off = with(64, good[64] ^ 1);
    let compressed = [&[2 | good[64] & 1], &good[1..33]].concat();
    let too_large = [&[4][..], &[0xff; 32], &good[33..]].concat();
    let p384 = Key::p384("odd").public_key();
    let off_p384 = [&p384[..96], &[p384[96] ^ 1]].concat();
    vec![
        on("p256-empty", P256, &[]),
        on("p256-infinity", P256, &[0]),
        on("p256-short", P256, &good[..64]),
        on("p256-long", P256, &[&good[..], &[0]].concat()),
        on("p256-hybrid", P256, &with(0, 6 | good[64] & 1)),
        on("p256-unknown-form", P256, &with(0, 5)),
        on("p256-off-the-curve", P256, &off),
        on("p256-coordinate-above-the-prime", P256, &too_large),
        on("p256-zero", P256, &[&[4][..], &[0; 64]].concat()),
        on("p256-compressed", P256, &compressed),
        on("p384-off-the-curve", "1.3.132.0.34", &off_p384),
        on("p521-off-the-curve", "1.3.132.0.35", &point(66)),
    ]
}

fn of_25519() -> Vec<OddKey> {
    let edwards = |name, public: &[u8]| OddKey { name, spki: spki(&[der::oid("1.3.101.112")], public) };
    let montgomery = |name, public: &[u8]| OddKey { name, spki: spki(&[der::oid("1.3.101.110")], public) };
    let ends = |first: u8, middle: u8, last: u8| [&[first][..], &[middle; 30], &[last]].concat();
    let order_eight =
        crate::recipe::unhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a");
    let mut of_other_sign = order_eight.clone();
    of_other_sign[31] |= 0x80;
    let montgomery_eight =
        crate::recipe::unhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");
    let good = keys::ed25519("odd").public_key();
    vec![
        edwards("ed25519-short", &good[..31]),
        edwards("ed25519-long", &[&good[..], &[0]].concat()),
        edwards("ed25519-order-1", &ends(1, 0, 0)),
        edwards("ed25519-order-2", &ends(0xec, 0xff, 0x7f)),
        edwards("ed25519-order-4", &ends(0, 0, 0)),
        edwards("ed25519-order-4-of-other-sign", &ends(0, 0, 0x80)),
        edwards("ed25519-order-8", &order_eight),
        edwards("ed25519-order-8-of-other-sign", &of_other_sign),
        edwards("ed25519-order-1-not-reduced", &ends(0xee, 0xff, 0x7f)),
        edwards("ed25519-not-reduced", &ends(0xf0, 0xff, 0x7f)),
        OddKey { name: "ed25519-parameters", spki: spki(&[der::oid("1.3.101.112"), der::null()], &good) },
        montgomery("x25519", &ends(9, 0, 0)),
        montgomery("x25519-zero", &ends(0, 0, 0)),
        montgomery("x25519-order-8", &montgomery_eight),
        montgomery("x25519-short", &ends(9, 0, 0)[..31]),
    ]
}

fn of_others() -> Vec<OddKey> {
    let plain = |name, oid: &str, public: &[u8]| OddKey { name, spki: spki(&[der::oid(oid)], public) };
    vec![
        plain("ed448", "1.3.101.113", &[9; 57]),
        plain("ed448-short", "1.3.101.113", &[9; 56]),
        plain("x448", "1.3.101.111", &[9; 56]),
        plain("ml-dsa-44", "2.16.840.1.101.3.4.3.17", &[7; 1312]),
        plain("ml-dsa-44-short", "2.16.840.1.101.3.4.3.17", &[7; 1311]),
        plain("dsa", "1.2.840.10040.4.1", &der::int(0x1234_5678)),
        plain("gost-2012", "1.2.643.7.1.1.1.1", &der::bytes(&[3; 64])),
        plain("unknown-algorithm", "1.3.6.1.4.1.99999.4", &[1, 2, 3]),
    ]
}

//! The named elliptic curves that occur in certificates.

use super::curve;
use crate::oid::Oid;

/// Whether coordinates are those of a point on a curve.
type IsOnCurve = fn(&[u8], &[u8]) -> bool;

/// A named curve.
pub(super) struct Curve {
    pub(super) name: &'static str,
    /// The bits of its field: twice its strength.
    pub(super) bits: u32,
    /// Whether a point is on it. `None` if this cannot be checked here.
    pub(super) has: Option<IsOnCurve>,
}

impl Curve {
    const fn checked(name: &'static str, bits: u32, has: IsOnCurve) -> Self {
        Self { name, bits, has: Some(has) }
    }

    const fn unchecked(name: &'static str, bits: u32) -> Self {
        Self { name, bits, has: None }
    }

    /// The curve with this name.
    pub(super) fn named(oid: Oid<'_>) -> Option<Self> {
        Some(match oid.content() {
            // ansi-X9-62, curves.
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7] => {
                Self::checked("P-256", 256, |x, y| curve::P256.has(x, y))
            }
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 1] => Self::unchecked("P-192", 192),
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 2] => Self::unchecked("prime192v2", 192),
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 3] => Self::unchecked("prime192v3", 192),
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 4] => Self::unchecked("prime239v1", 239),
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 5] => Self::unchecked("prime239v2", 239),
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 6] => Self::unchecked("prime239v3", 239),
            // certicom, curves.
            [0x2b, 0x81, 0x04, 0, arc] => Self::of_certicom(*arc)?,
            // ellipticCurve, versionOne (RFC 5639).
            [0x2b, 0x24, 3, 3, 2, 8, 1, 1, arc] => Self::of_brainpool(*arc)?,
            [0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d] => {
                Self::checked("SM2", 256, |x, y| curve::SM2.has(x, y))
            }
            _ => return None,
        })
    }

    fn of_certicom(arc: u8) -> Option<Self> {
        Some(match arc {
            1 => Self::unchecked("sect163k1", 163),
            2 => Self::unchecked("sect163r1", 163),
            3 => Self::unchecked("sect239k1", 239),
            4 => Self::unchecked("sect113r1", 113),
            5 => Self::unchecked("sect113r2", 113),
            6 => Self::unchecked("secp112r1", 112),
            7 => Self::unchecked("secp112r2", 112),
            8 => Self::unchecked("secp160r1", 160),
            9 => Self::unchecked("secp160k1", 160),
            10 => Self::checked("secp256k1", 256, |x, y| curve::K256.has(x, y)),
            15 => Self::unchecked("sect163r2", 163),
            16 => Self::unchecked("sect283k1", 283),
            17 => Self::unchecked("sect283r1", 283),
            22 => Self::unchecked("sect131r1", 131),
            23 => Self::unchecked("sect131r2", 131),
            24 => Self::unchecked("sect193r1", 193),
            25 => Self::unchecked("sect193r2", 193),
            26 => Self::unchecked("sect233k1", 233),
            27 => Self::unchecked("sect233r1", 233),
            28 => Self::unchecked("secp128r1", 128),
            29 => Self::unchecked("secp128r2", 128),
            30 => Self::unchecked("secp160r2", 160),
            31 => Self::unchecked("secp192k1", 192),
            32 => Self::unchecked("secp224k1", 224),
            33 => Self::unchecked("P-224", 224),
            34 => Self::checked("P-384", 384, |x, y| curve::P384.has(x, y)),
            35 => Self::checked("P-521", 521, |x, y| curve::P521.has(x, y)),
            36 => Self::unchecked("sect409k1", 409),
            37 => Self::unchecked("sect409r1", 409),
            38 => Self::unchecked("sect571k1", 571),
            39 => Self::unchecked("sect571r1", 571),
            _ => return None,
        })
    }

    fn of_brainpool(arc: u8) -> Option<Self> {
        Some(match arc {
            1 => Self::unchecked("brainpoolP160r1", 160),
            2 => Self::unchecked("brainpoolP160t1", 160),
            3 => Self::unchecked("brainpoolP192r1", 192),
            4 => Self::unchecked("brainpoolP192t1", 192),
            5 => Self::unchecked("brainpoolP224r1", 224),
            6 => Self::unchecked("brainpoolP224t1", 224),
            7 => Self::checked("brainpoolP256r1", 256, |x, y| curve::BRAINPOOL_256R1.has(x, y)),
            8 => Self::checked("brainpoolP256t1", 256, |x, y| curve::BRAINPOOL_256T1.has(x, y)),
            9 => Self::checked("brainpoolP320r1", 320, |x, y| curve::BRAINPOOL_320R1.has(x, y)),
            10 => Self::checked("brainpoolP320t1", 320, |x, y| curve::BRAINPOOL_320T1.has(x, y)),
            11 => Self::checked("brainpoolP384r1", 384, |x, y| curve::BRAINPOOL_384R1.has(x, y)),
            12 => Self::checked("brainpoolP384t1", 384, |x, y| curve::BRAINPOOL_384T1.has(x, y)),
            13 => Self::checked("brainpoolP512r1", 512, |x, y| curve::BRAINPOOL_512R1.has(x, y)),
            14 => Self::checked("brainpoolP512t1", 512, |x, y| curve::BRAINPOOL_512T1.has(x, y)),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The content of the identifier, and the coordinates of the generator.
    const GENERATORS: [(&str, &str, &str); 13] = [
        (
            "P-256",
            "2a8648ce3d030107",
            "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        ),
        (
            "P-384",
            "2b81040022",
            "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab73617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
        ),
        (
            "P-521",
            "2b81040023",
            "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650",
        ),
        (
            "secp256k1",
            "2b8104000a",
            "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
        ),
        (
            "SM2",
            "2a811ccf5501822d",
            "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0",
        ),
        (
            "brainpoolP256r1",
            "2b2403030208010107",
            "8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997",
        ),
        (
            "brainpoolP256t1",
            "2b2403030208010108",
            "a3e8eb3cc1cfe7b7732213b23a656149afa142c47aafbc2b79a191562e1305f42d996c823439c56d7f7b22e14644417e69bcb6de39d027001dabe8f35b25c9be",
        ),
        (
            "brainpoolP320r1",
            "2b2403030208010109",
            "43bd7e9afb53d8b85289bcc48ee5bfe6f20137d10a087eb6e7871e2a10a599c710af8d0d39e2061114fdd05545ec1cc8ab4093247f77275e0743ffed117182eaa9c77877aaac6ac7d35245d1692e8ee1",
        ),
        (
            "brainpoolP320t1",
            "2b240303020801010a",
            "925be9fb01afc6fb4d3e7d4990010f813408ab106c4f09cb7ee07868cc136fff3357f624a21bed5263ba3a7a27483ebf6671dbef7abb30ebee084e58a0b077ad42a5a0989d1ee71b1b9bc0455fb0d2c3",
        ),
        (
            "brainpoolP384r1",
            "2b240303020801010b",
            "1d1c64f068cf45ffa2a63a81b7c13f6b8847a3e77ef14fe3db7fcafe0cbd10e8e826e03436d646aaef87b2e247d4af1e8abe1d7520f9c2a45cb1eb8e95cfd55262b70b29feec5864e19c054ff99129280e4646217791811142820341263c5315",
        ),
        (
            "brainpoolP384t1",
            "2b240303020801010c",
            "18de98b02db9a306f2afcd7235f72a819b80ab12ebd653172476fecd462aabffc4ff191b946a5f54d8d0aa2f418808cc25ab056962d30651a114afd2755ad336747f93475b7a1fca3b88f2b6a208ccfe469408584dc2b2912675bf5b9e582928",
        ),
        (
            "brainpoolP512r1",
            "2b240303020801010d",
            "81aee4bdd82ed9645a21322e9c4c6a9385ed9f70b5d916c1b43b62eef4d0098eff3b1f78e2d0d48d50d1687b93b97d5f7c6d5047406a5e688b352209bcb9f8227dde385d566332ecc0eabfa9cf7822fdf209f70024a57b1aa000c55b881f8111b2dcde494a5f485e5bca4bd88a2763aed1ca2b2fa8f0540678cd1e0f3ad80892",
        ),
        (
            "brainpoolP512t1",
            "2b240303020801010e",
            "640ece5c12788717b9c1ba06cbc2a6feba85842458c56dde9db1758d39c0313d82ba51735cdb3ea499aa77a7d6943a64f7a3f25fe26f06b51baa2696fa9035da5b534bd595f5af0fa2c892376c84ace1bb4e3019b71634c01131159cae03cee9d9932184beef216bd71df2dadf86a627306ecff96dbb8bace198b61e00f8b332",
        ),
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(hex.as_bytes()).expect("hex")
    }

    #[test]
    fn generators_are_on_their_curves_and_their_neighbours_are_not() {
        for (name, oid, generator) in GENERATORS {
            let (oid, generator) = (bytes(oid), bytes(generator));
            let curve = Curve::named(Oid::new(&oid)).expect("a curve");
            assert_eq!(curve.name, name);
            let has = curve.has.expect("an equation");
            let length = generator.len() / 2;
            assert_eq!(curve.bits.div_ceil(8), u32::try_from(length).expect("small"), "{name}");
            let is_on = |point: &[u8]| has(&point[..length], &point[length..]);
            assert!(is_on(&generator), "{name}");
            for bit in 0..8 * generator.len() {
                let mut changed = generator.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                assert!(!is_on(&changed), "{name}, bit {bit}");
            }
            assert!(!is_on(&vec![0xff; 2 * length]), "{name}");
        }
    }

    /// Many points from another implementation, so that every carry and every reduction occurs.
    #[test]
    fn points_of_many_keys() {
        use certcheck_testkit::Key;

        for seed in 0..2_000 {
            let (p256, p384) = (Key::p256(&format!("{seed}")), Key::p384(&format!("{seed}")));
            for (key, arc, length) in [(p256, None, 32), (p384, Some(34), 48)] {
                let curve = arc.map_or_else(
                    || Curve::named(Oid::new(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7])),
                    Curve::of_certicom,
                );
                let has = curve.and_then(|curve| curve.has).expect("an equation");
                let point = key.public_key();
                let (x, y) = point[1..].split_at(length);
                assert!(has(x, y), "{point:02x?}");
                assert!(!has(y, x), "{point:02x?}");
            }
        }
    }
}

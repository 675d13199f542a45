//! Whether a point is on a named curve over a prime field (SEC 2, RFC 5639).
//!
//! The providers of signature algorithms only check this in an operation that costs as much as a signature, and their
//! errors do not distinguish a bad point from a bad signature. Public keys are not secret, so nothing here is
//! constant-time.
#![expect(clippy::indexing_slicing, reason = "places below N in arrays of N limbs, in constant expressions")]

/// The equation y² = x³ + ax + b modulo a prime `p` of `N` limbs, the least significant limb first.
///
/// A product is divided by R = 2^(64 N) (Montgomery). So both sides are compared divided by R², and no number is
/// converted.
#[derive(Debug)]
pub(super) struct Equation<const N: usize> {
    p: [u64; N],
    /// -1/p modulo 2^64.
    inverse: u64,
    /// a divided by R.
    a: [u64; N],
    /// b divided by R².
    b: [u64; N],
}

#[expect(clippy::as_conversions, reason = "limbs to 128 bits and back, in constant expressions")]
impl<const N: usize> Equation<N> {
    /// The equation from hexadecimal numbers of `16 N` digits. `a` is -3 if it is `None`.
    const fn new(p: &str, a: Option<&str>, b: &str) -> Self {
        let p = limbs::<N>(p.as_bytes());
        // Each Newton step doubles the number of correct bits.
        let (mut inverse, mut step) = (1_u64, 0);
        while step < 6 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(p[0].wrapping_mul(inverse)));
            step += 1;
        }
        let mut equation = Self { p, inverse: inverse.wrapping_neg(), a: [0; N], b: [0; N] };
        let a = match a {
            Some(a) => limbs(a.as_bytes()),
            None => {
                let mut minus_three = p;
                minus_three[0] -= 3;
                minus_three
            }
        };
        equation.a = equation.multiply(&a, &Self::ONE);
        equation.b = equation.multiply(&equation.multiply(&limbs(b.as_bytes()), &Self::ONE), &Self::ONE);
        equation
    }

    const ONE: [u64; N] = {
        let mut one = [0; N];
        one[0] = 1;
        one
    };

    /// Whether the point is on the curve. Coordinates are big-endian and as long as `p`.
    ///
    /// RFC 5280 4.1.2.7.
    #[doc(alias = "RFC 5280 section 4.1.2.7")]
    pub(super) fn has(&self, x: &[u8], y: &[u8]) -> bool {
        let (Some(x), Some(y)) = (self.read(x), self.read(y)) else { return false };
        let x_squared = self.multiply(&x, &x);
        let right = self.add(&self.multiply(&self.add(&x_squared, &self.a), &x), &self.b);
        self.multiply(&self.multiply(&y, &y), &Self::ONE) == right
    }

    /// The number of a coordinate. `None` if it is not below `p`.
    fn read(&self, bytes: &[u8]) -> Option<[u64; N]> {
        let mut number = [0; N];
        for (limb, chunk) in number.iter_mut().zip(bytes.rchunks(8)) {
            *limb = match <&[u8; 8]>::try_from(chunk) {
                Ok(whole) => u64::from_be_bytes(*whole),
                Err(_) => chunk.iter().fold(0, |limb, byte| limb << 8 | u64::from(*byte)),
            };
        }
        self.is_below(&number).then_some(number)
    }

    const fn is_below(&self, number: &[u64; N]) -> bool {
        let mut at = N;
        while at > 0 {
            at -= 1;
            if number[at] != self.p[at] {
                return number[at] < self.p[at];
            }
        }
        false
    }

    /// The sum of two numbers below `p`, modulo `p`.
    const fn add(&self, u: &[u64; N], v: &[u64; N]) -> [u64; N] {
        let (mut sum, mut carry, mut at) = ([0; N], 0_u128, 0);
        while at < N {
            let limb = u[at] as u128 + v[at] as u128 + carry;
            sum[at] = limb as u64;
            carry = limb >> 64;
            at += 1;
        }
        self.reduce(sum, carry as u64)
    }

    /// The product of two numbers below `p`, divided by 2^(64 N), modulo `p`.
    const fn multiply(&self, u: &[u64; N], v: &[u64; N]) -> [u64; N] {
        let (mut sum, mut top, mut row) = ([0_u64; N], 0_u64, 0);
        while row < N {
            let (mut carry, mut at) = (0_u128, 0);
            while at < N {
                let limb = u[at] as u128 * v[row] as u128 + sum[at] as u128 + carry;
                sum[at] = limb as u64;
                carry = limb >> 64;
                at += 1;
            }
            let above = top as u128 + carry;
            // The factor that makes the lowest limb zero, so that it can be dropped.
            let factor = sum[0].wrapping_mul(self.inverse);
            carry = (factor as u128 * self.p[0] as u128 + sum[0] as u128) >> 64;
            at = 1;
            while at < N {
                let limb = factor as u128 * self.p[at] as u128 + sum[at] as u128 + carry;
                sum[at - 1] = limb as u64;
                carry = limb >> 64;
                at += 1;
            }
            let last = (above as u64) as u128 + carry;
            sum[N - 1] = last as u64;
            top = (above >> 64) as u64 + (last >> 64) as u64;
            row += 1;
        }
        self.reduce(sum, top)
    }

    /// `number` plus `top` times 2^(64 N), modulo `p`. The sum must be below 2 p.
    const fn reduce(&self, number: [u64; N], top: u64) -> [u64; N] {
        if top == 0 && self.is_below(&number) {
            return number;
        }
        let (mut difference, mut borrow, mut at) = ([0; N], false, 0);
        while at < N {
            let (limb, first) = number[at].overflowing_sub(self.p[at]);
            let (limb, second) = limb.overflowing_sub(borrow as u64);
            difference[at] = limb;
            borrow = first || second;
            at += 1;
        }
        difference
    }
}

/// A number from hexadecimal digits, the most significant first.
const fn limbs<const N: usize>(digits: &[u8]) -> [u64; N] {
    assert!(digits.len() == 16 * N, "16 digits for each limb");
    let (mut number, mut at) = ([0; N], 0);
    while at < digits.len() {
        let limb = N - 1 - at / 16;
        number[limb] = number[limb] << 4 | digit(digits[at]);
        at += 1;
    }
    number
}

#[expect(clippy::as_conversions, reason = "in constant expressions")]
const fn digit(digit: u8) -> u64 {
    match digit {
        b'0'..=b'9' => (digit - b'0') as u64,
        _ => (digit - b'a' + 10) as u64,
    }
}

/// P-256 (SEC 2).
pub(super) static P256: Equation<4> = Equation::new(
    "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
    None,
    "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
);
/// P-384 (SEC 2).
pub(super) static P384: Equation<6> = Equation::new(
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
    None,
    "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
);
/// P-521 (SEC 2).
pub(super) static P521: Equation<9> = Equation::new(
    "00000000000001ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    None,
    "0000000000000051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
);
/// secp256k1 (SEC 2).
pub(super) static K256: Equation<4> = Equation::new(
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
    Some("0000000000000000000000000000000000000000000000000000000000000000"),
    "0000000000000000000000000000000000000000000000000000000000000007",
);
/// brainpoolP256r1 (RFC 5639).
pub(super) static BRAINPOOL_256R1: Equation<4> = Equation::new(
    "a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377",
    Some("7d5a0975fc2c3057eef67530417affe7fb8055c126dc5c6ce94a4b44f330b5d9"),
    "26dc5c6ce94a4b44f330b5d9bbd77cbf958416295cf7e1ce6bccdc18ff8c07b6",
);
/// brainpoolP256t1 (RFC 5639).
pub(super) static BRAINPOOL_256T1: Equation<4> = Equation::new(
    "a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377",
    None,
    "662c61c430d84ea4fe66a7733d0b76b7bf93ebc4af2f49256ae58101fee92b04",
);
/// brainpoolP320r1 (RFC 5639).
pub(super) static BRAINPOOL_320R1: Equation<5> = Equation::new(
    "d35e472036bc4fb7e13c785ed201e065f98fcfa6f6f40def4f92b9ec7893ec28fcd412b1f1b32e27",
    Some("3ee30b568fbab0f883ccebd46d3f3bb8a2a73513f5eb79da66190eb085ffa9f492f375a97d860eb4"),
    "520883949dfdbc42d3ad198640688a6fe13f41349554b49acc31dccd884539816f5eb4ac8fb1f1a6",
);
/// brainpoolP320t1 (RFC 5639).
pub(super) static BRAINPOOL_320T1: Equation<5> = Equation::new(
    "d35e472036bc4fb7e13c785ed201e065f98fcfa6f6f40def4f92b9ec7893ec28fcd412b1f1b32e27",
    None,
    "a7f561e038eb1ed560b3d147db782013064c19f27ed27c6780aaf77fb8a547ceb5b4fef422340353",
);
/// brainpoolP384r1 (RFC 5639).
pub(super) static BRAINPOOL_384R1: Equation<6> = Equation::new(
    "8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b412b1da197fb71123acd3a729901d1a71874700133107ec53",
    Some("7bc382c63d8c150c3c72080ace05afa0c2bea28e4fb22787139165efba91f90f8aa5814a503ad4eb04a8c7dd22ce2826"),
    "04a8c7dd22ce28268b39b55416f0447c2fb77de107dcd2a62e880ea53eeb62d57cb4390295dbc9943ab78696fa504c11",
);
/// brainpoolP384t1 (RFC 5639).
pub(super) static BRAINPOOL_384T1: Equation<6> = Equation::new(
    "8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b412b1da197fb71123acd3a729901d1a71874700133107ec53",
    None,
    "7f519eada7bda81bd826dba647910f8c4b9346ed8ccdc64e4b1abd11756dce1d2074aa263b88805ced70355a33b471ee",
);
/// brainpoolP512r1 (RFC 5639).
pub(super) static BRAINPOOL_512R1: Equation<8> = Equation::new(
    "aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca703308717d4d9b009bc66842aecda12ae6a380e62881ff2f2d82c68528aa6056583a48f3",
    Some(
        "7830a3318b603b89e2327145ac234cc594cbdd8d3df91610a83441caea9863bc2ded5d5aa8253aa10a2ef1c98b9ac8b57f1117a72bf2c7b9e7c1ac4d77fc94ca",
    ),
    "3df91610a83441caea9863bc2ded5d5aa8253aa10a2ef1c98b9ac8b57f1117a72bf2c7b9e7c1ac4d77fc94cadc083e67984050b75ebae5dd2809bd638016f723",
);
/// brainpoolP512t1 (RFC 5639).
pub(super) static BRAINPOOL_512T1: Equation<8> = Equation::new(
    "aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca703308717d4d9b009bc66842aecda12ae6a380e62881ff2f2d82c68528aa6056583a48f3",
    None,
    "7cbbbcf9441cfab76e1890e46884eae321f70c0bcb4981527897504bec3e36a62bcdfa2304976540f6450085f2dae145c22553b465763689180ea2571867423e",
);
/// SM2 (GB/T 32918.5).
pub(super) static SM2: Equation<4> = Equation::new(
    "fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff",
    None,
    "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93",
);

//! Gzip (RFC 1952) of two kinds: not compressed at all, and compressed as far as deflate goes.

const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
const POLYNOMIAL: u32 = 0xedb8_8320;

/// The octets in stored blocks.
pub(super) fn stored(body: &[u8]) -> Vec<u8> {
    let mut out = HEADER.to_vec();
    let mut blocks = body.chunks(0xffff).peekable();
    if body.is_empty() {
        out.extend([1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap();
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    trailer(out, crc32(body), body.len() as u64)
}

/// A zero octet and so many repetitions of 258: one dynamic block with two bits for each of them, 1032 to 1.
pub(super) fn bomb(repetitions: usize) -> Vec<u8> {
    let mut bits = Bits { out: HEADER.to_vec(), used: HEADER.len() * 8 };
    // BFINAL, BTYPE, and how many codes of each alphabet follow (RFC 1951 3.2.7).
    bits.push(1, 1).push(2, 2).push(29, 5).push(0, 5).push(14, 4);
    // Lengths of the codes for code lengths, in the order of the RFC: 18 is `0`, 1 is `10`, 2 is `11`.
    for length in [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2] {
        bits.push(length, 3);
    }
    // A literal zero is `10`, the end `11`, the length 258 `0`; the distance 1 is `0`.
    bits.push(0b11, 2).push(0, 1).push(138 - 11, 7).push(0, 1).push(117 - 11, 7);
    bits.push(0b11, 2).push(0, 1).push(28 - 11, 7).push(0b01, 2).push(0b01, 2);
    bits.push(0b01, 2).zeros(2 * repetitions).push(0b11, 2);
    let length = 1 + 258 * repetitions as u64;
    trailer(bits.out, crc32_of_zeros(length), length)
}

/// Bits, the lowest of each octet first.
struct Bits {
    out: Vec<u8>,
    used: usize,
}

impl Bits {
    fn push(&mut self, value: u8, count: usize) -> &mut Self {
        let from = self.used;
        self.zeros(count);
        for bit in (0..count).filter(|bit| value >> bit & 1 == 1) {
            self.out[(from + bit) / 8] |= 1 << ((from + bit) % 8);
        }
        self
    }

    fn zeros(&mut self, count: usize) -> &mut Self {
        self.used += count;
        self.out.resize(self.used.div_ceil(8), 0);
        self
    }
}

fn trailer(mut out: Vec<u8>, crc: u32, length: u64) -> Vec<u8> {
    out.extend(crc.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes()[..4]);
    out
}

fn shift(crc: u32) -> u32 {
    crc >> 1 ^ if crc & 1 == 1 { POLYNOMIAL } else { 0 }
}

fn crc32(octets: &[u8]) -> u32 {
    !octets.iter().fold(!0, |crc, octet| (0..8).fold(crc ^ u32::from(*octet), |crc, _| shift(crc)))
}

/// The CRC of so many zeros: the register times x to the number of their bits.
fn crc32_of_zeros(length: u64) -> u32 {
    let (mut crc, mut power, mut bits) = (!0, 1 << 30, 8 * length);
    while bits > 0 {
        if bits & 1 == 1 {
            crc = multiply(crc, power);
        }
        power = multiply(power, power);
        bits >>= 1;
    }
    !crc
}

/// The product of two polynomials whose lowest coefficient is the highest bit.
fn multiply(a: u32, mut b: u32) -> u32 {
    let mut product = 0;
    for bit in (0..32).rev() {
        if a >> bit & 1 == 1 {
            product ^= b;
        }
        b = shift(b);
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        for length in [0, 1, 2, 259, 4096] {
            assert_eq!(crc32_of_zeros(length as u64), crc32(&vec![0; length]), "{length}");
        }
    }

    #[test]
    fn stored_blocks() {
        let of = |length: usize| stored(&vec![7; length]).len() - HEADER.len() - 8 - length;
        assert_eq!([of(0), of(1), of(0xffff), of(0x1_0000)], [5, 5, 5, 10]);
    }

    /// 1033 zeros to zlib, too.
    #[test]
    fn small_bomb() {
        let expected = [
            0xed, 0xc0, 0x81, 0, 0, 0, 0, 0x80, 0xa0, 0xfd, 0xa9, 0x17, 0xa9, 0x00, 0x06, // the block
            0xef, 0x71, 0x08, 0x4a, 0x09, 0x04, 0, 0,
        ];
        assert_eq!(bomb(4)[HEADER.len()..], expected);
    }
}

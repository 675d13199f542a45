//! Pages with Content-Encoding: gzip (RFC 1952), and one that inflates to a thousand times its size.

use std::io::Write as _;

use flate2::write::GzEncoder;
use flate2::{Compress, Compression, Crc, FlushCompress};

use certcheck_forge::server::Page;

/// The size of an inflated piece of the bomb.
const PIECE: usize = 1 << 20;
/// The number of pieces: together more than 1 GiB.
const PIECES: usize = 1_025;

/// The page with its body as gzip, whatever the client accepts.
///
/// # Panics
/// Never: memory takes what is written to it.
#[must_use]
pub fn gzipped(page: Page) -> Page {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&page.body).unwrap();
    encoded(page, encoder.finish().unwrap())
}

/// A page of 1 MiB that inflates to more than 1 GiB of zeros.
pub(super) fn bomb() -> Page {
    encoded(Page::new([]), zeros(PIECES))
}

fn encoded(page: Page, body: Vec<u8>) -> Page {
    Page { body: body.into(), ..page }.with_header("Content-Encoding", "gzip")
}

/// This many pieces of zeros. Each is deflated like the one before, so one is made and repeated.
fn zeros(pieces: usize) -> Vec<u8> {
    let plain = vec![0; PIECE];
    let mut piece = Vec::with_capacity(PIECE);
    let mut deflate = Compress::new(Compression::best(), false);
    deflate.compress_vec(&plain, &mut piece, FlushCompress::Full).unwrap();
    let mut checksum = Crc::new();
    let mut of_piece = Crc::new();
    of_piece.update(&plain);
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    for _ in 0..pieces {
        out.extend_from_slice(&piece);
        checksum.combine(&of_piece);
    }
    // The last block, which is empty, by the fixed codes (RFC 1951 3.2.6).
    out.extend([3, 0]);
    out.extend(checksum.sum().to_le_bytes());
    out.extend(checksum.amount().to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn a_small_bomb_inflates_to_zeros() {
        let bomb = zeros(3);
        assert!(bomb.len() * 900 < 3 * PIECE, "{}", bomb.len());
        let mut inflated = Vec::new();
        GzDecoder::new(&bomb[..]).read_to_end(&mut inflated).unwrap();
        assert_eq!(inflated, vec![0; 3 * PIECE]);
    }
}

//! Decompression of bodies: gzip alone (RFC 9110 8.4.1.3), with a limit on how much a body may expand.

use std::borrow::Cow;
use std::io::Write as _;

use certcheck_core::status::Cause;
use flate2::write::MultiGzDecoder;

use crate::failure::Failure;

/// How many times larger than the received bytes a body may be. Entries of a CRL differ in their serial numbers, so
/// the largest CRLs in use shrink to a twentieth. A body that shrinks to a thousandth is made to cause work.
const MAX_TIMES: u64 = 100;
/// Bodies up to this size may expand by any factor: short ones with much repetition do, and take little time.
const EXEMPT: u64 = 64 << 10;
/// The number of bytes that are decompressed at once. They become at most a thousand times as many.
const PIECE: usize = 512;

/// Decompresses the pieces of a body.
#[derive(Debug)]
pub(crate) struct Inflater {
    /// `None` if the body is not compressed.
    decoder: Option<MultiGzDecoder<Vec<u8>>>,
    received: u64,
    made: u64,
}

impl Inflater {
    /// For a body with this Content-Encoding. Other values than those of gzip are ignored: there are servers that put
    /// the type or charset of the body there, and send it uncompressed. With another compression the body cannot be
    /// parsed.
    pub(crate) fn new(encoding: Option<&str>) -> Self {
        let is_gzip = encoding.map(str::trim).is_some_and(|encoding| {
            encoding.eq_ignore_ascii_case("gzip") || encoding.eq_ignore_ascii_case("x-gzip")
        });
        let decoder = is_gzip.then(|| MultiGzDecoder::new(Vec::new()));
        Self { decoder, received: 0, made: 0 }
    }

    /// Whether the received bytes are not the body itself.
    pub(crate) const fn is_compressed(&self) -> bool {
        self.decoder.is_some()
    }

    /// The number of bytes that were received.
    pub(crate) const fn received(&self) -> u64 {
        self.received
    }

    /// Pieces that are small enough to be decompressed at once.
    pub(crate) fn pieces<'c>(&self, chunk: &'c [u8]) -> impl Iterator<Item = &'c [u8]> + use<'c> {
        chunk.chunks(if self.is_compressed() { PIECE } else { chunk.len().max(1) })
    }

    /// Decompresses this piece.
    pub(crate) fn push<'c>(&mut self, piece: &'c [u8]) -> Result<Cow<'c, [u8]>, Failure> {
        self.received = self.received.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        let Some(decoder) = &mut self.decoder else { return Ok(piece.into()) };
        decoder.write_all(piece).map_err(|error| no_gzip(&error))?;
        let made = std::mem::take(decoder.get_mut());
        self.made(made).map(Cow::Owned)
    }

    /// The rest of the body, at its end.
    pub(crate) fn finish(&mut self) -> Result<Vec<u8>, Failure> {
        let Some(decoder) = &mut self.decoder else { return Ok(Vec::new()) };
        decoder.try_finish().map_err(|error| no_gzip(&error))?;
        let made = std::mem::take(decoder.get_mut());
        self.made(made)
    }

    fn made(&mut self, made: Vec<u8>) -> Result<Vec<u8>, Failure> {
        self.made = self.made.saturating_add(u64::try_from(made.len()).unwrap_or(u64::MAX));
        if self.made > EXEMPT && self.made > self.received.saturating_mul(MAX_TIMES) {
            let why = format!("gzip that expands more than {MAX_TIMES} times");
            return Err(Failure::new(Cause::TooLarge, why));
        }
        Ok(made)
    }
}

fn no_gzip(error: &std::io::Error) -> Failure {
    Failure::malformed(format!("gzip: {error}"))
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn inflated(encoding: Option<&str>, body: &[u8]) -> Result<Vec<u8>, (Cause, usize)> {
        let mut inflater = Inflater::new(encoding);
        let mut made = Vec::new();
        let seen = |failure: Failure, made: usize| (failure.cause, made);
        for piece in inflater.pieces(body) {
            let some = inflater.push(piece).map_err(|failure| seen(failure, made.len()))?;
            made.extend_from_slice(&some);
        }
        let rest = inflater.finish().map_err(|failure| seen(failure, made.len()))?;
        made.extend(rest);
        Ok(made)
    }

    #[test]
    fn bodies() {
        let text = b"bytes".repeat(9);
        let twice = [gzip(b"by"), gzip(b"tes")].concat();
        let noise: Vec<u8> =
            (0..300_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        assert_eq!(inflated(None, &text), Ok(text.clone()));
        assert_eq!(inflated(Some("binary"), &text), Ok(text.clone()));
        assert_eq!(inflated(Some("identity"), &gzip(&text)), Ok(gzip(&text)));
        assert_eq!(inflated(Some("gzip"), &gzip(&text)), Ok(text.clone()));
        assert_eq!(inflated(Some(" X-GZIP"), &gzip(&text)), Ok(text.clone()));
        assert_eq!(inflated(Some("gzip"), &twice), Ok(b"bytes".to_vec()));
        assert!(inflated(Some("gzip"), &gzip(&noise)) == Ok(noise));
        let whole = gzip(&text);
        let bad = inflated(Some("gzip"), &whole[..whole.len() - 1]).map_err(|(cause, _)| cause);
        assert_eq!(bad, Err(Cause::Malformed));
        assert_eq!(inflated(Some("gzip"), &text), Err((Cause::Malformed, 0)));
    }

    #[test]
    fn what_expands_too_much_is_given_up_early() {
        let zeros = |length: usize| inflated(Some("gzip"), &gzip(&vec![0; length]));
        assert_eq!(zeros(64 << 10).map(|made| made.len()), Ok(64 << 10));
        assert_eq!(zeros((64 << 10) + 1).map_err(|(cause, _)| cause), Err(Cause::TooLarge));
        let (cause, made) = zeros(256 << 20).unwrap_err();
        assert_eq!(cause, Cause::TooLarge);
        assert!(made <= 1 << 20, "{made} bytes were made");
    }
}

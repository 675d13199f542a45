//! A body as it was before it was compressed for the way: gzip alone (RFC 9110 8.4.1.3), and no more than so many times as
//! large.

use std::borrow::Cow;
use std::io::Write as _;

use certcheck_core::status::Cause;
use flate2::write::MultiGzDecoder;

use crate::failure::Failure;

/// How many times as large as what came a body may be. The entries of a CRL differ in their serials, so that the largest
/// seen shrink to a twentieth; bytes that shrink to a thousandth are there to be worked on.
const MAX_TIMES: u64 = 100;
/// Bodies up to here may have been compressed as much as they like: short ones with much repetition are, and cost nothing.
const EXEMPT: u64 = 64 << 10;
/// Bytes that are inflated at once: they become a thousand times as many at most.
const PIECE: usize = 512;

/// Takes what comes and gives what it was.
#[derive(Debug)]
pub(crate) struct Inflater {
    /// `None` if it comes as it is.
    decoder: Option<MultiGzDecoder<Vec<u8>>>,
    received: u64,
    made: u64,
}

impl Inflater {
    /// For a body with this Content-Encoding. Other words than gzip's are taken for nothing: some servers write the type of
    /// the body there, or its charset, and send it as it is. What is compressed otherwise reads as nothing.
    pub(crate) fn new(encoding: Option<&str>) -> Self {
        let is_gzip = encoding.map(str::trim).is_some_and(|encoding| {
            encoding.eq_ignore_ascii_case("gzip") || encoding.eq_ignore_ascii_case("x-gzip")
        });
        let decoder = is_gzip.then(|| MultiGzDecoder::new(Vec::new()));
        Self { decoder, received: 0, made: 0 }
    }

    /// Whether what comes is not the body itself.
    pub(crate) const fn is_compressed(&self) -> bool {
        self.decoder.is_some()
    }

    /// Bytes that came.
    pub(crate) const fn received(&self) -> u64 {
        self.received
    }

    /// Pieces of this size are small enough to be inflated at once.
    pub(crate) fn pieces<'c>(&self, chunk: &'c [u8]) -> impl Iterator<Item = &'c [u8]> + use<'c> {
        chunk.chunks(if self.is_compressed() { PIECE } else { chunk.len().max(1) })
    }

    /// What this piece was before.
    pub(crate) fn push<'c>(&mut self, piece: &'c [u8]) -> Result<Cow<'c, [u8]>, Failure> {
        self.received = self.received.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        let Some(decoder) = &mut self.decoder else { return Ok(piece.into()) };
        decoder.write_all(piece).map_err(|error| no_gzip(&error))?;
        let made = std::mem::take(decoder.get_mut());
        self.made(made).map(Cow::Owned)
    }

    /// All has come: what is left of it.
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

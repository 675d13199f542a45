//! The frames that come from a stream.

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::fault::Fault;
use super::frame::{Frame, FrameParser, Start, Wanted};
use crate::store::remote::{Failed, Trouble, broken};

/// What is read at once.
const BUFFER: usize = 64 << 10;

/// Reads frames from one half of a connection.
pub(super) struct FrameReader<R> {
    half: R,
    parser: FrameParser,
    buffer: Vec<u8>,
    /// Which bytes of the buffer have not been parsed.
    from: usize,
    to: usize,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    pub(super) fn new(half: R) -> Self {
        Self { half, parser: FrameParser::default(), buffer: vec![0; BUFFER], from: 0, to: 0 }
    }

    /// The half, if nothing has been read beyond the last frame.
    pub(super) fn into_half(self) -> Result<R, Fault> {
        if self.has_more() { Err(Fault::BeforeTls) } else { Ok(self.half) }
    }

    /// Whether bytes are there that have not been parsed.
    pub(super) const fn has_more(&self) -> bool {
        self.from < self.to
    }

    /// The next frame. If this is dropped before it ends, nothing is lost.
    pub(super) async fn next(
        &mut self,
        mut wanted: impl FnMut(Start<'_>) -> Result<Wanted, Fault>,
    ) -> Result<Frame, Failed> {
        loop {
            let mut bytes = self.buffer.get(self.from..self.to).unwrap_or_default();
            let frame = self.parser.take(&mut bytes, &mut wanted)?;
            self.from = self.to.saturating_sub(bytes.len());
            if let Some(frame) = frame {
                return Ok(frame);
            }
            let read = self.half.read(&mut self.buffer).await.map_err(|error| broken(&error))?;
            if read == 0 {
                let detail = "the server closed the connection".to_owned();
                return Err(Failed { trouble: Trouble::Unreachable, detail });
            }
            (self.from, self.to) = (0, read);
        }
    }
}

//! One connection. Every wait checks the stop flag at least once per tick.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::request::Request;

/// How often the stop flag is checked.
pub(super) const TICK: Duration = Duration::from_millis(20);

/// A connection with a parsed request, for a [`ServerFault`](super::ServerFault).
///
/// It ends with [`Self::hang`], [`Self::close`] or [`Self::reset`]. Each method fails if the client has disconnected or
/// the server stops.
/// away or the server stops.
// The last byte of a request stays unread until `settle`: a socket closed with bytes unread is reset, and std has no
// other way to do that.
pub struct Connection<'a> {
    stream: TcpStream,
    stop: &'a AtomicBool,
    /// How long a request may take to arrive.
    idle: Duration,
    unread: usize,
}

impl<'a> Connection<'a> {
    pub(super) fn new(stream: TcpStream, stop: &'a AtomicBool, idle: Duration) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TICK))?;
        stream.set_write_timeout(Some(TICK))?;
        Ok(Self { stream, stop, idle, unread: 0 })
    }

    /// Repeats an action until it does not time out, or the server stops.
    fn patiently<T>(&mut self, act: impl FnMut(&mut TcpStream) -> io::Result<T>) -> io::Result<T> {
        self.patiently_until(None, act)
    }

    /// Like `patiently`, until a time.
    fn patiently_until<T>(
        &mut self,
        until: Option<Instant>,
        mut act: impl FnMut(&mut TcpStream) -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            if until.is_some_and(|until| until <= Instant::now()) {
                return Err(ErrorKind::TimedOut.into());
            }
            if self.stop.load(Ordering::Relaxed) {
                return Err(ErrorKind::ConnectionAborted.into());
            }
            match act(&mut self.stream) {
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) => {}
                other => return other,
            }
        }
    }

    /// The next request without its last byte, or the status of the error.
    pub(super) fn request(&mut self) -> io::Result<Result<Request, u16>> {
        let mut taken = Vec::new();
        let mut chunk = [0; 16 << 10];
        let until = Instant::now().checked_add(self.idle);
        loop {
            let seen = self.patiently_until(until, |stream| stream.peek(&mut chunk))?;
            if seen == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let before = taken.len();
            taken.extend_from_slice(&chunk[..seen]);
            match Request::parse(&taken) {
                Ok(None) => self.stream.read_exact(&mut chunk[..seen])?,
                Ok(Some((request, length))) => {
                    self.stream.read_exact(&mut chunk[..length - before - 1])?;
                    self.unread = 1;
                    return Ok(Ok(request));
                }
                Err(status) => {
                    self.stream.read_exact(&mut chunk[..seen])?;
                    return Ok(Err(status));
                }
            }
        }
    }

    /// Reads the last byte of the request.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        let mut last = [0];
        self.stream.read_exact(&mut last[..std::mem::take(&mut self.unread)])
    }

    /// Sends all bytes.
    ///
    /// # Errors
    /// The client has disconnected, or the server stops.
    pub fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let sent = self.patiently(|stream| stream.write(bytes))?;
            bytes = &bytes[sent..];
        }
        Ok(())
    }

    /// Waits.
    ///
    /// # Errors
    /// The server stops.
    pub fn pause(&self, time: Duration) -> io::Result<()> {
        let until = Instant::now() + time;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(ErrorKind::ConnectionAborted.into());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(TICK));
        }
    }

    /// Keeps the connection open until the client closes it.
    ///
    /// # Errors
    /// The client has disconnected, or the server stops.
    pub fn hang(mut self) -> io::Result<()> {
        self.settle()?;
        let mut chunk = [0; 1 << 10];
        while self.patiently(|stream| stream.read(&mut chunk))? > 0 {}
        Ok(())
    }

    /// Closes so that the client receives everything that was sent. The client has a second to close its side.
    ///
    /// # Errors
    /// The client has disconnected, or the server stops.
    pub fn close(mut self) -> io::Result<()> {
        self.settle()?;
        self.stream.shutdown(Shutdown::Write)?;
        let until = Instant::now() + Duration::from_secs(1);
        let mut chunk = [0; 1 << 10];
        while Instant::now() < until && self.patiently(|stream| stream.read(&mut chunk))? > 0 {}
        Ok(())
    }

    /// Closes abruptly, so that the client sees a reset.
    pub fn reset(self) {
        debug_assert_eq!(self.unread, 1, "without an unread byte the close is a clean one");
    }
}

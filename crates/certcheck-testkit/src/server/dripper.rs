//! A source that never ends: it sends the beginning of a long CRL, and then a few bytes now and then.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// A source that drips as long as its clients are connected. It counts them.
#[derive(Debug)]
pub struct Dripper {
    address: SocketAddr,
    open: Arc<AtomicUsize>,
}

impl Dripper {
    /// Listens on 127.0.0.`host`, and sends `bytes` bytes ten times a second.
    ///
    /// # Panics
    /// If it cannot listen.
    #[must_use]
    pub fn start(host: u8, bytes: usize) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 0, host), 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let open = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&open);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counter = Arc::clone(&counter);
                thread::spawn(move || {
                    counter.fetch_add(1, Ordering::SeqCst);
                    let _gone = drip(stream, bytes);
                    counter.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, open }
    }

    /// The address on which it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A URL of it, with any host name.
    #[must_use]
    pub fn url_as(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.address.port())
    }

    /// The number of open connections.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

fn drip(mut stream: TcpStream, bytes: usize) -> io::Result<()> {
    let mut request = [0; 4_096];
    let _length = stream.read(&mut request)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1048580\r\n\r\n\x30\x83\x0f\xff\xff")?;
    loop {
        stream.write_all(&vec![0; bytes])?;
        thread::sleep(Duration::from_millis(100));
    }
}

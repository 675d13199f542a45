//! A loopback HTTP/1.1 server that answers right, or wrong as it is made to.
//!
//! It runs on threads of its own and ends them when it is dropped. It may also be used as a forward proxy:
//! a request for `http://host/path` is answered as one for `/path`.

mod connection;
mod fault;
mod options;
mod page;
mod request;
mod responder;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub use connection::Connection;
pub use fault::ServerFault;
pub use options::Options;
pub use page::Page;
pub use request::Request;
pub use responder::OcspResponder;

type Handler = Arc<dyn Fn(&Request) -> Page + Send + Sync>;
type Broken = Arc<dyn ServerFault>;

/// A server on a port of 127.0.0.1, which the system picks unless [`Options`] name one.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

struct Shared {
    started: Instant,
    stop: AtomicBool,
    site: Mutex<Site>,
    log: Mutex<VecDeque<Request>>,
    options: Options,
}

/// What is served, by path.
#[derive(Default)]
struct Site {
    pages: BTreeMap<String, Page>,
    handlers: BTreeMap<String, Handler>,
    faults: BTreeMap<String, Broken>,
}

/// What answers one request if no fault does.
enum Route {
    Page(Page),
    Handler(Handler),
    Nothing,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn rooted(path: &str) -> String {
    format!("{}{path}", if path.starts_with('/') { "" } else { "/" })
}

/// What follows the prefix in the path, if it is one: `/a` is a prefix of `/a` and `/a/b`, not of `/ab`.
fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(prefix)?;
    if prefix.ends_with('/') || rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

fn longest<'a, T>(map: &'a BTreeMap<String, T>, path: &str) -> Option<(&'a str, &'a T)> {
    let prefixes = map.iter().filter(|(prefix, _)| below(path, prefix).is_some());
    prefixes.max_by_key(|(prefix, _)| prefix.len()).map(|(prefix, value)| (prefix.as_str(), value))
}

impl Server {
    /// Starts with nothing to serve: every path is 404.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(Options::default()).unwrap()
    }

    /// The same, within bounds.
    ///
    /// # Errors
    /// If the port is taken.
    pub fn start_with(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            started: Instant::now(),
            stop: AtomicBool::new(false),
            site: Mutex::default(),
            log: Mutex::default(),
            options,
        });
        let listening = thread::Builder::new().spawn({
            let shared = Arc::clone(&shared);
            move || listen(&listener, &shared)
        })?;
        Ok(Self { address, shared, listening: Some(listening) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        self.url_as(&self.address.ip().to_string(), path)
    }

    /// The URL of a path under another name for the host, for a test that resolves names itself.
    #[must_use]
    pub fn url_as(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{}", self.address.port(), rooted(path))
    }

    /// Serves a page at exactly this path, in place of what was there.
    pub fn serve(&self, path: &str, page: Page) {
        lock(&self.shared.site).pages.insert(rooted(path), page);
    }

    /// Serves what the function makes, at this path and all below it. Pages come first, then the longest
    /// prefix. A panic is answered with 500.
    pub fn serve_with(&self, prefix: &str, f: impl Fn(&Request) -> Page + Send + Sync + 'static) {
        lock(&self.shared.site).handlers.insert(rooted(prefix), Arc::new(f));
    }

    /// Breaks this path and all below it, whatever is served there; `/` is all of the server.
    pub fn break_with(&self, path: &str, fault: impl ServerFault + 'static) {
        lock(&self.shared.site).faults.insert(rooted(path), Arc::new(fault));
    }

    /// Takes back [`Self::break_with`] of the same path.
    pub fn mend(&self, path: &str) {
        lock(&self.shared.site).faults.remove(&rooted(path));
    }

    /// All requests so far, broken paths included, in the order in which they were read; of more than
    /// [`Options::max_requests`] the last.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.log).iter().cloned().collect()
    }

    /// How many of these requests were for this path and below it.
    #[must_use]
    pub fn count(&self, path: &str) -> usize {
        let prefix = rooted(path);
        lock(&self.shared.log).iter().filter(|request| below(request.plain_path(), &prefix).is_some()).count()
    }

    /// Clears the log.
    pub fn forget(&self) {
        lock(&self.shared.log).clear();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let Some(listening) = self.listening.take() else { return };
        while !listening.is_finished() {
            // A connection wakes the listener; more than one is needed only if the system is out of sockets.
            let _ = TcpStream::connect_timeout(&self.address, connection::TICK);
            thread::sleep(Duration::from_millis(1));
        }
        let _ = listening.join();
    }
}

/// Accepts until told to stop, then waits for all connections to end.
fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut connections: Vec<JoinHandle<()>> = Vec::new();
    loop {
        let accepted = listener.accept();
        if shared.stop.load(Ordering::Relaxed) {
            break;
        }
        let Ok((stream, _)) = accepted else {
            thread::sleep(Duration::from_millis(5));
            continue;
        };
        connections.retain(|connection| !connection.is_finished());
        if connections.len() >= shared.options.max_connections {
            continue;
        }
        let shared = Arc::clone(shared);
        // An error is a client that went away, or the end of the server.
        let connection = thread::Builder::new().spawn(move || drop(shared.converse(stream)));
        connections.extend(connection);
    }
    for connection in connections {
        let _ = connection.join();
    }
}

impl Shared {
    /// One connection, request after request.
    fn converse(&self, stream: TcpStream) -> io::Result<()> {
        let mut connection = Connection::new(stream, &self.stop, self.options.idle)?;
        loop {
            let mut request = match connection.request()? {
                Ok(request) => request,
                Err(status) => {
                    connection.send(Page::status(status).head(status, Some(0), false).as_bytes())?;
                    return connection.close();
                }
            };
            request.at = self.started.elapsed();
            let (fault, route) = self.find(&mut request);
            self.note(&request, fault.as_deref());
            let page = match fault {
                None => route.page(&request),
                Some(fault) => match fault.page(&request) {
                    Some(page) => page,
                    None => return fault.act(connection, &|| route.page(&request)),
                },
            };
            connection.settle()?;
            connection.pause(page.delay)?;
            connection.send(&page.answer(&request))?;
            if !request.keeps_alive() {
                return connection.close();
            }
        }
    }

    /// Reports a request to the observer, and keeps it in the list of the last requests.
    fn note(&self, request: &Request, fault: Option<&dyn ServerFault>) {
        if let Some(observer) = &self.options.observer {
            observer(request, fault.map(ServerFault::name));
        }
        let max = self.options.max_requests;
        if max > 0 {
            let mut log = lock(&self.log);
            if log.len() >= max {
                log.pop_front();
            }
            log.push_back(request.clone());
        }
    }

    /// Finds what is to answer, and notes in the request what follows a handler's prefix.
    fn find(&self, request: &mut Request) -> (Option<Broken>, Route) {
        let site = lock(&self.site);
        let path = request.plain_path().to_owned();
        let fault = longest(&site.faults, &path).map(|(_, fault)| Arc::clone(fault));
        let route = if let Some(page) = site.pages.get(&path) {
            Route::Page(page.clone())
        } else if let Some((prefix, handler)) = longest(&site.handlers, &path) {
            request.tail = below(&path, prefix).unwrap_or_default().to_owned();
            Route::Handler(Arc::clone(handler))
        } else {
            Route::Nothing
        };
        (fault, route)
    }
}

impl Route {
    fn page(&self, request: &Request) -> Page {
        match self {
            Self::Page(page) => page.clone(),
            Self::Handler(handler) => {
                catch_unwind(AssertUnwindSafe(|| handler(request))).unwrap_or_else(|_| Page::status(500))
            }
            Self::Nothing => Page::not_found(),
        }
    }
}

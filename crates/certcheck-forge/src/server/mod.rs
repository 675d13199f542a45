//! A loopback HTTP/1.1 server with correct answers, or with faults.
//!
//! It runs on threads of its own, and stops them when it is dropped. It can also be used as a forward proxy: a request
//! for `http://host/path` is answered like one for `/path`.

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

/// A server on a port of 127.0.0.1. The system picks the port unless [`Options`] have one.
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

/// The pages and faults, by path.
#[derive(Default)]
struct Site {
    pages: BTreeMap<String, Page>,
    handlers: BTreeMap<String, Handler>,
    faults: BTreeMap<String, Broken>,
}

/// The source of an answer, if there is no fault.
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

/// The rest of the path after the prefix, if it has the prefix: `/a` is a prefix of `/a` and `/a/b`, not of `/ab`.
fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(prefix)?;
    if prefix.ends_with('/') || rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

fn longest<'a, T>(map: &'a BTreeMap<String, T>, path: &str) -> Option<(&'a str, &'a T)> {
    let prefixes = map.iter().filter(|(prefix, _)| below(path, prefix).is_some());
    prefixes.max_by_key(|(prefix, _)| prefix.len()).map(|(prefix, value)| (prefix.as_str(), value))
}

impl Server {
    /// Starts a server without pages: every path returns 404.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(Options::default()).unwrap()
    }

    /// Starts a server with options.
    ///
    /// # Errors
    /// The port is in use.
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

    /// The address on which it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        self.url_as(&self.address.ip().to_string(), path)
    }

    /// The URL of a path with another host name, for tests that resolve names themselves.
    #[must_use]
    pub fn url_as(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{}", self.address.port(), rooted(path))
    }

    /// Serves a page at exactly this path. It replaces an earlier one.
    pub fn serve(&self, path: &str, page: Page) {
        lock(&self.shared.site).pages.insert(rooted(path), page);
    }

    /// Serves the pages that a function returns, at this path and all paths below it. Pages of [`Self::serve`] come
    /// first, then the longest prefix. A panic is answered with 500.
    pub fn serve_with(&self, prefix: &str, f: impl Fn(&Request) -> Page + Send + Sync + 'static) {
        lock(&self.shared.site).handlers.insert(rooted(prefix), Arc::new(f));
    }

    /// Breaks this path and all paths below it, whatever is served there. `/` is the whole server.
    pub fn break_with(&self, path: &str, fault: impl ServerFault + 'static) {
        lock(&self.shared.site).faults.insert(rooted(path), Arc::new(fault));
    }

    /// Ends the fault that [`Self::break_with`] set for the same path.
    pub fn repair(&self, path: &str) {
        lock(&self.shared.site).faults.remove(&rooted(path));
    }

    /// All requests so far, in the order in which they were parsed, including those for broken paths. If there are more
    /// than [`Options::max_requests`], the last ones.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.log).iter().cloned().collect()
    }

    /// The number of these requests for this path and paths below it.
    #[must_use]
    pub fn count(&self, path: &str) -> usize {
        let prefix = rooted(path);
        lock(&self.shared.log).iter().filter(|request| below(request.plain_path(), &prefix).is_some()).count()
    }

    /// Clears the list of requests.
    pub fn forget(&self) {
        lock(&self.shared.log).clear();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let Some(listening) = self.listening.take() else { return };
        while !listening.is_finished() {
            // A connection wakes the listener. More than one is needed only if the system is out of sockets.
            let _ = TcpStream::connect_timeout(&self.address, connection::TICK);
            thread::sleep(Duration::from_millis(1));
        }
        let _ = listening.join();
    }
}

/// Accepts connections until the stop flag is set, then waits until all of them have ended.
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
        // An error means that a client has disconnected, or that the server stops.
        let connection = thread::Builder::new().spawn(move || drop(shared.converse(stream)));
        connections.extend(connection);
    }
    for connection in connections {
        let _ = connection.join();
    }
}

impl Shared {
    /// Serves one connection, request after request.
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

    /// Reports a request to the observer, and adds it to the list of the last requests.
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

    /// Finds the source of the answer, and sets the rest of the path after a handler's prefix in the request.
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

//! Sources over TLS, which only `--allow-https` admits: whom they must be, and that no redirect leads out of TLS.
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;

use std::sync::Arc;
use std::thread;

use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::server::{Page, Server};
use certcheck_testkit::{Cert, Key, ext, pem};
use pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A server over TLS for `localhost`, and what it answers at which path.
struct TlsServer {
    port: u16,
    root: Vec<u8>,
}

/// A path, and the whole answer.
type Route = (&'static str, Vec<u8>);

fn page(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn redirect(to: &str) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    head.into_bytes()
}

impl TlsServer {
    /// Runs until the test ends.
    fn start(routes: Vec<Route>) -> Self {
        let (root, own) = (Key::p256("https root"), Key::p256("https server"));
        let valid = |cert: Cert| cert.valid("2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z");
        let cert = Cert::leaf("CN=source", &own, "CN=Web", &root)
            .with([ext::san(&["dns:localhost"]), ext::eku(&["server"])]);
        let chain = vec![CertificateDer::from(valid(cert).issue(&root))];
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, PrivatePkcs8KeyDer::from(own.pkcs8()).into())
            .unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let config = Arc::new(config);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // Who does not trust it hangs up.
                let _gone = answer(stream, &config, &routes);
            }
        });
        Self { port, root: valid(Cert::root("CN=Web", &root)).issue(&root) }
    }

    fn url(&self, host: &str, path: &str) -> String {
        format!("https://{host}:{}{path}", self.port)
    }
}

fn answer(stream: TcpStream, config: &Arc<ServerConfig>, routes: &[Route]) -> std::io::Result<()> {
    let connection = ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let mut request = String::new();
    stream.read_line(&mut request)?;
    let path = request.split(' ').nth(1).unwrap_or_default();
    let mut header = String::new();
    while stream.read_line(&mut header)? > 2 {
        header.clear();
    }
    let found = routes.iter().find(|(route, _)| *route == path).unwrap();
    let stream = stream.get_mut();
    stream.write_all(&found.1)?;
    stream.conn.send_close_notify();
    stream.flush()
}

#[test]
fn tls_is_asked_for_verified_and_never_left() {
    let key = Key::p256("https ca");
    let crl = CrlBuilder::new("CN=CA").issue(&key);
    let plain = Server::start();
    plain.serve("/ca.crl", Page::new(&crl));
    let server = TlsServer::start(vec![
        ("/ca.crl", page(&crl)),
        ("/down", redirect(&plain.url("/ca.crl"))),
        ("/beside", redirect("/ca.crl")),
    ]);
    plain.serve("/up", Page::redirect(&server.url("localhost", "/ca.crl")));
    let folder = tempfile::tempdir().unwrap();
    let roots: PathBuf = folder.path().join("roots.pem");
    fs::write(&roots, pem("CERTIFICATE", &server.root)).unwrap();
    let fetch = |url: &str, more: &[&str]| {
        let output = certcheck_testkit::program::isolated(env!("CARGO_BIN_EXE_certcheck"))
            .args(["fetch", url, "--no-cache", "--allow-net", "127.0.0.0/8", "--timeout", "5"])
            .args(["--allow-port", &server.port.to_string()])
            .args(more)
            .env("SSL_CERT_FILE", &roots)
            .env_remove("SSL_CERT_DIR")
            .env("HOME", folder.path())
            .env_remove("XDG_CACHE_HOME")
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap(), text(&output.stdout) + &text(&output.stderr))
    };
    let (local, other) = (server.url("localhost", "/ca.crl"), server.url("127.0.0.1", "/ca.crl"));
    let (down, beside) = (server.url("localhost", "/down"), server.url("localhost", "/beside"));
    let allowed: &[&str] = &["--allow-https"];
    // What is asked, with which flags, whether it comes, and the words that tell why not.
    let cases: [(&str, &[&str], bool, &str); 6] = [
        (&local, allowed, true, "fetched"),
        (&beside, allowed, true, "fetched"),
        (&plain.url("/up"), allowed, true, "fetched"),
        (&local, &[], false, "refused-address"),
        (&other, allowed, false, "unreachable"),
        (&down, allowed, false, "redirected from https to http"),
    ];
    for (url, flags, comes, output) in cases {
        let (exit, out) = fetch(url, flags);
        assert!(out.contains(output) && out.contains("fetched: ") == comes, "{url} {flags:?}: {exit} {out}");
        assert_eq!(exit == 3, !comes, "{url}: {out}");
    }
    assert_eq!(plain.count("/ca.crl"), 0, "what was asked for over TLS came without");
}

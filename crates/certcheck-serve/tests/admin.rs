//! The admin listener: health, metrics, and the status page in a browser.

mod services;
mod support;

use std::net::SocketAddr;
use std::time::Duration;

use certcheck_serve::Front;
use certcheck_serve::config::{self, ListenAddress};
use certcheck_testkit::browser::{self, WIDTH};
use certcheck_testkit::server::Page;
use services::*;
use support::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

/// A front with an admin listener on a free port, and on the Unix socket `admin.sock`: the front, its address, and that of
/// the admin listener.
fn start(pki: &Pki, upstream: &str, more: &str) -> (Front, SocketAddr, SocketAddr) {
    let mut loaded = pki.config(upstream, more).unwrap_or_else(|error| panic!("{error}"));
    let any = "127.0.0.1:0".parse().expect("an address");
    loaded.config.admin.listen = vec![ListenAddress::tcp(any), ListenAddress::Unix(pki.path("admin.sock"))];
    let front = Front::start(loaded).unwrap_or_else(|error| panic!("{error}"));
    let (address, admin) = (front.addresses("web")[0], front.admin_addresses()[0]);
    (front, address, admin)
}

/// The status and the body of an answer.
async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    ask(TcpStream::connect(address).await.expect("connects"), &request).await
}

async fn ask(
    mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    request: &str,
) -> (u16, String) {
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("read");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    (head.split(' ').nth(1).expect("a status").parse().expect("a number"), body.to_owned())
}

async fn status(address: SocketAddr) -> serde_json::Value {
    let (code, body) = get(address, "/v1/status").await;
    assert_eq!(code, 200);
    serde_json::from_str(&body).expect("JSON")
}

/// Waits until so many refusals are noted.
async fn refusals(address: SocketAddr, number: usize) {
    let until = tokio::time::Instant::now() + PATIENCE;
    while status(address).await["refusals"].as_array().map(Vec::len) < Some(number) {
        assert!(tokio::time::Instant::now() < until, "{}", status(address).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until the front is ready.
async fn ready(address: SocketAddr) {
    let until = tokio::time::Instant::now() + PATIENCE;
    while get(address, "/ready").await.0 != 200 {
        assert!(tokio::time::Instant::now() < until, "{}", get(address, "/ready").await.1);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_front_is_ready_once_nothing_is_missing() {
    let pki = Pki::new();
    // The CRL about the ring's CA is not there yet.
    pki.world.server.serve("/root.crl", Page::new(b"soon"));
    let upstream = echo().await;
    let (front, address, admin) = start(&pki, &upstream, "");
    for path in ["/live", "/livez"] {
        assert_eq!(get(admin, path).await, (200, "ok\n".to_owned()));
    }
    let looked_up = |body: &str| body.contains("\"kind\":\"evidence\"");
    let until = tokio::time::Instant::now() + PATIENCE;
    let body = loop {
        let (code, body) = get(admin, "/readyz").await;
        assert_eq!(code, 503, "{body}");
        if looked_up(&body) {
            break body;
        }
        assert!(tokio::time::Instant::now() < until, "{body}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(body.contains("CN=CA,O=Fetch") && body.contains("\"ready\":false"), "{body}");
    let crl = certcheck_testkit::crl::CrlBuilder::new(certcheck_testkit::served::ROOT)
        .valid("2026-01-01T00:00:00Z", Some("2125-01-01T00:00:00Z"))
        .issue(&pki.world.root);
    pki.world.server.serve("/root.crl", Page::new(crl));
    ready(admin).await;
    // While it drains it is not ready, and still answers.
    let client = pki.client("good");
    let mut live = dial(address, &client).await;
    ping(&mut live, b"hello").await.expect("served");
    let draining = front.clone();
    let drained = tokio::spawn(async move { draining.drain(PATIENCE).await });
    let until = tokio::time::Instant::now() + PATIENCE;
    while get(admin, "/ready").await.0 == 200 {
        assert!(tokio::time::Instant::now() < until);
    }
    let (code, body) = get(admin, "/ready").await;
    assert!(code == 503 && body.contains("\"kind\":\"draining\""), "{body}");
    assert_eq!(get(admin, "/live").await.0, 200);
    drop(live);
    drained.await.expect("no panic");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_front_without_its_service_is_not_ready() {
    let pki = Pki::new();
    let held = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let upstream = held.local_addr().expect("bound").to_string();
    drop(held);
    let (front, _, admin) = start(&pki, &upstream, "upstream_probe = '1s'\n");
    // Once everything else is there, the service alone is missing.
    let until = tokio::time::Instant::now() + PATIENCE;
    let missing = loop {
        let (code, body) = get(admin, "/ready").await;
        let seen: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        let missing = seen["missing"].as_array().expect("a list").clone();
        if let [one] = &missing[..]
            && one["detail"].as_str().is_some_and(|detail| detail.contains("cannot be reached"))
        {
            assert_eq!((code, &one["kind"]), (503, &"upstream".into()));
            break one["detail"].as_str().expect("text").to_owned();
        }
        assert!(tokio::time::Instant::now() < until, "{body}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(missing.starts_with(&format!("the service {upstream} of listener `web` ")), "{missing}");
    assert!(get(admin, "/metrics").await.1.contains("certcheck_upstream_up{listener=\"web\"} 0\n"));
    assert!(get(admin, "/").await.1.contains("The service cannot be reached: "));
    let seen = status(admin).await;
    assert_eq!(seen["listeners"][0]["upstream_health"]["up"], false, "{seen}");
    // One that is not tried is not waited for.
    front.reload(pki.config(&upstream, "upstream_probe = 'off'").expect("good")).expect("used");
    assert!(front.status().ready.missing.iter().all(|missing| missing.kind != "upstream"));
    front.reload(pki.config(&upstream, "upstream_probe = '1s'").expect("good")).expect("used");
    assert!(front.status().ready.missing.iter().any(|missing| missing.kind == "upstream"));

    // It comes up, and is found by itself.
    let service = tokio::net::TcpListener::bind(&upstream).await.expect("still free");
    support::until("ready", || front.status().ready.ready).await;
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_seen() {
    let pki = Pki::new();
    let (upstream, _seen) = mirror().await;
    let rules = "[[listener.allow]]\ncn = ['good', '<*']\n[listener.http]\n";
    let (front, address, admin) = start(&pki, &upstream, rules);
    ready(admin).await;
    // In TLS 1.3 a client knows only once it reads.
    if let Ok(mut refused) = try_dial(address, &pki.client("revoked")).await {
        read_to_end(&mut refused).await.expect_err("refused");
    }
    // The client knows before it is noted.
    refusals(admin, 1).await;
    let mut stranger = dial(address, &pki.client("other")).await;
    let answer = raw(&mut stranger, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(answer.contains("403 Forbidden: not-allowed\n"), "{answer}");
    let mut hostile = dial(address, &pki.client("<script>alert(1)")).await;
    assert!(
        raw(&mut hostile, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.starts_with("HTTP/1.1 200 ")
    );
    front.reload_from(|| pki.config("1.2.3.4:5", rules)).expect_err("not local");

    until("the refused connection is gone", || front.connections() == 2).await;
    let seen = status(admin).await;
    assert_eq!((&seen["ready"]["ready"], &seen["generation"]), (&true.into(), &1.into()));
    assert_eq!(seen["listeners"][0]["name"], "web");
    assert_eq!(seen["listeners"][0]["addresses"][0], address.to_string());
    assert_eq!(seen["listeners"][0]["protocol"], "http");
    assert_eq!(seen["rings"][0]["listeners"][0], "web");
    assert_eq!(seen["rings"][0]["cas"][0]["verdict"], "accept");
    let texts = |list: &str, key: &str| -> Vec<String> {
        let items = seen[list].as_array().expect("a list").iter();
        items.map(|item| item[key].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(texts("refusals", "code"), ["not-allowed", "certificate-revoked"]);
    assert_eq!(texts("refusals", "subject"), ["CN=other,O=Fetch", "CN=revoked,O=Fetch"]);
    assert!(texts("refusals", "hint").iter().all(|hint| !hint.is_empty()), "{seen}");
    assert_eq!(texts("refusals", "source")[1], pki.world.server.url("/ca.crl"));
    let urls = texts("evidence", "url");
    assert!(urls.contains(&pki.world.server.url("/ca.crl")), "{urls:?}");
    assert_eq!(texts("evidence", "state"), vec!["current"; urls.len()]);
    assert_eq!(texts("connections", "protocol"), ["http/1.1"; 2], "{seen}");
    assert_eq!(seen["sources"][0]["up"], true);
    assert_eq!(seen["reload"]["outcome"], "kept");
    assert!(seen["reload"]["faults"][0].as_str().is_some_and(|fault| fault.contains("upstream: ")), "{seen}");

    let (code, metrics) = get(admin, "/metrics").await;
    assert_eq!(code, 200);
    for name in [
        "certcheck_ready 1",
        "certcheck_upstream_up{listener=\"web\"} 1",
        "certcheck_source_up{source_id=",
        "certcheck_evidence_next_update_timestamp_seconds{kind=\"crl\",source_id=",
        "certcheck_requests_total{listener=\"web\",status=\"4xx\"} ",
        "certcheck_handshake_seconds_bucket{listener=\"web\",le=\"0.001\"}",
        "# HELP certcheck_requests_total ",
    ] {
        assert!(metrics.contains(name), "{name} is not in\n{metrics}");
    }
    assert!(!metrics.contains("Fetch"), "subjects are not in labels");

    // Over the Unix socket, with any method but GET, and under another name.
    let socket = UnixStream::connect(pki.path("admin.sock")).await.expect("connects");
    let (code, _) = ask(socket, "GET /v1/status HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n").await;
    assert_eq!(code, 200);
    for (request, expected) in [
        ("POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 405),
        ("GET /none HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
        ("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 421),
    ] {
        let stream = TcpStream::connect(admin).await.expect("connects");
        assert_eq!(ask(stream, request).await.0, expected, "{request}");
    }
    let (_, page) = get(admin, "/").await;
    assert!(page.contains(r"CN=\&lt;script\&gt;alert(1)"), "{page}");
    assert!(!page.contains("<script"), "{page}");
    in_a_browser(&page);
    drop((stranger, hostile));
}

/// A configuration in `serve.toml` with an admin listener, over TCP and over `admin.sock`.
fn write_config(pki: &Pki, upstream: &str, more: &str) -> std::path::PathBuf {
    let file = pki.path("serve.toml");
    let text = format!(
        "watch_files = 'off'\nadmin.listen = ['127.0.0.1:0', 'unix:{}']\n[[listener]]\nname = 'web'\n\
         listen = '127.0.0.1:0'\nupstream = '{upstream}'\nring = 'ring'\nallow_net = '127.0.0.0/8'\n\
         certificates = {{ chain = 'server.pem', key = 'server.key' }}\n{more}",
        pki.path("admin.sock").display()
    );
    std::fs::write(&file, text).expect("written");
    file
}

/// `POST /v1/reload` with these headers: the status and the body.
async fn reload(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    headers: &str,
) -> (u16, serde_json::Value) {
    let request = format!(
        "POST /v1/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n{headers}\r\n"
    );
    let (code, body) = ask(stream, &request).await;
    (code, serde_json::from_str(&body).unwrap_or_else(|_| body.into()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_reloads_and_says_what_came_of_it() {
    const ASKED: &str = "X-Certcheck: reload\r\n";
    let pki = Pki::new();
    let upstream = hello().await;
    let file = write_config(&pki, &upstream, "");
    let front = Front::start(config::read_file(&file).expect("good")).expect("started");
    let (address, admin) = (front.addresses("web")[0], front.admin_addresses()[0]);
    let connect = || async { TcpStream::connect(admin).await.expect("connects") };
    let (code, seen) = reload(connect().await, ASKED).await;
    assert_eq!((code, &seen["outcome"]), (409, &"refused".into()), "nothing to read again: {seen}");
    let again = file.clone();
    front.reread_by(std::sync::Arc::new(move || config::read_file(&again)));

    let (code, seen) = reload(connect().await, ASKED).await;
    assert_eq!((code, &seen["outcome"], &seen["generation"]), (200, &"loaded".into(), &2.into()), "{seen}");
    assert_eq!(seen["listeners"][0]["addresses"][0], address.to_string());
    assert_eq!(seen["rings"][0]["anchors"], 1);
    let socket = UnixStream::connect(pki.path("admin.sock")).await.expect("connects");
    assert_eq!(reload(socket, ASKED).await.0, 200);
    assert_eq!(front.generation(), 3);

    // No page in a browser can do it: neither with what it can send by itself, nor after it has asked whether it may.
    for headers in [
        "",
        "X-Certcheck: 1\r\n",
        &format!("{ASKED}Origin: http://evil.example\r\n"),
        &format!("{ASKED}Sec-Fetch-Site: cross-site\r\n"),
    ] {
        assert_eq!(reload(connect().await, headers).await.0, 403, "{headers}");
    }
    for request in [
        "GET /v1/reload HTTP/1.1\r\nHost: localhost\r\nX-Certcheck: reload\r\nConnection: close\r\n\r\n",
        "OPTIONS /v1/reload HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\
         Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-certcheck\r\nConnection: close\r\n\r\n",
    ] {
        assert_eq!(ask(connect().await, request).await.0, 405, "{request}");
    }
    assert_eq!(front.generation(), 3);

    // What cannot be used changes nothing and says where it is.
    write_config(&pki, &upstream, "max_depth = 'deep'\nnonsense = 1\n");
    let (code, seen) = reload(connect().await, ASKED).await;
    assert_eq!((code, &seen["outcome"], &seen["generation"]), (422, &"kept".into(), &3.into()), "{seen}");
    let faults = seen["faults"].as_array().expect("a list");
    let places: Vec<_> =
        faults.iter().map(|fault| (fault["line"].as_u64(), fault["column"].as_u64())).collect();
    assert_eq!(places, [(Some(10), Some(13)), (Some(11), Some(1))], "{seen}");
    assert!(faults.iter().all(|fault| fault["file"] == file.display().to_string()), "{seen}");
    assert!(connect_as(address, &pki, "good").await);
}

/// Whether a client is served.
async fn connect_as(address: SocketAddr, pki: &Pki, name: &str) -> bool {
    certcheck_testkit::served::connect(address, &pki.client(name)).await.outcome.is_ok()
}

/// What is asked of the page within the browser, in a frame as wide as a small phone.
const PROBE: &str = r#"frame => {
  const page = frame.contentDocument, root = page.documentElement;
  const wide = [...page.body.querySelectorAll("*")].filter(item => {
    const box = item.getBoundingClientRect();
    return box.width > 0 && (box.right > root.clientWidth + 0.5 || box.left < -0.5);
  });
  const style = item => frame.contentWindow.getComputedStyle(item);
  const small = [...page.querySelectorAll("p,dd,dt,span,li")].filter(item => parseFloat(style(item).fontSize) < 12);
  return {
    client: root.clientWidth, scroll: root.scrollWidth, wide: wide.map(item => item.textContent.slice(0, 60)),
    small: small.map(item => item.textContent.slice(0, 60)), h1: page.querySelectorAll("h1").length,
    scripts: page.scripts.length, forms: page.querySelectorAll("form,button,input").length,
    loaded: frame.contentWindow.performance.getEntriesByType("resource").length,
    ground: style(page.body).backgroundColor, text: style(page.body).color,
  };
}"#;

/// The page in Chromium at a phone's width, light and dark: it fits, is readable, and loads nothing.
fn in_a_browser(page: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let shown = folder.path().join("status.html");
    std::fs::write(&shown, page).expect("written");
    let mut grounds = Vec::new();
    for scheme in ["1", "0"] {
        let scheme = format!("--blink-settings=preferredColorScheme={scheme}");
        let Some(seen) = browser::see(&[&shown], PROBE, &[&scheme]) else { return };
        let seen = &seen[0];
        assert_eq!(seen["client"], WIDTH, "{seen}");
        assert!(seen["scroll"].as_u64().is_some_and(|scroll| scroll <= u64::from(WIDTH)), "{seen}");
        for list in ["wide", "small"] {
            assert_eq!(seen[list], serde_json::Value::Array(Vec::new()), "{list}");
        }
        for (count, expected) in [("h1", 1), ("scripts", 0), ("forms", 0), ("loaded", 0)] {
            assert_eq!(seen[count], expected, "{count}: {seen}");
        }
        assert_ne!(seen["ground"], seen["text"]);
        grounds.push(seen["ground"].clone());
    }
    assert_eq!(grounds, ["rgb(245, 244, 240)", "rgb(18, 21, 24)"], "light, then dark");
}

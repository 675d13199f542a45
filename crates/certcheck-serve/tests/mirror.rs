//! The mirror: what it serves, and to whom.

mod mirroring;
mod support;

use std::time::Duration;

use certcheck_rustls::certcheck_core::ocsp::{CertIdHash, OcspRequest, OcspResponse};
use certcheck_rustls::certcheck_core::x509::Certificate;
use certcheck_testkit::crl::{self, CrlBuilder};
use certcheck_testkit::peers::{Nginx, tool};
use certcheck_testkit::server::{Fault, Page, Server};
use certcheck_testkit::world::ROOT;
use data_encoding::BASE64;

use mirroring::*;
use support::{PATIENCE, Pki};

#[tokio::test(flavor = "multi_thread")]
async fn a_crl_is_served_as_http_asks_for_it() {
    let pki = Pki::new();
    let serials: Vec<Vec<u8>> = (0..200_u8).map(|number| vec![1, number, number]).collect();
    let crl = crl_of(&pki, 1, FROM, &serials);
    pki.world.server.serve("/ca.crl", Page::new(&crl));
    let mirror = Mirror::start_slow(&pki);
    let (source, path) = (pki.world.server.url("/ca.crl"), Mirror::path_of(&pki.world.server.url("/ca.crl")));

    let whole = mirror.served(&source);
    assert_eq!((whole.status, &whole.body), (200, &crl));
    let tag = format!("\"{}\"", digest(&crl));
    assert_eq!(whole.header("etag"), Some(&*tag));
    assert_eq!(whole.header("content-type"), Some("application/pkix-crl"));
    assert_eq!(whole.header("last-modified"), Some("Thu, 01 Jan 2026 00:00:00 GMT"));
    let cache = whole.header("cache-control").expect("Cache-Control");
    assert!(cache.starts_with("public, max-age=") && cache.contains("stale-if-error="), "{cache}");
    assert!(whole.header("age").is_some_and(|age| age.parse::<u32>().is_ok()));

    // As a proxy is asked, and by the name of the source's host.
    let host = pki.world.server.address().to_string();
    for (target, host) in [(&*source, "mirror"), ("/ca.crl", &host)] {
        let answer = mirror.get(target, &[("host", host)]);
        assert_eq!((answer.status, &answer.body), (200, &crl), "{target} {host}");
    }
    let compressed = mirror.get(&path, &[("accept-encoding", "br, gzip;q=0.5")]);
    assert_eq!(compressed.header("content-encoding"), Some("gzip"));
    assert!(compressed.body.len() < crl.len());
    let other_tag = compressed.header("etag").expect("an ETag").to_owned();
    assert_ne!(other_tag, tag);

    for (headers, status, body) in [
        (&[("if-none-match", &*tag)][..], 304, &[][..]),
        (&[("if-none-match", &*other_tag)], 304, &[]),
        (&[("if-none-match", "\"x\", W/\"y\"")], 200, &crl),
        (&[("if-none-match", "*")], 304, &[]),
        (&[("if-modified-since", "Thu, 01 Jan 2026 00:00:00 GMT")], 304, &[]),
        (&[("if-modified-since", "Wed, 31 Dec 2025 23:59:59 GMT")], 200, &crl),
        (&[("range", "bytes=0-3")], 206, &crl[..4]),
        (&[("range", "bytes=10-")], 206, &crl[10..]),
        (&[("range", "bytes=-5")], 206, &crl[crl.len() - 5..]),
        (&[("range", "bytes=0-0,2-3")], 200, &crl),
        (&[("range", "bytes=999999-")], 416, &[]),
        (&[("range", "bytes=0-3"), ("if-range", &tag)], 206, &crl[..4]),
        (&[("range", "bytes=0-3"), ("if-range", "\"other\"")], 200, &crl),
        (&[("accept-encoding", "gzip;q=0")], 200, &crl),
    ] {
        let answer = mirror.get(&path, headers);
        assert_eq!((answer.status, &answer.body[..]), (status, body), "{headers:?}");
    }
    let head = ask(mirror.address, "HEAD", &path, &[], &[]);
    assert_eq!((head.status, head.header("content-length")), (200, Some(&*crl.len().to_string())));
    assert!(head.body.is_empty());

    // Its own pages, and what it does not have.
    for (method, path, status) in [
        ("GET", "/", 200),
        ("GET", "/live", 200),
        ("GET", "/v1/sources", 200),
        ("POST", "/v1/sources", 405),
        ("DELETE", &path, 405),
        ("GET", "/elsewhere", 404),
        ("GET", "/http/other.example/ca.crl", 404),
        ("GET", "/http/169.254.169.254/latest/meta-data/", 404),
        ("POST", &path, 400),
    ] {
        assert_eq!(ask(mirror.address, method, path, &[], &[]).status, status, "{method} {path}");
    }
    assert_eq!(pki.world.server.count("/ca.crl"), 1, "all of it from one exchange");
}

/// What an origin does, what the mirror says of it, and whether nginx serves the bad answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_answer_never_displaces_a_good_one() {
    let pki = Pki::new();
    let good = crl_of(&pki, 7, LATER, &[vec![1]]);
    let of_other_ca = CrlBuilder::new(ROOT).valid(LATER, Some(UNTIL)).with([crl::number(9)]);
    let signed = |builder: CrlBuilder| builder.issue(&pki.world.ca);
    let expired = CrlBuilder::new(CA).valid("2026-02-02T00:00:00Z", Some("2026-03-01T00:00:00Z"));
    let delta = builder(8, LATER, &[]).with([crl::delta(7)]);
    let pages = [
        ("older", crl_of(&pki, 6, FROM, &[]), "rollback"),
        ("lower-number", crl_of(&pki, 6, LATER, &[]), "rollback"),
        ("unsigned", builder(8, LATER, &[]).issue(&stranger()), "bad-signature"),
        ("other-ca", of_other_ca.issue(&pki.world.root), "other-series"),
        ("expired", signed(expired.with([crl::number(8)])), "stale"),
        ("future", signed(builder(8, "2120-01-01T00:00:00Z", &[])), "not-yet-valid"),
        ("delta", signed(delta), "other-series"),
        ("html-page", b"<html><body>Log in to the network</body></html>".to_vec(), "malformed"),
        ("half", good[..good.len() / 2].to_vec(), "malformed"),
        ("empty-page", Vec::new(), "malformed"),
    ];
    let faults = [
        ("html", Fault::Html, "malformed"),
        ("garbage", Fault::Garbage, "malformed"),
        ("truncated", Fault::Truncate, "unreachable"),
        ("dead", Fault::Refuse, "unreachable"),
        ("server-error", Fault::ServerError, "unreachable"),
    ];
    let names = pages.iter().map(|(name, ..)| *name).chain(faults.iter().map(|(name, ..)| *name));
    let names: Vec<&str> = names.collect();
    for name in &names {
        pki.world.server.serve(&format!("/{name}"), Page::new(&good));
    }
    let mirror = Mirror::start(&pki, "");
    let nginx = Nginx::start_cache(pki.folder(), &pki.world.server.url(""));
    let from_nginx = |name: &str| {
        let address = nginx.as_ref()?.url("").trim_start_matches("http://").parse().ok()?;
        Some(ask(address, "GET", &format!("/{name}"), &[], &[]))
    };
    for name in &names {
        assert_eq!(mirror.served(&pki.world.server.url(&format!("/{name}"))).body, good, "{name}");
        if let Some(answer) = from_nginx(name) {
            assert_eq!(answer.body, good, "nginx {name}");
        }
    }
    for (name, page, _) in &pages {
        pki.world.server.serve(&format!("/{name}"), Page::new(page));
    }
    for (name, fault, _) in &faults {
        pki.world.server.break_with(&format!("/{name}"), fault.clone());
    }
    let expected = pages.iter().map(|(name, _, code)| (*name, *code));
    for (name, code) in expected.chain(faults.iter().map(|(name, _, code)| (*name, *code))) {
        let url = pki.world.server.url(&format!("/{name}"));
        until(&format!("{name} is {code}"), || mirror.state(&url) == code);
        let answer = mirror.served(&url);
        assert_eq!((answer.status, &answer.body), (200, &good), "{name}");
    }
    // What a site would use otherwise: nginx keeps what it has only where the origin says that it fails.
    let is_displaced = |name: &str| {
        let mut answer = from_nginx(name).expect("nginx");
        until("nginx asks again", || {
            answer = from_nginx(name).expect("nginx");
            answer.body != good || matches!(name, "dead" | "server-error" | "truncated")
        });
        answer.body != good
    };
    if nginx.is_some() {
        let displaced: Vec<&str> = names.iter().copied().filter(|name| is_displaced(name)).collect();
        // Of a cut body it passes on what has come, or what it has, as it happens.
        let stays = |name: &&str| ["truncated", "dead", "server-error"].contains(name);
        let is_sure = |name: &&str| *name != "truncated";
        let displaced: Vec<&str> = displaced.into_iter().filter(is_sure).collect();
        let others: Vec<&str> = names.iter().copied().filter(|name| !stays(name)).collect();
        assert_eq!(displaced, others);
    }
    // A source that is good again is served again.
    let newer = crl_of(&pki, 8, "2026-03-01T00:00:00Z", &[vec![1], vec![2]]);
    pki.world.server.serve("/older", Page::new(&newer));
    until("the newer one", || mirror.served(&pki.world.server.url("/older")).body == newer);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ocsp_response_is_shared_and_one_with_a_nonce_is_not() {
    let pki = Pki::new();
    let cert = client(&pki, "asked", "", "/ocsp");
    pki.world.responder.good(&cert.serial);
    let mirror = Mirror::start_slow(&pki);
    let (leaf, issuer) = (cert.issue(&pki.world.ca), pki.world.ca_cert.issue(&pki.world.root));
    let (leaf, issuer) =
        (Certificate::parse(&leaf).expect("parses"), Certificate::parse(&issuer).expect("parses"));
    let about = || OcspRequest::new().about(&leaf, &issuer, CertIdHash::Sha1);
    let path = Mirror::path_of(&pki.world.server.url("/ocsp"));
    let kind = [("content-type", "application/ocsp-request")];
    let asked =
        || pki.world.server.requests().iter().filter(|request| request.path.starts_with("/ocsp")).count();

    let posted = ask(mirror.address, "POST", &path, &kind, &about().encode());
    assert_eq!(posted.status, 200);
    assert_eq!(posted.header("content-type"), Some("application/ocsp-response"));
    assert!(OcspResponse::parse(&posted.body).expect("parses").basic.is_some());
    let encoded = BASE64.encode(&about().encode());
    for encoded in [encoded.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"), encoded] {
        let got = mirror.get(&format!("{path}/{encoded}"), &[]);
        assert_eq!((got.status, &got.body), (200, &posted.body));
        assert_eq!(got.header("etag"), Some(&*format!("\"{}\"", digest(&posted.body))));
    }
    // An extension that changes no answer, such as preferred algorithms, shares it too. A POST and a GET name two URLs.
    let before = asked();
    assert!(before <= 2, "{before}");
    let again = ask(mirror.address, "POST", &path, &kind, &about().encode());
    assert_eq!((again.status, &again.body, asked()), (200, &posted.body, before));

    for round in 1..=2_u8 {
        let request = about().with_nonce(&[round; 32]).expect("a nonce").encode();
        let answer = ask(mirror.address, "POST", &path, &kind, &request);
        let response = OcspResponse::parse(&answer.body).expect("parses").basic.expect("a response");
        assert!(response.nonce.is_some_and(|nonce| nonce.ends_with(&[round; 32])), "its own nonce");
        assert_eq!(asked(), before + usize::from(round));
    }
    let stranger = certcheck_testkit::Cert::root("CN=Strange", &stranger()).issue(&stranger());
    let stranger = Certificate::parse(&stranger).expect("parses");
    let foreign = OcspRequest::new().about(&leaf, &stranger, CertIdHash::Sha1).encode();
    assert_eq!(ask(mirror.address, "POST", &path, &kind, &foreign).status, 404);
    assert_eq!(ask(mirror.address, "POST", &path, &kind, b"junk").status, 400);
    assert_eq!(ask(mirror.address, "POST", &path, &[], &about().encode()).status, 400);
    // What is no answer is not served, and does not take the place of one.
    let mirror = Mirror::start(&pki, "");
    let posted = ask(mirror.address, "POST", &path, &kind, &about().encode());
    assert_eq!(posted.status, 200);
    pki.world.responder.set_error(Some(2));
    let url = pki.world.server.url("/ocsp");
    until("the responder fails", || mirror.state(&url) == "responder-error");
    assert_eq!(ask(mirror.address, "POST", &path, &kind, &about().encode()).body, posted.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn openssl_curl_and_java_can_use_it() {
    let pki = Pki::new();
    let cert = client(&pki, "asked", "/ca.crl", "/ocsp");
    let other = client(&pki, "revoked by ocsp", "/ca.crl", "/ocsp");
    pki.world.responder.good(&cert.serial);
    pki.world.responder.revoke(&other.serial, FROM, Some("keyCompromise"));
    let crl_revoked = client(&pki, "crl revoked", "/ca.crl", "");
    let crl = crl_of(&pki, 1, FROM, std::slice::from_ref(&crl_revoked.serial));
    pki.world.server.serve("/ca.crl", Page::new(&crl));
    pki.write("asked.pem", "CERTIFICATE", &cert.issue(&pki.world.ca));
    pki.write("other.pem", "CERTIFICATE", &other.issue(&pki.world.ca));
    let mirror = Mirror::start(&pki, "");
    let file = |name: &str| pki.path(name).display().to_string();
    let (issuer, root) = (file("ring/ca.pem"), file("ring/root.pem"));
    pki.write("crl-good.pem", "CERTIFICATE", &client(&pki, "crl good", "/ca.crl", "").issue(&pki.world.ca));
    let url = mirror.url().join(&Mirror::path_of(&pki.world.server.url("/ocsp"))).expect("a URL");
    for (name, says) in [("asked.pem", ": good"), ("other.pem", ": revoked")] {
        for nonce in ["-nonce", "-no_nonce"] {
            let cert = file(name);
            let arguments =
                ["ocsp", nonce, "-issuer", &issuer, "-cert", &cert, "-CAfile", &root, "-url", url.as_str()];
            let Some(ran) = tool::run("openssl", &arguments, PATIENCE) else { return };
            assert!(
                ran.text.contains(says) && ran.text.contains("Response verify OK"),
                "{nonce}: {}",
                ran.text
            );
        }
    }
    let run_java = |name: &str| {
        let port = mirror.address.port().to_string();
        let options = ["-Dhttp.proxyHost=127.0.0.1".to_owned(), format!("-Dhttp.proxyPort={port}")];
        let more = ["-Dhttp.nonProxyHosts=".to_owned(), "-Dcom.sun.security.enableCRLDP=true".to_owned()];
        let program = format!("{}/tests/data/PkixCheck.java", env!("CARGO_MANIFEST_DIR"));
        let files = [program, root.clone(), issuer.clone(), file(name)];
        let arguments: Vec<String> = options.into_iter().chain(more).chain(files).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        tool::run_optional("java", &arguments, PATIENCE)
    };
    // The CA's own CRL is that of the root.
    pki.write("crl-revoked.pem", "CERTIFICATE", &crl_revoked.issue(&pki.world.ca));
    for (name, says) in [("crl-good.pem", "good"), ("crl-revoked.pem", "REVOKED")] {
        let Some(ran) = run_java(name) else { break };
        assert!(ran.text.contains(says), "{name}: {}", ran.text);
    }
    // As a proxy for what asks with the source's own URL.
    let proxy = mirror.url().to_string();
    let (source, out) = (pki.world.server.url("/ca.crl"), file("curl.crl"));
    let arguments = ["-sS", "--noproxy", "", "-x", &proxy, "-o", &out, &source];
    if let Some(ran) = tool::run("curl", &arguments, PATIENCE) {
        assert!(ran.is_success, "{}", ran.text);
        assert_eq!(std::fs::read(out).expect("a file"), crl);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_served_is_served_after_a_restart() {
    let pki = Pki::new();
    let crl = crl_of(&pki, 3, FROM, &[vec![5]]);
    pki.world.server.serve("/ca.crl", Page::new(&crl));
    let more = "cache_dir = \"kept\"";
    let source = pki.world.server.url("/ca.crl");
    let mirror = Mirror::start(&pki, more);
    assert_eq!(mirror.served(&source).body, crl);
    for engine in mirror.front.engines() {
        engine.flush().await;
    }
    mirror.front.drain(Duration::ZERO).await;
    drop(mirror);
    pki.world.server.break_with("/ca.crl", Fault::Refuse);
    let mirror = Mirror::start(&pki, more);
    until("it is restored", || mirror.served(&source).body == crl);
    // What the store has is looked at like what comes: an older one is no way back.
    pki.world.server.repair("/ca.crl");
    pki.world.server.serve("/ca.crl", Page::new(crl_of(&pki, 2, "2025-12-01T00:00:00Z", &[])));
    until("it is refused", || mirror.state(&source) == "rollback");
    assert_eq!(mirror.served(&source).body, crl);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_of_files_takes_the_place_of_the_network() {
    let pki = Pki::new();
    let folder = pki.path("tree/http/crl.air-gapped.example/a");
    std::fs::create_dir_all(&folder).expect("a folder");
    let crl = crl_of(&pki, 1, FROM, &[]);
    std::fs::write(folder.join("ca.crl"), &crl).expect("written");
    std::fs::write(pki.path("tree/secret"), b"not a CRL").expect("written");
    let more = "tree = \"tree\"\noffline = true\nsources = [\"http://crl.air-gapped.example/a/ca.crl\"]";
    let mirror = Mirror::start(&pki, more);
    let source = "http://crl.air-gapped.example/a/ca.crl";
    assert_eq!(mirror.served(source).body, crl);
    for other in ["http://crl.air-gapped.example/../../secret", "http://crl.air-gapped.example/a/none.crl"] {
        assert_eq!(mirror.served(other).status, 502, "{other}");
    }
    // rsync replaces a file under its name.
    let newer = crl_of(&pki, 2, LATER, &[vec![9]]);
    std::fs::write(folder.join("new"), &newer).expect("written");
    std::fs::rename(folder.join("new"), folder.join("ca.crl")).expect("moved");
    until("the newer one", || mirror.served(source).body == newer);
    std::fs::write(folder.join("ca.crl"), &newer[..100]).expect("written");
    until("the broken one is seen", || mirror.state(source) == "malformed");
    assert_eq!(mirror.served(source).body, newer);
}

#[tokio::test(flavor = "multi_thread")]
async fn made_up_sources_take_no_place_from_others() {
    let pki = Pki::new();
    pki.world.server.serve("/ca.crl", Page::new(crl_of(&pki, 1, FROM, &[])));
    let mirror = Mirror::start(&pki, "max_sources = 4");
    let source = pki.world.server.url("/ca.crl");
    assert_eq!(mirror.served(&source).status, 200);
    for number in 0..400 {
        let answer = mirror.served(&pki.world.server.url(&format!("/made-up-{number}")));
        assert_eq!(answer.status, 502);
    }
    assert_eq!(mirror.state(&source), "served");
    let answer = mirror.get("/v1/sources", &[]);
    let value: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
    let is_served = |source: &&serde_json::Value| source["sha256"].is_string();
    let sources = value["sources"].as_array().expect("a list");
    assert!(sources.len() <= 260, "{} sources", sources.len());
    assert_eq!(sources.iter().filter(is_served).count(), 2, "that of the root, and that of the CA");
    // Nobody asks for them again, and neither does the mirror.
    let asked = |server: &Server| {
        server.requests().iter().filter(|request| request.path.starts_with("/made-up")).count()
    };
    let before = asked(&pki.world.server);
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(asked(&pki.world.server), before);
    // The second time it is not asked again at once.
    let made_up = pki.world.server.url("/made-up-new");
    let answers = [(); 2].map(|()| mirror.served(&made_up));
    assert_eq!((pki.world.server.count("/made-up-new"), answers[1].status), (1, 502));
    assert!(answers[1].header("retry-after").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_hangs_leaves_places_for_others() {
    let pki = Pki::new();
    let crl = crl_of(&pki, 1, FROM, &[]);
    pki.world.server.serve("/ca.crl", Page::new(&crl));
    let slow = Server::start();
    let more = format!("crl_timeout = \"20s\"\nsources = [\"{}\"]", slow.url("/listed.crl"));
    let mirror = Mirror::start(&pki, &more);
    let waiting: Vec<_> = (0..200)
        .map(|number| {
            let path = format!("/slow-{number}");
            slow.break_with(&path, Fault::HangBeforeHeaders);
            let path = Mirror::path_of(&slow.url(&path));
            let mut stream = std::net::TcpStream::connect(mirror.address).expect("connects");
            let request = format!("GET {path} HTTP/1.1\r\nhost: mirror\r\n\r\n");
            std::io::Write::write_all(&mut stream, request.as_bytes()).expect("sent");
            stream
        })
        .collect();
    assert_eq!(mirror.served(&pki.world.server.url("/ca.crl")).body, crl);
    drop(waiting);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_removed_ca_signed_is_served_no_longer() {
    let pki = Pki::new();
    pki.world.server.serve("/ca.crl", Page::new(crl_of(&pki, 1, FROM, &[])));
    let mirror = Mirror::start(&pki, "");
    let source = pki.world.server.url("/ca.crl");
    assert_eq!(mirror.served(&source).status, 200);
    std::fs::remove_file(pki.path("ring/ca.pem")).expect("removed");
    mirror.front.reload(mirror.front.configuration()).expect("reloads");
    until("it is refused", || mirror.served(&source).status != 200);
    assert_eq!(mirror.state(&source), "no-certificate");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_listed_gets_nothing() {
    let pki = Pki::new();
    let mirror = Mirror::start(&pki, "clients = [\"10.9.8.0/24\"]");
    let stream = std::net::TcpStream::connect(mirror.address).expect("connects");
    let mut stream = stream;
    std::io::Write::write_all(&mut stream, b"GET /live HTTP/1.1\r\nhost: mirror\r\n\r\n").expect("sent");
    let mut answer = Vec::new();
    let _reset = std::io::Read::read_to_end(&mut stream, &mut answer);
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
}

//! Validation listeners: who may ask, what is answered, and what is never fetched.

mod support;
mod validating;

use std::fs;

use certcheck_serve::Front;
use certcheck_testkit::server::Page;
use data_encoding::BASE64;
use serde_json::{Value, json};
use support::*;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpStream, UnixStream};
use validating::*;

/// The verdicts of all clients that there are.
const CLIENTS: [(&str, &str, &str); 7] = [
    ("good", "accept", "accept"),
    ("ocsp-good", "accept", "accept"),
    ("revoked", "reject", "certificate-revoked"),
    ("ocsp-revoked", "reject", "certificate-revoked"),
    ("expired", "reject", "expired"),
    ("stranger", "reject", "unknown-issuer"),
    ("bare", "undetermined", "revocation-unknown"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_verdict_identity_and_report() {
    let pki = Pki::new();
    let users = "[validation.identity]\nrule = [{ user = 'svc-{cn}' }]\n";
    let (front, address) = start(&pki, users);
    for (name, verdict, code) in CLIENTS {
        let question = json!({
            "chain": chain_of(&pki, name), "policy": "default", "within_ms": 5000, "explain": true,
            "connection": { "client_address": "192.0.2.1", "server_name": "a.example", "resumed": false, "id": "1" },
        });
        assert_eq!(fault(&openapi()["components"]["schemas"]["Question"], &question), None);
        let answer = verify(address, &question).await;
        assert_described("/v1/verify", "post", &answer);
        let body = answer.json();
        assert_eq!(answer.status, 200, "{name}: {body}");
        assert_eq!((&body["verdict"], &body["code"]), (&verdict.into(), &code.into()), "{name}: {body}");
        assert_eq!(body["report"]["verdict"], verdict, "{name}");
        assert_eq!(body["report"]["path"][0]["certificate"]["subject"], format!("CN={name},O=Fetch"));
        if verdict == "accept" {
            assert_eq!(body["identity"]["user"], format!("svc-{name}"), "{body}");
            assert_eq!(body["identity"]["sha256"], body["report"]["path"][0]["certificate"]["sha256"]);
            let until = body["valid_until"].as_str().expect("a time");
            let path = body["report"]["path"].as_array().expect("a path");
            let ends = path.iter().flat_map(|member| {
                [&member["certificate"]["not_after"], &member["revocation"]["next_update"]]
            });
            // Times of this form are in the order of their texts.
            let first = ends.filter_map(Value::as_str).min();
            assert_eq!(Some(until), first, "{body}");
            assert!(body["message"].is_null(), "{body}");
        } else {
            assert!(body["identity"].is_null() && body["valid_until"].is_null(), "{body}");
            assert!(body["message"].is_string() && body["hint"].is_string(), "{body}");
        }
    }
    // Operators see who was refused, the newest first, and by whom the client came.
    let refusals = front.status().refusals;
    let seen = refusals.iter().map(|one| (one.listener.as_str(), one.route.as_deref(), one.code));
    let refused = CLIENTS.iter().rev().filter(|(_, verdict, _)| *verdict != "accept");
    assert!(seen.eq(refused.map(|(_, _, code)| ("proxies", Some("verify"), *code))), "{refusals:?}");
    for one in &refusals {
        assert_eq!(one.client.as_deref(), Some("192.0.2.1"), "{one:?}");
        assert!(one.peer.as_deref().is_some_and(|peer| peer.starts_with("127.0.0.1:")), "{one:?}");
        assert!(one.subject.is_some() && one.detail.is_some() && one.hint.is_some(), "{one:?}");
    }
    // The same in other forms, without the report.
    let person = pki.person("good");
    let leaf = person.chain.first().expect("a certificate");
    let pem = fs::read(pki.path("good.pem")).expect("a file");
    for (kind, body) in [("application/x-pem-file", &*pem), ("application/pkix-cert", &**leaf)] {
        let answer = post(address, "/v1/verify?explain=false&within_ms=5000", kind, SECRET, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let body = answer.json();
        assert_eq!((&body["verdict"], body.get("report")), (&"accept".into(), None), "{body}");
    }
    // What is not known takes no time where none is given.
    let answer = verify(address, &json!({ "chain": chain_of(&pki, "ocsp-new"), "within_ms": 0 })).await;
    assert_eq!(answer.json()["verdict"], "undetermined", "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_with_the_reason() {
    let pki = Pki::new();
    let (_front, address) = start(&pki, "");
    let huge = "A".repeat((1 << 20) + 1);
    let good = json!({ "chain": chain_of(&pki, "good") }).to_string();
    let unknown = json!({ "chain": chain_of(&pki, "good"), "policy": "none" }).to_string();
    for (kind, body, status, code) in [
        ("application/json", "{", 400, "malformed-request"),
        ("application/json", "{\"chain\":[\"MAA\"]}", 400, "malformed-request"),
        ("application/json", &unknown, 400, "no-policy"),
        ("text/plain", &good, 415, "malformed-request"),
    ] {
        let answer = post(address, "/v1/verify", kind, SECRET, body.as_bytes()).await;
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (status, &code.into()), "{answer:?}");
        assert_described("/v1/verify", "post", &answer);
    }
    let announced = format!(
        "POST /v1/verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n{SECRET}\r\n",
        huge.len()
    );
    assert_eq!(ask(address, &announced).await.status, 413);
    let chunked = format!(
        "POST /v1/verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n{SECRET}\r\n{:x}\r\n{huge}\r\n0\r\n\r\n",
        huge.len()
    );
    assert_eq!(ask(address, &chunked).await.status, 413);
    for (path, status) in [("/v1/verify", 405), ("/v1/none", 404), ("/", 404)] {
        assert_eq!(get(address, path, SECRET).await.status, status, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_peer_with_the_secret_causes_fetches() {
    let pki = Pki::new();
    let (front, address) =
        start(&pki, "unauthenticated = 'memory'\n[[validation.route]]\nsource = 'traefik'\n");
    // The evidence about the ring itself is looked up by the front.
    let question = json!({ "chain": chain_of(&pki, "ocsp-good") }).to_string();
    let answer = post(address, "/v1/verify", "application/json", "", question.as_bytes()).await;
    assert_eq!(answer.json()["verdict"], "undetermined", "{answer:?}");
    let header = format!("X-Forwarded-Tls-Client-Cert: {}\r\n", chain_of(&pki, "ocsp-good")[0]);
    assert_eq!(get(address, "/v1/auth/traefik", &header).await.status, 403);
    assert_eq!(pki.world.server.count("/ocsp"), 0, "nothing was fetched");
    for wrong in ["X-Certcheck-Secret: 0123456789abcdeF\r\n", &SECRET.repeat(2), "X-Certcheck-Secret: \r\n"] {
        let answer = post(address, "/v1/verify", "application/json", wrong, question.as_bytes()).await;
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (403, &"not-authenticated".into()));
        assert_eq!(get(address, "/v1/auth/traefik", &(header.clone() + wrong)).await.status, 403);
    }
    assert_eq!(pki.world.server.count("/ocsp"), 0, "nothing was fetched");
    assert_eq!(get(address, "/v1/watch?sha256=00", "").await.status, 403);
    // Who has it is answered, and others then by memory.
    assert_eq!(get(address, "/v1/auth/traefik", &(header.clone() + SECRET)).await.status, 200);
    assert_eq!(pki.world.server.count("/ocsp"), 1);
    assert_eq!(get(address, "/v1/auth/traefik", &header).await.status, 200);
    // Without being asked to, no request without it is answered.
    front.reload(config(&pki, "[[validation.route]]\nsource = 'traefik'\n")).expect("used");
    let answer = get(address, "/v1/auth/traefik", &header).await;
    assert_eq!((answer.status, answer.header("x-certcheck-code")), (403, Some("not-authenticated")));
    // Who is not listed gets nothing, with the secret or without.
    front.reload(config(&pki, "peers = ['unix']\n[[validation.route]]\nsource = 'traefik'\n")).expect("used");
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let _reset = stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut nothing = Vec::new();
    let _reset = stream.read_to_end(&mut nothing).await;
    assert!(nothing.is_empty());
    let socket = UnixStream::connect(pki.path("validation.sock")).await.expect("connects");
    let request =
        format!("GET /v1/auth/traefik HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}{SECRET}\r\n");
    assert_eq!(ask_over(socket, request.as_bytes()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_answered_by_the_status() {
    let pki = Pki::new();
    let more = "[[validation.allow]]\ncn = ['good', 'revoked', 'bare', 'expired', 'stranger', 'ocsp-*']\n\
                [[validation.route]]\nsource = 'haproxy'\n\
                [[validation.route]]\nname = 'loose'\nsource = 'haproxy'\nstrict = false\n";
    let (front, address) = start(&pki, more);
    let header = |name: &str| format!("{SECRET}X-SSL-Client-Cert: {}\r\n", chain_of(&pki, name)[0]);
    for (name, verdict, code) in CLIENTS {
        let answer = get(address, "/v1/auth/haproxy", &header(name)).await;
        let status = if verdict == "accept" { 200 } else { 403 };
        assert_eq!((answer.status, &*answer.body), (status, ""), "{name}: {answer:?}");
        assert_described("/v1/auth/{route}", "get", &answer);
        assert_eq!(answer.header("x-certcheck-verdict"), Some(verdict), "{name}");
        assert_eq!(answer.header("x-certcheck-code"), Some(code), "{name}");
        let subject = format!("CN={name},O=Fetch");
        let subject = (verdict == "accept").then_some(&*subject);
        assert_eq!(answer.header("x-client-subject"), subject, "{name}: {answer:?}");
    }
    let none = |answer: Answer| (answer.status, answer.header("x-certcheck-code").map(str::to_owned));
    let code = |code: &str| Some(code.to_owned());
    for value in ["", "X-SSL-Client-Cert: \r\n", "X-SSL-Client-Cert: (null)\r\n", "X-SSL-Client-Cert: ::\r\n"]
    {
        let answer = get(address, "/v1/auth/haproxy", &format!("{SECRET}{value}")).await;
        assert_eq!(none(answer), (401, code("no-certificate")), "{value}");
    }
    for (path, headers, expected) in [
        ("/v1/auth/haproxy", header("other"), (403, code("not-allowed"))),
        ("/v1/auth/none", header("good"), (403, code("no-route"))),
        ("/v1/auth/haproxy", header("good") + "X-SSL-Client-Chain: !\r\n", (403, code("malformed-header"))),
        (
            "/v1/auth/haproxy",
            header("good").repeat(2).replacen(SECRET, "", 1),
            (403, code("malformed-header")),
        ),
        // Envoy asks with the path and the method of its own request.
        ("/v1/auth/haproxy/any/path?a=b", header("good"), (200, code("accept"))),
    ] {
        assert_eq!(none(get(address, path, &headers).await), expected, "{path}");
    }
    for spelling in [
        "Client-Cert",
        "client_cert",
        "X.SSL.Client.Cert",
        "X_SSL_Client_Cert",
        "X-Forwarded-Client-Cert",
        "x-client-user",
    ] {
        let headers = header("good") + spelling + ": spoofed\r\n";
        assert_eq!(none(get(address, "/v1/auth/haproxy", &headers).await), (403, code("spoofed-header")));
        assert_eq!(none(get(address, "/v1/auth/loose", &headers).await), (200, code("accept")), "{spelling}");
    }
    // Heads of 64 KiB are read, and larger ones are not.
    let large = |bytes: usize| header("good") + "X-Large: " + &"a".repeat(bytes) + "\r\n";
    assert_eq!(get(address, "/v1/auth/haproxy", &large(64 << 10)).await.status, 200);
    assert_eq!(get(address, "/v1/auth/haproxy", &large(128 << 10)).await.status, 431);
    // Over one connection, a client that is revoked meanwhile is refused at the next request.
    let mut stream = BufReader::new(TcpStream::connect(address).await.expect("connects"));
    let request = format!("GET /v1/auth/haproxy HTTP/1.1\r\nHost: x\r\n{}\r\n", header("good"));
    let mut status = async || {
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut first = String::new();
        stream.read_line(&mut first).await.expect("read");
        let mut line = String::from("more");
        while line.trim() != "" {
            line.clear();
            stream.read_line(&mut line).await.expect("read");
        }
        first
    };
    assert_eq!(status().await, "HTTP/1.1 200 OK\r\n");
    pki.world.server.serve("/ca.crl", Page::new(pki.crl(&["revoked", "good"])));
    for engine in front.engines() {
        engine.forget();
    }
    assert_eq!(status().await, "HTTP/1.1 403 Forbidden\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_that_wait_are_bounded_and_nobody_waits_longer_than_configured() {
    let pki = Pki::new();
    // A responder that never answers.
    let silent = serve(|_stream| std::future::pending()).await;
    let more = "max_checks = 1\ncheck_timeout = '300ms'\n[[validation.route]]\nsource = 'caddy'\n";
    let (_front, address) =
        start(&pki, &format!("ocsp_url = 'http://{silent}/'\nocsp_url_first = true\n{more}"));
    let chain = chain_of(&pki, "bare");
    let question = json!({ "chain": chain }).to_string();
    let asking = question.clone();
    let waits = tokio::spawn(async move {
        post(address, "/v1/verify", "application/json", SECRET, asking.as_bytes()).await
    });
    let header = format!("{SECRET}X-Client-Cert: {}\r\n", chain[0]);
    // Until the first one waits, the others wait themselves: each for its time, and no longer.
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        let (one, other) = tokio::join!(
            post(address, "/v1/verify", "application/json", SECRET, question.as_bytes()),
            get(address, "/v1/auth/caddy", &header)
        );
        assert_eq!(other.status, 403);
        if one.status == 429 || other.header("x-certcheck-code") == Some("busy") {
            assert!(one.status != 429 || one.header("retry-after") == Some("1"), "{one:?}");
            break;
        }
        assert!(tokio::time::Instant::now() < until, "{one:?} {other:?}");
    }
    assert!([200, 429].contains(&waits.await.expect("no panic").status));
}

#[tokio::test(flavor = "multi_thread")]
async fn intermediates_of_accepted_clients_are_tried_for_those_that_come_alone() {
    let pki = Pki::new();
    // The ring has the root alone.
    fs::create_dir(pki.path("root")).expect("a folder");
    fs::copy(pki.path("ring/root.pem"), pki.path("root/root.pem")).expect("copied");
    fs::write(pki.path("secret"), "0123456789abcdef\n").expect("written");
    let config = |more: &str| {
        let mut loaded = config(&pki, &format!("[[validation.route]]\nsource = 'haproxy'\n{more}"));
        loaded.config.validations[0].policies[0].check.ring = vec![pki.path("root")];
        loaded
    };
    let front = Front::start(config("")).unwrap_or_else(|error| panic!("{error}"));
    let address = front.validation_addresses("proxies")[0];
    let ca = BASE64.encode(&pki.world.ca_cert.issue(&pki.world.root));
    let alone = |name: &str| format!("{SECRET}X-SSL-Client-Cert: {}\r\n", chain_of(&pki, name)[0]);
    let with_ca = |name: &str| format!("{}X-SSL-Client-Chain: {ca}\r\n", alone(name));
    let code = async |headers: String| {
        let answer = get(address, "/v1/auth/haproxy", &headers).await;
        answer.header("x-certcheck-code").map(str::to_owned).unwrap_or_default()
    };
    // Nothing is known yet, and the answer says what is missing.
    let answer = verify(address, &json!({ "chain": [chain_of(&pki, "good")[0]] })).await;
    assert_eq!(answer.json()["code"], "unknown-issuer");
    assert!(answer.json()["hint"].as_str().is_some_and(|hint| hint.contains("came alone")), "{answer:?}");
    // What was not accepted is not remembered.
    assert_eq!(code(with_ca("revoked")).await, "certificate-revoked");
    assert_eq!(code(alone("good")).await, "unknown-issuer");
    assert_eq!(code(with_ca("good")).await, "accept");
    // A session that is resumed, another client, and both after the engine has forgotten its paths.
    assert_eq!(code(alone("good")).await, "accept");
    assert_eq!(code(alone("second")).await, "accept");
    assert_eq!(code(alone("revoked")).await, "certificate-revoked");
    for engine in front.engines() {
        engine.forget_paths();
    }
    assert_eq!(code(alone("good")).await, "accept");
    // With no room for them, none is remembered.
    let mut loaded = config("");
    loaded.config.validations[0].limits.max_remembered_bytes = 0;
    front.reload(loaded).expect("used");
    assert_eq!(code(with_ca("third")).await, "accept");
    assert_eq!(code(alone("fourth")).await, "unknown-issuer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_says_when_a_client_is_not_good_any_more() {
    let pki = Pki::new();
    let (front, address) = start(&pki, "max_watches = 1\n");
    let answer = verify(address, &json!({ "chain": chain_of(&pki, "good") })).await;
    let sha256 = answer.json()["identity"]["sha256"].as_str().expect("a hash").to_owned();
    for (query, status) in [
        ("", 400),
        ("?sha256=00", 400),
        (&format!("?sha256={sha256}&sha256={sha256}"), 400),
        (&format!("?sha256={sha256}&policy=none"), 400),
        (&format!("?sha256={}", "0".repeat(64)), 404),
    ] {
        let answer = get(address, &format!("/v1/watch{query}"), SECRET).await;
        assert_eq!(answer.status, status, "{query}");
        assert_described("/v1/watch", "get", &answer);
    }
    let open = async || {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        let request =
            format!("GET /v1/watch?sha256={sha256} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{SECRET}\r\n");
        stream.write_all(request.as_bytes()).await.expect("written");
        BufReader::new(stream)
    };
    let next = async |stream: &mut BufReader<TcpStream>, what: &str| {
        let mut seen = String::new();
        while !seen.contains(what) {
            let read = tokio::time::timeout(PATIENCE, stream.read_line(&mut seen)).await;
            assert!(read.expect("in time").expect("read") > 0, "{what} is not in {seen}");
        }
        seen
    };
    let mut stream = open().await;
    let head = next(&mut stream, "event: watching").await;
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    let busy = get(address, &format!("/v1/watch?sha256={sha256}"), SECRET).await;
    assert_eq!((busy.status, busy.header("retry-after")), (429, Some("1")));
    // A CRL that revokes it arrives.
    pki.world.server.serve("/ca.crl", Page::new(pki.crl(&["good"])));
    fs::write(pki.path("new.crl"), pki.crl(&["good"])).expect("written");
    let mut loaded = config(&pki, "max_watches = 1\n");
    loaded.config.validations[0].policies[0].check.crl = vec![pki.path("new.crl")];
    front.reload(loaded).expect("used");
    next(&mut stream, "event: ended").await;
    assert!(next(&mut stream, "data: ").await.contains("\"code\":\"certificate-revoked\""));
    let again = get(address, &format!("/v1/watch?sha256={sha256}"), SECRET).await;
    assert_eq!((again.status, &again.json()["error"]["code"]), (404, &"certificate-revoked".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_ends_watches_by_its_rules_and_connections_of_what_it_removes() {
    let pki = Pki::new();
    let (front, address) = start(&pki, "");
    let answer = verify(address, &json!({ "chain": chain_of(&pki, "good") })).await;
    let sha256 = answer.json()["identity"]["sha256"].as_str().expect("a hash").to_owned();
    let request = format!("GET /v1/watch?sha256={sha256} HTTP/1.1\r\nHost: x\r\n{SECRET}\r\n");
    let mut watch = TcpStream::connect(address).await.expect("connects");
    watch.write_all(request.as_bytes()).await.expect("written");
    let mut watch = BufReader::new(watch);
    let mut seen = String::new();
    while !seen.contains("event: watching") {
        watch.read_line(&mut seen).await.expect("read");
    }
    front.reload(config(&pki, "[[validation.allow]]\ncn = ['other']\n")).expect("used");
    while !seen.contains("not-allowed") {
        assert!(watch.read_line(&mut seen).await.expect("read") > 0, "{seen}");
    }
    assert!(seen.contains("event: ended"), "{seen}");
    let again = get(address, &format!("/v1/watch?sha256={sha256}"), SECRET).await;
    assert_eq!((again.status, &again.json()["error"]["code"]), (404, &"not-allowed".into()));
    // Its address is no longer that of a peer.
    let mut idle = TcpStream::connect(address).await.expect("connects");
    until("it is accepted", || front.connections() > 0).await;
    front.reload(config(&pki, "peers = ['192.0.2.0/24']\n")).expect("used");
    assert_eq!(idle.read(&mut [0]).await.unwrap_or_default(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_front_drains_although_proxies_keep_connections_and_watches() {
    let pki = Pki::new();
    let (front, address) = start(&pki, "");
    let answer = verify(address, &json!({ "chain": chain_of(&pki, "good") })).await;
    let sha256 = answer.json()["identity"]["sha256"].as_str().expect("a hash").to_owned();
    let idle = TcpStream::connect(address).await.expect("connects");
    let mut watch = TcpStream::connect(address).await.expect("connects");
    let request = format!("GET /v1/watch?sha256={sha256} HTTP/1.1\r\nHost: x\r\n{SECRET}\r\n");
    watch.write_all(request.as_bytes()).await.expect("written");
    let mut watch = BufReader::new(watch);
    let mut seen = String::new();
    while !seen.contains("event: watching") {
        watch.read_line(&mut seen).await.expect("read");
    }
    until("both connections are there", || front.connections() == 2).await;
    assert_eq!(front.drain(PATIENCE).await.cut, 0);
    watch.read_to_string(&mut seen).await.expect("read");
    assert!(seen.contains("event: unwatched"), "{seen}");
    drop(idle);
    TcpStream::connect(address).await.expect_err("nobody listens");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_uses_other_secrets_policies_and_routes() {
    let pki = Pki::new();
    let (front, address) = start(&pki, "");
    let header = format!("X-Client-Cert: {}\r\n", chain_of(&pki, "bare")[0]);
    assert_eq!(get(address, "/v1/auth/caddy", &format!("{SECRET}{header}")).await.status, 403);
    let more = "[[validation.policies]]\nname = 'soft'\nrevocation = 'soft-fail'\n\
                [[validation.route]]\nsource = 'caddy'\npolicy = 'soft'\n";
    front.reload(config(&pki, more)).expect("used");
    assert_eq!(get(address, "/v1/auth/caddy", &format!("{SECRET}{header}")).await.status, 200);
    let question = json!({ "chain": chain_of(&pki, "bare"), "policy": "soft" });
    assert_eq!(verify(address, &question).await.json()["verdict"], "accept");
    assert_eq!(
        verify(address, &json!({ "chain": chain_of(&pki, "bare") })).await.json()["verdict"],
        "undetermined"
    );
    // What cannot be used changes nothing.
    let mut bad = config(&pki, more);
    fs::write(pki.path("short"), "short").expect("written");
    bad.config.validations[0].secret_file = Some(pki.path("short"));
    let error = front.reload(bad).expect_err("too short").to_string();
    assert!(error.contains("secret_file: ") && error.contains("16 to 4096 bytes"), "{error}");
    assert_eq!(get(address, "/v1/auth/caddy", &format!("{SECRET}{header}")).await.status, 200);
    let loaded = config(&pki, more);
    fs::write(pki.path("secret"), "fedcba9876543210").expect("written");
    front.reload(loaded).expect("used");
    assert_eq!(get(address, "/v1/auth/caddy", &format!("{SECRET}{header}")).await.status, 403);
    let other = "X-Certcheck-Secret: fedcba9876543210\r\n";
    assert_eq!(get(address, "/v1/auth/caddy", &format!("{other}{header}")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_may_have_a_certificate_in_place_of_the_secret() {
    let pki = Pki::new();
    let more = "certificates = { chain = 'server.pem', key = 'server.key' }\npeer_ring = 'ring'\n";
    let mut loaded = config(&pki, more);
    loaded.config.validations[0].secret_file = None;
    let front = Front::start(loaded.clone()).unwrap_or_else(|error| panic!("{error}"));
    let address = front.validation_addresses("proxies")[0];
    let question = json!({ "chain": chain_of(&pki, "ocsp-good") }).to_string();
    let request = |close: &str| {
        format!(
            "POST /v1/verify HTTP/1.1\r\nHost: x\r\n{close}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{question}",
            question.len()
        )
    };
    // What it asks about may cause fetches.
    let stream = dial(address, &pki.client("good")).await;
    let answer = ask_over(stream, request("Connection: close\r\n").as_bytes()).await;
    assert_eq!((answer.status, &answer.json()["verdict"]), (200, &"accept".into()), "{answer:?}");
    assert_eq!(pki.world.server.count("/ocsp"), 1);
    // Nobody else is answered: with another certificate, with none, without TLS, or with a secret that there is not.
    let nobody = std::sync::Arc::new(certcheck_testkit::served::client_config(
        None,
        &certcheck_rustls::rustls::version::TLS13,
    ));
    for client in [pki.client("revoked"), pki.client("stranger"), nobody] {
        if let Ok(mut stream) = try_dial(address, &client).await {
            let _refused = stream.write_all(request("").as_bytes()).await;
            let mut nothing = Vec::new();
            stream.read_to_end(&mut nothing).await.expect_err("refused");
            assert!(nothing.is_empty());
        }
    }
    let mut plain = TcpStream::connect(address).await.expect("connects");
    plain.write_all(request("").as_bytes()).await.expect("written");
    let mut nothing = Vec::new();
    let _reset = plain.read_to_end(&mut nothing).await;
    assert!(!String::from_utf8_lossy(&nothing).contains("HTTP/1.1"), "{nothing:?}");
    let stream = dial(address, &pki.client("good")).await;
    let wrong = format!("GET /v1/watch HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{SECRET}\r\n");
    assert_eq!(ask_over(stream, wrong.as_bytes()).await.status, 403);
    // A peer that is revoked is cut.
    let mut live = dial(address, &pki.client("good")).await;
    fs::write(pki.path("new.crl"), pki.crl(&["good"])).expect("written");
    if let Some(tls) = &mut loaded.config.validations[0].tls {
        tls.check.crl = vec![pki.path("new.crl")];
    }
    front.reload(loaded).expect("used");
    let _cut = read_to_end(&mut live).await;
    if let Ok(mut stream) = try_dial(address, &pki.client("good")).await {
        read_to_end(&mut stream).await.expect_err("refused");
    }
}

//! The peers of a validation listener: which of them may ask, what each may hold, that it leaves room for the others, and
//! what operators see of it.

mod support;
mod validating;

use std::fs;
use std::net::SocketAddr;

use certcheck_serve::Front;
use serde_json::{Value, json};
use support::*;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpSocket, TcpStream, UnixStream};
use validating::*;

/// A connection from this address of the loopback network.
async fn connect_from(source: &str, address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::new(source.parse().expect("an address"), 0)).expect("bound");
    socket.connect(address).await.expect("connects")
}

/// The head of a question with so many bytes.
fn head(bytes: usize) -> String {
    format!(
        "POST /v1/verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {bytes}\r\n{SECRET}\r\n"
    )
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("in time");
    read.map_or(true, |_| answer.is_empty())
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_of_requests_are_bounded_for_each_peer_and_in_all() {
    let pki = Pki::new();
    let more = "max_request_bytes = 200_000\nmax_request_bytes_per_peer = 100_000\n";
    let (front, address) = start(&pki, more);
    let question = json!({ "chain": chain_of(&pki, "good") }).to_string();
    let whole = head(question.len()) + &question;
    // One peer holds nearly all that it may.
    let mut slow = connect_from("127.0.0.1", address).await;
    slow.write_all((head(150_000) + &"x".repeat(97_000)).as_bytes()).await.expect("written");
    until("it is held", || held(&front) > 97_000).await;
    // A further request of it is refused with the reason, and one of another peer is answered.
    let padded = question.replacen('{', &format!("{{{}", " ".repeat(3_000)), 1);
    let asked = (head(padded.len()) + &padded).into_bytes();
    let answer = ask_over(connect_from("127.0.0.1", address).await, &asked).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")), "{answer:?}");
    assert!(
        answer.json()["error"]["message"].as_str().is_some_and(|text| text.contains("max_request_bytes"))
    );
    assert_described("/v1/verify", "post", &answer);
    let answer = ask_over(connect_from("127.0.0.2", address).await, &asked).await;
    assert_eq!((answer.status, &answer.json()["verdict"]), (200, &"accept".into()), "{answer:?}");
    let header = format!("X-Large: {}\r\n", "a".repeat(4_000));
    let request =
        format!("GET /v1/auth/nginx HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{SECRET}{header}\r\n");
    let answer = ask_over(connect_from("127.0.0.1", address).await, request.as_bytes()).await;
    assert_eq!((answer.status, answer.header("x-certcheck-code")), (403, Some("busy")), "{answer:?}");
    // A head that does not end has no answer.
    let mut long = connect_from("127.0.0.1", address).await;
    let _cut = long.write_all(format!("GET / HTTP/1.1\r\nX-Large: {}", "a".repeat(60_000)).as_bytes()).await;
    assert!(is_closed(&mut long).await);
    // Three of them fill the listener, and one that holds nothing is refused too.
    let mut other = connect_from("127.0.0.3", address).await;
    other.write_all((head(150_000) + &"x".repeat(95_000)).as_bytes()).await.expect("written");
    until("both are held", || held(&front) > 190_000).await;
    let large = question.replacen('{', &format!("{{{}", " ".repeat(30_000)), 1);
    let asked = (head(large.len()) + &large).into_bytes();
    let unix = UnixStream::connect(pki.path("validation.sock")).await.expect("connects");
    assert_eq!(ask_over(unix, &asked).await.status, 429);
    // The first one is refused itself, and then there is room again.
    let rest = "x".repeat(53_000);
    assert_eq!(ask_over(slow, rest.as_bytes()).await.status, 429);
    drop(other);
    until("nothing is held", || held(&front) == 0).await;
    let answer = ask_over(connect_from("127.0.0.1", address).await, whole.as_bytes()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    until("nothing is held", || held(&front) == 0).await;
}

/// The bytes that the listener holds.
fn held(front: &Front) -> usize {
    front.status().validations.first().map_or(0, |listener| listener.request_bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_one_peer_leave_room_for_others() {
    let pki = Pki::new();
    let (front, address) = start(&pki, "max_connections = 3\nmax_connections_per_address = 2\n");
    let mut one = connect_from("127.0.0.1", address).await;
    let mut two = connect_from("127.0.0.1", address).await;
    // What is read of a connection was counted for its address before.
    for stream in [&mut one, &mut two] {
        stream.write_all((head(1_000) + &"x".repeat(500)).as_bytes()).await.expect("written");
    }
    until("both are there", || front.connections() == 2 && held(&front) >= 1_000).await;
    assert!(is_closed(&mut connect_from("127.0.0.1", address).await).await);
    let question = json!({ "chain": chain_of(&pki, "good") }).to_string();
    let whole = head(question.len()) + &question;
    let asked = async |source| ask_over(connect_from(source, address).await, whole.as_bytes()).await.status;
    assert_eq!(asked("127.0.0.2").await, 200);
    drop(one);
    until("there is room", || front.connections() == 1).await;
    assert_eq!(asked("127.0.0.1").await, 200);
    drop(two);
}

async fn seen(front: &Front, path: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    ask(front.admin_addresses()[0], &request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn validation_listeners_are_on_the_status_page_and_count_for_ready() {
    let pki = Pki::new();
    let more = "certificates = { chain = 'server.pem', key = 'server.key' }\npeer_ring = 'ring'\n\
                max_checks = 7\nmax_checks_per_peer = 7\nmax_watches = 8\nmax_connections = 9\n\
                [admin]\nlisten = '127.0.0.1:0'\n";
    let (front, address) = start(&pki, more);
    until("ready", || front.status().ready.ready).await;
    let _peer = dial(address, &pki.client("good")).await;
    until("it is connected", || front.connections() == 1).await;
    let answer = seen(&front, "/v1/status").await.json();
    let Value::Array(listeners) = &answer["validations"] else { panic!("{answer}") };
    let [one] = listeners.as_slice() else { panic!("{answer}") };
    let socket = format!("unix:{}", pki.path("validation.sock").display());
    for (key, value) in [
        ("name", json!("proxies")),
        ("addresses", json!([address.to_string(), socket])),
        ("protocol", json!("http")),
        ("peers_show", json!("secret or certificate")),
        ("connections", json!(1)),
        ("max_connections", json!(9)),
        ("checks", json!(0)),
        ("max_checks", json!(7)),
        ("watches", json!(0)),
        ("max_watches", json!(8)),
        ("request_bytes", json!(0)),
        ("max_request_bytes", json!(64 << 20)),
    ] {
        assert_eq!(one[key], value, "{key}: {one}");
    }
    assert!(one["certificate_not_after"].is_string(), "{one}");
    let rings = answer["rings"].as_array().expect("rings");
    assert!(rings.iter().any(|ring| ring["listeners"] == json!(["proxies"])), "{answer}");
    let page = seen(&front, "/").await.body;
    for text in
        ["Validation for other proxies (1)", "1 of 9 connections", "0 of 7 checks wait", "Ring of proxies"]
    {
        assert!(page.contains(text), "{text} is not in {page}");
    }
    assert_eq!(seen(&front, "/ready").await.status, 200);
    let metrics = seen(&front, "/metrics").await.body;
    assert!(metrics.contains("# HELP certcheck_validation_request_bytes "), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_peers_with_an_allowed_name_may_ask() {
    let pki = Pki::new();
    let tls = |allow: &str| {
        config(
            &pki,
            &format!(
                "certificates = {{ chain = 'server.pem', key = 'server.key' }}\npeer_ring = 'ring'\npeer_allow = {allow}\n"
            ),
        )
    };
    let front = Front::start(tls("[{ cn = ['good', 'third'] }]")).unwrap_or_else(|error| panic!("{error}"));
    let address = front.validation_addresses("proxies")[0];
    let question = json!({ "chain": chain_of(&pki, "second") }).to_string();
    let asked = head(question.len()).replace(SECRET, "") + &question;
    let ask_as = async |name: &str| {
        let mut stream = dial(address, &pki.client(name)).await;
        let _cut = stream.write_all(asked.as_bytes()).await;
        let mut answer = Vec::new();
        let _cut = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).expect("text").get(..12).map(str::to_owned)
    };
    assert_eq!(ask_as("good").await.as_deref(), Some("HTTP/1.1 200"));
    // Its certificate is good, and it is a client's.
    assert_eq!(ask_as("second").await, None);
    // Who is not allowed any more is cut, and others go on.
    let mut live = dial(address, &pki.client("good")).await;
    let other = dial(address, &pki.client("third")).await;
    front.reload(tls("[{ cn = 'third' }]")).expect("used");
    let _cut = read_to_end(&mut live).await;
    assert_eq!(ask_as("good").await, None);
    let answer = ask_over(other, b"GET /v1/none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert_eq!(answer.status, 404, "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_gone_ends_the_watches_of_its_peers() {
    let pki = Pki::new();
    let (front, address) = start(&pki, "");
    let answer = verify(address, &json!({ "chain": chain_of(&pki, "good") })).await;
    let sha256 = answer.json()["identity"]["sha256"].as_str().expect("a hash").to_owned();
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let request = format!("GET /v1/watch?sha256={sha256} HTTP/1.1\r\nHost: x\r\n{SECRET}\r\n");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut watch = BufReader::new(stream);
    let mut seen = String::new();
    while !seen.contains("event: watching") {
        watch.read_line(&mut seen).await.expect("read");
    }
    // The same secret changes nothing.
    front.reload(config(&pki, "max_watches = 9\n")).expect("used");
    let loaded = config(&pki, "");
    fs::write(pki.path("secret"), "fedcba9876543210").expect("written");
    front.reload(loaded).expect("used");
    while !seen.contains("event: unwatched") {
        assert!(watch.read_line(&mut seen).await.expect("read") > 0, "{seen}");
    }
    assert!(!seen.contains("event: ended"), "{seen}");
    until("no watch is open", || front.status().validations[0].watches == 0).await;
}

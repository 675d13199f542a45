//! What a running front does with other configurations, rings and keys, and how it ends.

mod support;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use certcheck_serve::config;
use certcheck_testkit::Key;
use certcheck_testkit::served::*;
use support::*;
use tokio::net::TcpStream;

/// The certificate that the server shows.
async fn shown(
    address: std::net::SocketAddr,
    client: &Arc<certcheck_rustls::rustls::ClientConfig>,
) -> Vec<u8> {
    let stream = dial(address, client).await;
    stream.get_ref().1.peer_certificates().expect("a certificate")[0].to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_client_is_cut_and_others_stay() {
    let pki = Pki::new();
    let upstream = echo().await;
    let (front, address) = pki.front(&upstream, "");
    let (mut good, mut other) =
        (dial(address, &pki.client("good")).await, dial(address, &pki.client("other")).await);
    ping(&mut good, b"before").await.expect("served");
    // A CRL arrives that lists one of them.
    pki.write("later.crl", "X509 CRL", &pki.crl(&["revoked", "good"]));
    let since = std::time::Instant::now();
    front.reload(pki.config(&upstream, "crl = 'later.crl'").expect("good")).expect("used");
    read_to_end(&mut good).await.expect_err("cut, and not as if all were there");
    let within = since.elapsed();
    ping(&mut other, b"after").await.expect("served");
    assert!(try_dial_and_ping(address, &pki, "good").await.is_err());
    assert!(try_dial_and_ping(address, &pki, "other").await.is_ok());
    // Loose, because machines that test are busy: what is promised is a second.
    assert!(within < PATIENCE, "{within:?}");
}

/// A second listener for the same service.
fn second_listener(upstream: &str) -> String {
    format!(
        "[[listener]]\nname = 'two'\nlisten = '127.0.0.1:0'\nring = 'ring'\nallow_net = '127.0.0.0/8'\n\
         certificates = {{ chain = 'server.pem', key = 'server.key' }}\nupstream = '{upstream}'\n"
    )
}

async fn try_dial_and_ping(address: std::net::SocketAddr, pki: &Pki, name: &str) -> std::io::Result<()> {
    ping(&mut try_dial(address, &pki.client(name)).await?, b"hello").await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_check_holds_for_live_connections_too() {
    let pki = Pki::new();
    let upstream = echo().await;
    let two = second_listener(&upstream);
    let (front, address) = pki.front(&upstream, &two);
    let second = front.addresses("two")[0];
    assert_eq!(front.engines().len(), 1, "equal checks share an engine");
    let client = pki.client("good");
    let (mut one, mut other) = (dial(address, &client).await, dial(second, &client).await);
    ping(&mut one, b"one").await.expect("served");
    ping(&mut other, b"two").await.expect("served");
    // The second demands a policy that no certificate has, from now on.
    let stricter = format!("{two}require_explicit_policy = true\npolicy = '1.2.3.4'\n");
    front.reload(pki.config(&upstream, &stricter).expect("good")).expect("used");
    assert_eq!(front.engines().len(), 2);
    read_to_end(&mut other).await.expect_err("cut");
    ping(&mut one, b"still").await.expect("served");
    // And the first no longer accepts clients of this CA.
    let stranger = Key::p256("reload stranger");
    let root = certcheck_testkit::Cert::root("O=Stranger,CN=Root", &stranger).issue(&stranger);
    pki.write("strange.pem", "CERTIFICATE", &root);
    let mut loaded = pki.config(&upstream, &stricter).expect("good");
    loaded.config.listeners[0].check.ring = vec![pki.path("strange.pem")];
    front.reload(loaded).expect("used");
    read_to_end(&mut one).await.expect_err("cut");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_used_changes_nothing_and_says_where() {
    let pki = Pki::new();
    let upstream = echo().await;
    let (front, address) = pki.front(&upstream, "");
    let client = pki.client("good");
    let mut live = dial(address, &client).await;
    let before = shown(address, &client).await;
    fs::write(pki.path("broken.pem"), "-----BEGIN CERTIFICATE-----\n!\n").expect("written");
    fs::create_dir(pki.path("empty")).expect("made");
    pki.write_server("other", "localhost", &Key::p256("reload other"));
    let bad: [(&str, &str, &str); 6] = [
        ("upstream = '127.0.0.1:1'\ncrl = 'none.crl'", ":9:7: crl: ", "none.crl: it cannot be read"),
        (
            "certificates = { chain = 'broken.pem', key = 'server.key' }",
            ":8:16: certificates: ",
            "broken.pem: it is not valid PEM",
        ),
        (
            "certificates = { chain = 'other.pem', key = 'server.key' }",
            ":8:16: certificates: ",
            "server.key: the key is not that of the first certificate in ",
        ),
        ("certificates = { chain = 'none.pem', key = 'x' }", ":8:16: certificates: ", "it cannot be read"),
        ("client_auth = 'nobody'", ":9:15: client_auth: ", "`nobody` is not `required`"),
        ("ocsp = 'ring'", ":9:8: ocsp: ", "holds no OCSP response"),
    ];
    for (more, place, what) in bad {
        let error = front.reload_from(|| pki.config(&upstream, more)).expect_err(more).to_string();
        assert!(error.contains(&format!("serve.toml{place}")), "{more}: {error}");
        assert!(error.contains(what), "{more}: {error}");
        assert_eq!(front.generation(), 1, "{more}");
    }
    let mut loaded = pki.config(&upstream, "").expect("good");
    loaded.config.listeners[0].check.ring = vec![pki.path("empty")];
    let error = front.reload(loaded).expect_err("no anchor").to_string();
    assert!(error.contains("serve.toml:4:8: ring: "), "{error}");
    ping(&mut live, b"still there").await.expect("served");
    assert_eq!(shown(address, &client).await, before);
    until("only the live one is left", || front.connections() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_come_and_go_with_the_configuration() {
    let pki = Pki::new();
    let upstream = echo().await;
    let (front, address) = pki.front(&upstream, "");
    let client = pki.client("good");
    let mut live = dial(address, &client).await;
    let more = "listen = ['127.0.0.1:0', '[::1]:0']";
    front.reload(pki.config(&upstream, more).expect("good")).expect("used");
    let addresses = front.addresses("web");
    assert_eq!((addresses.len(), addresses.contains(&address)), (2, true), "{addresses:?}");
    for address in &addresses {
        ping(&mut dial(*address, &client).await, b"served").await.expect("served");
    }
    let held = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = format!("listen = ['{}']", held.local_addr().expect("bound"));
    let error = front.reload_from(|| pki.config(&upstream, &taken)).expect_err("taken").to_string();
    assert!(error.contains("cannot be listened on"), "{error}");
    drop(held);
    front.reload(pki.config(&upstream, &taken).expect("good")).expect("used");
    until("it listens no longer", || std::net::TcpStream::connect(address).is_err()).await;
    ping(&mut live, b"its connections stay").await.expect("served");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_under_load_drops_no_connection() {
    let pki = Pki::new();
    let upstream = echo().await;
    let (front, address) = pki.front(&upstream, "");
    let client = pki.client("good");
    let before = shown(address, &client).await;
    let (is_over, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (client, is_over, served) = (Arc::clone(&client), Arc::clone(&is_over), Arc::clone(&served));
            tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    let mut stream = try_dial(address, &client).await.map_err(|error| error.to_string())?;
                    ping(&mut stream, b"hello").await.map_err(|error| error.to_string())?;
                    served.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<(), String>(())
            })
        })
        .collect();
    for round in 0..10_usize {
        let seen = served.load(Ordering::Relaxed);
        until("connections", || served.load(Ordering::Relaxed) > seen + 20).await;
        pki.write_server("server", "localhost", &Key::p256(&format!("reload key {round}")));
        front.reload(pki.config(&upstream, "").expect("good")).expect("used");
    }
    is_over.store(true, Ordering::Relaxed);
    for client in clients {
        assert_eq!(client.await.expect("no panic"), Ok(()));
    }
    assert_ne!(shown(address, &client).await, before);
    assert_eq!(front.generation(), 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_is_used_by_itself() {
    let pki = Pki::new();
    let upstream = hello().await;
    let text = format!(
        "watch_files = '100ms'\n[[listener]]\nname = 'web'\nlisten = '127.0.0.1:0'\nupstream = '{upstream}'\n\
         ring = 'ring'\nallow_net = '127.0.0.0/8'\ncertificates = {{ chain = 'server.pem', key = 'server.key' }}\n"
    );
    let file = pki.path("serve.toml");
    fs::write(&file, &text).expect("written");
    let front = certcheck_serve::Front::start(config::read_file(&file).expect("good")).expect("started");
    let address = front.addresses("web")[0];
    let following = tokio::spawn({
        let (front, path) = (front.clone(), file.clone());
        front.reread_by(Arc::new(move || config::read_file(&path)));
        async move { front.follow_files(Some(file)).await }
    });
    let client = pki.client("good");
    let before = shown(address, &client).await;
    // What changes before it first looks is no change: in that case the next one is.
    for round in 0.. {
        assert!(round < 20, "no change is seen");
        pki.write_server("server", "localhost", &Key::p256(&format!("reload changed {round}")));
        let is_used = async {
            while front.generation() == 1 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(5), is_used).await.is_ok() {
            break;
        }
    }
    assert_eq!(front.generation(), 2);
    assert_ne!(shown(address, &client).await, before);
    fs::write(pki.path("serve.toml"), "nonsense = 1\n").expect("written");
    let is_fault = |fault: &String| fault.contains("nonsense");
    until("the fault is seen", || {
        front.status().reload.is_some_and(|reload| reload.faults.iter().any(is_fault))
    })
    .await;
    assert_eq!(front.generation(), 2);
    fs::write(pki.path("serve.toml"), &text).expect("written");
    until("the good one is used", || front.generation() == 3).await;
    pki.write_server("server", "localhost", &Key::p256("reload again"));
    until("the next key is used", || front.generation() == 4).await;
    following.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_waits_for_connections_and_cuts_those_that_go_on() {
    let pki = Pki::new();
    let (front, address) = pki.front(&echo().await, "");
    let client = pki.client("good");
    let mut live = dial(address, &client).await;
    let draining = tokio::spawn({
        let front = front.clone();
        async move { front.drain(PATIENCE).await }
    });
    loop {
        if TcpStream::connect(address).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    ping(&mut live, b"goes on").await.expect("served");
    drop(live);
    assert_eq!(draining.await.expect("no panic").cut, 0);

    let (front, address) = pki.front(&echo().await, "");
    let mut live = dial(address, &client).await;
    ping(&mut live, b"there").await.expect("served");
    assert_eq!(front.drain(Duration::from_millis(100)).await.cut, 1);
    read_to_end(&mut live).await.expect_err("cut");
    assert_eq!(front.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_waits_for_removed_listeners_too_and_is_final() {
    let pki = Pki::new();
    let upstream = echo().await;
    let two = second_listener(&upstream);
    let (front, address) = pki.front(&upstream, &two);
    let mut live = dial(front.addresses("two")[0], &pki.client("good")).await;
    ping(&mut live, b"before").await.expect("served");
    front.reload(pki.config(&upstream, "").expect("good")).expect("used");
    ping(&mut live, b"goes on").await.expect("served");
    assert_eq!((front.connections(), front.addresses("two").len()), (1, 0));
    assert_eq!(front.drain(Duration::from_millis(100)).await.cut, 1);
    read_to_end(&mut live).await.expect_err("cut");
    // A reload that comes late does not listen again.
    let error = front.reload(pki.config(&upstream, &two).expect("good")).expect_err("too late").to_string();
    assert!(error.contains("the front ends"), "{error}");
    assert_eq!(front.addresses("web").len() + front.addresses("two").len(), 0);
    assert!(TcpStream::connect(address).await.is_err());
}

/// A session of a client resumes, and not once the client is revoked.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_resume_as_long_as_their_client_is_good() {
    let pki = Pki::new();
    let upstream = hello().await;
    let (front, address) = pki.front(&upstream, "");
    for (_, version) in VERSIONS {
        let client = pki.client_with("other", version);
        assert!(!connect(address, &client).await.is_resumed);
        let second = connect(address, &client).await;
        assert!(second.is_resumed);
        assert_eq!(second.outcome.as_deref(), Ok(HELLO));
        // The same configuration again: ring and policy were read again, and a full handshake follows.
        front.reload(pki.config(&upstream, "").expect("good")).expect("used");
        assert!(!connect(address, &client).await.is_resumed);
    }
    let (_front, address) = pki.front(&upstream, "session_max_age = 0");
    let client = pki.client("other");
    for _ in 0..3 {
        assert!(!connect(address, &client).await.is_resumed);
    }
}

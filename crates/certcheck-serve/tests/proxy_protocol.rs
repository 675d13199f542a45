//! The PROXY protocol on both sides: what the service sees, and what proxies in front may say.

mod support;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use certcheck_rustls::tokio_rustls::TlsConnector;
use support::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What services have received, each connection to its end.
type Received = Arc<Mutex<Vec<Vec<u8>>>>;

async fn recording() -> (String, Received) {
    let received = Received::default();
    let noted = Arc::clone(&received);
    let upstream = serve(move |mut stream| {
        let noted = Arc::clone(&noted);
        async move {
            let mut bytes = Vec::new();
            let _gone = stream.read_to_end(&mut bytes).await;
            noted.lock().expect("no panic").push(bytes);
        }
    });
    (upstream.await, received)
}

async fn next(received: &Received) -> Vec<u8> {
    until("a connection", || !received.lock().expect("no panic").is_empty()).await;
    received.lock().expect("no panic").remove(0)
}

/// The TLVs of a header, those of TLS unfolded.
fn tlvs(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut all = Vec::new();
    while let Some(([kind, high, low], rest)) = bytes.split_first_chunk::<3>() {
        let (value, rest) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        if *kind == 0x20 {
            all.push((*kind, value[..5].to_vec()));
            all.extend(tlvs(&value[5..]));
        } else {
            all.push((*kind, value.to_vec()));
        }
        bytes = rest;
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_sees_the_client_and_what_is_known_of_it() {
    let pki = Pki::new();
    let (upstream, received) = recording().await;
    let more = "upstream_probe = 'off'\nproxy_protocol = 'v2'\nalpn = ['postgresql']\nproxy_protocol_tlvs = ['alpn', 'authority', 'version', \
                'cn', 'cipher', 'key-alg', 'sig-alg', 'certificate', 'crc32c']";
    let (_front, address) = pki.front(&upstream, more);
    let mut client = certcheck_testkit::served::client_config(
        Some(&pki.person("good")),
        &certcheck_rustls::rustls::version::TLS13,
    );
    client.alpn_protocols = vec![b"postgresql".to_vec()];
    let client = Arc::new(client);
    for bits in [0x07, 0x05] {
        let mut stream = dial(address, &client).await;
        let own = stream.get_ref().0.local_addr().expect("bound");
        stream.write_all(b"hello").await.expect("written");
        stream.shutdown().await.expect("ended");
        let _end = read_to_end(&mut stream).await;
        let bytes = next(&received).await;
        assert!(bytes.starts_with(b"\r\n\r\n\0\r\nQUIT\n\x21\x11"));
        let length = usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
        assert_eq!(bytes[16..24], [127, 0, 0, 1, 127, 0, 0, 1]);
        assert_eq!(bytes[24..26], own.port().to_be_bytes());
        assert_eq!(bytes[26..28], address.port().to_be_bytes());
        assert_eq!(&bytes[16 + length..], b"hello");
        let tlvs = tlvs(&bytes[28..16 + length]);
        let certificate = pki.person("good").chain[0].to_vec();
        for (kind, value) in [
            (0x01, b"postgresql".to_vec()),
            (0x02, b"localhost".to_vec()),
            (0x20, vec![bits, 0, 0, 0, 0]),
            (0x21, b"TLSv1.3".to_vec()),
            (0x22, b"good".to_vec()),
            (0x23, b"TLS_AES_256_GCM_SHA384".to_vec()),
            (0x24, b"ecdsa-with-SHA256".to_vec()),
            (0x25, b"EC256".to_vec()),
            (0x28, certificate),
        ] {
            assert!(tlvs.contains(&(kind, value)), "0x{kind:02x}: {tlvs:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn version_1_says_the_addresses() {
    let pki = Pki::new();
    let (upstream, received) = recording().await;
    let (_front, address) = pki.front(&upstream, "upstream_probe = 'off'\nproxy_protocol = 'v1'");
    let mut stream = dial(address, &pki.client("good")).await;
    let own = stream.get_ref().0.local_addr().expect("bound");
    stream.shutdown().await.expect("ended");
    let _end = read_to_end(&mut stream).await;
    let expected = format!("PROXY TCP4 127.0.0.1 127.0.0.1 {} {}\r\n", own.port(), address.port());
    assert_eq!(String::from_utf8(next(&received).await), Ok(expected));
}

/// A client behind a proxy that sends this header, and whether it is served.
async fn behind(address: SocketAddr, pki: &Pki, header: &[u8]) -> std::io::Result<()> {
    let mut io = TcpStream::connect(address).await?;
    // Piece by piece, with the ClientHello behind the last one.
    let (first, rest) = header.split_at(header.len() / 2);
    io.write_all(first).await?;
    tokio::task::yield_now().await;
    io.write_all(rest).await?;
    let name = certcheck_rustls::pki_types::ServerName::try_from("localhost").expect("a name");
    let mut stream = TlsConnector::from(pki.client("good")).connect(name, io).await?;
    stream.write_all(b"hello").await?;
    stream.shutdown().await?;
    let _end = read_to_end(&mut stream).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_is_demanded_of_named_proxies_and_of_nobody_else() {
    let pki = Pki::new();
    let (upstream, received) = recording().await;
    let more = "upstream_probe = 'off'\nproxy_protocol = 'v1'\naccept_proxy_from = ['127.0.0.0/8']\nmax_connections_per_address = 1\n\
                handshake_timeout = '10s'";
    let (front, address) = pki.front(&upstream, more);
    let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24\
        \x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x12\x34\x01\xbb";
    for (header, expected) in [
        (&b"PROXY TCP4 192.0.2.7 192.0.2.1 1234 443\r\n"[..], "PROXY TCP4 192.0.2.7 192.0.2.1 1234 443\r\n"),
        (v2, "PROXY TCP6 2001:db8::1 2001:db8::2 4660 443\r\n"),
    ] {
        behind(address, &pki, header).await.expect("served");
        assert_eq!(String::from_utf8(next(&received).await), Ok(format!("{expected}hello")));
    }
    for refused in [&b""[..], b"PROXY TCP4 192.0.2.7\r\n", b"\r\n\r\n\0\r\nQUIT\n\x2f\x21\0\0", b"PROXY "] {
        assert!(behind(address, &pki, refused).await.is_err(), "{refused:?}");
    }
    until("all connections end", || front.connections() == 0).await;
    // From elsewhere a header is no TLS.
    let (_front, address) = pki.front(&upstream, "accept_proxy_from = ['192.0.2.0/24']");
    assert!(behind(address, &pki, b"PROXY TCP4 192.0.2.7 192.0.2.1 1234 443\r\n").await.is_err());
    behind(address, &pki, b"").await.expect("served");
}

/// A client that a proxy does not name has no address: that of the proxy is not its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_an_address_is_in_no_network() {
    let pki = Pki::new();
    let (upstream, _received) = recording().await;
    for (clients, named) in
        [("", true), ("clients = '127.0.0.0/8'", true), ("clients = '192.0.2.0/24'", false)]
    {
        let more = format!("accept_proxy_from = ['127.0.0.1']\n{clients}\n");
        let (_front, address) = pki.front(&upstream, &more);
        let signature = b"\r\n\r\n\0\r\nQUIT\n";
        for (header, is_served) in [
            (b"PROXY TCP4 127.0.0.7 127.0.0.1 1234 443\r\n".to_vec(), named),
            (b"PROXY TCP4 192.0.2.7 127.0.0.1 1234 443\r\n".to_vec(), clients.is_empty() || !named),
            (b"PROXY UNKNOWN\r\n".to_vec(), clients.is_empty()),
            ([&signature[..], b"\x21\0\0\0"].concat(), clients.is_empty()),
            // The proxy itself, for a health check.
            ([&signature[..], b"\x20\0\0\0"].concat(), named),
        ] {
            let outcome = behind(address, &pki, &header).await;
            assert_eq!(outcome.is_ok(), is_served, "{clients}: {header:?}");
        }
    }
}

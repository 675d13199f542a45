//! Headers are read as they are written, in whatever pieces, and nothing behind them is touched.

use std::net::SocketAddr;

use proptest::prelude::*;

use super::crc32c::crc32c;
use super::header::{Addresses, Header, SIGNATURE, kind};
use super::read::{HeaderFault, Progress, parse};
use super::tls::TlsFacts;
use super::write::{for_probe, write};
use crate::config::{ProxyProtocol, ProxyTlv, ProxyVersion};

/// Reads a header as a connection does. Returns it with the number of its bytes.
fn read(bytes: &[u8]) -> Result<Option<(Header, usize)>, HeaderFault> {
    let mut came = 0;
    loop {
        match parse(bytes.get(..came).expect("there"))? {
            Progress::Done(header) => return Ok(Some((header, came))),
            Progress::Need(more) => {
                assert!(more > 0);
                came += more;
            }
        }
        if came > bytes.len() {
            return Ok(None);
        }
    }
}

fn config(version: ProxyVersion, tlvs: &[ProxyTlv]) -> ProxyProtocol {
    ProxyProtocol { version, tlvs: tlvs.to_vec() }
}

const ALL: [ProxyTlv; 9] = [
    ProxyTlv::Alpn,
    ProxyTlv::Authority,
    ProxyTlv::Version,
    ProxyTlv::CommonName,
    ProxyTlv::Cipher,
    ProxyTlv::SignatureAlgorithm,
    ProxyTlv::KeyAlgorithm,
    ProxyTlv::Certificate,
    ProxyTlv::Checksum,
];

fn facts(certificate: usize) -> TlsFacts {
    TlsFacts {
        alpn: Some(b"h2".to_vec()),
        authority: Some("localhost".to_owned()),
        version: Some("TLSv1.3"),
        cipher: Some("TLS_AES_128_GCM_SHA256".to_owned()),
        signature_algorithm: Some("RSA-SHA256".to_owned()),
        key_algorithm: Some("RSA2048".to_owned()),
        common_name: Some("é".repeat(40)),
        certificate: Some(vec![0x30; certificate]),
        is_resumed: false,
    }
}

fn addresses() -> Addresses {
    let address = |text: &str| text.parse().expect("an address");
    Addresses::new(address("192.0.2.1:56324"), address("198.51.100.2:443"))
}

#[test]
fn a_header_has_what_is_asked_for() {
    let header = write(&config(ProxyVersion::V2, &ALL), Some(addresses()), &facts(300)).expect("a header");
    let expected_ssl = [
        (kind::SSL_VERSION, b"TLSv1.3".to_vec()),
        // 64 bytes, and no half of a character.
        (kind::SSL_CN, "é".repeat(32).into_bytes()),
        (kind::SSL_CIPHER, b"TLS_AES_128_GCM_SHA256".to_vec()),
        (kind::SSL_SIG_ALG, b"RSA-SHA256".to_vec()),
        (kind::SSL_KEY_ALG, b"RSA2048".to_vec()),
        (kind::SSL_CLIENT_CERT, vec![0x30; 300]),
    ];
    let mut tlvs = tlvs(&header[28..]).into_iter();
    assert_eq!(tlvs.next(), Some((kind::ALPN, b"h2".to_vec())));
    assert_eq!(tlvs.next(), Some((kind::AUTHORITY, b"localhost".to_vec())));
    let (_, ssl) = tlvs.next().filter(|(found, _)| *found == kind::SSL).expect("about TLS");
    assert_eq!(ssl[..5], [0x07, 0, 0, 0, 0]);
    assert_eq!(self::tlvs(&ssl[5..]), expected_ssl);
    assert_eq!(tlvs.next().map(|(found, value)| (found, value.len())), Some((kind::CRC32C, 4)));
    assert_eq!(tlvs.next(), None);

    let resumed = TlsFacts { is_resumed: true, ..facts(3) };
    let header = write(&config(ProxyVersion::V2, &[ProxyTlv::Version]), None, &resumed).expect("a header");
    assert_eq!(header[19..24], [0x05, 0, 0, 0, 0], "in the session, and not in this connection");
    let none = TlsFacts { certificate: None, ..facts(3) };
    let header = write(&config(ProxyVersion::V2, &[ProxyTlv::Version]), None, &none).expect("a header");
    assert_eq!(header[19..24], [0x01, 0, 0, 0, 1]);
    // The usual one is small enough for receivers with small buffers.
    let usual = ProxyProtocol { version: ProxyVersion::V2, ..ProxyProtocol::default() };
    let header = write(&usual, Some(addresses()), &facts(2_000)).expect("a header");
    assert!(header.len() <= 217, "{}", header.len());
}

/// A large certificate leaves no room for itself, and does not damage what is next to it.
#[test]
fn a_certificate_without_room_is_left_out() {
    for size in (60_000..64_000).step_by(1_000).chain(64_200..64_600).chain(65_300..66_000) {
        let mut header =
            write(&config(ProxyVersion::V2, &ALL), Some(addresses()), &facts(size)).expect("a header");
        let tlvs = tlvs(&header[28..]);
        let kinds: Vec<u8> = tlvs.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, [kind::ALPN, kind::AUTHORITY, kind::SSL, kind::CRC32C], "{size}");
        let has_certificate =
            self::tlvs(&tlvs[2].1[5..]).iter().any(|(found, _)| *found == kind::SSL_CLIENT_CERT);
        assert_eq!(has_certificate, size <= 64_378, "{size}");
        let at = header.len() - 4;
        let checksum = header.split_off(at);
        header.extend([0; 4]);
        assert_eq!(checksum, crc32c(header).to_be_bytes(), "{size}");
    }
}

fn tlvs(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut all = Vec::new();
    while let Some(([kind, high, low], rest)) = bytes.split_first_chunk::<3>() {
        let (value, rest) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        all.push((*kind, value.to_vec()));
        bytes = rest;
    }
    assert!(bytes.is_empty());
    all
}

#[test]
fn headers_of_others_are_read() {
    let header = |text: &str| read(text.as_bytes()).map(|read| read.map(|(header, _)| header.addresses));
    let both = |source: &str, destination: &str| {
        let address = |text: &str| text.parse().expect("an address");
        Ok(Some(Some(Addresses { source: address(source), destination: address(destination) })))
    };
    assert_eq!(
        header("PROXY TCP4 255.255.255.255 192.0.2.1 65535 1\r\n"),
        both("255.255.255.255:65535", "192.0.2.1:1")
    );
    assert_eq!(header("PROXY TCP6 2001:db8::1 ::1 1 2\r\n"), both("[2001:db8::1]:1", "[::1]:2"));
    assert_eq!(header("PROXY UNKNOWN\r\n"), Ok(Some(None)));
    assert_eq!(header("PROXY UNKNOWN ffff:f::f ffff::f 65535 65535\r\n"), Ok(Some(None)));
    for (text, fault) in [
        ("GET / HTTP/1.1\r\n", HeaderFault::NoHeader),
        ("\u{16}\u{3}\u{1}\u{0}aaaaaaaaaaaaaaaa", HeaderFault::NoHeader),
        ("PROXY TCP4 192.0.2.1 192.0.2.1 1\r\n", HeaderFault::Line),
        ("PROXY TCP4 192.0.2.1  192.0.2.1 1 2\r\n", HeaderFault::Line),
        ("PROXY TCP4 192.0.2.01 192.0.2.1 1 2\r\n", HeaderFault::Line),
        ("PROXY TCP4 192.0.2.1 192.0.2.1 01 2\r\n", HeaderFault::Line),
        ("PROXY TCP4 192.0.2.1 192.0.2.1 +1 2\r\n", HeaderFault::Line),
        ("PROXY TCP4 192.0.2.1 192.0.2.1 1 65536\r\n", HeaderFault::Line),
        ("PROXY TCP4 ::1 ::1 1 2\r\n", HeaderFault::Line),
        ("PROXY TCP6 192.0.2.1 192.0.2.1 1 2\r\n", HeaderFault::Line),
        ("PROXY UDP4 192.0.2.1 192.0.2.1 1 2\r\n", HeaderFault::Line),
        ("PROXY TCP4 192.0.2.1 192.0.2.1 1 2\n\n", HeaderFault::Line),
        ("PROXY UNKNOWN \rx\r\n", HeaderFault::Line),
    ] {
        assert_eq!(header(text), Err(fault), "{text}");
    }
    let endless = format!("PROXY UNKNOWN {}", "a".repeat(1_000));
    assert_eq!(header(&endless), Err(HeaderFault::TooLong));
    let v2 =
        |rest: &[u8]| read(&[&SIGNATURE, rest].concat()).map(|read| read.map(|(header, _)| header.addresses));
    for local in [&[0x20, 0, 0, 0][..], &[0x20, 0x11, 0, 0], &[0x20, 0x42, 0, 2, 1, 2]] {
        assert_eq!(v2(local), Ok(Some(None)), "a health check: {local:?}");
    }
    assert_eq!(v2(&[0x21, 0, 0, 3, 4, 0, 0]), Ok(Some(None)));
    for (rest, fault) in [
        (&[0x11, 0x11, 0, 0][..], HeaderFault::Version(0x11)),
        (&[0x22, 0x11, 0, 0], HeaderFault::Version(0x22)),
        (&[0x21, 0x12, 0, 0], HeaderFault::Family(0x12)),
        (&[0x21, 0x11, 0, 2, 0, 0], HeaderFault::Length),
        (&[0x21, 0x11, 0xff, 0xff], HeaderFault::TooLong),
        (&[0x21, 0, 0, 2, 4, 0], HeaderFault::Tlv),
        (&[0x21, 0, 0, 4, 4, 0, 2, 0], HeaderFault::Tlv),
        (&[0x21, 0, 0, 7, 3, 0, 4, 0, 0, 0, 0], HeaderFault::Checksum),
        (&[0x21, 0, 0, 5, 3, 0, 2, 0, 0], HeaderFault::Checksum),
    ] {
        assert_eq!(v2(rest), Err(fault), "{rest:?}");
    }
}

fn socket() -> impl Strategy<Value = SocketAddr> {
    any::<(std::net::IpAddr, u16)>().prop_map(SocketAddr::from)
}

#[test]
fn a_connection_of_the_front_itself_has_no_client() {
    assert_eq!(for_probe(ProxyVersion::None), None);
    for (version, is_local) in [(ProxyVersion::V1, false), (ProxyVersion::V2, true)] {
        let header = for_probe(version).expect("a header");
        assert_eq!(read(header), Ok(Some((Header { addresses: None, is_local }, header.len()))));
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        source in socket(), destination in socket(), is_v1: bool, size in 0_usize..3_000,
        tlvs in proptest::sample::subsequence(ALL.to_vec(), 0..=9), behind in any::<Vec<u8>>(),
    ) {
        let addresses = Addresses::new(source, destination);
        let version = if is_v1 { ProxyVersion::V1 } else { ProxyVersion::V2 };
        let mut bytes = write(&config(version, &tlvs), Some(addresses), &facts(size)).expect("a header");
        let length = bytes.len();
        bytes.extend(behind);
        prop_assert_eq!(read(&bytes), Ok(Some((Header { addresses: Some(addresses), is_local: false }, length))));
    }

    #[test]
    fn a_changed_byte_is_noticed_where_there_is_a_checksum(at in 0_usize..60, bit in 0_u8..8) {
        let tlvs = [ProxyTlv::Authority, ProxyTlv::Checksum];
        let mut bytes = write(&config(ProxyVersion::V2, &tlvs), Some(addresses()), &facts(0)).expect("a header");
        // The kind of the checksum's TLV may be changed into another: then there is none.
        prop_assume!(at < bytes.len() && at != bytes.len() - 7);
        bytes[at] ^= 1 << bit;
        let outcome = read(&bytes);
        prop_assert!(!matches!(outcome, Ok(Some((Header { addresses: Some(_), .. }, _)))), "{:?}", outcome);
    }

    #[test]
    fn no_bytes_make_it_panic(begin in 0_usize..3, bytes in any::<Vec<u8>>()) {
        let v2 = [&SIGNATURE[..], &[0x21]].concat();
        let begin: &[u8] = [&b""[..], b"PROXY TCP4 ", &v2][begin];
        let _outcome = read(&[begin, &bytes].concat());
    }
}

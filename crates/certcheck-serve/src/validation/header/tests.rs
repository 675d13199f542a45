//! What each proxy writes is read, what is near it is refused, and nothing panics.

use certcheck_rustls::certcheck_core::digest::sha256;
use certcheck_rustls::pki_types::CertificateDer;
use data_encoding::{BASE64, HEXLOWER};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;
use crate::config::{CertificateSource, RouteConfig};

/// A DER element of so many bytes, which need not be a certificate.
fn element(fill: u8, length: u16) -> Vec<u8> {
    let mut der = vec![0x30, 0x82];
    der.extend(length.max(256).to_be_bytes());
    der.resize(4 + usize::from(length.max(256)), fill);
    der
}

fn pem_of(der: &[u8]) -> String {
    certcheck_testkit::pem("CERTIFICATE", der)
}

/// Percent-encoded, but for these bytes.
fn percent(text: &str, kept: &str, is_lower: bool) -> String {
    let encode = |sign: char| match sign {
        sign if sign.is_ascii_alphanumeric() || "-._~".contains(sign) || kept.contains(sign) => {
            sign.to_string()
        }
        sign if is_lower => format!("%{:02x}", u32::from(sign)),
        sign => format!("%{:02X}", u32::from(sign)),
    };
    text.chars().map(encode).collect()
}

/// What a source writes about a chain, as the values of its headers.
fn written(source: CertificateSource, chain: &[Vec<u8>]) -> (String, Option<String>) {
    let base64: Vec<String> = chain.iter().map(|der| BASE64.encode(der)).collect();
    let pem: String = chain.iter().map(|der| pem_of(der)).collect();
    match source {
        CertificateSource::Nginx => (percent(&pem, "", false), None),
        CertificateSource::Apache => (percent(&pem, "", true), None),
        CertificateSource::Alb => (percent(&pem, "+=/", false), None),
        CertificateSource::Traefik => (base64.join(","), None),
        CertificateSource::Caddy => (base64.concat(), None),
        CertificateSource::Xfcc => {
            let cert = percent(&pem_of(&chain[0]), "", false);
            let (hash, chain) = (HEXLOWER.encode(&sha256(&chain[0])), percent(&pem, "", false));
            let value = format!(
                "By=x;Hash={hash};Cert=\"{cert}\";Chain=\"{chain}\";Subject=\"CN=a\\\"b,O=c;d\";URI=;DNS=a.example"
            );
            (value, None)
        }
        CertificateSource::Rfc9440 => {
            let above: Vec<String> = base64[1..].iter().map(|text| format!(":{text}:")).collect();
            (format!(":{}:", base64[0]), (!above.is_empty()).then(|| above.join(", ")))
        }
        CertificateSource::Haproxy => (base64[0].clone(), Some(BASE64.encode(&chain[1..].concat()))),
    }
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        headers.append(name, HeaderValue::from_str(value).expect("a value"));
    }
    headers
}

fn read_one(source: CertificateSource, value: &str) -> Result<Presented, HeaderFault> {
    let route = RouteConfig::new(source);
    read(&route, &headers(&[(&route.header, value)]))
}

fn sends_one(source: CertificateSource) -> bool {
    matches!(source, CertificateSource::Nginx | CertificateSource::Apache | CertificateSource::Caddy)
}

#[test]
fn what_each_source_writes_is_read() {
    for source in CertificateSource::ALL {
        let max = if sends_one(source) { 1 } else { 4 };
        for number in 1..=max {
            let chain: Vec<_> = (0..number).map(|fill| element(fill, 300 + u16::from(fill))).collect();
            let (leaf, above) = written(source, &chain);
            let route = RouteConfig::new(source);
            let mut pairs = vec![(route.header.as_str(), leaf.as_str())];
            if let (Some(name), Some(value)) = (&route.chain_header, &above) {
                pairs.push((name, value));
            }
            let expected = chain.into_iter().map(CertificateDer::from).collect();
            assert_eq!(read(&route, &headers(&pairs)), Ok(Presented::Chain(expected)), "{source:?} {number}");
        }
    }
}

#[test]
fn only_a_closed_list_stands_for_none() {
    for source in CertificateSource::ALL {
        assert_eq!(read(&RouteConfig::new(source), &headers(&[])), Ok(Presented::None));
        for none in ["", "  ", "(null)", "::", " :: "] {
            assert_eq!(read_one(source, none), Ok(Presented::None), "{source:?} {none:?}");
        }
        for other in ["-", "null", "none", "NULL", ":", ":::", "(null", "0", "%20", ",", "\"\""] {
            assert!(read_one(source, other).is_err(), "{source:?} {other:?}");
        }
    }
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    use CertificateSource::{Alb, Apache, Caddy, Haproxy, Nginx, Rfc9440, Traefik, Xfcc};
    let (one, two) = (element(1, 300), element(2, 300));
    let base64 = |der: &[u8]| BASE64.encode(der);
    let escaped = |der: &[u8]| percent(&pem_of(der), "", false);
    let both = escaped(&one) + &escaped(&two);
    let hash = HEXLOWER.encode(&sha256(&one));
    let with_trailing = [one.clone(), vec![0]].concat();
    for (source, value, fault) in [
        (Nginx, both.clone(), HeaderFault::Several(2)),
        (Apache, both.clone(), HeaderFault::Several(2)),
        (Nginx, escaped(&one).replace("%20", "%2G"), HeaderFault::BadPercent),
        (Nginx, escaped(&one) + "%", HeaderFault::BadPercent),
        (Nginx, escaped(&one) + "%+1", HeaderFault::BadPercent),
        (Nginx, escaped(&one) + "x", HeaderFault::NotPem),
        (Nginx, base64(&one), HeaderFault::NotPem),
        (Alb, escaped(&one).replace("CERTIFICATE", "TRUSTED%20CERTIFICATE"), HeaderFault::NotPem),
        (Alb, escaped(&one).repeat(11), HeaderFault::TooMany(11)),
        (Alb, escaped(&with_trailing), HeaderFault::NotDer),
        (Traefik, base64(&one) + ",", HeaderFault::NotDer),
        (Traefik, format!("{}, {}", base64(&one), base64(&two)), HeaderFault::NotBase64),
        (Traefik, base64(&one).replace('=', ""), HeaderFault::NotBase64),
        (Traefik, vec![base64(&one); 11].join(","), HeaderFault::TooMany(11)),
        (Traefik, base64(&with_trailing), HeaderFault::NotDer),
        (Caddy, format!(":{}", base64(&one)), HeaderFault::NotByteSequence),
        (Caddy, base64(&[one.clone(), two.clone()].concat()), HeaderFault::NotDer),
        (Haproxy, base64(&[one.clone(), two.clone()].concat()), HeaderFault::NotDer),
        (Rfc9440, base64(&one), HeaderFault::NotByteSequence),
        (Rfc9440, format!(":{}:;a=1", base64(&one)), HeaderFault::NotByteSequence),
        (Rfc9440, format!(":{}:, :{}:", base64(&one), base64(&two)), HeaderFault::NotBase64),
        (Xfcc, format!("Hash={hash}"), HeaderFault::XfccNoCertificate),
        (Xfcc, format!("Cert=\"{0}\",Cert=\"{0}\"", escaped(&one)), HeaderFault::XfccElements(2)),
        (Xfcc, format!("Cert=\"{0}\";cert=\"{0}\"", escaped(&one)), HeaderFault::XfccFieldTwice("Cert")),
        (
            Xfcc,
            format!("Cert=\"{}\";Chain=\"{}\"", escaped(&two), escaped(&one)),
            HeaderFault::XfccContradiction("Chain"),
        ),
        (Xfcc, format!("Hash={hash};Cert=\"{}\"", escaped(&two)), HeaderFault::XfccContradiction("Hash")),
        (Xfcc, format!("Cert=\"{both}\""), HeaderFault::Several(2)),
        (Xfcc, format!("Cert=\"{}", escaped(&one)), HeaderFault::BadXfcc),
        (Xfcc, format!("Cert=\"{}\"x", escaped(&one)), HeaderFault::BadXfcc),
        (Xfcc, format!("Cert=\"{}\";", escaped(&one)), HeaderFault::BadXfcc),
        (Xfcc, "Cert".to_owned(), HeaderFault::BadXfcc),
        (Haproxy, "x".repeat(MAX_VALUE + 1), HeaderFault::TooLong(MAX_VALUE + 1)),
        (Traefik, base64(&element(1, u16::MAX)), HeaderFault::TooLong(BASE64.encode_len(65_539))),
    ] {
        assert_eq!(read_one(source, &value), Err(fault), "{source:?} {value:.60}");
    }
    let route = RouteConfig::new(Haproxy);
    let (leaf, chain) = (base64(&one), base64(&two));
    let twice = [("x-ssl-client-cert", leaf.as_str()), ("X-SSL-Client-Cert", &leaf)];
    assert_eq!(read(&route, &headers(&twice)), Err(HeaderFault::Twice));
    let alone = [("x-ssl-client-cert", ""), ("x-ssl-client-chain", chain.as_str())];
    assert_eq!(read(&route, &headers(&alone)), Err(HeaderFault::ChainAlone));
    let mut odd = HeaderMap::new();
    odd.insert("x-ssl-client-cert", HeaderValue::from_bytes(b"M\xc3\xa4").expect("a value"));
    assert_eq!(read(&route, &odd), Err(HeaderFault::NotPrintable));
}

#[test]
fn other_headers_about_a_client_are_found_in_any_spelling() {
    let route = RouteConfig::new(CertificateSource::Nginx);
    for (name, is_other) in [
        ("x-client-cert", false),
        ("X-Client-Cert", false),
        ("x_client_cert", true),
        ("X.Client.Cert", true),
        ("x-client_cert", true),
        ("Client-Cert", true),
        ("client_cert", true),
        ("CLIENT~CERT", true),
        ("X-Forwarded-Client-Cert", true),
        ("X_Forwarded_Tls_Client_Cert", true),
        ("x-client-user", true),
        ("X-Client-Certs", false),
        ("X-Forwarded-For", false),
        ("Host", false),
    ] {
        let headers = headers(&[("x-client-cert", "::"), (name, "spoofed")]);
        assert_eq!(
            other_header(&route, headers.keys().map(HeaderName::as_str)).is_some(),
            is_other,
            "{name}"
        );
    }
}

fn any_source() -> impl Strategy<Value = CertificateSource> {
    prop::sample::select(CertificateSource::ALL.as_slice())
}

proptest! {
    #[test]
    fn any_value_is_read_or_refused(source in any_source(), value in "[ -~]{0,300}", chain in "[ -~]{0,100}") {
        let route = RouteConfig::new(source);
        let mut pairs = vec![(route.header.as_str(), value.as_str())];
        pairs.extend(route.chain_header.as_deref().map(|name| (name, chain.as_str())));
        if let Ok(Presented::Chain(chain)) = read(&route, &headers(&pairs)) {
            prop_assert!((1..=MAX_CHAIN).contains(&chain.len()));
        }
    }

    /// A changed byte is noticed or changes a certificate. It never adds or removes one.
    #[test]
    fn a_changed_byte_adds_no_certificate(source in any_source(), at: prop::sample::Index, byte in b' '..=b'~') {
        let (leaf, _) = written(source, &[element(1, 300)]);
        let mut changed = leaf.into_bytes();
        let at = at.index(changed.len());
        changed[at] = byte;
        let changed = String::from_utf8(changed).expect("ASCII");
        if let Ok(Presented::Chain(chain)) = read_one(source, &changed) {
            prop_assert_eq!(chain.len(), 1);
        }
    }
}

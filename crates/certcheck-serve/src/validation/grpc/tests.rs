use certcheck_rustls::certcheck_core::digest::sha256;
use certcheck_testkit::{Cert, Key, pem};
use data_encoding::HEXLOWER;
use prost::Message as _;

use super::check::presented;
use super::messages::{AttributeContext, HeaderMap, HttpRequest, Peer, RawHeader, Request};
use crate::validation::header::Presented;

const XFCC: &str = "x-forwarded-client-cert";

fn certificate(subject: &str) -> Vec<u8> {
    let key = Key::p256("grpc");
    Cert::ca(subject, &key, "CN=CA", &key).issue(&key)
}

fn escaped(der: &[u8]) -> String {
    pem("CERTIFICATE", der)
        .replace('+', "%2B")
        .replace('=', "%3D")
        .replace('/', "%2F")
        .replace(' ', "%20")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// How Envoy sends headers: as a map, or raw.
#[derive(Clone, Copy, Debug)]
enum Form {
    Map,
    Raw,
    RawText,
}

const FORMS: [Form; 3] = [Form::Map, Form::Raw, Form::RawText];

fn http(form: Form, headers: &[(&str, &str)]) -> HttpRequest {
    let all = [(":path", "/")].iter().chain(headers);
    let mut http = HttpRequest::default();
    match form {
        Form::Map => http.headers = all.map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        Form::Raw | Form::RawText => {
            let header = |(name, value): &(&str, &str)| match form {
                Form::Raw => {
                    RawHeader { key: (*name).into(), raw_value: (*value).into(), value: String::new() }
                }
                _ => RawHeader { key: (*name).into(), value: (*value).into(), raw_value: Vec::new() },
            };
            http.header_map = Some(HeaderMap { headers: all.map(header).collect() });
        }
    }
    http
}

fn read(leaf: &[u8], http: HttpRequest) -> Result<Presented, &'static str> {
    let attributes = AttributeContext {
        source: Some(Peer { certificate: escaped(leaf) }),
        request: Some(Request { http: Some(http) }),
    };
    let sent = AttributeContext::decode(&*attributes.encode_to_vec()).expect("the same");
    presented(&sent).map_err(|(code, _)| code)
}

#[test]
fn headers_are_examined_whichever_way_they_are_sent() {
    let (leaf, ca) = (certificate("CN=leaf"), certificate("CN=CA"));
    let chain = |all: &[&Vec<u8>]| Ok(Presented::Chain(all.iter().map(|der| der.to_vec().into()).collect()));
    let hash = |der: &[u8]| format!("Hash={}", HEXLOWER.encode(&sha256(der)));
    let with_chain = format!("{};Chain=\"{}{}\"", hash(&leaf), escaped(&leaf), escaped(&ca));
    for form in FORMS {
        let one = |name: &str, value: &str| read(&leaf, http(form, &[(name, value)]));
        assert_eq!(one("accept", "*/*"), chain(&[&leaf]), "{form:?}");
        assert_eq!(one(XFCC, ""), chain(&[&leaf]), "{form:?}");
        assert_eq!(one(XFCC, &with_chain), chain(&[&leaf, &ca]), "{form:?}");
        // A hash alone is compared with the certificate that Envoy hands over, and names are not looked at.
        assert_eq!(
            one(XFCC, &(hash(&leaf) + ";Subject=\"CN=admin\";URI=spiffe://a/b;DNS=b")),
            chain(&[&leaf])
        );
        assert_eq!(one(XFCC, &hash(&ca)), Err("contradictory-header"), "{form:?}");
        assert_eq!(one(XFCC, "Hash=00"), Err("contradictory-header"), "{form:?}");
        let other = format!("Chain=\"{}\"", escaped(&ca));
        assert_eq!(one(XFCC, &other), Err("contradictory-header"), "{form:?}");
        assert_eq!(one(XFCC, &format!("{0},{0}", hash(&leaf))), Err("malformed-header"), "{form:?}");
        for name in ["client-cert", "X_Client_Cert", "x-client-user", "x_forwarded_client_cert"] {
            assert_eq!(one(name, "spoofed"), Err("spoofed-header"), "{form:?} {name}");
        }
        assert_eq!(read(&leaf, HttpRequest::default()), Err("malformed-request"));
    }
    // In both, or twice, it could be read in two ways.
    let mut both = http(Form::Map, &[(XFCC, &hash(&leaf))]);
    both.header_map = http(Form::Raw, &[(XFCC, &hash(&leaf))]).header_map;
    assert_eq!(read(&leaf, both), Err("malformed-header"));
    let twice = http(Form::Raw, &[(XFCC, &hash(&leaf)), ("X-Forwarded-Client-Cert", &hash(&leaf))]);
    assert_eq!(read(&leaf, twice), Err("malformed-header"));
    let mut two_values = http(Form::Raw, &[(XFCC, &hash(&leaf))]);
    two_values
        .header_map
        .iter_mut()
        .flat_map(|map| &mut map.headers)
        .for_each(|header| header.value = "a".into());
    assert_eq!(read(&leaf, two_values), Err("malformed-header"));
    // What is spoofed in one of the two counts, whatever the other has.
    let mut mixed = http(Form::Map, &[]);
    mixed.header_map = http(Form::Raw, &[("client-cert", "")]).header_map;
    assert_eq!(read(&leaf, mixed), Err("spoofed-header"));
}

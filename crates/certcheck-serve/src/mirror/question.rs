//! From an HTTP request to the source that it is about.

use certcheck_rustls::certcheck_core::ocsp::OcspQuery;
use certcheck_rustls::certcheck_core::revocation::EvidenceRequest;
use certcheck_rustls::certcheck_fetch::mirror::mirrored_source;
use data_encoding::BASE64;
use hyper::Uri;
use hyper::body::Bytes;
use url::Url;

/// The longest URL of a source.
const MAX_URL: usize = 2_048;

/// What a request asks for.
#[derive(Clone, Debug)]
pub(super) enum Question {
    /// Evidence that others may ask for too.
    Kept(EvidenceRequest),
    /// An OCSP response for this client alone.
    Through(EvidenceRequest),
}

/// The URL of the source that a request is about, by what it asks for: the source's own URL, as a proxy is asked; a path
/// below the mirror's own URL; or a path for a host whose name leads to the mirror.
pub(super) fn source_of(uri: &Uri, host: Option<&str>, is_source: impl Fn(&Url) -> bool) -> Option<Url> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    if path.len() > MAX_URL {
        return None;
    }
    if uri.scheme().is_some() {
        let url = Url::parse(&uri.to_string()).ok()?;
        let is_plain = url.username().is_empty() && url.password().is_none();
        return (is_plain && matches!(url.scheme(), "http" | "https")).then_some(url);
    }
    let is_plain = |host: &&str| !host.contains(['@', '/', '?', '#']);
    let by_host = || {
        let host = host.filter(is_plain)?;
        Url::parse(&format!("http://{host}{path}")).ok().filter(|url| is_source(url))
    };
    by_host().or_else(|| mirrored_source(path))
}

/// The question of a GET: a CRL, or an OCSP request at the end of its path.
///
/// RFC 6960 A.1.
#[doc(alias = "RFC 6960 section A.1")]
pub(super) fn of_get(source: &Url) -> Question {
    if let Some((responder, der)) = ocsp_in_path(source) {
        return of_ocsp(&responder, der);
    }
    Question::Kept(EvidenceRequest::Crl { url: source.as_str().into() })
}

/// The question of a POST with this body. `None` for a body that is no OCSP request.
pub(super) fn of_post(source: &Url, body: Bytes) -> Option<Question> {
    OcspQuery::parse(&body).is_ok().then(|| of_ocsp(source, body))
}

/// A request that nothing sets apart is asked in its shortest form, so that all who ask the same share an answer.
fn of_ocsp(responder: &Url, der: Bytes) -> Question {
    let url: std::sync::Arc<str> = responder.as_str().into();
    match OcspQuery::parse(&der) {
        Ok(query) if query.is_plain => {
            let request = query.plain_request().into();
            Question::Kept(EvidenceRequest::Ocsp { url, request, nonce: None })
        }
        // An answer that is for one client alone, whether or not its request has a nonce.
        _ => Question::Through(EvidenceRequest::Ocsp { url, request: der, nonce: Some(Bytes::new()) }),
    }
}

/// The responder and the request of an OCSP URL. Base64 has slashes, which not every client percent-encodes.
fn ocsp_in_path(source: &Url) -> Option<(Url, Bytes)> {
    if source.query().is_some() {
        return None;
    }
    let path = source.path();
    let slashes = path.char_indices().filter(|(_, sign)| *sign == '/').map(|(at, _)| at);
    slashes.take(16).find_map(|at| {
        let (base, rest) = path.split_at_checked(at)?;
        let encoded = percent_decoded(rest.strip_prefix('/')?)?;
        let der: Bytes = BASE64.decode(&encoded).ok()?.into();
        OcspQuery::parse(&der).ok()?;
        let mut responder = source.clone();
        responder.set_path(base);
        Some((responder, der))
    })
}

/// Bytes with `%XX` replaced. `None` if one is cut short, or for what cannot begin an OCSP request in base64.
fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    if !text.starts_with('M') && !text.starts_with("%4") {
        return None;
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digit =
            |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        decoded.push(match byte {
            b'%' => digit(rest.next())? << 4 | digit(rest.next())?,
            other => other,
        });
    }
    Some(decoded)
}

/// For fuzzers: a target, and behind a line end a host.
#[cfg(fuzzing)]
pub(crate) fn exercise(text: &str) {
    let (target, host) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(uri) = target.parse::<Uri>() else { return };
    let Some(source) = source_of(&uri, Some(host), |url| url.host_str() == Some(host)) else { return };
    assert!(matches!(source.scheme(), "http" | "https"), "{source}");
    assert!(source.username().is_empty() && source.password().is_none(), "{source}");
    let (Question::Kept(request) | Question::Through(request)) = of_get(&source);
    let asked = Url::parse(request.url()).expect("a URL");
    assert_eq!((asked.scheme(), asked.host(), asked.port()), (source.scheme(), source.host(), source.port()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(uri: &str, host: Option<&str>) -> Option<String> {
        let is_source = |url: &Url| url.host_str() == Some("crl.example");
        source_of(&uri.parse().unwrap(), host, is_source).map(Into::into)
    }

    #[test]
    fn three_ways_to_name_a_source() {
        for (uri, host, url) in [
            ("http://crl.example/ca.crl", None, Some("http://crl.example/ca.crl")),
            ("/http/crl.example/ca.crl", Some("mirror:8790"), Some("http://crl.example/ca.crl")),
            ("/https/crl.example:8443/ca.crl?x=y", None, Some("https://crl.example:8443/ca.crl?x=y")),
            ("/ca.crl", Some("crl.example"), Some("http://crl.example/ca.crl")),
            (
                "/http/other.example/ca.crl",
                Some("crl.example"),
                Some("http://crl.example/http/other.example/ca.crl"),
            ),
            ("/ca.crl", Some("mirror"), None),
            ("/ca.crl", Some("user@crl.example"), None),
            ("/ca.crl", None, None),
            ("/", Some("mirror"), None),
            ("/v1/news", Some("mirror"), None),
            ("http://user@crl.example/ca.crl", None, None),
            ("ldap://crl.example/cn=ca", None, None),
            ("ftp://crl.example/ca.crl", None, None),
        ] {
            assert_eq!(source(uri, host).as_deref(), url, "{uri} {host:?}");
        }
    }

    /// The hash of a name and of a key, and a serial number, as in every OCSP request of this size.
    fn request(serial: &[u8]) -> Vec<u8> {
        let element =
            |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).unwrap()], content].concat();
        let sha1 = element(0x30, &[6, 5, 0x2b, 14, 3, 2, 26, 5, 0]);
        let (name, key) = (element(4, &[0xff; 20]), element(4, &[0xfb; 20]));
        let id = element(0x30, &[sha1, name, key, element(2, serial)].concat());
        element(0x30, &element(0x30, &element(0x30, &element(0x30, &id))))
    }

    #[test]
    fn ocsp_requests_in_paths() {
        let der = request(&[1, 2, 3]);
        let plain = BASE64.encode(&der);
        let escaped: String = plain.replace('+', "%2B").replace('/', "%2f").replace('=', "%3D");
        assert!(plain.contains('/'), "a request whose base64 has slashes");
        for (base, responder) in [
            ("http://ocsp.example/", "http://ocsp.example/"),
            ("http://ocsp.example/ca/", "http://ocsp.example/ca"),
            ("http://ocsp.example:8080/a/b/", "http://ocsp.example:8080/a/b"),
        ] {
            for encoded in [&plain, &escaped] {
                let url = Url::parse(&format!("{base}{encoded}")).unwrap();
                match of_get(&url) {
                    Question::Kept(EvidenceRequest::Ocsp { url, request, nonce: None }) => {
                        assert_eq!((&*url, &request[..]), (responder, &der[..]));
                    }
                    other => panic!("{url}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn everything_else_is_a_crl() {
        for url in [
            "http://c.example/ca.crl",
            "http://c.example/MEIw",
            "http://c.example/M%4",
            "http://c.example/?M=x",
        ] {
            let source = Url::parse(url).unwrap();
            match of_get(&source) {
                Question::Kept(EvidenceRequest::Crl { url: found }) => assert_eq!(&*found, url),
                other => panic!("{url}: {other:?}"),
            }
        }
        let source = Url::parse("http://o.example/").unwrap();
        assert!(of_post(&source, Bytes::from_static(b"junk")).is_none());
    }
}

//! Headers that say who a client is: `X-Forwarded-Client-Cert` as Envoy writes it, `Client-Cert` and `Client-Cert-Chain`
//! (RFC 9440), and plain `X-Client-*`.
//!
//! Values are printable ASCII. In `X-Client-*` every other byte, and `%`, is percent-encoded as UTF-8. In `X-Client-SAN`
//! so is `,`, which separates names.

use std::fmt::Write as _;

use certcheck_rustls::certcheck_core::x509::GeneralName;
use certcheck_rustls::{Client, Identity};
use data_encoding::{BASE64, HEXLOWER};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::names;
use crate::config::{HttpConfig, IdentityHeader, XfccField};
use crate::identity::AccessRefusal;

/// The longest line of Base64 in PEM.
const PEM_LINE: usize = 64;

/// The headers about one client, made once and set in each of its requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct IdentityHeaders(Vec<(HeaderName, HeaderValue)>);

impl IdentityHeaders {
    /// The headers about a client. `identity` is `None` if it has no certificate.
    ///
    /// # Errors
    /// If a name of the certificate must not be relied on.
    pub(crate) fn new(
        config: &HttpConfig,
        client: Option<&Client>,
        identity: Option<&Identity>,
        user: Option<&str>,
    ) -> Result<Self, AccessRefusal> {
        let mut headers = Self::default();
        let Some(identity) = identity else {
            if config.headers.contains(&IdentityHeader::XClient) {
                headers.push(names::VERDICT, "none");
            }
            return Ok(headers);
        };
        let above = above(client);
        for header in &config.headers {
            match header {
                IdentityHeader::Xfcc => headers.push(names::XFCC, &xfcc(identity, &config.xfcc, &above)?),
                IdentityHeader::ClientCert => {
                    headers.push(names::CLIENT_CERT, &byte_sequence(&identity.certificate()));
                }
                IdentityHeader::ClientCertChain => {
                    let chain: Vec<_> = above.iter().map(|der| byte_sequence(der)).collect();
                    if !chain.is_empty() {
                        headers.push(names::CLIENT_CERT_CHAIN, &chain.join(", "));
                    }
                }
                IdentityHeader::XClient => headers.plain(identity, user),
            }
        }
        Ok(headers)
    }

    /// Sets them.
    pub(crate) fn set(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.0 {
            headers.insert(name.clone(), value.clone());
        }
    }

    /// Their names and values.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    /// A value that is no header is not possible: every caller writes printable ASCII.
    fn push(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.push((HeaderName::from_static(name), value));
        }
    }

    fn plain(&mut self, identity: &Identity, user: Option<&str>) {
        self.push(names::SUBJECT, &encoded(&identity.subject(), ""));
        self.push(names::ISSUER, &encoded(&identity.issuer(), ""));
        self.push(names::SERIAL, &identity.serial());
        self.push(names::VERDICT, "accept");
        if let Some(user) = user {
            self.push(names::USER, &encoded(user, ""));
        }
        let san = san(identity);
        if !san.is_empty() {
            self.push(names::SAN, &san);
        }
    }
}

/// The certificates between the client's own and the anchor, of the path that was verified. What the client presented
/// besides is not among them.
fn above(client: Option<&Client>) -> Vec<Vec<u8>> {
    let Some(report) = client.and_then(Client::report) else { return Vec::new() };
    let details = report.details();
    let view = details.view();
    let inner = view.path.get(1..view.path.len().saturating_sub(1)).unwrap_or_default();
    inner.iter().map(|checked| checked.certificate.der().to_vec()).collect()
}

/// RFC 9440 2.2: a byte sequence of structured fields (RFC 9651 3.3.5).
fn byte_sequence(der: &[u8]) -> String {
    format!(":{}:", BASE64.encode(der))
}

/// Printable ASCII without `%` and `also`; every other byte is percent-encoded.
fn encoded(text: &str, also: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for byte in text.bytes() {
        let character = char::from(byte);
        if matches!(byte, 0x20..0x7f) && byte != b'%' && !also.contains(character) {
            value.push(character);
        } else {
            let _ = write!(value, "%{byte:02X}");
        }
    }
    value
}

/// The names of subjectAltName that have a text, in the order of the certificate. A name that cannot be parsed, or has a
/// control character, leaves all of them out.
fn san(identity: &Identity) -> String {
    let certificate = identity.view();
    let Ok(names) = certificate.subject_alt_name() else { return String::new() };
    let mut listed = Vec::new();
    for name in names.into_iter().flatten() {
        let (kind, value) = match name {
            Ok(GeneralName::Rfc822(mailbox)) => ("email", mailbox.to_owned()),
            Ok(GeneralName::Dns(name)) => ("DNS", name.to_owned()),
            Ok(GeneralName::Uri(uri)) => ("URI", uri.to_owned()),
            Ok(GeneralName::Ip(_)) => continue,
            Ok(_) => continue,
            Err(_) => return String::new(),
        };
        if value.chars().any(char::is_control) {
            return String::new();
        }
        listed.push(format!("{kind}:{}", encoded(&value, ",")));
    }
    let addresses = identity.ip_addresses().unwrap_or_default();
    listed.extend(addresses.iter().map(|address| format!("IP:{address}")));
    if let Ok(Some(upn)) = identity.upn() {
        listed.push(format!("UPN:{}", encoded(upn, ",")));
    }
    listed.join(",")
}

/// `Hash=...;Cert="...";Chain="...";Subject="...";URI=...;DNS=...`
fn xfcc(identity: &Identity, fields: &[XfccField], above: &[Vec<u8>]) -> Result<String, AccessRefusal> {
    let mut value = format!("Hash={}", HEXLOWER.encode(&identity.sha256()));
    for field in XfccField::IN_ORDER.into_iter().filter(|field| fields.contains(field)) {
        match field {
            XfccField::Cert => {
                let _ = write!(value, ";Cert=\"{}\"", pem(&identity.certificate()));
            }
            XfccField::Chain => {
                let rest: String = above.iter().map(|der| pem(der)).collect();
                let _ = write!(value, ";Chain=\"{}{rest}\"", pem(&identity.certificate()));
            }
            XfccField::Subject => {
                let _ = write!(value, ";Subject=\"{}\"", quotable(&identity.subject()));
            }
            XfccField::Uri => {
                let uris = identity.uris()?;
                for uri in &uris {
                    let _ = write!(value, ";URI={}", xfcc_value(uri)?);
                }
                if uris.is_empty() {
                    value.push_str(";URI=");
                }
            }
            XfccField::Dns => {
                for name in identity.dns_names()? {
                    let _ = write!(value, ";DNS={}", xfcc_value(name)?);
                }
            }
        }
    }
    Ok(value)
}

/// A name as it is, or in quotes if it has a sign that ends a value. Signs that no URI and no DNS name has, and that
/// readers of quotes understand differently, are refused.
fn xfcc_value(name: &str) -> Result<String, AccessRefusal> {
    if !name.bytes().all(|byte| matches!(byte, 0x21..0x7f) && !matches!(byte, b'"' | b'\\')) {
        return Err(AccessRefusal::Unwritable { name: name.to_owned() });
    }
    if name.contains([',', ';', '=']) { Ok(format!("\"{name}\"")) } else { Ok(name.to_owned()) }
}

/// A name of RFC 4514 without quotes, without a backslash before one, and in ASCII: these are written in hexadecimal,
/// which RFC 4514 2.4 allows for each.
fn quotable(name: &str) -> String {
    let mut quotable = String::with_capacity(name.len());
    let mut characters = name.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped @ ('"' | '\\')) => {
                    let _ = write!(quotable, "\\{:02X}", u32::from(escaped));
                }
                Some(other) => quotable.extend(['\\', other]),
                None => quotable.push_str("\\5C"),
            },
            '"' => quotable.push_str("\\22"),
            ' '..='~' => quotable.push(character),
            other => {
                for byte in other.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(quotable, "\\{byte:02X}");
                }
            }
        }
    }
    quotable
}

/// Percent-encoded PEM.
fn pem(der: &[u8]) -> String {
    let base64 = BASE64.encode(der);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in base64.as_bytes().chunks(PEM_LINE) {
        text.extend(line.iter().map(|byte| char::from(*byte)));
        text.push('\n');
    }
    text.push_str("-----END CERTIFICATE-----\n");
    encoded(&text, " +/=\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_end_where_their_quotes_do() {
        for (name, written) in [
            (r#"CN=Alice \"A\",O=Acme"#, r#"CN=Alice \22A\22,O=Acme"#),
            (r"CN=a\\,O=Acme", r"CN=a\5C,O=Acme"),
            (r"O=Lab\, Inc", r"O=Lab\, Inc"),
            ("CN=Röhre", r"CN=R\C3\B6hre"),
            (r#"CN=x\"\;Subject=\"CN=root"#, r"CN=x\22\;Subject=\22CN=root"),
        ] {
            assert_eq!(quotable(name), written);
            assert!(!quotable(name).contains('"'));
        }
    }

    #[test]
    fn names_that_end_a_value_are_quoted_or_refused() {
        assert_eq!(xfcc_value("spiffe://a/b"), Ok("spiffe://a/b".to_owned()));
        assert_eq!(xfcc_value("http://a/?b=c;d"), Ok("\"http://a/?b=c;d\"".to_owned()));
        for name in ["a\"b", "a\\b", "a b", "ä"] {
            assert!(xfcc_value(name).is_err(), "{name}");
        }
    }

    #[test]
    fn other_bytes_are_percent_encoded() {
        assert_eq!(encoded("CN=Zoë,O=100%\0", ""), "CN=Zo%C3%AB,O=100%25%00");
        assert_eq!(encoded("a,b", ","), "a%2Cb");
    }
}

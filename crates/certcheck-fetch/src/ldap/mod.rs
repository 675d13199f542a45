//! CRLs and certificates from a directory: one search for each URL (RFC 4511).
//!
//! Only the requests of `ldap3`, its filters and its BER are used. Its connection reads a whole message of any length
//! that the message claims, follows nesting with recursion, and panics on answers of another shape than it expects.
//! So a directory that a certificate names could end the process. Therefore the answer is parsed here, with limits.

mod url;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Take};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{self, pki_types::ServerName};

pub(crate) use url::LdapUrl;
#[cfg(any(test, fuzzing))]
pub(crate) use url::validated;

/// Values of an entry. Each takes memory of its own, even a short one.
const MAX_VALUES: usize = 256;
/// Bytes of an answer in addition to its values.
const MAX_OVERHEAD: usize = 64 * 1_024;

/// Why a directory gave no values.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum LdapFault {
    /// No connection, or it was lost.
    Unreachable(String),
    /// More than the limit.
    TooLarge,
    /// No such entry, or none of the attributes in it.
    Nothing,
    /// An answer of another kind: a result code, a referral, or bytes that cannot be parsed.
    Rejected(String),
}

impl fmt::Display for LdapFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(message) => write!(f, "directory not reached: {message}"),
            Self::TooLarge => f.write_str("the directory's answer is larger than the limit"),
            Self::Nothing => f.write_str("the directory has no such entry or attribute"),
            Self::Rejected(message) => write!(f, "the directory refuses: {message}"),
        }
    }
}

impl LdapFault {
    fn unreachable(error: impl fmt::Display) -> Self {
        Self::Unreachable(error.to_string())
    }

    fn malformed() -> Self {
        Self::Rejected("malformed answer".to_owned())
    }
}

/// Asks a directory for the values of the URL's attributes.
///
/// `address` is connected to, without another look-up, and `name` is for TLS. Referrals are not followed. Nothing is
/// spawned: dropping the future closes the connection.
///
/// # Errors
/// Why there are none. The values have at most `cap` bytes together, and at most `cap` and 64 KiB are read.
pub(crate) async fn fetch(
    url: &LdapUrl,
    address: SocketAddr,
    name: &str,
    tls: Arc<rustls::ClientConfig>,
    cap: usize,
) -> Result<Vec<Bytes>, LdapFault> {
    let server = if url.is_tls {
        Some(ServerName::try_from(name.to_owned()).map_err(LdapFault::unreachable)?)
    } else {
        None
    };
    let stream = TcpStream::connect(address).await.map_err(LdapFault::unreachable)?;
    match server {
        Some(server) => {
            let stream = TlsConnector::from(tls).connect(server, stream).await;
            ask(stream.map_err(LdapFault::unreachable)?, url, cap).await
        }
        None => ask(stream, url, cap).await,
    }
}

pub(crate) async fn ask<S>(mut stream: S, url: &LdapUrl, cap: usize) -> Result<Vec<Bytes>, LdapFault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = url.request().ok_or_else(|| LdapFault::Rejected("no such request".to_owned()))?;
    stream.write_all(&request).await.map_err(LdapFault::unreachable)?;
    stream.flush().await.map_err(LdapFault::unreachable)?;
    let mut stream = stream.take(u64::try_from(cap.saturating_add(MAX_OVERHEAD)).unwrap_or(u64::MAX));
    let mut buffer = BytesMut::with_capacity(8 * 1_024);
    let mut entry = None;
    loop {
        let message = message(&mut stream, &mut buffer).await?;
        let mut fields = Ber(Ber(&message).expect(tag::SEQUENCE)?);
        let id = fields.expect(tag::INTEGER)?;
        let (operation, content) = fields.any()?;
        // Controls may follow. None was asked for, so none changes the result.
        match operation {
            tag::EXTENDED if id == [0] => {
                return Err(LdapFault::unreachable("the directory ended the session"));
            }
            _ if id != [1] => return Err(LdapFault::malformed()),
            tag::ENTRY if entry.is_none() => entry = Some(values(&message, content, url, cap)?),
            tag::REFERENCE => {}
            tag::DONE => {
                return match Ber(content).expect(tag::ENUMERATED)? {
                    [0] => entry.filter(|values| !values.is_empty()).ok_or(LdapFault::Nothing),
                    // noSuchAttribute, noSuchObject
                    [16 | 32] => Err(LdapFault::Nothing),
                    [10] => Err(LdapFault::Rejected("a referral, not followed".to_owned())),
                    [code] => Err(LdapFault::Rejected(format!("result code {code}"))),
                    _ => Err(LdapFault::malformed()),
                };
            }
            _ => return Err(LdapFault::malformed()),
        }
    }
}

/// The next whole message. Its claimed length is compared with the limit before its bytes are waited for.
async fn message<S>(stream: &mut Take<S>, buffer: &mut BytesMut) -> Result<Bytes, LdapFault>
where
    S: AsyncRead + Unpin,
{
    loop {
        if let Some(header) = Header::read(buffer)? {
            if header.tag != tag::SEQUENCE {
                return Err(LdapFault::malformed());
            }
            let Some(missing) = header.end.checked_sub(buffer.len()).filter(|missing| *missing > 0) else {
                return Ok(buffer.split_to(header.end).freeze());
            };
            if u64::try_from(missing).is_ok_and(|missing| missing > stream.limit()) {
                return Err(LdapFault::TooLarge);
            }
        }
        if stream.read_buf(buffer).await.map_err(LdapFault::unreachable)? == 0 {
            return Err(match stream.limit() {
                0 => LdapFault::TooLarge,
                _ => LdapFault::unreachable("the directory closed the connection"),
            });
        }
    }
}

/// The requested values of an entry, as parts of its message.
///
/// ```asn1
/// SearchResultEntry ::= [APPLICATION 4] SEQUENCE {
///      objectName OCTET STRING, attributes SEQUENCE OF SEQUENCE { type OCTET STRING, vals SET OF OCTET STRING } }
/// ```
fn values(message: &Bytes, entry: &[u8], url: &LdapUrl, cap: usize) -> Result<Vec<Bytes>, LdapFault> {
    let mut found = Vec::new();
    let mut total = 0_usize;
    let mut fields = Ber(entry);
    fields.expect(tag::OCTET_STRING)?;
    let mut attributes = Ber(fields.expect(tag::SEQUENCE)?);
    while !attributes.0.is_empty() {
        let mut attribute = Ber(attributes.expect(tag::SEQUENCE)?);
        let is_wanted = url.asks_for(attribute.expect(tag::OCTET_STRING)?);
        let mut values = Ber(attribute.expect(tag::SET)?);
        while is_wanted && !values.0.is_empty() {
            let value = values.expect(tag::OCTET_STRING)?;
            total = total.saturating_add(value.len());
            if total > cap || found.len() == MAX_VALUES {
                return Err(LdapFault::TooLarge);
            }
            found.push(message.slice_ref(value));
        }
    }
    Ok(found)
}

mod tag {
    pub(super) const INTEGER: u8 = 0x02;
    pub(super) const OCTET_STRING: u8 = 0x04;
    pub(super) const ENUMERATED: u8 = 0x0a;
    pub(super) const SEQUENCE: u8 = 0x30;
    pub(super) const SET: u8 = 0x31;
    /// SearchResultEntry.
    pub(super) const ENTRY: u8 = 0x64;
    /// SearchResultDone.
    pub(super) const DONE: u8 = 0x65;
    /// SearchResultReference.
    pub(super) const REFERENCE: u8 = 0x73;
    /// ExtendedResponse: with the message number 0, the notice of disconnection.
    pub(super) const EXTENDED: u8 = 0x78;
}

/// The range of a BER value.
struct Header {
    tag: u8,
    /// The start of the content.
    start: usize,
    /// The end of the content.
    end: usize,
}

impl Header {
    /// `None` if more bytes are needed. Lengths are definite (RFC 4511 5.1), in any form of up to four bytes.
    fn read(bytes: &[u8]) -> Result<Option<Self>, LdapFault> {
        let (Some(tag), Some(first)) = (bytes.first(), bytes.get(1)) else { return Ok(None) };
        let (start, length) = match first {
            0..=0x7f => (2, usize::from(*first)),
            0x81..=0x84 => {
                let start = 2 + usize::from(*first & 0x7f);
                let Some(digits) = bytes.get(2..start) else { return Ok(None) };
                (start, digits.iter().fold(0, |length, digit| (length << 8) | usize::from(*digit)))
            }
            _ => return Err(LdapFault::malformed()),
        };
        let end = start.checked_add(length).ok_or(LdapFault::TooLarge)?;
        Ok(Some(Self { tag: *tag, start, end }))
    }
}

/// BER values, one after the other.
struct Ber<'a>(&'a [u8]);

impl<'a> Ber<'a> {
    /// Tag and content of the next.
    fn any(&mut self) -> Result<(u8, &'a [u8]), LdapFault> {
        let header = Header::read(self.0)?.ok_or_else(LdapFault::malformed)?;
        let content = self.0.get(header.start..header.end).ok_or_else(LdapFault::malformed)?;
        self.0 = self.0.get(header.end..).unwrap_or_default();
        Ok((header.tag, content))
    }

    /// Content of the next, which has this tag.
    fn expect(&mut self, tag: u8) -> Result<&'a [u8], LdapFault> {
        let (found, content) = self.any()?;
        if found == tag { Ok(content) } else { Err(LdapFault::malformed()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> LdapUrl {
        validated(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
    }

    fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let length = u32::try_from(content.len()).expect("short").to_be_bytes();
        [&[tag, 0x84], &length[..], &content].concat()
    }

    fn entry(attribute: &str, values: &[&[u8]]) -> Vec<u8> {
        let values: Vec<Vec<u8>> = values.iter().map(|value| tlv(tag::OCTET_STRING, &[value])).collect();
        let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        let name = tlv(tag::OCTET_STRING, &[attribute.as_bytes()]);
        let attribute = tlv(tag::SEQUENCE, &[&name, &tlv(tag::SET, &values)]);
        let fields = [tlv(tag::OCTET_STRING, &[b"o=A"]), tlv(tag::SEQUENCE, &[&attribute])];
        tlv(tag::SEQUENCE, &[&[tag::INTEGER, 1, 1], &tlv(tag::ENTRY, &[&fields[0], &fields[1]])])
    }

    fn done(code: u8) -> Vec<u8> {
        let result = [tag::ENUMERATED, 1, code, tag::OCTET_STRING, 0, tag::OCTET_STRING, 0];
        tlv(tag::SEQUENCE, &[&[tag::INTEGER, 1, 1], &tlv(tag::DONE, &[&result])])
    }

    /// The result for an answer that arrives in small pieces.
    fn outcome(answer: &[u8], cap: usize) -> Result<Vec<Bytes>, LdapFault> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
        let (near, mut far) = tokio::io::duplex(1_024);
        let answer = answer.to_vec();
        let url = url("ldap:///o=A?x");
        runtime.block_on(async {
            let serve = async {
                let mut request = [0; 1_024];
                let _ = far.read(&mut request).await;
                for piece in answer.chunks(7) {
                    let _ = far.write_all(piece).await;
                }
                drop(far);
            };
            tokio::join!(ask(near, &url, cap), serve).0
        })
    }

    #[test]
    fn takes_answers() {
        let both = [entry("X;binary", &[b"one", b"\xff"]), done(0)].concat();
        assert_eq!(outcome(&both, 4), Ok(vec![Bytes::from("one"), Bytes::from(&b"\xff"[..])]));
        let reference = tlv(tag::SEQUENCE, &[&[tag::INTEGER, 1, 1], &tlv(tag::REFERENCE, &[b"\x04\x01a"])]);
        assert_eq!(outcome(&[reference, both].concat(), 4).map(|found| found.len()), Ok(2));
    }

    #[test]
    fn faults_of_answers() {
        let malformed = LdapFault::malformed();
        let closed = LdapFault::unreachable("the directory closed the connection");
        let refused = |message: &str| LdapFault::Rejected(message.to_owned());
        let nested = (0..5_000).fold(Vec::new(), |inner: Vec<u8>, _| tlv(tag::SEQUENCE, &[&inner]));
        let goodbye = tlv(tag::SEQUENCE, &[&[tag::INTEGER, 1, 0], &tlv(tag::EXTENDED, &[])]);
        let one = entry("x", &[b"one"]);
        let cases: Vec<(&str, Vec<u8>, LdapFault)> = vec![
            ("nothing", vec![], closed.clone()),
            ("no result", one.clone(), closed.clone()),
            ("half", one[..one.len() / 2].to_vec(), closed),
            ("no entry", done(0), LdapFault::Nothing),
            ("no value", [entry("x", &[]), done(0)].concat(), LdapFault::Nothing),
            ("another attribute", [entry("y", &[b"one"]), done(0)].concat(), LdapFault::Nothing),
            ("noSuchObject", done(32), LdapFault::Nothing),
            ("referral", done(10), refused("a referral, not followed")),
            ("insufficientAccessRights", done(50), refused("result code 50")),
            ("two entries", [one.clone(), one.clone()].concat(), malformed.clone()),
            ("goodbye", goodbye, LdapFault::unreachable("the directory ended the session")),
            ("values over the cap", entry("x", &[b"one", b"two"]), LdapFault::TooLarge),
            ("empty values", entry("x", &[&b""[..]; MAX_VALUES + 1]), LdapFault::TooLarge),
            ("claims 4 GiB", b"\x30\x84\xff\xff\xff\xff".to_vec(), LdapFault::TooLarge),
            (
                "references for ever",
                tlv(tag::SEQUENCE, &[b"\x02\x01\x01\x73\x00"]).repeat(7_000),
                LdapFault::TooLarge,
            ),
            ("nested", nested, malformed.clone()),
            ("indefinite", b"\x30\x80\x02\x01\x01".to_vec(), malformed.clone()),
            ("not LDAP", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), malformed.clone()),
            ("empty message", b"\x30\x00".to_vec(), malformed.clone()),
            ("another message", b"\x30\x05\x02\x01\x02\x65\x00".to_vec(), malformed.clone()),
            ("a part that is longer than the whole", b"\x30\x05\x02\x01\x01\x65\x7f".to_vec(), malformed),
        ];
        for (what, answer, fault) in cases {
            assert_eq!(outcome(&answer, 5), Err(fault), "{what}");
        }
    }
}

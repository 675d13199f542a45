//! What the front says about a client: the PROXY protocol, version 2.

use std::io;

use certcheck_core::x509::{Certificate, GeneralName};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// How a header begins, and the bytes before its content.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const FIXED: usize = 16;
/// Of a connection of the front itself, and of one of a client.
const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;
/// Kinds of content: the application protocol, and TLS with the client's certificate in it.
const ALPN: u8 = 0x01;
const SSL: u8 = 0x20;
const SSL_CLIENT_CERT: u8 = 0x28;
/// Of TLS, before its own content.
const SSL_FIXED: usize = 5;

/// Who a client is.
#[derive(Debug, Default)]
pub(super) struct ClientFacts {
    /// The application protocol that was agreed on.
    pub(super) alpn: Option<Vec<u8>>,
    /// Its certificate.
    certificate: Option<Vec<u8>>,
}

/// Reads a header and nothing behind it. `None` for a connection of the front itself.
///
/// # Errors
/// If there is no header.
pub(super) async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<ClientFacts>> {
    let no_header = || io::Error::other("it does not begin with a PROXY protocol header");
    let mut fixed = [0; FIXED];
    stream.read_exact(&mut fixed).await?;
    let [signature @ .., command, family, high, low] = fixed;
    let mut content = vec![0; usize::from(u16::from_be_bytes([high, low]))];
    stream.read_exact(&mut content).await?;
    if signature != *SIGNATURE {
        return Err(no_header());
    }
    let addresses = match (command, family >> 4) {
        (LOCAL, _) => return Ok(None),
        (PROXY, 0) => 0,
        (PROXY, 1) => 12,
        (PROXY, 2) => 36,
        _ => return Err(no_header()),
    };
    let mut facts = ClientFacts::default();
    for (kind, value) in parts(content.get(addresses..).ok_or_else(no_header)?) {
        match kind {
            ALPN => facts.alpn = Some(value.to_vec()),
            SSL => {
                let inner = value.get(SSL_FIXED..).unwrap_or_default();
                let certificate = parts(inner).find(|(kind, _)| *kind == SSL_CLIENT_CERT);
                facts.certificate = certificate.map(|(_, der)| der.to_vec());
            }
            _ => {}
        }
    }
    Ok(Some(facts))
}

/// Each kind with its value. One that is cut off ends them.
fn parts(mut bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (&[kind, high, low], rest) = bytes.split_first_chunk()?;
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
        bytes = rest;
        Some((kind, value))
    })
}

impl ClientFacts {
    /// The greeting of this client.
    pub(super) fn hello(&self) -> String {
        let certificate = self.certificate.as_deref().and_then(|der| Certificate::parse(der).ok());
        let Some(certificate) = certificate else { return "you are somebody\n".to_owned() };
        let names = certificate.subject_alt_name().ok().flatten();
        let emails = names.into_iter().flatten().filter_map(|name| match name {
            Ok(GeneralName::Rfc822(mailbox)) => Some(mailbox.to_string()),
            _ => None,
        });
        let emails: Vec<String> = emails.collect();
        format!(
            "you are {}\ne-mail {}\nuntil {}\n",
            certificate.subject(),
            emails.join(", "),
            certificate.not_after()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whatever_comes_is_read_or_refused() {
        let header = |command: u8, family: u8, content: &[u8]| {
            let length = u16::try_from(content.len()).unwrap().to_be_bytes();
            [SIGNATURE, &[command, family][..], &length, content].concat()
        };
        let certificate = [&[SSL, 0, 10, 7, 0, 0, 0, 0][..], &[SSL_CLIENT_CERT, 0, 2, 1, 2]].concat();
        let proxied = [&[0; 12][..], &[ALPN, 0, 1, b'x'], &certificate].concat();
        let facts = read(&mut &header(PROXY, 0x11, &proxied)[..]).await.unwrap().unwrap();
        assert_eq!(
            (facts.alpn.as_deref(), facts.certificate.as_deref()),
            (Some(&b"x"[..]), Some(&[1, 2][..]))
        );
        assert_eq!(facts.hello(), "you are somebody\n");
        assert!(read(&mut &header(LOCAL, 0, &[])[..]).await.unwrap().is_none());
        for bad in [
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
            header(PROXY, 0x11, &[0; 11]),
            header(PROXY, 0x31, &[0; 40]),
            header(0x22, 0x11, &[0; 12]),
            header(PROXY, 0x11, &[0; 12])[..20].to_vec(),
        ] {
            assert!(read(&mut &bad[..]).await.is_err(), "{bad:?}");
        }
        // A value that is cut off is none.
        let cut = [&[0; 12][..], &[ALPN, 0, 9, b'x']].concat();
        assert_eq!(read(&mut &header(PROXY, 0x11, &cut)[..]).await.unwrap().unwrap().alpn, None);
    }
}

//! Name subtrees from text, for settings and policies: `dns:example.com`, `email:.example.com`, `uri:host`,
//! `ip:10.0.0.0/8`, `dir:O=Example,C=US`.

use core::fmt;
use std::net::IpAddr;

use crate::der::{Reader, ViewFault, tag};
use crate::encode::push;
use crate::x509::{NameBuf, NameConstraints};

/// Permitted and excluded subtrees, stored as the body of a nameConstraints extension.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NameSubtrees(Box<[u8]>);

/// A subtree that cannot be parsed, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SubtreeFault {
    /// The text.
    pub text: String,
    /// The fault.
    pub message: &'static str,
}

impl fmt::Display for SubtreeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "name subtree {:?}: {}", self.text, self.message)
    }
}

impl core::error::Error for SubtreeFault {}

impl NameSubtrees {
    /// Subtrees from their texts. `None` if both lists are empty.
    ///
    /// # Errors
    /// The first text that is not a subtree.
    ///
    /// RFC 5937 3.2, RFC 5937 4.
    #[doc(alias("RFC 5937 section 3.2", "RFC 5937 section 4"))]
    pub fn from_texts<S: AsRef<str>>(permitted: &[S], excluded: &[S]) -> Result<Option<Self>, SubtreeFault> {
        if permitted.is_empty() && excluded.is_empty() {
            return Ok(None);
        }
        let mut content = Vec::new();
        for (n, texts) in [(0, permitted), (1, excluded)] {
            let mut list = Vec::new();
            for text in texts {
                let text = text.as_ref();
                let base =
                    base_of(text).map_err(|message| SubtreeFault { text: text.to_owned(), message })?;
                push(&mut list, tag::SEQUENCE, &base);
            }
            if !list.is_empty() {
                push(&mut content, tag::context_constructed(n), &list);
            }
        }
        let mut body = Vec::new();
        push(&mut body, tag::SEQUENCE, &content);
        Ok(Some(Self(body.into())))
    }

    /// The subtrees as name constraints.
    pub(crate) fn constraints(&self) -> Result<NameConstraints<'_>, ViewFault> {
        NameConstraints::of_body(Reader::new(&self.0))
    }
}

/// The encoded base of a subtree.
fn base_of(text: &str) -> Result<Vec<u8>, &'static str> {
    let (kind, value) = text.split_once(':').ok_or("it must begin with dns:, email:, uri:, ip: or dir:")?;
    let mut base = Vec::new();
    match kind {
        "email" => push(&mut base, tag::context(1), ascii(value)?),
        "dns" => push(&mut base, tag::context(2), ascii(value)?),
        "uri" => push(&mut base, tag::context(6), ascii(value)?),
        "ip" => push(
            &mut base,
            tag::context(7),
            &subnet(value).ok_or("write an address, a slash and a prefix length, such as 10.0.0.0/8")?,
        ),
        "dir" => push(&mut base, tag::context_constructed(4), NameBuf::from_text(value)?.raw()),
        _ => return Err("it must begin with dns:, email:, uri:, ip: or dir:"),
    }
    Ok(base)
}

fn ascii(value: &str) -> Result<&[u8], &'static str> {
    if value.is_ascii() {
        Ok(value.as_bytes())
    } else {
        Err("write international names as A-labels, such as xn--bcher-kva.example")
    }
}

fn subnet(value: &str) -> Option<Vec<u8>> {
    let (address, prefix) = value.split_once('/')?;
    let mut bytes = match address.parse().ok()? {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let prefix: usize = prefix.parse().ok()?;
    let bits = bytes.len() * 8;
    if prefix > bits {
        return None;
    }
    for at in (0..bits).step_by(8) {
        let ones = u32::try_from(prefix.saturating_sub(at).min(8)).ok()?;
        bytes.push(u8::try_from(0xff00u32 >> ones & 0xff).ok()?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bases(texts: &[&str]) -> Vec<String> {
        let subtrees = NameSubtrees::from_texts(texts, &[]).expect("good texts").expect("not empty");
        let constraints = subtrees.constraints().expect("reads back");
        constraints.permitted.expect("permitted").map(|base| base.expect("reads back").to_string()).collect()
    }

    #[test]
    fn texts_read_back() {
        let texts = [
            "dns:example.com",
            "email:.example.com",
            "uri:host",
            "ip:10.1.0.0/16",
            "ip:2001:db8::/33",
            "dir:CN=a\\,b,O=Ex+OU=u,C=US",
        ];
        assert_eq!(bases(&texts), texts);
    }

    #[test]
    fn an_empty_dir_is_the_root_of_nothing() {
        for bad in [
            "example.com",
            "dns:exämple",
            "ip:10.0.0.0",
            "ip:10.0.0.0/33",
            "dir:foo=bar",
            "dir:CN",
            "dir:CN=a\\",
        ] {
            assert!(NameSubtrees::from_texts(&[bad], &[]).is_err(), "{bad}");
        }
        assert_eq!(NameSubtrees::from_texts::<&str>(&[], &[]), Ok(None));
    }
}

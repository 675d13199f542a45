//! Names from text (RFC 4514), for settings and policies.

use super::name::Name;
use crate::der::tag;
use crate::encode::push;
use crate::oid::OidBuf;

/// An owned distinguished name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NameBuf(Box<[u8]>);

impl NameBuf {
    /// A name from its text in the form of RFC 4514, such as `CN=a\,b,O=Example,C=US`: the last RDN comes first. Values
    /// are encoded as UTF8String, since names of different string types can match.
    ///
    /// # Errors
    /// What is wrong with the text.
    ///
    /// RFC 4514 3.
    #[doc(alias = "RFC 4514 section 3")]
    pub fn from_text(text: &str) -> Result<Self, &'static str> {
        let mut rdns = Vec::new();
        for rdn in split_unescaped(text, ',') {
            let mut set = Vec::new();
            for attribute in split_unescaped(&rdn, '+') {
                let (kind, value) = attribute.split_once('=').ok_or("write attributes as TYPE=value")?;
                let oid = attribute_type(kind.trim())
                    .ok_or("unknown attribute type: write its dotted object identifier")?;
                let mut fields = Vec::new();
                push(&mut fields, tag::OID, oid.as_oid().content());
                push(&mut fields, tag::UTF8_STRING, unescape(value.trim())?.as_bytes());
                push(&mut set, tag::SEQUENCE, &fields);
            }
            rdns.push(set);
        }
        let mut content = Vec::new();
        for set in rdns.iter().rev() {
            push(&mut content, tag::SET, set);
        }
        let mut name = Vec::new();
        push(&mut name, tag::SEQUENCE, &content);
        Ok(Self(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_name(&self) -> Name<'_> {
        Name::reread(&self.0)
    }

    /// The name as encoded.
    pub(crate) fn raw(&self) -> &[u8] {
        &self.0
    }
}

fn split_unescaped(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for character in text.chars() {
        if character == separator && !escaped {
            parts.push(String::new());
            continue;
        }
        escaped = character == '\\' && !escaped;
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts
}

fn unescape(value: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let next = rest.next().ok_or("nothing follows the last backslash")?;
        match char::from(next).to_digit(16) {
            Some(high) => {
                let low = rest
                    .next()
                    .and_then(|low| char::from(low).to_digit(16))
                    .ok_or("write a backslash and two hexadecimal digits")?;
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(0));
            }
            None => bytes.push(next),
        }
    }
    String::from_utf8(bytes).map_err(|_| "the value is not UTF-8")
}

fn attribute_type(kind: &str) -> Option<OidBuf> {
    let dotted = match kind.to_ascii_uppercase().as_str() {
        "CN" => "2.5.4.3",
        "C" => "2.5.4.6",
        "L" => "2.5.4.7",
        "ST" => "2.5.4.8",
        "STREET" => "2.5.4.9",
        "O" => "2.5.4.10",
        "OU" => "2.5.4.11",
        "DC" => "0.9.2342.19200300.100.1.25",
        "UID" => "0.9.2342.19200300.100.1.1",
        "EMAILADDRESS" => "1.2.840.113549.1.9.1",
        _ => kind,
    };
    OidBuf::from_dotted(dotted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_same_text_again() {
        for text in ["CN=a\\,b,O=Ex+OU=u,C=US", "UID=x,DC=example,DC=org", "CN=\\#a\\00b"] {
            let name = NameBuf::from_text(text).map(|name| name.as_name().to_string());
            assert_eq!(name.as_deref(), Ok(text));
        }
    }

    #[test]
    fn names_of_other_string_types_match() {
        let printable = certcheck_testkit::name::name("C=US,O=Acme,CN=printable:Some  One");
        let printable = Name::reread(&printable);
        for (text, matches) in
            [("cn=some one,O=ACME,C=us", true), ("CN=someone,O=Acme,C=US", false), ("CN=Some One", false)]
        {
            assert_eq!(NameBuf::from_text(text).expect(text).as_name().matches(printable), matches, "{text}");
        }
    }
}

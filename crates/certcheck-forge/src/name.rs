//! Names and GeneralNames from text.

use crate::der;

/// A Name from RDNs in the order of encoding, the most general first: `C=US,O=Acme,CN=leaf`. `+` joins attributes of
/// one RDN.
///
/// A value may begin with its string type: `CN=printable:x`, `bmp:`, `teletex:`, `universal:`, `ia5:`, `utf8:`.
#[must_use]
pub fn name(text: &str) -> Vec<u8> {
    der::tlv(0x30, &text.split(',').filter(|rdn| !rdn.is_empty()).flat_map(rdn).collect::<Vec<u8>>())
}

/// One RDN.
#[must_use]
pub fn rdn(text: &str) -> Vec<u8> {
    let mut attributes: Vec<Vec<u8>> = text.split('+').map(attribute).collect();
    attributes.sort();
    der::set(&attributes)
}

fn attribute(text: &str) -> Vec<u8> {
    let (kind, value) = text.split_once('=').unwrap();
    let (dotted, default) = match kind {
        "CN" => ("2.5.4.3", 0x0c),
        "C" => ("2.5.4.6", 0x13),
        "L" => ("2.5.4.7", 0x0c),
        "ST" => ("2.5.4.8", 0x0c),
        "O" => ("2.5.4.10", 0x0c),
        "OU" => ("2.5.4.11", 0x0c),
        "DC" => ("0.9.2342.19200300.100.1.25", 0x16),
        "UID" => ("0.9.2342.19200300.100.1.1", 0x0c),
        "emailAddress" => ("1.2.840.113549.1.9.1", 0x16),
        dotted => (dotted, 0x0c),
    };
    let typed = |tag, text: &str| der::tlv(tag, text.as_bytes());
    let value = match value.split_once(':') {
        Some(("utf8", text)) => typed(0x0c, text),
        Some(("printable", text)) => typed(0x13, text),
        Some(("ia5", text)) => typed(0x16, text),
        Some(("teletex", text)) => {
            der::tlv(0x14, &text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<_>>())
        }
        Some(("bmp", text)) => {
            der::tlv(0x1e, &text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>())
        }
        Some(("universal", text)) => {
            der::tlv(0x1c, &text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect::<Vec<_>>())
        }
        _ => typed(default, value),
    };
    der::seq(&[der::oid(dotted), value])
}

/// A GeneralName from text: `dns:`, `email:`, `uri:`, `ip:10.0.0.1`, `ip:10.0.0.0/8`, `dir:O=x`, `upn:`, `smtp:`,
/// `srv:`, `other:1.2.3=text`, `rid:1.2`, `x400:`, `edi:`.
#[must_use]
pub fn general_name(text: &str) -> Vec<u8> {
    let (kind, value) = text.split_once(':').unwrap();
    match kind {
        "email" => der::ctx(1, value.as_bytes()),
        "dns" => der::ctx(2, value.as_bytes()),
        "x400" => der::ctx_c(3, &der::tlv(0x30, &[])),
        "dir" => der::ctx_c(4, &name(value)),
        "edi" => der::ctx_c(5, &der::ctx_c(1, &der::tlv(0x0c, value.as_bytes()))),
        "uri" => der::ctx(6, value.as_bytes()),
        "ip" => der::ctx(7, &ip(value)),
        "rid" => der::ctx(8, &der::oid_content(value)),
        "upn" => other("1.3.6.1.4.1.311.20.2.3", &der::tlv(0x0c, value.as_bytes())),
        "smtp" => other("1.3.6.1.5.5.7.8.9", &der::tlv(0x0c, value.as_bytes())),
        "srv" => other("1.3.6.1.5.5.7.8.7", &der::tlv(0x16, value.as_bytes())),
        "other" => {
            let (dotted, text) = value.split_once('=').unwrap();
            other(dotted, &der::tlv(0x0c, text.as_bytes()))
        }
        _ => panic!("{text:?} is not a general name such as dns:a.example"),
    }
}

fn other(dotted: &str, value: &[u8]) -> Vec<u8> {
    der::ctx_c(0, &der::concat(&[der::oid(dotted), der::ctx_c(0, value)]))
}

/// An IP address. `/n` appends its mask.
fn ip(text: &str) -> Vec<u8> {
    use std::net::IpAddr;
    let (address, prefix) =
        text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let mut bytes = match address.parse().unwrap() {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    if let Some(prefix) = prefix {
        let prefix: usize = prefix.parse().unwrap();
        for at in (0..bytes.len() * 8).step_by(8) {
            let ones = prefix.saturating_sub(at).min(8);
            bytes.push(u8::try_from(0xff00usize >> ones & 0xff).unwrap());
        }
    }
    bytes
}

/// A `GeneralNames` element.
#[must_use]
pub fn general_names<S: AsRef<str>>(texts: &[S]) -> Vec<u8> {
    der::seq(&texts.iter().map(|text| general_name(text.as_ref())).collect::<Vec<_>>())
}

//! A DER encoder that can encode invalid content too.

/// An element: tag, length in the fewest bytes, content.
#[must_use]
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    if content.len() < 0x80 {
        out.push(u8::try_from(content.len()).unwrap());
    } else {
        let bytes = u32::try_from(content.len()).unwrap().to_be_bytes();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        out.push(0x80 | u8::try_from(bytes.len() - zeros).unwrap());
        out.extend_from_slice(&bytes[zeros..]);
    }
    out.extend_from_slice(content);
    out
}

/// A BER element with a mark at its end instead of a length (X.690 8.1.3.6).
#[must_use]
pub fn indefinite(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, 0x80], content, &[0, 0]].concat()
}

/// A SEQUENCE of parts.
#[must_use]
pub fn seq<P: AsRef<[u8]>>(parts: &[P]) -> Vec<u8> {
    tlv(0x30, &concat(parts))
}

/// A SET of parts, in the given order.
#[must_use]
pub fn set<P: AsRef<[u8]>>(parts: &[P]) -> Vec<u8> {
    tlv(0x31, &concat(parts))
}

/// The parts one after another.
#[must_use]
pub fn concat<P: AsRef<[u8]>>(parts: &[P]) -> Vec<u8> {
    parts.iter().flat_map(|part| part.as_ref().iter().copied()).collect()
}

/// The content of an OBJECT IDENTIFIER.
#[must_use]
pub fn oid_content(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u128> = dotted.split('.').map(|arc| arc.parse().unwrap()).collect();
    let mut out = Vec::new();
    for arc in core::iter::once(arcs[0] * 40 + arcs[1]).chain(arcs[2..].iter().copied()) {
        let groups = (128 - arc.leading_zeros()).div_ceil(7).max(1);
        for group in (0..groups).rev() {
            let low = u8::try_from(arc >> (7 * group) & 0x7f).unwrap();
            out.push(if group == 0 { low } else { low | 0x80 });
        }
    }
    out
}

/// An OBJECT IDENTIFIER.
#[must_use]
pub fn oid(dotted: &str) -> Vec<u8> {
    tlv(0x06, &oid_content(dotted))
}

/// An INTEGER with these content bytes.
#[must_use]
pub fn int_bytes(content: &[u8]) -> Vec<u8> {
    tlv(0x02, content)
}

/// An INTEGER, minimal.
#[must_use]
pub fn int(value: i64) -> Vec<u8> {
    int_bytes(&int_content(value))
}

/// The content of an INTEGER, minimal.
#[must_use]
pub fn int_content(value: i64) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let mut from = 0;
    while from < 7
        && ((bytes[from] == 0 && bytes[from + 1] < 0x80) || (bytes[from] == 0xff && bytes[from + 1] >= 0x80))
    {
        from += 1;
    }
    bytes[from..].to_vec()
}

/// A BOOLEAN.
#[must_use]
pub fn boolean(value: bool) -> Vec<u8> {
    tlv(0x01, &[if value { 0xff } else { 0 }])
}

/// A BIT STRING of whole bytes.
#[must_use]
pub fn bits(bytes: &[u8]) -> Vec<u8> {
    bit_string(0, bytes)
}

/// A BIT STRING with this number of unused bits.
#[must_use]
pub fn bit_string(unused: u8, bytes: &[u8]) -> Vec<u8> {
    tlv(0x03, &concat(&[&[unused][..], bytes]))
}

/// A BIT STRING of named bits, bit 0 first, without trailing zeros.
#[must_use]
pub fn named_bits(set: &[u8]) -> Vec<u8> {
    let Some(highest) = set.iter().max() else { return bit_string(0, &[]) };
    let mut bytes = vec![0u8; usize::from(highest / 8 + 1)];
    for bit in set {
        bytes[usize::from(bit / 8)] |= 0x80 >> (bit % 8);
    }
    bit_string(7 - highest % 8, &bytes)
}

/// An OCTET STRING.
#[must_use]
pub fn bytes(content: &[u8]) -> Vec<u8> {
    tlv(0x04, content)
}

/// A NULL.
#[must_use]
pub fn null() -> Vec<u8> {
    tlv(0x05, &[])
}

/// The element `[n]` with primitive content.
#[must_use]
pub fn ctx(n: u8, content: &[u8]) -> Vec<u8> {
    tlv(0x80 | n, content)
}

/// The element `[n]` with constructed content.
#[must_use]
pub fn ctx_c(n: u8, content: &[u8]) -> Vec<u8> {
    tlv(0xa0 | n, content)
}

/// A time from RFC 3339 (`2026-01-01T00:00:00Z`), as UTCTime or GeneralizedTime by RFC 5280 4.1.2.5.
#[must_use]
pub fn time(text: &str) -> Vec<u8> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    assert_eq!(digits.len(), 14, "{text} is not a time");
    if ("1950".."2050").contains(&&digits[..4]) {
        tlv(0x17, format!("{}Z", &digits[2..]).as_bytes())
    } else {
        tlv(0x18, format!("{digits}Z").as_bytes())
    }
}

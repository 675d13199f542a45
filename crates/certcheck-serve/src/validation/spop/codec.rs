//! Frames and typed values of SPOP 2.0. Each function ends with its input, and allocates no more than that has.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Types of data (3.1).
const NULL: u8 = 0;
const BOOLEAN: u8 = 1;
const INT32: u8 = 2;
const UINT32: u8 = 3;
const INT64: u8 = 4;
const UINT64: u8 = 5;
const IPV4: u8 = 6;
const IPV6: u8 = 7;
const STRING: u8 = 8;
const BINARY: u8 = 9;
/// The flag of a boolean that is true.
const TRUE: u8 = 0x10;
/// Numbers below this take one byte.
const SHORT: u64 = 240;

/// What ends too early, or is of no known kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Malformed;

/// A typed value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Value<'b> {
    Null,
    Boolean(bool),
    Number(u64),
    Address(IpAddr),
    /// Text or binary.
    Bytes(&'b [u8]),
}

/// Bytes that are read from the front.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl<'b> Reader<'b> {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.0.split_first().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*first)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (first, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    /// 3.1: the first byte, and from 240 on seven more bits in each further one.
    pub(super) fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = u64::from(self.byte()?);
        if number < SHORT {
            return Ok(number);
        }
        let mut shift = 4;
        loop {
            let byte = u64::from(self.byte()?);
            let more = byte.checked_shl(shift).filter(|more| more >> shift == byte).ok_or(Malformed)?;
            number = number.checked_add(more).ok_or(Malformed)?;
            if byte < 128 {
                return Ok(number);
            }
            shift += 7;
        }
    }

    /// A length, and as many bytes.
    pub(super) fn bytes(&mut self) -> Result<&'b [u8], Malformed> {
        let length = usize::try_from(self.number()?).map_err(|_| Malformed)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn value(&mut self) -> Result<Value<'b>, Malformed> {
        let kind = self.byte()?;
        match kind & 0x0f {
            NULL => Ok(Value::Null),
            BOOLEAN => Ok(Value::Boolean(kind & TRUE != 0)),
            INT32 | UINT32 | INT64 | UINT64 => self.number().map(Value::Number),
            IPV4 => self.array().map(|address: [u8; 4]| Value::Address(Ipv4Addr::from(address).into())),
            IPV6 => self.array().map(|address: [u8; 16]| Value::Address(Ipv6Addr::from(address).into())),
            STRING | BINARY => self.bytes().map(Value::Bytes),
            _ => Err(Malformed),
        }
    }
}

/// Writes a number as [`Reader::number`] reads it.
pub(super) fn put_number(out: &mut Vec<u8>, number: u64) {
    if number < SHORT {
        out.extend(u8::try_from(number));
        return;
    }
    let low = |number: u64| u8::try_from(number & 0xff).unwrap_or(0);
    out.push(low(number) | 0xf0);
    let mut rest = (number - SHORT) >> 4;
    while rest >= 128 {
        out.push(low(rest) | 0x80);
        rest = (rest - 128) >> 7;
    }
    out.push(low(rest));
}

/// Writes a length, and the bytes.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    out.extend_from_slice(bytes);
}

/// Writes a typed text.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    out.push(STRING);
    put_bytes(out, text.as_bytes());
}

/// Writes a typed number of 32 bits.
pub(super) fn put_u32(out: &mut Vec<u8>, number: u32) {
    out.push(UINT32);
    put_number(out, number.into());
}

/// Writes a typed boolean.
pub(super) fn put_boolean(out: &mut Vec<u8>, value: bool) {
    out.push(if value { BOOLEAN | TRUE } else { BOOLEAN });
}

//! The part of BER that the outside of PKCS #7 needs (X.690 8.1): indefinite lengths, and lengths that are not in the
//! fewest bytes.
//!
//! RFC 5280 4.2.2.1 allows this encoding for a "certs-only" message. Only the certificates and CRLs in it are signed,
//! and those are parsed as DER.

use crate::der::{Rule, ViewFault, tag};

/// The deepest nesting of elements with indefinite lengths. A real message has six.
const MAX_DEPTH: u32 = 16;

/// Reads elements one after another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
}

/// One element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    /// Its content, without the end-of-contents mark.
    pub(crate) content: Reader<'a>,
    /// The whole element.
    pub(crate) raw: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader over a whole document.
    pub(crate) const fn new(document: &'a [u8]) -> Self {
        Self { rest: document, offset: 0 }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag of the next element, if there is one.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    const fn fault(&self, field: &'static str, rule: Rule) -> ViewFault {
        ViewFault { offset: self.offset, field, rule }
    }

    /// The next element, with any tag.
    pub(crate) fn any(&mut self, field: &'static str) -> Result<Element<'a>, ViewFault> {
        let extent = extent(self.rest, MAX_DEPTH).map_err(|rule| self.fault(field, rule))?;
        let (Some(raw), Some(content), Some(rest)) = (
            self.rest.get(..extent.whole),
            self.rest.get(extent.header..extent.header + extent.content),
            self.rest.get(extent.whole..),
        ) else {
            return Err(self.fault(field, Rule::Truncated));
        };
        let content = Self { rest: content, offset: self.offset + extent.header };
        self.rest = rest;
        self.offset += extent.whole;
        Ok(Element { tag: extent.tag, content, raw })
    }

    /// The content of the next element, which must have this tag.
    pub(crate) fn expect(&mut self, want: u8, field: &'static str) -> Result<Self, ViewFault> {
        match self.peek() {
            Some(found) if found == want => Ok(self.any(field)?.content),
            Some(found) => Err(self.fault(field, Rule::UnexpectedTag { want, found })),
            None => Err(self.fault(field, Rule::Truncated)),
        }
    }

    /// The content of the next element, which must be a SEQUENCE.
    pub(crate) fn sequence(&mut self, field: &'static str) -> Result<Self, ViewFault> {
        self.expect(tag::SEQUENCE, field)
    }

    /// Checks that nothing is left.
    pub(crate) const fn finish(&self, field: &'static str) -> Result<(), ViewFault> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.fault(field, Rule::TrailingData)) }
    }
}

/// The lengths of an element and its parts.
struct Extent {
    tag: u8,
    header: usize,
    content: usize,
    whole: usize,
}

/// Measures the first element. Each byte is visited once, and content of a definite length is skipped.
fn extent(input: &[u8], depth: u32) -> Result<Extent, Rule> {
    let (tag, header, length) = header(input)?;
    if let Some(content) = length {
        let whole = header.checked_add(content).filter(|whole| *whole <= input.len());
        return Ok(Extent { tag, header, content, whole: whole.ok_or(Rule::Truncated)? });
    }
    let within = depth.checked_sub(1).ok_or(Rule::TooDeep)?;
    let mut at = header;
    loop {
        let rest = input.get(at..).unwrap_or_default();
        // X.690 8.1.5: end-of-contents.
        if rest.starts_with(&[0, 0]) {
            return Ok(Extent { tag, header, content: at - header, whole: at + 2 });
        }
        at += extent(rest, within)?.whole;
    }
}

/// The tag, the length of the header, and the length of the content unless a mark ends it.
fn header(input: &[u8]) -> Result<(u8, usize, Option<usize>), Rule> {
    let [tag, first, rest @ ..] = input else { return Err(Rule::Truncated) };
    if tag & 0x1f == 0x1f {
        return Err(Rule::HighTagNumber);
    }
    match first {
        0..=0x7f => Ok((*tag, 2, Some(usize::from(*first)))),
        // X.690 8.1.3.2: only for constructed elements.
        0x80 if tag & 0x20 == 0 => Err(Rule::IndefiniteLength),
        0x80 => Ok((*tag, 2, None)),
        _ => {
            let count = usize::from(first & 0x7f);
            let bytes = rest.get(..count).ok_or(Rule::Truncated)?;
            let length = bytes.iter().try_fold(0_u32, |length, byte| {
                length.checked_mul(256).map(|length| length | u32::from(*byte))
            });
            let length = length.and_then(|length| usize::try_from(length).ok());
            Ok((*tag, 2 + count, Some(length.ok_or(Rule::LengthTooLarge)?)))
        }
    }
}

//! Comparison of names (RFC 5280 7.1, with the string preparation of RFC 4518).
//!
//! Names with equal bytes are equal. Otherwise each string is decoded from its type, mapped, normalized (NFKC),
//! case-folded, and its insignificant white space is removed, so that strings of different types can be equal.
//! Attributes that are not strings are compared as encoded.
//!
//! Deviation: a value that is very long, or that grows very much when it is prepared, is compared as encoded. Otherwise
//! a hostile certificate could make comparisons expensive.
//!
//! Deviation: a control character other than white space is not removed (RFC 4518 2.2). A value with one is equal only
//! to the same bytes, so that `a\0b` is never `ab`.

use std::borrow::Cow;

use stringprep::tables::case_fold_for_nfkc;
use unicode_normalization::UnicodeNormalization as _;

use super::name::{Attribute, Name, Rdn};
use crate::der::tag;

/// The longest value that is prepared, in bytes. X.520 has upper bounds of 64 characters for most attributes. Longer
/// values are compared as encoded.
const LONGEST_VALUE: usize = 2_048;
/// How many times longer than its value a prepared string may be. Characters that grow more under NFKC, up to eleven
/// times, do not occur in real names of this length. Such a value is compared as encoded.
const GROWTH: usize = 4;
/// The growth that is allowed for every value, in bytes.
const SHORT: usize = 64;
/// The cost factor of a byte that must be prepared before it is compared (RFC 4518).
pub const PREPARED: usize = 72;

impl Name<'_> {
    /// The cost of comparing this name, in bytes: the length of its encoding, times [`PREPARED`] if its values must be
    /// prepared.
    pub(crate) fn cost(self) -> usize {
        self.rdns().map(Rdn::cost).fold(0, usize::saturating_add)
    }

    /// Whether it has only plain values, in RDNs with one attribute, as nearly all names do. Such names are compared
    /// without preparation.
    pub(crate) fn is_plain(self) -> bool {
        self.rdns().all(|rdn| rdn.only_attribute().is_some_and(is_plain))
    }

    /// Whether both are the same name.
    ///
    /// RFC 5280 6.1.3 (a)(4), RFC 5280 7.1.
    #[doc(alias("RFC 5280 section 6.1.3(a)(4)", "RFC 5280 section 7.1"))]
    #[must_use]
    pub fn matches(self, other: Name<'_>) -> bool {
        if self.raw() == other.raw() {
            return true;
        }
        let (mut ours, mut theirs) = (self.rdns(), other.rdns());
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(a), Some(b)) if rdns_match(a, b) => {}
                _ => return false,
            }
        }
    }

    /// Whether this name is in the subtree of `base`: the RDNs of `base` are its first RDNs (RFC 5280 4.2.1.10). Every
    /// name is within an empty base.
    #[doc(alias = "RFC 5280 section 4.2.1.10")]
    #[must_use]
    pub fn is_within(self, base: Name<'_>) -> bool {
        let mut ours = self.rdns();
        base.rdns().all(|b| ours.next().is_some_and(|a| rdns_match(a, b)))
    }

    /// Whether a value can only be compared by its bytes, so that a mismatch proves nothing.
    #[must_use]
    pub fn has_incomparable_value(self) -> bool {
        self.prepare().has_incomparable_value()
    }

    /// The name prepared for comparisons with many others.
    pub(crate) fn prepare(self) -> PreparedName {
        let mut prepared =
            PreparedName { form: Vec::with_capacity(self.raw().len()), has_incomparable_value: false };
        for rdn in self.rdns() {
            let mut attributes: Vec<Vec<u8>> = rdn
                .attributes()
                .map(|attribute| {
                    let form = normalized_attribute(attribute);
                    prepared.has_incomparable_value |= form.is_incomparable;
                    form.bytes
                })
                .collect();
            attributes.sort_unstable();
            push_counted(&mut prepared.form, &attributes.concat());
        }
        prepared
    }

    /// A key for maps: equal for names that match.
    #[must_use]
    pub fn normalized(self) -> Vec<u8> {
        self.prepare().form
    }
}

/// A name in the form that comparisons use.
pub(crate) struct PreparedName {
    /// The RDNs one after the other, each with its length. A name is within another if its form begins with the other's
    /// form.
    form: Vec<u8>,
    has_incomparable_value: bool,
}

impl PreparedName {
    /// The same as [`Name::is_within`].
    pub(crate) fn is_within(&self, base: &Self) -> bool {
        self.form.starts_with(&base.form)
    }

    /// The same as [`Name::has_incomparable_value`].
    pub(crate) const fn has_incomparable_value(&self) -> bool {
        self.has_incomparable_value
    }
}

impl Name<'_> {
    /// A hash that is equal for names that match. `None` if the name is not plain ([`Name::is_plain`]). Allocates
    /// nothing.
    pub(crate) fn plain_hash(self) -> Option<u64> {
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for rdn in self.rdns() {
            let Attribute { oid, tag, value } = rdn.only_attribute()?;
            if !has_plain_tag(tag) {
                return None;
            }
            hash = mix(oid.content().iter().fold(hash, |hash, byte| mix(hash, *byte)), 0);
            // As `plain_folded`, and each byte is looked at once.
            let mut before = b' ';
            for byte in value {
                if !matches!(byte, 0x20..=0x7e) {
                    return None;
                }
                let is_word = *byte != b' ';
                if is_word && before == b' ' {
                    hash = mix(hash, b' ');
                }
                if is_word {
                    hash = mix(hash, byte.to_ascii_lowercase());
                }
                before = *byte;
            }
            hash = mix(hash, 0);
        }
        Some(hash)
    }
}

impl Rdn<'_> {
    /// The same as [`Name::cost`].
    pub(crate) fn cost(self) -> usize {
        // Sets of several attributes are sorted, whatever they contain.
        let is_cheap = self.only_attribute().is_some_and(is_plain);
        self.raw().len().saturating_mul(if is_cheap { 1 } else { PREPARED })
    }

    /// Whether both are the same set of attributes.
    pub(crate) fn matches(self, other: Rdn<'_>) -> bool {
        rdns_match(self, other)
    }
}

/// Whether two RDNs have the same number of attributes, each with its match in the other.
///
/// RFC 5280 7.1.
#[doc(alias = "RFC 5280 section 7.1")]
fn rdns_match(a: Rdn<'_>, b: Rdn<'_>) -> bool {
    if a.raw() == b.raw() {
        return true;
    }
    match (a.only_attribute(), b.only_attribute()) {
        (Some(a), Some(b)) => attributes_match(a, b),
        (None, None) => {
            let form = |attribute| normalized_attribute(attribute).bytes;
            let mut ours: Vec<_> = a.attributes().map(form).collect();
            let mut theirs: Vec<_> = b.attributes().map(form).collect();
            ours.sort_unstable();
            theirs.sort_unstable();
            !ours.is_empty() && ours == theirs
        }
        _ => false,
    }
}

/// Whether two attributes match.
///
/// RFC 5280 7.1.
#[doc(alias = "RFC 5280 section 7.1")]
fn attributes_match(a: Attribute<'_>, b: Attribute<'_>) -> bool {
    if a.oid != b.oid {
        return false;
    }
    if a.tag == b.tag && a.value == b.value {
        return true;
    }
    if !is_string(a.tag) || !is_string(b.tag) {
        return false;
    }
    if is_plain(a) && is_plain(b) {
        return plain_folded(a.value).eq(plain_folded(b.value));
    }
    match (prepared(a), prepared(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

/// An attribute in the form that comparisons use.
struct AttributeForm {
    bytes: Vec<u8>,
    /// Whether it is a string that cannot be prepared.
    is_incomparable: bool,
}

/// The type, kind and value with their lengths, so that no two attributes share a form by accident.
fn normalized_attribute(attribute: Attribute<'_>) -> AttributeForm {
    let mut form = Vec::with_capacity(attribute.value.len().saturating_add(32));
    let mut is_incomparable = false;
    push_counted(&mut form, attribute.oid.content());
    match is_string(attribute.tag).then(|| prepared(attribute)).flatten() {
        Some(text) => {
            form.push(1);
            push_counted(&mut form, text.as_bytes());
        }
        None => {
            is_incomparable = is_string(attribute.tag);
            // Any byte can be a tag.
            form.extend([0, attribute.tag]);
            push_counted(&mut form, attribute.value);
        }
    }
    AttributeForm { bytes: form, is_incomparable }
}

fn push_counted(form: &mut Vec<u8>, part: &[u8]) {
    form.extend_from_slice(&part.len().to_be_bytes());
    form.extend_from_slice(part);
}

/// The string types of DirectoryString (X.520), and IA5String for domainComponent and emailAddress.
const fn is_string(tag: u8) -> bool {
    matches!(
        tag,
        tag::UTF8_STRING
            | tag::PRINTABLE_STRING
            | tag::TELETEX_STRING
            | tag::IA5_STRING
            | tag::UNIVERSAL_STRING
            | tag::BMP_STRING
    )
}

/// Whether a value is printable ASCII in a type with one byte per character: such values are prepared without
/// allocation.
fn is_plain(attribute: Attribute<'_>) -> bool {
    has_plain_tag(attribute.tag) && attribute.value.iter().all(|byte| matches!(byte, 0x20..=0x7e))
}

const fn has_plain_tag(tag: u8) -> bool {
    matches!(tag, tag::UTF8_STRING | tag::PRINTABLE_STRING | tag::IA5_STRING)
}

/// The value in lower case, with runs of spaces as one space, and no space at either end.
fn plain_folded(value: &[u8]) -> impl Iterator<Item = u8> {
    let value = value.trim_ascii();
    value.iter().enumerate().filter_map(move |(at, byte)| {
        let repeats = *byte == b' ' && at.checked_sub(1).and_then(|before| value.get(before)) == Some(&b' ');
        (!repeats).then(|| byte.to_ascii_lowercase())
    })
}

/// The prepared string. `None` if the value cannot be prepared.
///
/// RFC 4518 2.3, RFC 4518 2.6.
#[doc(alias("RFC 4518 section 2.3", "RFC 4518 section 2.6"))]
fn prepared(attribute: Attribute<'_>) -> Option<String> {
    if is_plain(attribute) {
        return String::from_utf8(plain_folded(attribute.value).collect()).ok();
    }
    if attribute.value.len() > LONGEST_VALUE {
        return None;
    }
    // 2.1 Transcode. All ASCII characters are accepted in a PrintableString, as in is_plain: `@`, `&` and `_` occur in
    // practice.
    let text = attribute.text().or_else(|| {
        let is_ascii = attribute.tag == tag::PRINTABLE_STRING && attribute.value.is_ascii();
        core::str::from_utf8(attribute.value).ok().filter(|_| is_ascii).map(Cow::Borrowed)
    })?;
    // 2.2 Map, 2.3 Normalize. Case is folded with the table for NFKC (RFC 3454 B.2).
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        match mapped(character) {
            Mapped::Nothing => {}
            Mapped::Character(' ') => folded.push(' '),
            Mapped::Character(character) => folded.extend(case_fold_for_nfkc(character)),
            Mapped::Prohibited => return None,
        }
    }
    let max = attribute.value.len().saturating_mul(GROWTH).saturating_add(SHORT);
    let mut normal = String::with_capacity(folded.len());
    for character in folded.nfkc() {
        normal.push(character);
        if normal.len() > max {
            return None;
        }
    }
    // 2.6.1 Insignificant spaces.
    Some(normal.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
}

/// The mapping of a character before names are compared (RFC 4518 2.2).
enum Mapped {
    Character(char),
    Nothing,
    /// A prohibited character: comparison fails (RFC 4518 2.4).
    Prohibited,
}

/// The mapping of RFC 4518 2.2, and the characters that 2.4 prohibits of the rest.
#[doc(alias = "RFC 4518 section 2.2")]
fn mapped(character: char) -> Mapped {
    match character {
        '\u{9}'..='\u{d}'
        | '\u{85}'
        | ' '
        | '\u{a0}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200a}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202f}'
        | '\u{205f}'
        | '\u{3000}' => Mapped::Character(' '),
        '\u{0}'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffd}' => Mapped::Prohibited,
        '\u{ad}'
        | '\u{34f}'
        | '\u{6dd}'
        | '\u{70f}'
        | '\u{1806}'
        | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2063}'
        | '\u{206a}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffc}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0001}'
        | '\u{e0020}'..='\u{e007f}' => Mapped::Nothing,
        other => Mapped::Character(other),
    }
}

#[cfg(test)]
mod tests {
    use certcheck_testkit::name::name;

    use super::*;
    use crate::der::Reader;

    /// All ways of comparing must agree: chaining compares pairs, distrusted names are looked up.
    #[test]
    fn every_way_of_comparing_says_the_same() {
        let values = [
            "Seed",
            "printable:seed",
            "ia5:`Seed  ",
            "printable:`Seed  ",
            "`seed",
            "bmp:`SEED",
            "printable:A&B_c@d",
            "a&b_C@D",
            "printable:a\tb",
            "a b",
            "printable:a\u{0}b",
            "a\u{0}b",
            "printable:\u{e9}",
            "\u{e9}",
            "",
            "printable: ",
        ];
        let mut names = Vec::from(values.map(|value| (value, name(&format!("CN={value}")))));
        // A type that no string has. Its bytes are those of a string (found by a fuzzer).
        for (about, tag) in [("tag 0", 0), ("tag 1", 1)] {
            let mut odd = name("CN=seed");
            *odd.iter_mut().rfind(|byte| **byte == tag::UTF8_STRING).expect("a string") = tag;
            names.push((about, odd));
        }
        for (a_text, a) in &names {
            for (b_text, b) in &names {
                let read = |der| Name::parse(&mut Reader::new(der), "name").expect("reads");
                let (a, b) = (read(a), read(b));
                assert_eq!(a.matches(b), b.matches(a), "{a_text:?} {b_text:?}");
                assert_eq!(a.matches(b), a.normalized() == b.normalized(), "{a_text:?} {b_text:?}");
                assert_eq!(a.matches(b), a.is_within(b), "{a_text:?} {b_text:?}");
            }
        }
        let is_same = |a: &str, b: &str| {
            let (a, b) = (name(&format!("CN={a}")), name(&format!("CN={b}")));
            let read = |der| Name::parse(&mut Reader::new(der), "name").expect("reads");
            read(&a).matches(read(&b))
        };
        assert!(is_same("ia5:`Seed  ", "printable:`Seed  "), "found by a fuzzer");
        assert!(is_same("printable:A&B_c@d", "a&b_C@D"));
        assert!(!is_same("printable:a\u{0}b", "a\u{0}b"));
    }
}

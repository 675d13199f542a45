//! `AlgorithmIdentifier` and `SubjectPublicKeyInfo` (RFC 5280 4.1.1.2, 4.1.2.7).

use crate::der::{Reader, Rule, ViewFault, bit_string_bytes, next_parsed, tag};
use crate::oid::Oid;

/// An algorithm with its parameters (RFC 5280 4.1.1.2).
///
/// ```asn1
/// AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AlgorithmIdentifier<'a> {
    /// The algorithm.
    pub oid: Oid<'a>,
    /// The parameters with their header, not parsed.
    pub parameters: Option<&'a [u8]>,
    /// The content of the SEQUENCE. Algorithms are selected and compared by it.
    pub content: &'a [u8],
}

impl<'a> AlgorithmIdentifier<'a> {
    /// An identifier from the content of a sequence that was parsed before.
    #[inline]
    pub(crate) fn reread(content: &'a [u8]) -> Self {
        let mut rest = content;
        let oid = next_parsed(&mut rest).map_or(&[][..], |oid| oid.value);
        let parameters = if rest.is_empty() { None } else { Some(rest) };
        Self { oid: Oid::new(oid), parameters, content }
    }

    /// Parses the content of the SEQUENCE.
    ///
    /// # Errors
    /// Invalid DER, or more than two fields.
    pub fn parse(mut reader: Reader<'a>, field: &'static str) -> Result<Self, ViewFault> {
        let content = reader.rest();
        let oid = Oid::parse(reader.any(field)?, field)?;
        let parameters = if reader.is_empty() { None } else { Some(reader.any(field)?) };
        reader.finish(field)?;
        if let Some(tlv) = parameters.filter(|tlv| tlv.tag == tag::NULL && !tlv.value.is_empty()) {
            return Err(tlv.fault(field, Rule::BadNull));
        }
        Ok(Self { oid, parameters: parameters.map(|tlv| tlv.raw), content })
    }
}

/// A public key with its algorithm (RFC 5280 4.1.2.7).
///
/// ```asn1
/// SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SubjectPublicKeyInfo<'a> {
    /// The whole structure as encoded. Two keys are the same if these bytes are equal.
    pub raw: &'a [u8],
    /// The key's algorithm.
    pub algorithm: AlgorithmIdentifier<'a>,
    /// The content of the BIT STRING.
    pub public_key: &'a [u8],
}

impl<'a> SubjectPublicKeyInfo<'a> {
    /// Parses the structure at the reader's position.
    ///
    /// # Errors
    /// Invalid DER.
    pub fn parse(reader: &mut Reader<'a>, field: &'static str) -> Result<Self, ViewFault> {
        let outer = reader.expect(tag::SEQUENCE, field)?;
        let mut fields = outer.reader();
        let algorithm = AlgorithmIdentifier::parse(fields.sequence(field)?, field)?;
        let public_key = bit_string_bytes(fields.expect(tag::BIT_STRING, field)?, field)?;
        fields.finish(field)?;
        Ok(Self { raw: outer.raw, algorithm, public_key })
    }
}

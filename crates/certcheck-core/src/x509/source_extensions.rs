//! Bodies of the extensions that name sources of evidence: CRL distribution points and information access (RFC 5280
//! 4.2.1.13, 4.2.1.15, 4.2.2).

use super::extensions::{Body, read_each};
use super::general_name::{GeneralName, GeneralNames, IpForm};
use super::name::Rdn;
use crate::der::{Reader, Rule, Tlv, ViewFault, named_bits, tag};
use crate::oid::Oid;

/// The cRLDistributionPoints or freshestCRL extension: `CRLDistributionPoints ::= SEQUENCE SIZE (1..MAX) OF
/// DistributionPoint`. An iterator over the points.
#[derive(Clone, Copy, Debug)]
pub struct DistributionPoints<'a>(Reader<'a>, &'static str);

/// A distribution point (RFC 5280 4.2.1.13).
///
/// ```asn1
/// DistributionPoint ::= SEQUENCE {
///      distributionPoint [0] DistributionPointName OPTIONAL, reasons [1] ReasonFlags OPTIONAL,
///      cRLIssuer [2] GeneralNames OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DistributionPoint<'a> {
    /// The names of the CRL: where it can be fetched, and the name that its issuingDistributionPoint has.
    pub name: Option<DistributionPointName<'a>>,
    /// The reasons that the CRL covers. `None` is all. Bit 0 is the most significant.
    pub reasons: Option<u16>,
    /// The issuer of the CRL, if it is not the issuer of the certificate.
    pub crl_issuer: Option<GeneralNames<'a>>,
}

/// The name of a distribution point.
///
/// ```asn1
/// DistributionPointName ::= CHOICE {
///      fullName [0] GeneralNames, nameRelativeToCRLIssuer [1] RelativeDistinguishedName }
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "X.509 fixes the choice")]
pub enum DistributionPointName<'a> {
    /// Alternative names of one CRL.
    FullName(GeneralNames<'a>),
    /// An RDN that is appended to the name of the CRL's issuer.
    RelativeToIssuer(Rdn<'a>),
}

impl<'a> DistributionPointName<'a> {
    /// Parses the explicit content of `[0]`.
    pub(crate) fn parse(outer: Tlv<'a>, field: &'static str) -> Result<Self, ViewFault> {
        let mut inner = outer.reader();
        let choice = inner.any(field)?;
        inner.finish(field)?;
        match choice.tag {
            0xa0 => {
                let names = GeneralNames::new(choice.reader(), field);
                names.check()?;
                Ok(Self::FullName(names))
            }
            0xa1 if choice.value.is_empty() => Err(choice.fault(field, Rule::EmptyList)),
            0xa1 => Rdn::of_content(choice.raw, choice, field).map(Self::RelativeToIssuer),
            _ => Err(choice.fault(field, Rule::UnknownChoice)),
        }
    }
}

impl<'a> DistributionPoints<'a> {
    /// The freshestCRL of a CRL (RFC 5280 5.2.6), parsed to its end.
    pub(crate) fn of_body(reader: Reader<'a>) -> Result<Self, ViewFault> {
        let points = Self::parse(Body { reader, field: "freshestCRL" })?;
        points.check()?;
        Ok(points)
    }

    /// The URLs of all points that can be parsed, in order.
    pub fn urls(self) -> impl Iterator<Item = &'a str> {
        let names = |point: DistributionPoint<'a>| match point.name {
            Some(DistributionPointName::FullName(names)) => Some(names),
            _ => None,
        };
        self.filter_map(Result::ok).filter_map(names).flatten().filter_map(|name| match name {
            Ok(GeneralName::Uri(url)) => Some(url),
            _ => None,
        })
    }

    /// Parses the body of cRLDistributionPoints or freshestCRL.
    pub(crate) fn parse(body: Body<'a>) -> Result<Self, ViewFault> {
        body.list().map(|list| Self(list, body.field))
    }

    pub(super) fn check(mut self) -> Result<(), ViewFault> {
        self.try_for_each(|point| point.map(drop))
    }

    /// Parses the next point.
    ///
    /// RFC 5280 4.2.1.13.
    #[doc(alias = "RFC 5280 section 4.2.1.13")]
    fn read(&mut self) -> Result<DistributionPoint<'a>, ViewFault> {
        let field = self.1;
        let outer = self.0.expect(tag::SEQUENCE, field)?;
        let mut fields = outer.reader();
        let name = fields.optional(tag::context_constructed(0), field)?;
        let name = name.map(|tlv| DistributionPointName::parse(tlv, field)).transpose()?;
        let reasons =
            fields.optional(tag::context(1), field)?.map(|tlv| named_bits(tlv, field)).transpose()?;
        let crl_issuer = match fields.optional(tag::context_constructed(2), field)? {
            Some(tlv) => {
                let names = GeneralNames::new(tlv.reader(), field);
                names.check()?;
                Some(names)
            }
            None => None,
        };
        fields.finish(field)?;
        // 4.2.1.13: a point must not consist of only the reasons field.
        if name.is_none() && crl_issuer.is_none() {
            return Err(outer.fault(field, Rule::EmptyList));
        }
        Ok(DistributionPoint { name, reasons, crl_issuer })
    }
}

read_each!(DistributionPoints, DistributionPoint<'a>);

/// The authorityInfoAccess or subjectInfoAccess extension: `AuthorityInfoAccessSyntax ::= SEQUENCE SIZE (1..MAX) OF
/// AccessDescription`, the method and location of each.
#[derive(Clone, Copy, Debug)]
pub struct AccessDescriptions<'a>(Reader<'a>);

impl<'a> AccessDescriptions<'a> {
    /// The URLs of one access method.
    pub fn urls(self, method: Oid<'static>) -> impl Iterator<Item = &'a str> {
        self.filter_map(move |description| match description {
            Ok((found, GeneralName::Uri(url))) if found == method => Some(url),
            _ => None,
        })
    }

    /// The authorityInfoAccess of a CRL (RFC 5280 5.2.7), parsed to its end.
    pub(crate) fn of_body(reader: Reader<'a>) -> Result<Self, ViewFault> {
        let descriptions = Self::parse(Body { reader, field: "authorityInfoAccess" })?;
        descriptions.check()?;
        Ok(descriptions)
    }

    pub(crate) fn parse(body: Body<'a>) -> Result<Self, ViewFault> {
        body.list().map(Self)
    }

    pub(super) fn check(mut self) -> Result<(), ViewFault> {
        self.try_for_each(|description| description.map(drop))
    }

    fn read(&mut self) -> Result<(Oid<'a>, GeneralName<'a>), ViewFault> {
        const FIELD: &str = "authorityInfoAccess";
        let mut fields = self.0.sequence(FIELD)?;
        let method = Oid::parse(fields.any(FIELD)?, FIELD)?;
        let location = GeneralName::parse(fields.any(FIELD)?, IpForm::Address, FIELD)?;
        fields.finish(FIELD)?;
        Ok((method, location))
    }
}

read_each!(AccessDescriptions, (Oid<'a>, GeneralName<'a>));

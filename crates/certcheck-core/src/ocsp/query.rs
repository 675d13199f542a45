//! OCSP requests as they are received (RFC 6960 4.1.1): for programs that answer them or pass them on.

use super::view::CertId;
use crate::der::{Reader, Rule, Tlv, ViewFault, tag};
use crate::encode::element;
use crate::oid;
use crate::x509::Extension;

/// The most extensions of a request.
const MAX_EXTENSIONS: usize = 64;
/// The most certificates that a request asks about.
const MAX_IDS: usize = 256;

/// A request as it was received. Its signature, if it has one, is not verified.
///
/// ```asn1
/// OCSPRequest ::= SEQUENCE { tbsRequest TBSRequest, optionalSignature [0] EXPLICIT Signature OPTIONAL }
/// TBSRequest ::= SEQUENCE {
///      version [0] DEFAULT v1, requestorName [1] EXPLICIT GeneralName OPTIONAL,
///      requestList SEQUENCE OF Request, requestExtensions [2] EXPLICIT Extensions OPTIONAL }
/// Request ::= SEQUENCE { reqCert CertID, singleRequestExtensions [0] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OcspQuery<'a> {
    /// The first certificate that it asks about.
    pub cert_id: CertId<'a>,
    /// The same as it was encoded.
    cert_id_der: &'a [u8],
    /// The requestList.
    list: Reader<'a>,
    /// Whether it asks about one certificate, and its answer may be given to others: it has no nonce, is not signed, and
    /// nothing else could change the answer.
    pub is_plain: bool,
}

impl<'a> OcspQuery<'a> {
    /// Parses a request in DER, all of it.
    ///
    /// RFC 6960 4.1.1.
    ///
    /// # Errors
    /// Where and how the bytes violate DER, or a request that asks about nothing.
    #[doc(alias = "RFC 6960 section 4.1.1")]
    pub fn parse(der: &'a [u8]) -> Result<Self, ViewFault> {
        const FIELD: &str = "OCSPRequest";
        let mut document = Reader::new(der);
        let mut outer = document.sequence(FIELD)?;
        document.finish(FIELD)?;
        let mut tbs = outer.sequence("tbsRequest")?;
        let signature = outer.optional(tag::context_constructed(0), "optionalSignature")?;
        outer.finish(FIELD)?;

        if let Some(explicit) = tbs.optional(tag::context_constructed(0), "version")? {
            // v1 is 0. There is no other version.
            if explicit.value != [tag::INTEGER, 1, 0] {
                return Err(explicit.fault("version", Rule::BadVersion));
            }
        }
        let requestor = tbs.optional(tag::context_constructed(1), "requestorName")?;
        let mut list = tbs.sequence("requestList")?;
        let whole_list = list;
        let extensions = tbs.optional(tag::context_constructed(2), "requestExtensions")?;
        tbs.finish("tbsRequest")?;

        let (cert_id, cert_id_der, has_own_extensions) = parse_request(&mut list)?;
        let is_single = list.is_empty();
        let mut count = 1;
        while !list.is_empty() {
            if count >= MAX_IDS {
                return Err(list.fault("requestList", Rule::TooMany));
            }
            parse_request(&mut list)?;
            count += 1;
        }
        let changes_answer = extensions.map(parse_extensions).transpose()?.unwrap_or(false);
        let is_plain =
            is_single && !has_own_extensions && !changes_answer && signature.is_none() && requestor.is_none();
        Ok(Self { cert_id, cert_id_der, list: whole_list, is_plain })
    }

    /// All certificates that it asks about, 256 at most.
    pub fn cert_ids(&self) -> impl Iterator<Item = CertId<'a>> + use<'a> {
        let mut list = self.list;
        // It has been parsed before.
        core::iter::from_fn(move || parse_request(&mut list).ok().map(|(id, ..)| id))
    }

    /// A request about the same certificate and nothing else.
    #[must_use]
    pub fn plain_request(&self) -> Vec<u8> {
        let list = element(tag::SEQUENCE, &element(tag::SEQUENCE, self.cert_id_der));
        element(tag::SEQUENCE, &element(tag::SEQUENCE, &list))
    }
}

/// Parses a request of the list: its CertID, how that is encoded, and whether it has extensions.
fn parse_request<'a>(list: &mut Reader<'a>) -> Result<(CertId<'a>, &'a [u8], bool), ViewFault> {
    let mut request = list.sequence("Request")?;
    let id = request.expect(tag::SEQUENCE, "reqCert")?;
    let extensions = request.optional(tag::context_constructed(0), "singleRequestExtensions")?;
    request.finish("Request")?;
    Ok((CertId::parse(id.reader())?, id.raw, extensions.is_some()))
}

/// Whether an extension of the request can change its answer. Those that name what a client understands cannot: every
/// client has to understand the basic response (RFC 6960 4.4.3), and may get another algorithm than it prefers.
fn parse_extensions(explicit: Tlv<'_>) -> Result<bool, ViewFault> {
    const FIELD: &str = "requestExtensions";
    let mut outer = explicit.reader();
    let mut list = outer.sequence(FIELD)?;
    outer.finish(FIELD)?;
    let (mut changes, mut count) = (false, 0);
    while !list.is_empty() {
        if count >= MAX_EXTENSIONS {
            return Err(list.fault(FIELD, Rule::TooMany));
        }
        count += 1;
        let extension = Extension::parse(&mut list)?;
        changes |= !matches!(extension.oid, oid::OCSP_RESPONSE | oid::OCSP_PREFERRED_ALGORITHMS);
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::super::{CertIdHash, OcspRequest};
    use super::*;
    use crate::x509::Certificate;

    fn demo() -> Vec<u8> {
        crate::certificates_of(include_bytes!("../../../../testdata/demo/good.pem")).unwrap()[0].to_vec()
    }

    #[test]
    fn requests_that_others_may_share_and_those_that_they_may_not() {
        let leaf = demo();
        let leaf = Certificate::parse(&leaf).unwrap();
        // Any certificate will do as an issuer: only hashes of it are in the request.
        let about = |hash| OcspRequest::new().about(&leaf, &leaf, hash);
        for hash in [CertIdHash::Sha1, CertIdHash::Sha256] {
            let plain = about(hash).encode();
            let query = OcspQuery::parse(&plain).unwrap();
            assert!(query.is_plain);
            assert_eq!(query.cert_id.serial, leaf.serial().bytes());
            assert_eq!(query.plain_request(), plain);
            let sha256 = element(tag::SEQUENCE, &element(tag::OID, oid::SHA256.content()));
            for (other, is_plain) in [
                (about(hash).with_nonce(&[7; 32]).unwrap().encode(), false),
                (about(hash).by(&leaf).encode(), false),
                (about(hash).about(&leaf, &leaf, hash).encode(), false),
                (about(hash).encode_signed(&sha256, &[1], &[]), false),
            ] {
                let query = OcspQuery::parse(&other).unwrap();
                assert_eq!(query.is_plain, is_plain);
                assert_eq!(query.plain_request(), plain);
            }
        }
    }

    #[test]
    fn a_request_about_several_certificates_names_each() {
        let leaf = demo();
        let leaf = Certificate::parse(&leaf).unwrap();
        let hashes = [CertIdHash::Sha1, CertIdHash::Sha256, CertIdHash::Sha1];
        let about = |request: OcspRequest, hash: &CertIdHash| request.about(&leaf, &leaf, *hash);
        let alone = hashes.map(|hash| about(OcspRequest::new(), &hash).encode());
        let alone = alone.each_ref().map(|alone| OcspQuery::parse(alone).unwrap().cert_id);
        let all = hashes.iter().fold(OcspRequest::new(), about).with_nonce(&[7; 32]).unwrap().encode();
        let found: Vec<_> = OcspQuery::parse(&all).unwrap().cert_ids().collect();
        let parts = |id: &CertId<'_>| {
            [id.algorithm.content(), id.name_hash, id.key_hash, id.serial].map(<[u8]>::to_vec)
        };
        let found: Vec<_> = found.iter().map(parts).collect();
        assert_eq!(found, alone.iter().map(parts).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_no_request() {
        let leaf = demo();
        let leaf = Certificate::parse(&leaf).unwrap();
        let good = OcspRequest::new().about(&leaf, &leaf, CertIdHash::Sha1).encode();
        for length in 0..good.len() {
            assert!(OcspQuery::parse(&good[..length]).is_err(), "{length} bytes");
        }
        assert!(OcspQuery::parse(&[good, vec![0]].concat()).is_err());
        assert!(OcspQuery::parse(&OcspRequest::new().encode()).is_err(), "about nothing");
    }
}

//! The certificates that an OCSP request is about, each as a request of its own (RFC 6960 4.1.1).

use certcheck_rustls::certcheck_core::der::{Reader, ViewFault, tag};
use certcheck_rustls::certcheck_core::ocsp::OcspQuery;

/// A request about each of the certificates that a request is about, and about nothing else. `None` for what is no request.
pub(super) fn asked_about(request: &[u8]) -> Option<Vec<Vec<u8>>> {
    OcspQuery::parse(request).ok()?;
    cert_ids(request).ok().map(|ids| ids.into_iter().map(request_about).collect())
}

/// Each CertID as it is encoded.
fn cert_ids(request: &[u8]) -> Result<Vec<&[u8]>, ViewFault> {
    const FIELD: &str = "OCSPRequest";
    let mut tbs = Reader::new(request).sequence(FIELD)?.sequence("tbsRequest")?;
    for explicit in [0, 1] {
        // The version, and the name of the requestor.
        let _skipped = tbs.optional(tag::context_constructed(explicit), FIELD)?;
    }
    let mut list = tbs.sequence("requestList")?;
    let mut ids = Vec::new();
    while !list.is_empty() {
        let mut one = list.sequence("Request")?;
        ids.push(one.expect(tag::SEQUENCE, "reqCert")?.raw);
    }
    Ok(ids)
}

/// Request, requestList, TBSRequest and OCSPRequest around a CertID.
fn request_about(id: &[u8]) -> Vec<u8> {
    (0..4).fold(id.to_vec(), |content, _| sequence(&content))
}

fn sequence(content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut out = vec![tag::SEQUENCE];
    match content.len() {
        short @ 0..128 => out.extend(u8::try_from(short)),
        _ => {
            out.extend(u8::try_from(length.len()).map(|bytes| 0x80 | bytes));
            out.extend(length);
        }
    }
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests {
    use certcheck_rustls::certcheck_core::ocsp::{CertIdHash, OcspRequest};
    use certcheck_rustls::certcheck_core::x509::Certificate;
    use certcheck_testkit::{Cert, Key};

    use super::*;

    #[test]
    fn a_request_about_several_certificates_is_several_requests() {
        let key = Key::p256("asked about");
        let der = |name: &str| Cert::root(&format!("CN={name}"), &key).issue(&key);
        let ders = [der("one"), der("two")];
        let [one, two] = [&ders[0], &ders[1]].map(|der| Certificate::parse(der).expect("parses"));
        for hash in [CertIdHash::Sha1, CertIdHash::Sha256] {
            let both = OcspRequest::new().about(&one, &one, hash).about(&two, &two, hash);
            let alone = [&one, &two].map(|about| OcspRequest::new().about(about, about, hash).encode());
            assert_eq!(asked_about(&both.encode()).as_deref(), Some(&alone[..]));
            let with_nonce = both.with_nonce(&[7; 32]).expect("a nonce");
            assert_eq!(asked_about(&with_nonce.encode()).as_deref(), Some(&alone[..]));
            assert_eq!(asked_about(&alone[0]).as_deref(), Some(&alone[..1]));
        }
        assert_eq!(asked_about(b"junk"), None);
    }

    #[test]
    fn long_contents_have_long_lengths() {
        for (length, head) in
            [(0, &[0x30, 0][..]), (127, &[0x30, 127]), (128, &[0x30, 0x81, 128]), (300, &[0x30, 0x82, 1, 44])]
        {
            assert_eq!(sequence(&vec![7; length])[..head.len()], *head, "{length}");
        }
    }
}

//! The samples of Go's OCSP package.

use bytes::Bytes;
use certcheck_core::der::Reader;
use certcheck_core::ocsp::{CertIdHash, CertStatus, OcspRequest, OcspResponse, ResponseStatus};
use certcheck_core::reason::Reason;
use certcheck_core::revocation::OcspEvidence;
use certcheck_core::x509::Certificate;
use certcheck_core::{Policy, Revocation};

use super::{corpus, read};

#[test]
fn samples() {
    let Some(base) = corpus("go") else { return };
    let file = |name: &str| std::fs::read(base.join(name)).expect("file is there");
    let mut policy = Policy::client(Revocation::HardFail);
    policy.signatures.allow_sha1 = true;
    policy.signatures.min_rsa_bits = 1024;

    // TestOCSPDecode: good, signed by the root.
    let (response, root) = (file("ocspResponse.der"), read(&base.join("GTSRoot.pem")));
    let basic = OcspResponse::parse(&response).expect("reads").basic.expect("an answer");
    let single = basic.responses().next().expect("one").expect("reads");
    let serial: String = single.cert_id.serial.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((single.status, serial.as_str()), (CertStatus::Good, "00f374542e3c7a68360a00000001103462"));
    assert_eq!(single.this_update.to_string(), "2021-11-07T14:25:51Z");
    assert_eq!(single.next_update.map(|time| time.to_string()).as_deref(), Some("2021-11-14T13:25:50Z"));
    assert_eq!(basic.produced_at.to_string(), "2021-11-07T14:25:53Z");
    let root = Certificate::parse(&root[0]).expect("reads");
    assert_eq!(basic.verify(root.spki(), &policy), Ok(()));

    // TestOCSPDecodeWithoutCert. TestOCSPSignature would have it signed by this certificate: the responder names another
    // key, and the signature does not verify with this one here or with OpenSSL.
    let (response, issuer) = (file("ocspResponseWithoutCert.der"), file("startCom.der"));
    let basic = OcspResponse::parse(&response).expect("reads").basic.expect("an answer");
    assert_eq!(basic.certificates().count(), 0);
    let issuer = Certificate::parse(&issuer).expect("reads");
    assert!(!basic.responder.is(&issuer));
    assert_eq!(basic.verify(issuer.spki(), &policy), Err(Reason::BadSignature));

    // TestOCSPDecodeWithExtensions.
    assert!(OcspEvidence::parse(Bytes::from(file("ocspResponseWithCriticalExtension.der")), "go").is_err());
    assert!(OcspEvidence::parse(Bytes::from(file("ocspResponseWithExtension.der")), "go").is_ok());

    // TestOCSPRequest: byte for byte.
    let (leaf, issuer) = (file("leafCert.der"), file("issuerCert.der"));
    let leaf = Certificate::parse(&leaf).expect("reads");
    let issuer = Certificate::parse(&issuer).expect("reads");
    let request = OcspRequest::new().about(&leaf, &issuer, CertIdHash::Sha1).encode();
    assert_eq!(request, file("ocspRequest.der"));
    assert!(Reader::new(&request).sequence("OCSPRequest").is_ok());

    // TestErrorResponse.
    let error = file("errorResponse.der");
    let error = OcspResponse::parse(&error).expect("reads");
    assert_eq!((error.status, error.basic.is_none()), (ResponseStatus::MalformedRequest, true));
}

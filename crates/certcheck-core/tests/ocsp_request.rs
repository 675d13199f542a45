//! OCSP requests (RFC 6960 4.1): read back, byte for byte where it matters.

use certcheck_core::der::{Reader, tag};
use certcheck_core::ocsp::{BadNonce, CertIdHash, OcspRequest};
use certcheck_core::x509::Certificate;
use certcheck_testkit::{Cert, Key, der, ocsp};

struct Pair {
    leaf: Vec<u8>,
    issuer: Vec<u8>,
}

fn pair() -> Pair {
    let (root, client) = (Key::p256("request root"), Key::p256("request client"));
    let leaf = Cert::leaf("CN=client", &client, "CN=Root", &root).issue(&root);
    Pair { leaf, issuer: Cert::root("CN=Root", &root).issue(&root) }
}

impl Pair {
    fn ask(&self, request: OcspRequest, hash: CertIdHash) -> OcspRequest {
        let (leaf, issuer) = (Certificate::parse(&self.leaf), Certificate::parse(&self.issuer));
        request.about(&leaf.expect("reads"), &issuer.expect("reads"), hash)
    }

    fn id(&self, hash: &str) -> Vec<u8> {
        let leaf = Certificate::parse(&self.leaf).expect("reads");
        ocsp::cert_id(hash, leaf.issuer().raw(), &Key::p256("request root"), leaf.serial().bytes())
    }
}

#[test]
fn one_certificate_and_nothing_else() {
    let pair = pair();
    for (hash, name) in [(CertIdHash::Sha1, "sha1"), (CertIdHash::Sha256, "sha256")] {
        let list = der::seq(&[der::seq(&[pair.id(name)])]);
        let expected = der::seq(&[der::seq(&[list])]);
        assert_eq!(pair.ask(OcspRequest::new(), hash).encode(), expected);
    }
}

#[test]
fn several_with_a_nonce_and_preferred_algorithms() {
    let pair = pair();
    let request = pair.ask(pair.ask(OcspRequest::new(), CertIdHash::Sha1), CertIdHash::Sha256);
    let algorithm = der::seq(&[der::oid("1.2.840.10045.4.3.2")]);
    let request =
        request.with_nonce(&[7; OcspRequest::NONCE_LENGTH]).expect("a nonce").preferring(&algorithm);
    let list = der::seq(&[der::seq(&[pair.id("sha1")]), der::seq(&[pair.id("sha256")])]);
    let nonce = ocsp::nonce(&[7; 32]).der();
    let preferred = der::seq(&[der::seq(&[algorithm])]);
    let preferred = der::seq(&[der::oid("1.3.6.1.5.5.7.48.1.8"), der::bytes(&preferred)]);
    let extensions = der::ctx_c(2, &der::seq(&[nonce, preferred]));
    assert_eq!(request.tbs(), der::seq(&[list, extensions]));
    assert_eq!(request.encode(), der::seq(&[request.tbs()]));
}

#[test]
fn a_nonce_has_1_to_128_bytes() {
    for (length, is_good) in [(0, false), (1, true), (128, true), (129, false)] {
        let outcome = OcspRequest::new().with_nonce(&vec![1; length]).map(drop);
        assert_eq!(outcome, if is_good { Ok(()) } else { Err(BadNonce) }, "{length}");
    }
}

/// Who demands signed requests verifies what stands in `tbs`.
#[test]
fn a_signed_request_carries_requestor_signature_and_certificates() {
    let pair = pair();
    let key = Key::p256("request client");
    let requestor = Certificate::parse(&pair.leaf).expect("reads");
    let request = pair.ask(OcspRequest::new(), CertIdHash::Sha1).by(&requestor);
    let algorithm = key.algorithm();
    let signature = key.sign(&request.tbs());
    let signed = request.encode_signed(&algorithm, &signature, &[&pair.leaf]);
    let certificates = der::ctx_c(0, &der::seq(&[&pair.leaf]));
    let optional = der::ctx_c(0, &der::seq(&[algorithm, der::bits(&signature), certificates]));
    assert_eq!(signed, der::seq(&[request.tbs(), optional]));
    let tbs = request.tbs();
    let mut fields = Reader::new(&tbs).sequence("tbsRequest").expect("reads");
    let name = fields.expect(tag::context_constructed(1), "requestorName").expect("is there");
    assert_eq!(name.value, der::ctx_c(4, requestor.subject().raw()));
    let verified = certcheck_core::verify_signed_data(
        &tbs,
        &key.algorithm(),
        &der::bits(&signature),
        requestor.spki(),
        &certcheck_core::policy::SignaturePolicy::default(),
    );
    assert_eq!(verified, Ok(()));
}

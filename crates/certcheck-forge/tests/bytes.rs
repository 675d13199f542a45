//! The same words make the same bytes, from one release to the next.

use certcheck_forge::crl::{self, CrlBuilder, RevokedCertificate};
use certcheck_forge::ocsp::{self, AnswerBuilder, Response};
use certcheck_forge::{Cert, Key, name};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

fn hash(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes)[..8])
}

fn forged(key: &Key) -> [String; 4] {
    let cert = Cert::root("CN=Root", key);
    let crl = CrlBuilder::new("CN=Root")
        .revoking([RevokedCertificate::new(&[7]).with([crl::reason("keyCompromise")])]);
    let id = ocsp::cert_id("sha1", &name::name("CN=Root"), key, &[7]);
    let response = Response::new(ocsp::by_key(key), [AnswerBuilder::good(id)]);
    [&cert.issue(key)[..], &crl.issue(key), &response.issue(key), &key.pkcs8()].map(hash)
}

#[test]
fn what_is_forged_stays_as_it_is() {
    assert_eq!(
        forged(&Key::p256("a")),
        ["93159df4ccae6e8c", "2b8275c4365bec3f", "a2990e7273668ec7", "b8ee920e873e45f0"]
    );
    assert_eq!(
        forged(&Key::p384("a")),
        ["3ae33b9bc9c10249", "6bce1203d5e60f1a", "79b823e58e245fe2", "c4cd20acfe027f23"]
    );
}

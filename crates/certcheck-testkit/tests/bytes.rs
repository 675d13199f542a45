//! The same words make the same bytes, from one release to the next: those that the forge alone does not make.

use certcheck_testkit::crl::{self, CrlBuilder, RevokedCertificate};
use certcheck_testkit::ocsp::{self, AnswerBuilder, Response};
use certcheck_testkit::{Cert, Key, SigAlg, keys, name};
use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};

fn hash(bytes: &[u8]) -> String {
    HEXLOWER.encode(&digest(&SHA256, bytes).as_ref()[..8])
}

fn forged(key: &Key, alg: SigAlg) -> [String; 4] {
    let cert = Cert::root("CN=Root", key);
    let crl = CrlBuilder::new("CN=Root")
        .revoking([RevokedCertificate::new(&[7]).with([crl::reason("keyCompromise")])]);
    let id = ocsp::cert_id("sha1", &name::name("CN=Root"), key, &[7]);
    let response = Response::new(ocsp::by_key(key), [AnswerBuilder::good(id)]);
    let signer = alg.signer(key);
    let (cert, crl, response) = (cert.issue(&signer), crl.issue(&signer), response.issue(&signer));
    [&cert[..], &crl, &response, &key.pkcs8()].map(hash)
}

#[test]
fn what_is_forged_stays_as_it_is() {
    let of = |key, alg| forged(&key, alg);
    assert_eq!(
        of(keys::ed25519("a"), SigAlg::Default),
        ["79667a1e94d86cec", "98dd2bea7c1ca6da", "d8d43163d3a38c42", "d2be08cfb71159bb"]
    );
    assert_eq!(
        of(keys::rsa2048("a"), SigAlg::Default),
        ["3899b039cc5cff37", "12a56aac6b85b9d4", "4cb8c3b32ad8fff3", "3f34bf2536e41c59"]
    );
    assert_eq!(
        of(keys::rsa1024("a"), SigAlg::RsaSha1),
        ["28f626e5978e1f26", "d9eb835ac6b40eb3", "169e0d2c670fe391", "4c94725dc67f9a50"]
    );
    assert_eq!(
        of(keys::rsa4096("a"), SigAlg::RsaPss(20)),
        ["8c64e0e2b301e7ad", "b70904f91e71c20c", "6ee1cb05891c06e5", "40b0dd86d775edba"]
    );
    assert_eq!(
        of(Key::p256("a"), SigAlg::EcdsaSha512),
        ["02a04ab21393db48", "dd75e5ec1a7ca0b4", "8472b63076ff487d", "b8ee920e873e45f0"]
    );
}

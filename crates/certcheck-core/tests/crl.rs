//! CRLs of every shape against a model: what is listed is found with what stands there, what is not is not, however the
//! bytes arrived and whether the index was made, kept or damaged.

use std::collections::BTreeMap;

use bytes::Bytes;
use certcheck_core::crl::{Crl, CrlReader, IndexFault, IndexTrust};
use certcheck_core::x509::Certificate;
use certcheck_core::{Policy, Revocation};
use certcheck_testkit::crl::{self, CrlBuilder, Idp, RevokedCertificate};
use certcheck_testkit::{Cert, Key, name};
use proptest::prelude::*;

const CA: &str = "CN=CA";
const ISSUERS: [&str; 3] = [CA, "CN=First", "CN=Second"];
const REASONS: [&str; 4] = ["unspecified", "keyCompromise", "certificateHold", "aACompromise"];

/// An entry as the model has it: its serial, its reason if one is written, and who issued it if that is written.
#[derive(Clone, Debug)]
struct Drawn {
    serial: Vec<u8>,
    reason: Option<usize>,
    issuer: Option<usize>,
    is_odd: bool,
}

fn serials() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        // Few of them, so that some come twice.
        (0u8..40).prop_map(|byte| vec![byte]),
        prop::collection::vec(any::<u8>(), 1..=20),
        prop::collection::vec(any::<u8>(), 16..=16),
    ]
    .prop_map(minimal)
}

/// The bytes as a minimal INTEGER.
fn minimal(mut bytes: Vec<u8>) -> Vec<u8> {
    while let [first, second, ..] = bytes[..]
        && ((first == 0 && second < 0x80) || (first == 0xff && second >= 0x80))
    {
        bytes.remove(0);
    }
    bytes
}

fn entries(max: usize) -> impl Strategy<Value = Vec<Drawn>> {
    let one = (serials(), prop::option::of(0..4usize), prop::option::weighted(0.2, 0..3usize), any::<bool>());
    let one = one.prop_map(|(serial, reason, issuer, is_odd)| Drawn { serial, reason, issuer, is_odd });
    prop::collection::vec(one, 0..max)
}

fn forge(drawn: &[Drawn], is_indirect: bool, key: &Key) -> Vec<u8> {
    let entry = |drawn: &Drawn| {
        let mut entry =
            RevokedCertificate::new(&drawn.serial).with(drawn.reason.map(|at| crl::reason(REASONS[at])));
        if drawn.is_odd {
            entry = entry.with([crl::invalidity_date("2026-02-01T00:00:00Z")]);
        }
        let issuer = drawn.issuer.filter(|_| is_indirect).map(|at| format!("dir:{}", ISSUERS[at]));
        entry.with(issuer.map(|issuer| crl::certificate_issuer(&[issuer])))
    };
    let plain = CrlBuilder::new(CA).with(is_indirect.then(|| Idp { indirect: true, ..Idp::default() }.ext()));
    plain.revoking(drawn.iter().map(entry)).issue(key)
}

/// By issuer and serial, of each the one that counts.
fn model(drawn: &[Drawn], is_indirect: bool) -> BTreeMap<(usize, Vec<u8>), usize> {
    let mut model = BTreeMap::new();
    let mut issuer = 0;
    for entry in drawn {
        issuer = entry.issuer.filter(|_| is_indirect).unwrap_or(issuer);
        let reason = entry.reason.unwrap_or(0);
        let counts = model.entry((issuer, entry.serial.clone())).or_insert(reason);
        // All are of one time: the first for good, else the first hold.
        let mildness = |reason: usize| match REASONS[reason] {
            "removeFromCRL" => 2,
            "certificateHold" => 1,
            _ => 0,
        };
        if mildness(reason) < mildness(*counts) {
            *counts = reason;
        }
    }
    model
}

fn arrive(der: &[u8], chunk: usize) -> Crl {
    let mut reader = CrlReader::new();
    der.chunks(chunk).for_each(|bytes| reader.push(bytes).expect("reads"));
    reader.finish("arrived").expect("reads")
}

fn check(crl: &Crl, drawn: &[Drawn], is_indirect: bool, strangers: &[Vec<u8>]) {
    let key = Key::p256("model");
    let signer = Cert::root(CA, &key).issue(&key);
    let signer = Certificate::parse(&signer).expect("reads");
    let policy = Policy::client(Revocation::HardFail);
    let verified = crl.verify(signer.spki(), &policy).expect("verifies");
    let model = model(drawn, is_indirect);
    let asked = model.keys().map(|(_, serial)| serial).chain(strangers);
    for serial in asked {
        for (at, issuer) in ISSUERS.iter().enumerate().filter(|(at, _)| is_indirect || *at == 0) {
            let name = name::name(issuer);
            let mut reader = certcheck_core::der::Reader::new(&name);
            let name = certcheck_core::x509::Name::parse(&mut reader, "name").expect("reads");
            let found = verified.find(serial, Some(name).filter(|_| is_indirect));
            let found = found.map(|entry| entry.expect("reads").reason.name());
            let expected = model.get(&(at, serial.clone())).map(|reason| REASONS[*reason]);
            assert_eq!(found, expected, "{serial:02x?} of {issuer}");
        }
    }
    assert_eq!(crl.len(), drawn.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_listed_is_found_and_nothing_else(
        drawn in entries(300),
        is_indirect in any::<bool>(),
        chunk in 1usize..2_000,
        strangers in prop::collection::vec(serials(), 0..20),
    ) {
        let key = Key::p256("model");
        let der = Bytes::from(forge(&drawn, is_indirect, &key));
        let whole = Crl::parse(der.clone(), "whole").expect("reads");
        check(&whole, &drawn, is_indirect, &strangers);
        check(&arrive(&der, chunk), &drawn, is_indirect, &strangers);
        for trust in [IndexTrust::Checked, IndexTrust::AsKept] {
            let (kept, fault) = Crl::open(der.clone(), &whole.index().into(), "kept", trust).expect("reads");
            prop_assert_eq!(fault, None);
            check(&kept, &drawn, is_indirect, &strangers);
        }
    }

    #[test]
    fn a_damaged_index_is_built_again(drawn in entries(60), at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let key = Key::p256("model");
        let der = Bytes::from(forge(&drawn, false, &key));
        let whole = Crl::parse(der.clone(), "whole").expect("reads");
        let mut damaged = whole.index();
        let at = at.index(damaged.len());
        damaged[at] ^= 1 << bit;
        let (crl, fault) = Crl::open(der, &damaged.into(), "kept", IndexTrust::Checked).expect("reads");
        prop_assert!(fault.is_some(), "byte {}", at);
        check(&crl, &drawn, false, &[]);
    }
}

/// So many that the index is made in parts, in no order, some twice.
fn many() -> Vec<Drawn> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let serial = |number: u64| minimal([&[0x40][..], &number.to_be_bytes()].concat());
    let mut drawn: Vec<Drawn> = (0..100_000)
        .map(|_| Drawn {
            serial: serial(next()),
            reason: usize::try_from(next() % 5).ok().filter(|at| *at < 4),
            issuer: None,
            is_odd: next().is_multiple_of(7),
        })
        .collect();
    let again: Vec<Drawn> =
        drawn.iter().step_by(50).map(|entry| Drawn { reason: Some(1), ..entry.clone() }).collect();
    drawn.extend(again);
    drawn
}

#[test]
fn an_index_in_parts() {
    let key = Key::p256("model");
    let drawn = many();
    let der = Bytes::from(forge(&drawn, false, &key));
    let whole = Crl::parse(der.clone(), "whole").expect("reads");
    check(&whole, &drawn, false, &[vec![1], vec![2, 3]]);
    check(&arrive(&der, 65_536), &drawn, false, &[vec![1]]);
    assert!(whole.overhead() <= 10 * drawn.len(), "{} bytes beside the CRL", whole.overhead());
    let signer = Cert::root(CA, &key).issue(&key);
    let signer = Certificate::parse(&signer).expect("reads");
    let policy = Policy::client(Revocation::HardFail);
    let beside = Crl::parse_and_verify(der, "beside", signer.spki(), &policy).expect("reads");
    check(&beside, &drawn, false, &[vec![1]]);
}

#[test]
fn one_serial_a_thousand_times_is_one_entry() {
    let key = Key::p256("model");
    let one = Drawn { serial: vec![0x11], reason: Some(1), issuer: None, is_odd: false };
    let mut drawn = vec![one.clone(); 100_000];
    drawn.push(Drawn { serial: vec![0x12], reason: Some(2), ..one.clone() });
    let crl = Crl::parse(forge(&drawn, false, &key).into(), "many").expect("reads");
    check(&crl, &drawn, false, &[vec![0x13]]);
    // On hold however often, and once for good, wherever that stands.
    for held in [1, 11, 12, 13, 1_000] {
        let mut drawn = vec![Drawn { reason: Some(2), ..one.clone() }; held];
        drawn.push(one.clone());
        drawn.extend(vec![Drawn { reason: Some(2), ..one.clone() }; held]);
        let crl = Crl::parse(forge(&drawn, false, &key).into(), "held").expect("reads");
        check(&crl, &drawn, false, &[]);
    }
}

/// The CRL's own issuer, named in so many words and by saying nothing, is one issuer: what does not fit one bucket of the
/// index counts all the same.
#[test]
fn entries_of_one_issuer_that_is_named_in_two_ways() {
    let key = Key::p256("model");
    let one = Drawn { serial: vec![0x12], reason: None, issuer: Some(0), is_odd: false };
    for held in [1, 11, 12, 13, 100] {
        let mut drawn = vec![Drawn { reason: Some(2), issuer: None, ..one.clone() }; held];
        drawn.push(one.clone());
        let crl = Crl::parse(forge(&drawn, true, &key).into(), "held").expect("reads");
        check(&crl, &drawn, true, &[]);
    }
}

#[test]
fn of_two_entries_about_one_certificate_the_worse_counts() {
    let key = Key::p256("model");
    let entry = |reason: &str, at: &str| {
        let revoked_at = certcheck_testkit::der::time(at);
        RevokedCertificate { revoked_at, ..RevokedCertificate::new(&[0x11]).with([crl::reason(reason)]) }
    };
    let cases = [
        (["certificateHold", "keyCompromise"], "keyCompromise"),
        (["removeFromCRL", "certificateHold"], "certificateHold"),
        (["removeFromCRL", "superseded"], "superseded"),
        (["superseded", "keyCompromise"], "superseded"),
    ];
    for ([earlier, later], counts) in cases {
        let mut entries = [entry(earlier, "2026-03-01T00:00:00Z"), entry(later, "2026-04-01T00:00:00Z")];
        for _ in 0..2 {
            let der = CrlBuilder::new(CA).revoking(entries.clone()).issue(&key);
            let crl = Crl::parse(der.into(), "twice").expect("reads");
            let found = crl.find_unverified(&[0x11], None).expect("listed").expect("reads");
            assert_eq!(found.reason.name(), counts, "{earlier}, {later}");
            entries.reverse();
        }
    }
}

/// A PKCS #7 that carries CRLs and certificates and signs nothing (RFC 2315 9.1).
#[test]
fn crls_come_out_of_their_containers() {
    use certcheck_testkit::{der, pem};
    let key = Key::p256("model");
    let one = |serial: u8| [Drawn { serial: vec![serial], reason: None, issuer: None, is_odd: false }];
    let (a, b) = (forge(&one(1), false, &key), forge(&one(2), false, &key));
    let data = der::seq(&[der::oid("1.2.840.113549.1.7.1")]);
    let certificates = der::ctx_c(0, &Cert::root(CA, &key).issue(&key));
    let crls = der::ctx_c(1, &[a.clone(), b.clone()].concat());
    let none = der::set::<Vec<u8>>(&[]);
    let signed = der::seq(&[der::int(1), none.clone(), data, certificates, crls, none]);
    let pkcs7 = der::seq(&[der::oid("1.2.840.113549.1.7.2"), der::ctx_c(0, &signed)]);
    let pems = format!("{}{}", pem("X509 CRL", &a), pem("X509 CRL", &b));
    for file in [pkcs7.clone(), pems.into_bytes(), pem("PKCS7", &pkcs7).into_bytes()] {
        let found = certcheck_core::crls_of(&file.into()).expect("CRLs");
        assert_eq!(found, [&a[..], &b[..]]);
    }
    assert_eq!(certcheck_core::crls_of(&a.clone().into()).expect("a CRL"), [&a[..]]);
    assert!(certcheck_core::crls_of(&Bytes::from_static(b"no CRL")).is_err());
    assert_eq!(certcheck_core::certificates_of(&pkcs7).expect("a certificate").len(), 1);
}

#[test]
fn an_index_of_another_crl_is_not_taken() {
    let key = Key::p256("model");
    let one = |serial: u8| [Drawn { serial: vec![serial], reason: None, issuer: None, is_odd: false }];
    let other = Crl::parse(forge(&one(2), false, &key).into(), "other").expect("reads");
    let der = Bytes::from(forge(&one(1), false, &key));
    for (kept, fault) in [
        (other.index(), IndexFault::OtherCrl),
        (Vec::new(), IndexFault::NotAnIndex),
        (vec![0; 200], IndexFault::NotAnIndex),
        (other.index()[..130].to_vec(), IndexFault::Damaged),
    ] {
        let opened = Crl::open(der.clone(), &kept.into(), "kept", IndexTrust::Checked).expect("reads");
        assert_eq!(opened.1, Some(fault));
        check(&opened.0, &one(1), false, &[vec![2]]);
    }
}

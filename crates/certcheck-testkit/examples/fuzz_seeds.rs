//! Writes seeds for the fuzz targets: `cargo run -p certcheck-testkit --example fuzz_seeds -- fuzz/corpus`.
#![allow(clippy::unwrap_used, reason = "a tool for people who work on the project")]

use std::path::Path;

use certcheck_testkit::crl::{self, CrlBuilder, Idp, RevokedCertificate};
use certcheck_testkit::ext::Point;
use certcheck_testkit::ocsp::{self, AnswerBuilder, Response};
use certcheck_testkit::{Cert, Key};
use certcheck_testkit::{bulk, crl_flaw, der, ext, flaw, ocsp_flaw, odd_key, pem};

/// A header in the form of each source that the target knows, in its order.
fn client_headers(leaf: &[u8], ca: &[u8]) -> Vec<String> {
    let base64 = |der: &[u8]| pem("X", der).lines().filter(|line| !line.starts_with('-')).collect::<String>();
    let escaped = |der: &[u8]| {
        let kept = |sign: char| sign.is_ascii_alphanumeric() || sign == '-';
        let encode =
            |sign: char| if kept(sign) { sign.to_string() } else { format!("%{:02X}", u32::from(sign)) };
        pem("CERTIFICATE", der).chars().map(encode).collect::<String>()
    };
    let (one, two) = (base64(leaf), base64(ca));
    vec![
        escaped(leaf),
        format!("{one},{two}"),
        format!("By=a;Cert=\"{}\";Chain=\"{}{}\";URI=;DNS=a", escaped(leaf), escaped(leaf), escaped(ca)),
        format!(":{one}:\n:{two}:, :{two}:"),
        one.clone(),
        pem("CERTIFICATE", leaf).replace('\n', " "),
        escaped(leaf) + &escaped(ca),
        format!("{one}\n{two}"),
    ]
}

fn main() {
    let directory = std::env::args().nth(1).unwrap();
    let write = |target: &str, name: &str, data: &[u8]| {
        let folder = Path::new(&directory).join(target);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), data).unwrap();
    };
    let framed = |parts: &[&[u8]]| -> Vec<u8> {
        parts
            .iter()
            .flat_map(|part| [&u16::try_from(part.len()).unwrap().to_be_bytes()[..], part].concat())
            .collect()
    };
    let (key, issuer) = (Key::p256("seed"), Key::p256("seed issuer"));
    let leaf = Cert::leaf("C=US,O=Seed+OU=Two,CN=bmp:seed", &key, "CN=Seed CA", &issuer).with([
        ext::san(&[
            "dns:a.example",
            "email:a@b.example",
            "uri:spiffe://c.example/d",
            "ip:10.0.0.1",
            "upn:x@y",
            "smtp:z@w",
            "dir:CN=q",
            "rid:1.2",
        ]),
        ext::policies(&["1.2.3", "2.5.29.32.0"]),
        ext::aia(&["http://o.example"], &["http://i.example"]),
    ]);
    let ca = Cert::ca("CN=Seed CA", &issuer, "CN=Seed Root", &key).with([
        ext::name_constraints(
            &["dns:example", "email:example", "ip:10.0.0.0/8", "uri:.example", "dir:C=US", "upn:y"],
            &["dns:x.example"],
        ),
        ext::policies(&["1.2.3", "1.2.4"]),
        ext::policy_mappings(&[("1.2.4", "1.2.3")]),
        ext::policy_constraints(Some(1), Some(0)),
        ext::inhibit_any_policy(1),
    ]);
    let root = Cert::root("CN=Seed Root", &key).issue(&key);
    let (ca_der, leaf_der) = (ca.issue(&key), leaf.issue(&issuer));
    for flaw in flaw::ALL.iter().chain(flaw::LENIENT) {
        write("certificate", flaw.name, &flaw.issue(leaf.clone(), &issuer));
        write("certificate", &format!("{}-ca", flaw.name), &flaw.issue(ca.clone(), &key));
    }
    for odd in odd_key::all() {
        let odd_leaf = Cert { spki: odd.spki, ..leaf.clone() };
        write("certificate", &format!("key-{}", odd.name), &odd_leaf.issue(&issuer));
    }
    write("certificate", "leaf", &leaf_der);
    write("identity", "leaf", &leaf_der);
    write("certificate", "ca", &ca_der);
    write("name", "same", &[leaf.subject.clone(), leaf.subject.clone()].concat());
    write(
        "name",
        "types",
        &[
            certcheck_testkit::name::name("CN=printable:Seed  A"),
            certcheck_testkit::name::name("CN=bmp:seed a"),
        ]
        .concat(),
    );
    write("constraints", "pair", &[framed(&[&ca_der]), leaf_der.clone()].concat());
    write(
        "ring_file",
        "pem",
        format!("{}{}", pem("CERTIFICATE", &root), pem("CERTIFICATE", &ca_der)).as_bytes(),
    );
    write("ring_file", "der", &root);
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../certcheck-serve/tests/data");
    for (mode, name) in [(0, "whole_policy.txt"), (1, "printed_fragment.txt"), (2, "base_policy.txt")] {
        let text = std::fs::read(policies.join(name)).unwrap();
        write("at_tls", name, &[&[mode][..], &text].concat());
    }
    let signed = [der::int(1), der::set::<Vec<u8>>(&[]), der::seq(&[der::oid("1.2.840.113549.1.7.1")])];
    let signed = [der::concat(&signed), der::indefinite(0xa0, &root), der::set::<Vec<u8>>(&[])].concat();
    let signed = der::indefinite(0xa0, &der::indefinite(0x30, &signed));
    let message = [der::oid("1.2.840.113549.1.7.2"), signed].concat();
    write("ring_file", "pkcs7-ber", &der::indefinite(0x30, &message));
    write("ring_file", "toml", b"[[anchor]]\nfile = \"file\"\npermitted = [\"dns:example\"]\npath_len = 1\nnot_after = \"2030-01-01T00:00:00Z\"\n");
    write("check", "chain", &[vec![0], framed(&[&root, &leaf_der, &ca_der])].concat());
    let bomb = bulk::policy_bomb(4, 3);
    let mut parts: Vec<&[u8]> = vec![&bomb.anchor, &bomb.leaf];
    parts.extend(bomb.presented.iter().map(Vec::as_slice));
    write("check", "policies", &[vec![1], framed(&parts)].concat());
    let mesh = bulk::mesh(bulk::Mesh::SameNameOtherKeys, 12);
    let mut parts: Vec<&[u8]> = vec![&mesh.anchor, &mesh.leaf];
    parts.extend(mesh.presented.iter().map(Vec::as_slice));
    write("check", "mesh", &[vec![16], framed(&parts)].concat());
    for (source, value) in (0_u8..).zip(client_headers(&leaf_der, &ca_der)) {
        write("client_header", &format!("source-{source}"), &[&[source], value.as_bytes()].concat());
    }
    write(
        "spop",
        "hello",
        b"\x01\0\0\0\x01\0\0\x12supported-versions\x08\x032.0\x0emax-frame-size\x03\xfc\xf0\x06",
    );
    write(
        "spop",
        "notify",
        b"\x03\0\0\0\x01\x01\x01\x06client\x03\x06secret\x08\x01s\x04leaf\x09\x020\0\x03src\x06\x7f\0\0\x01",
    );
    write_evidence(&write, &framed);
}

/// CRLs and responses, right and broken, alone and as answers in the machine.
fn write_evidence(write: &dyn Fn(&str, &str, &[u8]), framed: &dyn Fn(&[&[u8]]) -> Vec<u8>) {
    let (root, client) = (Key::p256("seed machine root"), Key::p256("seed machine client"));
    let leaf = Cert::leaf("CN=client", &client, "CN=Root", &root).with([
        ext::aia(&["http://o/1"], &["http://i/1"]),
        ext::cdp(&[Point::urls(&["http://c/1", "http://c/2"]), Point::urls(&["http://c/3"])]),
        ext::freshest_crl(&[Point::urls(&["http://d/1"])]),
    ]);
    let plain = CrlBuilder::new("CN=Root").revoking((1..60).map(|n| RevokedCertificate::new(&[n])));
    let idp = Idp { point: Point::urls(&["http://c/1"]), reasons: vec![1, 2], ..Idp::default() };
    let partition = plain.clone().with([idp.ext()]);
    let indirect = CrlBuilder::new("CN=Root").with([Idp { indirect: true, ..Idp::default() }.ext()]);
    let listed = RevokedCertificate::new(&leaf.serial)
        .with([crl::reason("certificateHold"), crl::certificate_issuer(&["dir:CN=Root"])]);
    let indirect = indirect.revoking([listed, RevokedCertificate::new(&[9])]);
    let delta = CrlBuilder::new("CN=Root").with([crl::number(2), crl::delta(1)]);
    let id = ocsp::cert_id("sha1", &leaf.issuer, &root, &leaf.serial);
    let response = Response::new(ocsp::by_key(&root), [AnswerBuilder::good(id)]);
    for (name, crl) in
        [("plain", &plain), ("partition", &partition), ("indirect", &indirect), ("delta", &delta)]
    {
        write("crl", name, &[vec![40], crl.issue(&root)].concat());
    }
    for flaw in crl_flaw::ALL.iter().chain(crl_flaw::LENIENT) {
        write("crl", flaw.name, &[vec![7], flaw.issue(plain.clone(), &root)].concat());
    }
    for flaw in ocsp_flaw::ALL.iter().chain(ocsp_flaw::LENIENT) {
        write("ocsp", flaw.name, &flaw.issue(response.clone(), &root));
    }
    write("ocsp", "good", &response.issue(&root));
    write("ocsp", "error", &Response::error(3));
    let anchor = Cert::root("CN=Root", &root).issue(&root);
    let chain = leaf.issue(&root);
    let crls = [plain, partition, indirect, delta].map(|crl| crl.issue(&root));
    let responses = [response.issue(&root), Response::error(6)];
    for (flags, crl) in (0..).zip(&crls) {
        let parts: [&[u8]; 6] = [&anchor, &chain, crl, &responses[0], &responses[1], &crls[0]];
        write("machine", &format!("answers-{flags}"), &[vec![flags * 7, 1], framed(&parts)].concat());
    }
    let urls = [
        "http://crl.example/a.crl",
        "http://2130706433/",
        "http://[::ffff:7f00:1]:8080/",
        "http://a:b@c/",
        "ldap://dir.example/cn=ca,o=x?certificateRevocationList;binary?base?(cn=*)",
        "ldap:///cn=a",
        "https://x/",
    ];
    for (n, url) in urls.iter().enumerate() {
        write("fetch_url", &n.to_string(), url.as_bytes());
    }
    let record = r#"{"certcheck":1,"kind":"crl","url":"http://a/","bytes":3,"body":"MAEA","fetched_at":1,"signers":["MAA="]}"#;
    let (zeros, sha) = ("0".repeat(39), "a".repeat(64));
    let head = format!("cc1 {:020} {zeros}1 {sha} 1 3 1\n", 1);
    let of_head = record.replace(r#""body":"MAEA""#, r#""this_update":1,"number":"01""#);
    let frames = "INFO {}\r\nPING\r\n-ERR 'Stale Connection'\r\nMSG a.b 1 3\r\nabc\r\n\
        HMSG a.b 1 r 33 36\r\nNATS/1.0 404 No\r\nNats-Time: 1\r\n\r\nabc\r\nMSG a 2 5\r\nabcde\r\n";
    write("nats_frames", "all", &[&[5], frames.as_bytes()].concat());
    let replies = "+OK\r\n-ERR x\r\n:7\r\n$-1\r\n*0\r\n*3\r\n$1\r\na\r\n*2\r\n:1\r\n$0\r\n\r\n$2\r\nbc\r\n";
    write("redis_replies", "all", &[&[5], replies.as_bytes()].concat());
    write("store_head", "crl", format!("{head}{of_head}").as_bytes());
    write("store_record", "inline", record.as_bytes());
    write(
        "store_record",
        "blob",
        record.replace(r#""body":"MAEA""#, r#""blob":"0.1","has_index":true"#).as_bytes(),
    );
    write("body", "der", &[&[3][..], &crls[0]].concat());
    write("body", "pem", b"\x05text\n-----BEGIN X509 CRL-----\n");
    write("directory", "done", &[0x30, 0x0c, 2, 1, 1, 0x65, 7, 10, 1, 0, 4, 0, 4, 0]);
}

//! Files with several things in them: all of them are read, or the file is refused.

use certcheck_core::crls_of;
use certcheck_core::{EncodingFault, certificates_of};
use certcheck_testkit::{Cert, Key, crl, der, pem};

/// How many certificates a file yields, or the beginning of why none.
fn read(file: &[u8]) -> Result<usize, String> {
    certificates_of(file).map(|found| found.len()).map_err(|fault| match fault {
        EncodingFault::Pem(message) => message,
        other => other.to_string(),
    })
}

fn small(section: &str) -> String {
    section.replace("BEGIN CERTIFICATE", "begin certificate").replace("END CERTIFICATE", "end certificate")
}

#[test]
fn no_section_is_passed_over_unseen() {
    let key = Key::p256("containers");
    let der = Cert::root("CN=Root", &key).issue(&key);
    let one = pem("CERTIFICATE", &der);
    let bare = one.trim_end();
    let trusted = pem("TRUSTED CERTIFICATE", &der);
    let secret = pem("PRIVATE KEY", &[0x30, 0]);
    let cut = &one[..one.len() / 2];
    let fine: &[(&str, String, usize)] = &[
        ("one", one.clone(), 1),
        ("two", format!("{one}{one}"), 2),
        ("remarks around", format!("subject\n{one}\n# another\n{one}the end\n"), 2),
        ("a mark of order before", format!("\u{feff}{one}{one}"), 2),
        ("lines of Windows", format!("{one}{one}").replace('\n', "\r\n"), 2),
        ("the second begins where the first ends", format!("{bare}{one}"), 2),
        ("what goes with a key", format!("{}{one}", pem("EC PARAMETERS", &[5, 0])), 1),
        ("a key between", format!("{one}{secret}{one}"), 2),
    ];
    for (about, file, count) in fine {
        assert_eq!(read(file.as_bytes()), Ok(*count), "{about}");
    }
    let refused: &[(&str, String, &str)] = &[
        ("a dash too many", format!("{one}-{one}"), "2 sections begin, but only 1"),
        ("the last is cut short", format!("{one}{cut}"), "2 sections begin, but only 1"),
        ("the first has no end", format!("{cut}\n{one}"), "invalid data"),
        ("with what OpenSSL trusts it for", format!("{one}{trusted}"), "a TRUSTED CERTIFICATE"),
        (
            "a space in the label",
            format!("{one}{}", pem("CERTIFICATE ", &der)),
            "a section with the unknown label",
        ),
        (
            "a label in small letters",
            format!("{one}{}", pem("certificate", &der)),
            "a section with the unknown label",
        ),
        (
            "another word for it",
            format!("{one}{}", pem("X.509 CERTIFICATE", &der)),
            "a section with the unknown label",
        ),
        ("all in small letters", format!("{one}{}", small(&one)), "2 sections begin, but only 1"),
        ("none", String::from("no certificate"), "holds no certificate: the file is neither PEM nor DER"),
    ];
    for (about, file, why) in refused {
        let fault = read(file.as_bytes()).expect_err(about);
        assert!(fault.starts_with(why), "{about}: {fault}");
    }
}

/// A "certs-only" message (RFC 8551 3.8) whose outside is written by `write`, from the tag and content of each element.
fn certs_only(members: &[Vec<u8>], crls: &[Vec<u8>], write: fn(u8, &[u8]) -> Vec<u8>) -> Vec<u8> {
    let content = write(0x30, &der::oid("1.2.840.113549.1.7.1"));
    let optional = |tag, list: &[Vec<u8>]| {
        if list.is_empty() { Vec::new() } else { write(tag, &der::concat(list)) }
    };
    let parts = [
        der::int(1),
        write(0x31, &[]),
        content,
        optional(0xa0, members),
        optional(0xa1, crls),
        write(0x31, &[]),
    ];
    let signed = write(0x30, &der::concat(&parts));
    let parts = [der::oid("1.2.840.113549.1.7.2"), write(0xa0, &signed)];
    write(0x30, &der::concat(&parts))
}

/// A length in more bytes than it needs.
fn long(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("small").to_be_bytes();
    [&[tag, 0x86, 0, 0][..], &length, content].concat()
}

/// RFC 5280 4.2.2.1: DER or BER. What is inside is signed, and stays DER.
#[test]
fn messages_of_certificates_in_ber() {
    let key = Key::p256("containers");
    let root = Cert::root("CN=Root", &key).issue(&key);
    let other = Cert::root("CN=Other", &key).issue(&key);
    let list = crl::CrlBuilder::new("CN=Root").issue(&key);
    for write in [der::tlv, der::indefinite, long] {
        let file = certs_only(&[root.clone(), other.clone()], std::slice::from_ref(&list), write);
        let found = certificates_of(&file).expect("certificates");
        assert_eq!(found.iter().map(|der| der.to_vec()).collect::<Vec<_>>(), [root.clone(), other.clone()]);
        let crls = crls_of(&file.clone().into()).expect("a CRL");
        assert_eq!(crls.len(), 1);
        assert_eq!(crls[0], list);
        assert_eq!(read(pem("PKCS7", &file).as_bytes()), Ok(2));
        let bare = certs_only(std::slice::from_ref(&root), &[], write);
        assert_eq!(read(&bare), Ok(1));
        // Cut short anywhere, or with something behind: no certificate is found.
        for cut in 0..file.len() {
            assert!(read(&file[..cut]).is_err(), "{cut}");
        }
        assert!(read(&[&file[..], &[0]].concat()).is_err());
    }
    // The certificate itself is handed on as it is, for its own parser to refuse.
    let inside = [der::indefinite(0x30, &root[4..])];
    let found = certificates_of(&certs_only(&inside, &[], der::indefinite)).expect("one");
    assert!(certcheck_core::x509::Certificate::parse(&found[0]).is_err());
}

/// A content in pieces (X.690 8.7.3.2) is passed over like any other.
#[test]
fn a_content_in_pieces_beside_certificates() {
    let key = Key::p256("containers");
    let root = Cert::root("CN=Root", &key).issue(&key);
    let pieces = der::indefinite(0x24, &[der::bytes(b"a"), der::bytes(b"b")].concat());
    let content =
        der::indefinite(0x30, &[der::oid("1.2.840.113549.1.7.1"), der::indefinite(0xa0, &pieces)].concat());
    let parts = [
        der::int(1),
        der::set::<Vec<u8>>(&[]),
        content,
        der::indefinite(0xa0, &root),
        der::set::<Vec<u8>>(&[]),
    ];
    let signed = der::indefinite(0xa0, &der::indefinite(0x30, &der::concat(&parts)));
    let file = der::indefinite(0x30, &[der::oid("1.2.840.113549.1.7.2"), signed].concat());
    assert_eq!(read(&file), Ok(1));
}

/// Depth and work are bounded, and a mark where none belongs ends the reading.
#[test]
fn nesting_in_ber_is_bounded() {
    let opened = [0x30, 0x80].repeat(2_000_000);
    assert!(read(&opened).expect_err("no end").contains("nested too deeply"));
    let mut deep = der::oid("1.2.840.113549.1.7.2");
    for _ in 0..40 {
        deep = der::indefinite(0x30, &deep);
    }
    assert!(read(&deep).expect_err("too deep").contains("nested too deeply"));
    assert!(read(&[0x30, 0x80, 6, 0x80, 0, 0, 0, 0]).expect_err("primitive").contains("indefinite length"));
    assert!(read(&[0x30, 0x85, 1, 0, 0, 0, 0]).expect_err("too long").contains("length is longer"));
    assert!(read(&[0x30, 0xff, 0]).is_err());
}

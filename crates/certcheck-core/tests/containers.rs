//! Files with several things in them: all of them are read, or the file is refused.

use certcheck_core::{ContainerFault, certificates_of};
use certcheck_testkit::{Cert, Key, pem};

/// How many certificates a file yields, or the beginning of why none.
fn read(file: &[u8]) -> Result<usize, String> {
    certificates_of(file).map(|found| found.len()).map_err(|fault| match fault {
        ContainerFault::Pem(message) => message,
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
        ("a dash too many", format!("{one}-{one}"), "2 sections begin, 1 read"),
        ("the last is cut short", format!("{one}{cut}"), "2 sections begin, 1 read"),
        ("the first has no end", format!("{cut}\n{one}"), "invalid data"),
        ("with what OpenSSL trusts it for", format!("{one}{trusted}"), "a TRUSTED CERTIFICATE"),
        (
            "a space in the label",
            format!("{one}{}", pem("CERTIFICATE ", &der)),
            "a section of an unknown label",
        ),
        (
            "a label in small letters",
            format!("{one}{}", pem("certificate", &der)),
            "a section of an unknown label",
        ),
        (
            "another word for it",
            format!("{one}{}", pem("X.509 CERTIFICATE", &der)),
            "a section of an unknown label",
        ),
        ("all in small letters", format!("{one}{}", small(&one)), "2 sections begin, 1 read"),
        ("none", String::from("no certificate"), "holds nothing"),
    ];
    for (about, file, why) in refused {
        let fault = read(file.as_bytes()).expect_err(about);
        assert!(fault.starts_with(why), "{about}: {fault}");
    }
}

//! Small cases of evidence and issuers over the network, each against a server of its own on loopback.

use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::ext::{self, Ext, Point};
use certcheck_testkit::server::{OcspResponder, Page, Server};
use certcheck_testkit::{Cert, Key, pem};

struct Case {
    name: &'static str,
    /// What the client's certificate names.
    names: fn(&Server) -> Ext,
    serve: fn(&Server),
    arguments: &'static [&'static str],
    exit: i32,
    stdout: &'static [&'static str],
    absent: &'static [&'static str],
}

fn root_key() -> Key {
    Key::p256("net root")
}

fn issuing_key() -> Key {
    Key::p256("net issuing")
}

const CASES: &[Case] = &[
    Case {
        name: "aia-unreachable",
        names: |server| ext::aia::<String>(&[], &[server.url("/i")]),
        serve: |_| {},
        arguments: &["--aia", "on", "--revocation", "off"],
        exit: 1,
        stdout: &["unknown-issuer", "tried for 0: issuers http://127.0.0.1:", "404"],
        absent: &[],
    },
    Case {
        name: "raw-spaces",
        names: |server| ext::cdp(&[Point::urls(&[server.url("/CertEnroll/Odd Root CA.crl")])]),
        serve: |server| {
            let crl = CrlBuilder::new("CN=Issuing").issue(&issuing_key());
            server.serve("/CertEnroll/Odd%20Root%20CA.crl", Page::new(crl));
        },
        arguments: &["--untrusted", "issuing.pem", "--scope", "leaf"],
        exit: 0,
        stdout: &["accepted"],
        absent: &[],
    },
    Case {
        name: "ocsp-get-empty-200",
        names: |server| ext::aia::<String>(&[server.url("/ocsp")], &[]),
        serve: |server| {
            let responder = OcspResponder::new("CN=Issuing", issuing_key());
            responder.good(&[0x51]);
            let answer = responder.handler();
            server.serve_with("/ocsp", move |request| {
                if request.method == "GET" { Page::status(200) } else { answer(request) }
            });
        },
        arguments: &["--untrusted", "issuing.pem", "--scope", "leaf"],
        exit: 0,
        stdout: &["accepted"],
        absent: &[],
    },
    Case {
        name: "refuse-https-cdp",
        names: |_| ext::cdp(&[Point::urls(&["https://127.0.0.1/ca.crl"])]),
        serve: |_| {},
        arguments: &["--untrusted", "issuing.pem", "--scope", "leaf"],
        exit: 3,
        stdout: &["undetermined", "--allow-https"],
        absent: &["--allow-net"],
    },
    Case {
        name: "refuse-userinfo",
        names: |_| ext::cdp(&[Point::urls(&["http://u:p@127.0.0.1:18174/ca.crl"])]),
        serve: |_| {},
        arguments: &["--untrusted", "issuing.pem", "--scope", "leaf"],
        exit: 3,
        stdout: &["undetermined", "user information"],
        absent: &["--allow-"],
    },
    Case {
        name: "ldap-scope-sub",
        names: |_| {
            let url = "ldap://127.0.0.1:2390/o=Odd?certificateRevocationList;binary?sub?(cn=Odd%20Root)";
            ext::cdp(&[Point::urls(&[url])])
        },
        serve: |_| {},
        arguments: &["--untrusted", "issuing.pem", "--scope", "leaf", "--allow-port", "2390"],
        exit: 3,
        stdout: &["undetermined", "LDAP URL"],
        absent: &["SHA-256"],
    },
];

/// What is wrong with a case, if anything is.
fn fault(case: &Case) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start();
    (case.serve)(&server);
    let (root, issuing, client) = (root_key(), issuing_key(), Key::p256("net client"));
    let mut leaf = Cert::leaf("CN=Client", &client, "CN=Issuing", &issuing).with([(case.names)(&server)]);
    leaf.serial = vec![0x51];
    for (name, der) in [
        ("root.pem", Cert::root("CN=Root", &root).issue(&root)),
        ("issuing.pem", Cert::ca("CN=Issuing", &issuing, "CN=Root", &root).issue(&root)),
        ("client.pem", leaf.issue(&issuing)),
    ] {
        std::fs::write(folder.path().join(name), pem("CERTIFICATE", &der)).expect("written");
    }
    let asked = ["verify", "client.pem", "--ring", "root.pem", "--at", "2027-01-01", "--no-cache"];
    let output = certcheck_testkit::program::isolated(env!("CARGO_BIN_EXE_certcheck"))
        .current_dir(folder.path())
        .args(asked)
        .args(["--allow-net", "127.0.0.0/8", "--timeout", "10s"])
        .args(case.arguments)
        .output()
        .expect("runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let is_right = output.status.code() == Some(case.exit)
        && case.stdout.iter().all(|said| out.contains(said))
        && !case.absent.iter().any(|said| out.contains(said));
    (!is_right).then(|| format!("{}: {:?}\n{out}{err}", case.name, output.status.code()))
}

#[test]
fn each_case_has_the_right_value() {
    let bad: Vec<String> = CASES.iter().filter_map(fault).collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

//! The alert that a client gets for each class of refusal: the same from verifier and acceptor, in both versions, and what clients of
//! the field make of it.
//!
//! The table in `docs/alerts.md` is made of this: `UPDATE_DOCS=1 cargo test -p certcheck-rustls --test alerts`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::{Evidence, Policy, Revocation};
use certcheck_testkit::peers::tool;
use certcheck_testkit::program::PATIENCE;
use certcheck_testkit::served::*;
use certcheck_testkit::server::{Fault, Page};
use certcheck_testkit::{Cert, Key, ext, pem};
use rustls::SupportedProtocolVersion;

/// A refusal: what it is, its code, and the alert by name and number.
struct Class {
    what: &'static str,
    code: &'static str,
    alert: &'static str,
    person: Option<Person>,
}

fn classes(world: &World) -> Vec<Class> {
    let plain = |name: &str| world.plain(name);
    let person = |name: &str, cert: &Cert| Some(Person::new(world, name, cert));
    let revoked = plain("revoked");
    world.server.serve("/ca.crl", Page::new(world.revoking(2, &[&revoked])));
    world.server.break_with("/dead.crl", Fault::Refuse);
    let dead = world.client("dead", &[world.server.url("/dead.crl")], &[]);
    let expired = plain("expired").valid("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
    let early = plain("early").valid("2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z");
    let stranger = Key::p256("alerts stranger");
    let client = Key::p256("fetch client stranger");
    let strange = Cert::leaf("O=Fetch,CN=stranger", &client, "O=Elsewhere,CN=CA", &stranger);
    let strange = Person { chain: vec![strange.issue(&stranger).into()], key: client };
    let mut forged = Person::new(world, "forged", &plain("forged"));
    forged.chain = vec![plain("forged").issue(&world.stranger).into()];
    let server = plain("server").with([ext::eku(&["server"])]);
    let signer = plain("signer").with([ext::key_usage(&["keyEncipherment"])]);
    let critical = plain("critical").with([ext::unknown(true)]);
    let named = plain("named").with([ext::san(&["dns:client.elsewhere.example"])]);
    let distrusted = plain("distrusted");
    let class = |what, code, alert, person| Class { what, code, alert, person };
    vec![
        class("revoked", "certificate-revoked", "certificate_revoked (44)", person("revoked", &revoked)),
        class("not valid any more", "expired", "certificate_expired (45)", person("expired", &expired)),
        class("not valid yet", "not-yet-valid", "certificate_expired (45)", person("early", &early)),
        class("of a CA that leads to no anchor", "unknown-issuer", "unknown_ca (48)", Some(strange)),
        class("not signed by its issuer's key", "bad-signature", "decrypt_error (51)", Some(forged)),
        class(
            "for servers alone",
            "extended-key-usage",
            "unsupported_certificate (43)",
            person("server", &server),
        ),
        class("not for signatures", "key-usage", "unsupported_certificate (43)", person("signer", &signer)),
        class(
            "with a critical extension that nobody knows",
            "unhandled-critical-extension",
            "bad_certificate (42)",
            person("critical", &critical),
        ),
        class(
            "a name outside its CA's constraints",
            "name-constraint",
            "certificate_unknown (46)",
            person("named", &named),
        ),
        class("distrusted", "distrusted", "certificate_unknown (46)", person("distrusted", &distrusted)),
        class(
            "revocation cannot be known",
            "revocation-unknown",
            "certificate_unknown (46)",
            person("dead", &dead),
        ),
        class("none where one is demanded", "no-certificate", "certificate_required (116)", None),
    ]
}

/// The world's ring, with a CA that is constrained, and one client that is distrusted.
fn ring(world: &mut World) -> certcheck_core::KeyRing {
    let constrained = world.ca_cert.clone().with([ext::name_constraints(&["dns:clients.example"], &[])]);
    world.ca_cert = constrained;
    let mut builder = RingBuilder::new();
    let root = Cert::root(ROOT, &world.root).issue(&world.root);
    builder.add("root", &root, Placement::Anchor).expect("reads");
    builder.add("ca", &world.ca_cert.issue(&world.root), Placement::Intermediate).expect("reads");
    let distrusted = world.plain("distrusted").issue(&world.ca);
    builder.add("distrusted", &distrusted, Placement::Distrusted).expect("reads");
    builder.build().expect("builds")
}

/// Files for tools: the server's root, and a client's chain and key.
struct Files(PathBuf);

impl Files {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("certcheck-alerts-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("root.pem"), pem("CERTIFICATE", &server_root())).expect("written");
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }

    fn write(&self, person: &Person) {
        let chain: String = person.chain.iter().map(|der| pem("CERTIFICATE", der)).collect();
        std::fs::write(self.path("client.pem"), chain).expect("written");
        std::fs::write(self.path("client.key"), pem("PRIVATE KEY", &person.key.pkcs8())).expect("written");
    }

    fn run(
        &self,
        program: &str,
        person: Option<&Person>,
        arguments: &[String],
        own: [&str; 2],
    ) -> Option<String> {
        let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (cert, key) = (self.path("client.pem"), self.path("client.key"));
        if let Some(person) = person {
            self.write(person);
            arguments.extend([own[0], &cert, own[1], &key]);
        }
        tool::run(program, &arguments, PATIENCE).map(|ran| ran.text)
    }

    /// What OpenSSL calls the alert, by its own client.
    fn s_client(&self, address: SocketAddr, person: Option<&Person>, version: &str) -> Option<String> {
        let arguments = [
            "s_client".to_owned(),
            "-quiet".to_owned(),
            "-connect".to_owned(),
            address.to_string(),
            "-servername".to_owned(),
            "localhost".to_owned(),
            "-CAfile".to_owned(),
            self.path("root.pem"),
            if version == "TLS 1.2" { "-tls1_2" } else { "-tls1_3" }.to_owned(),
        ];
        let text = self.run("openssl", person, &arguments, ["-cert", "-key"])?;
        let line = text.lines().find(|line| line.contains("SSL alert number")).unwrap_or(&text);
        let words: Vec<&str> = line.split(':').collect();
        Some(match words.as_slice() {
            [.., said, _, _, number] => {
                format!("{said} ({})", number.trim_start_matches("SSL alert number "))
            }
            _ => text,
        })
    }

    /// What curl says.
    fn curl(&self, address: SocketAddr, person: Option<&Person>, version: &str) -> Option<String> {
        let (least, max) = if version == "TLS 1.2" { ("--tlsv1.2", "1.2") } else { ("--tlsv1.3", "1.3") };
        let arguments = [
            "--silent".to_owned(),
            "--show-error".to_owned(),
            "--noproxy".to_owned(),
            "*".to_owned(),
            "--cacert".to_owned(),
            self.path("root.pem"),
            least.to_owned(),
            "--tls-max".to_owned(),
            max.to_owned(),
            "--connect-to".to_owned(),
            format!("localhost:443:127.0.0.1:{}", address.port()),
            "https://localhost/".to_owned(),
        ];
        let text = self.run("curl", person, &arguments, ["--cert", "--key"])?;
        let line = text.lines().next().unwrap_or_default().trim_start_matches("curl: ");
        let said = line.split("SSL routines::").nth(1).unwrap_or(line);
        Some(said.split(',').next().unwrap_or(said).trim().to_owned())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

fn rustls_says(
    address: SocketAddr,
    person: Option<&Person>,
    version: &'static SupportedProtocolVersion,
) -> Outcome {
    let config = Arc::new(client_config(person, version));
    runtime().block_on(connect(address, &config)).outcome
}

#[test]
fn each_refusal_has_its_alert() {
    let mut world = World::new();
    let engine = engine(&world, Revocation::HardFail);
    let ring = ring(&mut world);
    engine.reload(ring, Policy::client(Revocation::HardFail), Evidence::new());
    let files = Files::new();
    let mut table = String::new();
    for class in classes(&world) {
        let person = class.person.as_ref();
        if let Some(person) = person {
            // To the verifier what is not in memory is unknown, whatever it would be.
            let report = engine.check_blocking(&person.chain, now(), PATIENCE);
            assert_eq!(report.code(), class.code, "{}", class.what);
        }
        let mut said_by_openssl = BTreeSet::new();
        let mut said_by_curl = BTreeSet::new();
        for (word, version) in VERSIONS {
            let gated = Served::acceptor(acceptor(&engine, parts()));
            let verified = Served::verifier(parts().server_config(&engine).expect("a configuration"));
            for (front, served) in [("gate", &gated), ("verifier", &verified)] {
                let context = format!("{}, {word}, {front}", class.what);
                let outcome = rustls_says(served.address, person, version);
                assert_eq!(outcome, Err(class.alert.to_owned()), "{context}");
                said_by_openssl.extend(files.s_client(served.address, person, word));
                said_by_curl.extend(files.curl(served.address, person, word));
            }
            assert!(gated.outcomes(1).iter().all(|code| code == class.code), "{:?}", gated.outcomes(1));
        }
        let number = class.alert.rsplit(' ').next().unwrap_or_default();
        assert!(said_by_openssl.iter().all(|said| said.ends_with(number)), "{said_by_openssl:?}");
        let join = |said: BTreeSet<String>| said.into_iter().collect::<Vec<_>>().join("; ");
        let (openssl, curl) = (join(said_by_openssl), join(said_by_curl));
        let Class { what, code, alert, .. } = class;
        writeln!(table, "| {what} | `{code}` | {alert} | {openssl} | {curl} |").expect("text");
    }
    compare(&table);
}

/// The page has the table, between its head and what follows.
fn compare(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/alerts.md");
    let page = std::fs::read_to_string(&path).expect("docs/alerts.md");
    let (head, rest) = page.split_once("|---|---|---|---|---|\n").expect("a table");
    let (_, tail) = rest.split_once("\nWhy these:").expect("what follows the table");
    let wanted = format!("{head}|---|---|---|---|---|\n{table}\nWhy these:{tail}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &wanted).expect("written");
    } else if table.contains("|  |") {
        eprintln!("not compared: openssl or curl is missing");
    } else {
        assert_eq!(page, wanted, "docs/alerts.md is out of date: make it again with UPDATE_DOCS=1");
    }
}

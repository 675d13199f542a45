//! One question, four ways to ask: the library, the program, the verifier of a TLS server, and its acceptor.
//! All scenarios, and the same reason from all four.

use std::path::{Path, PathBuf};

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use certcheck_core::key_ring::Placement;
use certcheck_core::policy::{
    AnchorValidity, CrlSignerUsage, EvidenceOrder, Freshness, Policy, Purpose, Revocation, RevocationScope,
};
use certcheck_core::{Check, Time};
use certcheck_fetch::Engine;
use certcheck_rustls::{Acceptor, ClientVerifier};
use certcheck_testkit::scenarios::{Question, Scenario, Suite, files_of};
use certcheck_testkit::served::{Person, World, acceptor, client_config, parts};
use pki_types::ServerName;
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

static CLOCK: AtomicI64 = AtomicI64::new(0);

fn clock() -> Time {
    Time::from_unix(CLOCK.load(Ordering::Relaxed))
}

/// All that is asked: the scenarios of paths and of revocation.
fn questions() -> Vec<(String, Question)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../certcheck-core/tests");
    let mut all = Vec::new();
    for (name, text) in files_of(&folder.join("scenarios")) {
        all.push((name, Scenario::parse(&text).question()));
    }
    for (name, text) in files_of(&folder.join("revocation")) {
        let suite = Suite::parse(&text);
        for (_, question) in suite.questions() {
            all.push((format!("{name}: {}", question.about), question));
        }
    }
    all
}

fn by_library(question: &Question) -> String {
    let (chain, ring, evidence) = (question.presented(), question.key_ring(), question.evidence(false));
    let check = Check::new(&chain, &ring, &question.policy, question.now()).with_evidence(&evidence);
    let report = check.run();
    report.reason.map_or("accept", |rejection| rejection.reason.code()).to_owned()
}

/// The policy in the program's words. `None` if it has not all of them.
fn options(policy: &Policy) -> Option<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    let mut say = |option: &str, value: &str| words.extend([option.to_owned(), value.to_owned()]);
    say(
        "--purpose",
        match policy.purpose {
            Purpose::Client => "client",
            Purpose::Server => "server",
            Purpose::Any => "any",
            _ => return None,
        },
    );
    say(
        "--revocation",
        match policy.revocation {
            Revocation::HardFail => "hard-fail",
            Revocation::IfOffered => "if-offered",
            Revocation::SoftFail => "soft-fail",
            Revocation::Off => "off",
            _ => return None,
        },
    );
    say("--scope", if policy.revocation_scope == RevocationScope::Leaf { "leaf" } else { "chain" });
    say("--order", if policy.evidence_order == EvidenceOrder::CrlFirst { "crl-first" } else { "ocsp-first" });
    say("--max-depth", &policy.max_depth.to_string());
    say("--min-rsa-bits", &policy.signatures.min_rsa_bits.to_string());
    say("--min-ec-bits", &policy.signatures.min_ec_bits.to_string());
    say("--partial-chain", if policy.partial_chain { "on" } else { "off" });
    policy.initial_policies.iter().for_each(|oid| say("--policy", &oid.to_string()));
    let flags = [
        ("--require-explicit-policy", policy.require_explicit_policy),
        ("--inhibit-policy-mapping", policy.inhibit_policy_mapping),
        ("--inhibit-any-policy", policy.inhibit_any_policy),
        ("--allow-sha1", policy.signatures.allow_sha1),
        ("--pedantic", policy.pedantic),
        ("--enforce-anchor-validity", policy.anchor_validity == AnchorValidity::Enforce),
    ];
    words.extend(flags.iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| (*flag).to_owned()));
    let is_sayable = policy.freshness == Freshness::default()
        && policy.use_deltas
        && policy.crl_signer_usage == CrlSignerUsage::Rfc10007
        && policy.trusted_responders.is_empty();
    is_sayable.then_some(words)
}

/// Files of one question.
struct Folder(PathBuf);

impl Folder {
    fn of(question: &Question) -> Self {
        let folder = std::env::temp_dir().join(format!("certcheck-agreement-{}", std::process::id()));
        let _none = std::fs::remove_dir_all(&folder);
        let is_flat = question.ring.iter().any(|(placement, ..)| *placement == Placement::Flat);
        let write = |inner: &str, name: &str, label: &str, bytes: &[u8]| {
            let folder = folder.join(inner);
            std::fs::create_dir_all(&folder).expect("a folder");
            let text = certcheck_testkit::pem(label, bytes);
            std::fs::write(folder.join(name), text).expect("written");
        };
        for (placement, name, der) in &question.ring {
            let inner = match placement {
                Placement::Distrusted if is_flat => "beside/distrusted",
                _ if is_flat => "ring",
                Placement::Intermediate => "ring/intermediates",
                Placement::Distrusted => "ring/distrusted",
                _ => "ring/anchors",
            };
            write(inner, name, "CERTIFICATE", der);
        }
        std::fs::create_dir_all(folder.join("beside/distrusted")).expect("a folder");
        std::fs::write(folder.join("ring/ring.toml"), &question.settings).expect("written");
        for (name, der) in &question.crls {
            write("crl", name, "X509 CRL", der);
        }
        for (name, der) in &question.responses {
            write("ocsp", name, "OCSP RESPONSE", der);
        }
        let chain: String =
            question.chain.iter().map(|der| certcheck_testkit::pem("CERTIFICATE", der)).collect();
        std::fs::write(folder.join("chain.pem"), chain).expect("written");
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

/// `None` if the question cannot be put to the program.
fn by_program(question: &Question) -> Option<String> {
    let mut arguments = options(&question.policy)?;
    let files = Folder::of(question);
    let rings = [files.path("ring"), files.path("beside")];
    arguments.extend(rings.into_iter().flat_map(|ring| ["--ring".to_owned(), ring]));
    arguments.extend(["--at".to_owned(), question.at.clone()]);
    for (option, folder, is_there) in
        [("--crl", "crl", !question.crls.is_empty()), ("--ocsp", "ocsp", !question.responses.is_empty())]
    {
        if is_there {
            arguments.extend([option.to_owned(), files.path(folder)]);
        }
    }
    let output = certcheck_testkit::program::isolated(env!("CARGO_BIN_EXE_certcheck"))
        .args(["verify", "--json", "--offline", "--no-cache"])
        .args(&arguments)
        .arg(files.path("chain.pem"))
        .output()
        .expect("runs");
    let output: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    Some(output["reason"]["code"].as_str().unwrap_or("accept").to_owned())
}

fn by_verifier(engine: &Arc<Engine>, person: &Person) -> String {
    let output = Arc::<Mutex<Option<String>>>::default();
    let noted = Arc::clone(&output);
    let verifier = ClientVerifier::builder(Arc::clone(engine))
        .on_refusal(move |report| *noted.lock().expect("no panic") = Some(report.code().to_owned()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config =
        config.expect("versions").with_client_cert_verifier(Arc::new(verifier.build().expect("builds")));
    let own = parts().server_config(engine).expect("a configuration");
    let mut config = config.with_cert_resolver(own.cert_resolver);
    config.time_provider = own.time_provider;
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let served =
        handshake(person, |io| async move { acceptor.accept(io).await.map_err(|error| error.to_string()) });
    let output = output.lock().expect("no panic").take();
    served.map_or_else(|error| output.unwrap_or(error), |()| "accept".to_owned())
}

fn by_acceptor(acceptor: &Acceptor, person: &Person) -> String {
    let acceptor = acceptor.clone();
    let served =
        handshake(
            person,
            |io| async move { acceptor.accept(io).await.map_err(|error| error.code().to_owned()) },
        );
    served.map_or_else(|code| code, |()| "accept".to_owned())
}

/// A handshake in memory, with the client's side beside.
fn handshake<S, F>(person: &Person, accept: impl FnOnce(DuplexStream) -> F) -> Result<(), String>
where
    F: Future<Output = Result<S, String>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let config = Arc::new(client_config(Some(person), &rustls::version::TLS13));
    runtime.block_on(async {
        let (near, far) = tokio::io::duplex(64 << 10);
        let client = async {
            let name = ServerName::try_from("localhost").expect("a name");
            if let Ok(mut stream) = tokio_rustls::TlsConnector::from(config).connect(name, near).await {
                let _gone = stream.shutdown().await;
                let _gone = stream.read(&mut [0; 64]).await;
            }
        };
        // The stream goes before the client's side is waited for.
        let server = async { accept(far).await.map(drop) };
        tokio::join!(server, client).0
    })
}

#[test]
fn library_program_verifier_and_acceptor_agree() {
    let world = World::new();
    let engine =
        Engine::builder(world.ring(), Policy::client(Revocation::HardFail)).offline(true).clock(clock);
    let engine = Arc::new(engine.build().expect("builds"));
    let acceptor = acceptor(&engine, parts());
    let (mut wrong, mut not_sayable, mut no_key) = (Vec::new(), 0, 0);
    let questions = questions();
    for (name, question) in &questions {
        let expected = by_library(question);
        let mut compare = |who: &str, output: String| {
            if output != expected {
                wrong.push(format!("{name}: library {expected}, {who} {output}"));
            }
        };
        match by_program(question) {
            Some(output) => compare("program", output),
            None => not_sayable += 1,
        }
        CLOCK.store(question.now().unix(), Ordering::Relaxed);
        let key = pki_types::PrivatePkcs8KeyDer::from(question.key.pkcs8()).into();
        if rustls::crypto::ring::sign::any_supported_type(&key).is_err() {
            no_key += 1;
            continue;
        }
        let chain = question.chain.iter().map(|der| der.clone().into()).collect();
        let person = Person { chain, key: question.key.clone() };
        for front in ["verifier", "acceptor"] {
            engine.reload(question.key_ring(), question.policy.clone(), question.evidence(false));
            compare(
                front,
                if front == "verifier" {
                    by_verifier(&engine, &person)
                } else {
                    by_acceptor(&acceptor, &person)
                },
            );
        }
    }
    println!("{} questions; {not_sayable} not put to the program, {no_key} not to servers", questions.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), questions.len(), wrong.join("\n"));
    assert!(questions.len() > 300 && not_sayable < 60 && no_key < 5, "{not_sayable}, {no_key}");
}

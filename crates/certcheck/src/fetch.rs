//! `certcheck fetch`: fetches evidence and shows where it came from, how long it took, and what it says.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};
use certcheck_core::key_ring::{Placement, RingBuilder};
use certcheck_core::revocation::{Answer, EvidenceRequest, Need};
use certcheck_core::x509::Certificate;
use certcheck_core::{Evidence, KeyRing, Policy, Purpose, Revocation, Time};
use certcheck_fetch::{CachedEvidence, Engine, Failure, measure};
use certcheck_forge::{Cert, Key};
use serde::Serialize;

use crate::exit::Exit;
use crate::flags::{FetchArguments, FetchKind};
use crate::json::{self, CertificateObject, Document, kind_of};
use crate::text::{BAD, GOOD, QUIET, shown};
use crate::{crl, input, network, ocsp, ring_files, setup};

#[derive(Serialize)]
struct FetchObject {
    url: String,
    kind: &'static str,
    elapsed_us: u64,
    bytes: Option<usize>,
    file: Option<String>,
    cause: Option<&'static str>,
    message: Option<String>,
    /// Of `--kind issuers`: the certificates that came.
    certificates: Vec<FetchedCertificate>,
}

impl Document for FetchObject {
    const TYPE: &'static str = "fetch";
}

/// A certificate that came, or why it cannot be parsed.
#[derive(Serialize)]
struct FetchedCertificate {
    certificate: Option<CertificateObject>,
    message: Option<String>,
}

impl FetchedCertificate {
    fn new(der: &[u8]) -> Self {
        match Certificate::parse(der) {
            Ok(certificate) => Self { certificate: Some(CertificateObject::of(&certificate)), message: None },
            Err(fault) => Self { certificate: None, message: Some(fault.to_string()) },
        }
    }
}

pub(crate) fn run(arguments: &FetchArguments) -> anyhow::Result<Exit> {
    // Of the path every status is asked; what a certificate is for is not the question.
    let mut policy = Policy::client(Revocation::HardFail).with_purpose(Purpose::Any);
    policy.signatures.allow_sha1 = arguments.asked.allow_sha1;
    let now = setup::time(arguments.asked.at);
    let ring = || match arguments.ring.as_slice() {
        [] => unused_ring(),
        paths => ring_files::load(paths, false),
    };
    let is_url = arguments.what.contains("://");
    if !is_url && let Some(url) = without_scheme(&arguments.what) {
        bail!("{}: no such file; for a URL, write {url}", arguments.what);
    }
    if !is_url && arguments.what != "-" && !Path::new(&arguments.what).exists() {
        bail!("{}: no such file", arguments.what);
    }
    if !is_url && arguments.ring.is_empty() {
        bail!(
            "{}: to fetch the evidence about a certificate, name a key ring with --ring: requests name its issuer's key",
            arguments.what
        );
    }
    // The cache is neither read nor filled: the question is what sources say now.
    let engine = network::engine(&arguments.network, false, ring()?, policy.clone(), Evidence::new())?;
    let needs = if is_url { vec![need_of_url(arguments)] } else { needs_of_file(arguments, &engine, now)? };
    let ring = if arguments.ring.is_empty() { None } else { Some(ring()?) };
    let question = Question { arguments, engine: &engine, ring: ring.as_ref(), policy: &policy, now };
    let mut worst = Exit::Accepted;
    for need in &needs {
        worst = worst.max(question.ask(need)?);
    }
    if needs.is_empty() {
        crate::visible::note(format_args!(
            "{}: the certificates of the path name no source of evidence",
            arguments.what
        ))?;
        return Ok(Exit::Undetermined);
    }
    Ok(worst)
}

/// A ring for an engine that only fetches: its anchor is a certificate whose key nobody has. Nothing is verified with it.
fn unused_ring() -> anyhow::Result<KeyRing> {
    let key = Key::p256(&crate::secret::secret()?);
    let anchor = Cert::root("CN=certcheck fetch", &key).issue(&key);
    let mut builder = RingBuilder::new();
    builder.add("fetch", &anchor, Placement::Anchor)?;
    Ok(builder.build()?)
}

/// The URL that was meant by a host and a path without a scheme. `None` for a file, or for what looks like one.
fn without_scheme(what: &str) -> Option<String> {
    if Path::new(what).exists() || what.starts_with(['.', '/', '-']) {
        return None;
    }
    let url = url::Url::parse(&format!("http://{what}")).ok()?;
    let (host, _path) = what.split_once('/')?;
    let host = host.split(':').next()?;
    let is_host = host == "localhost" || host.contains('.') && url.host_str() == Some(&*host.to_lowercase());
    is_host.then(|| url.to_string())
}

fn need_of_url(arguments: &FetchArguments) -> Need {
    let url = arguments.what.as_str().into();
    let ask = match arguments.kind {
        FetchKind::Crl => EvidenceRequest::Crl { url },
        FetchKind::Issuers => EvidenceRequest::Issuers { url },
    };
    Need::new(0, ask, Box::default())
}

/// Every source that the path's certificates name.
fn needs_of_file(arguments: &FetchArguments, engine: &Engine, now: Time) -> anyhow::Result<Vec<Need>> {
    let path = Path::new(&arguments.what);
    let chain = input::certificates(path).map_err(|error| anyhow!("{}: {error}", path.display()))?;
    let (report, needs) = measure::plan(engine, &chain, now);
    if let Some(rejection) = report.reason()
        && needs.is_empty()
    {
        bail!("{}: {rejection}", path.display());
    }
    Ok(needs)
}

struct Question<'q> {
    arguments: &'q FetchArguments,
    engine: &'q Engine,
    ring: Option<&'q KeyRing>,
    policy: &'q Policy,
    now: Time,
}

impl Question<'_> {
    fn ask(&self, need: &Need) -> anyhow::Result<Exit> {
        let begun = Instant::now();
        let within = self.arguments.network.timeout;
        let fetched = measure::fetch_blocking(self.engine, need, within);
        let elapsed = begun.elapsed();
        let file = match (&fetched, &self.arguments.out) {
            (Ok(held), Some(folder)) => Some(write(held, folder)?),
            _ => None,
        };
        self.report(need, &fetched, elapsed, file)?;
        let Ok(held) = fetched else { return Ok(Exit::Undetermined) };
        let (ring, policy, now, is_json) = (self.ring, self.policy, self.now, self.arguments.json);
        match held.answer() {
            Answer::Crl(crl) => crl::report_fetched(crl, ring, policy, now, is_json),
            Answer::Ocsp(response) => ocsp::report_fetched(response, ring, policy, now, is_json),
            Answer::Issuers(found) => {
                for der in found {
                    let subject =
                        Certificate::parse(der).map(|certificate| certificate.subject().to_string());
                    let subject = subject.unwrap_or_else(|fault| format!("cannot be parsed: {fault}"));
                    if !is_json {
                        writeln!(
                            crate::output::text(),
                            "  certificate of {}",
                            crate::visible::Visible(&subject)
                        )?;
                    }
                }
                Ok(Exit::Accepted)
            }
            _ => Ok(Exit::Undetermined),
        }
    }

    fn report(
        &self,
        need: &Need,
        fetched: &Result<std::sync::Arc<CachedEvidence>, Failure>,
        elapsed: Duration,
        file: Option<String>,
    ) -> io::Result<()> {
        let kind = kind_of(&need.request);
        if self.arguments.json {
            let failure = fetched.as_ref().err();
            let certificates = match fetched.as_ref().map(|held| held.answer()) {
                Ok(Answer::Issuers(found)) => found.iter().map(|der| FetchedCertificate::new(der)).collect(),
                _ => Vec::new(),
            };
            return json::print(&FetchObject {
                url: need.request.url().to_string(),
                kind,
                elapsed_us: json::microseconds(elapsed),
                bytes: fetched.as_ref().ok().map(|held| held.bytes()),
                file,
                cause: failure.map(|failure| failure.cause.code()),
                message: failure.map(|failure| failure.detail.clone()),
                certificates,
            });
        }
        let mut out = crate::output::text();
        let (url, took) = (shown(need.request.url()), elapsed.as_secs_f64() * 1e3);
        match fetched {
            Ok(held) => writeln!(
                out,
                "{GOOD}fetched{GOOD:#}: {kind} {url}  {QUIET}{} bytes in {took:.1} ms{QUIET:#}",
                held.bytes()
            )?,
            Err(failure) => writeln!(out, "{BAD}failed{BAD:#}: {kind} {url}  {failure}, after {took:.1} ms")?,
        }
        match file {
            Some(file) => writeln!(out, "  {QUIET}written to {file}{QUIET:#}"),
            None => Ok(()),
        }
    }
}

/// Writes what was fetched, under a name made of its URL.
fn write(held: &CachedEvidence, folder: &Path) -> anyhow::Result<String> {
    let (bytes, end): (Vec<u8>, _) = match held.answer() {
        Answer::Crl(crl) => (crl.der().to_vec(), "crl"),
        Answer::Ocsp(response) => (response.der().to_vec(), "ocsp"),
        Answer::Issuers(found) => (found.iter().flat_map(|der| der.iter().copied()).collect(), "cer"),
        _ => bail!("nothing to write"),
    };
    let keep = |sign: char| if sign.is_ascii_alphanumeric() { sign } else { '-' };
    let url: String = held.request().url().chars().take(120).map(keep).collect();
    let digest = certcheck_fetch::EvidenceKey::of(held.request()).map(|key| key.to_hex()).unwrap_or_default();
    let name = format!("{}-{}.{end}", url.trim_matches('-'), digest.get(..8).unwrap_or_default());
    fs::create_dir_all(folder).map_err(|error| anyhow!("{}: {error}", folder.display()))?;
    let path = folder.join(name);
    fs::write(&path, bytes).map_err(|error| anyhow!("{}: {error}", path.display()))?;
    Ok(path.display().to_string())
}

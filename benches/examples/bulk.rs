//! A hundred thousand clients of one CA in one bundle, a CRL of a million entries, and `openssl verify` beside the
//! program: `cargo run --release -p certcheck-benches --example bulk -- FOLDER PROGRAM [CLIENTS [ENTRIES]]`.
#![allow(clippy::unwrap_used, reason = "a measurement")]

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use certcheck_benches::crl;
use certcheck_benches::pki::Pki;
use certcheck_testkit::pem;

/// What `openssl verify` is given: it verifies the CRL's signature for each.
const FEW: usize = 200;
const MANY: usize = 5_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (folder, program) = (arguments.next().unwrap(), arguments.next().unwrap());
    let mut number = |default| arguments.next().map_or(default, |text| text.parse().unwrap());
    let (clients, entries): (usize, usize) = (number(100_000), number(1_000_000));
    let folder = Path::new(&folder);
    let path = |name: &str| folder.join(name).display().to_string();
    write(folder, clients, entries);

    let common = ["--at", "2027-01-02T00:00:00Z", "--offline", "--no-cache", "--ring"];
    let verify = |input: &str, more: &[&str]| {
        let mut command = Command::new(&program);
        command.args(["verify", input, "--each"]).args(common).arg(path("ring"));
        command.args(["--crl", &path("root.crl"), "--crl", &path("ca.crl")]).args(more);
        timed(&mut command)
    };
    // Reading and indexing the CRL is paid once: what one client takes is all of that.
    let start = verify(&path("one.pem"), &["--summary"]);
    for (what, more) in [("summary", &["--summary"][..]), ("text", &[]), ("json", &["--json"])] {
        let took = verify(&path("clients.pem"), more);
        let rate = |of: Duration| clients as f64 / of.as_secs_f64();
        println!(
            "certcheck, {clients} clients, CRL of {entries}, {what}: {:.2} s, {:.0} a second; without the start of {:.2} s {:.0} a second; {} KiB at most",
            took.wall.as_secs_f64(),
            rate(took.wall),
            start.wall.as_secs_f64(),
            rate(took.wall.saturating_sub(start.wall)),
            took.peak_kib,
        );
    }
    let openssl = |count: usize, with_crl: bool| {
        let mut command = Command::new("openssl");
        command.args(["verify", "-attime", "1798848000", "-CAfile", &path("trusted.pem")]);
        if with_crl {
            command.args(["-crl_check_all", "-CRLfile", &path("crls.pem")]);
        }
        command.args((0..count).map(|n| path(&format!("single/{n}.pem"))));
        timed(&mut command)
    };
    for (with_crl, count) in [(false, MANY), (true, FEW)] {
        let (one, all) = (openssl(1, with_crl), openssl(count + 1, with_crl));
        let each = all.wall.saturating_sub(one.wall).as_secs_f64() / count as f64;
        let crl = if with_crl { entries } else { 0 };
        println!("openssl verify, CRL of {crl}: {:.3} ms each, {:.0} a second", each * 1e3, 1.0 / each);
    }
}

fn write(folder: &Path, clients: usize, entries: usize) {
    for part in ["ring/anchors", "ring/intermediates", "single"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    let pki = Pki::new("http://crl.example");
    let put = |name: &str, label: &str, der: &[u8]| fs::write(folder.join(name), pem(label, der)).unwrap();
    put("ring/anchors/root.pem", "CERTIFICATE", &pki.root());
    put("ring/intermediates/ca.pem", "CERTIFICATE", &pki.ca());
    let both = pem("CERTIFICATE", &pki.root()) + &pem("CERTIFICATE", &pki.ca());
    fs::write(folder.join("trusted.pem"), both).unwrap();
    let (root_crl, ca_crl) = (pki.root_crl(), crl(entries).0);
    fs::write(folder.join("root.crl"), &root_crl).unwrap();
    fs::write(folder.join("ca.crl"), &ca_crl).unwrap();
    fs::write(folder.join("crls.pem"), pem("X509 CRL", &root_crl) + &pem("X509 CRL", &ca_crl)).unwrap();
    let mut bundle = BufWriter::new(fs::File::create(folder.join("clients.pem")).unwrap());
    for number in 0..clients {
        let leaf = pem("CERTIFICATE", &pki.chain(&pki.client(number))[0]);
        bundle.write_all(leaf.as_bytes()).unwrap();
        if number <= MANY {
            fs::write(folder.join(format!("single/{number}.pem")), &leaf).unwrap();
        }
        if number == 0 {
            fs::write(folder.join("one.pem"), &leaf).unwrap();
        }
    }
    bundle.flush().unwrap();
}

struct Took {
    wall: Duration,
    peak_kib: u64,
}

/// Runs to the end, and watches its memory meanwhile.
fn timed(command: &mut Command) -> Took {
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut peak_kib = 0;
    let status = format!("/proc/{}/status", child.id());
    let ended = loop {
        if let Ok(text) = fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            peak_kib = peak_kib.max(kib.unwrap_or(0));
        }
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(ended.success(), "{ended}: {command:?}");
    Took { wall: begun.elapsed(), peak_kib }
}

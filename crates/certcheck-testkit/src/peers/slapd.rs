//! OpenLDAP's slapd: CRLs and certificates in a directory.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::process::{Folder, Process, accepts, find};

/// The configuration. `@` is replaced by the folder.
const CONFIG: &str = r#"
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile "@/slapd.pid"
argsfile "@/slapd.args"
TLS
database mdb
maxsize 268435456
suffix "o=Acme"
directory "@/data"
"#;

/// The entry that all others are below.
const SUFFIX: &str = "dn: o=Acme\nobjectClass: organization\no: Acme\n\n";

/// A slapd that anyone may read, with the entry `o=Acme` and the entries below it.
pub struct Slapd {
    process: Process,
    scheme: &'static str,
}

impl Slapd {
    /// Starts slapd with these entries below `o=Acme`, in LDIF, with an empty line after each.
    ///
    /// # Panics
    /// If slapd rejects the entries, or does not start.
    #[must_use]
    pub fn start(ldif: &str) -> Option<Self> {
        Self::start_as("ldap", "", ldif)
    }

    /// Starts slapd with TLS, with the PEM files of its certificate, its CA and its key.
    ///
    /// # Panics
    /// If slapd rejects the files or the entries, or does not start.
    #[must_use]
    pub fn start_tls(ldif: &str, certificate: &Path, ca: &Path, key: &Path) -> Option<Self> {
        let tls = format!(
            "TLSCertificateFile {}\nTLSCACertificateFile {}\nTLSCertificateKeyFile {}",
            certificate.display(),
            ca.display(),
            key.display()
        );
        Self::start_as("ldaps", &tls, ldif)
    }

    fn start_as(scheme: &'static str, tls: &str, ldif: &str) -> Option<Self> {
        let program = find("slapd")?;
        let folder = Folder::new("slapd");
        fs::create_dir(folder.path().join("data")).expect("folder");
        let config =
            CONFIG.replace('@', folder.path().to_str().expect("UTF-8")).replace("TLS\n", &format!("{tls}\n"));
        let config = folder.write("slapd.conf", &config);
        let entries = folder.write("entries.ldif", &format!("{SUFFIX}{ldif}"));
        let mut load = Command::new(&program);
        load.args(["-T", "add", "-f"]).arg(&config).arg("-l").arg(entries);
        let output = load.output().expect("runs");
        assert!(output.status.success(), "slapd -T add: {}", String::from_utf8_lossy(&output.stderr));
        let command = |_: &Folder, port: u16| {
            let mut command = Command::new(&program);
            // With a debug level it stays in the foreground.
            command.args(["-d", "0", "-h", &format!("{scheme}://127.0.0.1:{port}"), "-f"]).arg(&config);
            command
        };
        Some(Self { process: Process::start(folder, command, accepts), scheme })
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.process.port
    }

    /// The URL of an attribute of an entry, such as `cn=Crl,o=Acme` and `certificateRevocationList;binary`.
    #[must_use]
    pub fn url(&self, dn: &str, attribute: &str) -> String {
        format!("{}://127.0.0.1:{}/{}?{attribute}", self.scheme, self.process.port, percent_encoded(dn))
    }

    /// The LDIF of the entry `cn=name,o=Acme` with a CRL, in the attribute `certificateRevocationList`,
    /// `authorityRevocationList` or `deltaRevocationList`.
    #[must_use]
    pub fn crl_entry(name: &str, attribute: &str, crl: &[u8]) -> String {
        entry(name, "objectClass: cRLDistributionPoint", attribute, crl)
    }

    /// The LDIF of the entry `cn=name,o=Acme` with the certificate of a CA.
    #[must_use]
    pub fn ca_entry(name: &str, certificate: &[u8]) -> String {
        entry(name, "objectClass: organizationalRole\nobjectClass: pkiCA", "cACertificate", certificate)
    }
}

fn entry(name: &str, classes: &str, attribute: &str, value: &[u8]) -> String {
    format!("dn: cn={name},o=Acme\n{classes}\ncn: {name}\n{attribute};binary:: {}\n\n", base64(value))
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~=,+".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("to a string");
        }
    }
    encoded
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| (bits << 8) | u32::from(group.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at)) as usize & 63];
            encoded.push(if at <= group.len() { char::from(digit) } else { '=' });
        }
    }
    encoded
}

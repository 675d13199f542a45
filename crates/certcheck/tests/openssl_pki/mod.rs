//! A small PKI that the `openssl` program makes: evidence that is not of our own forge.
#![allow(dead_code, reason = "each test uses its part")]

use std::path::{Path, PathBuf};
use std::process::Command;

const CONFIG: &str = "\
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
[responder]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, OCSPSigning
noCheck = ignored
[ca]
default_ca = here
[here]
database = index.txt
serial = serial
crlnumber = crlnumber
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 3650
default_crl_days = 30
unique_subject = no
policy = any
crl_extensions = list
[below]
database = none.txt
certificate = sub.pem
private_key = sub.key
default_md = sha256
default_crl_days = 30
[any]
organizationName = optional
commonName = supplied
[list]
authorityKeyIdentifier = keyid
[part]
authorityKeyIdentifier = keyid
issuingDistributionPoint = critical, @point
freshestCRL = URI:http://crl.example/delta.crl
[point]
fullname = URI:http://crl.example/user.crl
onlyuser = TRUE
";

/// Removed with what it made.
pub(crate) struct Pki {
    folder: PathBuf,
}

impl Pki {
    /// Certificates `ca`, `good`, `bad` (serials 1000 and 1001) and `responder`, and `old.crl` with nothing in it, then
    /// `new.crl` that revokes `bad`. `None` where there is no such program.
    pub(crate) fn make(name: &str) -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            assert!(std::env::var_os("CERTCHECK_REQUIRE_PEERS").is_none(), "there is no openssl here");
            eprintln!("skipped: there is no openssl here");
            return None;
        }
        let folder = std::env::temp_dir().join(format!("certcheck-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("folder");
        let pki = Self { folder };
        pki.write("openssl.cnf", CONFIG.as_bytes());
        pki.write("index.txt", b"");
        pki.write("serial", b"1000\n");
        pki.write("crlnumber", b"07\n");
        pki.root("ca");
        for (name, section) in [("good", "leaf"), ("bad", "leaf"), ("responder", "responder")] {
            pki.request(name);
            pki.openssl(&format!("ca -batch -notext -in {name}.csr -out {name}.pem -extensions {section}"));
        }
        pki.openssl("ca -gencrl -out old.crl");
        pki.openssl("ca -revoke bad.pem -crl_reason keyCompromise");
        pki.openssl("ca -gencrl -out new.crl");
        pki.openssl("ca -gencrl -crlexts part -out part.crl");
        Some(pki)
    }

    /// Another CA with the name of the first.
    pub(crate) fn root(&self, name: &str) {
        self.openssl(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {name}.key -out {name}.pem \
             -subj /O=Acme/CN=Issuer -days 3650 -extensions root"
        ));
    }

    fn request(&self, name: &str) {
        self.openssl(&format!(
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {name}.key -out {name}.csr \
             -subj /O=Acme/CN={name}"
        ));
    }

    /// A certificate with a key of its own and these lines for its extensions. The serial may be one that the index knows
    /// something of: then this certificate is good or revoked like the one it was first given to.
    pub(crate) fn issue(&self, name: &str, issuer: &str, serial: &str, extensions: &str) -> String {
        self.request(name);
        self.write(&format!("{name}.ext"), extensions.as_bytes());
        let to = format!("{name}.pem");
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA {issuer}.pem -CAkey {issuer}.key -set_serial {serial} -days 3650 -sha256 \
             -extfile {name}.ext -out {to}"
        ));
        self.path(&to)
    }

    /// An OCSP response about a certificate, signed by another.
    pub(crate) fn answer(&self, about: &str, signer: &str) -> String {
        let to = format!("{about}-by-{signer}.ocsp");
        self.openssl(&format!("ocsp -sha256 -issuer ca.pem -cert {about}.pem -reqout {about}.ocsq"));
        self.openssl(&format!(
            "ocsp -index index.txt -CA ca.pem -rsigner {signer}.pem -rkey {signer}.key -reqin {about}.ocsq \
             -respout {to} -ndays 7"
        ));
        self.path(&to)
    }

    /// Runs the program here; `req` and `ca` with the configuration.
    pub(crate) fn openssl(&self, line: &str) {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        if matches!(words.first(), Some(&("req" | "ca"))) {
            words.extend(["-config", "openssl.cnf"]);
        }
        let output = Command::new("openssl").args(&words).current_dir(&self.folder).output().expect("runs");
        assert!(output.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) -> String {
        std::fs::write(self.folder.join(name), content).expect("written");
        self.path(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(name)).expect("there")
    }

    pub(crate) fn path(&self, name: &str) -> String {
        Path::to_str(&self.folder.join(name)).expect("UTF-8").to_owned()
    }
}

impl Drop for Pki {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

//! Key rings of AT-TLS policies as folders.
//!
//! ```text
//! rings/USER/ring/anchors/         CAs with TRUST or HIGHTRUST
//! rings/USER/ring/intermediates/   CAs that are not trusted by themselves
//! rings/USER/ring/distrusted/      certificates with NOTRUST
//! rings/USER/ring/personal/        LABEL.pem and LABEL.key of the server
//! ```

use std::fs;
use std::path::Path;

use crate::at_tls::{KeyringName, RingFiles};
use crate::config::CertificateFiles;

/// The folder of the server's own certificates, next to those of the ring.
const PERSONAL: &str = "personal";
/// The certificate that counts where no label is given.
const DEFAULT: &str = "default";
/// The longest label of RACF is 32; other products have longer ones.
const MAX_LABEL: usize = 127;

/// The files of a ring below a folder, and of the server's certificate with a label.
///
/// # Errors
/// What cannot be found, and where it is looked for.
pub fn find(rings: &Path, name: &KeyringName, label: Option<&str>) -> Result<RingFiles, String> {
    let folders = name.folders(rings);
    let Some(ring) = folders.iter().find(|folder| folder.is_dir()) else {
        let wanted = folders.first().map(|folder| folder.display().to_string()).unwrap_or_default();
        return Err(format!(
            "there is no folder {wanted}; create it with the folder anchors, for the CAs of clients"
        ));
    };
    let personal = ring.join(PERSONAL);
    let label = match label {
        Some(label) => checked(label)?.to_owned(),
        None => usual(&personal)?,
    };
    let files = pair(&personal, &label);
    for file in [&files.chain, &files.key] {
        if !file.is_file() {
            return Err(format!(
                "there is no file {}, for the certificate `{label}` of the server",
                file.display()
            ));
        }
    }
    Ok(RingFiles { ring: ring.clone(), certificates: vec![files] })
}

/// The files of a ring, without a look at the disk.
///
/// # Errors
/// If a label cannot be the name of a file.
pub fn planned(rings: &Path, name: &KeyringName, label: Option<&str>) -> Result<RingFiles, String> {
    let ring = name.folders(rings).swap_remove(0);
    let label = checked(label.unwrap_or(DEFAULT))?;
    let files = pair(&ring.join(PERSONAL), label);
    Ok(RingFiles { ring, certificates: vec![files] })
}

fn pair(personal: &Path, label: &str) -> CertificateFiles {
    CertificateFiles {
        chain: personal.join(format!("{label}.pem")),
        key: personal.join(format!("{label}.key")),
    }
}

/// A label that is the name of a file in the folder, and nothing else.
fn checked(label: &str) -> Result<&str, String> {
    let is_good = |letter: char| !letter.is_control() && !"/\\:\0".contains(letter);
    if label.is_empty() || label.starts_with('.') || label.len() > MAX_LABEL || !label.chars().all(is_good) {
        return Err(format!("the label `{}` cannot be the name of a file", label.escape_default()));
    }
    Ok(label)
}

/// The label of the certificate that counts without one: `default`, or the only one that is there.
fn usual(personal: &Path) -> Result<String, String> {
    let mut labels: Vec<String> = fs::read_dir(personal)
        .map_err(|error| {
            format!("{}: {error}; the certificate and key of the server belong there", personal.display())
        })?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".pem").map(str::to_owned))
        .collect();
    labels.sort();
    match labels.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(format!(
            "no certificate of the server in {}: default.pem and default.key",
            personal.display()
        )),
        _ if labels.iter().any(|label| label == DEFAULT) => Ok(DEFAULT.to_owned()),
        _ => Err(format!(
            "several certificates in {} and none is called {DEFAULT}.pem; rename one, or set `CertificateLabel`",
            personal.display()
        )),
    }
}

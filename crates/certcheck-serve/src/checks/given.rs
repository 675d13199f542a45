//! CRLs and OCSP responses out of files and folders.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use certcheck_rustls::Evidence;
use certcheck_rustls::certcheck_core::crl::Crl;
use certcheck_rustls::certcheck_core::revocation::OcspEvidence;
use certcheck_rustls::certcheck_core::{crls_of, ocsp_responses_of};

/// All evidence in these files and folders.
///
/// # Errors
/// The first file that cannot be used.
pub(super) fn read(crls: &[PathBuf], responses: &[PathBuf]) -> Result<Evidence, String> {
    let mut evidence = Evidence::new();
    for path in files(crls)? {
        let (source, content) = content(&path)?;
        let content = content.into();
        for der in crls_of(&content).map_err(|fault| format!("{source}: {fault}"))? {
            let crl = Crl::parse(der, &source).map_err(|fault| format!("{source}: {fault}"))?;
            evidence.add_crl(Arc::new(crl));
        }
    }
    for path in files(responses)? {
        let (source, content) = content(&path)?;
        let content = content.into();
        for der in ocsp_responses_of(&content).map_err(|fault| format!("{source}: {fault}"))? {
            let response = OcspEvidence::parse(der, &source).map_err(|fault| format!("{source}: {fault}"))?;
            evidence.add_ocsp(&Arc::new(response));
        }
    }
    Ok(evidence)
}

fn content(path: &Path) -> Result<(String, Vec<u8>), String> {
    let source = path.display().to_string();
    let content = std::fs::read(path).map_err(|error| format!("{source}: it cannot be read: {error}"))?;
    Ok((source, content))
}

/// The files that are named and those in the folders that are, in order of name. Hidden ones are skipped.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let fault = |error: std::io::Error| format!("{}: it cannot be read: {error}", path.display());
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).map_err(fault)? {
            let file = entry.map_err(fault)?.path();
            let is_hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if file.is_file() && !is_hidden {
                inside.push(file);
            }
        }
        inside.sort();
        found.append(&mut inside);
    }
    Ok(found)
}

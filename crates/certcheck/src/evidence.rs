//! CRLs and OCSP responses out of files and directories.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use bytes::Bytes;
use certcheck_core::crl::Crl;
use certcheck_core::revocation::{EvidenceFault, OcspEvidence};
use certcheck_core::{Evidence, crls_of, ocsp_responses_of};

use crate::input;
use crate::kind::Wanted;

/// All evidence in these files and directories. Evidence that cannot be parsed is noted as a fault.
///
/// # Errors
/// A file that cannot be read, or holds nothing of its kind.
pub(crate) fn load(crls: &[PathBuf], responses: &[PathBuf]) -> anyhow::Result<Evidence> {
    let mut evidence = Evidence::new();
    for path in files(crls)? {
        let source = path.display().to_string();
        let content = read(&path)?;
        let found = input::settle(&content, crls_of(&content), Wanted::Crl);
        for der in found.map_err(|fault| anyhow!("{source}: {fault}"))? {
            match Crl::parse(der, &source) {
                Ok(crl) => evidence.add_crl(Arc::new(crl)),
                Err(fault) => evidence.add_fault(EvidenceFault::new(&source, fault)),
            }
        }
    }
    for path in files(responses)? {
        let source = path.display().to_string();
        let content = read(&path)?;
        let found = input::settle(&content, ocsp_responses_of(&content), Wanted::OcspResponse);
        for der in found.map_err(|fault| anyhow!("{source}: {fault}"))? {
            match OcspEvidence::parse(der, &source) {
                Ok(response) => evidence.add_ocsp(&Arc::new(response)),
                Err(fault) => evidence.add_fault(EvidenceFault::new(&source, fault)),
            }
        }
    }
    Ok(evidence)
}

/// The content of a file, of any size: CRLs are large.
pub(crate) fn read(path: &Path) -> anyhow::Result<Bytes> {
    Ok(fs::read(path).map_err(|error| anyhow!("{}: {error}", path.display()))?.into())
}

/// The files that are named and those in the directories that are, in order of name; hidden ones are skipped.
fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let listing = fs::read_dir(path).map_err(|error| anyhow!("{}: {error}", path.display()))?;
        let mut inside = Vec::new();
        for entry in listing {
            let file = entry?.path();
            let is_hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if file.is_file() && !is_hidden {
                inside.push(file);
            }
        }
        if inside.is_empty() {
            crate::visible::warn(format_args!("{}: the directory has no file in it", path.display()))?;
        }
        inside.sort();
        found.append(&mut inside);
    }
    Ok(found)
}

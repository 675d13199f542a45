//! Tar archives that are the same bytes each time: entries in order, with one owner and one time.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use flate2::{Compression, GzBuilder};
use tar::{EntryType, Header};

use super::trial::{Root, tar_into};
use super::{Dist, Outcome, without_program};

/// The parts of the stage that the tarball has. Units of systemd are for packages, whose program is in `/usr/bin`.
const PARTS: [&str; 2] = ["bin", "share"];

pub(super) fn make(dist: &Dist<'_>) -> Result<Outcome> {
    if dist.program().is_none() {
        return Ok(without_program());
    }
    let name = format!("certcheck-{}-{}", dist.version, dist.target);
    let file = dist.file(&format!("{name}.tar.gz"));
    let tarball = pack(&dist.stage, &name, dist.epoch)?;
    fs::write(&file, &tarball)?;
    assert_same(&tarball, &pack(&dist.stage, &name, dist.epoch)?)?;

    let root = Root::new(dist, "tarball")?;
    tar_into(&root.path("usr/local")?, &tarball, 1)?;
    let tried = root.try_program("usr/local", None)?;
    Ok(Outcome::Made { files: vec![file], tried: format!("packed twice with the same bytes; {tried}") })
}

fn assert_same(one: &[u8], other: &[u8]) -> Result<()> {
    (one == other).then_some(()).context("packed twice, the bytes differ")
}

/// Packs the parts of a folder as `NAME/...`.
fn pack(folder: &Path, name: &str, epoch: u64) -> Result<Vec<u8>> {
    let mut packed = BTreeMap::new();
    for part in PARTS {
        for path in files(&folder.join(part))? {
            packed.insert(Path::new(name).join(path.strip_prefix(folder)?), fs::read(&path)?);
        }
    }
    gzip(&tar(&packed, epoch)?)
}

/// Archives files. Those in a folder `bin` can be run.
pub(super) fn tar(files: &BTreeMap<PathBuf, Vec<u8>>, epoch: u64) -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(if path.iter().any(|part| part == "bin") { 0o755 } else { 0o644 });
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(epoch);
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, path, content.as_slice())?;
    }
    Ok(archive.into_inner()?)
}

/// Compresses without a name and without a time.
pub(super) fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// Returns what gzip compressed.
pub(super) fn gunzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain)?;
    Ok(plain)
}

/// Returns all files below a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                open.push(entry?.path());
            }
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{gunzip, pack};

    #[test]
    fn an_archive_depends_on_nothing_but_its_files_and_its_time() {
        let folder = std::env::temp_dir().join(format!("xtask-archive-{}", std::process::id()));
        let write = |names: &[&str]| {
            let _absent = fs::remove_dir_all(&folder);
            for name in names {
                let file = folder.join(name);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, name).unwrap();
            }
            pack(&folder, "top", 1_000_000_000).unwrap()
        };
        let one = write(&["bin/program", "share/a", "share/b"]);
        // The folder lists its files in another order now.
        let other = write(&["share/b", "share/a", "bin/program"]);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(one, other);

        let plain = gunzip(&one).unwrap();
        let mut archive = tar::Archive::new(&*plain);
        let entries = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            let owner = (header.uid().unwrap(), header.gid().unwrap());
            assert_eq!((owner, header.mtime().unwrap()), ((0, 0), 1_000_000_000));
            (entry.path().unwrap().display().to_string(), header.mode().unwrap())
        });
        let expected = [("top/bin/program", 0o755), ("top/share/a", 0o644), ("top/share/b", 0o644)];
        assert_eq!(entries.collect::<Vec<_>>(), expected.map(|(name, mode)| (name.to_owned(), mode)));
    }
}

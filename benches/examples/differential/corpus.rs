//! Certificates, CRLs and responses that were found, if a folder of them is named: their content under the forge's keys.

use std::path::Path;

use certcheck_core::{certificates_of, crls_of, ocsp_responses_of};
use fastrand::Rng;

use crate::tree::Node;

/// Above this a document costs more than it shows.
const LARGEST: u64 = 16_000;

/// What was found.
#[derive(Default)]
pub(crate) struct Corpus {
    pub(crate) certificates: Vec<Vec<u8>>,
    pub(crate) crls: Vec<Vec<u8>>,
    answers: Vec<Node>,
}

impl Corpus {
    /// All below the folder that `CERTCHECK_CORPORA` names.
    pub(crate) fn from_environment() -> Self {
        let mut corpus = Self::default();
        if let Some(folder) = std::env::var_os("CERTCHECK_CORPORA") {
            corpus.walk(Path::new(&folder));
        }
        corpus
    }

    pub(crate) fn describe(&self) -> String {
        let (certificates, crls, answers) = (self.certificates.len(), self.crls.len(), self.answers.len());
        format!("{certificates} certificates, {crls} CRLs, {answers} answers of OCSP responses")
    }

    fn walk(&mut self, folder: &Path) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                self.walk(&path);
            } else if path.metadata().is_ok_and(|metadata| metadata.len() <= LARGEST) {
                self.read(&std::fs::read(&path).unwrap_or_default());
            }
        }
    }

    fn read(&mut self, content: &[u8]) {
        for certificate in certificates_of(content).into_iter().flatten() {
            self.certificates.push(certificate.to_vec());
        }
        for crl in crls_of(&content.to_vec().into()).into_iter().flatten() {
            self.crls.push(crl.to_vec());
        }
        for response in ocsp_responses_of(&content.to_vec().into()).into_iter().flatten() {
            let Some(tree) = Node::parse(&response) else { continue };
            let is_answer = |node: &Node| {
                let tags: Vec<u8> = node.children.iter().map(|child| child.tag).collect();
                matches!(tags[..], [0x30, 0x80 | 0x82 | 0xa1, 0x18, ..])
            };
            for number in tree.find(&is_answer) {
                self.answers.extend(tree.clone().at(number).cloned());
            }
        }
    }

    /// The found certificate's content under the issuer, algorithm and validity of one of the forge's.
    pub(crate) fn graft_certificate(found: &[u8], tbs: &[u8], rng: &mut Rng) -> Vec<u8> {
        let parsed = Node::parse(found).and_then(|outer| outer.children.into_iter().next());
        let (Some(mut found), Some(mut ours)) = (parsed, Node::parse(tbs)) else { return tbs.to_vec() };
        let at = |node: &Node| usize::from(node.children.first().is_some_and(|first| first.tag == 0xa0));
        let (from, to) = (at(&ours), at(&found));
        // signature, issuer, validity; half of the time the key, so that few are refused for its strength.
        for field in [1, 2, 3, 5].into_iter().take(if rng.bool() { 4 } else { 3 }) {
            if let (Some(new), Some(old)) =
                (ours.children.get_mut(from + field), found.children.get_mut(to + field))
            {
                std::mem::swap(new, old);
            }
        }
        without_authority_key(&mut found);
        found.der()
    }

    /// The found CRL's content under the algorithm, issuer and times of one of the forge's; sometimes it lists the leaf.
    pub(crate) fn graft_crl(found: &[u8], tbs: &[u8], serial: &[u8], rng: &mut Rng) -> Vec<u8> {
        let parsed = Node::parse(found).and_then(|outer| outer.children.into_iter().next());
        let (Some(mut found), Some(mut ours)) = (parsed, Node::parse(tbs)) else { return tbs.to_vec() };
        let at = |node: &Node| usize::from(node.children.first().is_some_and(|first| first.tag == 2));
        let (from, to) = (at(&ours), at(&found));
        for field in 0..4 {
            if let (Some(new), Some(old)) =
                (ours.children.get_mut(from + field), found.children.get_mut(to + field))
                && new.tag == old.tag
            {
                std::mem::swap(new, old);
            }
        }
        if let Some(entries) = found.children.get_mut(to + 4)
            && let Some(entry) = entries.children.first_mut()
            && let Some(known) = entry.children.first_mut()
            && rng.bool()
        {
            known.bytes = serial.to_vec();
        }
        without_authority_key(&mut found);
        found.der()
    }

    /// Puts a found answer's content in the place of the first one's, about the same certificate.
    pub(crate) fn graft_answers(&self, tbs: &mut Node, rng: &mut Rng) -> bool {
        if self.answers.is_empty() {
            return false;
        }
        let mut found = self.answers[rng.usize(..self.answers.len())].clone();
        let list = tbs.children.iter_mut().find(|node| node.tag == 0x30);
        let Some(first) = list.and_then(|list| list.children.first_mut()) else { return false };
        for field in [0, 2, 3] {
            if let (Some(new), Some(old)) = (first.children.get_mut(field), found.children.get_mut(field)) {
                std::mem::swap(new, old);
            }
        }
        *first = found;
        true
    }
}

/// Another issuer's key would be named.
fn without_authority_key(node: &mut Node) {
    let is_authority_key = |node: &Node| {
        node.is_extension() && node.children.first().is_some_and(|oid| oid.bytes == [0x55, 0x1d, 0x23])
    };
    node.children.retain(|child| !is_authority_key(child));
    node.children.iter_mut().for_each(without_authority_key);
}

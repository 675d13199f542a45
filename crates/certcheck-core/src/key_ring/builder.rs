//! Building a ring from files. All of it must be parsed, or the ring is refused with the name of the file.

use std::sync::Arc;

use super::anchor::AnchorConstraints;
use super::fault::{MAX_CERTIFICATES, RingError, RingFault};
use super::no_anchor::NoAnchor;
use super::self_signed::is_self_signed;
#[cfg(feature = "fs")]
use super::settings::{self, AnchorSettings};
use super::{Distrust, KeyRing, NameInterner, RingCertificate, Role};
use crate::encoding::{self, EncodingFault};
use crate::x509::OwnedCertificate;

/// The place of a file in a ring.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Placement {
    /// `anchors/`: a path may end at each of these certificates.
    Anchor,
    /// `intermediates/`: not trusted by themselves.
    Intermediate,
    /// `distrusted/`: no path may contain them.
    Distrusted,
    /// A flat ring, without subdirectories.
    ///
    /// Self-signed certificates are anchors. If the policy allows partial paths, a certificate whose issuer is not in
    /// the ring is an anchor too ([`RingCertificate::is_promoted`]). The others are intermediates. Certificates issued
    /// by a distrusted CA are intermediates too.
    Flat,
}

struct Pending {
    certificate: OwnedCertificate,
    placement: Placement,
    source: Arc<str>,
}

/// Builds a [`KeyRing`] from files or bytes.
///
/// ```
/// use certcheck_core::key_ring::{Placement, RingBuilder};
///
/// let pem = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/demo/ring/root.pem"))?;
/// let mut builder = RingBuilder::new();
/// builder.add("root.pem", &pem, Placement::Anchor)?;
/// let ring = builder.build()?;
/// assert_eq!(ring.anchors().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct RingBuilder {
    pending: Vec<Pending>,
    /// The settings, each with its file and its position in it.
    #[cfg(feature = "fs")]
    settings: Vec<AnchorSettings>,
    skips_unreadable: bool,
    /// The parts that were skipped.
    skipped: Vec<RingError>,
    /// The inputs, as the caller named them.
    inputs: Vec<String>,
    /// The number of files that were read.
    files: usize,
}

impl RingBuilder {
    /// A builder without certificates.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether to skip what cannot be parsed, instead of refusing the ring. [`KeyRing::skipped`] lists what was
    /// skipped. Distrusted certificates and `ring.toml` are never skipped.
    #[must_use]
    pub const fn skip_unreadable(mut self, skips: bool) -> Self {
        self.skips_unreadable = skips;
        self
    }

    /// Records a part that is skipped.
    #[cfg(feature = "fs")]
    pub(super) fn skip(&mut self, what: RingError) {
        self.skipped.push(what);
    }

    /// Adds every certificate of a file: PEM, DER or PKCS #7.
    ///
    /// # Errors
    /// A file or certificate that cannot be parsed, unless [`RingBuilder::skip_unreadable`] skips it.
    pub fn add(&mut self, source: &str, file: &[u8], placement: Placement) -> Result<&mut Self, RingError> {
        self.note_input(source.to_owned());
        self.add_content(source, file, placement)
    }

    /// Records an input of the caller, for the error of a ring without an anchor.
    pub(super) fn note_input(&mut self, name: String) {
        self.inputs.push(name);
    }

    /// Adds every certificate of a file whose input is recorded.
    pub(super) fn add_content(
        &mut self,
        source: &str,
        file: &[u8],
        placement: Placement,
    ) -> Result<&mut Self, RingError> {
        self.files += 1;
        let refuse = |fault| RingError { source: source.to_owned(), fault };
        let name: Arc<str> = source.into();
        let skips = self.skips_unreadable && placement != Placement::Distrusted;
        let found = match encoding::certificates(file).map_err(|fault| refuse(RingFault::Content(fault))) {
            Ok(found) => found,
            Err(error) if skips => {
                self.skipped.push(error);
                return Ok(self);
            }
            Err(error) => return Err(error),
        };
        for (index, der) in found.iter().enumerate() {
            let parsed = OwnedCertificate::parse(der)
                .map_err(|fault| refuse(RingFault::Content(EncodingFault::Certificate { index, fault })));
            let certificate = match parsed {
                Ok(certificate) => certificate,
                Err(error) if skips => {
                    self.skipped.push(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            self.pending.push(Pending { certificate, placement, source: Arc::clone(&name) });
            if self.pending.len() > MAX_CERTIFICATES {
                return Err(refuse(RingFault::TooMany));
            }
        }
        Ok(self)
    }

    /// Adds settings: the text of a `ring.toml`.
    ///
    /// # Errors
    /// Settings that cannot be parsed.
    #[cfg(feature = "fs")]
    pub fn add_settings(&mut self, source: &str, text: &str) -> Result<&mut Self, RingError> {
        let refuse = |fault| RingError { source: source.to_owned(), fault: RingFault::Settings(fault) };
        self.settings.extend(settings::parse(source, text).map_err(refuse)?);
        Ok(self)
    }

    /// Builds the ring.
    ///
    /// # Errors
    /// A ring without an anchor, settings for an anchor that the ring does not have, or two settings for one anchor.
    pub fn build(self) -> Result<KeyRing, RingError> {
        let mut names = NameInterner::default();
        let mut distrusted = Distrust::default();
        let mut certificates: Vec<RingCertificate> = Vec::with_capacity(self.pending.len());
        let mut flat = Vec::new();
        for pending in self.pending {
            let view = pending.certificate.view();
            let (issuer, subject) = (names.add(view.issuer()), names.add(view.subject()));
            let is_self_signed = issuer == subject && is_self_signed(&view);
            if pending.placement == Placement::Distrusted {
                distrusted.add(&view);
            }
            let role = match pending.placement {
                Placement::Anchor => Role::Anchor,
                Placement::Flat if is_self_signed => Role::Anchor,
                Placement::Intermediate | Placement::Flat => Role::Intermediate,
                Placement::Distrusted => Role::Distrusted,
            };
            if pending.placement == Placement::Flat {
                flat.push(certificates.len());
            }
            certificates.push(RingCertificate {
                certificate: pending.certificate,
                role,
                constraints: AnchorConstraints::default(),
                is_self_signed,
                is_promoted: false,
                issuer,
                subject,
                source: pending.source,
            });
        }
        promote_highest(&mut certificates, &flat);
        if !certificates.iter().any(|entry| entry.role == Role::Anchor) {
            return Err(no_anchor(&self.inputs, self.files, &certificates, &self.skipped));
        }
        #[cfg(feature = "fs")]
        settings::bind(&mut certificates, &self.settings)?;
        let mut by_subject = vec![Vec::new(); usize::try_from(names.count()).unwrap_or(0)];
        let mut seen = std::collections::HashSet::new();
        for (at, entry) in certificates.iter().enumerate() {
            let slot = usize::try_from(entry.subject).ok().and_then(|subject| by_subject.get_mut(subject));
            // The same certificate twice in one role would only be tried twice. No path goes through a distrusted
            // entry, whatever roles the certificate has in other entries, and whatever their order.
            let is_new = entry.role != Role::Distrusted
                && seen.insert((entry.role == Role::Anchor, entry.certificate.view().der()));
            if let (Some(slot), Ok(at), true) = (slot, u32::try_from(at), is_new) {
                slot.push(at);
            }
        }
        drop(seen);
        Ok(KeyRing { certificates, names, by_subject, distrusted, skipped: self.skipped })
    }
}

/// The error of a ring without an anchor: what was looked at, and why nothing in it is one.
fn no_anchor(
    inputs: &[String],
    files: usize,
    certificates: &[RingCertificate],
    skipped: &[RingError],
) -> RingError {
    const SHOWN: usize = 5;
    let mut source = inputs.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match inputs.len() {
        0 => source.push_str("key ring"),
        many if many > SHOWN => source.push_str(&format!(" and {} more", many - SHOWN)),
        _ => {}
    }
    let count = |role| certificates.iter().filter(|entry| entry.role == role).count();
    let self_issued = certificates.iter().find(|entry| {
        entry.role == Role::Intermediate && entry.issuer == entry.subject && !entry.is_self_signed
    });
    let fault = NoAnchor {
        files,
        intermediates: count(Role::Intermediate),
        distrusted: count(Role::Distrusted),
        self_issued: self_issued.map(|entry| entry.source.to_string()),
        skipped: skipped.len(),
        first_skipped: skipped.first().map(ToString::to_string),
    };
    RingError { source, fault: RingFault::NoAnchor(Box::new(fault)) }
}

/// Makes certificates of a flat ring anchors if their issuer is not in the ring. A distrusted issuer counts as being in
/// the ring: distrusting a root must not make anchors of the CAs below it. The name is enough to find the issuer, since
/// a wrong match only keeps a certificate from becoming an anchor.
fn promote_highest(certificates: &mut [RingCertificate], flat: &[usize]) {
    let subjects: std::collections::HashSet<u32> = certificates.iter().map(|entry| entry.subject).collect();
    for at in flat {
        if let Some(entry) = certificates.get_mut(*at)
            && entry.role == Role::Intermediate
            && !subjects.contains(&entry.issuer)
        {
            entry.role = Role::Anchor;
            entry.is_promoted = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::digest::sha256;
    use certcheck_testkit::{Cert, Key};

    use super::*;

    fn built(settings: &[&str], files: &[&str]) -> Result<KeyRing, RingError> {
        let key = Key::p256("bound");
        let root = Cert::root("CN=Root", &key).issue(&key);
        let mut builder = RingBuilder::new();
        for file in files {
            builder.add(file, &root, Placement::Anchor)?;
        }
        for (at, text) in settings.iter().enumerate() {
            builder.add_settings(&format!("{at}/ring.toml"), text)?;
        }
        builder.build()
    }

    #[test]
    fn two_entries_about_one_anchor_are_refused() {
        let key = Key::p256("bound");
        let root = Cert::root("CN=Root", &key).issue(&key);
        let hex = data_encoding::HEXLOWER.encode(&sha256(&root));
        let named = "[[anchor]]\nfile = \"a.pem\"\npermitted = [\"dns:a.example\"]\n";
        let hashed = format!("[[anchor]]\nsha256 = \"{hex}\"\npath_len = 1\n");
        assert!(built(&[named], &["a.pem"]).is_ok());
        for settings in [&[format!("{named}{hashed}").as_str()][..], &[named, &hashed], &[&hashed, named]] {
            let error = built(settings, &["x/a.pem"]).expect_err("two are one too many").to_string();
            assert!(
                error.contains("ring.toml: [[anchor]] ") && error.contains("anchor in x/a.pem"),
                "{error}"
            );
            assert!(error.contains("[[anchor]] 1 of 0/ring.toml"), "{error}");
        }
        let other = "[[anchor]]\nfile = \"b.pem\"\npath_len = 1\n";
        assert!(built(&[named, other], &["a.pem", "b.pem"]).is_err(), "one certificate in two files");
    }

    /// The anchors of a ring with these certificates: a root, a CA below it, and a CA below that.
    fn anchors(placed: &[(&str, Placement)]) -> Vec<(String, bool)> {
        let [root_key, ca_key, sub_key] = ["root", "ca", "sub"].map(Key::p256);
        let mut builder = RingBuilder::new();
        for (name, placement) in placed {
            let der = match *name {
                "root" => Cert::root("CN=Root", &root_key).issue(&root_key),
                "ca" => Cert::ca("CN=CA", &ca_key, "CN=Root", &root_key).issue(&root_key),
                _ => Cert::ca("CN=Sub", &sub_key, "CN=CA", &ca_key).issue(&ca_key),
            };
            builder.add(name, &der, *placement).expect("it can be read");
        }
        let ring = match builder.build() {
            Ok(ring) => ring,
            Err(error) => {
                assert!(matches!(error.fault, RingFault::NoAnchor(_)), "{error}");
                return Vec::new();
            }
        };
        ring.anchors().map(|entry| (entry.source().to_owned(), entry.is_promoted())).collect()
    }

    #[test]
    fn what_cannot_be_parsed_is_skipped_on_request() {
        let key = Key::p256("skipped");
        let root = certcheck_testkit::pem("CERTIFICATE", &Cert::root("CN=Root", &key).issue(&key));
        let broken = certcheck_testkit::pem("CERTIFICATE", &[0x30, 0]);
        let file = format!("{root}{broken}");
        let add = |skips: bool, content: &str, placement: Placement| -> Result<KeyRing, RingError> {
            let mut builder = RingBuilder::new().skip_unreadable(skips);
            builder.add("root", root.as_bytes(), Placement::Anchor)?;
            builder.add("file", content.as_bytes(), placement)?;
            builder.build()
        };
        for placement in [Placement::Flat, Placement::Anchor, Placement::Intermediate, Placement::Distrusted]
        {
            assert!(add(false, &file, placement).is_err(), "{placement:?}");
            assert!(add(false, "no PEM", placement).is_err(), "{placement:?}");
        }
        for placement in [Placement::Flat, Placement::Anchor, Placement::Intermediate] {
            let ring = add(true, &file, placement).expect("skipped");
            assert_eq!((ring.certificates().len(), ring.skipped().len()), (2, 1));
            assert!(
                ring.skipped()[0].to_string().starts_with("file: certificate 1 cannot be parsed: "),
                "{}",
                ring.skipped()[0]
            );
            let ring = add(true, "no PEM", placement).expect("skipped");
            assert_eq!((ring.certificates().len(), ring.skipped().len()), (1, 1));
        }
        // A typo must not make a distrusted certificate trusted.
        assert!(add(true, &file, Placement::Distrusted).is_err());
        assert!(add(true, "no PEM", Placement::Distrusted).is_err());
    }

    #[test]
    fn a_ring_without_an_anchor_is_an_error_that_says_what_was_looked_at() {
        let error = RingBuilder::new().build().expect_err("empty").to_string();
        assert!(
            error.starts_with("key ring: the key ring has no anchor") && error.contains("no file was"),
            "{error}"
        );
        let (key, root) = (Key::p256("ca"), Key::p256("root"));
        let ca = Cert::ca("CN=CA", &key, "CN=Root", &root).issue(&root);
        let mut builder = RingBuilder::new().skip_unreadable(true);
        builder.add("a/ca.pem", &ca, Placement::Intermediate).expect("parsed");
        builder.add("bad.pem", b"no PEM", Placement::Flat).expect("skipped");
        builder.add("out.pem", &ca, Placement::Distrusted).expect("parsed");
        let error = builder.build().expect_err("no anchor").to_string();
        for part in [
            "a/ca.pem, bad.pem, out.pem: the key ring has no anchor",
            "3 files were read, with 1 intermediate and 1 distrusted certificates",
            "1 skipped, the first: bad.pem: holds no certificate",
            "add a root certificate, or put a trusted CA certificate into anchors/",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }

    #[test]
    fn to_distrust_an_issuer_promotes_nothing_below_it() {
        use Placement::{Anchor, Distrusted, Flat, Intermediate};
        let promoted = |name: &str| vec![(name.to_owned(), true)];
        for (placed, wanted) in [
            (&[("ca", Flat)][..], promoted("ca")),
            (&[("ca", Flat), ("sub", Flat)], promoted("ca")),
            (&[("sub", Flat)], promoted("sub")),
            (&[("ca", Flat), ("root", Distrusted)], vec![]),
            (&[("root", Distrusted), ("ca", Flat)], vec![]),
            (&[("root", Distrusted), ("ca", Flat), ("sub", Flat)], vec![]),
            (&[("ca", Distrusted), ("sub", Flat)], vec![]),
            (&[("ca", Distrusted), ("sub", Flat), ("root", Flat)], vec![("root".to_owned(), false)]),
            (&[("root", Flat), ("ca", Flat)], vec![("root".to_owned(), false)]),
            (&[("root", Intermediate), ("ca", Flat)], vec![]),
            (&[("ca", Anchor), ("root", Distrusted)], vec![("ca".to_owned(), false)]),
        ] {
            assert_eq!(anchors(placed), wanted, "{placed:?}");
        }
    }

    #[test]
    fn a_certificate_in_two_files_is_bound_by_what_is_said_of_either() {
        let named = "[[anchor]]\nfile = \"b.pem\"\npath_len = 1\n";
        let ring = built(&[named], &["a.pem", "b.pem"]).expect("builds");
        assert!(ring.anchors().all(|anchor| anchor.constraints().path_len == Some(1)));
        assert_eq!(ring.anchors().count(), 2);
    }
}

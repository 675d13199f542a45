//! What changed from one CRL to another of the same issuer and scope.

use certcheck_core::crl::Crl;
use certcheck_core::der::ViewFault;
use serde::ser::{Error as _, SerializeStruct as _};
use serde::{Serialize, Serializer};

use super::listed::{CertificateIssuer, EntryObject, Listed, listed};
use crate::hex;

/// Certificates that one CRL lists and the other does not, by issuer and serial.
///
/// Each entry of one list is looked up in the index of the other, once to count and once again to print. Nothing else is
/// kept, so two lists of millions of entries take only the memory of the lists.
pub(super) struct Diff<'a> {
    old: &'a Crl,
    new: &'a Crl,
    /// How many are listed now and were not.
    pub(super) added: usize,
    /// How many were listed and no longer are.
    pub(super) removed: usize,
}

impl<'a> Diff<'a> {
    pub(super) fn new(old: &'a Crl, new: &'a Crl) -> Result<Self, ViewFault> {
        let count = |one, other| missing(one, other).try_fold(0, |count, entry| entry.map(|_| count + 1));
        Ok(Self { old, new, added: count(new, old)?, removed: count(old, new)? })
    }

    /// The CRL that was.
    pub(super) const fn old(&self) -> &'a Crl {
        self.old
    }

    /// In the order of the new list.
    pub(super) fn added(&self) -> impl Iterator<Item = Result<Listed<'a>, ViewFault>> {
        missing(self.new, self.old)
    }

    /// In the order of the old list.
    pub(super) fn removed(&self) -> impl Iterator<Item = Result<Listed<'a>, ViewFault>> {
        missing(self.old, self.new)
    }
}

/// The entries of `one` that `other` does not have, one for each certificate. Entries without a certificate issuer that can
/// be parsed are skipped.
fn missing<'a>(one: &'a Crl, other: &'a Crl) -> impl Iterator<Item = Result<Listed<'a>, ViewFault>> {
    let is_missing = move |entry: &Listed<'_>| {
        let is_somebodys = !matches!(entry.issuer, CertificateIssuer::Nobody);
        is_somebodys && entry.find_in(other).is_none() && is_first(entry, one)
    };
    listed(one).filter(move |entry| entry.as_ref().map_or(true, is_missing))
}

/// Whether this is the entry that a search in its own CRL finds: a certificate may stand there twice.
fn is_first(entry: &Listed<'_>, crl: &Crl) -> bool {
    match entry.find_in(crl) {
        Some(Ok(first)) => core::ptr::eq(first.serial, entry.entry.serial),
        _ => true,
    }
}

impl Serialize for Diff<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Diff", 7)?;
        object.serialize_field("old_source", &**self.old.source())?;
        object.serialize_field("old_number", &self.old.number().map(hex::number))?;
        object.serialize_field("old_this_update", &self.old.this_update().to_string())?;
        object.serialize_field("added_count", &self.added)?;
        object.serialize_field("removed_count", &self.removed)?;
        object.serialize_field("added", &Each(|| self.added()))?;
        object.serialize_field("removed", &Each(|| self.removed()))?;
        object.end()
    }
}

/// A list that is written as it is walked.
struct Each<F>(F);

impl<'a, F, I> Serialize for Each<F>
where
    F: Fn() -> I,
    I: Iterator<Item = Result<Listed<'a>, ViewFault>>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq as _;
        let mut list = serializer.serialize_seq(None)?;
        for entry in (self.0)() {
            list.serialize_element(&EntryObject::from(&entry.map_err(S::Error::custom)?))?;
        }
        list.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use certcheck_forge::der;

    fn name(common: &str) -> Vec<u8> {
        der::seq(&[der::set(&[der::seq(&[der::oid("2.5.4.3"), der::tlv(0x0c, common.as_bytes())])])])
    }

    fn extension(oid: &str, body: &[u8]) -> Vec<u8> {
        der::seq(&[der::oid(oid), der::boolean(true), der::bytes(body)])
    }

    /// An entry; with a name, that is who issued the certificate and those after it.
    fn entry(serial: i64, issuer: Option<&str>) -> Vec<u8> {
        let mut parts = vec![der::int(serial), der::tlv(0x17, b"260101000000Z")];
        if let Some(issuer) = issuer {
            let names = der::seq(&[der::ctx_c(4, &name(issuer))]);
            parts.push(der::seq(&[extension("2.5.29.29", &names)]));
        }
        der::seq(&parts)
    }

    fn indirect(entries: &[(i64, Option<&str>)]) -> Crl {
        let algorithm = der::seq(&[der::oid("1.2.840.10045.4.3.2")]);
        let entries: Vec<_> = entries.iter().map(|(serial, issuer)| entry(*serial, *issuer)).collect();
        let point = extension("2.5.29.28", &der::seq(&[der::ctx(4, &[0xff])]));
        let tbs = der::seq(&[
            der::int(1),
            algorithm.clone(),
            name("own"),
            der::tlv(0x17, b"260101000000Z"),
            der::seq(&entries),
            der::ctx_c(0, &der::seq(&[point])),
        ]);
        let document = der::seq(&[tbs, algorithm, der::bits(&[1])]);
        Crl::parse(document.into(), "test").expect("reads")
    }

    fn reported<'a>(
        entries: impl Iterator<Item = Result<Listed<'a>, ViewFault>>,
    ) -> Vec<(String, Option<String>)> {
        let entries = entries.map(|entry| EntryObject::from(&entry.expect("reads")));
        entries.map(|entry| (entry.serial, entry.certificate_issuer)).collect()
    }

    #[test]
    fn a_serial_is_another_certificate_of_another_issuer() {
        let old = indirect(&[(1, None), (2, None), (1, Some("x")), (2, None)]);
        let new = indirect(&[(2, None), (3, Some("y")), (2, Some("x")), (5, None), (5, None), (1, None)]);
        let diff = Diff::new(&old, &new).expect("reads");
        let of =
            |serial: &str, issuer: Option<&str>| (serial.to_owned(), issuer.map(|name| format!("CN={name}")));
        assert_eq!(reported(diff.added()), [of("03", Some("y")), of("05", Some("x"))]);
        assert_eq!(reported(diff.removed()), [of("01", None)]);
        assert_eq!((diff.added, diff.removed), (2, 1));
    }
}

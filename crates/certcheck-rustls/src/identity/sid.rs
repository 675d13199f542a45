//! The security identifier of an account in Active Directory, as its CAs encode it (KB5014754).

use certcheck_core::der::{Reader, Rule, Tlv, ViewFault, tag};
use certcheck_core::oid::Oid;

use super::names::{clean, only};
use super::{Identity, IdentityError};

const WHAT: &str = "SID of the NTDS security extension";
const NO_SID: &str = "is not a SID of the NT authority";
const FIELD: &str = "szOID_NTDS_CA_SECURITY_EXT";
/// szOID_NTDS_CA_SECURITY_EXT, 1.3.6.1.4.1.311.25.2.
const EXTENSION: Oid<'static> = Oid::new(&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 25, 2]);
/// szOID_NTDS_OBJECTSID, 1.3.6.1.4.1.311.25.2.1.
const OBJECT_SID: Oid<'static> = Oid::new(&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 25, 2, 1]);
/// [MS-DTYP] 2.4.2.2: SubAuthorityCount.
const MAX_SUB_AUTHORITIES: usize = 15;

impl Identity {
    /// The SID of the account that an Active Directory CA issued for: `S-1-5-...` in the extension
    /// szOID_NTDS_CA_SECURITY_EXT ([MS-WCCE] 2.2.2.7.7.4).
    ///
    /// It proves nothing unless the anchor belongs to such a CA: any other CA can write it too.
    ///
    /// # Errors
    /// If the extension cannot be parsed, if it has no SID or several, or if its text is not a SID of the NT
    /// authority as [MS-DTYP] 2.4.2.1 writes them.
    pub fn sid(&self) -> Result<Option<&str>, IdentityError> {
        for extension in self.view().extensions() {
            let extension = extension.map_err(IdentityError::Malformed)?;
            if extension.oid != EXTENSION {
                continue;
            }
            let sids = object_sids(extension.value).map_err(IdentityError::Malformed)?;
            let Some(bytes) = only(WHAT, sids)? else {
                return Err(IdentityError::Malformed(extension.value.fault(FIELD, Rule::EmptyList)));
            };
            let Ok(text) = core::str::from_utf8(bytes) else {
                return Err(IdentityError::refused_bytes(WHAT, bytes, NO_SID));
            };
            let text = clean(WHAT, text)?;
            return if is_sid(text) {
                Ok(Some(text))
            } else {
                Err(IdentityError::refused(WHAT, text, NO_SID))
            };
        }
        Ok(None)
    }
}

/// ```asn1
/// SEQUENCE OF [0] SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT OCTET STRING }
/// ```
/// Values of other types are skipped.
fn object_sids(extension: Tlv<'_>) -> Result<Vec<&[u8]>, ViewFault> {
    let mut outer = extension.reader();
    let mut members = outer.sequence(FIELD)?;
    outer.finish(FIELD)?;
    let mut sids = Vec::new();
    while !members.is_empty() {
        let mut member = members.expect(tag::context_constructed(0), FIELD)?.reader();
        let type_id = Oid::parse(member.any(FIELD)?, FIELD)?;
        let explicit = member.expect(tag::context_constructed(0), FIELD)?;
        member.finish(FIELD)?;
        if type_id == OBJECT_SID {
            sids.push(octet_string(explicit.reader())?);
        }
    }
    Ok(sids)
}

fn octet_string(mut explicit: Reader<'_>) -> Result<&[u8], ViewFault> {
    let bytes = explicit.expect(tag::OCTET_STRING, FIELD)?;
    explicit.finish(FIELD)?;
    Ok(bytes.value)
}

/// `S-1-5` and 1 to 15 sub-authorities in decimal ([MS-DTYP] 2.4.2.1), each in its shortest form, so that equal SIDs
/// are equal text.
fn is_sid(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("S-1-5-") else { return false };
    rest.split('-').count() <= MAX_SUB_AUTHORITIES && rest.split('-').all(is_sub_authority)
}

fn is_sub_authority(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'))
        && text.parse::<u32>().is_ok()
}

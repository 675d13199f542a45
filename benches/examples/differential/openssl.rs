//! What OpenSSL says, by its own library.
#![allow(unsafe_code, reason = "a C library")]

use std::ffi::{c_int, c_long, c_uchar};
use std::ptr::null_mut;

use foreign_types::{ForeignType as _, ForeignTypeRef as _};
use openssl::asn1::Asn1Object;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::ocsp::{
    OcspBasicResponse, OcspCertId, OcspCertStatus, OcspFlag, OcspResponse, OcspResponseStatus,
};
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509Crl, X509PurposeId, X509StoreContext};
use openssl_sys as ffi;

use crate::case::{Answer, Case, Kind, NOW};

unsafe extern "C" {
    // The crate has no names for them.
    fn X509_STORE_add_crl(store: *mut ffi::X509_STORE, crl: *mut ffi::X509_CRL) -> c_int;
    fn X509_cmp_time(time: *const ffi::ASN1_TIME, at: *mut c_long) -> c_int;
    fn X509_VERIFY_PARAM_add0_policy(
        param: *mut ffi::X509_VERIFY_PARAM,
        policy: *mut ffi::ASN1_OBJECT,
    ) -> c_int;
    fn OBJ_dup(object: *const ffi::ASN1_OBJECT) -> *mut ffi::ASN1_OBJECT;
    fn ASN1_GENERALIZEDTIME_check(time: *const ffi::ASN1_GENERALIZEDTIME) -> c_int;
}

/// Clocks may differ by this: ours by default.
const SKEW: c_long = 300;

pub(crate) struct OpenSsl {
    root: X509,
}

/// Reads one value and nothing behind it. The crate would let bytes stand there.
macro_rules! read_all {
    ($read:path, $der:expr) => {{
        let der: &[u8] = $der;
        let mut at: *const c_uchar = der.as_ptr();
        // SAFETY: the pointer and the length are of one slice; what is returned is owned by who asked.
        let read = unsafe { $read(null_mut(), &mut at, c_long::try_from(der.len()).unwrap()) };
        let used = at.addr() - der.as_ptr().addr();
        if read.is_null() { Err(parse_fault()) } else { Ok((read, used == der.len())) }
    }};
}

fn parse_fault() -> String {
    let stack = ErrorStack::get();
    let first = stack.errors().first().and_then(|error| error.reason()).unwrap_or("no reason");
    format!("parse: {first}")
}

fn certificate(der: &[u8]) -> Result<X509, String> {
    let (read, is_all) = read_all!(ffi::d2i_X509, der)?;
    // SAFETY: not null, and owned here.
    let certificate = unsafe { X509::from_ptr(read) };
    if is_all { Ok(certificate) } else { Err("parse: bytes behind".to_owned()) }
}

fn crl(der: &[u8]) -> Result<X509Crl, String> {
    let (read, is_all) = read_all!(ffi::d2i_X509_CRL, der)?;
    // SAFETY: not null, and owned here.
    let crl = unsafe { X509Crl::from_ptr(read) };
    if is_all { Ok(crl) } else { Err("parse: bytes behind".to_owned()) }
}

fn response(der: &[u8]) -> Result<OcspResponse, String> {
    let (read, is_all) = read_all!(ffi::d2i_OCSP_RESPONSE, der)?;
    // SAFETY: not null, and owned here.
    let response = unsafe { OcspResponse::from_ptr(read) };
    if is_all { Ok(response) } else { Err("parse: bytes behind".to_owned()) }
}

impl OpenSsl {
    pub(crate) fn new(root: &[u8]) -> Self {
        Self { root: X509::from_der(root).unwrap() }
    }

    pub(crate) fn version() -> &'static str {
        openssl::version::version()
    }

    pub(crate) fn ask(&self, case: &Case) -> Answer {
        let said = match case.kind {
            Kind::Certificate => self.verify(case, None),
            Kind::Crl => crl(&case.evidence).and_then(|crl| self.verify(case, Some(&crl))),
            Kind::Response => self.status(case),
        };
        // Whatever was told is told; nothing of it may stand in the next answer.
        drop(ErrorStack::get());
        said.unwrap_or_else(Answer::refused)
    }

    fn store(&self, crl: Option<&X509Crl>, purpose: X509PurposeId) -> X509Store {
        let mut store = X509StoreBuilder::new().unwrap();
        store.add_cert(self.root.clone()).unwrap();
        let mut param = X509VerifyParam::new().unwrap();
        param.set_time(NOW);
        param.set_purpose(purpose).unwrap();
        let mut flags = X509VerifyFlags::POLICY_CHECK;
        if let Some(crl) = crl {
            // SAFETY: both live; the store takes a reference of its own.
            assert_eq!(unsafe { X509_STORE_add_crl(store.as_ptr(), crl.as_ptr()) }, 1);
            flags |= X509VerifyFlags::CRL_CHECK | X509VerifyFlags::EXTENDED_CRL_SUPPORT;
        }
        param.set_flags(flags).unwrap();
        let any_policy = Asn1Object::from_str("2.5.29.32.0").unwrap();
        // SAFETY: both live; the object becomes the parameter's own. Without it no policy is acceptable where one is
        // required, where RFC 5280 6.1.1 (c) begins with any-policy.
        unsafe {
            let policy = OBJ_dup(any_policy.as_ptr());
            assert_eq!(X509_VERIFY_PARAM_add0_policy(param.as_ptr(), policy), 1);
        }
        store.set_param(&param).unwrap();
        store.build()
    }

    fn verify(&self, case: &Case, crl: Option<&X509Crl>) -> Result<Answer, String> {
        let (leaf, ca) = (certificate(&case.leaf)?, certificate(&case.ca)?);
        let mut issuers = Stack::new().unwrap();
        issuers.push(ca).unwrap();
        let store = self.store(crl, X509PurposeId::SSL_CLIENT);
        let mut context = X509StoreContext::new().unwrap();
        let is_good = context.init(&store, &leaf, &issuers, |context| context.verify_cert()).unwrap_or(false);
        match (is_good, context.error().as_raw()) {
            (true, _) => Ok(Answer::GOOD),
            (false, ffi::X509_V_ERR_CERT_REVOKED) => Ok(Answer::REVOKED),
            (false, _) => Err(context.error().error_string().to_owned()),
        }
    }

    fn status(&self, case: &Case) -> Result<Answer, String> {
        let (leaf, ca) = (certificate(&case.leaf)?, certificate(&case.ca)?);
        let response = response(&case.evidence)?;
        if response.status() != OcspResponseStatus::SUCCESSFUL {
            return Err("error status".to_owned());
        }
        let basic = response.basic().map_err(|stack| first_of(&stack))?;
        let mut issuers = Stack::new().unwrap();
        issuers.push(ca.clone()).unwrap();
        let store = self.store(None, X509PurposeId::OCSP_HELPER);
        basic.verify(&issuers, &store, OcspFlag::empty()).map_err(|stack| first_of(&stack))?;
        // By whichever hash the responder took.
        let hashes = [
            MessageDigest::sha1(),
            MessageDigest::sha256(),
            MessageDigest::sha384(),
            MessageDigest::sha512(),
        ];
        let mut why = "no answer about it".to_owned();
        for hash in hashes {
            let id = OcspCertId::from_cert(hash, &leaf, &ca).unwrap();
            match status_of(&basic, &id) {
                None => {}
                Some(Ok(answer)) => return Ok(answer),
                Some(Err(text)) => why = text,
            }
        }
        Err(why)
    }
}

fn status_of(basic: &OcspBasicResponse, id: &OcspCertId) -> Option<Result<Answer, String>> {
    let status = basic.find_status(id)?;
    let this = status.this_update.as_ptr();
    let next = status.next_update().map(|time| time.as_ptr());
    // SAFETY: the times live as long as the response.
    Some(match (unsafe { validity(this, next) }, status.status) {
        (Err(text), _) => Err(text.to_owned()),
        (Ok(()), OcspCertStatus::GOOD) => Ok(Answer::GOOD),
        (Ok(()), OcspCertStatus::REVOKED) => Ok(Answer::REVOKED),
        (Ok(()), _) => Err("unknown".to_owned()),
    })
}

/// What `OCSP_check_validity` asks, at our time instead of the machine's.
///
/// # Safety
/// Both must be times that live.
unsafe fn validity(
    this: *mut ffi::ASN1_GENERALIZEDTIME,
    next: Option<*mut ffi::ASN1_GENERALIZEDTIME>,
) -> Result<(), &'static str> {
    let (mut latest, mut earliest) = (NOW + SKEW, NOW - SKEW);
    // SAFETY: as the caller says.
    unsafe {
        if ASN1_GENERALIZEDTIME_check(this) == 0 {
            return Err("thisUpdate is no time");
        }
        if X509_cmp_time(this.cast(), &mut latest) > 0 {
            return Err("not yet valid");
        }
        let Some(next) = next else { return Ok(()) };
        if ASN1_GENERALIZEDTIME_check(next) == 0 {
            return Err("nextUpdate is no time");
        }
        if X509_cmp_time(next.cast(), &mut earliest) < 0 {
            return Err("expired");
        }
    }
    Ok(())
}

fn first_of(stack: &ErrorStack) -> String {
    let text = |error: &openssl::error::Error| error.reason().unwrap_or("no reason").to_owned();
    stack.errors().first().map_or_else(|| "no reason".to_owned(), text)
}

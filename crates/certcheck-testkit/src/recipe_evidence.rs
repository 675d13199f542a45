//! CRLs and OCSP responses of a recipe.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::crl::{self, CrlBuilder, Idp, RevokedCertificate};
use crate::crl_flaw::CrlFlaw;
use crate::der;
use crate::ext::{self, Point};
use crate::keys;
use crate::name::name;
use crate::ocsp::{self, AnswerBuilder, Response};
use crate::ocsp_flaw::OcspFlaw;
use crate::recipe::{Recipe, sig_alg, unhex};

/// A distribution point.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointRecipe {
    #[serde(default)]
    full: Vec<String>,
    relative: Option<String>,
    #[serde(default)]
    reasons: Vec<u8>,
    #[serde(default)]
    crl_issuer: Vec<String>,
}

impl PointRecipe {
    pub(crate) fn point(&self) -> Point {
        Point {
            full: self.full.clone(),
            relative: self.relative.clone(),
            reasons: self.reasons.clone(),
            crl_issuer: self.crl_issuer.clone(),
        }
    }
}

/// One CRL. Fields that are not given are those of [`CrlBuilder::new`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrlRecipe {
    /// The certificate with the name and key of the issuer.
    issuer: String,
    issuer_name: Option<String>,
    signed_by: Option<String>,
    version: Option<i64>,
    sig: Option<String>,
    this_update: Option<String>,
    /// The nextUpdate. `none` omits it.
    next_update: Option<String>,
    number: Option<i64>,
    #[serde(default)]
    without_number: bool,
    base: Option<i64>,
    #[serde(default)]
    revoked: Vec<EntryRecipe>,
    idp: Option<IdpRecipe>,
    freshest: Option<Vec<String>>,
    ca_issuers: Option<Vec<String>>,
    #[serde(default)]
    aki: bool,
    /// See [`crate::crl_flaw::ALL`].
    flaw: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryRecipe {
    /// The certificate that is listed.
    cert: Option<String>,
    /// Its serial number in hexadecimal, instead.
    serial: Option<String>,
    at: Option<String>,
    reason: Option<String>,
    invalid_since: Option<String>,
    /// certificateIssuer.
    #[serde(default)]
    issuer: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct IdpRecipe {
    full: Vec<String>,
    relative: Option<String>,
    user: bool,
    ca: bool,
    attribute: bool,
    reasons: Vec<u8>,
    indirect: bool,
}

/// One OCSP response. Fields that are not given are those of [`Response::new`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OcspRecipe {
    /// The certificate of the responder.
    by: Option<String>,
    /// Whether the responder is identified `byKey` instead of `byName`.
    #[serde(default)]
    by_key: bool,
    signed_by: Option<String>,
    sig: Option<String>,
    produced_at: Option<String>,
    #[serde(default)]
    about: Vec<AnswerRecipe>,
    /// The included certificates.
    #[serde(default)]
    certs: Vec<String>,
    /// The nonce in hexadecimal.
    nonce: Option<String>,
    /// An unsigned error, by its status.
    error: Option<u8>,
    /// See [`crate::ocsp_flaw::ALL`].
    flaw: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerRecipe {
    cert: String,
    /// The issuer whose key is hashed, if it should be another.
    issuer: Option<String>,
    /// The serial number in hexadecimal, if it should be another.
    serial: Option<String>,
    #[serde(default = "sha1")]
    hash: String,
    /// `good`, `revoked` or `unknown`.
    status: String,
    at: Option<String>,
    reason: Option<String>,
    this_update: Option<String>,
    /// The nextUpdate. `none` omits it.
    next_update: Option<String>,
}

fn sha1() -> String {
    "sha1".to_owned()
}

impl Recipe {
    /// Makes all CRLs.
    ///
    /// # Panics
    /// If the recipe refers to something that does not exist.
    #[must_use]
    pub fn forge_crls(&self) -> BTreeMap<String, Vec<u8>> {
        self.crl.iter().map(|(label, recipe)| (label.clone(), self.forge_crl(recipe))).collect()
    }

    /// Makes all OCSP responses.
    ///
    /// # Panics
    /// If the recipe refers to something that does not exist.
    #[must_use]
    pub fn forge_responses(&self) -> BTreeMap<String, Vec<u8>> {
        self.ocsp.iter().map(|(label, recipe)| (label.clone(), self.forge_response(recipe))).collect()
    }

    fn forge_crl(&self, recipe: &CrlRecipe) -> Vec<u8> {
        let issuer = self.cert(&recipe.issuer);
        let own = self.key(issuer);
        let mut crl = CrlBuilder::new(recipe.issuer_name.as_ref().unwrap_or(&issuer.subject));
        crl.version = recipe.version.unwrap_or(2);
        if recipe.without_number || crl.version == 1 {
            crl.extensions.clear();
        }
        if let Some(time) = &recipe.this_update {
            crl.this_update = der::time(time);
        }
        if let Some(time) = &recipe.next_update {
            crl.next_update = (time != "none").then(|| der::time(time));
        }
        crl = crl.with(recipe.number.map(crl::number));
        crl = crl.with(recipe.base.map(crl::delta));
        crl = crl.with(recipe.idp.as_ref().map(|idp| idp.idp().ext()));
        crl = crl.with(recipe.freshest.as_ref().map(|urls| ext::freshest_crl(&[Point::urls(urls)])));
        crl = crl.with(recipe.ca_issuers.as_ref().map(|urls| ext::aia(&[], urls)));
        crl = crl.with(recipe.aki.then(|| ext::aki(&own)));
        let entries = recipe.revoked.iter().map(|entry| self.entry(entry)).collect::<Vec<_>>();
        let crl = crl.revoking(entries);
        let key = recipe.signed_by.as_ref().map_or(own, |text| keys::from_text(text).unwrap());
        let signer = sig_alg(recipe.sig.as_deref()).signer(&key);
        match recipe.flaw.as_deref() {
            None => crl.issue(&signer),
            Some(flaw) => CrlFlaw::named(flaw).unwrap_or_else(|| panic!("no {flaw}")).issue(crl, &signer),
        }
    }

    fn entry(&self, recipe: &EntryRecipe) -> RevokedCertificate {
        let serial = match (&recipe.cert, &recipe.serial) {
            (_, Some(serial)) => unhex(serial),
            (Some(cert), None) => self.unsigned(self.cert(cert)).serial,
            (None, None) => panic!("an entry about nothing"),
        };
        let mut entry = RevokedCertificate::new(&serial);
        if let Some(time) = &recipe.at {
            entry.revoked_at = der::time(time);
        }
        entry = entry.with(recipe.reason.as_deref().map(crl::reason));
        entry = entry.with(recipe.invalid_since.as_deref().map(crl::invalidity_date));
        entry.with((!recipe.issuer.is_empty()).then(|| crl::certificate_issuer(&recipe.issuer)))
    }

    fn forge_response(&self, recipe: &OcspRecipe) -> Vec<u8> {
        if let Some(status) = recipe.error {
            return Response::error(status);
        }
        let by = self.cert(recipe.by.as_ref().unwrap_or_else(|| panic!("a response of nobody")));
        let own = self.key(by);
        let responder = if recipe.by_key { ocsp::by_key(&own) } else { ocsp::by_name(&name(&by.subject)) };
        let answers = recipe.about.iter().map(|answer| self.answer(answer)).collect::<Vec<_>>();
        let certificates = recipe.certs.iter().map(|label| self.forge_one(self.cert(label)));
        let mut response = Response::new(responder, answers).with_certificates(certificates);
        if let Some(time) = &recipe.produced_at {
            response.produced_at = ocsp::time(time);
        }
        response.extensions.extend(recipe.nonce.as_deref().map(|hex| ocsp::nonce(&unhex(hex))));
        let key = recipe.signed_by.as_ref().map_or(own, |text| keys::from_text(text).unwrap());
        let signer = sig_alg(recipe.sig.as_deref()).signer(&key);
        match recipe.flaw.as_deref() {
            None => response.issue(&signer),
            Some(flaw) => {
                OcspFlaw::named(flaw).unwrap_or_else(|| panic!("no {flaw}")).issue(response, &signer)
            }
        }
    }

    fn answer(&self, recipe: &AnswerRecipe) -> AnswerBuilder {
        let about = self.cert(&recipe.cert);
        let cert = self.unsigned(about);
        let issuer = recipe.issuer.as_ref().or(about.issuer.as_ref());
        let issuer = self.key(self.cert(issuer.unwrap_or(&recipe.cert)));
        let serial = recipe.serial.as_ref().map_or(cert.serial, |hex| unhex(hex));
        let id = ocsp::cert_id(&recipe.hash, &cert.issuer, &issuer, &serial);
        let at = recipe.at.as_deref().unwrap_or("2026-03-01T00:00:00Z");
        let mut answer = match recipe.status.as_str() {
            "good" => AnswerBuilder::good(id),
            "revoked" => AnswerBuilder::revoked(id, at, recipe.reason.as_deref()),
            "unknown" => AnswerBuilder::unknown(id),
            other => panic!("{other} is no status"),
        };
        if let Some(time) = &recipe.this_update {
            answer.this_update = ocsp::time(time);
        }
        if let Some(time) = &recipe.next_update {
            answer.next_update = (time != "none").then(|| ocsp::time(time));
        }
        answer
    }
}

impl IdpRecipe {
    fn idp(&self) -> Idp {
        let point = Point { full: self.full.clone(), relative: self.relative.clone(), ..Point::default() };
        Idp {
            point,
            user: self.user,
            ca: self.ca,
            attribute: self.attribute,
            reasons: self.reasons.clone(),
            indirect: self.indirect,
        }
    }
}

//! News of a mirror: events about evidence that it has replaced.

use std::sync::Arc;
use std::time::Duration;

use certcheck_core::revocation::{EvidenceKind, EvidenceRequest};
use data_encoding::HEXLOWER;
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::debug;
use url::Url;

use crate::cache::key::EvidenceKey;
use crate::fetcher::mirrors::MirrorFeed;
use crate::printable::printable;
use crate::transport::events::EventReader;

/// The pauses between two attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The event about newer evidence, and the one that says that some were left out.
const NEWER: &str = "evidence";
const MISSED: &str = "missed";

/// What is announced: there is evidence that may be newer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Announced {
    /// From this source.
    Source(MirrorNews),
    /// Under this key.
    Key(EvidenceKey),
    /// From any source.
    Any,
}

/// A mirror has replaced what it has of a source: the JSON of an event of `/v1/news`.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MirrorNews {
    /// `crl` or `ocsp`.
    pub kind: String,
    /// The URL of the source, as the URL standard writes it; of a responder, without slashes at its end.
    pub url: String,
    /// SHA-256 of the OCSP request, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

impl MirrorNews {
    /// The type of an event with such data.
    pub const EVENT: &'static str = NEWER;
    /// The type of the event that says that others were left out.
    pub const MISSED: &'static str = MISSED;

    /// The news about the source of a request. `None` for a request whose answer no mirror keeps.
    #[must_use]
    pub fn of(request: &EvidenceRequest) -> Option<Self> {
        let digest = |der: &[u8]| HEXLOWER.encode(&certcheck_core::digest::sha256(der));
        let (kind, request, url) = match request {
            EvidenceRequest::Crl { url } => (EvidenceKind::Crl, None, url),
            EvidenceRequest::Ocsp { url, request, nonce: None } => {
                (EvidenceKind::Ocsp, Some(digest(request)), url)
            }
            _ => return None,
        };
        let mut url: String = Url::parse(url).ok()?.into();
        // A mirror that is asked with GET cannot tell whether the responder's own URL ends with a slash.
        if kind == EvidenceKind::Ocsp {
            url.truncate(url.trim_end_matches('/').len());
        }
        Some(Self { kind: kind.code().to_owned(), url, request })
    }
}

/// Announces what the mirror announces, as long as anyone listens. After each connection, anything may have been
/// missed.
pub(super) async fn follow(feed: Arc<MirrorFeed>, announce: mpsc::Sender<Announced>) {
    let mut pause = FIRST_PAUSE;
    loop {
        match listen(&feed, &announce, &mut pause).await {
            Ok(()) => {}
            Err(Ended::NobodyListens) => return,
            Err(Ended::Failed(why)) => debug!(
                name: "mirror-news-ended", target: "certcheck::fetch",
                mirror = %printable(feed.name()), why = %printable(&why), "news of a mirror ended"
            ),
        }
        sleep(pause.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        if announce.is_closed() {
            return;
        }
    }
}

enum Ended {
    NobodyListens,
    Failed(String),
}

/// Listens until the connection ends.
async fn listen(
    feed: &MirrorFeed,
    announce: &mpsc::Sender<Announced>,
    pause: &mut Duration,
) -> Result<(), Ended> {
    let response = feed.open().await.map_err(|failure| Ended::Failed(failure.detail))?;
    let send = async |news| announce.send(news).await.map_err(|_| Ended::NobodyListens);
    send(Announced::Any).await?;
    *pause = FIRST_PAUSE;
    let mut reader = EventReader::default();
    let mut stream = response.bytes_stream();
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|error| Ended::Failed(error.to_string()))?;
        let events = reader.push(&piece).map_err(|_| Ended::Failed("an event is too long".to_owned()))?;
        for event in events {
            match &*event.kind {
                MISSED => send(Announced::Any).await?,
                NEWER => {
                    if let Ok(news) = serde_json::from_str(&event.data) {
                        send(Announced::Source(news)).await?;
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_name_sources_as_the_url_standard_writes_them() {
        let crl = |url: &str| EvidenceRequest::Crl { url: url.into() };
        assert_eq!(MirrorNews::of(&crl("HTTP://CRL.example")), MirrorNews::of(&crl("http://crl.example/")));
        let news = MirrorNews::of(&crl("http://crl.example")).unwrap();
        let text = serde_json::to_string(&news).unwrap();
        assert_eq!(text, r#"{"kind":"crl","url":"http://crl.example/"}"#);
        let ocsp = |nonce: Option<bytes::Bytes>| EvidenceRequest::Ocsp {
            url: "http://o/".into(),
            request: bytes::Bytes::from_static(b"x"),
            nonce,
        };
        assert!(MirrorNews::of(&ocsp(None)).unwrap().request.is_some());
        assert_eq!(MirrorNews::of(&ocsp(Some(bytes::Bytes::from_static(b"n")))), None);
        assert_eq!(MirrorNews::of(&EvidenceRequest::Issuers { url: "http://c/".into() }), None);
    }
}

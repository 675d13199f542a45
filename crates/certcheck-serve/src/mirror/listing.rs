//! What the mirror has, as a page and as JSON: made at most once a second, however often it is asked for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::keeper::Keeper;
use super::page::{SourceState, page};

/// How long what was made is shown.
const SHOWN: Duration = Duration::from_secs(1);

/// What was made last.
#[derive(Debug, Default)]
pub(super) struct Listing {
    page: Arc<Mutex<Option<Made>>>,
    json: Arc<Mutex<Option<Made>>>,
}

#[derive(Clone, Debug)]
struct Made {
    at: Instant,
    bytes: Bytes,
}

impl Listing {
    /// The page for people.
    pub(super) async fn page(&self, keeper: &Arc<Keeper>) -> Bytes {
        recent(&self.page, keeper, |keeper| page(&states(keeper), keeper.now()).into_string()).await
    }

    /// The same as JSON.
    pub(super) async fn json(&self, keeper: &Arc<Keeper>) -> Bytes {
        #[derive(Serialize)]
        struct Sources {
            now: String,
            sources: Vec<SourceState>,
        }
        let make = |keeper: &Keeper| {
            let sources = Sources { now: keeper.now().to_string(), sources: states(keeper) };
            // It has no maps and no numbers that JSON does not have.
            serde_json::to_string(&sources).unwrap_or_default() + "\n"
        };
        recent(&self.json, keeper, make).await
    }
}

fn states(keeper: &Keeper) -> Vec<SourceState> {
    keeper.sources().iter().map(|source| SourceState::of(source)).collect()
}

/// What was made within the last second, or what is made now, for all that wait for it.
async fn recent(
    made: &Arc<Mutex<Option<Made>>>,
    keeper: &Arc<Keeper>,
    make: impl FnOnce(&Keeper) -> String + Send + 'static,
) -> Bytes {
    let mut made = Arc::clone(made).lock_owned().await;
    if let Some(recent) = made.as_ref().filter(|made| made.at.elapsed() < SHOWN) {
        return recent.bytes.clone();
    }
    let keeper = Arc::clone(keeper);
    // With ten thousand sources it takes a while. A client that goes away meanwhile does not make it begin again.
    let making = spawn_blocking(move || {
        let bytes = Bytes::from(make(&keeper));
        *made = Some(Made { at: Instant::now(), bytes: bytes.clone() });
        bytes
    });
    making.await.unwrap_or_default()
}

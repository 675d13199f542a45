//! How a lab that runs is told what to do: one line of JSON each way, on loopback, from whoever can read its state file.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use certcheck_core::digest::sha256;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::authority::{Authority, Standing};
use super::folder::{Folder, State};
use super::log::{Event, Log};
use super::sources::Sources;
use crate::flags::{LabFault, LabSource};
use crate::json;

/// Bytes of a request, and of an answer.
const MAX_ASKED: u64 = 4 << 10;
const MAX_ANSWERED: u64 = 64 << 10;
/// How long a request may take to come.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long an answer may.
const ANSWER: Duration = Duration::from_secs(5);
/// Requests at once.
const AT_ONCE: usize = 8;

/// What is to be done.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    Revoke { name: String, hold: bool },
    Release { name: String },
    Break { source: LabSource, how: LabFault },
    Mend,
    Status,
}

#[derive(Deserialize, Serialize)]
struct Order {
    token: String,
    action: Action,
}

/// What came of it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Answer {
    /// How things stand now.
    Done(Status),
    /// Why it was not done.
    Failed(String),
}

/// How things stand.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Status {
    pub(super) echo: String,
    pub(super) sources: Vec<SourceStatus>,
    pub(super) subjects: Vec<SubjectStatus>,
}

impl json::Document for Status {
    const TYPE: &'static str = "lab-status";
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct SourceStatus {
    pub(super) source: LabSource,
    pub(super) url: String,
    pub(super) broken: Option<LabFault>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct SubjectStatus {
    pub(super) name: String,
    /// `good`, `revoked` or `on-hold`; `unknown` of whom no CA of the lab speaks.
    pub(super) status: String,
    pub(super) revoked_at: Option<String>,
    pub(super) revocation_reason: Option<String>,
    /// What its certificate names: `crl`, `ocsp`.
    pub(super) sources: Vec<String>,
    /// As it was made.
    pub(super) about: String,
}

/// What is controlled.
pub(super) struct Lab {
    pub(super) authority: Arc<Authority>,
    pub(super) sources: Sources,
    pub(super) state: State,
    pub(super) log: Log,
}

impl Lab {
    fn status(&self) -> Status {
        let source = |source: LabSource| SourceStatus {
            source,
            url: self.sources.url(source),
            broken: self.sources.fault(source),
        };
        let subject = |(subject, standing): (&super::pki::Subject, Standing)| {
            let (word, at, reason) = match standing {
                Standing::Good if subject.issuer.is_none() => ("unknown", None, None),
                Standing::Good => ("good", None, None),
                Standing::Revoked { at, reason: "certificateHold" } => {
                    ("on-hold", Some(at), Some("certificateHold"))
                }
                Standing::Revoked { at, reason } => ("revoked", Some(at), Some(reason)),
            };
            SubjectStatus {
                name: subject.name.to_owned(),
                status: word.to_owned(),
                revoked_at: at.map(|at| at.to_string()),
                revocation_reason: reason.map(str::to_owned),
                sources: subject.named.words().split_whitespace().map(str::to_owned).collect(),
                about: subject.about.to_owned(),
            }
        };
        Status {
            echo: self.state.echo.to_string(),
            sources: [LabSource::Cdp, LabSource::Ocsp].map(source).into(),
            subjects: self.authority.everyone().into_iter().map(subject).collect(),
        }
    }

    /// Does it, and tells how things stand.
    fn act(&self, action: Action) -> Answer {
        let done = match &action {
            Action::Revoke { name, hold } => {
                let (reason, word) =
                    if *hold { ("certificateHold", "on-hold") } else { ("keyCompromise", "revoked") };
                self.authority.set(name, Some(reason)).map(|()| Some(Event::new("control", name, word)))
            }
            Action::Release { name } => {
                self.authority.set(name, None).map(|()| Some(Event::new("control", name, "released")))
            }
            Action::Break { source, how } => {
                self.sources.break_with(*source, *how);
                Ok(Some(Event::new("control", source.code(), "broken").detail(how.code())))
            }
            Action::Mend => {
                self.sources.mend();
                Ok(Some(Event::new("control", "cdp, ocsp", "mended")))
            }
            Action::Status => Ok(None),
        };
        match done {
            Ok(event) => {
                event.into_iter().for_each(|event| self.log.record(event));
                Answer::Done(self.status())
            }
            Err(why) => Answer::Failed(why),
        }
    }

    fn answer(&self, line: &[u8]) -> Answer {
        match serde_json::from_slice::<Order>(line) {
            Ok(order) if self.is_token(&order.token) => self.act(order.action),
            Ok(_) => Answer::Failed("the token is another lab's".to_owned()),
            Err(error) => Answer::Failed(format!("no order of this version: {error}")),
        }
    }

    /// By digests: how long it takes says nothing of the token.
    fn is_token(&self, token: &str) -> bool {
        let of = |text: &str| sha256(text.as_bytes());
        of(token) == of(&self.state.token)
    }
}

/// Takes orders, for as long as the lab runs.
pub(super) async fn serve(listener: TcpListener, lab: Arc<Lab>) {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let Ok((mut stream, _)) = listener.accept().await else {
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let lab = Arc::clone(&lab);
        tokio::spawn(async move {
            let exchange = async {
                let (read, mut write) = stream.split();
                let mut line = Vec::new();
                tokio::io::BufReader::new(read.take(MAX_ASKED)).read_until(b'\n', &mut line).await?;
                let mut answer = serde_json::to_vec(&lab.answer(&line))?;
                answer.push(b'\n');
                write.write_all(&answer).await?;
                write.shutdown().await
            };
            // Who goes away, or says nothing, has no order.
            let _gone: Result<io::Result<()>, _> = timeout(PATIENCE, exchange).await;
            drop(permit);
        });
    }
}

/// Whether the lab of this state runs.
pub(super) fn is_running(state: &State) -> bool {
    matches!(exchange(state, Action::Status), Ok(Answer::Done(_)))
}

/// Has the lab in this folder do something.
pub(super) fn order(folder: &Folder, action: Action) -> anyhow::Result<Status> {
    let path = folder.path().display();
    let state = folder.state().with_context(|| {
        format!("there is no lab in {path}; start one with certcheck lab, or name its --dir")
    })?;
    let answer = exchange(&state, action).map_err(|error| {
        anyhow!("the lab in {path} does not run ({error}); start it with certcheck lab --dir {path}")
    })?;
    match answer {
        Answer::Done(status) => Ok(status),
        Answer::Failed(why) => Err(anyhow!(why)),
    }
}

fn exchange(state: &State, action: Action) -> io::Result<Answer> {
    // A folder from elsewhere must not have us talk to others.
    if !state.control.ip().is_loopback() {
        return Err(io::Error::other("its state file does not name loopback"));
    }
    let mut stream = TcpStream::connect_timeout(&state.control, PATIENCE)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.set_write_timeout(Some(ANSWER))?;
    let mut line = serde_json::to_vec(&Order { token: state.token.clone(), action })?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = Vec::new();
    BufReader::new(stream.take(MAX_ANSWERED)).read_until(b'\n', &mut answer)?;
    Ok(serde_json::from_slice(&answer)?)
}

//! Orders to a lab that runs: one line of JSON each way, on loopback, with the token of its state file.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use certcheck_core::digest::sha256;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};

use super::authority::{Authority, HOLD, Standing};
use super::folder::{Folder, State};
use super::log::{Event, Log};
use super::sources::Sources;
use crate::flags::{LabFault, LabSource};
use crate::{json, setup};

/// Bytes of a request, and of an answer.
const MAX_ASKED: u64 = 4 << 10;
const MAX_ANSWERED: u64 = 64 << 10;
/// How long a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long an answer may.
const ANSWER: Duration = Duration::from_secs(5);
/// Requests at once.
const AT_ONCE: usize = 8;

/// An order.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    Revoke { name: String, hold: bool },
    Release { name: String },
    Break { source: LabSource, how: LabFault },
    Repair,
    Status,
    Stop,
}

#[derive(Deserialize, Serialize)]
struct Order {
    token: String,
    action: Action,
}

/// The answer to an order.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Answer {
    /// The state afterwards.
    Done(Status),
    /// Why it was not done.
    Failed(String),
}

/// The state of the lab.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Status {
    pub(super) echo: String,
    pub(super) status_page: String,
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
    /// `revoked`, `on-hold`, `expired`, `not-yet-valid`, `good`, or `unknown` if its CA is not in the lab.
    pub(super) status: String,
    pub(super) revoked_at: Option<String>,
    pub(super) revocation_reason: Option<String>,
    pub(super) not_before: String,
    pub(super) not_after: String,
    /// What its certificate names: `crl`, `ocsp`.
    pub(super) sources: Vec<String>,
    /// As it was made.
    pub(super) about: String,
}

/// The lab under control.
pub(super) struct Lab {
    pub(super) authority: Arc<Authority>,
    pub(super) sources: Sources,
    pub(super) state: State,
    pub(super) log: Log,
    /// Notified once the order to stop has been answered.
    pub(super) stop: Arc<Notify>,
}

impl Lab {
    fn status(&self) -> Status {
        let now = setup::time(None);
        let source = |source: LabSource| SourceStatus {
            source,
            url: self.sources.url(source),
            broken: self.sources.fault(source),
        };
        let subject = |(subject, standing): (&super::pki::Subject, Standing)| {
            let (word, at, reason) = match standing {
                Standing::Revoked { at, reason: HOLD } => ("on-hold", Some(at), Some(HOLD)),
                Standing::Revoked { at, reason } => ("revoked", Some(at), Some(reason)),
                Standing::Good if now > subject.not_after => ("expired", None, None),
                Standing::Good if now < subject.not_before => ("not-yet-valid", None, None),
                Standing::Good if subject.issuer.is_none() => ("unknown", None, None),
                Standing::Good => ("good", None, None),
            };
            SubjectStatus {
                name: subject.name.to_owned(),
                status: word.to_owned(),
                revoked_at: at.map(|at| at.to_string()),
                revocation_reason: reason.map(str::to_owned),
                not_before: subject.not_before.to_string(),
                not_after: subject.not_after.to_string(),
                sources: subject.named.words().split_whitespace().map(str::to_owned).collect(),
                about: subject.about.to_owned(),
            }
        };
        Status {
            echo: self.state.echo.to_string(),
            status_page: self.state.status_page.clone(),
            sources: [LabSource::Cdp, LabSource::Ocsp].map(source).into(),
            subjects: self.authority.everyone().into_iter().map(subject).collect(),
        }
    }

    /// Does it, and returns the state afterwards.
    fn act(&self, action: Action) -> Answer {
        let done = match &action {
            Action::Revoke { name, hold } => {
                let (reason, word) = if *hold { (HOLD, "on-hold") } else { ("keyCompromise", "revoked") };
                self.authority.revoke(name, reason).map(|()| Some(Event::new("control", name, word)))
            }
            Action::Release { name } => {
                let event = |was| Event::new("control", name, "released").detail(format!("was {was}"));
                self.authority.release(name).map(|was| Some(event(was)))
            }
            Action::Break { source, how } => {
                self.sources.break_with(*source, *how);
                Ok(Some(Event::new("control", source.code(), "broken").detail(how.code())))
            }
            Action::Repair => {
                self.sources.repair();
                Ok(Some(Event::new("control", "cdp, ocsp", "repaired")))
            }
            Action::Stop => Ok(Some(Event::new("control", "lab", "stopped"))),
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

    /// The answer to a line, and whether the lab is to stop.
    fn answer(&self, line: &[u8]) -> (Answer, bool) {
        match serde_json::from_slice::<Order>(line) {
            Ok(order) if self.is_token(&order.token) => {
                let stops = matches!(order.action, Action::Stop);
                (self.act(order.action), stops)
            }
            Ok(_) => (Answer::Failed("the token is another lab's".to_owned()), false),
            Err(error) => (Answer::Failed(format!("no order of this version: {error}")), false),
        }
    }

    /// By digests, so that the time it takes reveals nothing about the token.
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
                let (answer, stops) = lab.answer(&line);
                let mut answer = serde_json::to_vec(&answer)?;
                answer.push(b'\n');
                let written = write.write_all(&answer).await;
                if stops {
                    lab.stop.notify_one();
                }
                written?;
                write.shutdown().await
            };
            // A client that goes away, or says nothing, gives no order.
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
        format!("there is no lab in {path}; start one with certcheck lab --dir {path}, or name the folder of another with --dir")
    })?;
    let start = format!("start it with certcheck lab --dir {path}");
    if let Some(ended) = &state.ended {
        bail!("no lab is running in {path}: it ended at {ended}; {start}");
    }
    let stops = matches!(action, Action::Stop);
    let answer = exchange(&state, action)
        .map_err(|error| anyhow!("no lab is running in {path} ({error}); {start}"))?;
    match answer {
        Answer::Done(status) if stops => wait_for_end(&state).map(|()| status),
        Answer::Done(status) => Ok(status),
        Answer::Failed(why) => Err(anyhow!(why)),
    }
}

/// Waits until the lab no longer answers, so that another can take its folder and ports.
fn wait_for_end(state: &State) -> anyhow::Result<()> {
    let begun = Instant::now();
    while is_running(state) {
        if begun.elapsed() > ANSWER {
            bail!("the lab was told to stop and is still running, as process {}", state.pid);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn exchange(state: &State, action: Action) -> io::Result<Answer> {
    // A folder from elsewhere must not make us connect to another machine.
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

//! One connection of HAProxy.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use certcheck_rustls::Summary;
use certcheck_rustls::certcheck_fetch::printable;
use metrics::histogram;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::message::{self, Message, Question, Status};
use crate::events::Validated;
use crate::listener::Peer;
use crate::metrics as names;
use crate::phase::{Phase, reached};
use crate::validation::context::{Context, Given};
use crate::validation::decide;
use crate::validation::header::{HeaderFault, MAX_CERTIFICATE, split_der};

/// The largest frame: HAProxy's buffer has 16 KiB unless it is configured otherwise.
const MAX_FRAME: u32 = 128 << 10;
/// The time for a frame that has begun.
const FRAME: Duration = Duration::from_secs(10);
/// The time between two frames.
const IDLE: Duration = Duration::from_secs(600);
/// The longest text of an answer. All of them fit into the smallest buffer of HAProxy.
const MAX_TEXT: usize = 1_024;
/// The name in logs and metrics.
const ROUTE: &str = "spop";

/// Answers the frames of a connection to its end.
pub(in crate::validation) async fn serve<S>(context: Context, mut io: S, peer: Peer)
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let mut ending = context.phase.clone();
    let mut max_frame = MAX_FRAME;
    let mut held = context.lasting.bytes.of(peer);
    let last = loop {
        let frame = tokio::select! {
            frame = read_frame(&mut io, max_frame, |bytes| context.hold(&mut held, peer, bytes)) => frame,
            () = reached(&mut ending, Phase::Draining) => break Status::Normal,
        };
        let answer = match frame.as_deref().map_err(|end| *end).and_then(|frame| Ok(message::read(frame)?)) {
            Ok(Message::Hello { max_frame: theirs, is_healthcheck }) => {
                max_frame = theirs.min(MAX_FRAME);
                if is_healthcheck {
                    let _gone = io.write_all(&message::agent_hello(max_frame)).await;
                    return;
                }
                message::agent_hello(max_frame)
            }
            Ok(Message::Notify { stream, frame, question }) => {
                answer(&context, peer, (stream, frame), &question).await
            }
            Ok(Message::Disconnect) => break Status::Normal,
            Err(End::Gone) => return,
            Err(End::Refused(status)) => break status,
        };
        held.release();
        if !matches!(timeout(FRAME, io.write_all(&answer)).await, Ok(Ok(()))) {
            return;
        }
    };
    let _gone = timeout(FRAME, io.write_all(&message::disconnect(last))).await;
}

/// Why there is no further frame.
#[derive(Clone, Copy, Debug)]
enum End {
    Gone,
    Refused(Status),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl From<Status> for End {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

/// The next frame, without its length, if it may be held.
async fn read_frame(
    io: &mut (impl AsyncRead + Unpin),
    max: u32,
    may_hold: impl FnOnce(usize) -> bool,
) -> Result<Vec<u8>, End> {
    let Ok(length) = timeout(IDLE, io.read_u32()).await else { return Err(Status::Timeout.into()) };
    let length = length?;
    if length > max {
        return Err(Status::TooBig.into());
    }
    let length = usize::try_from(length).map_err(|_| Status::TooBig)?;
    if !may_hold(length) {
        return Err(Status::Resources.into());
    }
    let mut frame = vec![0; length];
    match timeout(FRAME, io.read_exact(&mut frame)).await {
        Ok(read) => read.map(|_| frame).map_err(End::from),
        Err(_) => Err(Status::Timeout.into()),
    }
}

/// The answer to a question. What cannot be read is a refusal.
async fn answer(context: &Context, peer: Peer, of: (u64, u64), question: &Question<'_>) -> Vec<u8> {
    let begun = Instant::now();
    let active = context.active();
    let refused = |code: &'static str, detail: &str| {
        context.count(ROUTE, "reject");
        let mut summary = Summary::of_code(code);
        summary.detail = Some(detail.to_owned());
        context.refused(peer, Validated { client: question.source, ..Validated::new(ROUTE, &summary) });
        message::ack(of, false, &[("code", code)])
    };
    let given = question.secret.map_or(Given::None, Given::One);
    let Some(asker) = context.asker(&active, peer, given) else {
        context.count(ROUTE, "refused");
        return message::ack(of, false, &[("code", "not-authenticated")]);
    };
    let policy = question.policy.map(core::str::from_utf8).transpose();
    let Some(engine) = policy.ok().and_then(|policy| active.engine(policy)) else {
        return refused("no-policy", "no policy of this name is configured");
    };
    let chain = match (question.leaf.unwrap_or_default(), question.chain.unwrap_or_default()) {
        ([], _) => return refused("no-certificate", "the client has no certificate"),
        (leaf, _) if leaf.len() > MAX_CERTIFICATE => {
            return refused("malformed-header", "the certificate is too large");
        }
        (leaf, chain) => split_der(leaf).and_then(|mut leaf| match leaf.len() {
            1 => {
                leaf.extend(split_der(chain)?);
                Ok(leaf)
            }
            several => Err(HeaderFault::Several(several)),
        }),
    };
    let chain = match chain {
        Ok(chain) => chain,
        Err(fault) => return refused(fault.code(), &fault.to_string()),
    };
    let decided = decide::decide((&active, &context.lasting), engine, &chain, asker).await;
    let listener = Arc::clone(&context.listener);
    histogram!(names::VALIDATION_SECONDS, "listener" => listener).record(begun.elapsed().as_secs_f64());
    context.count(ROUTE, decided.verdict());
    let code = decided.code();
    let Some(known) = decided.known() else {
        let summary = decided.summary();
        context.refused(peer, Validated { client: question.source, ..Validated::new(ROUTE, &summary) });
        return message::ack(of, false, &[("code", code)]);
    };
    let short = |text: &str| printable(text).to_string().chars().take(MAX_TEXT / 4).collect::<String>();
    let (subject, user) = (short(&known.identity.subject()), known.user.clone().unwrap_or_default());
    message::ack(of, true, &[("code", code), ("subject", &subject), ("user", &user)])
}

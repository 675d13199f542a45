//! `POST /v1/verify`: a program asks about a chain, and is answered with JSON.

use std::sync::Arc;

use hyper::{Response, StatusCode};

use super::active::{Active, Lasting};
use super::answer::{self, Answer, Body};
use super::decide::{self, Asker, Decided};
use super::request::Question;

/// The name of what was asked, in the report.
const INPUT: &str = "request";

/// Answers a question, and returns what is known of the chain. `None` if nothing was checked.
pub(super) async fn answer(
    (active, lasting): (&Active, &Arc<Lasting>),
    question: &Question,
    decision_id: &str,
    asker: Asker,
) -> (Response<Body>, Option<Decided>) {
    let Some(engine) = active.engine(question.policy.as_deref()) else {
        let message = "policy: no policy of this name is configured";
        return (answer::problem(StatusCode::BAD_REQUEST, "no-policy", message), None);
    };
    let within = question.within.unwrap_or(active.config.limits.check_timeout);
    let decided = decide::decide((active, lasting), engine, &question.chain, Asker { within, ..asker }).await;
    if decided.is_busy {
        let message = "too many checks wait for evidence; ask again";
        return (answer::problem(StatusCode::TOO_MANY_REQUESTS, "busy", message), Some(decided));
    }
    let name = question.explain.then_some(INPUT);
    (answer::json(StatusCode::OK, &Answer::new(&decided, decision_id, name)), Some(decided))
}

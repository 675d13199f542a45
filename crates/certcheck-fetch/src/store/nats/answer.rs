//! The answers of JetStream, in JSON.

use core::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, de};

use crate::store::remote::{Failed, LISTED, Trouble};

/// The errors of JetStream that mean something here.
pub(super) const WRONG_LAST: u32 = 10_071;
pub(super) const NO_STREAM: u32 = 10_059;
pub(super) const NAME_IN_USE: u32 = 10_058;
pub(super) const SUBJECTS_IN_USE: u32 = 10_065;

/// What is wrong with a request.
#[derive(Debug, Deserialize)]
pub(super) struct Fault {
    #[serde(default)]
    pub(super) err_code: u32,
    #[serde(default)]
    description: String,
}

/// An answer of any kind. What has no meaning here is skipped.
#[derive(Debug, Deserialize)]
struct Answer {
    error: Option<Fault>,
    seq: Option<u64>,
    config: Option<Config>,
    state: Option<StreamState>,
}

/// What a stream is, and what is in it.
#[derive(Debug)]
pub(super) struct Info {
    pub(super) config: Config,
    pub(super) subjects: Vec<String>,
}

/// The settings of a stream.
#[derive(Debug, Deserialize)]
pub(super) struct Config {
    #[serde(default)]
    pub(super) allow_direct: bool,
    #[serde(default)]
    pub(super) max_msgs_per_subject: i64,
}

#[derive(Debug, Deserialize)]
struct StreamState {
    #[serde(default)]
    subjects: Subjects,
}

/// The keys of an object, as many as are listed.
#[derive(Debug, Default)]
struct Subjects(Vec<String>);

/// The number of the message that was written.
pub(super) fn written(answer: &[u8]) -> Result<Result<u64, Fault>, Failed> {
    parse(answer, |answer| answer.seq)
}

/// A stream.
pub(super) fn info(answer: &[u8]) -> Result<Result<Info, Fault>, Failed> {
    parse(answer, |Answer { config, state, .. }| Some(Info { config: config?, subjects: state?.subjects.0 }))
}

/// That something was done.
pub(super) fn done(answer: &[u8]) -> Result<Result<(), Fault>, Failed> {
    parse(answer, |_| Some(()))
}

fn parse<T>(answer: &[u8], content: impl FnOnce(Answer) -> Option<T>) -> Result<Result<T, Fault>, Failed> {
    let unexpected = |detail: String| Failed { trouble: Trouble::Other, detail };
    let mut answer: Answer = serde_json::from_slice(answer).map_err(|error| unexpected(error.to_string()))?;
    if let Some(fault) = answer.error.take() {
        return Ok(Err(fault));
    }
    content(answer).map(Ok).ok_or_else(|| unexpected("an answer without content".to_owned()))
}

impl<'de> Deserialize<'de> for Subjects {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SubjectsVisitor)
    }
}

struct SubjectsVisitor;

impl<'de> Visitor<'de> for SubjectsVisitor {
    type Value = Subjects;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Subjects, E> {
        Ok(Subjects::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Subjects, A::Error> {
        let mut subjects = Vec::new();
        while let Some((subject, _)) = map.next_entry::<String, IgnoredAny>()? {
            if subjects.len() < LISTED {
                subjects.push(subject);
            }
        }
        Ok(Subjects(subjects))
    }
}

impl From<Fault> for Failed {
    fn from(Fault { err_code, description }: Fault) -> Self {
        let trouble = match err_code {
            // The limits of a stream, an account or a server, for bytes or for messages.
            10_002 | 10_023 | 10_028 | 10_047 | 10_077 | 10_122 => Trouble::Full,
            10_035 | 10_039 | 10_076 | NO_STREAM => Trouble::NoBucket,
            // It has no leader now.
            10_008 | 10_009 => Trouble::Loading,
            _ => Trouble::Other,
        };
        Self { trouble, detail: format!("{description} ({err_code})") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        assert!(matches!(written(br#"{"stream":"KV_b","seq":7}"#), Ok(Ok(7))));
        let refused = br#"{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 1"}}"#;
        assert!(matches!(written(refused), Ok(Err(Fault { err_code: WRONG_LAST, .. }))));
        assert!(matches!(done(br#"{"success":true,"purged":2}"#), Ok(Ok(()))));
        let stream = br#"{"config":{"allow_direct":true,"max_msgs_per_subject":1,"name":"KV_b"},
            "state":{"messages":2,"subjects":{"a":1,"b":1}}}"#;
        let info = info(stream).expect("JSON").expect("a stream");
        assert!(info.config.allow_direct && info.config.max_msgs_per_subject == 1);
        assert_eq!(info.subjects, ["a", "b"]);
    }

    #[test]
    fn what_is_no_answer() {
        let deep = "[".repeat(100_000);
        for answer in ["", "{}", "[]", "{\"seq\":-1}", "{\"seq\":\"1\"}", "{\"seq\":1", &deep] {
            assert!(written(answer.as_bytes()).is_err(), "{answer:.20}");
        }
        for answer in ["{\"config\":{}}", "{\"config\":{},\"state\":{\"subjects\":[1]}}", "{\"state\":{}}"] {
            assert!(info(answer.as_bytes()).is_err(), "{answer}");
        }
        let empty = br#"{"config":{},"state":{"subjects":null}}"#;
        assert!(info(empty).expect("JSON").expect("a stream").subjects.is_empty());
    }

    #[test]
    fn a_list_that_is_too_long_is_cut() {
        let subjects: Vec<String> = (0..LISTED + 5).map(|number| format!("\"{number}\":1")).collect();
        let text = format!("{{\"config\":{{}},\"state\":{{\"subjects\":{{{}}}}}}}", subjects.join(","));
        assert_eq!(info(text.as_bytes()).expect("JSON").expect("a stream").subjects.len(), LISTED);
    }
}

//! What the trouble is when Redis or its client gives an error.

use redis::{ErrorKind, RedisError, ServerError, ServerErrorKind};

use crate::store::remote::{Failed, Trouble};

impl From<RedisError> for Failed {
    fn from(error: RedisError) -> Self {
        Self { trouble: trouble_of(&error), detail: error.to_string() }
    }
}

/// The trouble that an error is about.
fn trouble_of(error: &RedisError) -> Trouble {
    // Of several commands, the first that failed.
    if let Some(errors) = error.clone().into_server_errors()
        && let Some((_, first)) = errors.first()
    {
        return of_answer(first);
    }
    match error.kind() {
        ErrorKind::AuthenticationFailed => Trouble::Denied,
        ErrorKind::Io if error.is_timeout() => Trouble::Slow,
        ErrorKind::Io | ErrorKind::ClusterConnectionNotFound | ErrorKind::Parse => Trouble::Unreachable,
        _ => Trouble::Other,
    }
}

fn of_answer(error: &ServerError) -> Trouble {
    match error.kind() {
        Some(ServerErrorKind::BusyLoading) => return Trouble::Loading,
        Some(ServerErrorKind::ReadOnly) => return Trouble::ReadOnly,
        Some(ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::CrossSlot) => {
            return Trouble::Moved;
        }
        Some(ServerErrorKind::NoPerm) => return Trouble::Denied,
        Some(ServerErrorKind::ClusterDown | ServerErrorKind::MasterDown | ServerErrorKind::TryAgain) => {
            return Trouble::Unreachable;
        }
        _ => {}
    }
    match error.code() {
        "OOM" => return Trouble::Full,
        "WRONGTYPE" => return Trouble::WrongType,
        "NOAUTH" | "WRONGPASS" => return Trouble::Denied,
        _ => {}
    }
    // The error of a command that a script ran: some engines give the script's code and have the command's in the
    // text.
    let detail = error.details().unwrap_or_default();
    for (word, trouble) in [
        ("OOM", Trouble::Full),
        ("WRONGTYPE", Trouble::WrongType),
        ("READONLY", Trouble::ReadOnly),
        ("NOPERM", Trouble::Denied),
        ("ACL failure", Trouble::Denied),
    ] {
        if detail.contains(word) {
            return trouble;
        }
    }
    Trouble::Other
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    #[test]
    fn each_error_has_its_name() {
        for (answer, code) in [
            ("-LOADING Redis is loading the dataset in memory", "loading"),
            ("-READONLY You can't write against a read only replica.", "read-only"),
            (
                "-READONLY You can't write against a read only replica. script: 7f92, on @user_script:12.",
                "read-only",
            ),
            ("-ERR user_script:2: -READONLY You can't write against a read only replica.", "read-only"),
            ("-MOVED 3999 127.0.0.1:6381", "moved"),
            ("-CROSSSLOT Keys in request don't hash to the same slot", "moved"),
            ("-CLUSTERDOWN Hash slot not served", "unreachable"),
            ("-MASTERDOWN Link with MASTER is down", "unreachable"),
            ("-OOM command not allowed when used memory > 'maxmemory'.", "full"),
            ("-ERR user_script:9: OOM command not allowed when used memory > 'maxmemory'.", "full"),
            ("-WRONGTYPE Operation against a key holding the wrong kind of value", "wrong-type"),
            ("-NOAUTH Authentication required.", "denied"),
            ("-NOPERM this user has no permissions to run the 'eval' command", "denied"),
            ("-ERR unknown command 'EVALSHA'", "other"),
            ("-MISCONF Redis is configured to save RDB snapshots", "other"),
        ] {
            let value = parse_redis_value(format!("{answer}\r\n").as_bytes()).expect("an answer");
            let error = value.extract_error().expect_err("an error");
            assert_eq!(trouble_of(&error).code(), code, "{answer}");
        }
    }

    #[test]
    fn trouble_with_the_connection() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(trouble_of(&refused.into()), Trouble::Unreachable);
        let slow = std::io::Error::from(std::io::ErrorKind::TimedOut);
        assert_eq!(trouble_of(&slow.into()), Trouble::Slow);
    }
}

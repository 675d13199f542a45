//! A configuration from TOML.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::document::{Reading, Scope};
use super::fault::{ConfigError, ConfigFault};
use super::listener_keys::{self, INHERITED, OWN};
use super::model::{AdminConfig, EventClass, LogConfig, LogFormat, ServeConfig};
use super::origin::Origins;
use super::{durations, rules, values};

/// A larger file is not read.
const MAX_BYTES: u64 = 1 << 20;
/// The most listeners.
const MAX_LISTENERS: usize = 1_024;

/// The keys outside listeners, in addition to those that listeners inherit.
const TOP: &[&str] = &["listener", "admin", "log", "drain_timeout", "watch_files"];
const ADMIN: &[&str] = &["listen", "allow_remote"];
const LOG: &[&str] = &["format", "quiet"];

/// A configuration, and where its values come from.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Loaded {
    /// The configuration.
    pub config: ServeConfig,
    /// Where its values come from.
    pub origins: Origins,
}

impl Loaded {
    /// A configuration whose values come from these places.
    ///
    /// # Errors
    /// If values contradict each other.
    pub fn new(config: ServeConfig, origins: Origins) -> Result<Self, ConfigError> {
        let faults = rules::check(&config, &origins);
        if faults.is_empty() { Ok(Self { config, origins }) } else { Err(ConfigError::new(faults)) }
    }
}

/// The configuration in a file.
///
/// # Errors
/// All faults of the file, each with its line and column.
pub fn read_file(path: &Path) -> Result<Loaded, ConfigError> {
    let fault = |what: &dyn core::fmt::Display| ConfigError::of(format!("{}: {what}", path.display()));
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| fault(&format_args!("it cannot be read: {error}")))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(fault(&format_args!("a configuration has at most {MAX_BYTES} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| fault(&"it is not UTF-8, which TOML has to be"))?;
    read_text(path, &text)
}

/// The configuration in a text, under the name of this file. Relative paths are relative to its folder.
///
/// # Errors
/// All faults of the text, each with its line and column.
pub fn read_text(file: &Path, text: &str) -> Result<Loaded, ConfigError> {
    let mut reading = Reading::new(file, text);
    let document = DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        let subject =
            text.get(span.clone()).filter(|text| error.message() == "duplicate key" && text.len() <= 60);
        let message = match subject {
            Some(key) => format!("the key `{key}` is there twice"),
            None => error.message().to_owned(),
        };
        ConfigError::new(vec![ConfigFault::new(Some(reading.place(span.start)), message)])
    })?;
    let table = document.get_ref();
    let config = configuration(&mut reading, table);
    let Reading { mut faults, origins, .. } = reading;
    if faults.is_empty() {
        faults = rules::check(&config, &origins);
    }
    if faults.is_empty() { Ok(Loaded { config, origins }) } else { Err(ConfigError::new(faults)) }
}

fn configuration<'d>(reading: &mut Reading<'d>, table: &'d DeTable<'d>) -> ServeConfig {
    let of_listeners = "put it into a [[listener]] table";
    reading.refuse_unknown(table, "", &[TOP, INHERITED], &[(OWN, of_listeners)]);
    let top = Scope { listener: None, prefix: "", own: table, outer: None, at: 0 };
    let usual = ServeConfig::default();
    let drain_timeout =
        reading.value(top, "drain_timeout", usual.drain_timeout, durations::duration(Duration::ZERO));
    let watch_files = durations::duration_or_off(Duration::from_millis(100));
    let watch_files = reading.value(top, "watch_files", usual.watch_files, watch_files);
    let admin = admin(reading, top);
    let log = log(reading, top);
    let listeners = listeners(reading, top);
    ServeConfig { listeners, admin, log, drain_timeout, watch_files }
}

fn admin<'d>(reading: &mut Reading<'d>, top: Scope<'d>) -> AdminConfig {
    let Some(scope) = reading.table_of(top, "admin", "admin.") else { return AdminConfig::default() };
    reading.refuse_unknown(scope.own, "admin: ", &[ADMIN], &[]);
    AdminConfig {
        listen: reading.value(scope, "listen", Vec::new(), values::distinct(values::listen)),
        allow_remote: reading.value(scope, "allow_remote", false, values::switch),
    }
}

fn log<'d>(reading: &mut Reading<'d>, top: Scope<'d>) -> LogConfig {
    let Some(scope) = reading.table_of(top, "log", "log.") else { return LogConfig::default() };
    reading.refuse_unknown(scope.own, "log: ", &[LOG], &[]);
    LogConfig {
        format: reading.value(scope, "format", LogFormat::default(), values::word),
        quiet: reading.value(scope, "quiet", Vec::new(), values::list(values::word::<EventClass>)),
    }
}

fn listeners<'d>(reading: &mut Reading<'d>, top: Scope<'d>) -> Vec<super::model::ListenerConfig> {
    let Some((_, value)) = top.own.iter().find(|(key, _)| key.get_ref() == "listener") else {
        reading.fault(0, "no listener: a configuration has at least one [[listener]] table");
        return Vec::new();
    };
    let at = value.span().start;
    let DeValue::Array(array) = value.get_ref() else {
        reading.fault(at, "listener: not a list of tables, each of which is written as [[listener]]");
        return Vec::new();
    };
    if array.is_empty() || array.len() > MAX_LISTENERS {
        reading.fault(at, format!("listener: {} listeners; 1 to {MAX_LISTENERS} are allowed", array.len()));
        return Vec::new();
    }
    let mut listeners = Vec::new();
    for (number, value) in array.iter().enumerate() {
        let at = value.span().start;
        let Some(own) = value.get_ref().as_table() else {
            reading.fault(at, "listener: not a table, which is written as [[listener]]");
            continue;
        };
        let scope = Scope { listener: Some(number), prefix: "", own, outer: Some(top.own), at };
        listeners.extend(listener_keys::listener(reading, scope, TOP));
    }
    listeners
}

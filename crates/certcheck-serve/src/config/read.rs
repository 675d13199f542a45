//! A configuration from TOML.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::document::{Reading, Scope};
use super::fault::{ConfigError, ConfigFault};
use super::listener_keys::{self, INHERITED, OWN};
use super::model::{AdminConfig, EventClass, LogConfig, LogFormat, ServeConfig};
use super::origin::{Origins, Section};
use super::policy_keys::{self, PolicyListener};
use super::{durations, mirror_keys, rules, validation_keys, values};

/// A larger file is not read.
const MAX_BYTES: u64 = 1 << 20;
/// The most listeners.
const MAX_LISTENERS: usize = 1_024;

/// The number from which on listeners that name policies are counted while they are read. No other one has it.
const FAR: usize = usize::MAX / 2;

/// The keys outside listeners, in addition to those that listeners inherit.
const TOP: &[&str] =
    &["listener", "validation", "mirror", "admin", "log", "drain_timeout", "watch_files", "sandbox"];
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
    /// The AT-TLS policies that it names.
    pub policies: Vec<PathBuf>,
}

/// What makes the listeners of a policy.
pub type ReadPolicy<'r> = &'r dyn Fn(&PolicyListener) -> Result<Loaded, ConfigError>;

impl Loaded {
    /// A configuration whose values come from these places.
    ///
    /// # Errors
    /// If values contradict each other.
    pub fn new(config: ServeConfig, origins: Origins) -> Result<Self, ConfigError> {
        let faults = rules::check(&config, &origins);
        if faults.is_empty() {
            Ok(Self { config, origins, policies: Vec::new() })
        } else {
            Err(ConfigError::new(faults))
        }
    }
}

/// The configuration in a file. It cannot name AT-TLS policies: those are read by
/// [`policy_file::read_config`](crate::policy_file::read_config).
///
/// # Errors
/// All faults of the file, each with its line and column.
pub fn read_file(path: &Path) -> Result<Loaded, ConfigError> {
    read_file_with(path, &no_policy)
}

/// The configuration in a file, whose AT-TLS policies are read by a function.
///
/// # Errors
/// All faults of the file, each with its line and column. If it has none, all faults of the policies.
pub fn read_file_with(path: &Path, policies: ReadPolicy<'_>) -> Result<Loaded, ConfigError> {
    let fault = |what: &dyn core::fmt::Display| ConfigError::of(format!("{}: {what}", path.display()));
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| fault(&format_args!("it cannot be read: {error}")))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(fault(&format_args!("a configuration has at most {MAX_BYTES} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| fault(&"it is not UTF-8, which TOML has to be"))?;
    read_text_with(path, &text, policies)
}

/// The configuration in a text, under the name of this file. Relative paths are relative to its folder.
///
/// # Errors
/// All faults of the text, each with its line and column.
pub fn read_text(file: &Path, text: &str) -> Result<Loaded, ConfigError> {
    read_text_with(file, text, &no_policy)
}

fn no_policy(_: &PolicyListener) -> Result<Loaded, ConfigError> {
    Err(ConfigError::of("at_tls: a policy cannot be read here"))
}

/// The configuration in a text, under the name of this file, whose AT-TLS policies are read by a function.
///
/// # Errors
/// As for [`read_file_with`].
pub fn read_text_with(file: &Path, text: &str, policies: ReadPolicy<'_>) -> Result<Loaded, ConfigError> {
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
    let (mut config, mut named) = configuration(&mut reading, table);
    // Each other listener has its number already.
    named.retain(|_| reading.faults.is_empty());
    let mut files = Vec::new();
    for Named { at, number, policy } in named {
        add_policy(&mut reading, &mut config, (at, number), policies(&policy));
        files.push(policy.file);
    }
    let Reading { mut faults, origins, .. } = reading;
    if faults.is_empty() {
        faults = rules::check(&config, &origins);
    }
    if !faults.is_empty() {
        return Err(ConfigError::new(faults));
    }
    Ok(Loaded { config, origins, policies: files })
}

/// A policy that is named at an offset by the listener with this number, which is not one of the configuration.
struct Named {
    at: usize,
    number: usize,
    policy: PolicyListener,
}

/// Adds the listeners of a policy behind the others.
fn add_policy(
    reading: &mut Reading<'_>,
    config: &mut ServeConfig,
    (at, number): (usize, usize),
    read: Result<Loaded, ConfigError>,
) {
    match read {
        Ok(loaded) => {
            let before = config.listeners.len();
            for (more, _) in loaded.config.listeners.iter().enumerate() {
                reading.origins.copy(number, before + more);
            }
            reading.origins.append(&loaded.origins, before);
            config.listeners.extend(loaded.config.listeners);
        }
        Err(error) => {
            let place = reading.place(at);
            for fault in error.faults() {
                let place = fault.place.clone().unwrap_or_else(|| place.clone());
                reading.faults.push(ConfigFault::new(Some(place), fault.message.clone()));
            }
        }
    }
}

fn configuration<'d>(reading: &mut Reading<'d>, table: &'d DeTable<'d>) -> (ServeConfig, Vec<Named>) {
    let of_listeners = (OWN, "put it into a [[listener]] table");
    let of_validations = (validation_keys::OWN, "put it into a [[validation]] table");
    reading.refuse_unknown(table, "", &[TOP, INHERITED], &[of_listeners, of_validations]);
    let top = Scope { section: Section::Top, prefix: "", own: table, outer: None, outermost: None, at: 0 };
    let usual = ServeConfig::default();
    let drain_timeout =
        reading.value(top, "drain_timeout", usual.drain_timeout, durations::duration(Duration::ZERO));
    let watch_files = durations::duration_or_off(Duration::from_millis(100));
    let watch_files = reading.value(top, "watch_files", usual.watch_files, watch_files);
    let sandbox = reading.value(top, "sandbox", usual.sandbox, values::switch);
    let admin = admin(reading, top);
    let log = log(reading, top);
    let (listeners, policies) = listeners(reading, top);
    let validations = validation_keys::validations(reading, top, TOP);
    let mirror = mirror_keys::mirror(reading, top, TOP);
    (
        ServeConfig { listeners, validations, mirror, admin, log, drain_timeout, watch_files, sandbox },
        policies,
    )
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

fn listeners<'d>(
    reading: &mut Reading<'d>,
    top: Scope<'d>,
) -> (Vec<super::model::ListenerConfig>, Vec<Named>) {
    let none = (Vec::new(), Vec::new());
    let Some((_, value)) = top.own.iter().find(|(key, _)| key.get_ref() == "listener") else {
        if !top.has("validation") && !top.has("mirror") {
            reading.fault(0, rules::NO_LISTENER);
        }
        return none;
    };
    let at = value.span().start;
    let DeValue::Array(array) = value.get_ref() else {
        reading.fault(at, "listener: not a list of tables, each of which is written as [[listener]]");
        return none;
    };
    if array.is_empty() || array.len() > MAX_LISTENERS {
        reading.fault(at, format!("listener: {} listeners; 1 to {MAX_LISTENERS} are allowed", array.len()));
        return none;
    }
    let (mut listeners, mut policies) = (Vec::new(), Vec::new());
    let is_of_policy = |value: &&super::document::Value<'d>| {
        value
            .get_ref()
            .as_table()
            .is_some_and(|table| table.contains_key("at_tls") || table.contains_key("at-tls"))
    };
    // The others first, so that their numbers are those of the configuration.
    let (of_policies, others): (Vec<_>, Vec<_>) = array.iter().partition(is_of_policy);
    for (number, value) in others.into_iter().enumerate().chain((FAR..).zip(of_policies)) {
        let at = value.span().start;
        let Some(own) = value.get_ref().as_table() else {
            reading.fault(at, "listener: not a table, which is written as [[listener]]");
            continue;
        };
        let scope = Scope {
            section: Section::Listener(number),
            prefix: "",
            own,
            outer: Some(top.own),
            outermost: None,
            at,
        };
        let Some(listener) = listener_keys::listener(reading, scope, TOP) else { continue };
        if number < FAR {
            policy_keys::policy(reading, scope, listener.clone());
            listeners.push(listener);
        } else if let Some((at, policy)) = policy_keys::policy(reading, scope, listener) {
            policies.push(Named { at, number, policy });
        }
    }
    (listeners, policies)
}

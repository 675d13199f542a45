//! The configuration of a front: its types, how it is read from TOML, and how it is printed.
//!
//! ```text
//! model     the types, with defaults
//! words     each value that is a word, for reading and for printing
//! document  TOML with positions           fault  each fault with file, line and column
//! read      TOML to the model             print  the model to TOML, each value with its origin
//! ```

mod access_keys;
mod address;
mod check;
mod document;
mod durations;
mod fault;
mod http;
mod http_keys;
mod listener_keys;
mod mirror;
mod mirror_keys;
mod model;
mod nearest;
mod origin;
mod policy_keys;
mod print;
mod print_validation;
mod read;
mod rules;
mod validation;
mod validation_keys;
mod values;
mod words;

pub use address::{AddressFault, ListenAddress, PortRange, Upstream};
pub use check::{CheckConfig, NetworkConfig, ProxyFor};
pub use fault::{ConfigError, ConfigFault, Place};
pub use http::{HttpConfig, IdentityHeader, ServiceVersion, XfccField};
pub use mirror::{MirrorConfig, MirrorLimits};
pub use model::{
    AdminConfig, CertificateFiles, ClientCertificate, EventClass, ListenerConfig, ListenerLimits, LogConfig,
    LogFormat, ProxyPeers, ProxyProtocol, ProxyTlv, ProxyVersion, ServeConfig, TlsConfig, TlsVersion,
    UnknownSni,
};
pub use origin::{Origins, Section, ValueOrigin};
pub use policy_keys::PolicyListener;
pub use print::print;
pub use read::{Loaded, ReadPolicy, read_file, read_file_with, read_text, read_text_with};
pub use validation::{
    CertificateSource, PeerTls, RouteConfig, Unauthenticated, ValidationConfig, ValidationLimits,
    ValidationPolicy, ValidationProtocol,
};

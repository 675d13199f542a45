//! The configuration of one listener, from flags.

use certcheck_core::Revocation;
use certcheck_serve::config::{
    CertificateFiles, ConfigError, ListenerConfig, Loaded, Origins, ProxyVersion, ServeConfig, ValueOrigin,
};

use crate::flags::{ProxyProtocolFlag, QuickArguments, RevocationFlag};

/// The name of the listener.
const NAME: &str = "front";

/// The configuration that these flags give.
///
/// # Errors
/// If they contradict each other.
pub(super) fn configuration(arguments: &QuickArguments) -> Result<Loaded, ConfigError> {
    let QuickArguments { upstream: Some(upstream), cert: Some(cert), key: Some(key), .. } = arguments else {
        return Err(ConfigError::of("--listen needs --upstream, --cert and --key"));
    };
    let mut listener = ListenerConfig::new(NAME, upstream.clone());
    listener.listen.clone_from(&arguments.listen);
    listener.allow_remote_upstream = arguments.allow_remote_upstream;
    listener.tls.certificates = vec![CertificateFiles { chain: cert.clone(), key: key.clone() }];
    let check = &mut listener.check;
    check.ring.clone_from(&arguments.ring);
    check.crl.clone_from(&arguments.crl);
    check.network.allow_net.clone_from(&arguments.allow_net);
    check.network.cache_dir.clone_from(&arguments.cache_dir);
    let mut origins = Origins::default();
    let mut note = |is_given: bool, key: &str, flag: &str| {
        if is_given {
            origins.note(Some(0), key, ValueOrigin::Flag(flag.to_owned()));
        }
    };
    for key in ["listen", "upstream"] {
        note(true, key, &format!("--{key}"));
    }
    note(true, "certificates", "--cert, --key");
    note(arguments.allow_remote_upstream, "allow_remote_upstream", "--allow-remote-upstream");
    note(!arguments.ring.is_empty(), "ring", "--ring");
    note(!arguments.crl.is_empty(), "crl", "--crl");
    note(!arguments.allow_net.is_empty(), "allow_net", "--allow-net");
    note(arguments.cache_dir.is_some(), "cache_dir", "--cache-dir");
    if let Some(revocation) = arguments.revocation {
        listener.check.revocation = match revocation {
            RevocationFlag::HardFail => Revocation::HardFail,
            RevocationFlag::IfOffered => Revocation::IfOffered,
            RevocationFlag::SoftFail => Revocation::SoftFail,
            RevocationFlag::Off => Revocation::Off,
        };
        note(true, "revocation", "--revocation");
    }
    if let Some(version) = arguments.proxy_protocol {
        listener.proxy_protocol.version = version.into();
        note(true, "proxy_protocol", "--proxy-protocol");
    }
    Loaded::new(ServeConfig { listeners: vec![listener], ..ServeConfig::default() }, origins)
}

impl From<ProxyProtocolFlag> for ProxyVersion {
    fn from(flag: ProxyProtocolFlag) -> Self {
        match flag {
            ProxyProtocolFlag::None => Self::None,
            ProxyProtocolFlag::V1 => Self::V1,
            ProxyProtocolFlag::V2 => Self::V2,
        }
    }
}

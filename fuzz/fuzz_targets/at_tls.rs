//! Anything as a policy of AT-TLS: it is refused, or its formatted text means the same, and what it becomes can be printed
//! and read again.
#![no_main]

use std::path::Path;

use certcheck_serve::at_tls::vocabulary::Permission;
use certcheck_serve::at_tls::{
    CompiledPolicy, KeyringName, Permissions, ReadOptions, compile, configure, explain, format,
};
use certcheck_serve::config::{ListenerConfig, Upstream, print, read_text};
use certcheck_serve::ring_folders;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((mode, text)) = data.split_first() else { return };
    let options = ReadOptions { fragment: mode & 1 == 1 };
    let permissions: Permissions = Permission::ALL.into_iter().filter(|_| mode & 2 == 2).collect();
    let policy = compile(text, options, &permissions);
    assert!(policy.listeners.is_empty() || !policy.diagnostics.has_errors());
    if policy.diagnostics.has_errors() {
        return;
    }
    let formatted = format(&policy.text);
    let again = compile(formatted.as_bytes(), options, &permissions);
    assert!(!again.diagnostics.has_errors(), "{formatted}\n{:?}", again.diagnostics.sorted());
    assert_eq!(again.text.clone().without_places(), policy.text.clone().without_places());
    assert_eq!(format(&again.text), formatted);
    let settings = |policy: &CompiledPolicy| -> Vec<_> {
        policy
            .listeners
            .iter()
            .map(|plan| (plan.ports.clone(), plan.clients.clone(), plan.settings.clone()))
            .collect()
    };
    assert_eq!(settings(&again), settings(&policy));
    for plan in &policy.listeners {
        assert!(!explain(plan).is_empty());
    }
    let base = ListenerConfig::new("", Upstream::Tcp { host: "127.0.0.1".to_owned(), port: 8080 });
    let rings = Path::new("/rings");
    let find = |name: &KeyringName, label: Option<&str>| {
        let found = ring_folders::planned(rings, name, label);
        if let Ok(files) = &found {
            let is_below = |path: &Path| {
                path.starts_with(rings) && !path.components().any(|part| part.as_os_str() == "..")
            };
            assert!(
                is_below(&files.ring)
                    && files.certificates.iter().all(|it| is_below(&it.chain) && is_below(&it.key))
            );
        }
        found
    };
    if let Ok(loaded) = configure(&policy, Path::new("policy.txt"), &base, find) {
        let printed = print(&loaded.config, &loaded.origins);
        let again = read_text(Path::new("/serve.toml"), &printed);
        assert_eq!(again.map(|again| again.config), Ok(loaded.config), "{printed}");
    }
});

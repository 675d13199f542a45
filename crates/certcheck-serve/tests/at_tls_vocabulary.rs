//! Every row of the vocabulary: a value of each kind that the row names is applied, or named in the warning or error that
//! the row says, and the table of the page is made of the rows.

use std::fmt::Write as _;
use std::path::Path;

use certcheck_serve::at_tls::vocabulary::{
    Handling, Parameter, Permission, StatementKind, Values, When, parameters,
};
use certcheck_serve::at_tls::{
    Code, CompiledPolicy, ListenerPlan, Permissions, ReadOptions, Severity, compile,
};

/// A policy with this line in a statement of this kind, and the number of the line.
fn policy(kind: StatementKind, line: &str) -> (String, usize) {
    let (mut text, mut at) = (String::new(), 0);
    let mut add = |statement: StatementKind, name: &str, own: &[&str]| {
        let _ = writeln!(text, "{} {name}\n{{", statement.keyword());
        let word = line.split(' ').next().unwrap_or_default();
        // The line replaces the one of the usual policy for the same word, or for the same condition.
        let is_replaced = |usual: &&&str| {
            let usual = usual.split(' ').next().unwrap_or_default();
            let stem = |word: &str| {
                word.trim_end_matches("Ref").trim_end_matches("Range").trim_end_matches("Group").to_owned()
            };
            kind == statement && (usual == word || (kind != EnvironmentAction && stem(usual) == stem(word)))
        };
        for usual in own.iter().filter(|usual| !is_replaced(usual)) {
            let _ = writeln!(text, "{usual}");
        }
        if kind == statement && at == 0 {
            let _ = writeln!(text, "{line}");
            at = text.lines().count();
        }
        text += "}\n";
    };
    use StatementKind::*;
    let refers = |kind: StatementKind, name: &str| format!("{}Ref {name}", kind.keyword());
    add(
        Rule,
        "r",
        &[
            "LocalPortRange 6777",
            "Direction Inbound",
            "TTLSGroupActionRef a",
            "TTLSEnvironmentActionRef a",
            "TTLSConnectionActionRef a",
        ],
    );
    add(GroupAction, "a", &["TTLSEnabled On", "TTLSGroupAdvancedParmsRef a"]);
    add(GroupAdvancedParms, "a", &[]);
    add(
        EnvironmentAction,
        "a",
        &[
            "HandshakeRole ServerWithClientAuth",
            &refers(KeyringParms, "a"),
            &refers(CipherParms, "a"),
            &refers(SignatureParms, "a"),
            &refers(EnvironmentAdvancedParms, "a"),
            &refers(GskAdvancedParms, "a"),
        ],
    );
    add(KeyringParms, "a", &["Keyring SRV/ring"]);
    add(CipherParms, "a", &[]);
    add(SignatureParms, "a", &[]);
    add(EnvironmentAdvancedParms, "a", &[]);
    add(ConnectionAction, "a", &[&refers(ConnectionAdvancedParms, "a")]);
    add(ConnectionAdvancedParms, "a", &[]);
    add(
        GskAdvancedParms,
        "a",
        &[&refers(GskOcspParms, "a"), &refers(GskHttpCdpParms, "a"), &refers(GskLdapParms, "a")],
    );
    add(GskOcspParms, "a", &["OcspAiaEnable On", "OcspProxyServerName p.example"]);
    let proxy: &[&str] = if line.starts_with("OcspProxy") {
        &["HttpCdpEnable On"]
    } else {
        &["HttpCdpEnable On", "HttpCdpProxyServerName p.example"]
    };
    add(GskHttpCdpParms, "a", proxy);
    add(GskLdapParms, "a", &["GSK_LDAP_SERVER l.example"]);
    // Conditions that rules may name.
    add(IpAddr, "a", &["Addr 192.0.2.1"]);
    add(IpAddrSet, "a", &["Prefix 192.0.2.0/24"]);
    add(IpAddrGroup, "a", &["IpAddrRef a"]);
    add(PortRange, "a", &["Port 6778"]);
    add(PortGroup, "a", &["PortRangeRef a"]);
    add(IpTimeCondition, "a", &[]);
    (text, at)
}

fn read(text: &str, permissions: &[Permission]) -> CompiledPolicy {
    let permissions: Permissions = permissions.iter().copied().collect();
    compile(text.as_bytes(), ReadOptions::default(), &permissions)
}

/// Values of a parameter, one for each of its uses at least.
fn samples(parameter: &Parameter) -> Vec<String> {
    let mut samples: Vec<String> = match parameter.values {
        Values::OneOf(words) => words.iter().map(|word| (*word).to_owned()).collect(),
        Values::Number(least, largest) | Values::NumberOrNone(least, largest) => {
            // Neither the default nor a limit.
            let inner = (least + 1 + (largest - least) / 3).min(largest);
            vec![least.to_string(), inner.to_string(), largest.to_string()]
        }
        Values::Ports => vec!["6779".to_owned()],
        Values::Addresses => vec![match parameter.name {
            "Prefix" => "198.51.100.0/24".to_owned(),
            "Range" => "198.51.100.1-198.51.100.9".to_owned(),
            _ => "198.51.100.1".to_owned(),
        }],
        Values::Reference(_) => vec!["a".to_owned()],
        Values::Word | Values::WordOrNothing | Values::Secret => vec!["x.example".to_owned()],
        Values::Url => vec!["http://ocsp.example/".to_owned()],
        Values::Suites => vec!["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256".to_owned()],
        Values::Suites4 => vec!["C02F1301".to_owned()],
        Values::Codes => vec!["0501".to_owned()],
        _ => vec!["08:00-17:00".to_owned()],
    };
    for use_ in parameter.uses {
        match use_.when {
            When::Is(word) => samples.push(word.to_owned()),
            When::Below(bound) => samples.push((bound - 1).to_string()),
            When::Above(bound) => samples.push((bound + 1).to_string()),
            _ => {}
        }
    }
    samples.sort();
    samples.dedup();
    samples
}

/// What two plans differ in: all but where the settings are.
fn differ(one: &[ListenerPlan], other: &[ListenerPlan]) -> bool {
    let shown = |plans: &[ListenerPlan]| -> Vec<String> {
        let shown = |plan: &ListenerPlan| {
            format!("{:?} {:?} {:?} {:?}", plan.addresses, plan.ports, plan.clients, plan.settings)
        };
        plans.iter().map(shown).collect()
    };
    shown(one) != shown(other)
}

/// Parameters that are applied, and whose effect is not a difference of this one listener.
const BY_ITSELF: &[&str] = &["Priority", "Direction", "TTLSEnabled", "HandshakeRole"];

#[test]
fn every_row_is_applied_or_named_as_it_says() {
    let (mut rows, mut faults) = (0, Vec::new());
    for parameter in parameters() {
        let mut has_effect = false;
        for kind in parameter.within {
            for sample in samples(parameter) {
                let (text, at) = policy(*kind, &format!("{} {sample}", parameter.name));
                if let Some(fault) = row(parameter, *kind, &sample, &text, at, &mut has_effect) {
                    faults.push(format!("{} {sample} in {kind:?}: {fault}\n{text}", parameter.name));
                }
                rows += 1;
            }
        }
        let is_applied =
            |use_: &certcheck_serve::at_tls::vocabulary::Use| matches!(use_.handling, Handling::Applied(_));
        let is_condition = parameter.refers_to().is_some()
            || parameter.within.iter().any(|kind| {
                use StatementKind::*;
                [IpAddr, IpAddrSet, IpAddrGroup, PortRange, PortGroup].contains(kind)
            });
        if parameter.uses.iter().any(is_applied)
            && !has_effect
            && !is_condition
            && !BY_ITSELF.contains(&parameter.name)
        {
            faults.push(format!(
                "{}: it is said to be applied, and no value of it has an effect",
                parameter.name
            ));
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
    assert!(rows > 400, "{rows}");
}

/// What is wrong with what becomes of a value.
fn row(
    parameter: &Parameter,
    kind: StatementKind,
    sample: &str,
    text: &str,
    at: usize,
    has_effect: &mut bool,
) -> Option<String> {
    let matches = |when: When| {
        let number = sample.parse::<u64>().ok();
        match when {
            When::Is(word) => word == sample,
            When::Below(bound) => number.is_some_and(|number| number < bound),
            When::Above(bound) => number.is_some_and(|number| number > bound),
            _ => true,
        }
    };
    let handling = parameter.uses.iter().find(|use_| matches(use_.when))?.handling;
    let policy = read(text, &[]);
    let on_line: Vec<_> = policy
        .diagnostics
        .sorted()
        .into_iter()
        .filter(|it| it.at.line == at && it.severity != Severity::Note)
        .collect();
    let says = |code: &[Code], severity: Severity, text: &str| {
        on_line
            .iter()
            .any(|it| code.contains(&it.code) && it.severity == severity && it.message.contains(text))
    };
    // Statements that no rule of this policy names.
    use StatementKind::*;
    let is_elsewhere =
        [IpAddr, IpAddrSet, IpAddrGroup, PortRange, PortGroup, IpTimeCondition].contains(&kind);
    match handling {
        _ if is_elsewhere => {
            policy.diagnostics.has_errors().then(|| format!("{:?}", policy.diagnostics.sorted()))
        }
        Handling::Applied(_) => {
            let (usual, _) = self::policy(IpTimeCondition, "");
            *has_effect |= differ(&read(&usual, &[]).listeners, &policy.listeners);
            let has_error = policy.diagnostics.has_errors();
            has_error.then(|| format!("an error: {:?}", policy.diagnostics.sorted()))
        }
        Handling::Always(_) => (!on_line.is_empty()).then(|| format!("{on_line:?}")),
        Handling::Instead(text) => {
            let codes = [Code::NotApplied, Code::NotServed];
            (!says(&codes, Severity::Warning, text))
                .then(|| format!("no warning: {:?}", policy.diagnostics.sorted()))
        }
        Handling::Refused(said, permission) => {
            if !says(&[Code::NeedsPermission], Severity::Error, said) || !policy.listeners.is_empty() {
                return Some(format!("not refused: {:?}", policy.diagnostics.sorted()));
            }
            let allowed = read(text, &[permission]);
            allowed.diagnostics.has_errors().then(|| format!("refused: {:?}", allowed.diagnostics.sorted()))
        }
        Handling::Impossible(text) => (!says(&[Code::BadValue], Severity::Error, text))
            .then(|| format!("{:?}", policy.diagnostics.sorted())),
        _ => Some("a handling without a test".to_owned()),
    }
}

#[test]
fn each_default_that_differs_is_named() {
    let (usual, _) = policy(StatementKind::IpTimeCondition, "");
    let notes = read(&usual, &[]);
    let notes: Vec<_> =
        notes.diagnostics.sorted().into_iter().filter(|it| it.code == Code::DifferentDefault).collect();
    let mut count = 0;
    for parameter in parameters() {
        let Some(text) = parameter.unset else { continue };
        // The usual policy has these.
        if ["OcspAiaEnable", "HttpCdpEnable"].contains(&parameter.name) {
            continue;
        }
        let named = |it: &&&certcheck_serve::at_tls::Diagnostic| {
            it.message.contains(&format!("`{}`", parameter.name)) && it.message.contains(text)
        };
        assert_eq!(notes.iter().filter(named).count(), 1, "{}", parameter.name);
        count += 1;
    }
    assert!(count > 15, "{count}");
    assert_eq!(notes.len(), count);
}

const BEGIN: &str = "<!-- Made from the vocabulary. -->\n";
const END: &str = "<!-- End of what is made from the vocabulary. -->\n";

/// The tables of `docs/at-tls.md`: `UPDATE_DOCS=1 cargo test -p certcheck-serve --test at_tls_vocabulary`.
#[test]
fn the_page_has_the_vocabulary() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/at-tls.md");
    let page = std::fs::read_to_string(&path).expect("a page");
    let (before, rest) = page.split_once(BEGIN).expect("a beginning");
    let (_, after) = rest.split_once(END).expect("an end");
    let made = format!("{before}{BEGIN}{}{END}{after}", tables());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).expect("written");
    }
    let page = std::fs::read_to_string(&path).expect("a page");
    assert!(page == made, "docs/at-tls.md is stale: run again with UPDATE_DOCS=1");
}

fn tables() -> String {
    let mut text = String::new();
    for kind in StatementKind::ALL {
        let rows: Vec<_> = parameters().filter(|parameter| parameter.within.first() == Some(&kind)).collect();
        if rows.is_empty() {
            continue;
        }
        let _ = write!(text, "\n### {}\n\n{}.\n", kind.keyword(), kind.purpose());
        text += "\n| parameter | values | default on z/OS | certcheck |\n|---|---|---|---|\n";
        for parameter in rows {
            let others: Vec<_> =
                parameter.within.iter().skip(1).map(|kind| format!("`{}`", kind.keyword())).collect();
            let others =
                if others.is_empty() { String::new() } else { format!(" (also in {})", others.join(", ")) };
            let default = match parameter.default {
                "" => String::new(),
                default => format!("{default} ({})", parameter.known_by.mark()),
            };
            let _ = writeln!(
                text,
                "| `{}`{others} | {} | {default} | {} |",
                parameter.name,
                parameter.values,
                uses(parameter)
            );
        }
    }
    text
}

fn uses(parameter: &Parameter) -> String {
    let mut parts = Vec::new();
    for use_ in parameter.uses {
        let when = match use_.when {
            When::Is(word) => format!("{word}: "),
            When::Below(bound) => format!("below {bound}: "),
            When::Above(bound) => format!("above {bound}: "),
            _ if parameter.uses.len() > 1 => "else: ".to_owned(),
            _ => String::new(),
        };
        parts.push(match use_.handling {
            Handling::Applied(to) if to.contains(' ') => format!("{when}applied: {to}"),
            Handling::Applied(to) => format!("{when}applied: `{to}`"),
            Handling::Always(text) => format!("{when}{text}"),
            Handling::Instead(text) => format!("{when}**warning**: {text}"),
            Handling::Refused(text, permission) => {
                format!("{when}**refused** without `--allow {permission}`: {text}")
            }
            Handling::Impossible(text) => format!("{when}**refused**: {text}"),
            _ => when,
        });
    }
    parts.extend(parameter.unset.map(|text| format!("not set: {text}")));
    parts.join("<br>")
}

//! From rules to listeners: which rule a connection gets, and what certcheck serves.
//!
//! z/OS takes the first rule whose conditions hold. A listener belongs to addresses and ports, so rules that share ports
//! must agree on everything else, or listen on different addresses.

use super::addresses::AddressRange;
use super::diagnostic::{Code, Diagnostics, Severity};
use super::grammar::ReadOptions;
use super::permissions::Permissions;
use super::plan::{self, ListenerPlan, PlannedSettings};
use super::rules::{self, ResolvedRule, place};
use super::text::{PolicyText, Setting};
use super::vocabulary::{EACH_ADDRESS, Handling, Permission, StatementKind, parameters};

/// The most ports of a rule without a permission.
const MANY_PORTS: u32 = 1_024;

/// The listeners of a policy, and what is wrong with it or different from z/OS. With errors, nothing of it may be used.
pub(super) fn plan(
    policy: &PolicyText,
    options: ReadOptions,
    permissions: &Permissions,
) -> (Vec<ListenerPlan>, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let rules = rules::resolve(policy, options, &mut diagnostics);
    // Faults in statements would repeat themselves in each rule that uses them.
    if diagnostics.has_errors() {
        return (Vec::new(), diagnostics);
    }
    let mut planner = Planner { permissions, diagnostics };
    let candidates: Vec<_> = rules.iter().map(|rule| planner.candidate(rule)).collect();
    let plans = planner.listeners(&candidates);
    if plans.is_empty() && !planner.diagnostics.has_errors() {
        let at = policy.statements.first().map(|statement| statement.at).unwrap_or_default();
        let message = "the policy has no rule that certcheck can serve";
        let help = "it serves rules with Direction Inbound or Both, TTLSEnabled On, and HandshakeRole ServerWithClientAuth";
        planner.diagnostics.error_with_help(Code::NothingToServe, at, message, help);
    }
    (plans, planner.diagnostics)
}

/// Ports, from the first to the last of each range.
type PortRanges = Vec<(u16, u16)>;

/// What becomes of a rule.
struct Candidate<'p, 'r> {
    rule: &'r ResolvedRule<'p>,
    fate: Served,
}

/// Whether a rule is served.
enum Served {
    /// It is for outbound connections alone.
    Elsewhere,
    /// Its connections have no TLS.
    WithoutTls,
    /// Its clients need no certificate.
    WithoutCertificate,
    Yes(Box<PlannedSettings>),
    /// An error says why not.
    Faulty,
}

struct Planner<'a> {
    permissions: &'a Permissions,
    diagnostics: Diagnostics,
}

impl Planner<'_> {
    fn candidate<'p, 'r>(&mut self, rule: &'r ResolvedRule<'p>) -> Candidate<'p, 'r> {
        Candidate { rule, fate: self.served(rule) }
    }

    fn served(&mut self, rule: &ResolvedRule<'_>) -> Served {
        if rule.own_word("Direction") == Some("Outbound") {
            self.not_served(rule, rule.statement.setting("Direction"));
            return Served::Elsewhere;
        }
        if rule.is_on("TTLSEnabled") != Some(true) {
            self.not_served(rule, rule.setting("TTLSEnabled"));
            return Served::WithoutTls;
        }
        let role = rule.setting("HandshakeRole");
        match rule.word("HandshakeRole") {
            Some("Client") => {
                self.not_served(rule, role);
                return Served::Elsewhere;
            }
            Some("Server") if self.permissions.allow(Permission::NoClientCertificate) => {
                if let Some(role) = role {
                    let message =
                        format!("the rule `{}` asks clients for no certificate, as allowed", rule.name);
                    self.diagnostics.warning(Code::NeedsPermission, role.at, message);
                }
            }
            Some("Server") => {
                self.not_served(rule, role);
                return Served::WithoutCertificate;
            }
            _ => {}
        }
        let before = self.diagnostics.errors();
        self.say_what_differs(rule);
        self.check_ports(rule);
        let settings = plan::settings(rule, self.permissions, &mut self.diagnostics);
        match settings {
            Some(settings) if self.diagnostics.errors() == before => Served::Yes(Box::new(settings)),
            _ => Served::Faulty,
        }
    }

    fn not_served(&mut self, rule: &ResolvedRule<'_>, because: Option<&Setting>) {
        let Some(setting) = because else { return };
        let Some(Handling::Instead(text)) = setting.parameter.handling(&setting.value) else { return };
        let message = format!("rule `{}`, `{} {}`: {text}", rule.name, setting.parameter.name, setting.value);
        self.diagnostics.warning(Code::NotServed, setting.at, message);
    }

    /// Names each setting that is not applied as on z/OS, and each default that is not used.
    fn say_what_differs(&mut self, rule: &ResolvedRule<'_>) {
        let own = rule.statement.settings().filter(|setting| setting.parameter.refers_to().is_none());
        // A reference to conditions is a condition.
        let references = rule.statement.settings().filter(|setting| {
            matches!(
                setting.parameter.refers_to(),
                Some(StatementKind::PortRange | StatementKind::PortGroup | StatementKind::IpTimeCondition)
            )
        });
        let others = rule.settings.values().flatten().map(|(_, setting)| *setting);
        let all: Vec<&Setting> = own.chain(references).chain(others).collect();
        for setting in &all {
            self.say_what_is_done(setting);
        }
        for inner in rule.statement.statements() {
            let text = "certcheck has no times of day, so the rule would always hold";
            self.ask(Permission::TimeCondition, inner.kind.keyword(), text, inner.at);
        }
        let has_ldap = rule.setting("GSK_LDAP_SERVER").is_some();
        for parameter in parameters() {
            let is_about_ldap = parameter.within == [StatementKind::GskLdapParms];
            if let Some(text) = parameter.unset
                && !all.iter().any(|setting| setting.parameter.name == parameter.name)
                && (has_ldap || !is_about_ldap)
            {
                let default = match parameter.default {
                    "" => String::new(),
                    default => format!(" (z/OS: {default})"),
                };
                let message = format!("`{}` is not set{default}: {text}", parameter.name);
                self.diagnostics.note(Code::DifferentDefault, place(rule), message);
            }
        }
    }

    fn say_what_is_done(&mut self, setting: &Setting) {
        let title = match &setting.value {
            super::value::Value::Secret(_) => setting.parameter.name.to_owned(),
            value => format!("{} {value}", setting.parameter.name),
        };
        match setting.parameter.handling(&setting.value) {
            None | Some(Handling::Applied(_) | Handling::Always(_)) => {}
            Some(Handling::Instead(text)) => {
                self.diagnostics.warning(Code::NotApplied, setting.at, format!("`{title}`: {text}"));
            }
            Some(Handling::Refused(text, permission)) => self.ask(permission, &title, text, setting.at),
            Some(Handling::Impossible(text)) => {
                self.diagnostics.error(Code::BadValue, setting.at, format!("`{title}`: {text}"));
            }
        }
    }

    /// An error, or with the permission a warning.
    fn ask(&mut self, permission: Permission, title: &str, text: &str, at: super::Position) {
        let is_mapped = permission == Permission::NoUserMapping && self.permissions.has_user_rules();
        // A permission that makes the rules unnecessary is named in a warning, rules or not.
        if is_mapped && !self.permissions.allow(permission) {
            return;
        }
        let message = format!("`{title}`: {text}");
        if self.permissions.allow(permission) {
            self.diagnostics.warning(Code::NeedsPermission, at, format!("{message}; this is allowed"));
        } else {
            let help = format!("remove it, or allow it with --allow {permission}");
            self.diagnostics.error_with_help(Code::NeedsPermission, at, message, help);
        }
    }

    fn check_ports(&mut self, rule: &ResolvedRule<'_>) {
        let setting =
            rule.statement.settings().find(|setting| setting.parameter.name.starts_with("LocalPort"));
        let at = setting.map_or_else(|| place(rule), |setting| setting.at);
        let is_every_port =
            |ports: &[(u16, u16)]| ports.is_empty() || ports.iter().any(|(first, _)| *first == 0);
        if is_every_port(&rule.ports) {
            let message = format!("the rule `{}` is for every port; a listener needs ports", rule.name);
            let help = "add `LocalPortRange` with the ports of the service";
            self.diagnostics.error_with_help(Code::MissingParameter, at, message, help);
            return;
        }
        let count: u32 = rule.ports.iter().map(|(first, last)| u32::from(last - first) + 1).sum();
        if count > MANY_PORTS {
            let title = format!("rule {}", rule.name);
            let text = format!("it is for {count} ports; more than {MANY_PORTS} are rarely meant");
            self.ask(Permission::ManyPorts, &title, &text, at);
        }
        let is_network = |range: &&AddressRange| range.single().is_none() && **range != AddressRange::All;
        if let Some(range) = rule.local.iter().find(is_network) {
            let is_local = |setting: &&Setting| setting.parameter.name.starts_with("LocalAddr");
            let at =
                rule.statement.settings().find(is_local).map_or_else(|| place(rule), |setting| setting.at);
            let message =
                format!("the rule `{}` is for the local addresses {range}: {EACH_ADDRESS}", rule.name);
            self.diagnostics.error(Code::BadValue, at, message);
        }
    }

    /// The listeners: for each range of ports with the same rules.
    fn listeners(&mut self, candidates: &[Candidate<'_, '_>]) -> Vec<ListenerPlan> {
        let inbound: Vec<_> =
            candidates.iter().filter(|candidate| !matches!(candidate.fate, Served::Elsewhere)).collect();
        let mut bounds: Vec<u32> = inbound
            .iter()
            .flat_map(|candidate| &candidate.rule.ports)
            .flat_map(|(first, last)| [u32::from(*first), u32::from(*last) + 1])
            .collect();
        bounds.sort_unstable();
        bounds.dedup();
        // Groups of rules, each with its ports.
        let mut groups: Vec<(Vec<usize>, PortRanges)> = Vec::new();
        let mut reached = vec![false; inbound.len()];
        for bound in bounds.windows(2) {
            let &[first, end] = bound else { continue };
            let (Ok(first), Ok(last)) = (u16::try_from(first), u16::try_from(end - 1)) else { continue };
            let rules = reachable(&inbound, first);
            for at in &rules {
                if let Some(reached) = reached.get_mut(*at) {
                    *reached = true;
                }
            }
            match groups.iter_mut().find(|(known, _)| *known == rules) {
                Some((_, ports)) => match ports.last_mut() {
                    Some((_, before)) if before.checked_add(1) == Some(first) => *before = last,
                    _ => ports.push((first, last)),
                },
                None if rules.is_empty() => {}
                None => groups.push((rules, vec![(first, last)])),
            }
        }
        for (candidate, _) in inbound.iter().zip(&reached).filter(|(candidate, reached)| {
            !**reached && matches!(candidate.fate, Served::Yes(_)) && !candidate.rule.ports.is_empty()
        }) {
            let rule = candidate.rule;
            let message = format!(
                "no connection can reach the rule `{}`: rules before it are for the same ports",
                rule.name
            );
            let help =
                format!("rules are taken by Priority, then by name; `{}` has {}", rule.name, rule.priority);
            self.diagnostics.add(Severity::Warning, Code::Shadowed, place(rule), message, Some(help));
        }
        let mut plans: Vec<ListenerPlan> = Vec::new();
        for (rules, ports) in groups {
            let rules: Vec<_> = rules.iter().filter_map(|at| inbound.get(*at).copied()).collect();
            self.plans_of(&rules, &ports, &mut plans);
        }
        plans
    }

    /// The listeners of ports, for the rules that their connections may get.
    fn plans_of(
        &mut self,
        rules: &[&Candidate<'_, '_>],
        ports: &[(u16, u16)],
        plans: &mut Vec<ListenerPlan>,
    ) {
        let mut own: Vec<ListenerPlan> = Vec::new();
        let served = rules.iter().filter_map(|candidate| match &candidate.fate {
            Served::Yes(settings) => Some((candidate.rule, settings.as_ref())),
            _ => None,
        });
        for (rule, settings) in served {
            let addresses: Vec<_> = rule.local.iter().filter_map(AddressRange::single).collect();
            let clients: Vec<_> =
                if rule.remote.contains(&AddressRange::All) { Vec::new() } else { rule.remote.clone() };
            let shares = |plan: &&mut ListenerPlan| {
                plan.addresses.is_empty()
                    || addresses.is_empty()
                    || plan.addresses.iter().any(|address| addresses.contains(address))
            };
            match own.iter_mut().find(shares) {
                None => own.push(ListenerPlan {
                    rules: vec![rule.name.to_owned()],
                    at: place(rule),
                    addresses,
                    ports: ports.to_vec(),
                    clients,
                    settings: settings.clone(),
                    sources: plan::sources(rule),
                }),
                Some(plan) if plan.settings == *settings && plan.addresses == addresses => {
                    plan.rules.push(rule.name.to_owned());
                    if clients.is_empty() || plan.clients.is_empty() {
                        plan.clients = Vec::new();
                    } else {
                        plan.clients.extend(clients);
                    }
                }
                Some(plan) => {
                    let first = plan.rules.first().cloned().unwrap_or_default();
                    let message = format!(
                        "the rules `{first}` and `{}` are for the same port {} and need different settings or addresses",
                        rule.name,
                        ports.first().map(|(first, _)| *first).unwrap_or_default()
                    );
                    let help = "certcheck has one listener for a port: give the rules different ports, or equal actions";
                    self.diagnostics.error_with_help(Code::Conflict, place(rule), message, help);
                }
            }
        }
        if own.is_empty() {
            return;
        }
        for candidate in rules {
            let name = candidate.rule.name;
            let at = place(candidate.rule);
            match candidate.fate {
                Served::WithoutTls => {
                    let title = format!("rule {name}");
                    let text = "it turns TLS off for connections to a port that another rule serves; here they need TLS and a certificate";
                    self.ask(Permission::TlsOff, &title, text, at);
                }
                Served::WithoutCertificate => {
                    let message = format!(
                        "clients of the rule `{name}` need a certificate here, since another rule serves the same port"
                    );
                    self.diagnostics.warning(Code::NotServed, at, message);
                }
                Served::Elsewhere | Served::Yes(_) | Served::Faulty => {}
            }
        }
        plans.append(&mut own);
    }
}

/// The rules that a connection to a port may get, in order. A rule for all addresses ends the search.
fn reachable(candidates: &[&Candidate<'_, '_>], port: u16) -> Vec<usize> {
    let mut rules = Vec::new();
    for (at, candidate) in candidates.iter().enumerate() {
        let rule = candidate.rule;
        let is_for_port =
            rule.ports.is_empty() || rule.ports.iter().any(|(first, last)| (*first..=*last).contains(&port));
        if !is_for_port {
            continue;
        }
        rules.push(at);
        let narrows = |setting: &Setting| {
            let name = setting.parameter.name;
            name.starts_with("RemotePort")
                || name == "Jobname"
                || name == "Userid"
                || name.starts_with("IpTime")
        };
        let is_for_all = rule.local.contains(&AddressRange::All)
            && rule.remote.contains(&AddressRange::All)
            && !rule.statement.settings().any(narrows)
            && rule.statement.statements().next().is_none();
        if is_for_all {
            break;
        }
    }
    rules
}

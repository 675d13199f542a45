//! Rules with what they refer to: conditions, and the settings that hold for their connections.

use std::collections::{BTreeMap, BTreeSet};

use super::addresses::AddressRange;
use super::diagnostic::{Code, Diagnostics, Position, Severity};
use super::grammar::ReadOptions;
use super::text::{PolicyText, Setting, Statement};
use super::value::Value;
use super::vocabulary::StatementKind;

/// The level of an action. A connection's settings count before those of its environment, and those before the group's.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ActionLevel {
    /// The group action.
    Group,
    /// The environment action.
    Environment,
    /// The connection action.
    Connection,
}

impl ActionLevel {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Environment => "environment",
            Self::Connection => "connection",
        }
    }
}

/// Settings that hold, by the name of their parameter. Several of one that may be repeated.
pub(super) type Effective<'p> = BTreeMap<&'static str, Vec<(ActionLevel, &'p Setting)>>;

/// A rule with what it refers to.
#[derive(Clone, Debug)]
pub(super) struct ResolvedRule<'p> {
    pub(super) name: &'p str,
    pub(super) statement: &'p Statement,
    pub(super) priority: u64,
    /// Local addresses, one of which a connection must have.
    pub(super) local: Vec<AddressRange>,
    /// Addresses of clients, one of which a connection must have.
    pub(super) remote: Vec<AddressRange>,
    /// Local ports, one of which a connection must have. Empty: any.
    pub(super) ports: Vec<(u16, u16)>,
    pub(super) settings: Effective<'p>,
    /// The name of the key ring's statement, if it is not in the text.
    pub(super) missing_ring: Option<&'p str>,
}

impl<'p> ResolvedRule<'p> {
    /// The setting of a parameter that is there once.
    pub(super) fn setting(&self, name: &str) -> Option<&'p Setting> {
        self.settings.get(name).and_then(|settings| settings.last()).map(|(_, setting)| *setting)
    }

    /// The word that a parameter has.
    pub(super) fn word(&self, name: &str) -> Option<&'p str> {
        self.setting(name).and_then(|setting| setting.value.text())
    }

    /// Whether a switch is on, if the policy says.
    pub(super) fn is_on(&self, name: &str) -> Option<bool> {
        self.word(name).map(|word| word == "On")
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.setting(name).and_then(|setting| setting.value.number())
    }

    /// The word that the rule itself has.
    pub(super) fn own_word(&self, name: &str) -> Option<&'p str> {
        self.statement.setting(name).and_then(|setting| setting.value.text())
    }
}

/// The rules of a policy, those that count first in front: by priority, then by name.
pub(super) fn resolve<'p>(
    policy: &'p PolicyText,
    options: ReadOptions,
    diagnostics: &mut Diagnostics,
) -> Vec<ResolvedRule<'p>> {
    let mut resolver = Resolver {
        named: BTreeMap::new(),
        used: BTreeSet::new(),
        is_fragment: options.fragment,
        diagnostics,
    };
    policy.statements.iter().for_each(|statement| resolver.name(statement));
    policy.statements.iter().for_each(|statement| resolver.check(statement));
    let rules = policy.statements.iter().filter(|statement| statement.kind == StatementKind::Rule);
    let mut rules: Vec<_> = rules.filter_map(|statement| resolver.rule(statement)).collect();
    rules.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| a.name.cmp(b.name)));
    for statement in &policy.statements {
        resolver.note_unused(statement);
    }
    rules
}

struct Resolver<'p, 'd> {
    named: BTreeMap<(StatementKind, &'p str), &'p Statement>,
    used: BTreeSet<(StatementKind, &'p str)>,
    is_fragment: bool,
    diagnostics: &'d mut Diagnostics,
}

impl<'p> Resolver<'p, '_> {
    /// Notes the names of a statement and of those in it.
    fn name(&mut self, statement: &'p Statement) {
        if let Some(name) = &statement.name {
            match self.named.get(&(statement.kind, name.text.as_str())) {
                Some(first) => {
                    let message = format!("`{}` is there twice", statement.title());
                    let help = format!("the first one is in line {}; give one another name", first.at.line);
                    self.diagnostics.error_with_help(Code::Duplicate, name.at, message, help);
                }
                None => {
                    self.named.insert((statement.kind, &name.text), statement);
                }
            }
        }
        statement.statements().for_each(|inner| self.name(inner));
    }

    /// Whether everything is there that a statement refers to or needs.
    fn check(&mut self, statement: &'p Statement) {
        for setting in statement.settings() {
            if let Some(kind) = setting.parameter.refers_to()
                && let Some(name) = setting.value.text()
                && !self.named.contains_key(&(kind, name))
            {
                self.missing(setting, kind, name);
            }
        }
        let missing = |name: &str| statement.setting(name).is_none();
        let has_inner = |kind| statement.statements().any(|inner| inner.kind == kind);
        let needed: &[&str] = match statement.kind {
            StatementKind::Rule => &["Direction", "TTLSGroupActionRef"],
            StatementKind::GroupAction => &["TTLSEnabled"],
            StatementKind::EnvironmentAction => &["HandshakeRole"],
            StatementKind::KeyringParms => &["Keyring"],
            StatementKind::IpAddr => &["Addr"],
            StatementKind::PortRange => &["Port"],
            _ => &[],
        };
        for name in needed.iter().filter(|name| missing(name)) {
            self.needs(statement, name);
        }
        match statement.kind {
            StatementKind::EnvironmentAction
                if missing("TTLSKeyringParmsRef") && !has_inner(StatementKind::KeyringParms) =>
            {
                self.needs(statement, "TTLSKeyringParms");
            }
            StatementKind::IpAddrSet if missing("Prefix") && missing("Range") => {
                self.needs(statement, "Prefix` or `Range");
            }
            StatementKind::IpAddrGroup | StatementKind::PortGroup if statement.items.is_empty() => {
                self.needs(statement, "IpAddr` or `PortRange");
            }
            StatementKind::Rule => self.check_conditions(statement),
            _ => {}
        }
        statement.statements().for_each(|inner| self.check(inner));
    }

    fn needs(&mut self, statement: &Statement, name: &str) {
        let message = format!("`{}` has no `{name}`", statement.title());
        let help = format!("add `{name}` to the statement");
        self.diagnostics.error_with_help(Code::MissingParameter, statement.at, message, help);
    }

    fn missing(&mut self, setting: &Setting, kind: StatementKind, name: &str) {
        let keyword = kind.keyword();
        let message = format!("there is no `{keyword} {name}`, which `{}` names", setting.parameter.name);
        let near = self.named.keys().find(|(other, near)| *other == kind && near.eq_ignore_ascii_case(name));
        // What a part of a policy does not show.
        let may_be_elsewhere =
            [StatementKind::KeyringParms, StatementKind::CipherParms, StatementKind::SignatureParms];
        let (severity, help) = match near {
            Some((_, near)) => (Severity::Error, format!("names are case-sensitive: `{near}` is there")),
            None if self.is_fragment && kind == StatementKind::KeyringParms => {
                (Severity::Warning, format!("the key ring is the folder `{name}` of --keyring-dir"))
            }
            None if self.is_fragment && may_be_elsewhere.contains(&kind) => {
                (Severity::Warning, "the defaults of certcheck are used".to_owned())
            }
            None => (Severity::Error, format!("add the statement `{keyword} {name}`, or correct the name")),
        };
        self.diagnostics.add(severity, Code::MissingReference, setting.at, message, Some(help));
    }

    fn check_conditions(&mut self, rule: &Statement) {
        let groups: [&[&str]; 5] = [
            &["LocalAddr", "LocalAddrRef", "LocalAddrSetRef", "LocalAddrGroupRef"],
            &["RemoteAddr", "RemoteAddrRef", "RemoteAddrSetRef", "RemoteAddrGroupRef"],
            &["LocalPortRange", "LocalPortRangeRef", "LocalPortGroupRef"],
            &["RemotePortRange", "RemotePortRangeRef", "RemotePortGroupRef"],
            &["Jobname", "Userid"],
        ];
        for alternatives in groups.iter().take(4) {
            let mut there = rule.settings().filter(|setting| alternatives.contains(&setting.parameter.name));
            if let (Some(first), Some(second)) = (there.next(), there.next()) {
                let message = format!(
                    "`{}` has both `{}` and `{}`",
                    rule.title(),
                    first.parameter.name,
                    second.parameter.name
                );
                let help = "one condition of a kind is allowed; use a group for several values";
                self.diagnostics.error_with_help(Code::Duplicate, second.at, message, help);
            }
        }
        let is_condition = |setting: &Setting| {
            groups.iter().any(|alternatives| alternatives.contains(&setting.parameter.name))
        };
        if !rule.settings().any(is_condition) {
            self.needs(rule, "LocalPortRange` or another condition, such as `LocalAddr");
        }
    }

    /// The statement that a reference names. It is used.
    fn follow(&mut self, setting: &'p Setting) -> Option<&'p Statement> {
        let kind = setting.parameter.refers_to()?;
        let name = setting.value.text()?;
        self.used.insert((kind, name));
        self.named.get(&(kind, name)).copied()
    }

    fn rule(&mut self, statement: &'p Statement) -> Option<ResolvedRule<'p>> {
        let name = statement.name.as_ref()?.text.as_str();
        self.used.insert((StatementKind::Rule, name));
        let mut rule = ResolvedRule {
            name,
            statement,
            priority: 1,
            local: Vec::new(),
            remote: Vec::new(),
            ports: Vec::new(),
            settings: Effective::new(),
            missing_ring: None,
        };
        for setting in statement.settings() {
            match setting.parameter.name {
                "Priority" => rule.priority = setting.value.number().unwrap_or(1),
                name if name.starts_with("LocalAddr") => self.addresses(setting, &mut rule.local),
                name if name.starts_with("RemoteAddr") => self.addresses(setting, &mut rule.remote),
                name if name.starts_with("LocalPort") => self.ports(setting, &mut rule.ports),
                _ => {
                    self.follow(setting);
                }
            }
        }
        for (reference, level) in [
            ("TTLSGroupActionRef", ActionLevel::Group),
            ("TTLSEnvironmentActionRef", ActionLevel::Environment),
            ("TTLSConnectionActionRef", ActionLevel::Connection),
        ] {
            if let Some(reference) = statement.setting(reference) {
                self.action(reference, level, &mut rule);
            }
        }
        for addresses in [&mut rule.local, &mut rule.remote] {
            if addresses.is_empty() {
                addresses.push(AddressRange::All);
            }
        }
        let is_on = rule.is_on("TTLSEnabled").unwrap_or_default();
        if is_on && statement.setting("TTLSEnvironmentActionRef").is_none() {
            self.needs(statement, "TTLSEnvironmentActionRef");
        }
        Some(rule)
    }

    /// The addresses of a condition: of itself, or of the statement that it names.
    fn addresses(&mut self, setting: &'p Setting, to: &mut Vec<AddressRange>) {
        match &setting.value {
            Value::Addresses(range) => to.push(*range),
            _ => {
                if let Some(statement) = self.follow(setting) {
                    self.addresses_of(statement, to);
                }
            }
        }
    }

    fn addresses_of(&mut self, statement: &'p Statement, to: &mut Vec<AddressRange>) {
        for setting in statement.settings() {
            self.addresses(setting, to);
        }
        for inner in statement.statements() {
            self.addresses_of(inner, to);
        }
    }

    fn ports(&mut self, setting: &'p Setting, to: &mut Vec<(u16, u16)>) {
        match setting.value {
            Value::Ports(0, 0) => {}
            Value::Ports(first, last) => to.push((first, last)),
            _ => {
                if let Some(statement) = self.follow(setting) {
                    self.ports_of(statement, to);
                }
            }
        }
    }

    fn ports_of(&mut self, statement: &'p Statement, to: &mut Vec<(u16, u16)>) {
        for setting in statement.settings() {
            self.ports(setting, to);
        }
        for inner in statement.statements() {
            self.ports_of(inner, to);
        }
    }

    /// Adds the settings of an action. Those of a later level replace those of an earlier one.
    fn action(&mut self, reference: &'p Setting, level: ActionLevel, rule: &mut ResolvedRule<'p>) {
        let Some(action) = self.follow(reference) else { return };
        let mut settings = Effective::new();
        self.settings_of(action, level, &mut settings, rule);
        // Lists of suites are one value, in whichever form they are written.
        let suites = ["V3CipherSuites", "V3CipherSuites4Char"];
        if suites.iter().any(|name| settings.contains_key(name)) {
            suites.iter().for_each(|name| drop(rule.settings.remove(name)));
        }
        rule.settings.extend(settings);
    }

    fn settings_of(
        &mut self,
        statement: &'p Statement,
        level: ActionLevel,
        to: &mut Effective<'p>,
        rule: &mut ResolvedRule<'p>,
    ) {
        for setting in statement.settings() {
            if let Some(kind) = setting.parameter.refers_to() {
                match self.follow(setting) {
                    Some(inner) => self.settings_of(inner, level, to, rule),
                    None if kind == StatementKind::KeyringParms => rule.missing_ring = setting.value.text(),
                    None => {}
                }
            } else {
                let same = to.entry(setting.parameter.name).or_default();
                if let Some((_, first)) = same.first().filter(|_| !setting.parameter.repeats) {
                    let message = format!("`{}` is there twice for one rule", setting.parameter.name);
                    let help = format!("the first one is in line {}; remove one of them", first.at.line);
                    self.diagnostics.error_with_help(Code::Duplicate, setting.at, message, help);
                }
                same.push((level, setting));
            }
        }
        for inner in statement.statements() {
            self.settings_of(inner, level, to, rule);
        }
    }

    fn note_unused(&mut self, statement: &Statement) {
        let Some(name) = &statement.name else { return };
        if !self.used.contains(&(statement.kind, name.text.as_str())) {
            let message = format!("no rule uses `{}`", statement.title());
            self.diagnostics.note(Code::Unused, statement.at, message);
        }
    }
}

/// The place of a rule, for what is about the rule as a whole.
pub(super) fn place(rule: &ResolvedRule<'_>) -> Position {
    rule.statement.at
}

//! The keys of `[listener.identity]` and `[[listener.allow]]`.

use super::document::{Reading, Scope, Value};
use super::nearest::did_you_mean;
use super::values::{self, Flaw, Parsed, flaw};
use crate::identity::{AccessRules, AllowRule, Condition, Field, Pattern, Template, UserRule};

const KEYS: &[&str] = &["rule", "required", "allow_non_ascii"];
/// The most rules of one kind.
const MAX_RULES: usize = 1_000;

/// Which clients are accepted, and how users are found.
pub(super) fn access<'d>(reading: &mut Reading<'d>, listener: Scope<'d>, title: &str) -> AccessRules {
    let allow = allow(reading, listener, "allow");
    let Some(scope) = reading.table_of(listener, "identity", "identity.") else {
        return AccessRules { allow, ..AccessRules::default() };
    };
    reading.refuse_unknown(scope.own, &format!("{title}identity: "), &[KEYS], &[]);
    AccessRules {
        allow,
        users: reading.value(scope, "rule", Vec::new(), rules(user_rule)),
        is_user_required: reading.value(scope, "required", true, values::switch),
        allow_non_ascii: reading.value(scope, "allow_non_ascii", false, values::switch),
    }
}

/// The rules of which a client has to match one.
pub(super) fn allow<'d>(reading: &mut Reading<'d>, scope: Scope<'d>, key: &str) -> Vec<AllowRule> {
    reading.value(scope, key, Vec::new(), rules(allow_rule))
}

fn rules<'d, T>(rule: impl Fn(&Value<'d>) -> Parsed<T>) -> impl Fn(&Value<'d>) -> Parsed<Vec<T>> {
    move |value| match value.get_ref().as_array() {
        Some(array) if array.len() > MAX_RULES => {
            flaw(value, format_args!("has {} rules; at most {MAX_RULES} are allowed", array.len()))
        }
        _ => values::list(&rule)(value),
    }
}

fn allow_rule(value: &Value<'_>) -> Parsed<AllowRule> {
    let conditions = conditions(value, None)?;
    if conditions.is_empty() {
        return flaw(value, "has no condition, and would accept everyone; name one, such as cn = \"alice\"");
    }
    Ok(AllowRule { conditions })
}

fn user_rule(value: &Value<'_>) -> Parsed<UserRule> {
    let conditions = conditions(value, Some("user"));
    let user = value.get_ref().as_table().and_then(|table| table.get("user"));
    let Some(user) = user else {
        let mut flaws = conditions.err().unwrap_or_default();
        if flaws.is_empty() {
            let text = "`user` is missing: a user name such as user = \"{cn}\"".to_owned();
            flaws.push(Flaw { at: value.span().start, text });
        }
        return Err(flaws);
    };
    let template = match user.get_ref().as_str().map(Template::parse) {
        Some(Ok(template)) => Ok(template),
        Some(Err(fault)) => flaw(user, fault),
        None => flaw(user, "is not a user name, which is a text in quotes"),
    };
    match (template, conditions) {
        (Ok(user), Ok(conditions)) => Ok(UserRule { user, conditions }),
        (template, conditions) => {
            let mut flaws = template.err().unwrap_or_default();
            flaws.extend(conditions.err().unwrap_or_default());
            Err(flaws)
        }
    }
}

/// The conditions in a table, in the order of the fields. `besides` is a key that is none.
fn conditions(value: &Value<'_>, besides: Option<&str>) -> Parsed<Vec<Condition>> {
    let Some(table) = value.get_ref().as_table() else {
        return flaw(value, "is not a table of conditions, such as { cn = \"alice\" }");
    };
    let (mut found, mut flaws) = (Vec::new(), Vec::new());
    for (key, patterns) in table {
        let name = key.get_ref().as_ref();
        if besides == Some(name) {
            continue;
        }
        let Some((_, field)) = Field::ALL.into_iter().find(|(known, _)| *known == name) else {
            let known = Field::ALL.iter().map(|(known, _)| *known).chain(besides);
            let hint = did_you_mean(name, known.clone());
            let all: Vec<_> = known.collect();
            let hint = if hint.is_empty() { format!("; the keys are {}", all.join(", ")) } else { hint };
            flaws
                .push(Flaw { at: key.span().start, text: format!("no key `{}`{hint}", name.escape_debug()) });
            continue;
        };
        match values::distinct(pattern(field))(patterns) {
            Ok(patterns) => found.push(Condition::new(field, patterns)),
            Err(more) => flaws.extend(more),
        }
    }
    found.sort_by_key(Condition::field);
    let has = |field| found.iter().any(|condition| condition.field() == field);
    if flaws.is_empty() && has(Field::Serial) && !has(Field::Issuer) {
        let text = "`serial` needs `issuer`: each CA counts on its own".to_owned();
        flaws.push(Flaw { at: value.span().start, text });
    }
    if flaws.is_empty() { Ok(found) } else { Err(flaws) }
}

fn pattern(field: Field) -> impl Fn(&Value<'_>) -> Parsed<Pattern> {
    move |value| match value.get_ref().as_str().map(|text| Pattern::parse(field, text)) {
        Some(Ok(pattern)) => Ok(pattern),
        Some(Err(fault)) => flaw(value, fault),
        None => flaw(value, "is not a text in quotes"),
    }
}

//! The schema of the JSON output, whole or in part.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// The schema of every object.
pub(super) const ALL: &str = include_str!("../../schemas/certcheck.schema.json");

/// The schema of the objects of these types, with the definitions that they use and no others.
pub(super) fn of(types: &[&str]) -> serde_json::Result<String> {
    let mut schema: Map<String, Value> = serde_json::from_str(ALL)?;
    let all = match schema.remove("$defs") {
        Some(Value::Object(all)) => all,
        _ => Map::new(),
    };
    let mut used = BTreeSet::new();
    let mut open: Vec<String> = types.iter().map(|name| (*name).to_owned()).collect();
    while let Some(name) = open.pop() {
        if let Some(definition) = all.get(&name)
            && used.insert(name)
        {
            references(definition, &mut open);
        }
    }
    let definitions: Map<String, Value> = all.into_iter().filter(|(name, _)| used.contains(name)).collect();
    let roots = types.iter().map(|name| json!({ "$ref": format!("#/$defs/{name}") }));
    schema.insert("oneOf".to_owned(), roots.collect());
    schema.insert("$defs".to_owned(), Value::Object(definitions));
    let mut text = serde_json::to_string_pretty(&schema)?;
    text.push('\n');
    Ok(text)
}

/// Adds the names of the definitions that a schema refers to.
fn references(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            let name = members.get("$ref").and_then(Value::as_str);
            names.extend(name.and_then(|name| name.strip_prefix("#/$defs/")).map(str::to_owned));
            members.values().for_each(|member| references(member, names));
        }
        Value::Array(members) => members.iter().for_each(|member| references(member, names)),
        _ => {}
    }
}

//! What of the schema has been seen: each property with a value, each value of an enumeration.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::schema::Validator;

pub(crate) struct Coverage {
    schema: Value,
    validator: Validator,
    seen: BTreeSet<String>,
}

impl Coverage {
    pub(crate) fn new(schema: Value) -> Self {
        Self { validator: Validator::new(schema.clone()), schema, seen: BTreeSet::new() }
    }

    /// Asserts that a line is as the schema has it, and notes what it shows.
    pub(crate) fn add(&mut self, line: &Value) {
        assert_eq!(self.validator.fault(line), None, "{line:#}");
        let kind = line["type"].as_str().expect("a type");
        let mut seen = BTreeSet::new();
        self.walk(kind, &self.schema["$defs"][kind], line, &mut seen);
        self.seen.append(&mut seen);
    }

    fn walk(&self, place: &str, schema: &Value, value: &Value, seen: &mut BTreeSet<String>) {
        if let Some(name) = reference(schema) {
            self.walk(name, &self.schema["$defs"][name], value, seen);
        } else if let Some(properties) = schema["properties"].as_object() {
            for (key, property) in properties.iter().filter(|(key, _)| !value[key].is_null()) {
                let place = format!("{place}.{key}");
                self.walk(&place, property, &value[key], seen);
                seen.insert(place);
            }
        } else if let Some(values) = value.as_array() {
            values.iter().for_each(|value| self.walk(place, &schema["items"], value, seen));
        } else if schema["enum"].is_array() {
            seen.insert(format!("{place}={}", shown(value)));
        }
    }

    /// What was not seen, as `object.key` or `object.key=value`.
    pub(crate) fn missing(&self) -> Vec<String> {
        let mut all = BTreeSet::new();
        for (name, definition) in self.schema["$defs"].as_object().expect("definitions") {
            for (key, property) in definition["properties"].as_object().expect("properties") {
                let place = format!("{name}.{key}");
                let values =
                    [&property["enum"], &property["items"]["enum"]].into_iter().filter_map(Value::as_array);
                let values = values.flatten().filter(|value| !value.is_null());
                all.extend(values.map(|value| format!("{place}={}", shown(value))));
                all.insert(place);
            }
        }
        all.difference(&self.seen).cloned().collect()
    }
}

/// The definition that a schema refers to, alone or beside `null`.
fn reference(schema: &Value) -> Option<&str> {
    let own = schema["$ref"].as_str();
    own.or_else(|| schema["anyOf"][0]["$ref"].as_str())?.strip_prefix("#/$defs/")
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

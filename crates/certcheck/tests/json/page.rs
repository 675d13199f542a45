//! The tables of `docs/json.md`, made from the schema: `UPDATE_DOCS=1 cargo test -p certcheck --test json`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::schema;

const BEGIN: &str = "<!-- Made from the schema. -->\n";
const END: &str = "<!-- End of what is made from the schema. -->\n";

#[test]
fn the_page_has_a_table_for_each_object() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/json.md");
    let page = fs::read_to_string(&path).expect("a page");
    let (before, rest) = page.split_once(BEGIN).expect("a beginning");
    let (_, after) = rest.split_once(END).expect("an end");
    let made = format!("{before}{BEGIN}{}{END}{after}", tables(&schema::schema()));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &made).expect("written");
    } else {
        assert!(page == made, "docs/json.md is stale: run again with UPDATE_DOCS=1");
    }
}

/// Lines first, in the order of the schema, then the objects within them as they are first met.
fn tables(schema: &Value) -> String {
    let name = |reference: &Value| {
        reference["$ref"].as_str().unwrap_or_default().trim_start_matches("#/$defs/").to_owned()
    };
    let lines: Vec<String> = schema["oneOf"].as_array().expect("a list").iter().map(name).collect();
    let mut names = lines.clone();
    let mut at = 0;
    while let Some(definition) = names.get(at).map(|name| &schema["$defs"][name]) {
        for key in keys(definition) {
            let property = &definition["properties"][key];
            for reference in [property, &property["anyOf"][0], &property["items"]].map(name) {
                if !reference.is_empty() && !names.contains(&reference) {
                    names.push(reference);
                }
            }
        }
        at += 1;
    }
    assert_eq!(
        names.len(),
        schema["$defs"].as_object().map_or(0, serde_json::Map::len),
        "a definition is not used"
    );
    let mut text = String::from("\n## Lines\n");
    for (name, number) in names.iter().zip(0..) {
        if number == lines.len() {
            text += "\n## Objects within lines\n";
        }
        let definition = &schema["$defs"][name];
        text += &format!(
            "\n### {name}\n\n{}\n\n| key | type | meaning |\n|---|---|---|\n",
            description(definition)
        );
        for key in keys(definition).filter(|key| !["schema", "type"].contains(key)) {
            let property = &definition["properties"][key];
            text += &format!("| `{key}` | {} | {} |\n", kind(property), described(property));
        }
    }
    text += "\n";
    text
}

/// The keys in the order in which they are printed.
fn keys(definition: &Value) -> impl Iterator<Item = &str> {
    definition["required"].as_array().expect("a list").iter().filter_map(Value::as_str)
}

fn description(schema: &Value) -> &str {
    schema["description"].as_str().expect("described")
}

/// With the values of an enumeration.
fn described(property: &Value) -> String {
    let text = description(property).replace('|', "\\|");
    let values = property["enum"].as_array().or_else(|| property["items"]["enum"].as_array());
    let words: Vec<String> = values
        .into_iter()
        .flatten()
        .filter(|value| !value.is_null())
        .map(|value| format!("`{}`", value.to_string().replace('"', "")))
        .collect();
    // A text may name them all.
    if words.iter().all(|word| text.contains(word)) {
        text
    } else {
        format!("{text} One of {}.", words.join(", "))
    }
}

/// The type in words; a link to an object's table.
fn kind(property: &Value) -> String {
    let link = |reference: &Value| {
        let name = reference["$ref"].as_str()?.trim_start_matches("#/$defs/");
        Some(format!("[{name}](#{name})"))
    };
    if let Some(link) = link(property) {
        return link;
    }
    if let Some(link) = link(&property["anyOf"][0]) {
        return format!("{link} or null");
    }
    let (name, or_null) = match &property["type"] {
        Value::Array(types) => (types[0].as_str(), " or null"),
        name => (name.as_str(), ""),
    };
    let name = match name.expect("a type") {
        "string" if property["format"] == "date-time" => "time".to_owned(),
        "array" => format!(
            "list of {}",
            link(&property["items"]).unwrap_or_else(|| format!("{}s", kind(&property["items"])))
        ),
        "object" => "object of numbers".to_owned(),
        other => other.to_owned(),
    };
    format!("{name}{or_null}")
}

//! The schema of the JSON output, held against lines of it.
#![allow(dead_code, reason = "each test uses its part")]

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use serde_json::Value;

pub(crate) const SCHEMA: &str = include_str!("../../schemas/certcheck.schema.json");
const PLACE: &str = "file:///certcheck.schema.json";

/// The schema as JSON.
pub(crate) fn schema() -> Value {
    serde_json::from_str(SCHEMA).expect("JSON")
}

/// A schema, ready to validate with.
pub(crate) struct Validator {
    schemas: Schemas,
    root: SchemaIndex,
}

impl Validator {
    pub(crate) fn new(schema: Value) -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.set_default_draft(Draft::V2020_12);
        compiler.enable_format_assertions();
        compiler.add_resource(PLACE, schema).expect("a resource");
        let root = compiler.compile(PLACE, &mut schemas).unwrap_or_else(|error| panic!("{error:#}"));
        Self { schemas, root }
    }

    pub(crate) fn fault(&self, line: &Value) -> Option<String> {
        self.schemas.validate(line, self.root).err().map(|error| format!("{error:#}"))
    }
}

thread_local! {
    static VALIDATOR: Validator = Validator::new(schema());
}

/// Asserts that a line of JSON is as the schema has it.
pub(crate) fn check(line: &Value) {
    let fault = VALIDATOR.with(|validator| validator.fault(line));
    assert_eq!(fault, None, "{line:#}");
}

//! Faulty policies: each error with its line, its column and its code, and nothing of the policy used.

use certcheck_serve::at_tls::{Code, Permissions, ReadOptions, Severity, compile};

const BASE: &str = include_str!("data/base_policy.txt");
const FAULTS: &str = include_str!("data/faults.txt");

/// The errors of a text, as `line:column code`.
fn errors(text: &[u8]) -> String {
    let policy = compile(text, ReadOptions::default(), &Permissions::default());
    assert!(policy.listeners.is_empty() || !policy.diagnostics.has_errors());
    let errors = policy.diagnostics.sorted().into_iter().filter(|it| it.severity == Severity::Error);
    let errors: Vec<String> = errors.map(|it| format!("{} {}", it.at, it.code.word())).collect();
    errors.join(", ")
}

#[test]
fn the_usual_policy_has_no_error() {
    assert_eq!(errors(BASE.as_bytes()), "");
}

#[test]
fn each_error_is_reported_with_its_place_and_code() {
    let (mut cases, mut faults) = (0, Vec::new());
    for line in FAULTS.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<_> = line.split(" | ").map(|field| field.replace("\\n", "\n")).collect();
        let [from, to, expected] = fields.as_slice() else { panic!("three fields: {line}") };
        assert!(BASE.contains(from.as_str()), "{line}");
        let text = BASE.replacen(from.as_str(), to, 1);
        let found = errors(text.as_bytes());
        let sorted = |errors: &str| {
            let mut errors: Vec<String> = errors.split(", ").map(str::to_owned).collect();
            errors.sort();
            errors
        };
        if sorted(&found) != sorted(expected) {
            faults.push(format!("{from} -> {to}\n  expected {expected}\n  found    {found}"));
        }
        cases += 1;
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(cases >= 75, "{cases}");
}

#[test]
fn text_that_is_not_utf8_is_refused_at_its_place() {
    assert_eq!(errors(b"# fine\nTTLSRule \xe4\n"), "2:10 not-text");
    // EBCDIC.
    assert_eq!(errors(&[0xe3, 0xe3, 0xd3, 0xe2, 0xd9, 0xa4, 0x93, 0x85]), "1:1 not-text");
    let long = format!("TTLSRule {}", "x".repeat(5_000));
    assert!(errors(long.as_bytes()).starts_with("1:1 too-large"));
    let many = format!("TTLSCipherParms r\n{{\n{}}}\n", "V3CipherSuites4Char 1301\n".repeat(21_000));
    assert!(errors(many.as_bytes()).contains("1:1 too-large"));
}

#[test]
fn the_number_of_errors_that_are_listed_is_bounded() {
    let text = "Unknown 1\n".repeat(1_000);
    let policy = compile(text.as_bytes(), ReadOptions::default(), &Permissions::default());
    assert_eq!(policy.diagnostics.errors(), 1_000);
    assert_eq!(policy.diagnostics.sorted().len(), 200);
}

#[test]
fn every_message_says_what_to_do_or_what_is_allowed() {
    for line in FAULTS.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<_> = line.split(" | ").map(|field| field.replace("\\n", "\n")).collect();
        let text = BASE.replacen(&fields[0], &fields[1], 1);
        let policy = compile(text.as_bytes(), ReadOptions::default(), &Permissions::default());
        for error in policy.diagnostics.sorted().into_iter().filter(|it| it.severity == Severity::Error) {
            let says =
                [Code::BadValue, Code::OutOfRange, Code::BadName, Code::Placeholder, Code::MissingValue];
            assert!(
                error.help.is_some() || says.contains(&error.code) || error.code == Code::StrayBrace,
                "{error}"
            );
            assert!(
                error.message.contains('`') || error.code == Code::StrayBrace || error.help.is_some(),
                "{error}"
            );
        }
    }
}

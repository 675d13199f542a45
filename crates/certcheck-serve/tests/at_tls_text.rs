//! Texts of policies: what the grammar accepts, and that the formatted policy is the same one.

use certcheck_serve::at_tls::vocabulary::{StatementKind, parameters};
use certcheck_serve::at_tls::{
    Code, Diagnostics, Item, MAX_BYTES, PolicyText, ReadOptions, Severity, format, parse,
};
use proptest::prelude::*;

const FRAGMENT: &str = include_str!("data/printed_fragment.txt");
const WHOLE: &str = include_str!("data/whole_policy.txt");

fn read(text: &str, fragment: bool) -> (PolicyText, Diagnostics) {
    parse(text.as_bytes(), ReadOptions { fragment })
}

fn listed(diagnostics: &Diagnostics) -> Vec<String> {
    let listed = |it: &&certcheck_serve::at_tls::Diagnostic| it.severity != Severity::Note;
    diagnostics
        .sorted()
        .into_iter()
        .filter(listed)
        .map(|it| format!("{} {}", it.at, it.code.word()))
        .collect()
}

#[test]
fn the_printed_fragment_is_read_with_its_oddities_named() {
    let (policy, diagnostics) = read(FRAGMENT, true);
    assert_eq!(listed(&diagnostics), ["1:5 missing-brace", "39:10 misplaced", "40:10 misplaced"]);
    let ignored = |it: &&certcheck_serve::at_tls::Diagnostic| it.code == Code::IgnoredText;
    assert_eq!(diagnostics.sorted().into_iter().filter(ignored).count(), 7, "the callouts a to g");
    let kinds: Vec<_> = policy.statements.iter().map(|statement| statement.kind).collect();
    assert_eq!(
        kinds,
        [
            StatementKind::Rule,
            StatementKind::GroupAction,
            StatementKind::EnvironmentAction,
            StatementKind::ConnectionAction,
            StatementKind::ConnectionAdvancedParms,
            StatementKind::EnvironmentAdvancedParms,
            StatementKind::GskAdvancedParms,
        ]
    );
    // Without the option it is an error, in every statement.
    let (_, diagnostics) = read(FRAGMENT, false);
    assert_eq!(diagnostics.errors(), 7);
    assert!(diagnostics.sorted()[0].help.as_deref().is_some_and(|help| help.contains("--fragment")));
}

#[test]
fn a_whole_policy_has_nothing_to_complain_about() {
    let (policy, diagnostics) = read(WHOLE, false);
    assert_eq!(listed(&diagnostics), <[String; 0]>::default());
    assert_eq!(policy.statements.len(), 10);
}

#[test]
fn missing_braces_are_accepted_where_the_text_means_one_thing() {
    let (whole, _) =
        read("TTLSGroupAction g\n{\nTTLSEnabled On\n}\nTTLSGroupAction h\n{\nTTLSEnabled On\n}\n", false);
    for (text, places) in [
        ("TTLSGroupAction g\nTTLSEnabled On\n}\nTTLSGroupAction h\n{\nTTLSEnabled On\n}\n", &["1:1"][..]),
        ("TTLSGroupAction g\n{\nTTLSEnabled On\nTTLSGroupAction h\n{\nTTLSEnabled On\n}\n", &["1:1"]),
        ("TTLSGroupAction g\n{\nTTLSEnabled On\n}\nTTLSGroupAction h\n{\nTTLSEnabled On\n", &["5:1"]),
        ("TTLSGroupAction g\n{\nTTLSEnabled On\nTTLSGroupAction h\n{\nTTLSEnabled On\n", &["1:1", "4:1"]),
    ] {
        let (policy, diagnostics) = read(text, false);
        assert!(!diagnostics.has_errors(), "{text}: {:?}", listed(&diagnostics));
        let expected: Vec<_> = places.iter().map(|place| format!("{place} missing-brace")).collect();
        assert_eq!(listed(&diagnostics), expected, "{text}");
        assert_eq!(policy.without_places(), whole.clone().without_places(), "{text}");
    }
    // An inner statement without its closing brace ends where a parameter of the outer one follows.
    let text = "TTLSEnvironmentAction e\n{\nTTLSKeyringParms\n{\nKeyring A/B\nHandshakeRole Server\n}\n";
    let (policy, diagnostics) = read(text, false);
    assert_eq!(listed(&diagnostics), ["3:1 missing-brace"]);
    assert_eq!(policy.statements[0].settings().count(), 1);
    // A named statement in one that does not end could be one of its own.
    let text = "TTLSEnvironmentAction e\n{\nTTLSKeyringParms k\n{\nKeyring A/B\n}\n";
    assert!(read(text, false).1.has_errors());
    assert!(!read(text, true).1.has_errors());
}

/// No parameter belongs to a statement and to one in it: without a closing brace, a word shows where a statement ends.
#[test]
fn no_parameter_belongs_to_a_statement_and_to_one_in_it() {
    for parameter in parameters() {
        for kind in parameter.within {
            let parents = kind.parents();
            let both: Vec<_> = parameter.within.iter().filter(|other| parents.contains(other)).collect();
            assert!(both.is_empty(), "{} is in {kind:?} and in {both:?}", parameter.name);
        }
    }
}

#[test]
fn the_vocabulary_has_each_word_once_and_says_what_is_done_with_every_value() {
    let mut names: Vec<_> = parameters().map(|parameter| parameter.name.to_ascii_lowercase()).collect();
    let count = names.len();
    assert!(count > 150, "{count}");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "a word is there twice");
    for parameter in parameters() {
        assert!(!parameter.uses.is_empty(), "{}", parameter.name);
        let last = parameter.uses.last().expect("a use");
        assert_eq!(last.when, certcheck_serve::at_tls::vocabulary::When::Always, "{}", parameter.name);
    }
}

#[test]
fn a_text_beyond_the_limit_is_not_read() {
    let (policy, diagnostics) = read(&"#\n".repeat(MAX_BYTES), false);
    assert_eq!(policy, PolicyText::default());
    assert_eq!(listed(&diagnostics), ["1:1 too-large"]);
}

#[test]
fn a_formatted_policy_is_the_same_policy() {
    for (text, fragment) in [(FRAGMENT, true), (WHOLE, false)] {
        let (policy, _) = read(text, fragment);
        let formatted = format(&policy);
        let (again, diagnostics) = read(&formatted, false);
        let braces = |code: &Code| [Code::MissingBrace, Code::BraceOnLine].contains(code);
        assert!(!diagnostics.sorted().into_iter().any(|it| braces(&it.code)), "{formatted}");
        assert_eq!(again.clone().without_places(), policy.without_places(), "{formatted}");
        assert_eq!(format(&again), formatted);
    }
    let (policy, _) = read(WHOLE, false);
    let formatted = format(&policy);
    for line in
        ["## A policy with everything on its own line.", "  HandshakeRole ServerWithClientAuth", "# the end"]
    {
        assert!(formatted.lines().any(|found| found == line), "{line}: {formatted}");
    }
}

/// Lines that are often right, to get beyond the first fault.
fn any_line() -> impl Strategy<Value = String> {
    let words: Vec<String> = parameters()
        .map(|parameter| parameter.name.to_owned())
        .chain(StatementKind::ALL.iter().map(|kind| kind.keyword().to_owned()))
        .collect();
    let value = prop_oneof![
        Just("On"),
        Just("Off"),
        Just("30"),
        Just("0"),
        Just("Required"),
        Just("Inbound"),
        Just("x"),
        Just("y"),
        Just("6777-6780"),
        Just("10.0.0.0/8"),
        Just("C02B1301"),
        Just("http://o.example/"),
        Just(""),
        Just("{"),
    ];
    prop_oneof![
        8 => (proptest::sample::select(words), value).prop_map(|(word, value)| format!("{word} {value}")),
        3 => Just("{".to_owned()),
        3 => Just("}".to_owned()),
        1 => Just("# comment # more".to_owned()),
        1 => "\\PC{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_grammar_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), fragment: bool) {
        let _ = parse(&bytes, ReadOptions { fragment });
    }

    #[test]
    fn what_can_be_read_is_the_same_when_formatted(lines in prop::collection::vec(any_line(), 0..40), fragment: bool) {
        let (policy, diagnostics) = read(&lines.join("\n"), fragment);
        prop_assert!(diagnostics.sorted().into_iter().all(|it| it.at.line <= lines.len().max(1)));
        if !diagnostics.has_errors() {
            let formatted = format(&policy);
            let (again, diagnostics) = read(&formatted, false);
            prop_assert!(!diagnostics.has_errors(), "{formatted}\n{:?}", diagnostics.sorted());
            prop_assert_eq!(again.clone().without_places(), policy.without_places());
            prop_assert_eq!(format(&again), formatted);
        }
    }
}

#[test]
fn secrets_are_not_shown() {
    let (policy, _) = read(WHOLE, false);
    assert!(!format!("{policy:?}").contains("hunter2"));
    let has_secret =
        |item: &Item| matches!(item, Item::Setting(setting) if setting.value.to_string().contains("hunter2"));
    assert!(!policy.statements.iter().flat_map(|statement| &statement.items).any(has_secret));
}

//! Whether output is what a page shows, apart from what differs from run to run.

use std::sync::LazyLock;

use regex::Regex;

/// What differs in every run, and what it is compared as.
static ALWAYS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    compiled(&[
        (r"\b[0-9]+(\.[0-9]+)? (s|ms|us|seconds?)\b", "DURATION"),
        (r"\b[0-9]+ a second\b", "RATE"),
        (r"(?m), at [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]+Z$", ", at NOW"),
    ])
});

/// What differs between two labs: keys, ports, times, CRL numbers and lengths are new at each start.
static OF_A_LAB: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    compiled(&[
        (r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z", "TIME"),
        (r"\b[0-9]{2}:[0-9]{2}:[0-9]{2}\b", "TIME"),
        (r"127\.0\.0\.1:[0-9]+", "127.0.0.1:PORT"),
        (r"\bCRL [0-9a-f]+\b", "CRL NUMBER"),
        (r"\b[0-9]+ bytes\b", "LENGTH"),
        (r"\b([0-9a-f]{2}:?){8,}", "HEX"),
    ])
});

fn compiled(patterns: &[(&str, &'static str)]) -> Vec<(Regex, &'static str)> {
    patterns.iter().map(|(pattern, name)| (Regex::new(pattern).unwrap(), *name)).collect()
}

fn masked(text: &str, is_of_a_lab: bool) -> String {
    let of_a_lab = OF_A_LAB.iter().filter(|_| is_of_a_lab);
    ALWAYS
        .iter()
        .chain(of_a_lab)
        .fold(text.to_owned(), |text, (pattern, name)| pattern.replace_all(&text, *name).into_owned())
}

/// Whether the output is what the page shows. A line `...` of the page stands for any lines.
pub(crate) fn is_same(shown: &str, output: &str, is_of_a_lab: bool) -> bool {
    let (shown, output) = (masked(shown, is_of_a_lab), masked(output, is_of_a_lab));
    let (shown, output): (Vec<_>, Vec<_>) = (shown.lines().collect(), output.lines().collect());
    matches(&shown, &output)
}

fn matches(shown: &[&str], output: &[&str]) -> bool {
    match shown.split_first() {
        None => output.is_empty(),
        Some((&"...", rest)) => (0..=output.len()).any(|skipped| matches(rest, &output[skipped..])),
        Some((line, rest)) => {
            output.split_first().is_some_and(|(first, left)| first == line && matches(rest, left))
        }
    }
}

#[test]
fn what_differs_from_run_to_run_is_the_same() {
    let shown = "good at http://127.0.0.1:8442/ca of 2026-11-25T08:35:40Z in 1.5 s\n...\nend\n";
    let output = "good at http://127.0.0.1:33645/ca of 2027-01-02T00:00:00Z in 20 ms\nmore\nend\n";
    assert!(is_same(shown, output, true));
    assert!(!is_same(shown, output, false), "times and ports outside a lab");
    assert!(!is_same(shown, &output.replace("good", "revoked"), true));
    assert!(!is_same(shown, &output.replace("end\n", ""), true));
}

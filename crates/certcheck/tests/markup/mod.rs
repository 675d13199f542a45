//! Pages as text: only tags and attributes that our templates have, so that nothing loads and nothing slipped in.

const TAGS: &str = "html head meta title style body main footer p section h1 h2 h3 span code dl div dt dd strong time ol ul li \
                    details summary svg g rect line circle text path desc form label input select option button output \
                    script";
/// None of these loads, goes anywhere or runs anything.
const ATTRIBUTES: &str = "lang charset http-equiv content name class id hidden type placeholder autocomplete value datetime \
                          role width height viewBox d aria-hidden aria-label aria-live x y x1 x2 y1 y2 cx cy r rx \
                          text-anchor data-verdict data-reason";

/// Panics on anything else.
pub(crate) fn check(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"));
    assert!(page.contains("default-src 'none'; style-src 'sha256-"));
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a page");
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, mut next) = split_tag(after);
        let name = tag.split(' ').next().unwrap_or_default();
        assert!(words(TAGS, name.trim_start_matches('/')), "<{tag}>");
        for attribute in attributes(tag) {
            assert!(words(ATTRIBUTES, attribute), "{attribute} in <{tag}>");
        }
        // These two are known by their hashes: the browser sees to it.
        if name == "style" || name == "script" {
            let end = next.find(&format!("</{name}>")).expect("an end");
            assert!(!next[..end].contains("url(") && !next[..end].contains("@import"));
            next = &next[end..];
        }
        rest = next;
    }
}

fn words(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|known| known == word)
}

/// A tag up to its end, which no attribute's value holds.
fn split_tag(text: &str) -> (&str, &str) {
    let mut is_quoted = false;
    let end = text.find(|sign| {
        is_quoted ^= sign == '"';
        sign == '>' && !is_quoted
    });
    let (tag, rest) = text.split_at(end.expect("an end"));
    (tag, &rest[1..])
}

/// The names of a tag's attributes.
fn attributes(tag: &str) -> Vec<&str> {
    // What is between quotes is every second part.
    let outside = tag.split('"').step_by(2).flat_map(str::split_whitespace);
    outside.skip(1).map(|part| part.trim_end_matches('=')).collect()
}

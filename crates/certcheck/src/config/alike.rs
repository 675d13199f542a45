//! The name that was meant by one that is misspelled.

/// The known name that is most like this one, if it is at least so much like it, from 0 to 1.
pub(super) fn nearest<'k>(
    name: &str,
    known: impl IntoIterator<Item = &'k str>,
    least: f64,
) -> Option<&'k str> {
    let scored = known.into_iter().map(|known| (strsim::jaro_winkler(name, known), known));
    let likely = scored.filter(|(score, _)| *score >= least);
    likely.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_a_likely_name_is_found() {
        let known = ["ring", "crl", "revocation"];
        assert_eq!(nearest("rng", known, 0.75), Some("ring"));
        assert_eq!(nearest("revokation", known, 0.9), Some("revocation"));
        assert_eq!(nearest("nonsense", known, 0.75), None);
    }
}

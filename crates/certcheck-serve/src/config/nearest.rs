//! The word that was meant.

/// Words below this likeness are not guessed.
const ALIKE: f64 = 0.75;

/// "; did you mean `word`?", or nothing if no known word is alike.
pub(super) fn did_you_mean<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> String {
    let best = known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(word, known), known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.map(|(_, known)| format!("; did you mean `{known}`?")).unwrap_or_default()
}

//! The known name that a mistyped one most likely means.

/// The candidate closest to `given`, if it is close enough to be a slip of the keyboard.
pub(super) fn nearest<'a>(
    given: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let folded = given.to_ascii_lowercase();
    let slips =
        |candidate: &str| strsim::damerau_levenshtein(&folded, &candidate.to_ascii_lowercase());
    // A third of a name, or two letters of a short one, is as far as a slip goes.
    let most = (given.chars().count() / 3).max(2);
    candidates
        .into_iter()
        .map(|candidate| (slips(candidate), candidate))
        .filter(|(distance, candidate)| *distance <= most && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `write <nearest>`, or all that is known.
pub(super) fn write_instead(given: &str, known: &[&str]) -> String {
    match nearest(given, known.iter().copied()) {
        Some(name) => format!("write `{name}`"),
        None => format!("write one of {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_finds_its_word_and_another_word_finds_nothing() {
        let known = ["purpose", "owner", "key"];
        assert_eq!(nearest("purpos", known), Some("purpose"));
        assert_eq!(nearest("OWNER", known), Some("owner"));
        assert_eq!(nearest("kye", known), Some("key"));
        assert_eq!(nearest("frequency", known), None);
        assert_eq!(nearest("", known), None);
    }
}

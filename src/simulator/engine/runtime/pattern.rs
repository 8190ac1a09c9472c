//! LIKE and PATINDEX: `%`, `_`, `[a-z]`, `[^a-z]`, an escape character.

use super::collation::fold;

enum Piece {
    Any,
    One,
    Literal(char),
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// A compiled pattern, matched without regard to case.
pub(crate) struct Pattern(Vec<Piece>);

impl Pattern {
    pub(crate) fn new(text: &str, escape: Option<char>) -> Self {
        let chars: Vec<char> = text.chars().map(fold).collect();
        let escape = escape.map(fold);
        let mut pieces = Vec::new();
        let mut at = 0;
        while at < chars.len() {
            let c = chars[at];
            at += 1;
            if Some(c) == escape && at < chars.len() {
                pieces.push(Piece::Literal(chars[at]));
                at += 1;
                continue;
            }
            pieces.push(match c {
                '%' => Piece::Any,
                '_' => Piece::One,
                '[' => match set(&chars[at..]) {
                    Some((set, length)) => {
                        at += length;
                        set
                    }
                    None => Piece::Literal('['),
                },
                c => Piece::Literal(c),
            });
        }
        Self(pieces)
    }

    /// Whether the whole text matches; `blanks` lets trailing blanks of the text go unmatched.
    pub(crate) fn matches(&self, text: &str, blanks: bool) -> bool {
        let chars: Vec<char> = text.chars().map(fold).collect();
        end_of_match(&self.0, &chars, true, blanks).is_some()
    }

    /// PATINDEX: where the pattern first matches, counted from one; zero when nowhere.
    pub(crate) fn position(&self, text: &str) -> usize {
        let chars: Vec<char> = text.chars().map(fold).collect();
        let floating = matches!(self.0.first(), Some(Piece::Any));
        let pieces = if floating { &self.0[1..] } else { &self.0[..] };
        let starts = if floating { 0..chars.len() + 1 } else { 0..1 };
        for start in starts {
            if end_of_match(pieces, &chars[start..], true, true).is_some() {
                return start + 1;
            }
        }
        0
    }
}

/// Reads a set behind its bracket; returns it and how many characters it took.
fn set(rest: &[char]) -> Option<(Piece, usize)> {
    let negated = rest.first() == Some(&'^');
    let mut at = usize::from(negated);
    let mut ranges = Vec::new();
    while *rest.get(at)? != ']' {
        let low = rest[at];
        if rest.get(at + 1) == Some(&'-') && rest.get(at + 2).is_some_and(|c| *c != ']') {
            ranges.push((low, rest[at + 2]));
            at += 3;
        } else {
            ranges.push((low, low));
            at += 1;
        }
    }
    Some((Piece::Set { negated, ranges }, at + 1))
}

/// Matches with a single point of return per `%`, so the worst case is quadratic, not exponential.
fn end_of_match(pieces: &[Piece], text: &[char], anchored: bool, blanks: bool) -> Option<usize> {
    let (mut piece, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match pieces.get(piece) {
            Some(Piece::Any) => {
                retry = Some((piece + 1, at));
                piece += 1;
                continue;
            }
            Some(single) if at < text.len() && accepts(single, text[at]) => {
                piece += 1;
                at += 1;
                continue;
            }
            None if !anchored || at == text.len() => return Some(at),
            None if blanks && text[at..].iter().all(|c| *c == ' ') => return Some(at),
            _ => {}
        }
        let (after, from) = retry?;
        if from >= text.len() {
            return None;
        }
        retry = Some((after, from + 1));
        piece = after;
        at = from + 1;
    }
}

fn accepts(piece: &Piece, c: char) -> bool {
    match piece {
        Piece::Any | Piece::One => true,
        Piece::Literal(literal) => *literal == c,
        Piece::Set { negated, ranges } => {
            ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
        }
    }
}

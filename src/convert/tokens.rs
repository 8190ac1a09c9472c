//! Predicting the bytes between two values: `,"VISITID":`, and `},{"INTERNALID":` from row to row.
//!
//! All rows of a result are written alike, so what stood between two values in one row stands there in the
//! next. The bytes are compared as one or two 16-byte words instead of being scanned, and a match means
//! what it meant when the strict scanner read it: the same key, and well-formed JSON around it. A row that
//! differs is read by the strict scanner, and teaches the layout its spelling.

use super::words::word16;

/// The bytes that are expected next.
#[derive(Debug, Clone, Default)]
pub(super) struct Token {
    bytes: Vec<u8>,
    words: [u128; 2],
    masks: [u128; 2],
}

impl Token {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let mut token = Self::default();
        token.set(bytes);
        token
    }

    /// Expects `bytes` from now on; the allocation is kept.
    pub(super) fn set(&mut self, bytes: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        for (i, (word, mask)) in self.words.iter_mut().zip(&mut self.masks).enumerate() {
            let part = bytes.get(i * 16..).unwrap_or_default();
            let part = &part[..part.len().min(16)];
            let mut ones = [0; 16];
            ones[..part.len()].fill(0xFF);
            *word = word16(part);
            *mask = u128::from_le_bytes(ones);
        }
    }

    /// `rest` behind the token, if it comes next.
    ///
    /// Bytes behind the page read as zero, which no token contains.
    #[inline]
    pub(super) fn strip<'a>(&self, rest: &'a [u8]) -> Option<&'a [u8]> {
        if word16(rest) & self.masks[0] != self.words[0] {
            return None;
        }
        if self.bytes.len() > 16 {
            return self.strip_long(rest);
        }
        rest.get(self.bytes.len()..)
    }

    #[inline]
    fn strip_long<'a>(&self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let second = rest.get(16..)?;
        if word16(second) & self.masks[1] != self.words[1] {
            return None;
        }
        if self.bytes.len() > 32 {
            return rest.strip_prefix(self.bytes.as_slice());
        }
        rest.get(self.bytes.len()..)
    }
}

/// How the rows of a result are written: the order of the columns, and the bytes between their values.
#[derive(Debug)]
pub(super) struct Layout {
    /// From the brace that opens the first row of a page to its first value.
    pub(super) opening: Token,
    /// Values in the order in which a row has them.
    pub(super) steps: Vec<Step>,
}

/// One value of a row.
#[derive(Debug)]
pub(super) struct Step {
    /// From the value before, for the first that of the row before, to this one.
    pub(super) token: Token,
    /// The column that it belongs to.
    pub(super) column: usize,
}

impl Layout {
    /// Columns in the contract's order, written without white space, as .NET does.
    pub(super) fn compact<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let keys: Vec<String> = names
            .map(|name| serde_json::to_string(name).expect("a string is always JSON"))
            .collect();
        let token = |column: usize, key: &str| match column {
            0 => Token::new(format!("}},{{{key}:").as_bytes()),
            _ => Token::new(format!(",{key}:").as_bytes()),
        };
        let first = keys.first().map_or("", String::as_str);
        Self {
            opening: Token::new(format!("{{{first}:").as_bytes()),
            steps: keys
                .iter()
                .enumerate()
                .map(|(column, key)| Step {
                    token: token(column, key),
                    column,
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_strips_exactly_its_own_bytes(
            token in proptest::collection::vec(1..=255_u8, 1..50),
            tail in proptest::collection::vec(any::<u8>(), 0..40),
            flip in 0..50_usize,
        ) {
            let mut page = token.clone();
            page.extend(&tail);
            prop_assert_eq!(Token::new(&token).strip(&page), Some(tail.as_slice()));

            page[flip % token.len()] ^= 1;
            prop_assert_eq!(Token::new(&token).strip(&page), None);
            prop_assert_eq!(Token::new(&token).strip(&token[..token.len() - 1]), None);
        }
    }
}

//! Why a batch cannot be de-identified; always known before its first row.

/// A rule that cannot be carried out, or a key that is no key. Names columns, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrivacyError {
    /// The rule has no meaning for the column's type.
    #[error(
        "column `{column}` is {sql_type}, to which the privacy rule `{rule}` does not apply; choose another rule, or drop it"
    )]
    RuleDoesNotApply {
        /// Name of the column.
        column: String,
        /// Its type at the practice.
        sql_type: String,
        /// The rule, as printed.
        rule: String,
    },
    /// A `datetimeoffset` has no civil date unless its offset is known.
    #[error(
        "column `{column}` keeps instants in UTC, so its civil date is not known; write `offset = true` beside its rule `{rule}`"
    )]
    OffsetNeeded {
        /// Name of the column.
        column: String,
        /// The rule, as printed.
        rule: String,
    },
    /// A column needs the deployment's key, and there is none.
    #[error(
        "column `{column}` is to be pseudonymised, and no pseudonym key is configured; set one, or drop the column"
    )]
    KeyMissing {
        /// Name of the column.
        column: String,
    },
    /// The key is too short to resist guessing.
    #[error(
        "the pseudonym key has {bytes} bytes, and at least 32 are needed; make one with `openssl rand -hex 32`"
    )]
    KeyTooShort {
        /// Its length.
        bytes: usize,
    },
    /// The kind of a pseudonym holds a control character, which would make its encoding ambiguous.
    #[error(
        "column `{column}` is a pseudonym of a kind with a control character; name the kind with letters, for example `patient`"
    )]
    KindNotPlain {
        /// Name of the column.
        column: String,
    },
    /// The schema given is not that of the contract.
    #[error(
        "the batches have no column `{column}` although the contract has; a fault of this program"
    )]
    ColumnMissing {
        /// Name of the column.
        column: String,
    },
}

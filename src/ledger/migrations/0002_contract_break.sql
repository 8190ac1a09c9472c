-- What did not fit the contract in an attempt that failed so: a column and a reason, never a value.
CREATE TABLE contract_break (
    extraction  INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    column_name TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    PRIMARY KEY (extraction, attempt, column_name, reason),
    FOREIGN KEY (extraction, attempt) REFERENCES attempt (extraction, number)
) STRICT, WITHOUT ROWID;

//! A command's text: its statements, one after the other, with variables between them.

use rusqlite::Connection;
use rusqlite::types::Value as Stored;
use sqlparser::ast::{
    BinaryOperator, ConditionalStatements, Declare, DeclareAssignment, Expr, IfStatement, Query,
    SelectItem, Set, SetExpr, Statement, Value,
};
use sqlparser::dialect::MsSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserOptions};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::json::RowWriter;
use super::runtime::from_sqlite;
use super::schema::Schema;
use super::translate::{
    Statement as Translated, Translator, Variable, Variables, describing_query, named_type,
};
use super::{Mode, Now, ResultColumn, RowSink, SqlError, SqlType};

/// Reads a text into statements.
///
/// # Errors
/// 102 where it is no T-SQL.
pub(crate) fn parse(text: &str) -> Result<Vec<Statement>, SqlError> {
    let tokens = Tokenizer::new(&MsSqlDialect {}, text)
        .tokenize_with_location()
        .map_err(|error| SqlError::syntax(error.message.split('\'').nth(1).unwrap_or("'")))?;
    let tokens = without_returns(without_options(tokens));
    let mut options = ParserOptions::new().with_unescape(true);
    options.require_semicolon_stmt_delimiter = false;
    let mut parser = Parser::new(&MsSqlDialect {})
        .with_options(options)
        .with_tokens_with_locations(tokens);
    let mut statements = Vec::new();
    loop {
        while parser.consume_token(&Token::SemiColon) {}
        if parser.peek_token().token == Token::EOF {
            return Ok(statements);
        }
        statements.push(
            parser
                .parse_statement()
                .map_err(|error| syntax_error(&error.to_string()))?,
        );
    }
}

/// What the parser found where it expected something else.
fn syntax_error(message: &str) -> SqlError {
    let found = message.split("found: ").nth(1).unwrap_or(message);
    let found = found.split(" at Line").next().unwrap_or(found);
    if found == "EOF" {
        return SqlError::new(102, "Incorrect syntax near the end of the command.");
    }
    SqlError::syntax(found)
}

/// Leaves out `OPTION (…)`: hints to an optimiser that is not here, and that the parser does not know.
fn without_options(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_option = matches!(&token.token, Token::Word(word) if word.value.eq_ignore_ascii_case("option") && word.quote_style.is_none());
        if !is_option {
            kept.push(token);
            continue;
        }
        let mut held = vec![token];
        while let Some(blank) = tokens.next_if(|token| matches!(token.token, Token::Whitespace(_)))
        {
            held.push(blank);
        }
        if tokens
            .next_if(|token| token.token == Token::LParen)
            .is_none()
        {
            kept.append(&mut held);
            continue;
        }
        let mut depth = 1;
        for token in tokens.by_ref() {
            depth += match token.token {
                Token::LParen => 1,
                Token::RParen => -1,
                _ => 0,
            };
            if depth == 0 {
                break;
            }
        }
    }
    kept
}

/// Leaves out the `@r =` of `EXEC @r = procedure`, which the parser does not know: the only procedure that is
/// here returns nothing.
fn without_returns(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut tokens = tokens
        .into_iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(_)))
        .peekable();
    while let Some(token) = tokens.next() {
        let executes = matches!(&token.token, Token::Word(word) if matches!(word.keyword, Keyword::EXEC | Keyword::EXECUTE));
        kept.push(token);
        let variable = |token: &TokenWithSpan| matches!(&token.token, Token::Word(word) if word.value.starts_with('@'));
        if !executes || !tokens.peek().is_some_and(variable) {
            continue;
        }
        let held = tokens.next().expect("just seen");
        if tokens.next_if(|token| token.token == Token::Eq).is_none() {
            kept.push(held);
        }
    }
    kept
}

/// Runs the statements of one command.
pub(crate) struct Script<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) schema: &'a Schema,
    pub(crate) catalogue: String,
    pub(crate) now: Now,
    pub(crate) variables: Variables,
    pub(crate) mode: Mode,
    pub(crate) sink: &'a mut dyn RowSink,
    pub(crate) rows: u64,
    pub(crate) rows_affected: Option<u64>,
    /// The first result set; later ones are not read.
    pub(crate) columns: Option<Vec<ResultColumn>>,
    pub(crate) return_value: Option<i64>,
}

/// Whether the script goes on.
#[derive(PartialEq, Eq)]
enum Flow {
    On,
    Done,
}

impl Script<'_> {
    /// # Errors
    /// The first error of any statement.
    pub(crate) fn run(&mut self, statements: &[Statement]) -> Result<(), SqlError> {
        self.sequence(statements).map(|_| ())
    }

    fn sequence(&mut self, statements: &[Statement]) -> Result<Flow, SqlError> {
        for statement in statements {
            if self.statement(statement)? == Flow::Done {
                return Ok(Flow::Done);
            }
        }
        Ok(Flow::On)
    }

    fn translator(&self) -> Translator<'_> {
        Translator::new(self.schema, &self.catalogue, self.now, &self.variables)
    }

    fn statement(&mut self, statement: &Statement) -> Result<Flow, SqlError> {
        match statement {
            Statement::Query(query) => self.query(query)?,
            Statement::Insert(insert) => {
                let translated = self.translator().insert(insert)?;
                self.write(&translated)?;
            }
            Statement::Update(update) => {
                let translated = self.translator().update(update)?;
                self.write(&translated)?;
            }
            Statement::Delete(delete) => {
                let translated = self.translator().delete(delete)?;
                self.write(&translated)?;
            }
            Statement::Declare { stmts } => {
                for declaration in stmts {
                    self.declare(declaration)?;
                }
            }
            Statement::Set(set) => self.set(set)?,
            Statement::If(conditional) => return self.conditional(conditional),
            // The parser reads BEGIN … END as a transaction with statements, and TRY as its modifier.
            Statement::StartTransaction {
                statements,
                exception: None,
                modifier: None,
                ..
            } if !statements.is_empty() => return self.sequence(statements),
            Statement::StartTransaction {
                exception: None,
                modifier: None,
                ..
            } => self.transaction("BEGIN")?,
            Statement::Commit {
                end: false,
                modifier: None,
                ..
            } => self.transaction("COMMIT")?,
            Statement::Rollback {
                savepoint: None, ..
            } => self.transaction("ROLLBACK")?,
            Statement::StartTransaction { .. } => return Err(SqlError::unsupported("BEGIN TRY")),
            Statement::Use(target) => {
                let name = target.to_string();
                let name = name
                    .trim_start_matches("USE ")
                    .trim_matches(['[', ']', '"']);
                self.catalogue = self.schema.catalogue(name)?.to_owned();
            }
            Statement::Print(_) => {}
            Statement::Return(returned) => {
                if let Some(sqlparser::ast::ReturnStatementValue::Expr(value)) = &returned.value {
                    let value = self.evaluate(value, SqlType::Int)?;
                    self.return_value = if let Stored::Integer(number) = value {
                        Some(number)
                    } else {
                        None
                    };
                }
                return Ok(Flow::Done);
            }
            Statement::Execute {
                name, parameters, ..
            } => {
                let name = name.as_ref().map(ToString::to_string).unwrap_or_default();
                self.execute(&name, parameters)?;
            }
            other => {
                let text = other.to_string();
                return Err(SqlError::unsupported(
                    text.split(' ').next().unwrap_or_default(),
                ));
            }
        }
        Ok(Flow::On)
    }

    fn query(&mut self, query: &Query) -> Result<(), SqlError> {
        if let Some(assignments) = assignments(query) {
            return self.assign(query, &assignments);
        }
        let translated = self.translator().rows(query)?;
        if self.columns.is_some() {
            // Not read, so not counted: asking for the count now is an error rather than a guess.
            self.variables.remove("@@rowcount");
            return Ok(());
        }
        if self.mode == Mode::NonQuery {
            return self.drain(&translated);
        }
        let mut columns = translated.columns.clone();
        if self.mode == Mode::Scalar {
            columns.truncate(1);
        }
        self.columns = Some(columns.clone());
        self.stream(&translated, &columns)
    }

    /// The one procedure that is here; practices' own are not.
    fn execute(&mut self, name: &str, parameters: &[Expr]) -> Result<(), SqlError> {
        let known = name
            .rsplit('.')
            .next()
            .unwrap_or(name)
            .trim_matches(['[', ']']);
        if !known.eq_ignore_ascii_case("sp_describe_first_result_set") {
            return Err(no_procedure(name));
        }
        let mut texts = parameters.iter().map(constant_text);
        let text = texts
            .next()
            .flatten()
            .ok_or_else(|| SqlError::syntax(name))?;
        let declared = texts.next().flatten().unwrap_or_default();
        let query = describing_query(self.schema, &self.catalogue, self.now, &text, &declared)?;
        self.query(&query)
    }

    /// Hands rows on as SQLite finds them.
    fn stream(
        &mut self,
        translated: &Translated,
        columns: &[ResultColumn],
    ) -> Result<(), SqlError> {
        let mut prepared = self
            .connection
            .prepare(&translated.sql)
            .map_err(|error| from_sqlite(&error))?;
        let mut writer = RowWriter::new(columns);
        let parameters = rusqlite::params_from_iter(&translated.parameters);
        let mut rows = prepared
            .query(parameters)
            .map_err(|error| from_sqlite(&error))?;
        debug_assert!(writer.width() <= translated.columns.len());
        while let Some(row) = rows.next().map_err(|error| from_sqlite(&error))? {
            let json = writer.row(|at| row.get_ref(at).unwrap_or(rusqlite::types::ValueRef::Null));
            self.sink.row(json).map_err(|_| SqlError::stopped())?;
            self.rows += 1;
            if self.mode == Mode::Scalar {
                break;
            }
        }
        self.count("@@rowcount", self.rows);
        Ok(())
    }

    /// Runs a query whose rows nobody wants, so that its errors are seen.
    fn drain(&mut self, translated: &Translated) -> Result<(), SqlError> {
        let mut prepared = self
            .connection
            .prepare(&translated.sql)
            .map_err(|error| from_sqlite(&error))?;
        let parameters = rusqlite::params_from_iter(&translated.parameters);
        let mut rows = prepared
            .query(parameters)
            .map_err(|error| from_sqlite(&error))?;
        let mut read = 0;
        while rows.next().map_err(|error| from_sqlite(&error))?.is_some() {
            read += 1;
        }
        self.count("@@rowcount", read);
        Ok(())
    }

    fn write(&mut self, translated: &Translated) -> Result<(), SqlError> {
        let parameters = rusqlite::params_from_iter(&translated.parameters);
        let changed = self
            .connection
            .execute(&translated.sql, parameters)
            .map_err(|error| write_error(&error))?;
        let changed = u64::try_from(changed).expect("a count of rows");
        self.rows_affected = Some(self.rows_affected.unwrap_or(0) + changed);
        self.count("@@rowcount", changed);
        Ok(())
    }

    /// Sets a server variable that counts.
    fn count(&mut self, name: &str, number: u64) {
        let value = Stored::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        let sql_type = SqlType::Int;
        self.variables
            .insert(name.to_owned(), Variable { sql_type, value });
    }

    fn declare(&mut self, declaration: &Declare) -> Result<(), SqlError> {
        let Some(data_type) = &declaration.data_type else {
            return Err(SqlError::unsupported("CURSOR"));
        };
        let sql_type = named_type(data_type)?;
        let value = match &declaration.assignment {
            Some(DeclareAssignment::MsSqlAssignment(value) | DeclareAssignment::Expr(value)) => {
                self.evaluate(value, sql_type)?
            }
            Some(_) => return Err(SqlError::syntax("DECLARE")),
            None => Stored::Null,
        };
        for name in &declaration.names {
            let variable = Variable {
                sql_type,
                value: value.clone(),
            };
            if self
                .variables
                .insert(name.value.to_lowercase(), variable)
                .is_some()
            {
                return Err(SqlError::new(
                    134,
                    format!(
                        "The variable name '{}' has already been declared. Variable names must be unique within a query batch or stored procedure.",
                        name.value
                    ),
                ));
            }
        }
        Ok(())
    }

    fn set(&mut self, set: &Set) -> Result<(), SqlError> {
        match set {
            Set::SingleAssignment {
                variable, values, ..
            } if variable.to_string().starts_with('@') => {
                let [value] = &values[..] else {
                    return Err(SqlError::syntax(","));
                };
                self.set_variable(&variable.to_string(), value)
            }
            // SET NOCOUNT ON, SET XACT_ABORT ON and their like change nothing here.
            Set::SingleAssignment { .. } | Set::SetSessionParam(_) | Set::SetTransaction { .. } => {
                Ok(())
            }
            other => Err(SqlError::unsupported(other)),
        }
    }

    fn set_variable(&mut self, name: &str, value: &Expr) -> Result<(), SqlError> {
        let key = name.to_lowercase();
        let Some(variable) = self.variables.get(&key) else {
            return Err(SqlError::new(
                137,
                format!("Must declare the scalar variable \"{name}\"."),
            ));
        };
        let sql_type = variable.sql_type;
        let value = self.evaluate(value, sql_type)?;
        self.variables.insert(key, Variable { sql_type, value });
        self.count("@@rowcount", 1);
        Ok(())
    }

    /// `SELECT @a = …, @b = … FROM …`: each row overwrites, so the last one stays.
    fn assign(&mut self, query: &Query, names: &[String]) -> Result<(), SqlError> {
        let translated = self.translator().rows(query)?;
        let mut prepared = self
            .connection
            .prepare(&translated.sql)
            .map_err(|error| from_sqlite(&error))?;
        let parameters = rusqlite::params_from_iter(&translated.parameters);
        let mut rows = prepared
            .query(parameters)
            .map_err(|error| from_sqlite(&error))?;
        let mut read = 0;
        while let Some(row) = rows.next().map_err(|error| from_sqlite(&error))? {
            for (at, (name, column)) in names.iter().zip(&translated.columns).enumerate() {
                let found: Stored = row.get(at).map_err(|error| from_sqlite(&error))?;
                let Some(variable) = self.variables.get_mut(&name.to_lowercase()) else {
                    return Err(SqlError::new(
                        137,
                        format!("Must declare the scalar variable \"{name}\"."),
                    ));
                };
                let conversion =
                    super::runtime::convert::Conversion::new(column.sql_type, variable.sql_type);
                variable.value = conversion.apply((&found).into())?;
            }
            read += 1;
        }
        self.count("@@rowcount", read);
        Ok(())
    }

    fn evaluate(&self, expression: &Expr, sql_type: SqlType) -> Result<Stored, SqlError> {
        let translated = self.translator().single(expression, sql_type)?;
        self.single(&translated)
    }

    fn single(&self, translated: &Translated) -> Result<Stored, SqlError> {
        let parameters = rusqlite::params_from_iter(&translated.parameters);
        self.connection
            .query_row(&translated.sql, parameters, |row| row.get(0))
            .map_err(|error| from_sqlite(&error))
    }

    fn conditional(&mut self, statement: &IfStatement) -> Result<Flow, SqlError> {
        let condition = statement
            .if_block
            .condition
            .as_ref()
            .ok_or_else(|| SqlError::syntax("IF"))?;
        let translated = self.translator().condition(condition)?;
        let holds = matches!(self.single(&translated)?, Stored::Integer(1));
        let block = if holds {
            Some(&statement.if_block)
        } else {
            statement.else_block.as_ref()
        };
        match block.map(|block| &block.conditional_statements) {
            None => Ok(Flow::On),
            Some(ConditionalStatements::Sequence { statements }) => self.sequence(statements),
            Some(ConditionalStatements::BeginEnd(block)) => self.sequence(&block.statements),
        }
    }

    fn transaction(&mut self, word: &str) -> Result<(), SqlError> {
        let open = !self.connection.is_autocommit();
        match (word, open) {
            ("BEGIN", true) => Err(SqlError::unsupported("nested BEGIN TRANSACTION")),
            ("COMMIT" | "ROLLBACK", false) => Err(SqlError::new(
                if word == "COMMIT" { 3902 } else { 3903 },
                format!("The {word} TRANSACTION request has no corresponding BEGIN TRANSACTION."),
            )),
            _ => {
                self.connection
                    .execute_batch(word)
                    .map_err(|error| from_sqlite(&error))?;
                self.count("@@trancount", u64::from(word == "BEGIN"));
                Ok(())
            }
        }
    }
}

/// The text of a procedure's argument, with or without its name.
fn constant_text(argument: &Expr) -> Option<String> {
    match argument {
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Eq,
            right,
        } if left.to_string().starts_with('@') => constant_text(right),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::NationalStringLiteral(text) => {
                Some(text.clone())
            }
            _ => None,
        },
        _ => None,
    }
}

/// 2812, for a procedure that is not there.
pub(crate) fn no_procedure(name: &str) -> SqlError {
    SqlError::new(2812, format!("Could not find stored procedure '{name}'."))
}

/// The variables that a SELECT assigns, when that is all it does.
fn assignments(query: &Query) -> Option<Vec<String>> {
    let SetExpr::Select(select) = query.body.as_ref() else {
        return None;
    };
    let names = select.projection.iter().map(|item| match item {
        SelectItem::ExprWithAlias { alias, .. } if alias.value.starts_with('@') => {
            Some(alias.value.clone())
        }
        _ => None,
    });
    names.collect()
}

/// SQLite's word for a missing value, in SQL Server's words.
fn write_error(error: &rusqlite::Error) -> SqlError {
    let text = error.to_string();
    if let Some(column) = text.strip_prefix("NOT NULL constraint failed: ") {
        let (table, column) = column.rsplit_once('.').unwrap_or(("", column));
        return SqlError::new(
            515,
            format!(
                "Cannot insert the value NULL into column '{column}', table '{}'; column does not allow nulls. INSERT fails.",
                table.replacen('.', ".dbo.", 1)
            ),
        );
    }
    from_sqlite(error)
}

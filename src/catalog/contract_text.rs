//! A contract as a person writes it: the lines of `[columns]`.

use crate::domain::{Column, Rule};

/// `[columns]` and a line for each column, aligned; reads back as the same columns.
pub(super) fn columns_block(columns: &[Column]) -> String {
    let width = columns.iter().map(|column| column.name.len()).max();
    let width = width.unwrap_or(0);
    let lines = columns.iter().map(|column| {
        format!(
            "{:width$} = {{ {} }}\n",
            column.name,
            fields(column).join(", ")
        )
    });
    format!("[columns]\n{}", lines.collect::<String>())
}

/// `int not null`, as a header writes it.
pub(super) fn type_text(column: &Column) -> String {
    let nullability = if column.nullable { "" } else { " not null" };
    format!("{}{nullability}", column.sql_type)
}

fn fields(column: &Column) -> Vec<String> {
    let mut fields = vec![
        format!("type = \"{}\"", type_text(column)),
        format!("class = \"{}\"", column.class),
    ];
    match &column.rule {
        None => {}
        Some(Rule::Pseudonym { kind }) => {
            fields.push(format!("privacy = \"pseudonym\", of = \"{kind}\""));
        }
        Some(rule) => fields.push(format!("privacy = \"{rule}\"")),
    }
    if column.trim {
        fields.push("trim = true".to_owned());
    }
    if column.offset {
        fields.push("offset = true".to_owned());
    }
    if let Some(description) = &column.description {
        let quoted = toml::Value::String(description.clone());
        fields.push(format!("description = {quoted}"));
    }
    fields
}

//! Functions for Power Query (M), as Power BI and Excel run it.

use super::lake::{Lake, PublishedQuery};
use crate::domain::Mode;

pub(super) fn functions(lake: &Lake) -> String {
    let queries: Vec<String> = lake
        .queries
        .iter()
        .map(|query| entry(lake, query))
        .collect();
    format!(
        r#"// The {environment} extracts for Power BI and Excel. Written by halo-extract after each night.
// Paste into a blank query named Extracts, then use for example  Extracts[observation_v1_latest]
// or, for what stood by a day,  Extracts[observation_v1_as_of](#date(2026, 11, 18))
// A row whose record_status is not 1 was deleted at the practice: history has it, latest has not.
let
    // Files of a folder on this machine. For Azure use
    //   AzureStorage.DataLake("https://<account>.dfs.core.windows.net/<container>/…")
    // which gives the same columns.
    Root = {root},
    Files = Folder.Files(Root),

    History = (part as text) as table =>
        let
            Own = Table.SelectRows(Files, each
                Text.Contains(Text.Replace([Folder Path] & [Name], "\", "/"), part)
                    and Text.EndsWith([Name], ".parquet")),
            Tables = List.Transform(Own[Content], each Parquet.Document(_))
        in
            Table.Combine(Tables),

    Standing = (rows as table) as table =>
        if Table.HasColumns(rows, "record_status")
        then Table.SelectRows(rows, each [record_status] = 1)
        else rows,

    // The newest row of each key. The buffer keeps the order that Table.Distinct relies on.
    NewestOfKey = (rows as table, key as list) as table =>
        Standing(Table.Distinct(
            Table.Buffer(Table.Sort(rows, {{
                {{"_window_end", Order.Descending}}, {{"_extracted_at", Order.Descending}}}})),
            {{"_site"}} & key)),

    // The rows of each site's newest day.
    NewestDay = (rows as table) as table =>
        let
            Newest = Table.Group(rows, {{"_site"}}, {{{{"_newest", each List.Max([_window_start])}}}}),
            Joined = Table.Join(rows, "_site", Table.RenameColumns(Newest, {{{{"_site", "_newest_site"}}}}), "_newest_site"),
            Kept = Table.SelectRows(Joined, each [_window_start] = [_newest])
        in
            Standing(Table.RemoveColumns(Kept, {{"_newest", "_newest_site"}})),

    // The rows of the windows that ended by a day.
    Until = (rows as table, day as date) as table =>
        Table.SelectRows(rows, each [_window_end] <= Date.AddDays(day, 1))
in
    [
{queries}
    ]
"#,
        environment = lake.environment,
        root = text(&lake.address),
        queries = queries.join(",\n"),
    )
}

fn entry(lake: &Lake, query: &PublishedQuery) -> String {
    let name = query.view_name();
    let part = text(&format!("{}/", lake.folder("", query)));
    let newest = |rows: &str| match query.mode {
        Mode::Snapshot => format!("NewestDay({rows})"),
        Mode::Incremental { .. } => {
            let key: Vec<String> = query.row_key().into_iter().map(text).collect();
            format!("NewestOfKey({rows}, {{{}}})", key.join(", "))
        }
    };
    let history = format!("{name}_history");
    format!(
        "        {history} = History({part}),\n        {name}_latest = {latest},\n        {name}_as_of = (day as date) as table => {as_of}",
        latest = newest(&history),
        as_of = newest(&format!("Until({history}, day)")),
    )
}

fn text(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

//! Tables that tests print when they are asked to: `tests/fault-matrix` shows them.

/// Rows of text under headings; shown only when `HALO_EXTRACT_FAULT_MATRIX` is set.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(first: &str, others: &[&str]) -> Self {
        let mut table = Self { rows: Vec::new() };
        table.row(&[&[first], others].concat());
        table
    }

    pub(crate) fn row(&mut self, cells: &[&str]) {
        self.rows
            .push(cells.iter().map(|cell| (*cell).to_owned()).collect());
    }

    #[expect(clippy::print_stderr, reason = "a person asked for it")]
    pub(crate) fn show(&self) {
        if std::env::var_os("HALO_EXTRACT_FAULT_MATRIX").is_none() {
            return;
        }
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(String::len).max().unwrap_or_default()
        };
        for row in &self.rows {
            let cells = row.iter().enumerate();
            let line: String = cells
                .map(|(column, cell)| format!("{cell:<width$}  ", width = width(column)))
                .collect();
            eprintln!("{}", line.trim_end());
        }
        eprintln!();
    }
}

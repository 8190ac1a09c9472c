//! Everything that a practice has recorded, as records in memory: the truth that a test compares with.

use std::ops::Deref;

use super::records::{
    Alcohol, Appointment, Clinical, CurrentRx, Email, Immunisation, Investigation, Invoice,
    Location, ObsGynDetail, Observation, PapSmear, PastHistory, Patient, Pregnancy, Prescription,
    Reaction, Record, ReportValue, ScriptItem, Service, Tobacco, User, Visit, VisitReason,
};

/// The rows of one table in the order of their keys. Reads as a slice.
#[derive(Debug, Clone)]
pub struct Rows<T> {
    rows: Vec<T>,
    /// Rows before this position are in the database already.
    written: usize,
    /// Positions before `written` that were edited since.
    edited: Vec<usize>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            written: 0,
            edited: Vec::new(),
        }
    }
}

impl<T> Deref for Rows<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.rows
    }
}

impl<T> Rows<T> {
    /// The key of the next row in tables whose keys count from 1.
    pub(super) fn next_key(&self) -> u32 {
        u32::try_from(self.rows.len() + 1).expect("a practice has fewer than 4 billion rows")
    }

    /// Adds a row and says where it is.
    pub(super) fn push(&mut self, row: T) -> usize {
        self.rows.push(row);
        self.rows.len() - 1
    }

    /// The row at `position`, to be changed.
    pub(super) fn edit(&mut self, position: usize) -> &mut T {
        if position < self.written {
            self.edited.push(position);
        }
        &mut self.rows[position]
    }

    /// From here on, all rows count as being in the database.
    pub(super) fn mark_written(&mut self) {
        self.written = self.rows.len();
        self.edited.clear();
    }

    /// Rows that are in the database in an older form, each once.
    pub(super) fn edited(&self) -> Vec<&T> {
        let mut positions = self.edited.clone();
        positions.sort_unstable();
        positions.dedup();
        positions.into_iter().map(|at| &self.rows[at]).collect()
    }

    /// Rows that are not in the database yet.
    pub(super) fn added(&self) -> &[T] {
        &self.rows[self.written..]
    }
}

/// Does the same with every table of a population.
pub(super) trait Visitor {
    /// Why it stops early.
    type Error;

    fn table<R: Record>(&mut self, rows: &Rows<R>) -> Result<(), Self::Error>;
}

macro_rules! tables {
    ($($field:ident: $record:ty),+ $(,)?) => {
        /// All rows of a practice, table by table. Rows are live, deleted or opted out, as in the database.
        #[derive(Debug, Clone, Default)]
        #[expect(missing_docs, reason = "the fields are the tables of the same names")]
        pub struct Population {
            $(pub $field: Rows<$record>),+
        }

        impl Population {
            /// Shows every table to `visitor`, parents before children.
            pub(super) fn visit<V: Visitor>(&self, visitor: &mut V) -> Result<(), V::Error> {
                $(visitor.table(&self.$field)?;)+
                Ok(())
            }

            /// From here on, all rows count as being in the database.
            pub(super) fn mark_written(&mut self) {
                $(self.$field.mark_written();)+
            }
        }
    };
}

tables! {
    locations: Location,
    users: User,
    patients: Patient,
    emails: Email,
    clinical: Clinical,
    tobacco: Tobacco,
    alcohol: Alcohol,
    past_history: PastHistory,
    reactions: Reaction,
    appointments: Appointment,
    visits: Visit,
    visit_reasons: VisitReason,
    observations: Observation,
    investigations: Investigation,
    report_values: ReportValue,
    immunisations: Immunisation,
    current_rx: CurrentRx,
    prescriptions: Prescription,
    script_items: ScriptItem,
    pap_smears: PapSmear,
    obs_gyn_details: ObsGynDetail,
    pregnancies: Pregnancy,
    invoices: Invoice,
    services: Service,
}

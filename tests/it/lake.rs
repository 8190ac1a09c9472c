//! Nights without a network: generated practices are asked all queries that ship, and the answers go through
//! the contract and the privacy rules into Parquet objects in a temporary folder.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use halo_extract::catalog::Catalog;
use halo_extract::convert::{Converter, DEFAULT_BATCH_ROWS};
use halo_extract::domain::{
    AttemptNumber, Environment, Extraction, Mode, PageNumber, PmsType, Query, Sha256, SiteKey,
    Window,
};
use halo_extract::objects::{Provenance, Store, object_path};
use halo_extract::privacy::{Deidentifier, PseudonymKey};
use halo_extract::simulator::engine::{
    self, Command, Database, Direction, Now, Parameter, RowSink, SqlError, Stop,
};
use halo_extract::simulator::practice::Practice;

/// A practice, its database, and the name under which its objects are kept.
pub(crate) struct Site {
    pub(crate) key: SiteKey,
    pub(crate) practice: Practice,
    pub(crate) database: Database,
}

impl Site {
    /// The practice at place `index` of the fleet of seed 7, its database filled.
    pub(crate) fn open(index: usize, patients: usize, today: NaiveDate) -> Self {
        let practice = Practice::generate(7, index, patients, today);
        let mut database = Database::in_memory("BPSPatients").expect("a database");
        practice.fill(&mut database).expect("an empty database");
        Self {
            key: format!("s{}", practice.identity().pms_id)
                .parse()
                .expect("a site key"),
            practice,
            database,
        }
    }

    /// Lives on to the beginning of `today`.
    pub(crate) fn advance(&mut self, today: NaiveDate) {
        let night = self.practice.advance(today);
        night
            .apply(&mut self.database)
            .expect("the practice's own database");
    }
}

/// Before the records of every generated practice.
pub(crate) fn long_ago() -> NaiveDate {
    NaiveDate::from_ymd_opt(2000, 1, 1).expect("a day")
}

/// The query files that ship.
pub(crate) fn catalog() -> Catalog {
    match Catalog::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("queries")) {
        Ok(catalog) => catalog,
        Err(error) => panic!("{error}"),
    }
}

/// Rows of a result as the bytes of one page.
#[derive(Default)]
pub(crate) struct PageBytes {
    bytes: Vec<u8>,
    rows: u64,
}

impl RowSink for PageBytes {
    fn row(&mut self, json: &[u8]) -> Result<(), Stop> {
        self.bytes.push(if self.rows == 0 { b'[' } else { b',' });
        self.bytes.extend_from_slice(json);
        self.rows += 1;
        Ok(())
    }
}

impl PageBytes {
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The rows as JSON.
    pub(crate) fn json(self) -> Vec<serde_json::Value> {
        serde_json::from_slice(&self.finish()).expect("rows are JSON")
    }

    fn finish(mut self) -> Vec<u8> {
        if self.rows == 0 {
            self.bytes.push(b'[');
        }
        self.bytes.push(b']');
        self.bytes
    }
}

/// The parameters of a query for a window, bound as the client binds them.
pub(crate) fn parameters(query: &Query, window: Window) -> Vec<Parameter> {
    let parameter = |name: &str, sql_type: &str, value: String| Parameter {
        name: name.to_owned(),
        direction: Direction::Input,
        sql_type: sql_type.to_owned(),
        value: Some(value),
        size: None,
    };
    let midnight = |day: NaiveDate| day.format("%Y-%m-%dT00:00:00").to_string();
    match query.mode {
        Mode::Incremental { overlap_days } => vec![
            parameter(
                "window_start",
                "DateTime",
                midnight(window.start() - Days::new(overlap_days.into())),
            ),
            parameter("window_end", "DateTime", midnight(window.end())),
        ],
        Mode::Snapshot if query.sql.contains("@snapshot_date") => {
            vec![parameter(
                "snapshot_date",
                "Date",
                window.start().to_string(),
            )]
        }
        Mode::Snapshot => Vec::new(),
    }
}

/// Asks a practice one query for a window, as the client would.
pub(crate) fn ask(
    database: &mut Database,
    query: &Query,
    window: Window,
) -> Result<PageBytes, SqlError> {
    ask_text(database, &query.sql, query, window)
}

/// Changes something in a practice by hand, as T-SQL.
pub(crate) fn by_hand(database: &mut Database, sql: &str) {
    let command = Command {
        text: sql.to_owned(),
        catalogue: None,
        mode: engine::Mode::NonQuery,
        stored_procedure: false,
        parameters: Vec::new(),
        now: Now {
            local: NaiveDate::default().and_time(NaiveTime::MIN),
            offset_minutes: 600,
        },
    };
    let done = database.run(&command, &mut PageBytes::default());
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// How many rows a query says that it keeps out of a window.
pub(crate) fn withheld(database: &mut Database, query: &Query, window: Window) -> u64 {
    let sql = query.withheld.as_deref().expect("a query that counts them");
    let page = ask_text(database, sql, query, window).unwrap_or_else(|error| panic!("{error}"));
    let rows: serde_json::Value = serde_json::from_slice(&page.finish()).expect("JSON");
    rows[0]["withheld"].as_u64().expect("a number")
}

fn ask_text(
    database: &mut Database,
    sql: &str,
    query: &Query,
    window: Window,
) -> Result<PageBytes, SqlError> {
    let command = Command {
        text: sql.to_owned(),
        catalogue: query.catalogue.clone(),
        mode: engine::Mode::Reader,
        stored_procedure: false,
        parameters: parameters(query, window),
        now: Now {
            local: window.end().and_time(NaiveTime::MIN),
            offset_minutes: 600,
        },
    };
    let mut page = PageBytes::default();
    database.run(&command, &mut page)?;
    Ok(page)
}

/// A folder of objects.
pub(crate) struct Lake {
    folder: tempfile::TempDir,
    store: Store,
    key: PseudonymKey,
}

impl Lake {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&folder.path().to_string_lossy()).expect("a folder to write to");
        let key = PseudonymKey::from_bytes(&[7; 32]).expect("a key of 32 bytes");
        Self { folder, store, key }
    }

    /// The folder of the environment, where `data` is.
    pub(crate) fn environment(&self) -> PathBuf {
        self.folder.path().join(Environment::Simulator.to_string())
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Runs every query of the catalog at a site: changes since `from` for those that follow changes, the state at
    /// the beginning of `today` for the others. Returns the paths of the objects.
    pub(crate) async fn night(
        &self,
        site: &mut Site,
        from: NaiveDate,
        today: NaiveDate,
    ) -> Vec<String> {
        let mut paths = Vec::new();
        for query in catalog().queries() {
            let window = match query.mode {
                Mode::Incremental { .. } => Window::new(from, today).expect("a night has days"),
                Mode::Snapshot => Window::day(today),
            };
            paths.push(self.extract(site, query, window).await);
        }
        paths
    }

    async fn extract(&self, site: &mut Site, query: &Query, window: Window) -> String {
        let page = ask(&mut site.database, query, window)
            .unwrap_or_else(|error| panic!("{}: {} {error}", query.id, error.number));
        let declared = page.rows;
        let mut converter = Converter::new(&query.id, &query.contract, DEFAULT_BATCH_ROWS);
        converter
            .push_page(PageNumber(1), &page.finish())
            .unwrap_or_else(|error| panic!("{error}"));
        let mut rules = Deidentifier::new(
            &query.contract,
            &converter.schema(),
            Some(&self.key),
            &site.key,
            window.end(),
        )
        .unwrap_or_else(|error| panic!("{}: {error}", query.id));
        let extraction = Extraction {
            site: site.key.clone(),
            query: query.id.clone(),
            window,
        };
        let path = object_path(Environment::Simulator, &extraction);
        let (batches, receiver) = tokio::sync::mpsc::channel(2);
        if let Some(batch) = converter.finish() {
            batches
                .send(rules.apply(&batch))
                .await
                .expect("the channel has room");
        }
        drop(batches);
        let staged = self
            .store
            .stage(
                &path,
                &rules.schema(),
                &provenance(query, extraction, &self.key, declared),
                extracted_at(),
                receiver,
            )
            .await
            .expect("a folder to write to");
        assert_eq!(staged.rows_in_footer(), declared, "{path}");
        staged.publish().await.expect("a folder to write to");
        path
    }
}

fn extracted_at() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
}

fn provenance(
    query: &Query,
    extraction: Extraction,
    key: &PseudonymKey,
    rows_declared: u64,
) -> Provenance {
    Provenance {
        environment: Environment::Simulator,
        extraction,
        fingerprint: query.fingerprint.clone(),
        variant: None,
        contract_hash: Sha256([0; 32]),
        privacy_hash: Sha256([0; 32]),
        pseudonym_key_id: Some(key.id().to_owned()),
        pms_type: PmsType::BestPractice,
        link_version: None,
        remote_query_id: "7d0ef2a1-52c4-4f0e-9b1f-6d2c7e105f0c"
            .parse()
            .expect("an id"),
        attempt: AttemptNumber(1),
        rows_declared,
        rows_withheld: None,
        merged: Vec::new(),
    }
}

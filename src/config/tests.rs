use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::*;

fn with_file(text: &str) -> Result<Config, ConfigError> {
    let mut layers = Layers::defaults();
    layers.file(Path::new("my.toml"), text);
    Config::new(layers)
}

fn messages(error: &ConfigError) -> Vec<String> {
    error
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.origin, problem.message))
        .collect()
}

#[test]
fn the_defaults_are_valid_and_point_to_production() {
    let config = Config::new(Layers::defaults()).expect("valid");

    assert_eq!(config.environment, Environment::Production);
    assert_eq!(
        config.halo.url.expect("an address").as_str(),
        "https://api.haloconnect.io/"
    );
    assert_eq!(
        config.storage,
        Path::new("data").join("lake").to_string_lossy()
    );
    assert_eq!(config.halo.max_time_in_queue, Duration::from_secs(3600));
}

#[test]
fn a_typo_is_refused_with_line_and_nearest_key() {
    let error = with_file("home = \"x\"\n[halo]\npages_in_fligt = 3\n").expect_err("refused");

    assert_eq!(
        messages(&error),
        [
            "my.toml:3: there is no setting `halo.pages_in_fligt`; the nearest one is `halo.pages_in_flight`"
        ]
    );
}

#[test]
fn every_problem_is_reported_at_once() {
    let error = with_file(
        "environment = \"prod\"\n[limits]\nextractions_at_once = 0\nattempts_per_run = \"3\"\n",
    )
    .expect_err("refused");

    assert_eq!(error.problems.len(), 3, "{error}");
}

#[test]
fn a_flag_goes_before_a_variable_before_the_file() {
    let mut layers = Layers::defaults();
    layers.file(
        Path::new("my.toml"),
        "home = \"file\"\nqueries = \"file\"\nstorage = \"file\"\n",
    );
    layers.variables([
        ("HALO_EXTRACT__HOME".to_owned(), "variable".to_owned()),
        ("HALO_EXTRACT__QUERIES".to_owned(), "variable".to_owned()),
        (
            "HALO_EXTRACT__LIMITS__EXTRACTIONS_AT_ONCE".to_owned(),
            "9".to_owned(),
        ),
        ("UNRELATED".to_owned(), "x".to_owned()),
    ]);
    layers.flag("--home", "home", Some("flag".to_owned()));
    layers.flag("--queries", "queries", None);

    let config = Config::new(layers).expect("valid");

    assert_eq!(config.home, Path::new("flag"));
    assert_eq!(config.queries, Path::new("variable"));
    assert_eq!(config.storage, "file");
    assert_eq!(config.limits.extractions_at_once, 9);
}

#[test]
fn an_unknown_variable_of_ours_is_refused() {
    let mut layers = Layers::defaults();
    layers.variables([(
        "HALO_EXTRACT__HALO__ULR".to_owned(),
        "http://localhost".to_owned(),
    )]);

    let error = Config::new(layers).expect_err("refused");

    assert!(
        messages(&error)[0].contains("HALO_EXTRACT__HALO__ULR"),
        "{error}"
    );
    assert!(messages(&error)[0].contains("`halo.url`"), "{error}");
}

#[test]
fn a_secret_written_into_the_file_is_refused_and_not_repeated() {
    let error = with_file("[halo]\nsubscription_key = \"canary-key\"\n").expect_err("refused");

    assert!(!error.to_string().contains("canary"), "{error}");
    assert!(error.to_string().contains("env"), "{error}");
}

#[test]
fn broken_toml_names_its_line() {
    let error = with_file("home = \"x\"\nqueries = \n").expect_err("refused");

    assert!(
        messages(&error)[0].starts_with("my.toml:2: is not TOML"),
        "{error}"
    );
}

#[test]
fn a_secret_is_read_from_its_variable_or_the_file_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("key");
    std::fs::write(&file, "from-file\n").expect("written");
    let secret = Secret::Variable("KEY".to_owned());
    let file_name = file.to_string_lossy().into_owned();

    let direct = secret
        .read("the key", |name| {
            (name == "KEY").then(|| "direct".to_owned())
        })
        .expect("found");
    let beside = secret
        .read("the key", |name| {
            (name == "KEY_FILE").then(|| file_name.clone())
        })
        .expect("found");

    assert_eq!(direct.expose_secret(), "direct");
    assert_eq!(beside.expose_secret(), "from-file");
    assert!(matches!(
        secret.read("the key", |_| None),
        Err(SecretError::Unset { .. })
    ));
    assert!(matches!(
        secret.read("the key", |_| Some(" ".to_owned())),
        Err(SecretError::Empty { .. })
    ));
}

#[test]
fn a_size_is_a_whole_number_with_a_unit() {
    let size = |text: &str| {
        with_file(&format!("[halo]\nspool_limit = \"{text}\"\n"))
            .map(|config| config.halo.spool_most_bytes)
    };

    assert_eq!(size("2 GB"), Ok(2_000_000_000));
    assert_eq!(size("10kB"), Ok(10_000));
    assert_eq!(size("0 B"), Ok(0));
    for wrong in ["2", "GB", "-1 GB", "1.5 GB", "2 gb", "99999999999 TB"] {
        let error = size(wrong).expect_err(wrong);
        assert!(messages(&error)[0].contains("halo.spool_limit"), "{error}");
    }
}

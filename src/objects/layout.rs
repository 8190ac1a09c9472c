//! Paths of objects: a pure function of what they hold, and its exact inverse.
//!
//! `site=` and `date=` are the partition columns that DuckDB, Spark, Polars and Trino recognise by
//! themselves. The file's name repeats query and window so that a file taken out of its folder still says
//! what it is.

use crate::domain::{Environment, Extraction, QueryId, QueryVersion, SiteKey, Window};

/// Path of an extraction's object below the storage root.
///
/// `<environment>/data/<query>/v<N>/site=<key>/date=<first date>/<query>_<first date>_<first date after>.parquet`.
/// A snapshot's window is its one day, so its `date=` is the snapshot date.
#[must_use]
pub fn object_path(environment: Environment, extraction: &Extraction) -> String {
    let Extraction {
        site,
        query,
        window,
    } = extraction;
    let (start, end) = (window.start(), window.end());
    let (name, version) = (&query.name, query.version);
    format!(
        "{environment}/data/{name}/{version}/site={site}/date={start}/{name}_{start}_{end}.parquet"
    )
}

/// What the object at `path` holds; `None` if [`object_path`] would not have made this path.
#[must_use]
pub fn parse_object_path(path: &str) -> Option<(Environment, Extraction)> {
    let parts: [&str; 7] = path.split('/').collect::<Vec<_>>().try_into().ok()?;
    let [environment, "data", name, version, site, date, file] = parts else {
        return None;
    };
    let environment = environment.parse().ok()?;
    let start = date.strip_prefix("date=")?;
    let end = file
        .strip_prefix(&format!("{name}_{start}_"))?
        .strip_suffix(".parquet")?;
    let extraction = Extraction {
        site: site.strip_prefix("site=")?.parse::<SiteKey>().ok()?,
        query: QueryId {
            name: name.parse().ok()?,
            version: version.parse::<QueryVersion>().ok()?,
        },
        window: format!("{start}..{end}").parse::<Window>().ok()?,
    };
    // Dates parse in more spellings than they print; only the printed one names the object.
    (object_path(environment, &extraction) == path).then_some((environment, extraction))
}

#[cfg(test)]
mod tests {
    use chrono::{Days, NaiveDate};
    use proptest::prelude::*;

    use super::*;

    fn any_environment() -> impl Strategy<Value = Environment> {
        prop_oneof![
            Just(Environment::Production),
            Just(Environment::Staging),
            Just(Environment::Simulator),
        ]
    }

    fn any_extraction() -> impl Strategy<Value = Extraction> {
        (
            "[a-z][a-z0-9_-]{0,47}",
            "[a-z][a-z0-9_]{0,63}",
            1..=u32::MAX,
            0_u64..40_000,
            1_u64..4_000,
        )
            .prop_map(|(site, name, version, first, days)| {
                let epoch = NaiveDate::from_ymd_opt(1950, 1, 1).expect("a date");
                let start = epoch + Days::new(first);
                Extraction {
                    site: site.parse().expect("a key"),
                    query: QueryId {
                        name: name.parse().expect("a name"),
                        version: QueryVersion::new(version).expect("from 1"),
                    },
                    window: Window::new(start, start + Days::new(days)).expect("not empty"),
                }
            })
    }

    proptest! {
        #[test]
        fn a_path_tells_the_extraction_that_it_was_made_from(
            environment in any_environment(),
            extraction in any_extraction(),
        ) {
            let path = object_path(environment, &extraction);

            prop_assert_eq!(parse_object_path(&path), Some((environment, extraction)));
        }

        #[test]
        fn a_path_with_one_character_changed_never_tells_the_same_extraction(
            environment in any_environment(),
            extraction in any_extraction(),
            at in any::<prop::sample::Index>(),
            with in "[ -~]",
        ) {
            let path = object_path(environment, &extraction);
            let at = at.index(path.len());
            let mut changed = path.clone();
            changed.replace_range(at..=at, &with);
            prop_assume!(changed != path);

            prop_assert_ne!(parse_object_path(&changed), Some((environment, extraction)));
        }
    }

    #[test]
    fn the_path_of_a_nightly_extraction_reads_as_documented() {
        let extraction: Extraction = "s40123/observation@v2/2026-11-18..2026-11-19"
            .parse()
            .expect("an extraction");

        assert_eq!(
            object_path(Environment::Production, &extraction),
            "production/data/observation/v2/site=s40123/date=2026-11-18/observation_2026-11-18_2026-11-19.parquet"
        );
    }

    #[test]
    fn a_path_that_we_did_not_make_is_foreign() {
        for foreign in [
            "",
            "production/_meta/coverage.parquet",
            "production/data/observation/v2/site=s40123/date=2026-11-18/part-0.parquet",
            "production/data/observation/v02/site=s40123/date=2026-11-18/observation_2026-11-18_2026-11-19.parquet",
            "production/data/observation/v2/site=s40123/date=2026-11-8/observation_2026-11-8_2026-11-19.parquet",
            "production/data/observation/v2/site=s40123/date=2026-11-19/observation_2026-11-18_2026-11-19.parquet",
            "/production/data/observation/v2/site=s40123/date=2026-11-18/observation_2026-11-18_2026-11-19.parquet",
        ] {
            assert_eq!(parse_object_path(foreign), None, "{foreign}");
        }
    }
}

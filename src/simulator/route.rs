//! Which operation a request names: the whole HTTP surface of the API in one match.
//!
//! Reads method and path only. Identifiers stay text here, because what a malformed one deserves is
//! decided where it is used. Source: the published specification, version 26.619.10213.

use axum::http::Method;
use serde::{Deserialize, Serialize};

/// An operation with the identifiers of its path, as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Pair,
    Sites,
    Site {
        site: String,
    },
    Immediate {
        site: String,
    },
    Async {
        site: String,
    },
    Status {
        site: String,
        query: String,
    },
    StatusBatch {
        site: String,
    },
    Page {
        site: String,
        query: String,
        page: String,
    },
    Stream {
        site: String,
        query: String,
        page: String,
    },
    RegisteredCreate {
        site: String,
    },
    RegisteredList {
        site: String,
    },
    RegisteredShow {
        site: String,
        query: String,
    },
    RegisteredResults {
        site: String,
        query: String,
    },
    RegisteredCancel {
        site: String,
        query: String,
    },
}

/// The operations by the names that counters, faults and scenarios use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Endpoint {
    /// Both spellings of pair-site.
    Pair,
    Sites,
    Site,
    Immediate,
    Async,
    Status,
    StatusBatch,
    Page,
    Stream,
    RegisteredCreate,
    RegisteredList,
    RegisteredShow,
    RegisteredResults,
    RegisteredCancel,
    /// A request that names no operation.
    NoOperation,
    /// Not a request: one run of a registered query at the site.
    RegisteredRun,
    /// Not a request to us: one webhook that we send.
    Webhook,
}

impl Endpoint {
    /// The operations: the pairing, the look-up by the practice's id, and what is about a site by its GUID.
    pub(super) const REQUESTS: [Endpoint; 14] = [
        Endpoint::Pair,
        Endpoint::Sites,
        Endpoint::Site,
        Endpoint::Immediate,
        Endpoint::Async,
        Endpoint::Status,
        Endpoint::StatusBatch,
        Endpoint::Page,
        Endpoint::Stream,
        Endpoint::RegisteredCreate,
        Endpoint::RegisteredList,
        Endpoint::RegisteredShow,
        Endpoint::RegisteredResults,
        Endpoint::RegisteredCancel,
    ];
}

impl Route {
    /// The operation of a method and path, or `None` where the API has none.
    pub(super) fn read(method: &Method, path: &str) -> Option<Route> {
        let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let own = |text: &str| text.to_owned();
        let route = match (method.as_str(), parts.as_slice()) {
            ("POST", ["integrator", "pair-site" | "pairSite"]) => Route::Pair,
            ("GET", ["integrator", "sites"]) => Route::Sites,
            ("GET", ["integrator", "sites", site]) => Route::Site { site: own(site) },
            (verb, ["integrator", "sites", site, "queries", rest @ ..]) => {
                return Self::of_queries(verb, site, rest);
            }
            _ => return None,
        };
        Some(route)
    }

    /// The literal `registered` shadows a query id, as routers commonly have it.
    fn of_queries(verb: &str, site: &str, rest: &[&str]) -> Option<Route> {
        let site = site.to_owned();
        let own = |text: &str| text.to_owned();
        let route = match (verb, rest) {
            ("POST", ["immediate"]) => Route::Immediate { site },
            ("POST", ["async"]) => Route::Async { site },
            ("POST", ["status"]) => Route::StatusBatch { site },
            ("POST", ["registered"]) => Route::RegisteredCreate { site },
            ("GET", ["registered"]) => Route::RegisteredList { site },
            ("GET", ["registered", query]) => Route::RegisteredShow {
                site,
                query: own(query),
            },
            ("GET", ["registered", query, "results"]) => Route::RegisteredResults {
                site,
                query: own(query),
            },
            ("DELETE", ["registered", query]) => Route::RegisteredCancel {
                site,
                query: own(query),
            },
            ("GET", [query]) => Route::Status {
                site,
                query: own(query),
            },
            ("GET", [query, "results", page]) => Route::Page {
                site,
                query: own(query),
                page: own(page),
            },
            ("GET", [query, "results", page, "stream"]) => Route::Stream {
                site,
                query: own(query),
                page: own(page),
            },
            _ => return None,
        };
        Some(route)
    }

    /// The operation's name.
    pub(super) fn endpoint(&self) -> Endpoint {
        match self {
            Route::Pair => Endpoint::Pair,
            Route::Sites => Endpoint::Sites,
            Route::Site { .. } => Endpoint::Site,
            Route::Immediate { .. } => Endpoint::Immediate,
            Route::Async { .. } => Endpoint::Async,
            Route::Status { .. } => Endpoint::Status,
            Route::StatusBatch { .. } => Endpoint::StatusBatch,
            Route::Page { .. } => Endpoint::Page,
            Route::Stream { .. } => Endpoint::Stream,
            Route::RegisteredCreate { .. } => Endpoint::RegisteredCreate,
            Route::RegisteredList { .. } => Endpoint::RegisteredList,
            Route::RegisteredShow { .. } => Endpoint::RegisteredShow,
            Route::RegisteredResults { .. } => Endpoint::RegisteredResults,
            Route::RegisteredCancel { .. } => Endpoint::RegisteredCancel,
        }
    }

    /// The site of the path, where it has one.
    pub(super) fn site(&self) -> Option<&str> {
        match self {
            Route::Pair | Route::Sites => None,
            Route::Site { site }
            | Route::Immediate { site }
            | Route::Async { site }
            | Route::Status { site, .. }
            | Route::StatusBatch { site }
            | Route::Page { site, .. }
            | Route::Stream { site, .. }
            | Route::RegisteredCreate { site }
            | Route::RegisteredList { site }
            | Route::RegisteredShow { site, .. }
            | Route::RegisteredResults { site, .. }
            | Route::RegisteredCancel { site, .. } => Some(site),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(method: Method, path: &str) -> Option<Endpoint> {
        Route::read(&method, path).map(|route| route.endpoint())
    }

    #[test]
    fn every_path_of_the_specification_has_its_operation() {
        let s = "/integrator/sites/g/queries";

        assert_eq!(
            endpoint(Method::POST, "/integrator/pair-site"),
            Some(Endpoint::Pair)
        );
        assert_eq!(
            endpoint(Method::POST, "/integrator/pairSite"),
            Some(Endpoint::Pair)
        );
        assert_eq!(
            endpoint(Method::GET, "/integrator/sites"),
            Some(Endpoint::Sites)
        );
        assert_eq!(
            endpoint(Method::GET, "/integrator/sites/g"),
            Some(Endpoint::Site)
        );
        assert_eq!(
            endpoint(Method::POST, &format!("{s}/immediate")),
            Some(Endpoint::Immediate)
        );
        assert_eq!(
            endpoint(Method::POST, &format!("{s}/async")),
            Some(Endpoint::Async)
        );
        assert_eq!(
            endpoint(Method::POST, &format!("{s}/status")),
            Some(Endpoint::StatusBatch)
        );
        assert_eq!(
            endpoint(Method::GET, &format!("{s}/q")),
            Some(Endpoint::Status)
        );
        assert_eq!(
            endpoint(Method::GET, &format!("{s}/q/results/1")),
            Some(Endpoint::Page)
        );
        assert_eq!(
            endpoint(Method::GET, &format!("{s}/q/results/1/stream")),
            Some(Endpoint::Stream)
        );
        assert_eq!(
            endpoint(Method::POST, &format!("{s}/registered")),
            Some(Endpoint::RegisteredCreate)
        );
        assert_eq!(
            endpoint(Method::GET, &format!("{s}/registered")),
            Some(Endpoint::RegisteredList)
        );
        assert_eq!(
            endpoint(Method::GET, &format!("{s}/registered/q")),
            Some(Endpoint::RegisteredShow)
        );
        assert_eq!(
            endpoint(Method::GET, &format!("{s}/registered/q/results")),
            Some(Endpoint::RegisteredResults)
        );
        assert_eq!(
            endpoint(Method::DELETE, &format!("{s}/registered/q")),
            Some(Endpoint::RegisteredCancel)
        );
    }

    #[test]
    fn a_path_or_method_outside_the_specification_has_none() {
        assert_eq!(endpoint(Method::GET, "/integrator/pair-site"), None);
        assert_eq!(
            endpoint(Method::DELETE, "/integrator/sites/g/queries/q"),
            None
        );
        assert_eq!(endpoint(Method::GET, "/integrator/sites/g/"), None);
        assert_eq!(endpoint(Method::GET, "/"), None);
    }
}

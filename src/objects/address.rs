//! One address → a store: a folder on this machine, or a bucket of S3, Azure or Google Cloud Storage.
//!
//! The address says only where. Credentials, regions and endpoints come from the variables that each cloud's
//! own tools read (`AWS_*`, `AZURE_*`, `GOOGLE_*`), or from the identity of the machine; never from us.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreScheme, RetryConfig};
use url::Url;

use super::error::{StorageError, StorageErrorKind};

/// Longest that one request is tried again before the store counts as failed.
const RETRY_AT_MOST: Duration = Duration::from_secs(60);
const RETRIES: usize = 6;

/// What an address leads to.
pub(super) struct Place {
    pub(super) inner: Arc<dyn ObjectStore>,
    /// The same, for uploads in parts whose ids can be noted; none for a folder.
    pub(super) parts: Option<Arc<dyn MultipartStore>>,
    /// What of the address lies inside the bucket, in front of all our paths.
    pub(super) root: Path,
    /// The folder, if it is one.
    pub(super) folder: Option<PathBuf>,
}

/// The place at `address`, with the cloud's settings from `variables`. A folder that is absent is made;
/// a bucket is not asked whether it exists.
pub(super) fn open(address: &str, variables: &[(String, String)]) -> Result<Place, StorageError> {
    if address.is_empty() {
        return Err(wrong(address, "the address is empty"));
    }
    if !address.contains("://") {
        let folder = std::path::absolute(address);
        return open_folder(folder.map_err(|_| wrong(address, "the path is not valid here"))?);
    }
    let url = Url::parse(address).map_err(|_| wrong(address, "the address is not a URL"))?;
    if url.scheme() == "file" {
        let folder = url.to_file_path();
        return open_folder(
            folder.map_err(|()| wrong(address, "the URL names no folder of this machine"))?,
        );
    }
    if url.password().is_some() || url.query().is_some() {
        return Err(wrong(
            &without_secrets(url),
            "the address must not hold a secret",
        ));
    }
    open_bucket(address, &url, variables)
}

fn open_folder(folder: PathBuf) -> Result<Place, StorageError> {
    let place = folder.display().to_string();
    std::fs::create_dir_all(&folder)
        .map_err(|error| StorageError::from_io("open", &place, error))?;
    let local = LocalFileSystem::new_with_prefix(&folder)
        .map_err(|error| StorageError::from_store("open", &place, error))?;
    Ok(Place {
        inner: Arc::new(local.with_fsync(true)),
        parts: None,
        root: Path::default(),
        folder: Some(folder),
    })
}

fn open_bucket(
    address: &str,
    url: &Url,
    variables: &[(String, String)],
) -> Result<Place, StorageError> {
    let unknown = || {
        let why = format!(
            "`{}://` is not a kind of storage that is known here",
            url.scheme()
        );
        wrong(address, &why)
    };
    let (scheme, root) = ObjectStoreScheme::parse(url).map_err(|_| unknown())?;
    let built = match scheme {
        ObjectStoreScheme::AmazonS3 => s3(address, variables),
        ObjectStoreScheme::MicrosoftAzure => azure(address, variables),
        ObjectStoreScheme::GoogleCloudStorage => google(address, variables),
        _ => return Err(unknown()),
    };
    let (inner, parts) = built.map_err(|error| {
        let why = StorageErrorKind::Settings(unquoted(&error));
        StorageError::new("open", address, why)
    })?;
    Ok(Place {
        inner,
        parts: Some(parts),
        root,
        folder: None,
    })
}

/// One store, seen as both.
type Built = object_store::Result<(Arc<dyn ObjectStore>, Arc<dyn MultipartStore>)>;

fn both<Bucket: ObjectStore + MultipartStore>(bucket: Bucket) -> Built {
    let bucket = Arc::new(bucket);
    Ok((Arc::clone(&bucket) as _, bucket))
}

fn s3(address: &str, variables: &[(String, String)]) -> Built {
    let mut builder = AmazonS3Builder::new();
    for (key, value) in settings("aws_", variables) {
        builder = builder.with_config(key, value);
    }
    let builder = builder.with_url(address).with_retry(retry());
    both(builder.build()?)
}

fn azure(address: &str, variables: &[(String, String)]) -> Built {
    let mut builder = MicrosoftAzureBuilder::new();
    for (key, value) in settings("azure_", variables) {
        builder = builder.with_config(key, value);
    }
    // Where Azure's own services, unlike its virtual machines, say where the machine's identity is to be had.
    let identity = variables
        .iter()
        .find(|(name, _)| name == "IDENTITY_ENDPOINT");
    if let Some((_, endpoint)) = identity {
        builder = builder.with_msi_endpoint(endpoint);
    }
    let builder = builder.with_url(address).with_retry(retry());
    both(builder.build()?)
}

fn google(address: &str, variables: &[(String, String)]) -> Built {
    let mut builder = GoogleCloudStorageBuilder::new();
    for (key, value) in settings("google_", variables) {
        builder = builder.with_config(key, value);
    }
    let builder = builder.with_url(address).with_retry(retry());
    both(builder.build()?)
}

/// The variables of one cloud that the client library knows.
fn settings<'a, Key: std::str::FromStr>(
    prefix: &'a str,
    variables: &'a [(String, String)],
) -> impl Iterator<Item = (Key, &'a str)> {
    variables.iter().filter_map(move |(name, value)| {
        let name = name.to_ascii_lowercase();
        let key = name.starts_with(prefix).then(|| name.parse().ok())??;
        Some((key, value.as_str()))
    })
}

fn retry() -> RetryConfig {
    RetryConfig {
        max_retries: RETRIES,
        retry_timeout: RETRY_AT_MOST,
        ..RetryConfig::default()
    }
}

fn without_secrets(mut url: Url) -> String {
    url.set_query(None);
    // Fails only for URLs that cannot have a password.
    let _ = url.set_password(None);
    url.to_string()
}

/// What the client library misses, up to where its message would quote a value.
fn unquoted(error: &object_store::Error) -> String {
    let text = error.to_string();
    let plain = text.split(['"', '`', '\n']).next();
    plain.unwrap_or_default().trim().to_owned()
}

fn wrong(address: &str, why: &str) -> StorageError {
    StorageError::new("open", address, StorageErrorKind::Address(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        owned.collect()
    }

    #[test]
    fn each_kind_of_address_opens_with_its_own_variables() {
        let aws = variables(&[
            ("AWS_ACCESS_KEY_ID", "a"),
            ("AWS_SECRET_ACCESS_KEY", "b"),
            ("AWS_REGION", "ap-southeast-2"),
            ("HOME", "/root"),
        ]);
        let azure = variables(&[
            ("AZURE_STORAGE_ACCOUNT_NAME", "lake"),
            ("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0"),
        ]);
        let google = variables(&[(
            "GOOGLE_SERVICE_ACCOUNT_KEY",
            r#"{"gcs_base_url":"https://localhost:4443","disable_oauth":true,"client_email":"","private_key":"","private_key_id":""}"#,
        )]);
        for (address, variables, root) in [
            ("s3://bucket/nested/lake", &aws, "nested/lake"),
            ("s3://bucket", &aws, ""),
            ("az://container/lake", &azure, "lake"),
            (
                "abfss://container@lake.dfs.core.windows.net/x/y",
                &azure,
                "x/y",
            ),
            ("gs://bucket/lake/", &google, "lake"),
        ] {
            let place = open(address, variables).map_err(|error| error.to_string());
            assert_eq!(place.expect(address).root.as_ref(), root, "{address}");
        }
    }

    #[test]
    fn a_secret_in_an_address_is_refused_and_not_repeated() {
        for address in [
            "s3://key:geheim@bucket/lake",
            "az://container/lake?sig=geheim",
        ] {
            let error = open(address, &[]).err().expect("refused").to_string();
            assert!(!error.contains("geheim"), "{error}");
            assert!(error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_missing_setting_is_named() {
        let error = open("az://container/lake", &[]).err().expect("refused");
        assert!(
            error.to_string().contains("Account must be specified"),
            "{error}"
        );
        assert!(error.to_string().contains("AZURE_"), "{error}");
    }
}

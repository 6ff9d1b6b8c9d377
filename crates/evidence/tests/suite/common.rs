use std::fs;
use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};
use daypass_claims::Timestamp;
use daypass_evidence::{Evidence, Input, Options, SourceKind, gather};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

pub(crate) fn folder() -> (TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    (folder, path)
}

pub(crate) fn write(path: &Utf8Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub(crate) fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub(crate) fn read(path: &Utf8Path, options: &Options) -> Evidence {
    read_as(SourceKind::CloudTrail, path, options)
}

pub(crate) fn read_as(source: SourceKind, path: &Utf8Path, options: &Options) -> Evidence {
    let input = Input { source, path: path.to_owned() };
    gather(&[input], options, &()).unwrap().into_evidence().unwrap()
}

/// A call with a stored key.
pub(crate) fn call(key: &str, time: &str) -> String {
    format!(
        r#"{{"userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ci","accountId":"111122223333","accessKeyId":"{key}"}},"eventTime":"{time}","eventSource":"s3.amazonaws.com","eventName":"ListBuckets","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.1","userAgent":"aws-cli/2","recipientAccountId":"111122223333"}}"#
    )
}

pub(crate) fn delivery(records: &[String]) -> String {
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

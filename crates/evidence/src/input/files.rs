//! Files below folders, found while others are read.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use crate::moment::{Moment, parse_day};
use crate::skip::Skip;

/// How deep folders are followed: an organisation's trail nests nine.
const DEPTH: usize = 32;

/// What stands at a path.
pub(crate) enum Met {
    File(Utf8PathBuf),
    /// A file that holds no records.
    PassedOver,
    Skipped(Utf8PathBuf, Skip),
}

/// Hands over the files at a path and below it until `take` has had enough. Links below it are not followed.
pub(crate) fn walk(path: &Utf8Path, take: &mut dyn FnMut(Met) -> bool) -> bool {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => folder(path, 0, take),
        Ok(metadata) if metadata.is_file() => take(Met::File(path.to_owned())),
        Ok(_) | Err(_) => take(Met::Skipped(path.to_owned(), Skip::Unreadable)),
    }
}

fn folder(path: &Utf8Path, depth: usize, take: &mut dyn FnMut(Met) -> bool) -> bool {
    if depth >= DEPTH {
        return take(Met::Skipped(path.to_owned(), Skip::TooDeep));
    }
    let Ok(entries) = path.read_dir_utf8() else {
        return take(Met::Skipped(path.to_owned(), Skip::Unreadable));
    };
    let mut folders = Vec::new();
    let mut files = Vec::new();
    for entry in entries {
        let Ok(entry) = entry else {
            if !take(Met::Skipped(path.to_owned(), Skip::Name)) {
                return false;
            }
            continue;
        };
        let below = entry.path().to_owned();
        match entry.file_type() {
            Ok(kind) if kind.is_symlink() => {
                if !take(Met::Skipped(below, Skip::Link)) {
                    return false;
                }
            }
            Ok(kind) if kind.is_dir() => folders.push(below),
            Ok(kind) if kind.is_file() => files.push(below),
            Ok(_) | Err(_) => {
                if !take(Met::Skipped(below, Skip::Unreadable)) {
                    return false;
                }
            }
        }
    }
    files.sort_unstable();
    folders.sort_unstable();
    files.into_iter().all(|file| take(if is_other(&file) { Met::PassedOver } else { Met::File(file) }))
        && folders.iter().all(|below| folder(below, depth.saturating_add(1), take))
}

/// Digests prove that logs are whole and have no calls; insights are about calls that stand elsewhere.
fn is_other(path: &Utf8Path) -> bool {
    path.components().any(|part| matches!(part.as_str(), "CloudTrail-Digest" | "CloudTrail-Insight"))
}

/// What CloudTrail's paths say of what they hold:
/// `AWSLogs/[ORGANISATION/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/FILE.json.gz`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) day: Option<i64>,
}

impl Delivered {
    pub(crate) fn of(path: &Utf8Path) -> Self {
        let parts: Vec<&str> = path.components().map(|part| part.as_str()).collect();
        let mut found = Self::default();
        for window in parts.windows(6) {
            let &[account, "CloudTrail", region, year, month, day] = window else { continue };
            let day = parse_day(&format!("{year}-{month}-{day}"));
            if day.is_some() {
                found = Self { account: account.to_owned(), region: region.to_owned(), day };
            }
        }
        found
    }

    /// The day's beginning.
    pub(crate) fn moment(&self) -> Option<Moment> {
        Moment::from_secs(self.day?.saturating_mul(86_400))
    }

    /// Whether a record of this time can have been delivered there. It takes minutes as a rule, and hours at worst.
    pub(crate) fn fits(&self, at: Moment) -> bool {
        self.day.is_none_or(|day| (day.saturating_sub(2)..=day.saturating_add(1)).contains(&at.day()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_trails_say_what_they_hold() {
        let path =
            "b/AWSLogs/o-abc/111122223333/CloudTrail/eu-west-1/2026/11/23/111122223333_CloudTrail_x.json.gz";
        let found = Delivered::of(path.into());
        assert_eq!((&*found.account, &*found.region), ("111122223333", "eu-west-1"));
        let noon = Moment::parse("2026-11-23T12:00:00Z").unwrap();
        assert_eq!(found.day, Some(noon.day()));
        assert!(found.fits(noon));
        assert!(!found.fits(Moment::parse("2026-11-25T00:00:00Z").unwrap()));
        assert!(!found.fits(Moment::parse("2026-11-20T23:59:59Z").unwrap()));
        assert_eq!(Delivered::of("logs/a.json.gz".into()), Delivered::default());
        assert!(Delivered::default().fits(noon));
    }
}

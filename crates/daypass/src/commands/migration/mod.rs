//! The steps from stored secrets to workload identity, one file each, and what they have in common: the plan, and the files that
//! it was drawn from.

pub(crate) mod generate;
pub(crate) mod plan;
pub(crate) mod rehearse;
pub(crate) mod retire;
pub(crate) mod rewrite;
pub(crate) mod status;

use std::fs;
use std::io;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use clap::Args;
use daypass_migrate::plan::FILE_NAME;
use daypass_migrate::plan::privilege::Account;
use daypass_migrate::{Plan, Survey};
use daypass_pipelines::{Platform, ReadError, expected, recognise};
use daypass_trust::document::Source;

use super::files;
use super::inventory::scan::{is_blank, noted};
use super::inventory::walk::{Given, cannot_read, walk};
use super::inventory::{Skipped, export};
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::progress::Progress;
use crate::render::style;

/// Which migration.
#[derive(Debug, Args)]
pub(super) struct Chosen {
    /// The plan. The files that it was drawn from are read again.
    #[arg(long, value_name = "FILE", default_value = FILE_NAME)]
    plan: Utf8PathBuf,
}

/// What the account's own policies say.
#[derive(Debug, Args)]
pub(super) struct Details {
    /// What users and roles may do: `aws iam get-account-authorization-details`.
    #[arg(long, value_name = "FILE")]
    account_details: Option<Utf8PathBuf>,
}

/// A plan with what it was drawn from, as that is now.
#[derive(Debug)]
pub(super) struct Migration {
    /// The plan's text.
    pub(super) source: Source,
    pub(super) plan: Plan,
    pub(super) read: Read,
}

/// Files that were read for a migration.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) survey: Survey,
    /// Where the files lie.
    pub(super) given: Vec<Given>,
    pub(super) skipped: Vec<Skipped>,
}

impl Chosen {
    /// Reads the plan, and then the files that it was drawn from.
    pub(super) fn open(&self) -> Result<Migration> {
        self.open_over(&[])
    }

    /// Reads the plan, and then the given files in place of its own, if any are given.
    pub(super) fn open_over(&self, paths: &[Utf8PathBuf]) -> Result<Migration> {
        Migration::open(&self.plan, paths)
    }

    /// Where the plan lies.
    pub(super) fn path(&self) -> &Utf8Path {
        &self.plan
    }
}

impl Migration {
    /// Reads a plan, and then the given files; the files that it was drawn from, if none are given.
    pub(super) fn open(file: &Utf8Path, paths: &[Utf8PathBuf]) -> Result<Self> {
        let source = read_large(file)?;
        let plan =
            Plan::parse(&source).map_err(|error| Failure::input(error.problems, vec![source.clone()]))?;
        let own = if plan.paths.is_empty() { vec![".".to_owned()] } else { plan.paths.clone() };
        let read = if paths.is_empty() {
            let home = folder_of(file);
            Read::all(Survey::new(), &from(home, &own), home)?
        } else {
            Read::all(Survey::new(), paths, Utf8Path::new(""))?
        };
        Ok(Self { source, plan, read })
    }
}

impl Details {
    pub(super) fn read(&self) -> Result<Option<Account>> {
        let Some(path) = &self.account_details else { return Ok(None) };
        let refused = |why: String| Failure::usage(format!("--account-details: {why}"));
        let bytes = export(path).map_err(|why| refused(format!("{path}: {why}")))?;
        let text = String::from_utf8(bytes).map_err(|_| refused(format!("{path}: it is not UTF-8")))?;
        Account::parse(path.as_str(), &text).map(Some).map_err(|error| refused(error.to_string()))
    }
}

impl Read {
    /// Reads all pipelines below the paths. What cannot be read is said, and the rest goes on.
    pub(super) fn all(mut survey: Survey, paths: &[Utf8PathBuf], base: &Utf8Path) -> Result<Self> {
        let mut skipped = Vec::new();
        let given = walk(paths.iter().map(Utf8PathBuf::as_path), base, &mut skipped);
        given.iter().flat_map(|given| &given.unread).for_each(|name| survey.miss(name));
        if paths.iter().any(|path| fs::metadata(path).is_err()) {
            // What the others are called depends on all of them.
            survey.miss("");
        }
        if given.is_empty() {
            let why: Vec<String> = skipped.iter().map(|it| format!("{}: {}", it.file, it.why)).collect();
            return Err(Failure::usage(format!("nothing to read: {}", why.join("; "))));
        }
        let total = given.iter().map(|given| given.names().count() as u64).sum();
        let (mut progress, mut done) = (Progress::of("reading files", total), 0_u64);
        for given in &given {
            for name in given.names() {
                skipped.extend(add(&mut survey, given, name));
                done = done.saturating_add(1);
                progress.at(done);
            }
        }
        Ok(Self { survey, given, skipped })
    }
}

/// Adds a file to the survey, if it is a platform's; gives back what was passed over.
fn add(survey: &mut Survey, given: &Given, name: &str) -> Vec<Skipped> {
    let shown = given.shown(name);
    let content = match given.content(name) {
        Ok(content) => content,
        Err(error) => {
            survey.miss(name);
            return vec![Skipped::new(shown, cannot_read(&error))];
        }
    };
    let bytes = content.bytes.as_slice();
    let Some(platform) = recognise(name, bytes).or_else(|| expected(name)) else { return Vec::new() };
    if content.length > bytes.len() as u64 {
        survey.miss(name);
        let why =
            format!("{shown}: the file has {} bytes, pipelines of up to 4 MiB are read", content.length);
        return vec![Skipped::new(shown, why)];
    }
    match survey.add(name, bytes, given) {
        Ok(notes) => notes.iter().map(|note| noted(given, note)).collect(),
        Err(ReadError::NotAMapping(_)) if platform != Platform::Terraform && is_blank(bytes) => Vec::new(),
        // Errors begin with the file's name as the readers know it.
        Err(error) => {
            survey.miss(name);
            let error = error.to_string();
            let why = error.strip_prefix(name).map_or_else(|| error.clone(), |rest| format!("{shown}{rest}"));
            vec![Skipped::new(shown, why)]
        }
    }
}

/// Reads a plan, or what logs showed: a large organisation's are larger than any configuration.
pub(super) fn read_large(path: &Utf8Path) -> Result<Source> {
    if path == "-" {
        return files::read(path);
    }
    let refused = |why: &str| files::unreadable(path.as_str(), why);
    let bytes = export(path).map_err(|why| refused(why.trim_start_matches("cannot read it: ")))?;
    let text = String::from_utf8(bytes).map_err(|_| refused("it is not UTF-8"))?;
    Ok(Source::new(path.as_str(), text))
}

/// The folder that a file lies in; empty for the one that the process runs in.
pub(super) fn folder_of(file: &Utf8Path) -> &Utf8Path {
    file.parent().unwrap_or(Utf8Path::new(""))
}

/// Paths that were written as seen from a folder, without detours: a patch with `..` in its names is refused by git.
pub(super) fn from(folder: &Utf8Path, paths: &[String]) -> Vec<Utf8PathBuf> {
    let whole = |path: &String| {
        let mut whole = folder.to_owned();
        for component in Utf8Path::new(path).components() {
            match component {
                Utf8Component::CurDir => {}
                Utf8Component::ParentDir
                    if matches!(whole.components().next_back(), Some(Utf8Component::Normal(_))) =>
                {
                    whole.pop();
                }
                other => whole.push(other.as_str()),
            }
        }
        let short = if whole.as_str().is_empty() { Utf8PathBuf::from(".") } else { whole };
        // Where a folder is a link, what lies above it is not what its name says.
        let joined = folder.join(path);
        let same = short.canonicalize().ok() == joined.canonicalize().ok();
        if same { short } else { joined }
    };
    paths.iter().map(whole).collect()
}

/// A path as it is seen from a folder; both must be there.
pub(super) fn seen_from(folder: &Utf8Path, path: &Utf8Path) -> io::Result<String> {
    let here = if folder.as_str().is_empty() { Utf8Path::new(".") } else { folder };
    let (folder, path) = (here.canonicalize_utf8()?, path.canonicalize_utf8()?);
    let shared = folder.components().zip(path.components()).take_while(|(one, other)| one == other).count();
    let up = folder.components().skip(shared).map(|_| "..");
    let down = path.components().skip(shared).map(|component| component.as_str());
    let names: Vec<&str> = up.chain(down).collect();
    Ok(if names.is_empty() { ".".to_owned() } else { names.join("/") })
}

/// Writes a file, and the folders that it lies in.
pub(super) fn write(path: &Utf8Path, text: &str) -> Result<()> {
    let made = path.parent().filter(|it| !it.as_str().is_empty()).map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(path, text))
        .map_err(|error| Failure::usage(format!("cannot write `{path}`: {error}")))
}

/// Writes a file below a folder and nowhere else: neither its name nor a link on the way leads out.
pub(super) fn write_within(folder: &Utf8Path, name: &str, text: &str) -> Result<Utf8PathBuf> {
    let outside = |why: &str| Failure::usage(format!("`{name}` would lie outside of `{folder}`: {why}"));
    if !Utf8Path::new(name).components().all(|it| matches!(it, Utf8Component::Normal(_))) {
        return Err(outside("give the role another name"));
    }
    let path = folder.join(name);
    let home = path.parent().unwrap_or(folder);
    fs::create_dir_all(folder)
        .and_then(|()| fs::create_dir_all(home))
        .map_err(|error| Failure::usage(format!("cannot make `{home}`: {error}")))?;
    let leads_out = || Ok::<_, io::Error>(!home.canonicalize()?.starts_with(folder.canonicalize()?));
    if path.is_symlink() || leads_out().unwrap_or(true) {
        return Err(outside("a symbolic link leads there"));
    }
    write(&path, text)?;
    Ok(path)
}

/// Says on stderr what was passed over, where the answer itself has no room for it.
pub(super) fn warn(skipped: &[Skipped], output: &Output) {
    for Skipped { file, why } in skipped.iter().filter(|_| !output.is_json()) {
        let said = if why.starts_with(file) { why.clone() } else { format!("{file}: {why}") };
        output.remark(|err| writeln!(err, "{} {said}", style::warning("skipped:")));
    }
}

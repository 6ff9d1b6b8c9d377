//! Looking at everything, on all cores.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use camino::Utf8PathBuf;
use daypass_lint::{Checked, Options, Report, Work, gather};

use crate::disk::DiskTree;
use crate::progress::Progress;

/// Deep documents are read by recursion; a thread has as much room for it as the first one.
const STACK: usize = 8 * 1_024 * 1_024;

/// Looks at all that stands below the paths, and gives what there was with what came of it.
pub(crate) fn look(paths: &[Utf8PathBuf], options: &Options) -> io::Result<(Work, Report)> {
    let tree = DiskTree::here();
    let paths: Vec<&str> = paths.iter().map(|path| path.as_str()).collect();
    let work = gather(&tree, &paths);
    let next = AtomicUsize::new(0);
    let progress = Mutex::new(Progress::new("checked"));
    let mut looked = thread::scope(|scope| -> io::Result<Vec<(usize, Checked)>> {
        let mut workers = Vec::new();
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let worker = || several(&work, &tree, options, &next, &progress);
            workers.push(thread::Builder::new().stack_size(STACK).spawn_scoped(scope, worker)?);
        }
        let mut looked = Vec::new();
        for worker in workers {
            looked.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        Ok(looked)
    })?;
    looked.sort_by_key(|(index, _)| *index);
    let report = work.finish(looked.into_iter().map(|(_, checked)| checked).collect());
    Ok((work, report))
}

/// What one thread gets to: policies, then pipelines.
fn several(
    work: &Work,
    tree: &DiskTree,
    options: &Options,
    next: &AtomicUsize,
    progress: &Mutex<Progress>,
) -> Vec<(usize, Checked)> {
    let mut mine = Vec::new();
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let checked = match index.checked_sub(work.policies()) {
            None => work.policy(index, options),
            Some(pipeline) if pipeline < work.pipelines() => work.pipeline(pipeline, tree),
            Some(_) => return mine,
        };
        mine.push((index, checked));
        progress.lock().unwrap_or_else(PoisonError::into_inner).at(index as u64);
    }
}

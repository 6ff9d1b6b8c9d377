use std::time::Duration;

use daypass_claims::{Timestamp, format_duration};

/// A duration in whole seconds, as people write it.
fn span(duration: Duration) -> String {
    format_duration(Duration::from_secs(duration.as_secs()))
}

/// `in 5m`, `10m ago`, `now`.
pub(crate) fn ago(time: Timestamp, now: Timestamp) -> String {
    let (ahead, behind) = (time.since(now), now.since(time));
    if ahead.as_secs() > 0 {
        format!("in {}", span(ahead))
    } else if behind.as_secs() > 0 {
        format!("{} ago", span(behind))
    } else {
        "now".to_owned()
    }
}

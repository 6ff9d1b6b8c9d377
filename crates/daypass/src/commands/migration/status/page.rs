//! The burn-down as one HTML file, on the design of the check report. It asks for nothing: no network, no fonts, no script.

use std::fmt::{self, Display, Write};

use daypass_lint::html::{STYLE, STYLE_HASH, Text};
use daypass_migrate::Plan;
use daypass_migrate::plan::{Planned, State};
use daypass_migrate::retire::Retirement;
use daypass_migrate::status::{Count, Status};

/// What the chart and the tables need beside the sheet of every page, and its SHA-256.
const OWN: &str = include_str!("page.css");
const OWN_HASH: &str = "sha256-IwAPBieChoGpgCW+5OcxUxMgLH9T7xwiaju2tH5yoY4=";

/// Widths of the chart, in its own units.
const LABEL: usize = 120;
const BAR: usize = 600;
const ROW: usize = 34;

/// The page.
pub(super) fn html(plan: &Plan, status: &Status, judged: &Retirement, when: &str) -> String {
    Page { plan, status, judged, when }.to_string()
}

struct Page<'a> {
    plan: &'a Plan,
    status: &'a Status,
    judged: &'a Retirement,
    when: &'a str,
}

impl Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = env!("CARGO_PKG_VERSION");
        write!(
            f,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{STYLE_HASH}' '{OWN_HASH}'; \
             base-uri 'none'; form-action 'none'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" content=\"daypass {version}\">\n\
             <title>Stored credentials · burn-down</title>\n<style>{STYLE}</style>\n<style>{OWN}</style>\n</head>\n<body>\n"
        )?;
        let left = self.status.total.left();
        writeln!(
            f,
            "<header>\n<p class=\"eyebrow\">daypass {version} <span class=\"sep\">·</span> {}</p>\n<h1>{left} stored \
             credentials to go</h1>\n<p class=\"lead\">What is replaced by workload identity, wave by wave, and what keeps the \
             rest.</p>",
            Text(self.when)
        )?;
        self.strip(f)?;
        f.write_str("</header>\n<main>\n")?;
        self.chart(f)?;
        self.credentials(f)?;
        f.write_str("</main>\n</body>\n</html>\n")
    }
}

impl Page<'_> {
    fn strip(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Count { planned, cut_over, ready, retired, kept } = self.status.total;
        f.write_str("<dl class=\"strip\">\n")?;
        for (head, number) in [
            ("planned", planned),
            ("cut over", cut_over),
            ("may go", ready),
            ("retired", retired),
            ("kept", kept),
        ] {
            let class = if number == 0 { " class=\"zero\"" } else { "" };
            writeln!(f, "<div{class}><dt>{head}</dt><dd>{number}</dd></div>")?;
        }
        f.write_str("</dl>\n")
    }

    /// Bars of waves and clouds. The same numbers stand beside each as text.
    fn chart(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waves = self.status.waves.iter().map(|(wave, count)| (format!("wave {wave}"), count));
        let clouds = self.status.clouds.iter().map(|(cloud, count)| (cloud.clone(), count));
        let rows: Vec<(String, &Count)> = waves.chain(clouds).collect();
        let most = rows.iter().map(|(_, count)| all(count)).max().unwrap_or(1).max(1);
        let (width, height) = (LABEL + BAR + 220, rows.len().saturating_mul(ROW).max(ROW));
        writeln!(
            f,
            "<section aria-labelledby=\"chart\">\n<h2 id=\"chart\">Burn-down</h2>\n<p class=\"key\"><span class=\"retired\">retired\
             </span> <span class=\"cut-over\">cut over</span> <span class=\"planned\">planned</span> <span class=\"kept\">kept\
             </span></p>\n<svg class=\"bars\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"Credentials by wave and by \
             what they open\">"
        )?;
        for (number, (head, count)) in rows.iter().enumerate() {
            bar(f, number.saturating_mul(ROW), head, count, most)?;
        }
        f.write_str("</svg>\n</section>\n")
    }

    fn credentials(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "<section aria-labelledby=\"all\">\n<h2 id=\"all\">Credentials</h2>\n<table class=\"list\">\n<thead><tr><th>where</th>\
             <th>what</th><th>state</th><th>what keeps it</th></tr></thead>\n<tbody>\n",
        )?;
        let mut all: Vec<&Planned> = self.plan.credentials.iter().collect();
        all.sort_by_key(|one| (one.state, self.plan.wave(one), &one.file, one.line));
        all.into_iter().try_for_each(|one| self.credential(f, one))?;
        f.write_str("</tbody>\n</table>\n</section>\n")
    }

    fn credential(&self, f: &mut fmt::Formatter<'_>, one: &Planned) -> fmt::Result {
        writeln!(
            f,
            "<tr><th scope=\"row\"><code>{}:{}</code></th><td>{}<br><small>{}</small></td><td><span class=\"tag {}\">{}</span>\
             </td><td>",
            Text(&one.file),
            one.line,
            Text(&one.kind),
            Text(&one.source),
            one.state,
            one.state
        )?;
        if let (State::Kept, Some(why)) = (one.state, &one.why) {
            write!(f, "{}", Text(why))?;
        } else if let Some(removal) = self.judged.granted.iter().find(|it| it.credential == one.id) {
            f.write_str("nothing: it may go<ol>")?;
            removal.steps.iter().try_for_each(|step| write!(f, "<li>{}</li>", Text(step)))?;
            write!(f, "</ol><small>The way back: {}</small>", Text(&removal.rollback))?;
        } else if let Some(refused) = self.judged.refused.iter().find(|it| it.credential == one.id) {
            f.write_str("<ul>")?;
            refused.why.iter().try_for_each(|why| write!(f, "<li>{}</li>", Text(&why.to_string())))?;
            f.write_str("</ul>")?;
        }
        f.write_str("</td></tr>\n")
    }
}

fn all(count: &Count) -> usize {
    count.left().saturating_add(count.retired).saturating_add(count.kept)
}

fn bar(out: &mut dyn Write, top: usize, head: &str, count: &Count, most: usize) -> fmt::Result {
    let parts = [
        ("retired", count.retired),
        ("cut-over", count.cut_over),
        ("planned", count.planned),
        ("kept", count.kept),
    ];
    let middle = top.saturating_add(20);
    writeln!(out, "<text class=\"head\" x=\"{}\" y=\"{middle}\">{}</text>", LABEL - 10, Text(head))?;
    let (mut left, mut said) = (LABEL, Vec::new());
    for (class, number) in parts.into_iter().filter(|(_, number)| *number > 0) {
        let width = number.saturating_mul(BAR).checked_div(most).unwrap_or_default().max(2);
        let top = top.saturating_add(6);
        writeln!(out, "<rect class=\"{class}\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"20\"/>")?;
        left = left.saturating_add(width);
        said.push(format!("{number} {}", class.replace('-', " ")));
    }
    writeln!(out, "<text x=\"{}\" y=\"{middle}\">{}</text>", left.saturating_add(8), said.join(", "))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_policy_lets_this_style_sheet_in_and_no_other() {
        assert_eq!(OWN_HASH, format!("sha256-{}", STANDARD.encode(Sha256::digest(OWN))));
    }

    #[test]
    fn what_others_wrote_is_text() {
        let mut page = String::new();
        bar(&mut page, 0, "<script>", &Count { planned: 1, ..Count::default() }, 2).unwrap();
        assert!(page.contains("&lt;script&gt;") && page.contains("width=\"300\""), "{page}");
    }
}

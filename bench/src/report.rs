//! What is said of a measurement: the numbers that scripts rely on, their spread, and a table to read.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::ceiling::Parts;
use crate::spread::{Spread, rounded};

/// One round over a running server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    pub(crate) parts: Parts,
    /// Exchanges a second at full load.
    pub(crate) exchanges: f64,
    /// Microseconds of the server's CPU for an exchange at full load.
    pub(crate) cpu_each: f64,
    /// The share of the server's core that went to others at full load.
    pub(crate) taken_by_others: f64,
    /// At half load.
    pub(crate) p50_ms: f64,
    /// At half load.
    pub(crate) p99_ms: f64,
    /// The same load on a server that only writes and syncs.
    pub(crate) floor_p99_ms: f64,
    /// The same load on a server that takes as much CPU as the product, to no end, and writes and syncs.
    pub(crate) busy_floor_p99_ms: f64,
    pub(crate) p99_ms_at_full_load: f64,
}

/// All that was measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pub(crate) rounds: Vec<Round>,
    /// Milliseconds.
    pub(crate) cold_start: Spread,
    /// Nanoseconds among few and many roles.
    pub(crate) decide: [Spread; 2],
    /// Before any load, and after all of it.
    pub(crate) resident_mib: [f64; 2],
}

impl Report {
    fn spread(&self, of: impl Fn(&Round) -> f64) -> Spread {
        Spread::of(self.rounds.iter().map(of))
    }

    fn ceiling(&self) -> Spread {
        self.spread(|round| round.parts.per_second())
    }

    fn exchanges(&self) -> Spread {
        self.spread(|round| round.exchanges)
    }

    /// Of the medians, so that it is the quotient of the numbers beside it.
    fn ratio(&self) -> f64 {
        self.exchanges().median / self.ceiling().median
    }

    /// A server has been idle before its first request, and is again after its last.
    fn idle_mib(&self) -> f64 {
        self.resident_mib.into_iter().fold(0.0, f64::max)
    }

    fn parts(&self) -> Vec<(&'static str, Spread)> {
        let names = self.rounds.first().map(|round| round.parts.all()).unwrap_or_default();
        let spread_of = |wanted: &'static str| {
            let costs = self.rounds.iter().flat_map(|round| round.parts.all());
            Spread::of(costs.filter(|(name, _)| *name == wanted).map(|(_, micros)| micros))
        };
        names.iter().map(|(name, _)| (*name, spread_of(name))).collect()
    }

    /// One object: medians by the names that scripts know, and under `spread` how far the rounds lie apart.
    pub(crate) fn to_json(&self) -> Value {
        let [few, many] = self.decide;
        let parts: Map<String, Value> =
            self.parts().into_iter().map(|(name, spread)| (name.to_owned(), spread.to_json())).collect();
        json!({
            "ceiling_per_s": rounded(self.ceiling().median),
            "exchange_per_s": rounded(self.exchanges().median),
            "ratio": rounded(self.ratio()),
            "p50_ms": rounded(self.spread(|round| round.p50_ms).median),
            "p99_ms_at_half_load": rounded(self.spread(|round| round.p99_ms).median),
            "rss_idle_mib": rounded(self.idle_mib()),
            "cold_start_ms": rounded(self.cold_start.median),
            "decide_ns_at_10": rounded(few.median),
            "decide_ns_at_10000": rounded(many.median),
            "spread": {
                "ceiling_per_s": self.ceiling().to_json(),
                "exchange_per_s": self.exchanges().to_json(),
                "ratio": self.spread(|round| round.exchanges / round.parts.per_second()).to_json(),
                "server_cpu_us_per_exchange": self.spread(|round| round.cpu_each).to_json(),
                "core_taken_by_others": self.spread(|round| round.taken_by_others).to_json(),
                "ceiling_us": parts,
                "p50_ms": self.spread(|round| round.p50_ms).to_json(),
                "p99_ms_at_half_load": self.spread(|round| round.p99_ms).to_json(),
                "floor_p99_ms_at_half_load": self.spread(|round| round.floor_p99_ms).to_json(),
                "busy_floor_p99_ms_at_half_load": self.spread(|round| round.busy_floor_p99_ms).to_json(),
                "p99_ms_at_full_load": self.spread(|round| round.p99_ms_at_full_load).to_json(),
                "cold_start_ms": self.cold_start.to_json(),
                "decide_ns_at_10": few.to_json(),
                "decide_ns_at_10000": many.to_json(),
                "rss_mib": { "before_load": rounded(self.resident_mib[0]), "after_load": rounded(self.resident_mib[1]) },
            },
        })
    }

    /// The same for people, with what is wanted.
    pub(crate) fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let [few, many] = self.decide;
        let p99 = self.spread(|round| round.p99_ms);
        writeln!(out, "{:36}{:>10}{:>10}{:>10}   wanted", "", "min", "median", "max")?;
        row(out, "ceiling, exchanges/s", self.ceiling(), "")?;
        row(out, "exchanges/s", self.exchanges(), "")?;
        let ratio = self.spread(|round| round.exchanges / round.parts.per_second());
        row(
            out,
            "exchanges/s of the ceiling",
            Spread { median: self.ratio(), ..ratio },
            verdict(self.ratio() >= 0.6, "0.6 or more"),
        )?;
        row(out, "p50 at half load, ms", self.spread(|round| round.p50_ms), "")?;
        row(out, "p99 at half load, ms", p99, verdict(p99.median < 5.0, "under 5"))?;
        row(out, "  where writing is all there is, ms", self.spread(|round| round.floor_p99_ms), "")?;
        row(out, "  and the same CPU time burnt, ms", self.spread(|round| round.busy_floor_p99_ms), "")?;
        row(out, "p99 at full load, ms", self.spread(|round| round.p99_ms_at_full_load), "")?;
        row(
            out,
            "resident when idle, MiB",
            Spread::of(self.resident_mib),
            verdict(self.idle_mib() < 64.0, "under 64"),
        )?;
        row(out, "cold start, ms", self.cold_start, verdict(self.cold_start.median < 50.0, "under 50"))?;
        row(out, "decision among 10 roles, ns", few, "")?;
        let grown = verdict(many.median <= few.median * 1.5, "within 1.5 times");
        row(out, "decision among 10,000 roles, ns", many, grown)?;
        writeln!(out, "\nmicroseconds of the server's core for one exchange")?;
        for (name, spread) in self.parts() {
            row(out, &format!("  {}", name.replace('_', " ")), spread, "")?;
        }
        row(out, "the parts together", self.spread(|round| 1e6 / round.parts.per_second()), "")?;
        row(out, "the exchange", self.spread(|round| round.cpu_each), "")?;
        let others = self.spread(|round| round.taken_by_others * 100.0);
        writeln!(out)?;
        row(out, "the core at full load, % to others", others, "for a quiet run, next to none")
    }
}

fn verdict(met: bool, wanted: &'static str) -> String {
    if met { wanted.to_owned() } else { format!("{wanted}: MISSED") }
}

fn row(out: &mut impl Write, name: &str, spread: Spread, wanted: impl Into<String>) -> io::Result<()> {
    let Spread { min, median, max } = spread;
    let line =
        format!("{name:36}{:>10}{:>10}{:>10}   {}", shown(min), shown(median), shown(max), wanted.into());
    writeln!(out, "{}", line.trim_end())
}

fn shown(value: f64) -> String {
    match value {
        large if large >= 1_000.0 => format!("{large:.0}"),
        middling if middling >= 10.0 => format!("{middling:.1}"),
        small => format!("{small:.2}"),
    }
}

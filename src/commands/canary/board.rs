//! What `meshctl canary run` shows at the foot of a terminal: the steps, both versions, and how they have done so far.

use std::time::Instant;

use jiff::SignedDuration;
use mesh_canary::judge::{self, Observation, Verdict};
use mesh_canary::percent::Percent;
use mesh_canary::state::{Rollout, Run};

use super::event::verdict_tone;
use crate::ui::{Look, Tone, span, table};

/// The columns of a terminal that does not say how many it has.
const WIDTH: usize = 80;

/// Columns of a bar and of a chart, the widest first: the first that fit are taken.
const LAYOUTS: [(usize, usize); 5] = [(20, 20), (20, 10), (10, 10), (0, 8), (0, 0)];

/// What goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Doing {
    /// Proxies take over the weights.
    Syncing,
    /// The step is watched until then.
    Watching(Instant),
    /// Prometheus and webhooks are asked.
    Judging,
    /// Somebody holds the run.
    Paused,
}

/// All that is shown.
#[derive(Debug)]
pub(super) struct Board {
    service: String,
    stable: Track,
    canary: Track,
    quantile: String,
    steps: Vec<Percent>,
    percent: Percent,
    failures: (u32, u32),
    verdict: Option<Verdict>,
    pub(super) doing: Doing,
}

/// A version, and what was seen of it: `None` when there was nothing.
#[derive(Debug)]
struct Track {
    name: String,
    seen: Vec<Option<Observation>>,
}

impl Track {
    fn new(name: String) -> Self {
        Self {
            name,
            seen: Vec::new(),
        }
    }

    fn series(&self, value: impl Fn(&Observation) -> Option<f64>) -> Vec<Option<f64>> {
        self.seen
            .iter()
            .map(|seen| seen.as_ref().and_then(&value))
            .collect()
    }
}

impl Board {
    pub(super) fn new(rollout: &Rollout, run: &Run) -> Self {
        Self {
            service: rollout.subject.host.clone(),
            stable: Track::new(rollout.subject.stable.to_string()),
            canary: Track::new(rollout.subject.canary.to_string()),
            quantile: run.plan.limits.quantile_name(),
            steps: run.plan.steps.clone(),
            percent: rollout.percent,
            failures: (run.failures, run.plan.limits.max_failures),
            verdict: None,
            doing: Doing::Syncing,
        }
    }

    /// A step begins, or is looked at again.
    pub(super) fn at(&mut self, rollout: &Rollout, run: &Run) {
        self.percent = rollout.percent;
        self.failures.0 = run.failures;
        self.doing = Doing::Syncing;
    }

    /// Takes what was seen of the two versions.
    pub(super) fn saw(&mut self, canary: Option<&Observation>, stable: Option<&Observation>) {
        self.canary.seen.push(canary.cloned());
        self.stable.seen.push(stable.cloned());
    }

    pub(super) fn judged(&mut self, verdict: &Verdict) {
        self.failures.0 += u32::from(matches!(verdict, Verdict::Fail(_)));
        self.verdict = Some(verdict.clone());
    }

    /// The picture at a moment.
    pub(super) fn picture(&self, look: Look, now: Instant) -> String {
        let width = look.width.unwrap_or(WIDTH).saturating_sub(1);
        let arrow = if look.unicode { "→" } else { "->" };
        let doing = match self.doing {
            Doing::Syncing => "proxies take over the weights".to_owned(),
            Doing::Watching(until) => {
                let left = SignedDuration::try_from(until.saturating_duration_since(now)).unwrap_or_default();
                format!("judged in {}", span(left))
            }
            Doing::Judging => "is judged".to_owned(),
            Doing::Paused => "on hold".to_owned(),
        };
        let heading = format!(
            "{}: {} {arrow} {} at {}, {doing}",
            self.service, self.stable.name, self.canary.name, self.percent
        );
        let marks = if look.unicode {
            ["✔", "●", "○"]
        } else {
            ["+", ">", "-"]
        };
        let steps: Vec<String> = self
            .steps
            .iter()
            .map(|step| {
                let [done, now, to_come] = marks;
                let mark = match step.cmp(&self.percent) {
                    std::cmp::Ordering::Less => done,
                    std::cmp::Ordering::Equal => now,
                    std::cmp::Ordering::Greater => to_come,
                };
                format!("{mark} {step}")
            })
            .collect();
        let mut lines = vec![
            look.paint(Tone::Strong, cut(&heading, width, look)).into_owned(),
            cut(&steps.join("  "), width, look),
        ];
        let fits = |table: &String| table.lines().all(|line| line.chars().count() <= width);
        let plain = Look { color: false, ..look };
        let layout = LAYOUTS.iter().find(|layout| fits(&self.table(plain, **layout)));
        let rows = self.table(look, *layout.unwrap_or(&LAYOUTS[LAYOUTS.len() - 1]));
        lines.extend(rows.lines().map(str::to_owned));
        if let Some(verdict) = &self.verdict {
            let (failures, most) = self.failures;
            let counted = match failures {
                0 => String::new(),
                some => format!("  {some} of {most} failures"),
            };
            let reason = match verdict.reason() {
                "" => String::new(),
                reason => format!(": {reason}"),
            };
            let name = verdict.as_str();
            let rest = cut(
                &format!("{reason}{counted}"),
                width.saturating_sub(6 + name.len()),
                look,
            );
            lines.push(format!("last: {}{rest}", look.paint(verdict_tone(verdict), name)));
        }
        lines.join("\n")
    }

    /// The table of both versions.
    fn table(&self, look: Look, (bar, chart): (usize, usize)) -> String {
        // Wide lines are left out here, not wrapped.
        let look = Look { width: None, ..look };
        let success = |seen: &Observation| Some(seen.success());
        let latency = |seen: &Observation| seen.latency_ms;
        let tracks = [&self.stable, &self.canary];
        let all = |value: &dyn Fn(&Observation) -> Option<f64>| -> Vec<f64> {
            let series = tracks.iter().flat_map(|track| track.series(value));
            series.flatten().filter(|value| value.is_finite()).collect()
        };
        // Noise of a tenth of a percent is not to look like a cliff.
        let worst = all(&success).into_iter().fold(0.99, f64::min);
        let slowest = all(&latency).into_iter().fold(0.0, f64::max);
        let row = |branch: &str, role: &str, track: &Track, share: Percent| {
            let last = track.seen.last().and_then(Option::as_ref);
            let share = match bar {
                0 => share.to_string(),
                bar => format!("{} {share}", look.bar(share.ratio(), bar)),
            };
            vec![
                format!("{branch} {role}"),
                track.name.clone(),
                share,
                last.map_or_else(String::new, |seen| {
                    format!("{:.1} {}", seen.rps, seen.traffic.unit())
                }),
                last.map_or_else(String::new, |seen| judge::share(seen.success())),
                look.chart(&track.series(success), (worst, 1.0), chart),
                last.and_then(latency)
                    .map_or_else(String::new, judge::milliseconds),
                look.chart(&track.series(latency), (0.0, slowest), chart),
            ]
        };
        let rows = [
            row(
                look.branch(),
                "stable",
                &self.stable,
                Percent::of_ratio(1.0 - self.percent.ratio()),
            ),
            row(look.last_branch(), "canary", &self.canary, self.percent),
        ];
        let quantile = self.quantile.to_uppercase();
        let headings = ["", "VERSION", "SHARE", "RATE", "SUCCESS", "", &quantile, ""];
        table::table(look, &headings, &rows)
    }
}

/// The beginning of a text that fits.
fn cut(text: &str, width: usize, look: Look) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let end = look.ellipsis();
    let kept = text.chars().take(width.saturating_sub(end.chars().count()));
    kept.chain(end.chars()).collect()
}

impl Look {
    /// A chart of one line: of values from `low` to `high`, so many columns wide at most. What is missing is blank.
    fn chart(self, values: &[Option<f64>], (low, high): (f64, f64), columns: usize) -> String {
        const UNICODE: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        const ASCII: [char; 8] = ['_', '.', '-', '=', '+', '*', '#', '@'];
        let levels = if self.unicode { UNICODE } else { ASCII };
        let columns = columns.min(values.len());
        let column = |index: usize| {
            // Of more values than columns several share one.
            let (from, to) = (
                index * values.len() / columns,
                (index + 1) * values.len() / columns,
            );
            let known: Vec<f64> = values[from..to].iter().flatten().copied().collect();
            #[expect(clippy::cast_precision_loss, reason = "a column has few values")]
            let mean = known.iter().sum::<f64>() / known.len() as f64;
            level(mean, (low, high)).map_or(' ', |level| levels[level])
        };
        (0..columns).map(column).collect::<String>().trim_end().to_owned()
    }
}

/// Which of eight levels a value is on. `None` if it is no number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is from 0 to 7"
)]
fn level(value: f64, (low, high): (f64, f64)) -> Option<usize> {
    let ratio = if high > low {
        (value - low) / (high - low)
    } else {
        0.0
    };
    (!ratio.is_nan()).then(|| (ratio.clamp(0.0, 1.0) * 7.0).round() as usize)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mesh_canary::judge::Traffic;
    use mesh_canary::plan::{Limits, Plan, steps};
    use mesh_canary::route::{Subject, Version};
    use mesh_canary::state::Stamp;

    use super::*;

    fn board() -> Board {
        let subject = Subject {
            host: "reviews.shop.svc.cluster.local".to_owned(),
            stable: Version::Subset("v1".to_owned()),
            canary: Version::Subset("v2".to_owned()),
        };
        let stamp = Stamp {
            time: String::new(),
            by: String::new(),
        };
        let mut rollout = Rollout::new(subject, Vec::new(), &stamp, Vec::new());
        rollout.percent = Percent::of_ratio(0.25);
        let plan = Plan {
            steps: steps("5,10,25,50,100").expect("steps"),
            interval: None,
            limits: Limits::default(),
            metrics: Vec::new(),
            webhooks: Vec::new(),
        };
        let mut run = Run::new(plan, rollout.percent);
        run.failures = 1;
        Board::new(&rollout, &run)
    }

    fn seen(requests: f64, failures: f64, latency_ms: f64) -> Observation {
        Observation {
            traffic: Traffic::default(),
            requests,
            failures,
            rps: requests / 60.0,
            sent_bytes: None,
            latency_ms: Some(latency_ms),
            reporter: "source".to_owned(),
            flags: Vec::new(),
        }
    }

    fn filled() -> Board {
        let mut board = board();
        for step in 0..30 {
            let step = f64::from(step);
            let canary = seen(6_000.0, step * 10.0, 50.0 + 10.0 * step);
            board.saw((step > 2.0).then_some(&canary), Some(&seen(18_000.0, 1.0, 60.0)));
        }
        board.judged(&Verdict::Fail(
            "95.2% of the requests succeeded, and 99% should".to_owned(),
        ));
        board
    }

    fn shown(board: &mut Board, unicode: bool, width: usize) -> String {
        let look = Look {
            color: false,
            unicode,
            width: Some(width),
        };
        let now = Instant::now();
        board.doing = Doing::Watching(now + Duration::from_secs(42));
        board.picture(look, now)
    }

    #[test]
    fn steps_versions_and_charts_are_shown() {
        insta::assert_snapshot!(shown(&mut filled(), true, 130), @r"
        reviews.shop.svc.cluster.local: v1 → v2 at 25%, judged in 42s
        ✔ 5%  ✔ 10%  ● 25%  ○ 50%  ○ 100%
                   VERSION  SHARE                     RATE       SUCCESS                        P99
        ├─ stable  v1       ███████████████░░░░░ 75%  300.0 rps  99.99%   ████████████████████  60 ms   ▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂
        └─ canary  v2       █████░░░░░░░░░░░░░░░ 25%  100.0 rps  95.17%     ▇▇▇▆▆▅▅▅▄▄▄▃▃▃▂▂▁▁  340 ms    ▃▃▃▄▄▄▅▅▅▅▆▆▆▇▇▇██
        last: fail: 95.2% of the requests succeeded, and 99% should  2 of 2 failures
        ");
        insta::assert_snapshot!(shown(&mut filled(), false, 100), @r"
        reviews.shop.svc.cluster.local: v1 -> v2 at 25%, judged in 42s
        + 5%  + 10%  > 25%  - 50%  - 100%
                   VERSION  SHARE                     RATE       SUCCESS              P99
        |- stable  v1       ###############..... 75%  300.0 rps  99.99%   @@@@@@@@@@  60 ms   ..........
        `- canary  v2       #####............... 25%  100.0 rps  95.17%    #**+=--._  340 ms   --=++*##@
        last: fail: 95.2% of the requests succeeded, and 99% should  2 of 2 failures
        ");
        insta::assert_snapshot!(shown(&mut board(), true, 130), @r"
        reviews.shop.svc.cluster.local: v1 → v2 at 25%, judged in 42s
        ✔ 5%  ✔ 10%  ● 25%  ○ 50%  ○ 100%
                   VERSION  SHARE
        ├─ stable  v1       ███████████████░░░░░ 75%
        └─ canary  v2       █████░░░░░░░░░░░░░░░ 25%
        ");
    }

    #[test]
    fn narrow_terminals_get_what_fits() {
        for width in [20, 40, 60, 80, 100, 200] {
            let picture = shown(&mut filled(), true, width);
            let longest = picture.lines().map(|line| line.chars().count()).max();
            assert!(width < 60 || longest < Some(width), "{width}\n{picture}");
        }
        insta::assert_snapshot!(shown(&mut filled(), true, 72), @r"
        reviews.shop.svc.cluster.local: v1 → v2 at 25%, judged in 42s
        ✔ 5%  ✔ 10%  ● 25%  ○ 50%  ○ 100%
                   VERSION  SHARE  RATE       SUCCESS  P99
        ├─ stable  v1       75%    300.0 rps  99.99%   60 ms
        └─ canary  v2       25%    100.0 rps  95.17%   340 ms
        last: fail: 95.2% of the requests succeeded, and 99% should  2 of 2 fa…
        ");
    }

    #[test]
    fn charts_keep_gaps_and_hold_whatever_comes() {
        let look = Look {
            unicode: true,
            ..Look::default()
        };
        let chart = |values: &[Option<f64>], columns| look.chart(values, (0.0, 10.0), columns);
        assert_eq!(chart(&[Some(0.0), None, Some(10.0)], 10), "▁ █");
        assert_eq!(chart(&[Some(0.0), Some(10.0), Some(4.0), Some(6.0)], 2), "▅▅");
        assert_eq!(
            chart(&[Some(f64::NAN), Some(f64::INFINITY), Some(-5.0)], 3),
            " █▁"
        );
        assert_eq!(chart(&[], 5), "");
        assert_eq!(chart(&[Some(1.0)], 0), "");
        assert_eq!(look.chart(&[Some(3.0)], (3.0, 3.0), 5), "▁");
    }
}

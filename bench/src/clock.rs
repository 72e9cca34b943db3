//! CPU time of this thread, rounds that take turns, and what is to be said of them.

/// How long something took, in nanoseconds.
pub type Nanoseconds = f64;

/// What this thread computes during `work`, and what comes of it.
pub fn timed<R>(work: impl FnOnce() -> R) -> (Nanoseconds, R) {
    let start = now();
    let result = work();
    (now() - start, result)
}

fn now() -> Nanoseconds {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: a place for the time.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(result, 0);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// The times of several contenders, of which each has run once in every round.
pub struct Rounds {
    /// By contender, then by round.
    times: Vec<Vec<Nanoseconds>>,
}

impl Rounds {
    /// Runs `count` rounds, each beginning with another contender than the one before.
    pub fn run(
        count: usize,
        contenders: usize,
        mut run: impl FnMut(usize) -> Nanoseconds,
    ) -> Rounds {
        let mut times = vec![Vec::with_capacity(count); contenders];
        for round in 0..count {
            for turn in 0..contenders {
                let contender = (round + turn) % contenders;
                times[contender].push(run(contender));
            }
        }
        Rounds { times }
    }

    pub fn median(&self, contender: usize) -> Nanoseconds {
        median(self.times[contender].iter().copied())
    }

    /// How many times faster than `base` a contender is: the median of the rounds' ratios.
    pub fn ratio(&self, base: usize, contender: usize) -> f64 {
        let rounds = self.times[base].iter().zip(&self.times[contender]);
        median(rounds.map(|(base, own)| base / own))
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

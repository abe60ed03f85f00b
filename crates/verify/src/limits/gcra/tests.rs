use super::*;
use proptest::prelude::*;

/// A present-day time, with which every sum is as large as in production.
const START: i64 = 1_795_000_000_000_000;

fn limit(text: &str) -> RateLimit {
    text.parse().unwrap()
}

/// Returns the results of a fresh bucket for calls at these times, in microseconds after the start: `+` allowed, `-`
/// denied.
fn decisions(text: &str, at: &[i64]) -> String {
    let limit = limit(text);
    let mut bucket = Bucket::new(limit, Timestamp::from_micros(START));
    at.iter().map(|at| decision(&mut bucket, &limit, *at)).collect()
}

fn decision(bucket: &mut Bucket, limit: &RateLimit, at: i64) -> char {
    if bucket.try_acquire(limit, Timestamp::from_micros(START + at)).is_ok() { '+' } else { '-' }
}

#[test]
fn both_sides_of_every_edge() {
    const SECOND: i64 = 1_000_000;
    for (limit, at, expected) in [
        // The burst, and one more call.
        ("3/second", &[0, 0, 0, 0][..], "+++-"),
        ("100/minute,burst=2", &[0, 0, 0], "++-"),
        ("1/day", &[0, 0], "+-"),
        // One microsecond before the next call is allowed, and at exactly that time. A third of a second is not a whole
        // number of microseconds.
        ("3/second", &[0, 0, 0, 333_333, 333_334, 333_335], "+++-+-"),
        ("3/second", &[0, 0, 0, 666_666, 666_667, 666_667], "+++++-"),
        ("3/second", &[0, 0, 0, 666_667, 666_667, 666_667], "+++++-"),
        // Three thirds are a second: nothing is lost to rounding.
        ("3/second", &[0, 0, 0, 333_334, 666_667, 999_999, 1_000_000, 1_333_333, 1_333_334], "+++++-+-+"),
        ("1/second", &[0, SECOND - 1, SECOND, 2 * SECOND - 1, 2 * SECOND], "+-+-+"),
        ("1/minute", &[0, 60 * SECOND - 1, 60 * SECOND], "+-+"),
        ("1/hour", &[0, 3_600 * SECOND - 1, 3_600 * SECOND], "+-+"),
        ("1/day", &[0, 86_400 * SECOND - 1, 86_400 * SECOND], "+-+"),
        ("1000000/second,burst=1", &[0, 0, 1, 1, 2], "+-+-+"),
        ("999999/second,burst=1", &[0, 1, 2, 3, 4], "+-+-+"),
        // A denied call costs nothing, however often it is denied.
        ("1/second", &[0, 1, 2, 3, 4, 5, SECOND], "+-----+"),
        // A pause restores the burst, and no more.
        ("10/second,burst=2", &[0, 0, 0, 900 * SECOND, 900 * SECOND, 900 * SECOND], "++-++-"),
        // Calls that overtook one another count as sequential.
        ("1/second", &[10, 5, SECOND + 5, SECOND + 9, SECOND + 10], "+---+"),
        ("2/second,burst=2", &[10, 5, 5, 500_009, 500_010], "++--+"),
        // The clock was set back: used quota stays used, and is restored according to the new time.
        ("2/second", &[7_200 * SECOND, 7_200 * SECOND, 0, 499_999, 500_000, 500_000], "++--+-"),
    ] {
        assert_eq!(decisions(limit, at), expected, "{limit} at {at:?}");
    }
}

#[test]
fn the_numbers_are_right() {
    let limit = limit("100/minute,burst=3");
    let mut bucket = Bucket::new(limit, Timestamp::from_micros(START));
    let mut take = |at| {
        let taken = bucket.try_acquire(&limit, Timestamp::from_micros(START + at));
        let quota = taken.unwrap_or_else(|refused| refused);
        assert_eq!(quota.limit, limit);
        (taken.is_ok(), quota.remaining, quota.reset, quota.retry_after)
    };
    // One call is restored in 0.6 s.
    assert_eq!(take(0), (true, 2, 1, 0));
    assert_eq!(take(0), (true, 1, 2, 0));
    assert_eq!(take(0), (true, 0, 2, 1));
    assert_eq!(take(0), (false, 0, 2, 1));
    assert_eq!(take(599_999), (false, 0, 2, 1));
    assert_eq!(take(600_000), (true, 0, 2, 1));
    assert_eq!(take(2_400_000), (true, 2, 1, 0));
}

#[test]
fn the_longest_wait_fits() {
    let limit = limit("1/day,burst=1000000");
    let mut bucket = Bucket::restore(limit, Timestamp::from_micros(i64::MAX), Timestamp::from_micros(START));
    let refused = bucket.try_acquire(&limit, Timestamp::from_micros(START)).unwrap_err();
    assert_eq!((refused.remaining, refused.reset, refused.retry_after), (0, u32::MAX, 86_400));
    assert_eq!(decision(&mut bucket, &limit, 86_400_000_000), '+');
    for now in [i64::MIN, 0, i64::MAX, i64::MIN] {
        let _ = bucket.try_acquire(&limit, Timestamp::from_micros(now));
    }
}

#[test]
fn a_limit_that_is_changed_goes_on_with_what_was_used() {
    let (few, many) = (limit("5/day"), limit("1000/second"));
    let mut bucket = Bucket::new(few, Timestamp::from_micros(START));
    assert_eq!((0..6).map(|_| decision(&mut bucket, &few, 0)).collect::<String>(), "+++++-");
    let quota = bucket.try_acquire(&many, Timestamp::from_micros(START)).unwrap();
    assert_eq!(quota.remaining, 994, "five were used, and this one");
    // Back to the old limit: six is more than five.
    assert_eq!(bucket.try_acquire(&few, Timestamp::from_micros(START)).unwrap_err().retry_after, 86_400 / 5);
    let mut bucket = Bucket::new(many, Timestamp::from_micros(START));
    assert!((0..1_000).all(|_| decision(&mut bucket, &many, 0) == '+'));
    assert_eq!(decision(&mut bucket, &few, 0), '-');
    assert_eq!(decision(&mut bucket, &few, 17_280_000_000 - 1), '-');
    assert_eq!(decision(&mut bucket, &few, 17_280_000_000), '+');
}

#[test]
fn what_is_saved_is_what_was_used() {
    let limit = limit("7/hour");
    let mut bucket = Bucket::new(limit, Timestamp::from_micros(START));
    for at in [0, 1, 2, 3, 4] {
        assert_eq!(decision(&mut bucket, &limit, at), '+');
    }
    let (saved, later) = (Timestamp::from_micros(bucket.full_at()), START + 60_000_000);
    let mut loaded = Bucket::restore(limit, saved, Timestamp::from_micros(later));
    assert_eq!(loaded.full_at(), saved.micros());
    assert_eq!((0..4).map(|_| decision(&mut loaded, &limit, 60_000_000)).collect::<String>(), "++--");
    let past = Bucket::restore(limit, Timestamp::from_micros(START), Timestamp::from_micros(START + 1));
    assert_eq!(past.full_at(), START + 1, "what is over is whole");
}

fn limits() -> impl Strategy<Value = RateLimit> {
    let per = prop::sample::select(vec!["second", "minute", "hour", "day"]);
    let number = || prop_oneof![1_u32..=20, 1_u32..=1_000_000, Just(1_000_000), Just(999_983)];
    (number(), per, number()).prop_map(|(calls, per, burst)| limit(&format!("{calls}/{per},burst={burst}")))
}

/// The first form of the algorithm, virtual scheduling (ITU-T I.371, annex A), as a model: the theoretical arrival time
/// of the next call. Its unit is the time in which 1 drains, so that it is exact.
struct VirtualScheduling {
    limit: RateLimit,
    arrival: i128,
    /// The latest time at which a call was allowed. A late call counts as if it came then.
    latest: i64,
}

impl VirtualScheduling {
    fn try_acquire(&mut self, at: i64) -> bool {
        let (at, cost) = (at.max(self.latest), i128::from(call_cost(&self.limit)));
        let now = i128::from(at) * i128::from(drain_rate(&self.limit));
        let arrival = self.arrival.max(now) + cost;
        let allowed = arrival - now <= i128::from(self.limit.burst()) * cost;
        if allowed {
            (self.arrival, self.latest) = (arrival, at);
        }
        allowed
    }

    /// Returns the time from which the quota is full, rounded up.
    fn full_at(&self) -> i128 {
        let drain = i128::from(drain_rate(&self.limit));
        (self.arrival + drain - 1) / drain
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Both forms of the algorithm make the same decisions, from an empty and from a full bucket, also for calls that
    /// overtook one another.
    #[test]
    fn decides_like_virtual_scheduling(
        limit in limits(),
        full: bool,
        calls in prop::collection::vec((0_i64..3, 0_i64..2_000, 0..=BACKWARD_STEP_MAX), 1..200),
    ) {
        let one = (call_cost(&limit) / drain_rate(&limit)).max(1);
        let whole_at = if full { i64::MAX } else { START };
        let mut bucket = Bucket::restore(limit, Timestamp::from_micros(whole_at), Timestamp::from_micros(START));
        let arrival = i128::from(START) * i128::from(drain_rate(&limit)) + i128::from(bucket.level);
        let mut model = VirtualScheduling { limit, arrival, latest: START };
        let mut at = START;
        for (times, part, late) in calls {
            at += one * part / 1_000;
            for at in [at].into_iter().chain((0..times).map(|_| at - late)) {
                let allowed = bucket.try_acquire(&limit, Timestamp::from_micros(at)).is_ok();
                prop_assert_eq!(allowed, model.try_acquire(at), "at {}", at);
                prop_assert_eq!(i128::from(bucket.full_at()), model.full_at());
            }
        }
    }

    /// No window ever allows more calls than the burst plus the rate, for any times and any number of calls.
    #[test]
    fn never_more(limit in limits(), gaps in prop::collection::vec((0_i64..3, 0_i64..2_000), 1..200)) {
        // Gaps of about the interval of one call, so that some calls are allowed and some are not.
        let one = (call_cost(&limit) / drain_rate(&limit)).max(1);
        let mut bucket = Bucket::restore(limit, Timestamp::from_micros(i64::MAX), Timestamp::from_micros(START));
        let (mut at, mut taken) = (START, Vec::new());
        for (times, part) in gaps {
            at += one * part / 1_000;
            for _ in 0..=times {
                if bucket.try_acquire(&limit, Timestamp::from_micros(at)).is_ok() {
                    taken.push(at);
                }
            }
        }
        for (i, from) in taken.iter().enumerate() {
            for (j, to) in taken.iter().enumerate().skip(i) {
                let given = i128::from(limit.burst()) * i128::from(call_cost(&limit)) + i128::from(to - from) * i128::from(drain_rate(&limit));
                prop_assert!((j - i + 1) as i128 * i128::from(call_cost(&limit)) <= given, "{} calls in {} us", j - i + 1, to - from);
            }
        }
    }

    /// Greedy calls never get fewer: the k-th call after the burst is allowed at exactly the microsecond at which the
    /// rate permits it. A burst of one has no room for the fraction of a microsecond that has passed by then.
    #[test]
    fn never_fewer(limit in limits(), count in 1_i64..300) {
        let mut bucket = Bucket::restore(limit, Timestamp::from_micros(i64::MAX), Timestamp::from_micros(START));
        let mut due = 0;
        for k in 1..=count {
            let (given, from) = if limit.burst() == 1 { (call_cost(&limit), due) } else { (k * call_cost(&limit), 0) };
            due = from + (given + drain_rate(&limit) - 1) / drain_rate(&limit);
            prop_assert_eq!(decision(&mut bucket, &limit, due - 1), '-', "call {} before {}", k, due);
            prop_assert_eq!(decision(&mut bucket, &limit, due), '+', "call {} at {}", k, due);
        }
    }
}

//! Tests of the sign-in throttle.

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

fn ip(last: u8) -> Option<IpAddr> {
    Some(IpAddr::from([203, 0, 113, last]))
}

fn tries(throttle: &Throttle, account: &str, ip: Option<IpAddr>, count: usize) {
    for _ in 0..count {
        throttle.count_guess(Guess::Password, account, ip, NOW);
    }
}

#[test]
fn codes_are_paused_whatever_the_address() {
    let throttle = Throttle::default();
    for n in 0..20 {
        let verdict = throttle.count_guess(Guess::Code, "m", ip(n), NOW);
        assert!(!matches!(verdict, Verdict::Paused(_)), "{n}");
    }
    assert_eq!(throttle.count_guess(Guess::Code, "m", ip(99), NOW), Verdict::Paused(60));
    assert!(!matches!(throttle.count_guess(Guess::Code, "n", ip(99), NOW), Verdict::Paused(_)));
    assert!(!matches!(throttle.count_guess(Guess::Code, "m", ip(99), NOW.plus_seconds(60)), Verdict::Paused(_)));
    assert_eq!(
        throttle.count_guess(Guess::Code, "m", ip(98), NOW.plus_seconds(60)),
        Verdict::Paused(60),
        "one try a minute"
    );
}

#[test]
fn a_known_address_has_its_own_bound_of_codes() {
    let throttle = Throttle::default();
    throttle.remember_address("m", ip(200), NOW);
    (0..20).for_each(|last| _ = throttle.count_guess(Guess::Code, "m", ip(last), NOW));
    assert_eq!(throttle.count_guess(Guess::Code, "m", ip(99), NOW), Verdict::Paused(60));
    for _ in 0..5 {
        assert_eq!(throttle.count_guess(Guess::Code, "m", ip(200), NOW), Verdict::Allow);
    }
    assert_eq!(throttle.count_guess(Guess::Code, "m", ip(200), NOW), Verdict::Paused(60), "its own failures count");
    assert_eq!(throttle.count_guess(Guess::Code, "m", ip(200), NOW.plus_seconds(60)), Verdict::Allow);
    assert_eq!(throttle.count_guess(Guess::Code, "m", ip(200), NOW.plus_seconds(60)), Verdict::Paused(60));
}

#[test]
fn five_failures_pause_that_address_alone() {
    let throttle = Throttle::default();
    let left: Vec<_> = (0..5)
        .map(|_| {
            assert_eq!(throttle.count_guess(Guess::Password, "m", ip(1), NOW), Verdict::Allow);
            throttle.remaining_guesses("m", ip(1))
        })
        .collect();
    assert_eq!(left, [4, 3, 2, 1, 0]);
    assert_eq!(throttle.count_guess(Guess::Password, "m", ip(1), NOW), Verdict::Paused(60));
    assert_eq!(throttle.count_guess(Guess::Password, "m", ip(2), NOW), Verdict::Allow);
    assert_eq!(throttle.count_guess(Guess::Password, "n", ip(1), NOW), Verdict::Allow);
    assert_eq!(throttle.count_guess(Guess::Password, "m", ip(1), NOW.plus_seconds(60)), Verdict::Allow);
    assert_eq!(throttle.count_guess(Guess::Password, "m", ip(1), NOW.plus_seconds(61)), Verdict::Paused(59));
}

fn seconds(verdict: Verdict) -> i64 {
    match verdict {
        Verdict::Allow => 0,
        Verdict::Delay(by) => i64::try_from(by.as_secs()).unwrap(),
        Verdict::Paused(seconds) => -seconds,
    }
}

#[test]
fn guesses_at_one_account_from_many_addresses_take_turns() {
    let throttle = Throttle::default();
    let enter = |last, now| seconds(throttle.count_guess(Guess::Password, "m", ip(last), now));
    // Concurrent guesses: ten are free, the next ones queue, and the others are denied.
    let verdicts: Vec<_> = (0..60).map(|last| enter(last, NOW)).collect();
    assert!(verdicts[..11].iter().all(|it| *it == 0), "{verdicts:?}");
    assert_eq!(verdicts[11..13], [2, 6]);
    assert!(verdicts[13..].iter().all(|it| *it == -12), "{verdicts:?}");
    // One guess per second for an hour: the interval grows to 30 s.
    let compared = (0..3_600).filter(|n| enter(60 + (n % 150) as u8, NOW.plus_seconds(*n)) >= 0).count();
    assert!((100..=130).contains(&compared), "{compared}");
    assert_eq!(seconds(throttle.count_guess(Guess::Password, "n", ip(1), NOW)), 0, "another account is not slowed");
    assert_eq!(enter(251, NOW.plus_seconds(3_600 + 30 + COUNTER_LIFETIME)), 0);
}

#[test]
fn a_known_address_is_not_kept_out_by_guesses_from_elsewhere() {
    let throttle = Throttle::default();
    throttle.count_guess(Guess::Password, "m", ip(1), NOW);
    throttle.record_success("m", ip(1), NOW);
    (2..200).for_each(|last| tries(&throttle, "m", ip(last), 1));
    for left in [4, 3, 2, 1, 0] {
        assert_eq!(throttle.count_guess(Guess::Password, "m", ip(1), NOW), Verdict::Allow);
        assert_eq!(throttle.remaining_guesses("m", ip(1)), left);
    }
    assert_eq!(throttle.count_guess(Guess::Password, "m", ip(1), NOW), Verdict::Paused(60), "its own failures count");
    assert!(matches!(throttle.count_guess(Guess::Password, "m", ip(201), NOW), Verdict::Paused(_)));
}

#[test]
fn one_address_on_many_accounts_takes_turns() {
    let throttle = Throttle::default();
    (0..21).for_each(|n| tries(&throttle, &n.to_string(), ip(1), 1));
    let enter = |account: &str, now| seconds(throttle.count_guess(Guess::Password, account, ip(1), now));
    assert_eq!([enter("a", NOW), enter("b", NOW), enter("c", NOW), enter("d", NOW)], [2, 6, 12, 20]);
    assert_eq!(enter("e", NOW), -30);
    assert_eq!(seconds(throttle.count_guess(Guess::Password, "e", ip(2), NOW)), 0, "another address is not slowed");
    throttle.record_success("a", ip(1), NOW);
    assert_eq!(enter("e", NOW), -28, "a success gives back its own guess alone");
}

#[test]
fn requests_are_limited_by_address_alone() {
    let throttle = Throttle::default();
    for last in 0..60 {
        assert_eq!(throttle.count_guess(Guess::Request, "reset m", ip(last), NOW), Verdict::Allow);
    }
    (0..4).for_each(|_| _ = throttle.count_guess(Guess::Request, "reset m", ip(1), NOW));
    assert_eq!(throttle.count_guess(Guess::Request, "reset m", ip(1), NOW), Verdict::Paused(60));
}

#[test]
fn a_try_that_was_none_is_given_back() {
    let throttle = Throttle::default();
    for _ in 0..50 {
        assert_eq!(throttle.count_guess(Guess::Password, "m", ip(1), NOW), Verdict::Allow);
        throttle.refund("m", ip(1));
    }
    assert_eq!(throttle.remaining_guesses("m", ip(1)), 5);
}

#[test]
fn a_success_clears_the_pair_and_a_prefix_counts_as_one() {
    let throttle = Throttle::default();
    let v6 = |text: &str| Some(text.parse().unwrap());
    (0..5).for_each(|n| tries(&throttle, "m", v6(&format!("2001:db8:1:2::{n}")), 1));
    assert_eq!(throttle.count_guess(Guess::Password, "m", v6("2001:db8:1:2:ffff::1"), NOW), Verdict::Paused(60));
    throttle.record_success("m", v6("2001:db8:1:2::9"), NOW);
    assert_eq!(throttle.count_guess(Guess::Password, "m", v6("2001:db8:1:2::1"), NOW), Verdict::Allow);
}

#[test]
fn memory_is_bounded() {
    let throttle = Throttle::default();
    (0..(ENTRIES_MAX as u32)).for_each(|n| tries(&throttle, &n.to_string(), Some(IpAddr::from(n.to_be_bytes())), 1));
    assert!(throttle.with(|memory| memory.counters.len()) <= ENTRIES_MAX);
}

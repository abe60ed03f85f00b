//! Scenario of the demo: the attributes and the history of each key.
//!
//! The first keys are fixed. The others are generated from a fixed seed, so that every demo is the same.

use super::data::*;
use crate::domain::key::Environment;

pub const MINUTE: i64 = 60;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// Later change of a key. Times are in seconds before now, unless documented otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaterChange {
    Unchanged,
    Deactivated(i64),
    /// Deactivated by the administrator, with a reason that the owner sees.
    DeactivatedByAdmin(i64, &'static str),
    Deleted(i64),
    /// Valid from this number of seconds after now.
    Scheduled(i64),
}

/// Attributes and history of a key.
#[derive(Clone, Debug)]
pub struct KeyScenario {
    pub name: String,
    pub project: usize,
    pub maker: usize,
    pub environment: Environment,
    /// Lifetime in days; `None` for a key that never expires.
    pub lifetime_days: Option<u16>,
    pub scopes: Vec<String>,
    pub issued_to: &'static str,
    /// Empty: none.
    pub description: &'static str,
    /// Creation time, in seconds before now.
    pub created_ago: i64,
    /// Last use, in seconds before now; `None` if never used.
    pub used_ago: Option<i64>,
    pub later_change: LaterChange,
}

/// Pseudorandom generator (SplitMix64) with a reproducible sequence. Not for secrets.
#[derive(Clone, Copy)]
struct Rng(u64);

impl Rng {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number from `low` (inclusive) to `high` (exclusive).
    fn range(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high.saturating_sub(low)).unwrap_or_default().max(1);
        low + i64::try_from(self.next_u64() % span).unwrap_or_default()
    }

    fn choose<T: Copy>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.next_u64() % list.len().max(1) as u64).unwrap_or_default()]
    }

    fn chance(&mut self, chance: u64) -> bool {
        self.next_u64() % 100 < chance
    }
}

/// Initial state of the generator in every demo.
const SEED: Rng = Rng(0x70e1_a91c);

/// Returns the plans of `count` keys.
pub fn scenarios(count: usize) -> Vec<KeyScenario> {
    let mut dice = SEED;
    let mut plans = fixed_scenarios();
    plans.truncate(count);
    for number in plans.len()..count {
        plans.push(generate_scenario(&mut dice, number));
    }
    plans
}

/// Returns the number of fixed keys.
pub fn fixed_count() -> usize {
    fixed_scenarios().len()
}

/// Generator state from which a plan is generated again. One million of them take 24 MB, much less than the plans.
pub struct DeferredScenario {
    /// Creation time, in seconds before now.
    created_ago: i64,
    rng: Rng,
    number: usize,
}

impl DeferredScenario {
    pub fn generate(&self) -> KeyScenario {
        generate_scenario(&mut { self.rng }, self.number)
    }
}

/// Returns the generated plans from index `from` to `count`, without fixed keys, the oldest key first.
pub fn deferred(from: usize, count: usize) -> Vec<DeferredScenario> {
    let (mut dice, first) = (SEED, fixed_count());
    let mut later = Vec::with_capacity(count.saturating_sub(from));
    for number in first..count {
        let before = dice;
        let made = generate_scenario(&mut dice, number).created_ago;
        if number >= from {
            later.push(DeferredScenario { created_ago: made, rng: before, number });
        }
    }
    later.sort_by_key(|plan| std::cmp::Reverse(plan.created_ago));
    later
}

/// Fixed keys: one of each kind, also in a small demo.
fn fixed_scenarios() -> Vec<KeyScenario> {
    use Environment::{Live, Test};
    let plan = |name: &str, (project, maker), environment, life, scopes: &[&str], made, used, fate| KeyScenario {
        name: name.to_owned(),
        project,
        maker,
        environment,
        lifetime_days: life,
        scopes: scopes.iter().map(ToString::to_string).collect(),
        issued_to: "",
        description: "",
        created_ago: made,
        used_ago: used,
        later_change: fate,
    };
    let all = &["tides:read", "vessels:read", "forecast:read", "stations:read", "vessels:write"];
    let tides = &["tides:read", "forecast:read"];
    let leaked = "Its secret was found in a public repository. Create another key, then delete this one.";
    let mut story = vec![
        plan(
            "Production gateway",
            (HARBOUR, MAREN),
            Live,
            Some(180),
            all,
            96 * DAY,
            Some(2 * MINUTE),
            LaterChange::Unchanged,
        ),
        plan(
            "iOS app 5.x",
            (TIDES, JONAS),
            Live,
            Some(180),
            tides,
            175 * DAY,
            Some(3 * MINUTE),
            LaterChange::Unchanged,
        ),
        plan(
            "Starter Integration",
            (HARBOUR, MAREN),
            Live,
            Some(90),
            &tides[..1],
            DAY,
            Some(41 * MINUTE),
            LaterChange::Unchanged,
        ),
        plan(
            "CI smoke tests",
            (HARBOUR, PRIYA),
            Test,
            Some(30),
            &all[1..4],
            28 * DAY,
            Some(6 * HOUR),
            LaterChange::Unchanged,
        ),
        plan(
            "Nightly export",
            (TIDES, MAREN),
            Live,
            None,
            &all[2..4],
            196 * DAY,
            Some(14 * HOUR),
            LaterChange::Unchanged,
        ),
        plan(
            "Chartroom, reseller",
            (HARBOUR, JONAS),
            Live,
            Some(365),
            &all[..1],
            2 * DAY,
            None,
            LaterChange::Unchanged,
        ),
        plan("Winter season", (TIDES, MAREN), Live, Some(140), tides, 9 * DAY, None, LaterChange::Scheduled(10 * DAY)),
        plan(
            "Old billing worker",
            (HARBOUR, TOMAS),
            Live,
            Some(230),
            &all[1..2],
            180 * DAY,
            Some(11 * DAY),
            LaterChange::Deactivated(10 * DAY),
        ),
        plan("Hack day", (OWN, MAREN), Test, Some(21), tides, 70 * DAY, Some(50 * DAY), LaterChange::Unchanged),
        plan(
            "Berth board, beta",
            (HARBOUR, PRIYA),
            Live,
            Some(365),
            all,
            120 * DAY,
            Some(3 * DAY),
            LaterChange::DeactivatedByAdmin(3 * DAY - HOUR, leaked),
        ),
        plan(
            "Prototype dashboard",
            (HARBOUR, MAREN),
            Live,
            Some(90),
            tides,
            40 * DAY,
            Some(5 * DAY),
            LaterChange::Deleted(2 * DAY),
        ),
        plan(LONG_NAME, (TIDES, PRIYA), Test, Some(365), tides, 63 * DAY, Some(20 * HOUR), LaterChange::Unchanged),
    ];
    story[5].issued_to = "Ada Mensah";
    for (place, description) in DESCRIPTIONS {
        story[place].description = description;
    }
    story
}

fn generate_scenario(dice: &mut Rng, number: usize) -> KeyScenario {
    // The first projects of the list have the most keys.
    let (project, makers) = CREATORS[usize::try_from(dice.range(0, 4).min(dice.range(0, 5))).unwrap_or_default()];
    let environment = if dice.chance(22) { Environment::Test } else { Environment::Live };
    let fate = dice.range(0, 100);
    let (made, life) = match fate {
        // In this order: deleted recently, scheduled, expiring this week.
        0..7 => (dice.range(8 * DAY, 160 * DAY), Some(dice.choose(&[180, 365]))),
        7..11 => (dice.range(2 * HOUR, 14 * DAY), Some(180)),
        11..16 => {
            let life = dice.choose(&[30_u16, 60, 90, 180]);
            (i64::from(life) * DAY - dice.range(HOUR, 7 * DAY), Some(life))
        }
        16..32 => (dice.range(65 * DAY, 200 * DAY), Some(dice.choose(&[7, 30, 60]))),
        32..42 => (dice.range(DAY, 200 * DAY), None),
        _ => {
            let life = dice.choose(&[90_u16, 180, 365, 365]);
            (dice.range(HOUR, (i64::from(life) - 8).min(200) * DAY), Some(life))
        }
    };
    let (fate, ended) = match fate {
        0..7 => (LaterChange::Deleted(dice.range(HOUR, 7 * DAY - HOUR)), 7 * DAY),
        7..11 => (LaterChange::Scheduled(dice.range(DAY, 60 * DAY)), made),
        42..51 => {
            let ago = dice.range(MINUTE, made);
            (LaterChange::Deactivated(ago), ago)
        }
        _ => (LaterChange::Unchanged, life.map_or(0, |life| (made - i64::from(life) * DAY).max(0))),
    };
    // An active key was used recently; an ended one, before its end.
    let lately = dice.choose(&[20 * MINUTE, 6 * HOUR, 3 * DAY, 30 * DAY]);
    let used = (ended < made && !dice.chance(12)).then(|| dice.range(ended, made.min(ended + lately)));
    let name = match number % 9 {
        4 => NON_LATIN_NAMES[(number / 9) % NON_LATIN_NAMES.len()].to_owned(),
        _ => format!("{} {}", dice.choose(&PLACES), dice.choose(&SYSTEMS)),
    };
    let maker = dice.choose(makers);
    // Only an owner can grant a scope that is reserved for owners.
    let may = |scope: &str| scope != "alerts:write" || maker == project || (project, maker) == (HARBOUR, MAREN);
    let mut scopes: Vec<_> = SCOPES
        .iter()
        .filter(|scope| scope.2 && may(scope.0) && dice.chance(35))
        .map(|scope| scope.0.to_owned())
        .collect();
    if scopes.is_empty() {
        scopes.push("tides:read".to_owned());
    }
    let issued_to = if dice.chance(25) { dice.choose(&HOLDERS) } else { "" };
    KeyScenario {
        name,
        project,
        maker,
        environment,
        lifetime_days: life,
        scopes,
        issued_to,
        description: "",
        created_ago: made,
        used_ago: used,
        later_change: fate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_alike_every_time_and_hold_together() {
        assert_eq!(LONG_NAME.chars().count(), 100);
        let all = scenarios(2_000);
        assert_eq!(format!("{:?}", &all[..150]), format!("{:?}", scenarios(150)));
        for plan in &all {
            assert!((MINUTE..=200 * DAY).contains(&plan.created_ago), "{plan:?}");
            assert!(plan.used_ago.is_none_or(|used| (0..plan.created_ago).contains(&used)), "{plan:?}");
            let (LaterChange::Deactivated(ago) | LaterChange::DeactivatedByAdmin(ago, _) | LaterChange::Deleted(ago)) =
                plan.later_change
            else {
                continue;
            };
            assert!((1..plan.created_ago).contains(&ago), "{plan:?}");
            assert!(plan.used_ago.is_none_or(|used| used >= ago), "{plan:?}");
        }
    }

    #[test]
    fn plans_are_drawn_again_as_they_were() {
        let whole = scenarios(500);
        let again = deferred(100, 500);
        assert_eq!(again.len(), 400);
        assert!(again.is_sorted_by_key(|plan| std::cmp::Reverse(plan.created_ago)), "the oldest comes first");
        for plan in again {
            assert_eq!(format!("{:?}", plan.generate()), format!("{:?}", whole[plan.number]));
            assert_eq!(plan.generate().created_ago, plan.created_ago);
        }
        assert!(deferred(3, 5).is_empty(), "a story is never drawn");
    }
}

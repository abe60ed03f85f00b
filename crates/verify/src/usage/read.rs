//! Usage queries: the counts of one key, written or not.

use super::{HOUR, Outcome, Usage};
use jiff::tz::TimeZone;
use keyward_core::{Error, time_format::zoned};
use keyward_domain::{ids::KeyId, time::Timestamp, usage::CallsToday};
use keyward_store::{self as store, usage::KeyUsage};

/// Maximum number of repeated reads if a flush intervenes.
const AGAIN: u32 = 5;

/// The outcomes of calls with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    pub today: CallsToday,
    /// The time of the last accepted call, on any day.
    pub last_used: Option<Timestamp>,
}

impl Usage {
    /// Returns the calls with a key since the start of the day in this time zone, and the time of its last use. Counts
    /// of other nodes from the last second may be missing. Calls are counted by the hour; if a day starts within an
    /// hour, the whole hour counts as today.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn calls(&self, key: KeyId, zone: &TimeZone) -> Result<Calls, Error> {
        let midnight = zoned(self.inner.context.now(), zone).start_of_day();
        let midnight = midnight.map_err(|cause| Error::failed("a day without a beginning", cause))?;
        let hour = midnight.timestamp().as_microsecond().div_euclid(HOUR);
        let counted = self.load_counts(key, hour).await?;
        let mut today = CallsToday::default();
        for (outcome, calls) in &counted.calls {
            let calls = u64::try_from(*calls).unwrap_or_default();
            if outcome == Outcome::Accepted.as_str() {
                today.accepted += calls;
            } else {
                today.refused += calls;
            }
        }
        Ok(Calls { today, last_used: counted.last_used.map(Timestamp::from_micros) })
    }

    /// Returns all counts of a key since an hour.
    async fn load_counts(&self, key: KeyId, hour: i64) -> Result<KeyUsage, Error> {
        let mut tries = 0;
        loop {
            let (seq, noted) = self.unwritten(key, hour)?;
            let mut reader = self.inner.context.pool.acquire_reader().await?;
            let mut counted =
                store::usage::find_by_key(&mut reader.conn(), self.inner.writer, key.into(), hour).await?;
            // The counts in memory were written meanwhile and would count twice.
            if counted.seq > seq && tries < AGAIN {
                tries += 1;
                continue;
            }
            for (_, one) in noted.into_iter().filter(|(seq, _)| *seq > counted.seq) {
                counted.calls.extend(one.calls);
                counted.last_used = counted.last_used.max(one.last_used);
            }
            return Ok(counted);
        }
    }

    /// Returns the counts of a key in memory: the number of the last flush, and by number the flushes whose commit is
    /// not confirmed.
    fn unwritten(&self, key: KeyId, hour: i64) -> Result<(i64, Vec<(i64, KeyUsage)>), Error> {
        // Locked until all is read, because a flush moves counts from the notes to the waiting flushes.
        let waiting = self.waiting();
        let id = key.into();
        let mut found = Vec::new();
        let flushes = waiting.flushes.iter().map(|gathered| &gathered.flush);
        for flush in flushes.filter(|flush| (flush.first_key..=flush.last_key).contains(&id)) {
            let mut counted = KeyUsage::default();
            counted.add(id, hour, &flush.calls, &flush.used)?;
            found.push((flush.seq, counted));
        }
        let mut noted = KeyUsage::default();
        for (of, tally) in self.inner.notes.counts_of_key(key) {
            if of >= hour {
                noted.calls.extend(tally.calls().map(|(outcome, calls)| (outcome.as_str().to_owned(), calls)));
            }
            noted.last_used = noted.last_used.max(tally.last_used());
        }
        found.push((waiting.seq + 1, noted));
        Ok((waiting.seq, found))
    }
}

//! The first start: whoever reads the terminal makes the administrator.

use super::{Accounts, create, create::NewPerson, throttle::Guess};
use crate::{
    Error, Field,
    actor::{Actor, Origin},
};
use keyward_domain::{ids::UserId, sensitive::Password, time::Timestamp};
use keyward_store as store;
use std::sync::{Arc, Mutex, PoisonError};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Wrong codes before a new one is made.
const TRIES: u32 = 5;
/// Seconds between two codes that are made because of wrong ones.
const RENEW_EVERY: i64 = 60;
/// Crockford's base32: no letter looks like a digit.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A setup code: 128 bits, 26 characters of base32. Printed at the terminal, once a start, and never logged.
#[derive(Clone)]
pub struct SetupCode(Zeroizing<String>);

impl SetupCode {
    fn from_bits(bits: u128) -> Self {
        let digit = |place: u32| char::from(ALPHABET[(bits >> (5 * place)) as usize & 31]);
        Self(Zeroizing::new((0..26).rev().map(digit).collect()))
    }

    /// In clear, for the terminal.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Case, spaces and dashes do not matter, and neither do the letters that look like digits.
    fn matches(&self, typed: &str) -> bool {
        let typed: Zeroizing<String> = Zeroizing::new(
            typed
                .chars()
                .filter(|c| !c.is_whitespace() && *c != '-')
                .map(|c| match c.to_ascii_uppercase() {
                    'O' => '0',
                    'I' | 'L' => '1',
                    other => other,
                })
                .collect(),
        );
        typed.as_bytes().ct_eq(self.0.as_bytes()).into()
    }
}

/// Prints a code.
type Announce = Arc<dyn Fn(&SetupCode) + Send + Sync>;

#[derive(Default)]
struct Gate {
    code: Option<SetupCode>,
    wrong: u32,
    /// When a new code was last made because of wrong ones.
    renewed: Option<Timestamp>,
    announce: Option<Announce>,
}

/// The code of this start.
#[derive(Default)]
pub(super) struct SetupGate(Mutex<Gate>);

/// What the setup form says, unread.
#[derive(Clone, Debug)]
pub struct FirstUser {
    pub code: String,
    pub name: String,
    pub email: String,
    pub password: Password,
    pub project: String,
}

impl Accounts {
    /// Whether nobody has an account yet.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn needs_setup(&self) -> Result<bool, Error> {
        let mut reader = self.ground.pool.read().await?;
        Ok(store::accounts::none(&mut reader.conn()).await?)
    }

    /// Makes the code of this start, if nobody has an account yet, and has it printed; again whenever it was guessed at too often.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn open_setup(&self, announce: impl Fn(&SetupCode) + Send + Sync + 'static) -> Result<bool, Error> {
        let open = self.needs_setup().await?;
        if open {
            let code = self.new_code();
            announce(&code);
            let mut gate = self.setup.0.lock().unwrap_or_else(PoisonError::into_inner);
            *gate = Gate { code: Some(code), announce: Some(Arc::new(announce)), ..Gate::default() };
        }
        Ok(open)
    }

    fn new_code(&self) -> SetupCode {
        let mut bytes = Zeroizing::new([0; 16]);
        self.ground.random.fill(bytes.as_mut());
        SetupCode::from_bits(u128::from_be_bytes(*bytes))
    }

    async fn check_code(&self, typed: &str, origin: &Origin) -> Result<(), Error> {
        // Wrong codes of one address pause like wrong passwords; a right one is no try.
        const ACCOUNT: &str = "setup";
        self.throttle.admit(Guess::Request, ACCOUNT, origin.ip, self.ground.now()).await?;
        let mut gate = self.setup.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(code) = &gate.code else { return Err(Error::NotFound) };
        if code.matches(typed) {
            self.throttle.succeeded(ACCOUNT, origin.ip, self.ground.now());
            return Ok(());
        }
        gate.wrong = gate.wrong.saturating_add(1);
        let now = self.ground.now();
        // At most one new code a minute: a stranger who guesses must neither fill the terminal nor outrun the administrator.
        if gate.wrong >= TRIES && gate.renewed.is_none_or(|last| now.seconds_since(last) >= RENEW_EVERY) {
            let code = self.new_code();
            gate.code = Some(code.clone());
            (gate.wrong, gate.renewed) = (0, Some(now));
            let announce = gate.announce.clone();
            drop(gate);
            if let Some(announce) = announce {
                announce(&code);
            }
            return Err(Error::field("code", "Wrong too often. Keyward has printed a new code in its terminal."));
        }
        Err(Error::field("code", "This is not the code that Keyward printed in its terminal at this start."))
    }

    /// Makes the first administrator. Asks for the printed code, from every address; with the first account the code is spent.
    ///
    /// # Errors
    /// [`Error::NotFound`] if somebody has an account already; [`Error::Forbidden`] with passwords off; [`Error::Invalid`] for a wrong code or wrong fields.
    pub async fn set_up(&self, first: FirstUser, origin: &Origin) -> Result<UserId, Error> {
        if !self.needs_setup().await? {
            return Err(Error::NotFound);
        }
        self.takes_passwords()?;
        self.check_code(&first.code, origin).await?;
        let FirstUser { name, email, password, project, .. } = first;
        let prepared = self.prepare(&NewPerson { email, name, password, admin: true, project }).await?;
        let (actor, now) = (Actor::System(origin.clone()), self.ground.now());
        let write = self.ground.queue.write(move |tx| {
            let (actor, prepared) = (actor.clone(), prepared.clone());
            Box::pin(async move {
                // Two nodes, two forms: whoever comes second finds somebody there.
                store::queue::take_turns(tx).await?;
                if !store::accounts::none(tx).await? {
                    return Err(Error::Invalid(vec![Field::new(
                        "code",
                        "Keyward has been set up meanwhile. Sign in.",
                    )]));
                }
                create::insert(tx, &actor, now, &prepared).await
            })
        });
        let user = write.await?;
        let mut gate = self.setup.0.lock().unwrap_or_else(PoisonError::into_inner);
        *gate = Gate::default();
        Ok(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_forgive_how_they_are_typed_and_nothing_else() {
        let code = SetupCode::from_bits(u128::MAX - 0x1234_5678_9abc);
        assert_eq!(code.expose().len(), 26);
        let text = code.expose().to_owned();
        assert!(code.matches(&format!(" {}-{} ", &text[..4].to_lowercase(), &text[4..])));
        assert!(!code.matches(""));
        assert!(!code.matches(&text[..25]));
        assert!(!code.matches(&format!("{}0", &text[..25])) || text.ends_with('0'));
        assert_eq!(SetupCode::from_bits(0).expose(), "0".repeat(26));
        assert!(SetupCode::from_bits(0).matches(&"o".repeat(26)));
    }
}

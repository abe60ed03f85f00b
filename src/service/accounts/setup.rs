//! The first start: whoever reads the terminal makes the administrator.

use super::{Accounts, create, create::NewPerson};
use crate::{
    domain::{ids::UserId, sensitive::Password},
    service::{
        Error, Field,
        actor::{Actor, Origin},
    },
    store,
};
use std::sync::{Mutex, PoisonError};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Wrong codes before a new one is made.
const TRIES: u32 = 5;
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
type Announce = Box<dyn Fn(&SetupCode) + Send + Sync>;

#[derive(Default)]
struct Gate {
    code: Option<SetupCode>,
    wrong: u32,
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
            let mut gate = self.setup.0.lock().unwrap_or_else(PoisonError::into_inner);
            gate.announce = Some(Box::new(announce));
            self.renew(&mut gate);
        }
        Ok(open)
    }

    fn renew(&self, gate: &mut Gate) {
        let mut bytes = Zeroizing::new([0; 16]);
        self.ground.random.fill(bytes.as_mut());
        let code = SetupCode::from_bits(u128::from_be_bytes(*bytes));
        if let Some(announce) = &gate.announce {
            announce(&code);
        }
        gate.code = Some(code);
        gate.wrong = 0;
    }

    fn check_code(&self, typed: &str) -> Result<(), Error> {
        let mut gate = self.setup.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(code) = &gate.code else { return Err(Error::NotFound) };
        if code.matches(typed) {
            return Ok(());
        }
        gate.wrong += 1;
        if gate.wrong >= TRIES {
            self.renew(&mut gate);
            return Err(Error::field("code", "Wrong too often. Keyward has printed a new code in its terminal."));
        }
        Err(Error::field("code", "This is not the code that Keyward printed in its terminal at this start."))
    }

    /// Makes the first administrator. Asks for the printed code, from every address; with the first account the code is spent.
    ///
    /// # Errors
    /// [`Error::NotFound`] if somebody has an account already; [`Error::Invalid`] for a wrong code or wrong fields.
    pub async fn set_up(&self, first: FirstUser, origin: &Origin) -> Result<UserId, Error> {
        if !self.needs_setup().await? {
            return Err(Error::NotFound);
        }
        self.check_code(&first.code)?;
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

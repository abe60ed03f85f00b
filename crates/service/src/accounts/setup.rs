//! First-run setup: the person who can read the server's terminal creates the first administrator.

use super::{Accounts, create, create::NewUser, throttle::Guess};
use crate::{
    Error, InvalidField,
    actor::{Actor, Origin},
};
use keyward_domain::{ids::UserId, sensitive::Password, time::Timestamp};
use keyward_store as store;
use std::sync::{Arc, Mutex, PoisonError};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Wrong codes before a new code is generated.
const TRIES: u32 = 5;
/// Minimum interval between two codes that replace guessed ones, in seconds.
const RENEW_EVERY: i64 = 60;
/// Crockford's Base32, in which no letter looks like a digit.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Setup code: 128 bits as 26 Base32 characters. It is printed to the terminal at each start and never logged.
#[derive(Clone)]
pub struct SetupCode(Zeroizing<String>);

impl SetupCode {
    fn from_bits(bits: u128) -> Self {
        let digit = |place: u32| char::from(ALPHABET[(bits >> (5 * place)) as usize & 31]);
        Self(Zeroizing::new((0..26).rev().map(digit).collect()))
    }

    /// Returns the plain text, for the terminal.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares in constant time. Case, spaces, and dashes are ignored, and letters that look like digits count as
    /// those digits.
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

/// Callback that prints a code.
type Announce = Arc<dyn Fn(&SetupCode) + Send + Sync>;

#[derive(Default)]
struct SetupState {
    code: Option<SetupCode>,
    wrong: u32,
    /// Time at which wrong codes last caused a new code.
    renewed: Option<Timestamp>,
    announce: Option<Announce>,
}

/// Setup state of this process.
#[derive(Default)]
pub(super) struct SharedSetupState(Mutex<SetupState>);

/// Values of the setup form, not parsed.
#[derive(Clone, Debug)]
pub struct FirstUser {
    pub code: String,
    pub name: String,
    pub email: String,
    pub password: Password,
    pub project: String,
}

impl Accounts {
    /// Returns whether there is no account yet.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn needs_setup(&self) -> Result<bool, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        Ok(store::accounts::is_empty(&mut reader.conn()).await?)
    }

    /// Generates and announces the setup code if there is no account yet. A new code is announced after too many wrong
    /// ones.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn open_setup(&self, announce: impl Fn(&SetupCode) + Send + Sync + 'static) -> Result<bool, Error> {
        let open = self.needs_setup().await?;
        if open {
            let code = self.new_code();
            announce(&code);
            let mut gate = self.setup.0.lock().unwrap_or_else(PoisonError::into_inner);
            *gate = SetupState { code: Some(code), announce: Some(Arc::new(announce)), ..SetupState::default() };
        }
        Ok(open)
    }

    /// Announces the current setup code again. Returns `false`, without an announcement, once an account exists.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn repeat_setup_code(&self) -> Result<bool, Error> {
        if !self.needs_setup().await? {
            return Ok(false);
        }
        let (code, announce) = {
            let gate = self.setup.0.lock().unwrap_or_else(PoisonError::into_inner);
            (gate.code.clone(), gate.announce.clone())
        };
        if let (Some(code), Some(announce)) = (code, announce) {
            announce(&code);
        }
        Ok(true)
    }

    fn new_code(&self) -> SetupCode {
        let mut bytes = Zeroizing::new([0; 16]);
        self.context.random.fill(bytes.as_mut());
        SetupCode::from_bits(u128::from_be_bytes(*bytes))
    }

    async fn check_code(&self, typed: &str, origin: &Origin) -> Result<(), Error> {
        // Wrong codes of one address are throttled like wrong passwords; a correct code does not count.
        const ACCOUNT: &str = "setup";
        self.throttle.admit(Guess::Request, ACCOUNT, origin.ip, self.context.now()).await?;
        let mut gate = self.setup.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(code) = &gate.code else { return Err(Error::NotFound) };
        if code.matches(typed) {
            self.throttle.record_success(ACCOUNT, origin.ip, self.context.now());
            return Ok(());
        }
        gate.wrong = gate.wrong.saturating_add(1);
        let now = self.context.now();
        // At most one new code per minute. Otherwise an attacker could fill the terminal, or replace the code faster
        // than the administrator can type it.
        if gate.wrong >= TRIES && gate.renewed.is_none_or(|last| now.seconds_since(last) >= RENEW_EVERY) {
            let code = self.new_code();
            gate.code = Some(code.clone());
            (gate.wrong, gate.renewed) = (0, Some(now));
            let announce = gate.announce.clone();
            drop(gate);
            if let Some(announce) = announce {
                announce(&code);
            }
            return Err(Error::field(
                "code",
                "Too many wrong codes. Use the new code that Keyward printed in the terminal.",
            ));
        }
        Err(Error::field("code", "Wrong setup code. Use the code from the latest server start."))
    }

    /// Creates the first administrator. The printed code is required from every address. It is invalid once an account
    /// exists.
    ///
    /// # Errors
    /// [`Error::NotFound`] if an account exists already; [`Error::Forbidden`] with passwords disabled;
    /// [`Error::Invalid`] for a wrong code or invalid fields.
    #[tracing::instrument(name = "accounts.set_up", skip_all)]
    pub async fn set_up(&self, first: FirstUser, origin: &Origin) -> Result<UserId, Error> {
        if !self.needs_setup().await? {
            return Err(Error::NotFound);
        }
        self.require_passwords_enabled()?;
        self.check_code(&first.code, origin).await?;
        let FirstUser { name, email, password, project, .. } = first;
        let prepared = self.prepare(&NewUser { email, name, password, admin: true, project }).await?;
        let (actor, now) = (Actor::System(origin.clone()), self.context.now());
        let write = self.context.queue.write(move |tx| {
            let (actor, prepared) = (actor.clone(), prepared.clone());
            Box::pin(async move {
                // Serialized across nodes: the second of two concurrent requests finds an account.
                store::write_queue::serialize_change(tx).await?;
                if !store::accounts::is_empty(tx).await? {
                    return Err(Error::Invalid(vec![InvalidField::new("code", "Keyward is already set up. Sign in.")]));
                }
                create::insert(tx, &actor, now, &prepared).await
            })
        });
        let user = write.await?;
        let mut gate = self.setup.0.lock().unwrap_or_else(PoisonError::into_inner);
        *gate = SetupState::default();
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

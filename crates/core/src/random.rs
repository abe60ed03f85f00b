//! Random source interface. The source is injected, so that tests can control it.

/// A cryptographically secure source of random bytes.
pub trait Random: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, bytes: &mut [u8]);
}

/// The system's random source.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, clippy::expect_used, reason = "the one place that asks the system")]
    fn fill(&self, bytes: &mut [u8]) {
        // Panics without a random source: a guessable key is worse than a stopped server.
        getrandom::fill(bytes).expect("the system has a random source");
    }
}

//! Idempotency keys of programs.

use crate::management_client::ManagementClient;
use keyward_domain::ids::FormNumber;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// An idempotency key, with which a program creates at most one key, and the request sent with it: digests of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    number: Uuid,
    request: [u8; 32],
}

impl IdempotencyKey {
    /// Returns the form number of the key.
    pub fn number(&self) -> FormNumber {
        self.number.into()
    }

    /// Returns the SHA-256 of the request.
    pub const fn request(&self) -> &[u8; 32] {
        &self.request
    }

    /// Digests an idempotency key and the complete request. The digest includes the program's key, so that two programs
    /// may send the same idempotency key.
    pub fn new(program: &ManagementClient, idempotency_key: &str, request: &[u8]) -> Self {
        let subject = Uuid::from(program.subject).to_string();
        let digest = Sha256::new().chain_update(subject).chain_update("\n").chain_update(idempotency_key);
        let mut number = [0; 16];
        number.copy_from_slice(&digest.finalize()[..16]);
        Self { number: uuid::Builder::from_custom_bytes(number).into_uuid(), request: Sha256::digest(request).into() }
    }
}

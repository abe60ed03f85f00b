//! Device authorization (RFC 8628): the device starts, shows a user code, and polls until the user has allowed or
//! denied the request.

use super::{
    Consent, Denied, Redeemed,
    authorization_request::{check_scopes, parse_scopes},
    user_code::UserCode,
};
use crate::{
    Error,
    one_time_tokens::{self, OneTimeCode},
};
use keyward_domain::{rate::RateLimit, scope::ScopeName, time::Timestamp};
use keyward_store::{
    self as store, Tx,
    device_codes::{DeviceRow, NewDeviceRow},
    write_queue::{WriteOutcome, serialize_change},
};
use std::net::IpAddr;

/// Lifetime of a device code, in seconds.
const LIVES: i64 = 600;
/// Seconds between two polls of a device. Each early poll adds the same number (RFC 8628 section 3.5).
pub const INTERVAL: i64 = 5;
/// Maximum interval after early polls, in seconds: a client that ignores `slow_down` still gets its result.
const INTERVAL_MAX: i64 = 30;
/// Tolerance for an early poll, in microseconds: timers and networks are not exact.
const TOLERANCE: i64 = 1_000_000;
/// Maximum pending device authorizations per client: anyone who knows the `client_id` can start one.
const WAITING_MOST: i64 = 500;

/// Limit of device authorizations per address: 20 at once, then two per minute. That is 40 within the lifetime of a
/// code, far below [`WAITING_MOST`]: one address cannot block the device grant of a client.
#[expect(clippy::expect_used, reason = "a literal that the tests parse too")]
pub(super) fn per_address() -> RateLimit {
    "2/minute,burst=20".parse().expect("a limit")
}

/// The device authorization response (RFC 8628 section 3.2).
#[derive(Clone, Debug)]
pub struct DeviceAuthorization {
    pub device_code: OneTimeCode,
    /// For example `WDJB-MJHT`.
    pub user_code: String,
    /// Lifetime in seconds.
    pub expires_in: i64,
}

/// The result of a poll.
type DevicePollResult = Result<Redeemed, Denied>;

impl Consent {
    /// Starts a device authorization of a registered client for these scopes (separated by spaces), from this address.
    ///
    /// # Errors
    /// The inner error is for the client; the outer one is a fault.
    #[tracing::instrument(name = "oauth.start_device_authorization", skip_all)]
    pub async fn start_device_authorization(
        &self,
        from: Option<IpAddr>,
        client: &str,
        scope: &str,
        resource: Option<&str>,
    ) -> Result<Result<DeviceAuthorization, Denied>, Error> {
        if client == "loopback" {
            return Ok(Err(Denied::UnauthorizedClient));
        }
        let scopes = match parse_scopes(scope) {
            Ok(scopes) => scopes,
            Err(denied) => return Ok(Err(denied)),
        };
        // Before any database access: the request is anonymous.
        if let Err(seconds) = self.device_limit.try_acquire(from, self.context.now()) {
            return Ok(Err(Denied::TooManyFromAddress(seconds)));
        }
        let (device, user) = (OneTimeCode::generate(&*self.context.random), UserCode::generate(&*self.context.random));
        let digests = (device.digest(), user.digest());
        let (this, client, resource) = (self.clone(), client.to_owned(), resource.map(ToOwned::to_owned));
        let write = self.context.queue.write(move |tx| {
            let (this, client, resource, scopes) = (this.clone(), client.clone(), resource.clone(), scopes.clone());
            Box::pin(async move {
                let begins = this.insert_device(tx, digests, &client, resource.as_deref(), &scopes).await;
                begins.map(WriteOutcome::unaudited)
            })
        });
        let begun = write.await?;
        Ok(begun.map(|()| DeviceAuthorization { device_code: device, user_code: user.formatted(), expires_in: LIVES }))
    }

    async fn insert_device(
        &self,
        tx: &mut Tx<'_>,
        (digest, user_digest): ([u8; 32], [u8; 32]),
        client: &str,
        resource: Option<&str>,
        scopes: &[ScopeName],
    ) -> Result<Result<(), Denied>, Error> {
        let now = self.context.now();
        let Some(row) = self.find_client(tx, client).await? else { return Ok(Err(Denied::InvalidClient)) };
        if resource.is_some_and(|text| self.project_of_resource(text) != Some(row.project_id.into())) {
            return Ok(Err(Denied::InvalidTarget("This application belongs to another project.")));
        }
        let offered = store::projects::list_offered_scopes(tx, row.project_id).await?;
        if let Err(denied) = check_scopes(scopes, &offered) {
            return Ok(Err(denied));
        }
        store::oauth_clients::lock(tx, row.id).await?;
        if store::device_codes::count(tx, row.id, now.micros()).await? >= WAITING_MOST {
            return Ok(Err(Denied::Crowded));
        }
        let new = NewDeviceRow {
            digest,
            user_digest,
            client_id: row.id,
            scopes: scopes.iter().map(ToString::to_string).collect(),
            wait: INTERVAL,
            created_at: now.micros(),
            expires_at: now.plus_seconds(LIVES).micros(),
        };
        // A collision of codes happens once in billions: the device then tries again.
        Ok(if store::device_codes::insert(tx, &new).await? { Ok(()) } else { Err(Denied::Crowded) })
    }

    /// Returns the current result for a polling device.
    ///
    /// # Errors
    /// The inner error is for the client; the outer one is a fault.
    #[tracing::instrument(name = "oauth.poll", skip_all)]
    pub async fn poll(&self, client: &str, device_code: &str) -> Result<DevicePollResult, Error> {
        let (this, client, digest) = (self.clone(), client.to_owned(), one_time_tokens::digest(device_code));
        let write = self.context.queue.write(move |tx| {
            let (this, client) = (this.clone(), client.clone());
            Box::pin(async move { this.poll_in_transaction(tx, &client, digest).await.map(WriteOutcome::unaudited) })
        });
        write.await
    }

    async fn poll_in_transaction(
        &self,
        tx: &mut Tx<'_>,
        client: &str,
        digest: [u8; 32],
    ) -> Result<DevicePollResult, Error> {
        const NONE: Denied =
            Denied::InvalidGrant("The device code is unknown or used, or belongs to another application.");
        let now = self.context.now();
        let Some(client) = self.find_client(tx, client).await? else { return Ok(Err(NONE)) };
        let row = store::device_codes::by_digest(tx, &digest).await?;
        let Some(row) = row.filter(|row| row.client_id == client.id) else { return Ok(Err(NONE)) };
        if now.micros() >= row.expires_at {
            return Ok(Err(Denied::ExpiredToken));
        }
        match row.state.as_str() {
            "pending" => {
                if is_early(&row, now) {
                    // The interval still counts from the last poll that was accepted.
                    store::device_codes::slow_down(tx, &digest, (row.wait + INTERVAL).min(INTERVAL_MAX)).await?;
                    return Ok(Err(Denied::SlowDown));
                }
                store::device_codes::record_poll(tx, &digest, now.micros()).await?;
                return Ok(Err(Denied::AuthorizationPending));
            }
            "denied" => return Ok(Err(Denied::AccessDenied)),
            _ => {}
        }
        // From here on, no other node revokes or narrows the grant until this write has committed.
        serialize_change(tx).await?;
        let first = store::device_codes::set_state(tx, &digest, "allowed", "redeemed", row.grant_id).await?;
        let Some(grant) = row.grant_id.filter(|_| first) else { return Ok(Err(NONE)) };
        let grant = store::grants::by_id(tx, grant.into()).await?;
        match grant.filter(|it| it.is_valid_at(now.micros()) && it.project_archived_at.is_none()) {
            Some(grant) => Ok(Ok(Redeemed::from_row(&grant)?)),
            None => Ok(Err(NONE)),
        }
    }
}

/// Whether a device polls before its interval has passed.
fn is_early(row: &DeviceRow, now: Timestamp) -> bool {
    row.polled_at
        .is_some_and(|at| now.micros() < Timestamp::from_micros(at).plus_seconds(row.wait).micros() - TOLERANCE)
}

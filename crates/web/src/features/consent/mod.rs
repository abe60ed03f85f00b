//! OAuth consent: the authorization page, the device verification pages, and the lists of active grants.

pub mod api;
pub mod routes;

mod consent_prompt;
mod consent_response;
mod device;
mod grants;
mod page;

pub use {
    device::{DeviceConfirmPage, DevicePage},
    grants::{grant_rows, own_grants},
    page::AuthorizePage,
};

//! OAuth consent: the authorization page, the device verification pages, and the lists of active grants.

pub mod api;

mod answered;
mod device;
mod grants;
mod page;
mod question;

pub use {
    device::{DeviceConfirmPage, DevicePage},
    grants::{mine, rows},
    page::AuthorizePage,
};

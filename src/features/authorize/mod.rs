//! Consent: the page that asks whether a program may, the one for devices, and what was allowed.

pub mod api;

#[cfg(feature = "ssr")]
mod answered;
#[cfg(feature = "ssr")]
mod device;
#[cfg(feature = "ssr")]
mod grants;
#[cfg(feature = "ssr")]
mod page;
#[cfg(feature = "ssr")]
mod question;

#[cfg(feature = "ssr")]
pub use {
    device::{DeviceConfirmPage, DevicePage},
    grants::{mine, rows},
    page::AuthorizePage,
};

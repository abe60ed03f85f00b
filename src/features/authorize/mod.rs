//! Consent: the page that asks whether a program may, the one for devices, and what was allowed.

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

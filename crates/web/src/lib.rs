//! The site: Leptos pages, form actions, server functions, sessions, CSRF protection, error pages, and embedded assets.
//!
//! Each feature has a folder in `features`, with its pages, its form actions, and a table of both (`routes.rs`). `http`
//! contains the router of the browser and its middleware. Rules and SQL are in `keyward_service` and below.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used)]
// A server writes through `line_writer`, which never blocks.
#![warn(clippy::print_stderr, clippy::print_stdout)]

// Short names of the crates below.
use keyward_domain as domain;
use keyward_service as service;
use keyward_ui::{self as ui, error, islands};

mod app;
pub mod features;
pub mod http;
mod response_status;

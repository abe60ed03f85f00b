//! All tests of the service from outside: through its router, its command line, its databases, and behind others' proxies.
//!
//! One program and not one for each file: what they share is compiled once, and the service is linked once.

#[macro_use]
mod support;

mod accounts;
mod administration;
mod architecture;
mod atomic_limits;
mod audit;
mod authorize;
mod canaries;
mod cli;
mod cli_faults;
mod cli_on_a_server;
mod config_text;
mod consent;
mod crash;
mod database_files;
mod demo;
mod disk_full;
mod drafts;
mod email_address;
mod entry;
mod environment;
mod examples;
mod exchange;
mod facts;
mod forged;
mod forgery;
mod forward_auth;
mod gateway;
mod labels;
mod limits;
mod log;
mod mail_message;
mod management;
mod management_narrowing;
mod markup;
mod matrix;
mod nginx;
mod oauth;
mod oidc;
mod openapi;
mod output;
mod pages;
mod postgres_faults;
mod programs;
mod projects;
mod proof;
mod reauthentication;
mod revoked;
mod rules;
mod safety;
mod security;
mod settings;
mod shutdown;
mod signer;
mod stalled_output;
mod store;
mod together;
mod token_keys;
mod usage;
mod verify;
mod who;

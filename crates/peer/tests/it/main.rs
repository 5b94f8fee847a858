//! Tests of peers that join rides on a real server.

#![allow(clippy::unwrap_used, missing_docs)]

mod companion;
mod direct;
mod exchange;
mod hostile;
mod joining;
mod leaving;
mod load;
mod relayed;
mod restart;
mod support;
mod tls;
mod tunnel;

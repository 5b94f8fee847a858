//! HTTP endpoints and the app's pages.
//!
//! - [`rides`]: starting and finding rides, and the QR code of an invitation.
//! - [`peerjs`]: the HTTP half of the PeerJS dialect.
//! - [`health`], [`metrics`]: for load balancers, monitoring and operators.
//! - [`pages`]: the app's pages and the site's files.
//! - [`content_security_policy`](content_security_policy()): the policy header.
//!
//! Handlers get the server's state from the router. Routes are in
//! [`router`](crate::router).

mod content_security_policy;
pub mod health;
pub mod metrics;
pub mod pages;
pub mod peerjs;
mod qr;
pub mod rides;

pub use content_security_policy::content_security_policy;

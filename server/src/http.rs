//! HTTP endpoints and the app's pages.
//!
//! - [`rides`]: starting and finding rides, and the QR code of an invitation.
//! - [`peerjs`]: the HTTP half of the PeerJS dialect.
//! - [`health`], [`metrics`]: for load balancers, monitoring and operators.
//! - [`pages`]: the app's pages and the site's files.
//! - [`intervals_icu`]: how pages may call it, and calls that are passed on.
//! - [`tunnel`]: origins of tunnels.
//! - [`ContentSecurityPolicy`]: the policy header.
//!
//! Handlers get the server's state from the router. Routes are in
//! [`router`](crate::router).

mod content_security_policy;
pub mod health;
pub mod intervals_icu;
pub mod metrics;
pub mod pages;
pub mod peerjs;
mod qr;
pub mod rides;
pub mod tunnel;

pub use content_security_policy::ContentSecurityPolicy;

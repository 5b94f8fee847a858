//! Everything that a rider's page and the server have to agree on, without IO.
//!
//! - [`code`]: session codes, the words and digits that riders share.
//! - [`peer`]: ids of riders and page loads, roles, link states, delivery classes.
//! - [`signaling`]: JSON text messages of the signaling socket.
//! - [`frame`]: binary envelope of the frames that the server relays.
//! - [`election`]: signed votes by which riders name a host while the server is unreachable.
//! - [`tunnel_origin`]: origins of tunnels, from which a page makes the address of a shared page.
//! - [`text`]: text counted and cut as a person sees it.
//!
//! Every parser here is strict: it bounds sizes, lists and strings before it allocates, ignores
//! unknown fields so that fields can be added, and never panics.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod code;
pub mod election;
pub mod frame;
pub mod peer;
pub mod signaling;
pub mod text;
pub mod tunnel_origin;

//! Workouts, the group's timeline, riders, trainers, recording and analysis, without IO.
//!
//! - [`workout`]: intervals with targets as a share of FTP; [`formats`] reads them from files and
//!   writes them, and [`library`] holds the built-in ones.
//! - [`player`]: position in a workout.
//! - [`timeline`]: the host's commands as a signed, replicated log.
//! - [`history`]: power of all riders over the ride so far, for the charts.
//! - [`rider`]: name, FTP and profile of a rider.
//! - [`message`]: messages between riders; [`bridge`]: those between a rider and a phone that
//!   connects devices; [`chat`]: those of the chat; [`transfer`]: those of file transfers;
//!   [`media`]: those about voice, cameras and screen sharing; [`page`]: those about shared pages.
//! - [`trainer`]: profiles of Bluetooth trainers, and a simulated trainer.
//! - [`recording`]: samples of a ride, how a browser stores them, and the FIT and TCX files made of
//!   them; [`analysis`]: its figures.
//! - [`intervals_icu`]: calls to intervals.icu, for planned workouts and uploads.
//!
//! Contract: this crate reads no clock and uses no socket, random source or browser API. Times are
//! arguments and seeds are given at construction, so that every case can be tested exactly. The file
//! formats, [`formats`], [`recording::fit`] and [`recording::tcx`], are not used by the other modules, so
//! that a browser can load them later.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod analysis;
pub mod bridge;
pub mod chat;
pub mod history;
pub mod intervals_icu;
pub mod media;
pub mod message;
pub mod page;
pub mod player;
pub mod recording;
pub mod rider;
mod text;
pub mod timeline;
pub mod trainer;
pub mod transfer;
mod wire;
pub mod workout;

pub use workout::{collection, formats, library};

//! What the pages are made of, one component a file. Components read signals
//! and send intents; none decides anything about the ride.

pub mod board;
pub mod connection_panel;
pub mod controls;
pub mod countdown;
pub mod dialog;
pub mod doors;
pub mod faults;
pub mod field;
pub mod format;
pub mod gear;
pub mod hydrated;
pub mod interval;
pub mod invitation;
pub mod lobby;
pub mod manage;
pub mod marks;
pub mod my_ride;
pub mod news;
pub mod poster;
pub mod profile;
pub mod refused;
pub mod ride_chart;
pub mod rider;
pub mod rider_form;
pub mod riders;
pub mod riding;
pub mod stages;
pub mod start;
pub mod summary;
pub mod trace;
pub mod words;
pub mod workout_chooser;
pub mod workout_sheet;

//! The components of the pages, one per file. Components read signals and send
//! intents; they make no decisions about the ride.

pub mod board;
pub mod cannot_join;
pub mod connection_panel;
pub mod controls;
pub mod countdown;
pub mod dialog;
pub mod error_text;
pub mod field;
pub mod format;
pub mod hero_illustration;
pub mod hydrated;
pub mod icons;
pub mod interval;
pub mod invitation;
pub mod labels;
pub mod leave_question;
pub mod lobby;
pub mod manage_riders;
pub mod my_ride;
pub mod profile;
pub mod ride_chart;
pub mod ride_frame;
pub mod ride_page;
pub mod ride_starter;
pub mod rider;
pub mod rider_form;
pub mod riders;
pub mod riding;
pub mod status_region;
pub mod status_screen;
pub mod summary;
pub mod trace;
pub mod trainer_panel;
pub mod workout_chooser;
pub mod workout_sheet;

//! ride

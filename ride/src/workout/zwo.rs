//! Reading workouts from ZWO files.

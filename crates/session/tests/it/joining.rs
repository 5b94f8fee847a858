//! Joining a ride, and the screens on the way.

use session::view::Stage;

use crate::harness::{ANA, BEN, World};

#[test]
fn the_first_rider_is_host() {
    let world = World::group(1, 2);
    assert!(world.view(ANA).is_host);
    assert!(!world.view(BEN).is_host);
    assert!(world.row(BEN, "Ana").is_host);
    assert_eq!(*world.stage(ANA), Stage::Lobby);
}

//! Joining a ride, and the screens on the way.

use session::view::Stage;

use crate::harness::World;

#[test]
fn the_first_rider_is_host() {
    let world = World::group(1, &["Ana", "Ben"]);
    assert!(world.browsers[0].view().is_host);
    assert!(!world.browsers[1].view().is_host);
    assert!(world.browsers[1].row("Ana").unwrap().is_host);
    assert_eq!(*world.browsers[0].stage(), Stage::Lobby);
}

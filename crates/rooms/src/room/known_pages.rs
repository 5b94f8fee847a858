//! Pages of other members that a page knows.
//!
//! Two pages number the frames and connection attempts of their link, and start anew when one of
//! them learns that the other's page is a new one. After a restart of the server, a page may keep
//! its incarnation only if the pages that have returned before and it still know each other, or
//! have both forgotten each other. If one of the two remembers what the other has forgotten, the
//! numbers of their link do not fit together.

use protocol::{
    peer::{Incarnation, PeerId, PeerNumber},
    signaling::RoomSnapshot,
};

use super::{
    ResumeClaims,
    members::{Members, RoomMember},
};

/// A page, identified by its member and its page load.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KnownPage {
    pub(super) number: PeerNumber,
    peer: PeerId,
    incarnation: Incarnation,
}

impl KnownPage {
    fn of_member(number: PeerNumber, member: &RoomMember) -> Self {
        Self {
            number,
            peer: member.peer.clone(),
            incarnation: member.incarnation,
        }
    }

    fn of_token(claims: &ResumeClaims) -> Self {
        Self {
            number: claims.number,
            peer: claims.peer.clone(),
            incarnation: claims.incarnation,
        }
    }
}

/// Pages of the members in a snapshot.
fn in_snapshot(snapshot: Option<&RoomSnapshot>) -> Vec<KnownPage> {
    let members = snapshot.into_iter().flat_map(|snapshot| &snapshot.members);
    members
        .map(|member| KnownPage {
            number: member.number,
            peer: member.peer.clone(),
            incarnation: member.incarnation,
        })
        .collect()
}

/// Returns `true` if the page that resumes with a token and each authenticated page either know
/// each other or have both forgotten each other.
pub(super) fn is_mutual(
    members: &Members,
    claims: &ResumeClaims,
    snapshot: Option<&RoomSnapshot>,
) -> bool {
    let known = in_snapshot(snapshot);
    let own = KnownPage::of_token(claims);
    members
        .iter()
        .filter(|(_, member)| member.authenticated && member.peer != claims.peer)
        .all(|(number, member)| {
            let page = KnownPage::of_member(number, member);
            known.contains(&page) == member.known_pages.contains(&own)
        })
}

/// Pages of a snapshot that its page goes on to know after the welcome: it forgets each member
/// that the welcome does not list with the same page load.
pub(super) fn kept(members: &Members, snapshot: Option<&RoomSnapshot>) -> Vec<KnownPage> {
    let mut known = in_snapshot(snapshot);
    known.retain(|page| {
        let member = members.get(page.number);
        member.is_some_and(|member| KnownPage::of_member(page.number, member) == *page)
    });
    known
}

//! Identity of a bridge in a ride, which its browser stores: after a reload the page is the same
//! member, which a locked ride lets in.

use core::fmt;
use core::str::FromStr;

use protocol::{
    peer::{PeerId, Token},
    signaling::Resume,
};

use super::{BridgeLink, link::BridgeLinkError};

/// Member of the ride that a link names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BridgeIdentity {
    pub(super) link: BridgeLink,
    pub(super) peer: PeerId,
    pub(super) token: Token,
}

impl BridgeIdentity {
    /// Tells whether this is a member for the rider of a link. The secret may be another one.
    pub(super) fn is_for(&self, link: &BridgeLink) -> bool {
        (&self.link.code, &self.link.rider) == (&link.code, &link.rider)
    }

    /// What the server is told by a page that was just opened.
    pub(super) fn resume(&self) -> Resume {
        Resume {
            peer: self.peer.clone(),
            token: self.token.clone(),
            incarnation: None,
        }
    }
}

/// Text for the browser's storage. Neither links nor ids nor tokens contain spaces.
impl fmt::Display for BridgeIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.link, self.peer, self.token.expose())
    }
}

impl FromStr for BridgeIdentity {
    type Err = BridgeLinkError;

    fn from_str(text: &str) -> Result<Self, BridgeLinkError> {
        let mut words = text.splitn(3, ' ');
        let mut next = || words.next().ok_or(BridgeLinkError);
        let (link, peer, token) = (next()?, next()?, next()?);
        Ok(Self {
            link: link.parse()?,
            peer: peer.parse().map_err(|_| BridgeLinkError)?,
            token: token.parse().map_err(|_| BridgeLinkError)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_read_as_it_was_written_and_a_damaged_one_is_none() {
        let text = "brave-otter-4821/8e61d223/000102030405060708090a0b0c0d0e0f phone tok_en-1";
        let identity: BridgeIdentity = text.parse().unwrap();
        assert_eq!(identity.to_string(), text);
        for damaged in [
            "",
            " ",
            &text[..60],
            &text[..20],
            &text.replace("phone", "<"),
        ] {
            assert!(damaged.parse::<BridgeIdentity>().is_err(), "{damaged}");
        }
    }
}

use std::time::Duration;

use clock::WallTime;
use protocol::{
    peer::{PeerNumber, Token},
    signaling::{Limits, VERSION, Welcome},
};

use super::{HostClaims, ResumeClaims, Room, Statement, members::RoomMember};

impl Room {
    /// Welcome of a member.
    pub(super) fn welcome(
        &self,
        number: PeerNumber,
        member: &RoomMember,
        server_time: WallTime,
    ) -> Welcome {
        // `None` while the room is being restored, and while it has no rider.
        let host = self.terms.host().and_then(|host| self.members.get(host));
        let first_host = self.terms.first_host().filter(|_| host.is_some());
        Welcome {
            version: VERSION,
            peer: member.peer.clone(),
            number,
            incarnation: member.incarnation,
            token: self.resume_token(number, member, server_time),
            role: member.role,
            host: host.map(|host| host.peer.clone()),
            first_host: first_host.cloned(),
            locked: self.access.is_locked(),
            bans: self.access.ban_tokens(),
            epoch: self.terms.epoch(),
            hosts: self.terms.list(),
            host_token: self.host_token(),
            members: self.members.describe_others(number),
            ice_servers: self.settings.ice_servers.clone(),
            server_time: server_time.unix_ms(),
            limits: self.limits(),
            p2p: self.settings.p2p,
            direct: self.settings.direct,
            tunnel_origin: self.settings.tunnel_origin.clone(),
        }
    }

    /// New resume token, so that each welcome extends the validity.
    fn resume_token(
        &self,
        number: PeerNumber,
        member: &RoomMember,
        server_time: WallTime,
    ) -> Token {
        self.signer.sign(&Statement::Resume(ResumeClaims {
            peer: member.peer.clone(),
            number,
            incarnation: member.incarnation,
            role: member.role,
            epoch: self.terms.highest_known_epoch(),
            host: self.terms.is_host(number),
            expires: server_time.after(self.settings.token_life),
        }))
    }

    /// Token of the current term. `None` while there is no host, and while the host of a restored
    /// room may turn out to be another.
    pub(super) fn host_token(&self) -> Option<Token> {
        let host = self.terms.host().and_then(|host| self.members.get(host))?;
        self.restoration.is_sure_of_host().then(|| {
            self.signer.sign(&Statement::Host(HostClaims {
                epoch: self.terms.epoch(),
                peer: host.peer.clone(),
                first_host: self.terms.first_host().cloned(),
            }))
        })
    }

    fn limits(&self) -> Limits {
        Limits {
            max_message_bytes: self.settings.max_message_bytes,
            max_riders: self.settings.max_riders,
            max_direct: self.settings.max_direct,
            grace_ms: millis(self.settings.grace),
            relay_bytes_per_second: self.settings.relay_bytes_per_second,
            max_file_bytes: self.settings.max_file_bytes,
            max_cameras: self.settings.max_cameras,
        }
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

//! Joining, resuming, and the identity that is stored for it.

use clock::Moment;
use mesh::{
    clock_sync::GroupOffset,
    node::{Node, NodeConfig},
};
use protocol::{
    code::SessionCode,
    peer::MemberRole,
    signaling::{Resume, RoomSnapshot},
};
use ride::rider::{Ftp, RiderName};

use super::{MAX_ABSENCE, RideSession};
use crate::{
    Output,
    api::RideInfo,
    exchange::ExchangeEnd,
    exchange_port::exchange_now,
    join_flow::Step,
    rider::OwnRider,
    storage::{StorageCommand, StoredIdentity, StoredProfile, StoredRide, wall_lead_micros},
    view::{JoinError, ServerConnection, Stage},
};

impl RideSession {
    pub(super) fn open_group(&mut self, address: &str) {
        let Ok(code) = address.parse::<SessionCode>() else {
            self.view.stage = Stage::CannotJoin(JoinError::NotACode);
            return;
        };
        self.view.code = Some(code.clone());
        self.view.invitation = format!("{}/ride/{code}", self.config.origin);
        self.code = Some(code);
        self.look_up();
    }

    pub(super) fn look_up(&mut self) {
        if let Some(code) = self.code.clone() {
            self.view.stage = Stage::LookingUp;
            self.outputs.push_back(Output::LookUp(code));
        }
    }

    pub(super) fn looked_up(
        &mut self,
        now: Moment,
        result: Result<RideInfo, JoinError>,
        mut stored: StoredRide,
    ) {
        self.stored_timeline.clone_from(&stored.timeline);
        self.roster.remember(std::mem::take(&mut stored.names));
        let step = self.join_flow.looked_up(&result, stored);
        if let Ok(info) = result {
            if let Some(invitation) = info.invitation {
                self.view.invitation = invitation;
            }
            if !matches!(step, Step::Resume(_)) {
                self.store(StorageCommand::ClearJoining);
            }
        }
        match step {
            Step::Show(stage) => self.view.stage = stage,
            Step::Resume(identity) => self.resume(now, *identity),
            Step::Join(name, ftp) => self.join(now, name, ftp),
        }
    }

    /// Joins as a new rider.
    pub(super) fn join(&mut self, now: Moment, name: RiderName, ftp: Ftp) {
        if self.join_flow.is_banned() {
            self.view.stage = self.join_flow.enter_name();
            return;
        }
        let seed = self.config.entropy.take();
        self.outputs.push_back(Output::NeedEntropy);
        let Some(me) = seed.and_then(|seed| OwnRider::new(name, ftp, seed)) else {
            self.view.stage = Stage::CannotJoin(JoinError::Other);
            return;
        };
        self.store(StorageCommand::SaveProfile(StoredProfile {
            name: me.name.as_str().to_owned(),
            ftp: me.ftp.watts(),
        }));
        self.set_rider(now, me);
        self.group.set_last_offset(None);
        self.connect(None, None);
    }

    /// Resumes as a rider that this browser knows.
    pub(super) fn resume(&mut self, now: Moment, identity: StoredIdentity) {
        let Some(me) = OwnRider::from_stored(&identity) else {
            self.view.stage = self.join_flow.enter_name();
            return;
        };
        self.set_rider(now, me);
        if identity.simulated {
            self.use_simulator(now);
        }
        let offset = identity.group_offset_at(self.now, MAX_ABSENCE);
        self.group.set_last_offset(offset.map(GroupOffset));
        let resume = Resume {
            peer: identity.peer,
            token: identity.token,
            incarnation: None,
        };
        self.connect(Some(resume), identity.room_snapshot);
    }

    /// Resumes as the rider of this tab that another tab took over.
    pub(super) fn take_over(&mut self, now: Moment) {
        match self.identity() {
            Some(identity) => self.resume(now, identity),
            None => self.look_up(),
        }
    }

    pub(super) fn set_rider(&mut self, now: Moment, me: OwnRider) {
        self.view.ftp = me.ftp.watts();
        self.view.bias = me.bias.percent();
        self.view.measured_ftp = None;
        self.view.ready = me.ready;
        self.view.summary = None;
        self.view.ended_by = None;
        self.view.chart = None;
        self.ride.recording.reset(now, &mut self.outputs);
        self.takes_part = true;
        let exchange_now = exchange_now(self.now, &self.group);
        self.exchange.close(exchange_now, ExchangeEnd::Handover);
        self.me = Some(me);
        self.ride.devices.find_remembered(now, &mut self.outputs);
    }

    pub(super) fn connect(&mut self, resume: Option<Resume>, room_snapshot: Option<RoomSnapshot>) {
        let (Some(code), Some(me)) = (self.code.clone(), &self.me) else {
            return;
        };
        self.join_flow.begin(resume.is_none());
        let config = NodeConfig {
            keys: me.public_keys(),
            ballot_key: me.ballot_key(),
            role: MemberRole::Rider,
            resume,
            seed: me.seed_number(),
            p2p_available: self.config.p2p_available,
            group_offset: self.group.last_offset(),
            room_snapshot,
        };
        self.group.join(code, config);
        self.view.connection = ServerConnection::Idle;
        self.view.stage = Stage::Joining;
    }

    /// Identity of this rider, once the server has given a token.
    pub(super) fn identity(&self) -> Option<StoredIdentity> {
        let (me, token) = (self.me.as_ref()?, self.join_flow.token()?);
        let wall_lead = wall_lead_micros(self.now);
        Some(StoredIdentity {
            peer: me.peer.clone(),
            token: token.clone(),
            seed: me.seed,
            profile: StoredProfile {
                name: me.name.as_str().to_owned(),
                ftp: me.ftp.watts(),
            },
            number: self.roster.row(&me.peer).map_or(0, |row| row.number),
            bias: me.bias.percent(),
            ready: me.ready,
            simulated: self.ride.devices.is_simulated(),
            group_offset: self.group.last_offset().map(|offset| offset.0 - wall_lead),
            stored_at: Some(self.now.wall.unix_ms()),
            room_snapshot: self.group.node().and_then(Node::room_snapshot),
            is_under_way: self.view.stage != Stage::Ended,
            revoked_links: me.revoked_links,
        })
    }
}

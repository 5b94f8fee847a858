//! The exchange of a session: it is told of the group, and its messages are sent.

use std::{collections::VecDeque, sync::Arc};

use clock::Moment;
use mesh::node;
use protocol::peer::{LinkState, MemberRole, PeerId};
use ride::timeline::SigningKey;

use super::{
    Exchange, ExchangeEnd, ExchangeInput, ExchangeNow, ExchangeOutput, GroupCompanion,
    GroupExchange, GroupMember, GroupMembers, LoadedExchange, SessionContext,
};
use crate::{
    chat::{ChatInput, ChatOutput, Rejection},
    media::MediaInput,
    transfers::TransferInput,
};

/// Exchange of a session, with the group as it knows it.
#[derive(Debug)]
struct HostedExchange {
    exchange: GroupExchange,
    members: Option<Arc<GroupMembers>>,
    outputs: VecDeque<ExchangeOutput>,
    /// False for a program that has neither devices nor a screen for media.
    has_media: bool,
    has_ended: bool,
}

/// Opens the exchange of a page whose rider signs with the key. The number differs in every page load.
pub fn open(key: SigningKey, seed: u64) -> Box<dyn LoadedExchange> {
    Box::new(HostedExchange::new(key, seed, true))
}

/// Opens the exchange of a program that tells the other riders that it takes no voice and pictures,
/// whatever its links are.
pub fn open_without_media(key: SigningKey, seed: u64) -> Box<dyn LoadedExchange> {
    Box::new(HostedExchange::new(key, seed, false))
}

impl HostedExchange {
    fn new(key: SigningKey, seed: u64, has_media: bool) -> Self {
        Self {
            exchange: GroupExchange::new(key, seed),
            members: None,
            outputs: VecDeque::new(),
            has_media,
            has_ended: false,
        }
    }
}

impl LoadedExchange for HostedExchange {
    fn group_changed(&mut self, context: &mut SessionContext<'_>) {
        let before = self.members.as_deref();
        let Some(mut members) = members(context).or_else(|| Some(alone(before?))) else {
            return;
        };
        members.has_webrtc &= self.has_media;
        if before != Some(&members) {
            let members = Arc::new(members);
            self.members = Some(Arc::clone(&members));
            self.handle(context.now, ExchangeInput::Members(members));
        }
    }

    fn receive(&mut self, now: ExchangeNow, from: &PeerId, payload: &[u8]) {
        let (from, payload) = (from.clone(), payload.to_vec());
        self.handle(now, ExchangeInput::Received { from, payload });
    }

    fn handle(&mut self, now: ExchangeNow, input: ExchangeInput) {
        if !self.has_ended {
            return self.exchange.handle(now, input);
        }
        match input {
            ExchangeInput::Transfers(TransferInput::Cancel(_)) => {
                self.exchange.handle(now, input);
                self.take_last_outputs();
            }
            ExchangeInput::Chat(ChatInput::Send { .. }) => {
                let rejection = ChatOutput::Rejected(Rejection::NoGroup);
                self.outputs.push_back(ExchangeOutput::Chat(rejection));
            }
            // Its track is to be stopped.
            ExchangeInput::Media(MediaInput::GoLive(_)) => {
                self.exchange.handle(now, input);
                self.take_last_outputs();
            }
            _ => {}
        }
    }

    fn end(&mut self, now: ExchangeNow, end: ExchangeEnd) {
        self.has_ended = true;
        self.exchange.end(now, end);
        self.take_last_outputs();
    }

    fn send(&mut self, context: &mut SessionContext<'_>) {
        let now = context.now;
        let is_due = |at: Moment| at <= now.own.moment;
        if self.exchange.poll_timeout().is_some_and(is_due) {
            self.handle(now, ExchangeInput::Timeout);
        }
        while let Some(output) = self.exchange.poll_output() {
            match output {
                ExchangeOutput::Send { to, class, payload } => {
                    let input = node::Input::Send { to, class, payload };
                    context.group.handle(now.own.moment, input);
                }
                output => self.outputs.push_back(output),
            }
        }
    }

    fn poll_output(&mut self) -> Option<ExchangeOutput> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Moment> {
        self.exchange.poll_timeout()
    }

    fn rejected(&self) -> u64 {
        self.exchange.rejected()
    }
}

impl HostedExchange {
    /// Takes the outputs for the driver after the end, but for what would be stored: the place may be
    /// another page's by now.
    fn take_last_outputs(&mut self) {
        while let Some(output) = self.exchange.poll_output() {
            match output {
                ExchangeOutput::Send { .. } | ExchangeOutput::Chat(ChatOutput::Store(_)) => {}
                output => self.outputs.push_back(output),
            }
        }
    }
}

/// The group as the session knows it; `None` before the server has let this rider in.
fn members(context: &SessionContext<'_>) -> Option<GroupMembers> {
    let me = context.me?;
    let node = context.group.node()?;
    let own = node.me()?;
    let link = |peer: &PeerId| node.link_state(peer).unwrap_or(LinkState::Connecting);
    let others = node.members().filter(|member| member.role.follows_ride());
    let others = others.map(|member| GroupMember {
        peer: member.peer.clone(),
        incarnation: member.incarnation,
        name: context.roster.label(&member.peer),
        sign_key: member.keys.sign,
        link: link(&member.peer),
        is_rider: member.role.is_rider(),
    });
    let companions = node.members();
    let companions = companions.filter(|member| member.role == MemberRole::Companion);
    let companions = companions.map(|member| GroupCompanion {
        peer: member.peer.clone(),
        incarnation: member.incarnation,
        link: link(&member.peer),
    });
    Some(GroupMembers {
        me: own.peer.clone(),
        incarnation: own.incarnation,
        name: me.name.to_string(),
        others: others.collect(),
        companions: companions.collect(),
        tunnel_origin: node.tunnel_origin().map(str::to_owned),
        host: node.host().cloned(),
        host_terms: Arc::new(node.host_terms().to_vec()),
        relay_bytes_per_second: node.relay_bytes_per_second(),
        max_file_bytes: node.max_file_bytes(),
        max_cameras: node.max_cameras(),
        has_webrtc: node.has_webrtc(),
        allows_direct_links: node.allows_direct_links(),
        ice_servers: node.ice_servers().to_vec(),
        is_over: context.is_over,
    })
}

/// The group of a rider who goes on alone.
fn alone(before: &GroupMembers) -> GroupMembers {
    GroupMembers {
        others: Vec::new(),
        companions: Vec::new(),
        relay_bytes_per_second: 0,
        ..before.clone()
    }
}

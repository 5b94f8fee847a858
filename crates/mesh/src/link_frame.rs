//! Binary frames that two riders' pages exchange, bare on a data channel or inside a relay
//! envelope ([`protocol::frame`]).
//!
//! ```text
//! kind u8 | to incarnation u32 (0 = any) | body
//! ```
//!
//! All numbers are big endian. A frame has at most [`MAX_LINK_FRAME`] bytes. Decoding never panics
//! and never allocates more than the size of its input.

use protocol::{
    election::{Election, Vote},
    frame::{
        FrameError, MAX_LINK_FRAME,
        bytes::{Reader, put_i64, put_u32},
    },
    peer::{DeliveryClass, Incarnation, PeerId, PeerNumber},
    signaling::{HostTerm, MAX_RIDERS},
};

/// The most bytes of gossip in a beat.
pub const MAX_GOSSIP: usize = 64;
/// The most riders that one beat speaks of.
pub const MAX_HEARD: usize = 64;
/// What a segment's frame adds to its payload, in bytes.
pub const SEGMENT_HEADER: usize = 11;

const BEAT: u8 = 0;
const TELEMETRY: u8 = 1;
const SEGMENT: u8 = 2;
const ACK: u8 = 3;
const ELECTION: u8 = 4;

const HAS_GROUP_OFFSET: u8 = 1;
const P2P: u8 = 2;
const HEARD_DIRECT: u8 = 1;
const MORE: u8 = 1;

/// What one rider's page says to another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkFrame {
    /// The page load it is for; 0 is any.
    pub to: Incarnation,
    /// What it says.
    pub body: Body,
}

/// The five kinds of link frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// I am here: `0 | to | sent i64 | flags u8 | group offset i64 | epoch u32 |
    /// gossip length u8 | gossip | count u8 | count x heard`.
    Beat(Beat),
    /// A reading, of which the newest counts: `1 | to | seq u32 | payload`.
    Telemetry {
        /// Counted up by the sender over all its frames.
        seq: u32,
        /// Opaque.
        payload: Vec<u8>,
    },
    /// A piece of a reliable stream: `2 | to | class u8 | flags u8 | seq u32 |
    /// payload`.
    Segment {
        /// Control or bulk.
        class: DeliveryClass,
        /// Counted from 1 per link, class and pair of page loads.
        seq: u32,
        /// Whether the message goes on in the next segment.
        more: bool,
        /// Opaque.
        payload: Vec<u8>,
    },
    /// What has come of a reliable stream: `3 | to | class u8 | cumulative u32`.
    Ack {
        /// Control or bulk.
        class: DeliveryClass,
        /// All segments up to this one have come.
        cumulative: u32,
    },
    /// A host whom riders name without the server: `4 | to | epoch u32 | key
    /// 32 bytes | id length u8 | id | count u8 | count x (voter u32 | signature
    /// 64 bytes)`. With the candidate's vote alone it asks for others, with one
    /// of another rider it gives it, with more than half it tells who is host.
    Election(Election),
}

/// A sign of life, from which both carriers and clocks are judged.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Beat {
    /// The sender's monotonic clock at sending, in microseconds.
    pub sent: i64,
    /// Group time minus the sender's clock, in microseconds, once it knows.
    pub group_offset: Option<i64>,
    /// Whether the sender takes part in direct links at all.
    pub p2p: bool,
    /// The newest epoch that the sender knows.
    pub epoch: u32,
    /// Opaque, at most [`MAX_GOSSIP`] bytes.
    pub gossip: Vec<u8>,
    /// What the sender has heard from those it speaks to, at most
    /// [`MAX_HEARD`].
    pub heard: Vec<Heard>,
}

/// What a beat's sender has heard from one rider: `number u32 | incarnation
/// u32 | sent i64 | held u32 | flags u8 | control u32 | bulk u32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Heard {
    /// Who is meant.
    pub number: PeerNumber,
    /// Its page load.
    pub incarnation: Incarnation,
    /// `sent` of its newest beat.
    pub sent: i64,
    /// How long ago that beat came, in microseconds.
    pub held: u32,
    /// Whether its beats come over the data channel.
    pub direct: bool,
    /// Cumulative acknowledgement of its control stream.
    pub control: u32,
    /// Cumulative acknowledgement of its bulk stream.
    pub bulk: u32,
}

impl LinkFrame {
    /// The frame as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        bytes.push(self.body.kind());
        put_u32(&mut bytes, self.to.0);
        self.body.put(&mut bytes);
        bytes
    }

    /// Reads a link frame.
    ///
    /// # Errors
    /// [`FrameError`] for anything but a link frame of at most
    /// [`MAX_LINK_FRAME`] bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        if bytes.len() > MAX_LINK_FRAME {
            return Err(FrameError::TooLarge(bytes.len()));
        }
        let mut reader = Reader::new(bytes);
        let kind = reader.u8()?;
        let to = Incarnation(reader.u32()?);
        let body = Body::read(kind, reader)?;
        Ok(Self { to, body })
    }
}

impl Body {
    fn kind(&self) -> u8 {
        match self {
            Self::Beat(_) => BEAT,
            Self::Telemetry { .. } => TELEMETRY,
            Self::Segment { .. } => SEGMENT,
            Self::Ack { .. } => ACK,
            Self::Election(_) => ELECTION,
        }
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Beat(beat) => beat.put(bytes),
            Self::Telemetry { seq, payload } => {
                put_u32(bytes, *seq);
                bytes.extend(payload);
            }
            Self::Segment {
                class,
                seq,
                more,
                payload,
            } => {
                bytes.extend([*class as u8, if *more { MORE } else { 0 }]);
                put_u32(bytes, *seq);
                bytes.extend(payload);
            }
            Self::Ack { class, cumulative } => {
                bytes.push(*class as u8);
                put_u32(bytes, *cumulative);
            }
            Self::Election(election) => put_election(election, bytes),
        }
    }

    fn read(kind: u8, mut reader: Reader<'_>) -> Result<Self, FrameError> {
        match kind {
            BEAT => Beat::read(reader).map(Self::Beat),
            TELEMETRY => Ok(Self::Telemetry {
                seq: reader.u32()?,
                payload: reader.rest().to_vec(),
            }),
            SEGMENT => Ok(Self::Segment {
                class: reliable(&mut reader)?,
                more: reader.u8()? & MORE != 0,
                seq: reader.u32()?,
                payload: reader.rest().to_vec(),
            }),
            ACK => {
                let class = reliable(&mut reader)?;
                let cumulative = reader.u32()?;
                reader.finish()?;
                Ok(Self::Ack { class, cumulative })
            }
            ELECTION => read_election(reader).map(Self::Election),
            unknown => Err(FrameError::Unknown(unknown)),
        }
    }
}

impl Beat {
    fn put(&self, bytes: &mut Vec<u8>) {
        put_i64(bytes, self.sent);
        let offset_flag = if self.group_offset.is_some() {
            HAS_GROUP_OFFSET
        } else {
            0
        };
        bytes.push(offset_flag | if self.p2p { P2P } else { 0 });
        put_i64(bytes, self.group_offset.unwrap_or(0));
        put_u32(bytes, self.epoch);
        let gossip = &self.gossip[..self.gossip.len().min(MAX_GOSSIP)];
        bytes.push(gossip.len() as u8);
        bytes.extend(gossip);
        let heard = &self.heard[..self.heard.len().min(MAX_HEARD)];
        bytes.push(heard.len() as u8);
        heard.iter().for_each(|one| one.put(bytes));
    }

    fn read(mut reader: Reader<'_>) -> Result<Self, FrameError> {
        let sent = reader.i64()?;
        let flags = reader.u8()?;
        let group_offset = reader.i64()?;
        let group_offset = (flags & HAS_GROUP_OFFSET != 0).then_some(group_offset);
        let epoch = reader.u32()?;
        let gossip_len = at_most(reader.u8()?, MAX_GOSSIP)?;
        let gossip = reader.take(gossip_len)?.to_vec();
        let count = at_most(reader.u8()?, MAX_HEARD)?;
        let heard = (0..count)
            .map(|_| Heard::read(&mut reader))
            .collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(Self {
            sent,
            group_offset,
            p2p: flags & P2P != 0,
            epoch,
            gossip,
            heard,
        })
    }
}

impl Heard {
    fn put(&self, bytes: &mut Vec<u8>) {
        put_u32(bytes, self.number.0);
        put_u32(bytes, self.incarnation.0);
        put_i64(bytes, self.sent);
        put_u32(bytes, self.held);
        bytes.push(if self.direct { HEARD_DIRECT } else { 0 });
        put_u32(bytes, self.control);
        put_u32(bytes, self.bulk);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, FrameError> {
        Ok(Self {
            number: PeerNumber(reader.u32()?),
            incarnation: Incarnation(reader.u32()?),
            sent: reader.i64()?,
            held: reader.u32()?,
            direct: reader.u8()? & HEARD_DIRECT != 0,
            control: reader.u32()?,
            bulk: reader.u32()?,
        })
    }
}

fn put_election(election: &Election, bytes: &mut Vec<u8>) {
    let (term, peer) = (&election.term, election.term.peer.as_str());
    put_u32(bytes, term.epoch);
    bytes.extend(term.sign_key);
    // An id has 64 letters at most.
    bytes.push(peer.len() as u8);
    bytes.extend(peer.as_bytes());
    let votes = &election.votes[..election.votes.len().min(MAX_RIDERS)];
    bytes.push(votes.len() as u8);
    for vote in votes {
        put_u32(bytes, vote.voter.0);
        bytes.extend(vote.signature);
    }
}

fn read_election(mut reader: Reader<'_>) -> Result<Election, FrameError> {
    let epoch = reader.u32()?;
    let sign_key = reader.array()?;
    let length = reader.u8()?;
    let peer = std::str::from_utf8(reader.take(length.into())?);
    let peer: Option<PeerId> = peer.ok().and_then(|peer| peer.parse().ok());
    let peer = peer.ok_or(FrameError::Unknown(length))?;
    let count = at_most(reader.u8()?, MAX_RIDERS)?;
    let vote = |_| {
        Ok(Vote {
            voter: PeerNumber(reader.u32()?),
            signature: reader.array()?,
        })
    };
    let votes = (0..count).map(vote).collect::<Result<_, _>>()?;
    reader.finish()?;
    let term = HostTerm {
        epoch,
        peer,
        sign_key,
    };
    Ok(Election { term, votes })
}

fn reliable(reader: &mut Reader<'_>) -> Result<DeliveryClass, FrameError> {
    match reader.class()? {
        DeliveryClass::Telemetry => Err(FrameError::Unknown(DeliveryClass::Telemetry as u8)),
        class => Ok(class),
    }
}

fn at_most(count: u8, limit: usize) -> Result<usize, FrameError> {
    if usize::from(count) > limit {
        Err(FrameError::Unknown(count))
    } else {
        Ok(usize::from(count))
    }
}

#[cfg(test)]
mod tests;

//! Binary frames that two riders' pages exchange, bare on a data channel or inside a relay
//! envelope ([`protocol::frame`]).
//!
//! ```text
//! kind u8 | to incarnation u32 (0 = any) | body
//! ```
//!
//! All numbers are big endian. A frame has at most [`MAX_LINK_FRAME`] bytes. Decoding never panics
//! and never allocates more than the size of its input.

use crate::clock_sync::GroupOffset;
use protocol::{
    election::{Election, Vote},
    frame::{
        FrameError, MAX_LINK_FRAME,
        bytes::{Reader, put_i64, put_u32},
    },
    peer::{DeliveryClass, Incarnation, PeerId, PeerNumber},
    signaling::{HostTerm, MAX_RIDERS},
};

/// Largest payload of a heartbeat, in bytes.
pub const MAX_HEARTBEAT_PAYLOAD: usize = 64;
/// Largest number of reception reports in one heartbeat.
pub const MAX_REPORTS: usize = 64;
/// Bytes that a segment's frame adds to its payload.
pub const SEGMENT_HEADER: usize = 11;

const HEARTBEAT: u8 = 0;
const TELEMETRY: u8 = 1;
const SEGMENT: u8 = 2;
const ACK: u8 = 3;
const ELECTION: u8 = 4;

const HAS_GROUP_OFFSET: u8 = 1;
const P2P: u8 = 2;
const RECEIVED_DIRECT: u8 = 1;
const MORE: u8 = 1;

/// Frame from one page to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkFrame {
    /// Page load of the receiver that is meant; 0 means any.
    pub to: Incarnation,
    /// Content.
    pub body: Body,
}

/// Content of a link frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Heartbeat: `0 | to | sent i64 | flags u8 | group offset i64 | epoch u32 | payload length u8
    /// | payload | count u8 | count x reception report`.
    Heartbeat(Heartbeat),
    /// Payload of which only the newest counts: `1 | to | seq u32 | payload`.
    Telemetry {
        /// Sequence number over all telemetry of the sender.
        seq: u32,
        /// Opaque bytes.
        payload: Vec<u8>,
    },
    /// Part of a reliable stream: `2 | to | class u8 | flags u8 | seq u32 | payload`.
    Segment {
        /// Control or bulk.
        class: DeliveryClass,
        /// Sequence number, counted from 1 per link, class and pair of page loads.
        seq: u32,
        /// True if the message continues in the next segment.
        more: bool,
        /// Opaque bytes.
        payload: Vec<u8>,
    },
    /// Acknowledgement of a reliable stream: `3 | to | class u8 | cumulative u32`.
    Ack {
        /// Control or bulk.
        class: DeliveryClass,
        /// Sequence number up to which all segments have arrived.
        cumulative: u32,
    },
    /// Votes for a host while the server is unreachable: `4 | to | epoch u32 | key 32 bytes |
    /// id length u8 | id | count u8 | count x (voter u32 | signature 64 bytes)`. With the
    /// candidate's own vote alone it requests votes, with the vote of another rider it answers, and
    /// with the votes of more than half it announces the new host.
    Election(Election),
}

/// Sign of life, from which the state of both paths and the offset of the clocks are derived.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Heartbeat {
    /// The sender's monotonic clock at sending, in microseconds.
    pub sent: i64,
    /// Group time minus the sender's clock, once it is known.
    pub group_offset: Option<GroupOffset>,
    /// True if the sender supports direct links.
    pub p2p: bool,
    /// Newest epoch that the sender knows.
    pub epoch: u32,
    /// Opaque bytes, at most [`MAX_HEARTBEAT_PAYLOAD`].
    pub payload: Vec<u8>,
    /// Reports for the receivers, at most [`MAX_REPORTS`].
    pub reports: Vec<ReceptionReport>,
}

/// Report of a heartbeat's sender on what it received from one member, comparable to the reception
/// report blocks of RTCP (RFC 3550, section 6.4.1): `number u32 | incarnation u32 | sent i64 |
/// delay u32 | flags u8 | control u32 | bulk u32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ReceptionReport {
    /// Number of the reported member.
    pub number: PeerNumber,
    /// Its page load.
    pub incarnation: Incarnation,
    /// `sent` of its newest heartbeat.
    pub sent: i64,
    /// Time since that heartbeat arrived, in microseconds; `u32::MAX` when none has arrived or when
    /// the time does not fit.
    pub delay: u32,
    /// True if its frames arrive over the data channels.
    pub direct: bool,
    /// Cumulative acknowledgement of its control stream.
    pub control: u32,
    /// Cumulative acknowledgement of its bulk stream.
    pub bulk: u32,
}

impl LinkFrame {
    /// Encodes the frame.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        bytes.push(self.body.kind());
        put_u32(&mut bytes, self.to.0);
        self.body.put(&mut bytes);
        bytes
    }

    /// Decodes a link frame.
    ///
    /// # Errors
    /// [`FrameError`] when the bytes are not a link frame of at most [`MAX_LINK_FRAME`] bytes.
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
            Self::Heartbeat(_) => HEARTBEAT,
            Self::Telemetry { .. } => TELEMETRY,
            Self::Segment { .. } => SEGMENT,
            Self::Ack { .. } => ACK,
            Self::Election(_) => ELECTION,
        }
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Heartbeat(heartbeat) => heartbeat.put(bytes),
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
            HEARTBEAT => Heartbeat::read(reader).map(Self::Heartbeat),
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

impl Heartbeat {
    fn put(&self, bytes: &mut Vec<u8>) {
        put_i64(bytes, self.sent);
        let offset_flag = if self.group_offset.is_some() {
            HAS_GROUP_OFFSET
        } else {
            0
        };
        bytes.push(offset_flag | if self.p2p { P2P } else { 0 });
        put_i64(bytes, self.group_offset.unwrap_or_default().0);
        put_u32(bytes, self.epoch);
        let payload = &self.payload[..self.payload.len().min(MAX_HEARTBEAT_PAYLOAD)];
        bytes.push(payload.len() as u8);
        bytes.extend(payload);
        let reports = &self.reports[..self.reports.len().min(MAX_REPORTS)];
        bytes.push(reports.len() as u8);
        reports.iter().for_each(|report| report.put(bytes));
    }

    fn read(mut reader: Reader<'_>) -> Result<Self, FrameError> {
        let sent = reader.i64()?;
        let flags = reader.u8()?;
        let group_offset = reader.i64()?;
        let has_group_offset = flags & HAS_GROUP_OFFSET != 0;
        let group_offset = has_group_offset.then_some(GroupOffset(group_offset));
        let epoch = reader.u32()?;
        let payload_len = at_most(reader.u8()?, MAX_HEARTBEAT_PAYLOAD)?;
        let payload = reader.take(payload_len)?.to_vec();
        let count = at_most(reader.u8()?, MAX_REPORTS)?;
        let reports = (0..count)
            .map(|_| ReceptionReport::read(&mut reader))
            .collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(Self {
            sent,
            group_offset,
            p2p: flags & P2P != 0,
            epoch,
            payload,
            reports,
        })
    }
}

impl ReceptionReport {
    fn put(&self, bytes: &mut Vec<u8>) {
        put_u32(bytes, self.number.0);
        put_u32(bytes, self.incarnation.0);
        put_i64(bytes, self.sent);
        put_u32(bytes, self.delay);
        bytes.push(if self.direct { RECEIVED_DIRECT } else { 0 });
        put_u32(bytes, self.control);
        put_u32(bytes, self.bulk);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, FrameError> {
        Ok(Self {
            number: PeerNumber(reader.u32()?),
            incarnation: Incarnation(reader.u32()?),
            sent: reader.i64()?,
            delay: reader.u32()?,
            direct: reader.u8()? & RECEIVED_DIRECT != 0,
            control: reader.u32()?,
            bulk: reader.u32()?,
        })
    }
}

fn put_election(election: &Election, bytes: &mut Vec<u8>) {
    let (term, peer) = (&election.term, election.term.peer.as_str());
    put_u32(bytes, term.epoch);
    bytes.extend(term.sign_key);
    // A `PeerId` has at most 64 bytes.
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

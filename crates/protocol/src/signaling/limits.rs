use serde::{Serialize, de::DeserializeOwned};

use super::{
    ClientMessage, Hello, HostCommand, HostTerm, IceServer, OutcomeCount, Report, RoomSnapshot,
    ServerMessage, Signal, Welcome,
};

/// Largest text message, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 65_536;
/// Largest number of ICE candidates in one signal.
pub const MAX_CANDIDATES: usize = 64;
/// Largest number of host terms in a message; older ones are left out.
pub const MAX_HOST_TERMS: usize = 64;

/// Upper bound of the configurable number of riders in a ride.
pub const MAX_RIDERS: usize = 64;
/// Upper bound of the configurable number of members of other roles in a ride.
pub const MAX_OTHER_MEMBERS: usize = 32;
/// Upper bound of the number of members in a ride.
pub const MAX_MEMBERS: usize = MAX_RIDERS + MAX_OTHER_MEMBERS;
/// Largest number of bans in one ride. That many ban tokens fit into a hello beside everything else.
pub const MAX_BANS: usize = 128;
/// Longest reason for a kick, in bytes: a sentence or two.
pub const MAX_REASON: usize = 240;

/// Largest number of elections in a hello: the hosts that can be lost while the server is
/// unreachable.
pub const MAX_ELECTIONS: usize = 8;

const MAX_SDP: usize = 48 * 1024;
const MAX_CANDIDATE: usize = 2_048;
const MAX_WELCOME_MEMBERS: usize = 1_024;
/// Largest number of ICE servers in a welcome, and of URLs of one of them.
pub const MAX_ICE_SERVERS: usize = 32;
/// Longest URL, username or credential of an ICE server, in bytes.
pub const MAX_ICE_TEXT: usize = 1_024;
const MAX_SENTENCE: usize = 1_024;
/// Longest text of a welcome that names the origins of tunnels, in bytes: a host name has at most 253.
pub const MAX_TUNNEL_ORIGIN: usize = 280;

/// Reason why a text is not a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The text is longer than [`MAX_MESSAGE_BYTES`].
    #[error("the message has {0} bytes, over the {MAX_MESSAGE_BYTES} allowed")]
    TooLarge(usize),
    /// The text is not JSON, or not one of the messages.
    #[error("the message cannot be read: {0}")]
    Malformed(String),
    /// A list or a string in the message is longer than allowed.
    #[error("the message holds too much in its {0}")]
    TooMuch(&'static str),
}

pub(super) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, ParseError> {
    if text.len() > MAX_MESSAGE_BYTES {
        return Err(ParseError::TooLarge(text.len()));
    }
    serde_json::from_str(text).map_err(|error| ParseError::Malformed(error.to_string()))
}

pub(super) fn to_json<T: Serialize>(message: &T) -> String {
    // Serialization to a string fails only for maps with keys that are not strings; these messages
    // have no maps.
    serde_json::to_string(message).expect("messages are plain structs")
}

pub(super) fn check_client(message: &ClientMessage) -> Result<(), ParseError> {
    match message {
        ClientMessage::Signal { signal, .. } => check_signal(signal),
        ClientMessage::Hello(hello) => check_hello(hello),
        ClientMessage::Report(report) => check_report(report),
        ClientMessage::Command(HostCommand::Kick { reason, .. }) => {
            at_most(reason.len(), MAX_REASON, "reason")
        }
        ClientMessage::Ping | ClientMessage::Leave | ClientMessage::Command(_) => Ok(()),
    }
}

pub(super) fn check_server(message: &ServerMessage) -> Result<(), ParseError> {
    match message {
        ServerMessage::Welcome(welcome) => check_welcome(welcome),
        ServerMessage::Signal { signal, .. } => check_signal(signal),
        ServerMessage::Error { message, .. } => at_most(message.len(), MAX_SENTENCE, "sentence"),
        ServerMessage::Kicked { reason } => at_most(reason.len(), MAX_REASON, "reason"),
        ServerMessage::Restored(restored) => check_terms(&restored.hosts),
        _ => Ok(()),
    }
}

fn check_hello(hello: &Hello) -> Result<(), ParseError> {
    hello.snapshot.as_deref().map_or(Ok(()), check_snapshot)
}

fn check_snapshot(snapshot: &RoomSnapshot) -> Result<(), ParseError> {
    check_terms(&snapshot.hosts)?;
    at_most(snapshot.members.len(), MAX_MEMBERS, "members")?;
    at_most(snapshot.bans.len(), MAX_BANS, "ban tokens")?;
    at_most(snapshot.elections.len(), MAX_ELECTIONS, "elections")?;
    let mut elections = snapshot.elections.iter();
    elections.try_for_each(|one| at_most(one.votes.len(), MAX_RIDERS, "votes"))
}

fn check_report(report: &Report) -> Result<(), ParseError> {
    at_most(report.links.len(), MAX_MEMBERS, "links")?;
    at_most(report.outcomes.len(), OutcomeCount::MAX, "outcomes")
}

fn check_terms(terms: &[HostTerm]) -> Result<(), ParseError> {
    at_most(terms.len(), MAX_HOST_TERMS, "host terms")
}

fn check_signal(signal: &Signal) -> Result<(), ParseError> {
    match signal {
        Signal::Offer { sdp, .. } | Signal::Answer { sdp, .. } => {
            at_most(sdp.len(), MAX_SDP, "session description")
        }
        Signal::Candidates { candidates, .. } => {
            at_most(candidates.len(), MAX_CANDIDATES, "candidates")?;
            candidates
                .iter()
                .try_for_each(|one| at_most(one.len(), MAX_CANDIDATE, "candidate"))
        }
    }
}

fn check_welcome(welcome: &Welcome) -> Result<(), ParseError> {
    at_most(welcome.members.len(), MAX_WELCOME_MEMBERS, "members")?;
    check_terms(&welcome.hosts)?;
    at_most(welcome.bans.len(), MAX_BANS, "ban tokens")?;
    at_most(welcome.ice_servers.len(), MAX_ICE_SERVERS, "ICE servers")?;
    let origin = welcome.tunnel_origin.as_ref().map_or(0, String::len);
    at_most(origin, MAX_TUNNEL_ORIGIN, "tunnel origin")?;
    welcome.ice_servers.iter().try_for_each(check_ice_server)
}

fn check_ice_server(server: &IceServer) -> Result<(), ParseError> {
    at_most(server.urls.len(), MAX_ICE_SERVERS, "ICE server's URLs")?;
    let texts = server
        .urls
        .iter()
        .chain(&server.username)
        .chain(&server.credential);
    texts
        .into_iter()
        .try_for_each(|text| at_most(text.len(), MAX_ICE_TEXT, "ICE server"))
}

fn at_most(count: usize, limit: usize, what: &'static str) -> Result<(), ParseError> {
    if count > limit {
        Err(ParseError::TooMuch(what))
    } else {
        Ok(())
    }
}

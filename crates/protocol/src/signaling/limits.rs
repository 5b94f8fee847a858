use serde::{Serialize, de::DeserializeOwned};

use super::{
    ClientMessage, Hello, HostTerm, IceServer, Report, Restore, ServerMessage, Signal, Welcome,
};

/// The largest text message, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 65_536;
/// The most candidates in one signal.
pub const MAX_CANDIDATES: usize = 64;
/// The most host terms in a welcome; older ones are left out.
pub const MAX_HOST_TERMS: usize = 64;

/// The most riders a ride can have, whatever is set.
pub const MAX_RIDERS: usize = 64;
/// The most riders who can be removed from one ride: their notes fit into a
/// hello beside everything else.
pub const MAX_BARRED: usize = 128;
/// The longest reason for removing a rider, in bytes: a sentence or two.
pub const MAX_REASON: usize = 240;

/// The most elections in a hello: so many hosts are lost while the server is.
pub const MAX_ELECTIONS: usize = 8;

const MAX_SDP: usize = 48 * 1024;
const MAX_CANDIDATE: usize = 2_048;
const MAX_MEMBERS: usize = 1_024;
const MAX_ICE_SERVERS: usize = 32;
const MAX_ICE_TEXT: usize = 1_024;
const MAX_SENTENCE: usize = 1_024;

/// Why a text is not a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Over [`MAX_MESSAGE_BYTES`].
    #[error("the message has {0} bytes, over the {MAX_MESSAGE_BYTES} allowed")]
    TooLarge(usize),
    /// Not JSON, or not one of the messages.
    #[error("the message cannot be read: {0}")]
    Malformed(String),
    /// A list or a string inside is longer than allowed.
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
    // Serialising to a string fails only for maps with keys that are no
    // strings, and these messages have no maps.
    serde_json::to_string(message).expect("messages are plain structs")
}

pub(super) fn check_client(message: &ClientMessage) -> Result<(), ParseError> {
    match message {
        ClientMessage::Signal { signal, .. } => check_signal(signal),
        ClientMessage::Hello(hello) => check_hello(hello),
        ClientMessage::Report(report) => check_report(report),
        ClientMessage::Kick { reason, .. } => at_most(reason.len(), MAX_REASON, "reason"),
        ClientMessage::Ping
        | ClientMessage::Leave
        | ClientMessage::Lock
        | ClientMessage::Unlock
        | ClientMessage::HandOver { .. }
        | ClientMessage::End
        | ClientMessage::Reclaim => Ok(()),
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
    hello.restore.as_deref().map_or(Ok(()), check_restore)
}

fn check_restore(restore: &Restore) -> Result<(), ParseError> {
    check_terms(&restore.hosts)?;
    at_most(restore.members.len(), MAX_RIDERS, "members")?;
    at_most(restore.barred.len(), MAX_BARRED, "notes")?;
    at_most(restore.elections.len(), MAX_ELECTIONS, "elections")?;
    let mut elections = restore.elections.iter();
    elections.try_for_each(|one| at_most(one.votes.len(), MAX_RIDERS, "votes"))
}

fn check_report(report: &Report) -> Result<(), ParseError> {
    at_most(report.links.len(), MAX_RIDERS, "links")
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
    at_most(welcome.members.len(), MAX_MEMBERS, "members")?;
    check_terms(&welcome.hosts)?;
    at_most(welcome.barred.len(), MAX_BARRED, "notes")?;
    at_most(welcome.ice_servers.len(), MAX_ICE_SERVERS, "ICE servers")?;
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

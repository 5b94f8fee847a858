//! ICE candidates and session descriptions of the other side, which may mean harm.

use serde::Deserialize;
use str0m::{Candidate, net::Protocol};

use super::is_usable;

/// Largest session description in bytes, as in the signaling messages.
const MAX_SDP: usize = 48 * 1024;
/// Largest candidate in bytes.
const MAX_CANDIDATE: usize = 2_048;
/// Lines of a session description that are read.
const MAX_LINES: usize = 1_024;

/// `RTCIceCandidateInit` (WebRTC, section 4.8.1.1).
#[derive(Deserialize)]
struct CandidateInit {
    candidate: String,
}

/// Session description without its candidates, and the candidates that can be used.
#[derive(Debug)]
pub(super) struct Description {
    pub(super) sdp: String,
    pub(super) candidates: Vec<Candidate>,
}

/// Reads a session description. `None` if it is too large, or describes anything but one section of
/// data channels: media have connections of their own.
pub(super) fn description(sdp: &str) -> Option<Description> {
    if sdp.len() > MAX_SDP || sdp.lines().count() > MAX_LINES {
        return None;
    }
    let mut sections = sdp.lines().filter(|line| line.starts_with("m="));
    let is_data = |line: &str| line.starts_with("m=application ");
    if !sections.next().is_some_and(is_data) || sections.next().is_some() {
        return None;
    }
    let mut rest = String::with_capacity(sdp.len());
    let mut candidates = Vec::new();
    for line in sdp.lines() {
        match line.strip_prefix("a=") {
            Some(text) if text.starts_with("candidate:") => candidates.extend(usable(text)),
            _ => {
                rest.push_str(line);
                rest.push_str("\r\n");
            }
        }
    }
    Some(Description {
        sdp: rest,
        candidates,
    })
}

/// Reads a candidate that was sent on its own, a JSON-encoded `RTCIceCandidateInit`.
pub(super) fn candidate(json: &str) -> Option<Candidate> {
    if json.len() > MAX_CANDIDATE {
        return None;
    }
    let init: CandidateInit = serde_json::from_str(json).ok()?;
    usable(init.candidate.trim())
}

/// Candidate that a UDP socket can reach. Those with a name instead of an address, such as the
/// `.local` names of browsers (draft-ietf-mmusic-mdns-ice-candidates), are left out: the other side
/// reaches this one first and becomes peer-reflexive.
fn usable(text: &str) -> Option<Candidate> {
    if text.len() > MAX_CANDIDATE || !text.is_ascii() {
        return None;
    }
    let text = text.strip_prefix("a=").unwrap_or(text);
    let parsed = Candidate::from_sdp_string(text).ok()?;
    let is_udp = parsed.proto() == Protocol::Udp;
    (is_udp && is_usable(&parsed.addr())).then_some(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "candidate:1 1 udp 2122260223 192.0.2.7 50028 typ host generation 0";

    fn sdp(sections: &str) -> String {
        format!("v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n{sections}")
    }

    #[test]
    fn candidates_with_addresses_are_read() {
        let json = format!(r#"{{"candidate":"{HOST}","sdpMid":"0","sdpMLineIndex":0}}"#);
        let read = candidate(&json).unwrap();
        assert_eq!(read.addr().to_string(), "192.0.2.7:50028");
    }

    #[test]
    fn other_candidates_are_ignored() {
        for text in [
            "",
            "candidate:1 1 udp 2122260223 0c3d1e2f-6b1a.local 50028 typ host",
            "candidate:1 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active",
            "candidate:1 1 udp 2122260223 0.0.0.0 50028 typ host",
            "candidate:1 1 udp 2122260223 224.0.0.1 50028 typ host",
            "candidate:1 1 udp 2122260223 192.0.2.7 0 typ host",
            "candidate:1 1 udp 2122260223 192.0.2.7 99999 typ host",
            "candidate:\u{1f6b4}",
        ] {
            let json = serde_json::json!({ "candidate": text }).to_string();
            assert!(candidate(&json).is_none(), "{text}");
        }
        assert!(candidate("not json").is_none());
        assert!(candidate(&"x".repeat(MAX_CANDIDATE + 1)).is_none());
    }

    #[test]
    fn candidates_are_taken_out_of_a_description() {
        let name = "candidate:1 1 udp 2122260223 0c3d1e2f.local 50028 typ host";
        let text = sdp(&format!(
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na={HOST}\r\na={name}\r\na=mid:0\r\n"
        ));
        let read = description(&text).unwrap();
        assert_eq!(read.candidates.len(), 1);
        assert!(!read.sdp.contains("candidate"));
        assert!(read.sdp.ends_with("a=mid:0\r\n"));
    }

    #[test]
    fn descriptions_of_anything_else_are_refused() {
        let data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";
        let video = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n";
        for text in [
            sdp(""),
            sdp(video),
            sdp(&format!("{data}{video}")),
            sdp(&format!("{data}{data}")),
            sdp(&format!("{data}{}", "a=x\r\n".repeat(MAX_LINES))),
            sdp(&format!("{data}a={}\r\n", "x".repeat(MAX_SDP))),
        ] {
            assert!(description(&text).is_none());
        }
    }
}

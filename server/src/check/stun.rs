//! Messages of STUN and TURN: only as much as the check needs (RFC 8489 and RFC 8656).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hmac::{Hmac, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;

/// Length of the header of a message, in bytes (RFC 8489, section 5).
pub(super) const HEADER: usize = 20;
const MAGIC_COOKIE: u32 = 0x2112_a442;
/// Length of the MESSAGE-INTEGRITY attribute with its header, in bytes.
const INTEGRITY: usize = 24;
/// UDP in REQUESTED-TRANSPORT (RFC 8656, section 18.7).
const UDP: u8 = 17;

/// Attributes (RFC 8489, section 18.3; RFC 8656, section 18).
mod attribute {
    pub const MAPPED_ADDRESS: u16 = 0x0001;
    pub const USERNAME: u16 = 0x0006;
    pub const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub const ERROR_CODE: u16 = 0x0009;
    pub const LIFETIME: u16 = 0x000d;
    pub const REALM: u16 = 0x0014;
    pub const NONCE: u16 = 0x0015;
    pub const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    pub const REQUESTED_TRANSPORT: u16 = 0x0019;
    pub const XOR_MAPPED_ADDRESS: u16 = 0x0020;
}

/// Random identifier of a request, which its response repeats.
pub(super) type TransactionId = [u8; 12];

/// Kind of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// Asks for the own address as the server sees it.
    Binding = 0x0001,
    /// Asks for an address on the server.
    Allocate = 0x0003,
    /// Releases the address, with a lifetime of 0.
    Refresh = 0x0004,
}

/// Credentials of a request (RFC 8489, section 9.2).
#[derive(Debug, Clone, Copy)]
pub(super) struct Credentials<'a> {
    pub username: &'a str,
    pub password: &'a str,
    pub challenge: &'a Challenge,
}

/// Values of the server that a request with credentials repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    pub realm: Vec<u8>,
    pub nonce: Vec<u8>,
}

/// Encodes a request.
pub(super) fn request(
    method: Method,
    id: TransactionId,
    credentials: Option<Credentials<'_>>,
) -> Vec<u8> {
    let mut message = Vec::with_capacity(256);
    message.extend((method as u16).to_be_bytes());
    message.extend([0, 0]);
    message.extend(MAGIC_COOKIE.to_be_bytes());
    message.extend(id);
    match method {
        Method::Binding => {}
        Method::Allocate => push(
            &mut message,
            attribute::REQUESTED_TRANSPORT,
            &[UDP, 0, 0, 0],
        ),
        Method::Refresh => push(&mut message, attribute::LIFETIME, &[0; 4]),
    }
    if let Some(credentials) = credentials {
        let Challenge { realm, nonce } = credentials.challenge;
        push(
            &mut message,
            attribute::USERNAME,
            credentials.username.as_bytes(),
        );
        push(&mut message, attribute::NONCE, nonce);
        push(&mut message, attribute::REALM, realm);
        push_integrity(&mut message, &credentials);
    }
    set_length(&mut message, 0);
    message
}

/// Appends an attribute, padded to four bytes (RFC 8489, section 14).
fn push(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend(kind.to_be_bytes());
    // Values are at most some hundred bytes.
    message.extend((value.len() as u16).to_be_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
}

/// Appends MESSAGE-INTEGRITY, which covers the message before it, with a length that includes it
/// (RFC 8489, section 14.5). The key is that of long-term credentials (section 9.2.2), without a
/// preparation of the password: those of TURN are ASCII.
fn push_integrity(message: &mut Vec<u8>, credentials: &Credentials<'_>) {
    let mut key = Md5::new();
    key.update(credentials.username);
    key.update(":");
    key.update(&credentials.challenge.realm);
    key.update(":");
    key.update(credentials.password);
    set_length(message, INTEGRITY);
    let mut mac = Hmac::<Sha1>::new_from_slice(&key.finalize())
        .expect("HMAC takes keys of any length (RFC 2104)");
    mac.update(message);
    push(
        message,
        attribute::MESSAGE_INTEGRITY,
        &mac.finalize().into_bytes(),
    );
}

fn set_length(message: &mut [u8], further: usize) {
    let length = (message.len() - HEADER + further) as u16;
    message[2..4].copy_from_slice(&length.to_be_bytes());
}

/// Length of a message, from its header.
pub(super) fn length(header: &[u8; HEADER]) -> usize {
    HEADER + usize::from(u16::from_be_bytes([header[2], header[3]]))
}

/// Response to a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Response {
    /// The request succeeded.
    Success {
        /// Own address as the server sees it.
        mapped: Option<SocketAddr>,
        /// Allocated address.
        relayed: Option<SocketAddr>,
    },
    /// The request was refused.
    Error {
        /// Error code (RFC 8489, section 14.8).
        code: u16,
        /// Text of the server.
        reason: String,
        /// Values for a request with credentials.
        challenge: Option<Challenge>,
    },
}

/// Decodes the response to a request. `None` for anything else, which is to be ignored.
pub(super) fn response(message: &[u8], method: Method, id: TransactionId) -> Option<Response> {
    let (header, mut rest) = message.split_first_chunk::<HEADER>()?;
    let kind = u16::from_be_bytes([header[0], header[1]]);
    let is_response = header[4..8] == MAGIC_COOKIE.to_be_bytes() && header[8..] == id;
    if !is_response || length(header) != message.len() {
        return None;
    }
    let (mut mapped, mut relayed, mut error) = (None, None, None);
    let (mut realm, mut nonce) = (None, None);
    while let Some((head, tail)) = rest.split_first_chunk::<4>() {
        let [kind_high, kind_low, high, low] = *head;
        let size = usize::from(u16::from_be_bytes([high, low]));
        let value = tail.get(..size)?;
        rest = tail.get(size.next_multiple_of(4)..).unwrap_or_default();
        match u16::from_be_bytes([kind_high, kind_low]) {
            attribute::XOR_MAPPED_ADDRESS => mapped = address(value, Some(header)),
            attribute::MAPPED_ADDRESS => mapped = mapped.or(address(value, None)),
            attribute::XOR_RELAYED_ADDRESS => relayed = address(value, Some(header)),
            attribute::ERROR_CODE => error = error_code(value),
            attribute::REALM => realm = Some(value.to_vec()),
            attribute::NONCE => nonce = Some(value.to_vec()),
            _ => {}
        }
    }
    // The class is in bits 4 and 8 of the type (RFC 8489, section 5).
    match kind ^ method as u16 {
        0x0100 => Some(Response::Success { mapped, relayed }),
        0x0110 => {
            let (code, reason) = error?;
            let challenge = realm.zip(nonce);
            Some(Response::Error {
                code,
                reason,
                challenge: challenge.map(|(realm, nonce)| Challenge { realm, nonce }),
            })
        }
        _ => None,
    }
}

/// Address in an attribute (RFC 8489, sections 14.1 and 14.2). With a header, it is combined with
/// the cookie and the transaction id.
fn address(value: &[u8], header: Option<&[u8; HEADER]>) -> Option<SocketAddr> {
    let mask = header.map_or([0; 16], |header| {
        let mut mask = [0; 16];
        mask.copy_from_slice(&header[4..]);
        mask
    });
    let (&[_, family, high, low], bytes) = value.split_first_chunk()?;
    let port = u16::from_be_bytes([high ^ mask[0], low ^ mask[1]]);
    let plain: Vec<u8> = bytes
        .iter()
        .zip(mask)
        .map(|(byte, mask)| byte ^ mask)
        .collect();
    let ip: IpAddr = match family {
        1 => Ipv4Addr::from(<[u8; 4]>::try_from(plain).ok()?).into(),
        2 => Ipv6Addr::from(<[u8; 16]>::try_from(plain).ok()?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

fn error_code(value: &[u8]) -> Option<(u16, String)> {
    let (&[_, _, class, number], reason) = value.split_first_chunk()?;
    let code = u16::from(class & 7) * 100 + u16::from(number);
    let reason = String::from_utf8_lossy(reason);
    let printable = reason.chars().filter(|c| !c.is_control()).take(100);
    Some((code, printable.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        let digits: Vec<u8> = hexadecimal
            .chars()
            .filter_map(|digit| Some(digit.to_digit(16)? as u8))
            .collect();
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()
    }

    const ID: TransactionId = [
        0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72, 0xc0, 0x29, 0xda, 0x41, 0x2e,
    ];
    const RESPONSE_ID: TransactionId = [
        0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae,
    ];

    /// RFC 5769, section 2.4.
    #[test]
    fn a_request_with_credentials_is_the_one_of_the_test_vectors() {
        let challenge = Challenge {
            realm: b"example.org".to_vec(),
            nonce: b"f//499k954d6OL34oL9FSTvy64sA".to_vec(),
        };
        let credentials = Credentials {
            username: "\u{30de}\u{30c8}\u{30ea}\u{30c3}\u{30af}\u{30b9}",
            password: "TheMatrIX",
            challenge: &challenge,
        };
        let expected = "00010060 2112a442 78ad3433 c6ad72c0 29da412e \
            00060012 e3839ee3 8388e383 aae38383 e382afe3 82b90000 \
            0015001c 662f2f34 39396b39 35346436 4f4c3334 6f4c3946 53547679 36347341 \
            0014000b 6578616d 706c652e 6f726700 \
            00080014 f6702465 6dd64a3e 02b8e071 2e85c9a2 8ca89666";
        assert_eq!(
            request(Method::Binding, ID, Some(credentials)),
            bytes(expected)
        );
    }

    /// RFC 5769, sections 2.2 and 2.3, without the attributes that are not read.
    #[test]
    fn the_address_of_a_response_is_read() {
        for (response_bytes, expected) in [
            (
                "0101000c 2112a442 b7e7a701 bc34d686 fa87dfae 00200008 0001a147 e112a643",
                "192.0.2.1:32853",
            ),
            (
                "01010018 2112a442 b7e7a701 bc34d686 fa87dfae \
                 00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9",
                "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
            ),
            (
                "0101000c 2112a442 b7e7a701 bc34d686 fa87dfae 00010008 00010d96 c0000201",
                "192.0.2.1:3478",
            ),
        ] {
            let success = Response::Success {
                mapped: Some(expected.parse().expect("an address")),
                relayed: None,
            };
            let found = response(&bytes(response_bytes), Method::Binding, RESPONSE_ID);
            assert_eq!(found, Some(success));
        }
    }

    #[test]
    fn a_refusal_has_a_code_a_reason_and_a_challenge() {
        let refusal = "01130024 2112a442 b7e7a701 bc34d686 fa87dfae \
            00090008 00000401 6e6f2100 00140004 61626364 0015000a 31323334 35363738 39300000";
        let mut refusal = bytes(refusal);
        let expected = Response::Error {
            code: 401,
            reason: "no!".into(),
            challenge: Some(Challenge {
                realm: b"abcd".to_vec(),
                nonce: b"1234567890".to_vec(),
            }),
        };
        assert_eq!(
            response(&refusal, Method::Allocate, RESPONSE_ID),
            Some(expected)
        );
        // Responses to other requests are ignored, and so is everything that is cut off.
        assert_eq!(response(&refusal, Method::Binding, RESPONSE_ID), None);
        assert_eq!(response(&refusal, Method::Allocate, ID), None);
        while refusal.pop().is_some() {
            assert_eq!(response(&refusal, Method::Allocate, RESPONSE_ID), None);
        }
    }
}

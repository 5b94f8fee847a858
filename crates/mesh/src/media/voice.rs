//! Parameters of voice in session descriptions.
//!
//! What a remote description asks for is what the own browser sends (RFC 7587, section 6.1; RFC 8866,
//! section 6.4).

/// Length of sound in one packet, in milliseconds. Browsers send 20 otherwise: each packet costs more
/// than its sound, on every link, and the numbers wait behind them.
const PACKET_MS: u8 = 60;

/// Description that asks for few packets of voice, and for hardly any while nobody speaks (`usedtx`).
/// One without Opus stays as it is.
pub(super) fn with_few_packets(sdp: &str) -> String {
    if !sdp.lines().any(|line| payload_type(line).is_some()) {
        return sdp.to_owned();
    }
    let mut result = String::with_capacity(sdp.len() + 64);
    let mut opus = None;
    let mut is_audio = false;
    for line in sdp.lines() {
        if line.starts_with("m=") {
            end_section(&mut result, opus.take());
            is_audio = line.starts_with("m=audio ");
        }
        if is_audio {
            if let Some(found) = payload_type(line) {
                opus = Some(Opus {
                    payload_type: found,
                    has_parameters: false,
                });
            }
            if line.starts_with("a=ptime:") {
                continue;
            }
        }
        result.push_str(line);
        if let Some(opus) = &mut opus
            && let Some(parameters) = line.strip_prefix("a=fmtp:")
            && parameters.split(' ').next() == Some(opus.payload_type)
        {
            opus.has_parameters = true;
            if !parameters.contains("usedtx=") {
                result.push_str(";usedtx=1");
            }
        }
        result.push_str("\r\n");
    }
    end_section(&mut result, opus);
    result
}

/// Codec of the section that is being read.
struct Opus<'a> {
    payload_type: &'a str,
    has_parameters: bool,
}

/// Payload type of a line that maps one to Opus.
fn payload_type(line: &str) -> Option<&str> {
    let (number, codec) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
    codec.starts_with("opus/").then_some(number)
}

fn end_section(result: &mut String, opus: Option<Opus<'_>>) {
    let Some(opus) = opus else { return };
    if !opus.has_parameters {
        *result += &format!("a=fmtp:{} usedtx=1\r\n", opus.payload_type);
    }
    *result += &format!("a=ptime:{PACKET_MS}\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voice_is_sent_in_few_packets_and_other_sections_stay_as_they_are() {
        let sdp = "v=0\r\na=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\n\
            a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n\
            a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=ptime:20\r\n\
            m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n";
        let expected = "v=0\r\na=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\n\
            a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\r\n\
            a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=ptime:60\r\n\
            m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n";
        assert_eq!(with_few_packets(sdp), expected);
        assert_eq!(with_few_packets(expected), expected);
    }

    #[test]
    fn parameters_are_added_where_there_are_none() {
        let sdp = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 109\r\na=rtpmap:109 opus/48000/2\r\n";
        let expected = format!("{sdp}a=fmtp:109 usedtx=1\r\na=ptime:60\r\n");
        assert_eq!(with_few_packets(sdp), expected);
    }

    #[test]
    fn other_texts_stay_as_they_are() {
        for sdp in [
            "",
            "v=0\r\n",
            "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n",
            "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=rtpmap:0 PCMU/8000\r\n",
        ] {
            assert_eq!(with_few_packets(sdp), sdp);
        }
    }
}

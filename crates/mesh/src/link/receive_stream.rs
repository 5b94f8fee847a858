use litemap::LiteMap;

use super::send_stream::MAX_MESSAGE;

/// Number of segments after the last one in order that are kept.
const MAX_AHEAD: u32 = 64;

/// Receiving half of a reliable stream: puts segments in order and messages together.
///
/// It holds at most [`MAX_AHEAD`] segments and one message of at most [`MAX_MESSAGE`] bytes.
#[derive(Debug, Default)]
pub(super) struct ReceiveStream {
    cumulative: u32,
    /// Segments after a gap: whether the message continues, and the payload.
    waiting: LiteMap<u32, (bool, Vec<u8>)>,
    message: Vec<u8>,
    is_too_large: bool,
}

impl ReceiveStream {
    /// Sequence number up to which all segments have arrived.
    pub(super) fn cumulative(&self) -> u32 {
        self.cumulative
    }

    /// Takes in a segment and returns the messages that it completes.
    pub(super) fn accept(&mut self, seq: u32, more: bool, payload: Vec<u8>) -> Vec<Vec<u8>> {
        let ahead = seq.saturating_sub(self.cumulative);
        if (1..=MAX_AHEAD).contains(&ahead) {
            self.waiting.entry(seq).or_insert((more, payload));
        }
        let mut messages = Vec::new();
        while let Some((more, piece)) = self.waiting.remove(&(self.cumulative.wrapping_add(1))) {
            self.cumulative = self.cumulative.wrapping_add(1);
            messages.extend(self.append(more, &piece));
        }
        messages
    }

    fn append(&mut self, more: bool, piece: &[u8]) -> Option<Vec<u8>> {
        self.is_too_large |= self.message.len() + piece.len() > MAX_MESSAGE;
        if self.is_too_large {
            self.message.clear();
        } else {
            self.message.extend(piece);
        }
        if more {
            return None;
        }
        let message = std::mem::take(&mut self.message);
        let is_too_large = std::mem::take(&mut self.is_too_large);
        (!is_too_large).then_some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::send_stream::MAX_SEGMENT;

    #[test]
    fn a_lying_sender_fills_no_memory() {
        let mut stream = ReceiveStream::default();
        for seq in [0, 500, u32::MAX] {
            assert!(stream.accept(seq, true, vec![0; 1_000]).is_empty());
        }
        assert!(stream.waiting.is_empty());
        for seq in 1..=300 {
            assert!(stream.accept(seq, true, vec![0; MAX_SEGMENT]).is_empty());
            assert!(stream.message.len() <= MAX_MESSAGE);
        }
        let message = stream.accept(301, false, vec![1]);
        assert!(
            message.is_empty(),
            "the message that is too large is left out"
        );
        assert_eq!(stream.accept(302, false, vec![2]), [vec![2]]);
    }
}

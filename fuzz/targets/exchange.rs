//! Fuzz target for the messages of chat, file transfers, media and shared pages, for stored chats, and
//! for names of files and pages.
//!
//! Checked for any input: nothing panics. An accepted message decodes to the same value again after it
//! is encoded, and a cleaned name stays as it is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ride::{
    chat::{ChatMessage, SignedEntry, stored::StoredChat},
    media::MediaMessage,
    page::{PageMessage, PageName},
    transfer::{TransferMessage, TransferRecord, clean_file_name},
};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(message) = ChatMessage::decode(bytes) {
        assert_eq!(ChatMessage::decode(&message.encode()), Ok(message));
    }
    let entry = SignedEntry {
        bytes: bytes.to_vec(),
        signature: [0; 64],
    };
    let _ = entry.read();
    if let Some(chat) = StoredChat::decode(bytes) {
        let stored = chat.encode();
        let again = StoredChat::decode(&stored).expect("an encoded chat");
        assert_eq!(again.encode(), stored);
    }
    if let Ok(message) = TransferMessage::decode(bytes) {
        assert_eq!(TransferMessage::decode(&message.encode()), Ok(message));
    }
    if let Ok(message) = MediaMessage::decode(bytes) {
        assert_eq!(MediaMessage::decode(&message.encode()), Ok(message));
    }
    if let Ok(message) = PageMessage::decode(bytes) {
        assert_eq!(PageMessage::decode(&message.encode()), Ok(message));
    }
    if let Some(record) = TransferRecord::decode(bytes) {
        let stored = record.encode();
        let again = TransferRecord::decode(&stored).expect("an encoded record");
        assert_eq!(again.encode(), stored);
    }
    if let Ok(name) = core::str::from_utf8(bytes) {
        let clean = clean_file_name(name);
        assert_eq!(clean_file_name(&clean), clean);
        if let Some(page) = PageName::cleaned(name) {
            assert_eq!(page.as_str().parse(), Ok(page.clone()));
        }
    }
});

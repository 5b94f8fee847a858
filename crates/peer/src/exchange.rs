//! Chat, file transfers and shared pages of a peer: messages arrive and are acknowledged, nothing is
//! stored.

use session::{
    Session,
    chat::{ChatInput, ChatOutput, ChatView},
    exchange::{ExchangeInput, ExchangeOutput},
    pages::{PageOutput, SharedPage},
    transfers::{TransferInput, TransferOutput, TransferView},
};

use crate::clocks::Clocks;

/// Chat, file transfers and shared pages as a screen would show them.
#[derive(Debug, Default)]
pub struct ExchangeView {
    /// The chat, once it has been shown.
    pub chat: ChatView,
    /// File transfers.
    pub transfers: Vec<TransferView>,
    /// Pages that companions share.
    pub pages: Vec<SharedPage>,
}

/// Carries out the outputs of chat, transfers and shared pages.
pub(crate) fn carry_out(session: &mut dyn Session, clocks: Clocks, view: &mut ExchangeView) {
    loop {
        let output = session
            .exchange()
            .and_then(|exchange| exchange.poll_output());
        let Some(output) = output else { break };
        let answer = match output {
            ExchangeOutput::Chat(ChatOutput::Load(_)) => {
                ExchangeInput::Chat(ChatInput::Loaded(Vec::new()))
            }
            ExchangeOutput::Chat(ChatOutput::Show(shown)) => {
                view.chat = *shown;
                continue;
            }
            ExchangeOutput::Transfers(TransferOutput::Load(_)) => {
                ExchangeInput::Transfers(TransferInput::Loaded(Vec::new()))
            }
            ExchangeOutput::Transfers(TransferOutput::Show(shown)) => {
                view.transfers = shown;
                continue;
            }
            ExchangeOutput::Pages(PageOutput::Show(shown)) => {
                view.pages = shown;
                continue;
            }
            // Nothing is kept: a transfer fails as in a browser without a place for files.
            ExchangeOutput::Transfers(
                TransferOutput::Store { transfer, .. } | TransferOutput::Write { transfer, .. },
            ) => {
                let kept = None;
                ExchangeInput::Transfers(TransferInput::Written { transfer, kept })
            }
            _ => continue,
        };
        call(session, clocks, answer);
    }
}

/// Passes an input to chat and transfers.
pub(crate) fn call(session: &mut dyn Session, clocks: Clocks, input: ExchangeInput) {
    session.call_exchange(
        clocks.now(),
        Box::new(|exchange, now| exchange.handle(now, input)),
    );
}

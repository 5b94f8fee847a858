//! Chat and file transfers of a peer: messages arrive and are acknowledged, nothing is stored.

use session::{
    Session,
    chat::{ChatInput, ChatOutput, ChatView},
    exchange::{ExchangeInput, ExchangeOutput},
    transfers::{TransferInput, TransferOutput, TransferView},
};

use crate::clocks::Clocks;

/// Chat and file transfers as a screen would show them.
#[derive(Debug, Default)]
pub struct ExchangeView {
    /// The chat, once it has been shown.
    pub chat: ChatView,
    /// File transfers.
    pub transfers: Vec<TransferView>,
}

/// Carries out the outputs of chat and transfers.
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

//! Chat and file transfers of a peer: messages arrive and are acknowledged, nothing is stored.

use session::{
    Session,
    chat::{ChatInput, ChatOutput},
    exchange::{ExchangeInput, ExchangeOutput},
    transfers::{TransferInput, TransferOutput, TransferView},
};

use crate::clocks::Clocks;

/// Carries out the outputs of chat and transfers. `transfers` are those that a screen would show.
pub(crate) fn carry_out(
    session: &mut dyn Session,
    clocks: Clocks,
    transfers: &mut Vec<TransferView>,
) {
    loop {
        let output = session
            .exchange()
            .and_then(|exchange| exchange.poll_output());
        let Some(output) = output else { break };
        let answer = match output {
            ExchangeOutput::Chat(ChatOutput::Load(_)) => {
                ExchangeInput::Chat(ChatInput::Loaded(Vec::new()))
            }
            ExchangeOutput::Transfers(TransferOutput::Load(_)) => {
                ExchangeInput::Transfers(TransferInput::Loaded(Vec::new()))
            }
            ExchangeOutput::Transfers(TransferOutput::Show(shown)) => {
                *transfers = shown;
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

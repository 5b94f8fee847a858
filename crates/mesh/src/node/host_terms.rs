use protocol::{
    peer::PeerId,
    signaling::{HostTerm, MAX_HOST_TERMS},
};

/// The host terms of the ride, oldest first, and the first host.
///
/// The last term names the host. At most the newest [`MAX_HOST_TERMS`] are kept.
#[derive(Clone, Debug, Default)]
pub(super) struct HostTerms {
    terms: Vec<HostTerm>,
    first_host: Option<PeerId>,
}

impl HostTerms {
    pub(super) fn all(&self) -> &[HostTerm] {
        &self.terms
    }

    pub(super) fn newest(&self) -> Option<&HostTerm> {
        self.terms.last()
    }

    pub(super) fn host(&self) -> Option<&PeerId> {
        self.newest().map(|term| &term.peer)
    }

    /// Newest epoch; 0 before the first term is known.
    pub(super) fn epoch(&self) -> u32 {
        self.newest().map_or(0, |term| term.epoch)
    }

    /// Rider who may reclaim the host role.
    pub(super) fn first_host(&self) -> Option<&PeerId> {
        self.first_host.as_ref()
    }

    /// Whether `rider` is not host and may reclaim the role.
    pub(super) fn may_reclaim(&self, rider: &PeerId) -> bool {
        let is_host = |host: &PeerId| host == rider;
        self.first_host() == Some(rider) && self.host().is_some_and(|host| !is_host(host))
    }

    /// Adds a term that was announced by the server. Returns false for one that is not newer.
    pub(super) fn begin(&mut self, term: HostTerm, first_host: PeerId) -> bool {
        let is_newer = term.epoch > self.epoch();
        if is_newer {
            self.push(term);
            self.first_host = Some(first_host);
        }
        is_newer
    }

    /// Adds a term that the riders elected.
    pub(super) fn elected(&mut self, term: HostTerm) {
        self.push(term);
    }

    /// Replaces everything by what the server knows.
    pub(super) fn replace(&mut self, terms: Vec<HostTerm>, first_host: Option<PeerId>) {
        (self.terms, self.first_host) = (terms, first_host);
    }

    fn push(&mut self, term: HostTerm) {
        self.terms.push(term);
        if self.terms.len() > MAX_HOST_TERMS {
            self.terms.remove(0);
        }
    }
}

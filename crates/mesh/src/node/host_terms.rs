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

    /// Returns true if `rider` is not host and may reclaim the role.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn term(epoch: u32) -> HostTerm {
        HostTerm {
            epoch,
            peer: format!("peer-{epoch}").parse().unwrap(),
            sign_key: [0; 32],
        }
    }

    #[test]
    fn epochs_never_go_back() {
        let mut terms = HostTerms::default();
        let first: PeerId = "peer-2".parse().unwrap();
        assert!(terms.begin(term(2), first.clone()));
        assert!(!terms.begin(term(2), first.clone()));
        assert!(!terms.begin(term(1), first));
        assert_eq!((terms.epoch(), terms.all().len()), (2, 1));
    }

    #[test]
    fn the_newest_sixty_four_terms_are_kept() {
        let mut terms = HostTerms::default();
        (1..=100).for_each(|epoch| terms.elected(term(epoch)));
        let epochs: Vec<_> = terms.all().iter().map(|term| term.epoch).collect();
        assert_eq!(epochs, (37..=100).collect::<Vec<_>>());
    }

    #[test]
    fn the_first_host_may_reclaim_the_role_from_another_host_only() {
        let mut terms = HostTerms::default();
        let first: PeerId = "peer-1".parse().unwrap();
        assert!(!terms.may_reclaim(&first));
        terms.begin(term(1), first.clone());
        assert!(!terms.may_reclaim(&first), "it is host");
        terms.begin(term(2), first.clone());
        assert!(terms.may_reclaim(&first));
        assert!(!terms.may_reclaim(&"peer-2".parse().unwrap()));
    }
}

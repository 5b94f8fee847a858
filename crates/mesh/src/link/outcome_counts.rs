use protocol::signaling::{AttemptOutcome, CandidateType, OutcomeCount};

/// Columns of the table: no known type of candidate, then the types in their order.
const COLUMNS: usize = CandidateType::ALL.len() + 1;

/// Numbers of attempts by their outcome and type of candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutcomeCounts([[u32; COLUMNS]; AttemptOutcome::ALL.len()]);

impl OutcomeCounts {
    /// Number of attempts with an outcome and a type of candidate.
    pub fn count(&self, outcome: AttemptOutcome, candidate: Option<CandidateType>) -> u32 {
        self.0[outcome as usize][column(candidate)]
    }

    /// Number of attempts with an outcome.
    pub fn with_outcome(&self, outcome: AttemptOutcome) -> u32 {
        self.0[outcome as usize].iter().sum()
    }

    /// Number of attempts with a type of candidate that succeeded, and of those that failed.
    pub fn with_candidate(&self, candidate: Option<CandidateType>) -> (u32, u32) {
        let [direct, failed @ ..] = self.0.map(|row| row[column(candidate)]);
        (direct, failed.iter().sum())
    }

    pub(crate) fn add(&mut self, outcome: AttemptOutcome, candidate: Option<CandidateType>) {
        let count = &mut self.0[outcome as usize][column(candidate)];
        *count = count.saturating_add(1);
    }

    /// Increases since an earlier state.
    pub(crate) fn since(&self, before: &Self) -> Vec<OutcomeCount> {
        let candidates = [None].into_iter().chain(CandidateType::ALL.map(Some));
        let kinds = candidates.flat_map(|candidate| {
            AttemptOutcome::ALL.map(|outcome| OutcomeCount {
                outcome,
                candidate,
                count: self.count(outcome, candidate) - before.count(outcome, candidate),
            })
        });
        kinds.filter(|kind| kind.count > 0).collect()
    }
}

fn column(candidate: Option<CandidateType>) -> usize {
    candidate.map_or(0, |candidate| candidate as usize + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn increases_are_listed_by_outcome_and_type_of_candidate() {
        let (relay, host) = (Some(CandidateType::Relay), Some(CandidateType::Host));
        let mut counts = OutcomeCounts::default();
        counts.add(AttemptOutcome::Direct, relay);
        let before = counts;
        assert_eq!(counts.since(&before), []);
        counts.add(AttemptOutcome::Direct, relay);
        counts.add(AttemptOutcome::TimedOut, host);
        counts.add(AttemptOutcome::NoCandidates, None);
        let increases = counts.since(&before);
        assert_eq!(increases.len(), 3);
        assert!(increases.iter().all(|increase| increase.count == 1));
        assert_eq!(counts.with_candidate(relay), (2, 0));
        assert_eq!(counts.with_candidate(host), (0, 1));
        assert_eq!(counts.with_outcome(AttemptOutcome::Direct), 2);
    }
}

//! Chance from a seed: the same on every machine, because only whole numbers are drawn and compared.

/// A sequence of draws that its seed decides.
#[derive(Debug, Clone)]
pub(super) struct Chance(fastrand::Rng);

impl Chance {
    /// The sequence of `parts`; another order of the same parts is another sequence.
    pub(super) fn new(parts: &[u64]) -> Self {
        let mixed = parts.iter().fold(0x9E37_79B9_7F4A_7C15_u64, |mixed, part| {
            (mixed ^ part)
                .wrapping_mul(0xBF58_476D_1CE4_E5B9)
                .rotate_left(29)
        });
        Self(fastrand::Rng::with_seed(mixed))
    }

    /// True in `percent` of a hundred draws.
    pub(super) fn percent(&mut self, percent: u32) -> bool {
        self.0.u32(0..100) < percent
    }

    /// True in `per_mille` of a thousand draws.
    pub(super) fn per_mille(&mut self, per_mille: u32) -> bool {
        self.0.u32(0..1000) < per_mille
    }

    /// A whole number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i32, high: i32) -> i32 {
        self.0.i32(low..=high)
    }

    /// A number that is near the middle more often than near the ends, both included.
    pub(super) fn around(&mut self, low: i32, high: i32) -> i32 {
        i32::midpoint(self.between(low, high), self.between(low, high))
    }

    /// One of `choices`, which holds at least one.
    pub(super) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.0.usize(0..choices.len())]
    }

    /// A position in something of `length` ≥ 1.
    pub(super) fn position(&mut self, length: usize) -> usize {
        self.0.usize(0..length)
    }

    /// One of `choices`, each as often as its weight says; the weights sum to more than 0.
    pub(super) fn weighted<T: Copy>(&mut self, choices: &[(T, u32)]) -> T {
        let total = choices.iter().map(|(_, weight)| weight).sum();
        let mut draw = self.0.u32(0..total);
        for &(choice, weight) in choices {
            if draw < weight {
                return choice;
            }
            draw -= weight;
        }
        choices[choices.len() - 1].0
    }

    /// `thousandths` / 1000, rounded up or down so that many draws average to it.
    pub(super) fn rounded(&mut self, thousandths: usize) -> usize {
        thousandths / 1000 + usize::from(self.0.usize(0..1000) < thousandths % 1000)
    }
}

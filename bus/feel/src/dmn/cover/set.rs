//! Sets of a column's parts, and the boxes that they span.

/// Which parts of a column belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Set(Vec<u64>);

impl Set {
    /// The parts from 0 to `count` for which this holds.
    pub(super) fn of(count: usize, mut holds: impl FnMut(usize) -> bool) -> Self {
        let mut words = vec![0; count.div_ceil(64)];
        for part in (0..count).filter(|part| holds(*part)) {
            words[part / 64] |= 1 << (part % 64);
        }
        Self(words)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(super) fn has(&self, part: usize) -> bool {
        self.0[part / 64] >> (part % 64) & 1 == 1
    }

    pub(super) fn within(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a & !b == 0)
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        self.each(other, |a, b| a & b)
    }

    pub(super) fn or(&self, other: &Self) -> Self {
        self.each(other, |a, b| a | b)
    }

    pub(super) fn without(&self, other: &Self) -> Self {
        self.each(other, |a, b| a & !b)
    }

    fn each(&self, other: &Self, word: impl Fn(u64, u64) -> u64) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| word(*a, *b)).collect())
    }

    /// The parts, in order.
    pub(super) fn parts(&self) -> impl Iterator<Item = usize> {
        (0..self.0.len() * 64).filter(|part| self.has(*part))
    }
}

/// A set for each column: the inputs whose every value lies in its column's set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cuboid(pub(super) Vec<Set>);

impl Cuboid {
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().any(Set::is_empty)
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a.meets(b))
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a.and(b)).collect())
    }

    /// Both as one, where they differ in one column only.
    fn joined(&self, other: &Self) -> Option<Self> {
        let mut differing = (0..self.0.len()).filter(|column| self.0[*column] != other.0[*column]);
        let column = differing.next()?;
        if differing.next().is_some() {
            return None;
        }
        let mut both = self.clone();
        both.0[column] = self.0[column].or(&other.0[column]);
        Some(both)
    }
}

/// Cells that an examination may still compare.
#[derive(Debug)]
pub(super) struct Steps {
    pub(super) left: u64,
    pub(super) columns: usize,
}

/// The examination would take more steps than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLarge;

impl Steps {
    /// Takes what the comparison of so many pairs of boxes needs.
    pub(super) fn take(&mut self, pairs: usize) -> Result<(), TooLarge> {
        self.cells(pairs.saturating_mul(self.columns))
    }

    /// Takes the comparison of so many cells.
    pub(super) fn cells(&mut self, count: usize) -> Result<(), TooLarge> {
        self.left = self.left.checked_sub(count as u64).ok_or(TooLarge)?;
        Ok(())
    }
}

/// What of a box no other box covers, as boxes that do not meet; at most so many (one more says that there are more).
///
/// The box is cut along the sides of a box that covers much of it, and each piece that sticks out is looked at against
/// only those boxes that it still meets: no product of columns is ever spelled out.
pub(super) fn uncovered(whole: Cuboid, others: &[&Cuboid], most: usize, steps: &mut Steps) -> Result<Vec<Cuboid>, TooLarge> {
    let mut found: Vec<Cuboid> = Vec::new();
    let mut pending = vec![(whole, others.to_vec())];
    while let Some((mut piece, others)) = pending.pop() {
        steps.take(1 + others.len())?;
        let mut live: Vec<&Cuboid> = others.into_iter().filter(|other| other.meets(&piece)).collect();
        let sides = |other: &Cuboid| other.0.iter().zip(&piece.0).filter(|(other, piece)| !piece.within(other)).count();
        let Some(best) = (0..live.len()).min_by_key(|index| sides(live[*index])) else {
            found.push(piece);
            if found.len() > most {
                break;
            }
            continue;
        };
        let cutter = live.swap_remove(best);
        for column in 0..piece.0.len() {
            let outside = piece.0[column].without(&cutter.0[column]);
            if outside.is_empty() {
                continue;
            }
            let mut part = piece.clone();
            part.0[column] = outside;
            steps.take(1 + live.len())?;
            pending.push((part, live.clone()));
            piece.0[column] = piece.0[column].and(&cutter.0[column]);
        }
    }
    Ok(found)
}

/// The same boxes with those made one that differ in one column only.
pub(super) fn joined(mut boxes: Vec<Cuboid>) -> Vec<Cuboid> {
    let mut index = 0;
    while index < boxes.len() {
        let partner = (index + 1..boxes.len()).find_map(|other| Some((other, boxes[index].joined(&boxes[other])?)));
        if let Some((other, both)) = partner {
            boxes.swap_remove(other);
            boxes[index] = both;
            index = 0;
        } else {
            index += 1;
        }
    }
    boxes
}

//! The name that was probably meant.

/// The nearest of `known` to `word`, if it is near enough to be meant.
#[must_use]
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let bound = (word.chars().count() / 3).clamp(1, 3);
    let folded = word.to_lowercase();
    let distances = known.into_iter().map(|name| (distance(&folded, name, bound), name));
    distances.filter(|(distance, _)| *distance <= bound).min().map(|(_, name)| name)
}

/// Edit distance with swaps of neighbours as one step; a number above `bound` where it is greater than that.
fn distance(a: &str, b: &str, bound: usize) -> usize {
    let (a, b): (Vec<char>, Vec<char>) =
        (a.chars().take(80).collect(), b.chars().take(80).collect());
    if a.len().abs_diff(b.len()) > bound {
        return bound + 1;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut next = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let step = usize::from(a[i - 1] != b[j - 1]);
            next[j] = (row[j - 1] + step).min(row[j] + 1).min(next[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                next[j] = next[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        assert_eq!(
            nearest("prodcut_added", ["product_added", "page_viewed"]),
            Some("product_added")
        );
        assert_eq!(nearest("wihtin", ["within", "where"]), Some("within"));
        assert_eq!(nearest("zebra", ["within", "where"]), None);
    }
}

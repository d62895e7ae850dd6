//! What ids stand for: names as the topic or the folder holds them.

use tzeva_model::NameId;
use tzeva_painter::NameTable;

/// A table of the names under their keys, `<kind>/<16 hex digits>`; what has another key is left out.
pub(crate) fn table(names: impl IntoIterator<Item = (String, String)>) -> NameTable {
    let name = |(key, text): (String, String)| Some((id(&key)?, text.into_boxed_str()));
    names.into_iter().filter_map(name).collect()
}

fn id(key: &str) -> Option<NameId> {
    let (_, hex) = key.split_once('/')?;
    (hex.len() == 16).then(|| u64::from_str_radix(hex, 16).ok().map(NameId::new)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_under_the_id_in_its_key() {
        let id = NameId::new(0x0123_4567_89ab_cdef);
        let named = |key: &str| (key.to_owned(), "Acme".to_owned());
        let names = table([named("brand/0123456789abcdef"), named("brand"), named("brand/12")]);
        assert_eq!(names.get(&id).map(|text| &**text), Some("Acme"));
        assert_eq!(names.len(), 1);
    }
}

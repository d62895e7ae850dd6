//! A JSON text as a flat list of entries that point into it: nothing is copied but strings with escapes, and the list is
//! reused from record to record, so that reading a record allocates nothing in the steady state.
//!
//! Numbers stay text, because money is read from its digits and never by way of a float. A key that occurs twice in an
//! object counts once, the last time, as in every browser.

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    True,
    False,
    /// Its text lies in the input.
    Number,
    /// A string that lies in the input as it is.
    Plain,
    /// A string that had escapes and lies in the side buffer.
    Unescaped,
    /// Followed by its keys and values in turn.
    Object,
    /// Followed by its elements.
    Array,
}

/// A value or a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// The place of the first entry behind this one and all it holds.
    pub(crate) next: u32,
}

/// The entries of one text, see the module.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    pub(crate) entries: Vec<Entry>,
    pub(crate) side: String,
}

/// A value of a scanned text.
#[derive(Clone, Copy)]
pub(crate) struct Node<'d> {
    input: &'d str,
    tape: &'d Tape,
    at: u32,
}

// === impl Tape ===

impl Tape {
    /// The first value of `input`, which was scanned into this tape just now.
    pub(crate) fn root<'d>(&'d self, input: &'d str) -> Node<'d> {
        Node { input, tape: self, at: 0 }
    }
}

// === impl Node ===

impl<'d> Node<'d> {
    fn entry(self) -> Entry {
        self.tape.entries[self.at as usize]
    }

    pub(crate) fn kind(self) -> Kind {
        self.entry().kind
    }

    pub(crate) fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    /// The text of a string or a number, the empty text of anything else.
    pub(crate) fn text(self) -> &'d str {
        let Entry { kind, start, end, .. } = self.entry();
        let range = start as usize..end as usize;
        match kind {
            Kind::Plain | Kind::Number => &self.input[range],
            Kind::Unescaped => &self.tape.side[range],
            _ => "",
        }
    }

    /// The values of an array; nothing of anything else.
    pub(crate) fn elements(self) -> impl Iterator<Item = Node<'d>> {
        self.children(Kind::Array)
    }

    /// The keys and values of an object, repeated keys included; nothing of anything else.
    pub(crate) fn members(self) -> impl Iterator<Item = (&'d str, Node<'d>)> {
        let mut children = self.children(Kind::Object);
        std::iter::from_fn(move || Some((children.next()?.text(), children.next()?)))
    }

    /// The member `key` of an object.
    pub(crate) fn member(self, key: &str) -> Option<Node<'d>> {
        let (mut children, mut found) = (self.children(Kind::Object), None);
        while let (Some(name), Some(value)) = (children.next(), children.next()) {
            let Entry { start, end, .. } = name.entry();
            // Lengths tell most keys apart.
            if (end - start) as usize == key.len() && name.text() == key {
                found = Some(value);
            }
        }
        found
    }

    /// The value at a path of members.
    pub(crate) fn path(self, keys: &[String]) -> Option<Node<'d>> {
        keys.iter().try_fold(self, |node, key| node.member(key))
    }

    fn children(self, kind: Kind) -> impl Iterator<Item = Node<'d>> {
        let own = self.entry();
        let (mut at, end) = if own.kind == kind { (self.at + 1, own.next) } else { (0, 0) };
        std::iter::from_fn(move || {
            (at < end).then(|| {
                let child = Node { at, ..self };
                at = child.entry().next;
                child
            })
        })
    }
}

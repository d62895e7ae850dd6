//! Hash maps with a fixed seed: nothing in an engine may depend on a random one. Their order is never looked at.

use foldhash::fast::FixedState;

pub(crate) type Map<K, V> = std::collections::HashMap<K, V, FixedState>;

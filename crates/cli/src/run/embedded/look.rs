//! Visitors and names for the pages, from the open folder.

use crate::http::Look;
use tzeva_embedded::Folder;
use tzeva_model::VisitorId;
use tzeva_painter::{NameTable, name_table};

impl Look for Folder {
    fn profile(&self, visitor: &VisitorId) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(self.read_profile(visitor)?)
    }

    fn names(&self) -> anyhow::Result<NameTable> {
        Ok(name_table(Self::names(self).collect::<Result<Vec<_>, _>>()?))
    }
}

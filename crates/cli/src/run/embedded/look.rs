//! Visitors and names for the pages, from the open folder.

use crate::http::Look;
use crate::names;
use tzeva_embedded::Folder;
use tzeva_model::VisitorId;
use tzeva_painter::NameTable;

impl Look for Folder {
    fn profile(&self, visitor: &VisitorId) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(self.read_profile(visitor)?)
    }

    fn names(&self) -> anyhow::Result<NameTable> {
        Ok(names::table(Self::names(self).collect::<Result<Vec<_>, _>>()?))
    }
}

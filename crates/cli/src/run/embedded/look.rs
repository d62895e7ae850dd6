//! Visitors and names for the pages, from the open folder.

use tzeva_embedded::Folder;
use tzeva_model::VisitorId;
use tzeva_pages::Look;
use tzeva_painter::{NameTable, name_table};

pub(super) struct FolderLook(pub(super) Folder);

impl Look for FolderLook {
    fn profile(&self, visitor: &VisitorId) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(self.0.read_profile(visitor)?)
    }

    fn names(&self) -> anyhow::Result<NameTable> {
        Ok(name_table(self.0.names().collect::<Result<Vec<_>, _>>()?))
    }
}

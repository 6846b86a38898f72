"""From a batch spec of Sourcegraph's to a campaign spec, and what of it could not be carried over.

Written from its documentation, "Batch spec YAML reference" and "Batch spec templating" (sourcegraph.com/docs).
"""

from .importing import Imported, import_batch_spec
from .notes import Note
from .steps import ReadFiles

__all__ = ["Imported", "Note", "ReadFiles", "import_batch_spec"]

"""Worker processes on the session's stores."""

from tests.worker_bench import bench, tables

__all__ = ["bench", "tables"]

"""An autofixer of all-repos: `python -m bench.changes.with_all_repos -C CONFIG --jobs N`, after `all-repos-clone`."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterable
from pathlib import Path

from all_repos import autofix_lib
from all_repos.config import Config


def _find_repos(config: Config) -> Iterable[str]:
    return [os.path.join(config.output_dir, repo) for repo in config.get_cloned_repos()]  # noqa: PTH118 - as it wants it


def _apply_fix() -> None:
    path = Path("go.mod")
    path.write_text(re.sub(r"^go 1\.22$", "go 1.23", path.read_text(), flags=re.MULTILINE))


def main() -> None:
    """Changes every repository that was cloned, commits, pushes, and opens a pull request."""
    parser = argparse.ArgumentParser()
    autofix_lib.add_fixer_args(parser)
    repos, config, commit, settings = autofix_lib.from_cli(
        parser.parse_args(), find_repos=_find_repos, msg="Bump Go", branch_name="bump-go"
    )
    autofix_lib.fix(repos, apply_fix=_apply_fix, config=config, commit=commit, autofix_settings=settings)


if __name__ == "__main__":
    main()

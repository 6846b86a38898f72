"""Lists as files: to standard output, or where the user says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from .failures import CommandFailed, ExitCode

ExportFile = Annotated[
    Path | None, typer.Option("--file", help="Where to write it. Default: standard output.", show_default=False)
]


def write_pieces(pieces: Iterator[bytes], file: Path | None) -> None:
    """Writes what comes, piece by piece; raises `CommandFailed` where the file cannot be written."""
    if file is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.flush()
        return
    try:
        with file.open("wb") as written:
            written.writelines(pieces)
    except OSError as error:
        message = f"{file} cannot be written: {error.strerror}"
        raise CommandFailed(message, exit_code=ExitCode.BAD_INPUT) from None

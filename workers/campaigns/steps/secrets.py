"""Step secrets: values that operators mount as files, and that leave a step in no log, output, reason or change.

A secret is known by the name of its file. Whatever a step says is searched for the secrets that were read until then,
as they are and as base64, URLs and JSON would have them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

SHORTEST = 8
"""Characters. What is shorter is no secret, and would be found everywhere."""


class SecretProblem(ValueError):
    """A step secret is not there, or has got where it must not be; the message has its name, never its value."""


class StepSecrets:
    """The secrets in a folder; None where this worker has none."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._forms: dict[str, str] = {}  # what must not be seen, and the name of its secret

    def read(self, name: str) -> str:
        """The value of a secret, without a line end at its end; raises `SecretProblem`."""
        try:
            value = (self._folder / name).read_text().removesuffix("\n") if self._folder else None
        except (OSError, UnicodeDecodeError):
            value = None
        if value is None:
            raise SecretProblem(f"there is no step secret {name}")
        if len(value) < SHORTEST or "\0" in value:
            raise SecretProblem(f"the step secret {name} has fewer than {SHORTEST} characters, or a NUL")
        forms = [form for form in _forms(value) if form not in self._forms]
        self._forms.update(dict.fromkeys(forms, name))
        self._forms = dict(sorted(self._forms.items(), key=lambda each: -len(each[0])))
        return value

    def redacted(self, text: str, *, is_cut: bool = False) -> str:
        """The text with names for values; the beginning of a value at the end of a text that was cut off goes too."""
        for form, name in self._forms.items():
            text = text.replace(form, f"[secret {name}]")
        return self._without_beginning(text) if is_cut else text

    def _without_beginning(self, text: str) -> str:
        lengths = (
            length for form in self._forms for length in range(len(form) - 1, 3, -1) if text.endswith(form[:length])
        )
        return text[: -max(lengths, default=0) or None]

    def found_in(self, contents: Iterable[bytes]) -> str | None:
        """The name of a secret whose value is in one of the contents."""
        forms = [(form.encode(), name) for form, name in self._forms.items()]
        return next((name for content in contents for form, name in forms if form in content), None)


def _forms(value: str) -> list[str]:
    """What a value looks like where it is written out."""
    forms = [value, quote(value, safe=""), json.dumps(value)[1:-1]]
    lines = [line for line in value.splitlines() if len(line) >= SHORTEST]
    for begin in range(3):  # base64 of a text has one of three forms, by where in the text the value stands
        encoded = base64.b64encode(b"\0" * begin + value.encode()).decode().rstrip("=")
        forms.append(encoded[(0, 2, 3)[begin] : -1])
    return list(dict.fromkeys([*forms, *lines]))

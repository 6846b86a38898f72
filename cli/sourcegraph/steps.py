"""`steps` of a batch spec: each becomes a `run` step, whose script also puts its files where they were expected."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from shared.domain.yaml_tree import Node

from .expressions import Place
from .found_files import assignment, shell_list
from .go_templates import NotUnderstood
from .notes import Notes
from .queries import Query
from .templates import carry_condition, carry_template

ReadFiles = Callable[[str], dict[str, str]]
"""The files at a path beside the batch spec, a file or a folder: their paths below it (empty for a file) and texts.

Raises `NotUnderstood` where they cannot be read.
"""

_KNOWN = {"run", "container", "env", "files", "outputs", "if", "mount"}
_NEEDS_NETWORK = re.compile(
    r"\b(curl|wget|npm|npx|yarn|pnpm|pip3?|apk|apt(-get)?|gem|bundle|mvn|gradlew?|dotnet|composer|gh"
    r"|go (get|mod|install)|git (clone|fetch|pull)|cargo|src)\b"
)


@dataclass
class StepCarrier:
    """Carries one step; `before` are lines that its script begins with."""

    step: Node
    number: int
    queries: Sequence[Query]
    read: ReadFiles
    notes: Notes
    before: list[str] = field(default_factory=list[str])
    files: dict[str, str] = field(default_factory=dict[str, str])

    def carried(self) -> dict[str, Any]:
        """The step in our words."""
        for key, _ in self.step.target.entries:
            if key.value not in _KNOWN:
                self.notes.add(key, f"{key.value} is left out: steps have nothing like it here")
        env = self._env()
        self._files()
        self._mounts()
        script = self._script()
        step: dict[str, Any] = {"run": "\n".join([*self.before, script]) if self.before else script}
        if condition := self.step.child("if"):
            step["if"] = self._condition(condition)
        optional = {"env": env, "files": self.files, "outputs": self._outputs()}
        step |= {name: value for name, value in optional.items() if value}
        if _NEEDS_NETWORK.search(script):
            step["network"] = True
            self.notes.add(self.step, "the step is given network: true, for what it runs seems to need it")
        if container := self.step.child("container"):
            step["container"] = str(container.value)
        return step

    def _place(self, at: Node, *, in_script: bool = False) -> Place:
        say: Callable[[str], None] = lambda message: self.notes.add(at, message)  # noqa: E731
        return Place(step=self.number, say=say, shell_list=self._list_of_files(at) if in_script else None)

    def _list_of_files(self, at: Node) -> Callable[[str, str], str]:
        def stands_for(name: str, separator: str) -> str:
            self._find(name, at)
            return shell_list(name, separator)

        return stands_for

    def _find(self, name: str, at: Node) -> None:
        line = assignment(name, self.queries)
        if line not in self.before:
            self.before.append(line)
        how = "grep" if name == "search_result_paths" else "git diff"
        self.notes.add(at, f"{name} is what {how} finds in the working copy, by a line that the script begins with")

    def _script(self) -> str:
        run = self.step.child("run")
        if run is None:
            self.notes.add(self.step, "the step has no run")
            return "true"
        try:
            return carry_template(_text(run), self._place(run, in_script=True))
        except NotUnderstood as error:
            return self._fail(run, f"run: {error}")

    def _fail(self, at: Node, why: str) -> str:
        """A step that would do something else than it did fails instead, and says so."""
        message = f"{why}; the step fails until somebody writes it anew"
        self.notes.add(at, message)
        line = f"echo {shlex.quote(f'not carried over from the batch spec: {why}')} >&2; exit 1"
        return "\n".join([line, *(f"# {text}" for text in _text(at).replace("${{", "$ {{").splitlines())])

    def _condition(self, condition: Node) -> str | bool:
        if isinstance(condition.target.value, bool):
            return condition.target.value
        try:
            return carry_condition(_text(condition), self._place(condition))
        except NotUnderstood as error:
            self.notes.add(condition, f"if: {error}; the step is never run until somebody writes its if anew")
            return False

    def _value(self, value: Node, what: str, place: Place) -> str:
        try:
            return carry_template(_text(value), place)
        except NotUnderstood as error:
            self.notes.add(value, f"{what} is left empty: {error}")
            return ""

    def _env(self) -> dict[str, Any]:
        env = self.step.child("env")
        values: dict[str, Any] = {}
        if env is None:
            return values
        for each in env.target.items or [env]:
            if each.target.kind == "scalar":
                values[str(each.value)] = {"secret": str(each.value)}
                self.notes.add(each, f"the environment's {each.value} is a secret of the workers' here, of that name")
            for key, value in each.target.entries:
                if not self._exports(str(key.value), value):
                    values[str(key.value)] = self._value(value, f"env.{key.value}", self._place(value))
        return values

    def _exports(self, name: str, value: Node) -> bool:
        """A list of files in the environment is exported by the script itself."""
        try:
            carry_template(_text(value), self._place(value))
        except NotUnderstood:
            try:
                text = carry_template(_text(value), self._place(value, in_script=True))
            except NotUnderstood:
                return False
            self.before.append(f'export {name}="{text}"')
            return True
        return False

    def _outputs(self) -> dict[str, Any]:
        outputs = self.step.child("outputs")
        found: dict[str, Any] = {}
        for key, output in outputs.target.entries if outputs else ():
            value, format_ = output.child("value"), output.child("format")
            if value is None:
                self.notes.add(key, f"the output {key.value} has no value")
                continue
            text = self._value(value, f"outputs.{key.value}", self._place(value))
            found[str(key.value)] = {"value": text} | ({"format": format_.value} if format_ else {})
        return found

    # -- Files ---------------------------------------------------------------------------------------------

    def _files(self) -> None:
        files = self.step.child("files")
        for key, value in files.target.entries if files else ():
            path = str(key.value)
            try:
                self._put(path, carry_template(_text(value), self._place(value)))
            except NotUnderstood as error:
                self._write(path, value, error)

    def _write(self, path: str, value: Node, error: NotUnderstood) -> None:
        """A file that is a list of files is written by the script."""
        try:
            text = carry_template(_text(value), self._place(value, in_script=True))
        except NotUnderstood:
            self.notes.add(value, f"the file {path} is left empty: {error}")
            self._put(path, "")
        else:
            self.before.append(f"printf '%s\\n' \"{text}\" > {shlex.quote(path)}")

    def _mounts(self) -> None:
        mounts = self.step.child("mount")
        for mount in mounts.target.items if mounts else ():
            path, mountpoint = mount.child("path"), mount.child("mountpoint")
            if path is None or mountpoint is None:
                self.notes.add(mount, "a mount without path or mountpoint is left out")
                continue
            try:
                found = self.read(str(path.value))
            except NotUnderstood as error:
                self.notes.add(mount, f"{path.value} is left out: {error}")
                continue
            for below, text in found.items():
                place = str(PurePosixPath(str(mountpoint.value), below))
                self._put(place, text.replace("${{", '${{ "${{" }}'))

    def _put(self, path: str, text: str) -> None:
        """A file of the step, which its script copies to where it was in the container."""
        name = re.sub(r"[^A-Za-z0-9._-]", "-", PurePosixPath(path).name).lstrip(".-") or "file"
        while name in self.files:
            name = f"{self.number}-{name}" if not name.startswith(f"{self.number}-") else f"{name}-"
        self.files[name] = text
        if path in (name, f"./{name}"):
            return
        folder = str(PurePosixPath(path).parent)
        make = "" if folder in ("/tmp", ".") else f"mkdir -p {shlex.quote(folder)} && "  # noqa: S108
        self.before.append(f"{make}cp {name} {shlex.quote(path)}")
        if not path.startswith("/tmp/"):  # noqa: S108
            self.notes.add(self.step, f"the file {path} is put there by the script, which must be able to write there")


def carry_steps(steps: Node, queries: Sequence[Query], read: ReadFiles, notes: Notes) -> list[dict[str, Any]]:
    """The steps in our words; `queries` are the searches whose results `search_result_paths` stands for."""
    return [
        StepCarrier(step, number, queries, read, notes).carried()
        for number, step in enumerate(steps.target.items or [steps])
    ]


def _text(node: Node) -> str:
    value = node.target.value
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)

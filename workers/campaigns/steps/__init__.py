"""What steps do: edits as pure functions on the content of a file, and commands in an isolated working copy."""

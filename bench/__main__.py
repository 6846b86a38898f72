"""`python -m bench`: every measurement, one after another."""

from __future__ import annotations

from .campaign import main

main()

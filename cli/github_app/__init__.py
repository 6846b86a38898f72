"""`octobatch github-app`: makes the GitHub App that Octobatch signs in as, and checks that it is set up right."""

from __future__ import annotations

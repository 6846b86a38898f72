"""Publishing a target: its branch, its pull request, what is put on it, and nothing twice."""

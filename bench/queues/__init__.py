"""The queues that `bench/queue.py` measures, one adapter a file; each runs as a script in an environment of its own."""

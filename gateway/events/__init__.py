"""Server-Sent Events: however many watch a run, its stream is read once in this process, and its messages made once.

- `log.py`: the newest messages, which all watchers of one thing read at their own pace;
- `channels.py`: what fills a log: a run's stream, or that of all runs with their counts, and their snapshots;
- `hub.py`: the channels that are watched now;
- `watching.py`: one watcher: where it is, what it gets next, also when it comes back or is slow;
- `coalescing.py`: what is left out for one that is slow;
- `responses.py`: the answer over HTTP.
"""

"""The HTTP edge: it checks who asks and what, writes commands, reads results, and tells watchers of events.

Work is never done here: an answer `202` names the operation that a worker carries out.
"""

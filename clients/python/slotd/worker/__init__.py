"""Workers: processes that run a service's jobs from elsewhere, over one stream.

`session.py` is the protocol, `worker.py` the threads and gRPC around it, `threads.py` where handlers run.
"""

from slotd.worker.worker import Worker

__all__ = ["Worker"]

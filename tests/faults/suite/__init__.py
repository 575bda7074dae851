"""The fault suite: what may befall a service, over and over, under load, and the checker's judgement of what was seen.

    python -m tests.faults.suite [--seed N] [--only NAME]... [--store sqlite|postgres] [--long] [--times N]

plan.py lists the faults. A run of one is made of trials, and a trial is one store's life: servers (one on SQLite, three
on PostgreSQL), workers where the fault is theirs, clients that ask without end, subscribers that go on by cursor, and
all that these and the handlers see recorded for the checker (tests/faults/checker). After each fault every server has
to answer and new jobs have to be taken; in the end all jobs end, the log is read once more, and the history is checked.

The seed decides what befalls whom and when, and what is asked; not how threads and processes interleave. What needs
something that the machine has not (root for mounts, a C compiler, PostgreSQL) is SKIPPED with its reason. The files of
a run that fails are kept, and their place is told. `--mutant NAME` torments a service that is wrong in a known way.
"""

import os

# Before grpc is loaded: the suite starts many processes, all by exec, and needs none of gRPC's care for forks, nor its
# word about each.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

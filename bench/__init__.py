"""The benchmark: slotd beside a bare gRPC server with the same messages and no work, measured in turn in one run."""

import os

# Servers are stopped, and killed, while clients are connected: gRPC's notes about that would go between the lines of
# the table. It reads this when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

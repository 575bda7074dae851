"""A client that opens N streams, says so, and waits for its death: `python -m tests.rpc.vanishing ADDRESS N`."""

import signal
import sys

import grpc

from slotd import v1


def main() -> None:
    address, number = sys.argv[1], int(sys.argv[2])
    stub = v1.JobServiceStub(grpc.insecure_channel(address))
    streams = [stub.Stream(v1.StreamRequest()) for _ in range(number)]
    for stream in streams:
        next(stream)
    print("open", flush=True)
    signal.pause()


main()

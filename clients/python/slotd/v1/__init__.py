"""The generated stubs of package `slotd.v1`: every message, enum and service, under one name."""

from slotd.v1.job_pb2 import *  # noqa: F403
from slotd.v1.job_service_pb2 import *  # noqa: F403
from slotd.v1.job_service_pb2_grpc import *  # noqa: F403
from slotd.v1.queue_service_pb2 import *  # noqa: F403
from slotd.v1.queue_service_pb2_grpc import *  # noqa: F403
from slotd.v1.schedule_service_pb2 import *  # noqa: F403
from slotd.v1.schedule_service_pb2_grpc import *  # noqa: F403
from slotd.v1.worker_service_pb2 import *  # noqa: F403
from slotd.v1.worker_service_pb2_grpc import *  # noqa: F403

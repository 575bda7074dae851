"""The parts of `examples/run.py`: the service as a child process, sample files, a batch of jobs, and showing them."""

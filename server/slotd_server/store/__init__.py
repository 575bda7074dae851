"""Where jobs, events, output and counters are kept. `base.py` is the contract, the others keep it."""

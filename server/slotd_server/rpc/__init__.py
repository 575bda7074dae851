"""The services of `slotd.v1`: servicers that parse, call and translate. Nothing below knows the wire."""

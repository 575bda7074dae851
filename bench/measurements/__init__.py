"""What is measured, one file each: `async def measure(plan) -> list[Figure]`."""

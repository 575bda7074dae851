"""The handlers of the servers in compose.yaml: put yours here."""

from slotd import JobContext, job


@job("greet", timeout=30, max_attempts=5)
def greet(ctx: JobContext, payload: dict[str, str]) -> dict[str, str]:
    """Says hello: `{"name": "Ada"}`."""
    ctx.progress(1, 2, "thinking")
    return {"text": f"Hello, {payload['name']}!"}

"""What a shop's service might run: handlers that only pretend, for pictures of the dashboard."""

import random
import time

from slotd import JobContext, PermanentError, job

_STEP_SECONDS = 0.25


@job("send-mail", timeout=30, max_attempts=4, initial_backoff=2)
def send_mail(ctx: JobContext, payload: dict[str, str]) -> dict[str, str]:
    """Takes a moment; some servers are busy, some people have gone."""
    ctx.write(f"connecting for {payload['to']}\n")
    ctx.wait_cancelled(random.uniform(0.05, 0.6))
    if random.random() < 0.06:
        raise TimeoutError("smtp.example.com: 421 too many connections, try again later")
    if random.random() < 0.015:
        raise PermanentError(f"smtp.example.com: 550 no mailbox {payload['to']}")
    ctx.write("250 accepted\n")
    return {"message_id": f"<{ctx.job_id[-12:]}@shop.example>"}


@job("charge-card", timeout=20, max_attempts=3, initial_backoff=1)
def charge_card(ctx: JobContext, payload: dict[str, object]) -> dict[str, object]:
    """Some cards are declined."""
    ctx.wait_cancelled(random.uniform(0.2, 1.2))
    if random.random() < 0.04:
        raise PermanentError("card declined: insufficient funds")
    return {"charged": payload["cents"], "currency": "EUR"}


@job("resize-photo", timeout=60)
def resize_photo(ctx: JobContext, payload: dict[str, object]) -> dict[str, object]:
    """A few sizes of a photo, one after the other."""
    sizes = (160, 320, 640, 1280)
    for done, size in enumerate(sizes):
        ctx.progress(done, len(sizes), f"{size} px")
        ctx.wait_cancelled(random.uniform(0.2, 0.8))
        ctx.raise_if_cancelled()
    return {"sizes": list(sizes)}


@job("transcode-video", timeout=3600, max_attempts=2)
def transcode_video(ctx: JobContext, payload: dict[str, object]) -> dict[str, object]:
    """Goes on for as long as `seconds` says, and tells how it goes."""
    total = 24 * 90
    steps = round(float(str(payload["seconds"])) / _STEP_SECONDS)
    for step in range(steps):
        frame = total * step // steps
        ctx.progress(frame, total, f"frame {frame:,} of {total:,}")
        ctx.write(f"frame={frame:5} fps={random.uniform(21, 26):.1f} bitrate={random.uniform(1900, 2300):.0f}k\n")
        ctx.wait_cancelled(_STEP_SECONDS)
        ctx.raise_if_cancelled()
    return {"frames": total}


@job("sync-catalog", timeout=2, max_attempts=1)
def sync_catalog(ctx: JobContext, payload: object) -> None:
    """Hangs, and hears nothing: when its time is over it is a zombie."""
    time.sleep(3600)


def _part(ctx: JobContext, payload: dict[str, float] | None) -> None:
    """Takes as long as it is told to."""
    ctx.wait_cancelled((payload or {}).get("seconds", 0.5))
    ctx.raise_if_cancelled()


_PARTS = "fetch-orders fetch-refunds fetch-stock build-report publish-report archive-report notify"

for _kind in _PARTS.split():
    job(_kind, timeout=1800)(_part)

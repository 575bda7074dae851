"""A handler that puts together what other jobs have found: `report`."""

import csv
import io
import json
from collections.abc import Mapping

from examples.disk import written_whole
from examples.payloads import Fields
from slotd import JobContext, PermanentError, job


@job("report", timeout=600)
def report(ctx: JobContext, payload: object) -> dict[str, object]:
    """A table, as CSV, of the results of the jobs that this one depended on: `{"output": "report.csv"}`.

    A line for each job, by the name that it had in its batch, else by its id, and a column for each field of their
    results. The line of a job that did not succeed, or returned nothing, has its name alone.
    """
    target = Fields(payload, "output").target()
    if not ctx.results:
        raise PermanentError("there is nothing to report: this job depends on no other")
    rows = {name: _fields(name, result) for name, result in ctx.results.items()}
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["job", *columns])
    for number, (name, row) in enumerate(rows.items(), start=1):
        writer.writerow([name, *(row.get(column, "") for column in columns)])
        ctx.progress(number, len(rows), name)
    with written_whole(target, ctx.job_id) as file:
        file.write(table.getvalue().encode())
    ctx.write(table.getvalue())
    return {"path": str(target), "jobs": len(rows), "columns": columns}


def _fields(name: str, result: object) -> dict[str, object]:
    if result is None:
        return {}
    if not isinstance(result, Mapping):
        raise PermanentError(f"the result of {name} is no JSON object")
    return {str(field): _cell(value) for field, value in result.items()}


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value

"""The files for Prometheus and Grafana: valid, right where promtool can say so, and of metrics that there are."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.observability.test_page import DOCUMENTED

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "slotd.rules.yml"
DOCUMENT = DEPLOY.parent / "docs" / "observability.md"

_SUFFIX = re.compile(r"_(total|bucket|count|sum|info)$")


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("there is no promtool, which comes with Prometheus")
    return found


@pytest.fixture
def dashboard() -> Any:
    return json.loads((DEPLOY / "grafana" / "slotd.json").read_text())


@pytest.mark.parametrize(
    "words",
    [("check", "config", "prometheus.yml"), ("check", "rules", RULES.name), ("test", "rules", "slotd.rules.test.yml")],
    ids=" ".join,
)
def test_promtool_finds_nothing_wrong(promtool: str, words: tuple[str, ...]) -> None:
    done = subprocess.run([promtool, *words], cwd=RULES.parent, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_is_tested_and_documented() -> None:
    alerts = re.findall(r"- alert: (\w+)", RULES.read_text())
    tests, document = (RULES.parent / "slotd.rules.test.yml").read_text(), DOCUMENT.read_text()
    assert alerts
    assert [alert for alert in alerts if alert not in tests or alert not in document] == []


def test_the_rules_know_the_metrics() -> None:
    assert _unknown(" ".join(re.findall(r"expr: (.*?)\n        (?:for|labels)", RULES.read_text(), re.DOTALL))) == set()


def test_the_dashboard_knows_the_metrics(dashboard: dict[str, Any]) -> None:
    asked = _queries(dashboard)
    asked += [variable["definition"] for variable in dashboard["templating"]["list"] if variable["type"] == "query"]
    assert len(asked) > 20
    assert _unknown(" ".join(asked)) == set()


def test_the_dashboard_s_queries_can_be_asked(promtool: str, dashboard: dict[str, Any], tmp_path: Path) -> None:
    """As rules, which is what promtool knows of queries."""
    rules = [
        {"record": f"panel:{number}", "expr": query.replace("$__rate_interval", "1m")}
        for number, query in enumerate(_queries(dashboard))
    ]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run([promtool, "check", "rules", str(file)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_s_panels_do_not_overlap(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    taken: set[tuple[int, int]] = set()
    for place in (panel["gridPos"] for panel in panels):
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert max(x for x, _ in cells) < 24
        assert not cells & taken
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_each_metric_is_documented() -> None:
    document = DOCUMENT.read_text()
    assert [name for name in sorted(DOCUMENTED) if f"`{name}" not in document] == []


def _queries(dashboard: dict[str, Any]) -> list[str]:
    """What its panels ask."""
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def _unknown(queries: str) -> set[str]:
    """The names of metrics in them that no page has."""
    names = set(re.findall(r"\bslotd_\w+", queries))
    assert names
    return {name for name in names if name not in DOCUMENTED and _SUFFIX.sub("", name) not in DOCUMENTED}

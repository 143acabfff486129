"""Metrics, alerts, dashboard and runbooks speak of the same things."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from deploy.monitoring.__main__ import generated
from deploy.monitoring.page import adapters_metrics
from hub.metrics import Metrics

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"
RULES = (MONITORING / "rules.yml").read_text(encoding="utf-8")
RULES_TEST = (MONITORING / "rules_test.yml").read_text(encoding="utf-8")
README = (MONITORING / "README.md").read_text(encoding="utf-8")
METRICS = Metrics(version="0", sqlite="0")
ADAPTERS = tuple(adapters_metrics())
LABELS = {"agency", "family", "type", "code", "channel", "step", "task", "reason", "kind"}
METRIC = re.compile(r"\bguantong_\w+")
CHINESE = re.compile(r"[\u4e00-\u9fff]")

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)"
)


class Alert(NamedTuple):
    """One alert as the rules have it."""

    name: str
    severity: str
    summary: str
    summary_en: str
    runbook: str


ALERT = re.compile(
    r"- alert: (?P<name>\w+)\n"
    r" +expr: (?s:.)*?\n"
    r"(?: +for: \w+\n)?"
    r" +labels:\n +severity: (?P<severity>\w+)\n"
    r" +annotations:\n +summary: (?P<summary>.*)\n +summary_en: (?P<summary_en>.*)\n"
    r" +runbook: (?P<runbook>.*)\n",
)


def alerts() -> list[Alert]:
    """Every alert, in order."""
    return [Alert(**match.groupdict()) for match in ALERT.finditer(RULES)]


def expressions() -> list[str]:
    """What the dashboard's panels and variables ask for."""
    document = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in document["panels"] for target in panel.get("targets", ())]
    return asked + [v["query"] for v in document["templating"]["list"] if v["type"] == "query"]


def shown_names() -> set[str]:
    """The names of all series that a scrape may hold."""
    names: set[str] = set()
    for metric in (*METRICS.declared, *ADAPTERS):
        suffixes = ("_bucket", "_count", "_sum") if metric.kind == "histogram" else ("",)
        names.update(metric.name + suffix for suffix in suffixes)
    return names


def promtool(*arguments: str) -> None:
    """Run promtool, which must find nothing wrong."""
    command = ["promtool", *arguments]
    said = subprocess.run(command, cwd=MONITORING, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "FAILED" not in said.stdout


def test_what_is_generated_stands_as_it_is_generated() -> None:
    """Else run `make docs`."""
    stale = [p.name for p, text in generated().items() if p.read_text(encoding="utf-8") != text]
    assert stale == []


def test_every_metric_is_declared_under_the_name_that_is_shown() -> None:
    exposed = re.findall(r"^# TYPE (\S+) (\S+)$", METRICS.exposition()[0].decode(), re.MULTILINE)
    declared = [(metric.name, metric.kind) for metric in METRICS.declared]
    assert sorted(declared) == sorted(exposed)
    assert [name for name, _ in declared if not name.startswith("guantong_")] == []


def test_every_metric_has_a_meaning_in_both_languages() -> None:
    for metric in (*METRICS.declared, *ADAPTERS):
        zh, separator, en = metric.meaning.partition(" / ")
        assert separator, metric
        assert CHINESE.search(zh), metric
        assert re.search("[a-z]{2}", en) and not CHINESE.search(en), metric


def test_labels_are_few_and_none_names_an_event_or_a_subscription() -> None:
    named = {metric.name: set(metric.labels) - LABELS for metric in METRICS.declared}
    assert {name: labels for name, labels in named.items() if labels} == {
        "guantong_build_info": {"version", "sqlite"},
        # Only versions that are to be retired: few.
        "guantong_retiring_contract_uses_total": {"version", "use"},
    }
    assert {label for metric in ADAPTERS for label in metric.labels} == {
        "adapter",
        "outcome",
        "part",
        "reason",
    }


def test_pages_rules_and_dashboard_use_only_metrics_that_exist() -> None:
    texts = {
        path.name: path.read_text(encoding="utf-8")
        for path in [*MONITORING.parent.rglob("*.md"), *MONITORING.parent.rglob("*.yml")]
    }
    texts["dashboard"] = "\n".join(expressions())
    histograms = {metric.name for metric in METRICS.declared if metric.kind == "histogram"}
    used = {(place, name) for place, text in texts.items() for name in METRIC.findall(text)}
    known = shown_names() | histograms
    assert {(place, name) for place, name in used if name not in known} == set()
    # A histogram by itself has no series.
    asked = {name for text in (texts["dashboard"], RULES) for name in METRIC.findall(text)}
    assert asked & histograms == set()


def test_every_metric_is_seen_on_the_dashboard_or_watched_by_an_alert() -> None:
    asked = "\n".join([RULES, *expressions()])
    seen = {re.sub(r"_(bucket|count|sum)$", "", name) for name in METRIC.findall(asked)}
    assert [metric.name for metric in METRICS.declared if metric.name not in seen] == []


def test_every_alert_is_whole() -> None:
    found = alerts()
    assert [alert.name for alert in found] == re.findall(r"- alert: (\w+)", RULES)
    for alert in found:
        assert alert.severity in ("critical", "warning", "info"), alert
        assert CHINESE.search(alert.summary), alert
        assert not CHINESE.search(alert.summary_en), alert
        assert alert.runbook == f"deploy/monitoring/runbooks/{alert.name}.md"


def test_every_alert_has_a_page_that_tells_what_to_do_and_no_page_is_left_over() -> None:
    pages = {path.stem: path.read_text(encoding="utf-8") for path in MONITORING.glob("runbooks/*")}
    assert sorted(pages) == sorted(alert.name for alert in alerts())
    for name, text in pages.items():
        assert text.startswith(f"# {name} · "), name
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert headings == ["含义", "怎么看", "怎么办", "In English"], name
        linked = re.findall(r"\]\((\w+)\.md\)", text)
        assert set(linked) <= set(pages), name


def test_every_alert_is_listed_with_its_severity() -> None:
    listed = re.findall(r"^\| \[(\w+)\]\(runbooks/(\w+)\.md\) \| (\w+) \|", README, re.MULTILINE)
    assert sorted(listed) == sorted((a.name, a.name, a.severity) for a in alerts())


def test_every_alert_is_tried_where_it_fires_and_where_it_does_not() -> None:
    tried = re.findall(r"alertname: (\w+)\n +exp_alerts:(?: (\[\]))?\n", RULES_TEST)
    names = {alert.name for alert in alerts()}
    assert {name for name, quiet in tried if not quiet} == names
    assert {name for name, quiet in tried if quiet} == names


def test_panels_do_not_overlap_and_have_numbers_of_their_own() -> None:
    panels = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    taken = [cell for panel in panels for cell in cells(panel["gridPos"])]
    assert len(taken) == len(set(taken))
    assert {x for x, _ in taken} == set(range(24))


def cells(place: dict[str, Any]) -> list[tuple[int, int]]:
    """The squares of the grid that a panel takes."""
    across, down = range(place["x"], place["x"] + place["w"]), range(place["h"])
    return [(x, place["y"] + y) for x in across for y in down]


@needs_promtool
def test_the_rules_fire_when_they_should() -> None:
    promtool("check", "rules", "rules.yml")
    promtool("test", "rules", "rules_test.yml")
    promtool("check", "config", "--syntax-only", "prometheus.yml")


@needs_promtool
def test_what_the_dashboard_asks_is_promql(tmp_path: Path) -> None:
    asked = [e for e in expressions() if not e.startswith("label_values(")]
    rules = [
        {"record": f"r{n}", "expr": re.sub(r"\$__rate_interval", "5m", expression)}
        for n, expression in enumerate(asked)
    ]
    # JSON is YAML.
    file = tmp_path / "expressions.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", str(file))

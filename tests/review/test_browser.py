"""The page in a real browser: opened from disk, read, decided on, and its download applied."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bench import BASE, BENCH, IDS, group

from unstate.changes import decisions
from unstate.changes.apply import apply
from unstate.changes.decisions import Choice, Decisions
from unstate.model import FileChange, Plan
from unstate.report.html import plan_html
from unstate.resources import shipped
from unstate.review import Bench, Review

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not CHROMIUM or not DRIVER, reason="needs Debian's chromium and chromium-driver")

Script = Callable[..., Any]
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def view(browser: Any, tmp_path: Path) -> Callable[..., Any]:
    """Write a page, look at it, and check that the browser has nothing to complain of."""

    def show(width: int = 1280, scheme: str = "light", page: bytes | None = None) -> Any:
        state = Review(BENCH, Decisions())
        (tmp_path / "report.html").write_bytes(page or plan_html(state.plan, state.changes, title="shop"))
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )
        behaviour = {"behavior": "allow", "downloadPath": str(tmp_path)}
        browser.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
        browser.get((tmp_path / "report.html").as_uri())
        browser.execute_script("localStorage.clear()")  # all pages from disk share one
        browser.refresh()
        assert browser.get_log("browser") == []
        return browser

    return show


def choose(browser: Any, number: int, value: str) -> None:
    field = browser.find_element("css selector", f'input[name="change-{number}"][value="{value}"]')
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", field)
    field.click()


def status(browser: Any) -> str:
    return str(browser.find_element("id", "progress").text)


def downloaded(browser: Any, tmp_path: Path) -> Decisions:
    from selenium.webdriver.support.wait import WebDriverWait

    path = tmp_path / "decisions.json"
    browser.find_element("id", "download").click()
    WebDriverWait(browser, 20, poll_frequency=0.05).until(lambda _: path.exists() and path.stat().st_size)
    return decisions.load(path)


def test_open_decide_download_apply(view: Callable[..., Any], tmp_path: Path) -> None:
    page = view()
    assert status(page) == "0 of 4 decided, 0 accepted."
    page.find_element("id", "accept-exact").click()
    assert status(page) == "1 of 4 decided, 1 accepted."
    choose(page, 3, "true")
    assert status(page) == "3 of 4 decided, 3 accepted. Taken along: blobs."
    choose(page, 1, "false")
    made = downloaded(page, tmp_path)
    assert {choice.id: choice.accept for choice in made.groups} == {
        IDS["sessions"]: False,
        IDS["hits"]: True,
        IDS["uploads"]: True,
        IDS["blobs"]: True,
    }
    state = Review(BENCH, made)
    assert state.selection().accepted == (IDS["hits"], IDS["uploads"], IDS["blobs"])
    root = tmp_path / "tree"
    root.mkdir()
    for path, content in BASE.items():
        (root / path).write_bytes(content)
    apply(root, state.all_changes())
    assert b"hits = redis_counter('hits')" in (root / "app.py").read_bytes()
    assert b"sessions = {}" in (root / "app.py").read_bytes()
    assert "uploads = s3('uploads')  # caf\xe9".encode("latin-1") in (root / "files.py").read_bytes()


def test_from_the_command_line_to_the_page_and_back(view: Callable[..., Any], tmp_path: Path) -> None:
    app = shutil.copytree(shipped("examples") / "flask_app", tmp_path / "app")
    by_hand = shutil.copytree(app, tmp_path / "by_hand")
    unstate("report", app, "--html", tmp_path / "made.html")
    page = view(page=(tmp_path / "made.html").read_bytes())
    names = [each.text for each in page.find_elements("css selector", "article.change h2 code")]
    assert len(names) == 3
    ttl = page.find_element("css selector", "[data-answer=ttl]")
    ttl.clear()
    ttl.send_keys("3h")
    choose(page, 1, "true")
    choose(page, 2, "true")
    choose(page, 3, "false")
    made = downloaded(page, tmp_path)
    file = tmp_path / "decisions.json"
    assert [choice.accept for choice in made.groups].count(True) == 2

    before = tree(app)
    unstate("apply", app, "--decisions", file)
    after = tree(app)
    left = next(choice.id for choice in made.groups if not choice.accept)
    unstate("migrate", by_hand, "--write", "--accept", "review", "--decisions", file)
    assert after == tree(by_hand)
    assert b"timedelta(hours=3)" in after["backing_services.py"]
    assert after != before
    scan = subprocess.run(
        [sys.executable, "-m", "unstate", "scan", app, "--output-format", "json"], capture_output=True
    )
    assert [store["id"] for store in json.loads(scan.stdout)["stores"]] == [left]
    unstate("undo", app)
    assert tree(app) == before


def unstate(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "unstate", *arguments], check=True, capture_output=True, timeout=120)


def tree(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".unstate" not in path.parts
    }


def test_an_answer_goes_along(view: Callable[..., Any], tmp_path: Path) -> None:
    page = view()
    article = page.find_element("id", "change-1")
    field = article.find_element("css selector", "[data-answer=ttl]")
    again = article.find_element("css selector", ".again")
    assert not again.is_displayed()
    field.clear()
    field.send_keys("7d")
    assert again.is_displayed()
    choose(page, 1, "true")
    made = downloaded(page, tmp_path)
    assert made.of(IDS["sessions"]) == Choice(id=IDS["sessions"], accept=True, answers={"ttl": "7d"})
    state = Review(BENCH, made)
    assert b"ttl=7d" in (state.all_changes()[0].after or b"")


def test_what_is_needed_by_an_accepted_change(view: Callable[..., Any]) -> None:
    page = view()
    choose(page, 3, "true")
    choose(page, 4, "false")
    assert status(page) == "1 of 4 decided, 0 accepted. Undecided again: uploads."
    choose(page, 3, "true")
    assert status(page) == "1 of 4 decided, 0 accepted. uploads needs blobs, which is rejected."


def test_answers_are_kept_in_the_browser(view: Callable[..., Any]) -> None:
    page = view()
    choose(page, 2, "false")
    page.refresh()
    assert status(page) == "1 of 4 decided, 0 accepted."
    assert page.find_element("css selector", 'input[name="change-2"][value="false"]').is_selected()


def test_decisions_made_before_are_there(view: Callable[..., Any]) -> None:
    state = Review(
        BENCH,
        Decisions(groups=(Choice(id=IDS["blobs"], accept=True), Choice(id=IDS["sessions"], answers={"ttl": "2d"}))),
    )
    page = view(page=plan_html(state.plan, state.changes, title="shop", decisions=state.decisions))
    assert status(page) == "1 of 4 decided, 1 accepted."
    assert page.find_element("css selector", "[data-answer=ttl]").get_attribute("value") == "2d"
    assert not page.find_element("css selector", ".again").is_displayed()


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read(view: Callable[..., Any], width: int, scheme: str) -> None:
    page = view(width=width, scheme=scheme)
    assert page.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    contrasts = page.execute_script((Path(__file__).parent / "contrast.js").read_text())
    assert len(contrasts) > 40
    assert min(contrasts.values()) >= 4.5, sorted(contrasts.items(), key=lambda each: each[1])[:5]


def test_a_phone_shows_one_column_and_a_desk_two(view: Callable[..., Any]) -> None:
    script = "return [...document.querySelectorAll('#change-1 tr.same td.old')].filter((e) => e.offsetWidth).length"
    assert view(width=1280).execute_script(script) > 0
    assert view(width=390).execute_script(script) == 0


UNCOVERED = """
const box = arguments[0].getBoundingClientRect();
const top = document.elementFromPoint(box.x + Math.min(8, box.width / 2), box.y + Math.min(8, box.height / 2));
return arguments[0].contains(top) || top?.contains(arguments[0]);
"""


def test_by_keyboard_alone(view: Callable[..., Any]) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.wait import WebDriverWait

    page = view()
    reached = []
    for _ in range(60):
        ActionChains(page).send_keys(Keys.TAB).perform()
        element = page.switch_to.active_element
        reached.append(element.get_attribute("id") or element.get_attribute("name") or element.tag_name)
        assert page.execute_script(UNCOVERED, element), f"{reached[-1]} is under something else"
        if reached[-1] == "change-2":
            ActionChains(page).send_keys(Keys.ARROW_UP).perform()
            break
    assert reached[0] == "a"  # the link that skips to the changes
    assert {"change-1", "change-1-answer-1", "summary", "change-2"} <= set(reached)
    WebDriverWait(page, 10, poll_frequency=0.05).until(lambda _: "1 of 4 decided" in status(page))
    page.find_element("id", "next").send_keys(Keys.ENTER)
    assert page.switch_to.active_element.get_attribute("id") == "change-1-title"


def test_a_screen_reader_finds_names_for_everything(view: Callable[..., Any]) -> None:
    page = view()
    nodes = page.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]
    roles = {"button", "radio", "textbox", "combobox", "link", "heading", "region", "table", "article"}
    assert [each for each in named if each[0] in roles and not each[1].strip()] == []
    assert ("textbox", "How long may a session live?") in named
    assert ("combobox", "How is a value written?") in named
    assert ("table", "app.py, before and after") in named
    assert sum(role == "group" and name == "Take this change?" for role, name in named) == 4
    assert {"banner", "navigation", "main", "contentinfo", "status"} <= {role for role, _ in named}


NASTY = """"><script>document.title="owned"</script><img src=x onerror='document.title="owned"'>{{ 7*7 }}</style>"""


def test_nothing_in_the_source_is_markup(view: Callable[..., Any]) -> None:
    nasty = group(NASTY)
    change = FileChange(nasty.files[0], b"x = 1\n", f"x = '{NASTY}'\n".encode())
    state = Review(Bench(plan=lambda _: Plan(groups=(nasty,)), render=lambda *_: [change]), Decisions())
    page = view(page=plan_html(state.plan, state.changes, title=NASTY))
    assert "owned" not in page.title.replace(NASTY, "")
    assert page.execute_script("return document.images.length + document.scripts.length") == 1
    assert NASTY in page.find_element("css selector", "tr.changed td.new ins").text
    choose(page, 1, "true")
    assert status(page) == "1 of 1 decided, 1 accepted."


def test_the_policy_lets_nothing_else_in(view: Callable[..., Any]) -> None:
    page = view()
    for tag, key, value in [
        ("img", "src", "http://127.0.0.1:9/x.png"),
        ("script", "textContent", "document.title = 1"),
        ("style", "textContent", "body {display: none}"),
    ]:
        add = (
            "document.body.append(Object.assign(document.createElement(arguments[0]), {[arguments[1]]: arguments[2]}))"
        )
        page.execute_script(add, tag, key, value)
    blocked = [entry["message"] for entry in page.get_log("browser")]
    assert len(blocked) >= 3
    assert all("Content Security Policy" in message for message in blocked)
    assert page.title == "shop: state held in the process"
    assert page.find_element("tag name", "body").is_displayed()


def test_without_a_store(view: Callable[..., Any]) -> None:
    page = view(page=plan_html(Plan(), lambda _: (), title="shop"))
    assert "Nothing found that holds this code to one process." in page.find_element("tag name", "header").text
    assert not page.find_elements("tag name", "footer")

"""A real browser for tests: headless Chromium, driven by its own protocol over a pipe; nothing else is needed."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_OPTIONS = ("--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--disable-gpu", "--no-first-run",
            "--disable-extensions", "--disable-background-networking", "--disable-dev-shm-usage")  # fmt: skip
_PATIENCE_S = 120.0


# The contrast of every visible text with what is behind it, by WCAG 2.1; the worst comes back.
CONTRAST = """(() => {
  const parse = text => { const n = text.match(/[0-9.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
      .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
      .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const color = parse(getComputedStyle(node).backgroundColor);
      if (color[3] > 0.99) return color;
    }
    return [255, 255, 255, 1];
  };
  let worst = [99, ""];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const parent = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !parent.checkVisibility()) continue;
    if (parent.closest("svg, script, style, .skip, .unseen")) continue;
    const [one, two] = [light(parse(getComputedStyle(parent).color)), light(behind(parent))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (ratio < worst[0]) worst = [ratio, walk.currentNode.data.trim().slice(0, 60)];
  }
  return worst;
})()"""

# What lies outside of the page to the right, but for tables that scroll.
OVERFLOW = """[...document.body.querySelectorAll('*')].filter(node => !node.closest('.scroll, .skip, svg')
  && node.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(node => node.outerHTML.slice(0, 80))"""

ACCESSIBLE = """(() => {
  const found = [];
  const say = (what, nodes) => nodes.forEach(node => found.push(what + ': ' + node.outerHTML.slice(0, 80)));
  const all = selector => [...document.querySelectorAll(selector)];
  for (const one of ['header', 'main', 'footer', 'h1', 'head > title'])
    if (all(one).length !== 1) found.push(all(one).length + ' of ' + one);
  if (document.documentElement.lang !== 'en') found.push('no language');
  say('picture without a name', all('svg').filter(svg => svg.getAttribute('aria-hidden') !== 'true'
    && !svg.closest('[aria-hidden=true]')
    && !(svg.getAttribute('role') === 'img' && svg.querySelector('title')?.textContent.trim()
         && svg.querySelector('desc')?.textContent.trim())));
  say('a heading of a table without scope', all('th:not([scope])'));
  say('a table without headings', all('table').filter(table => !table.querySelector('thead th')));
  say('names nothing', all('[aria-labelledby]').filter(node => node.getAttribute('aria-labelledby').split(' ')
    .some(id => !document.getElementById(id))));
  const ids = all('[id]').map(node => node.id);
  if (new Set(ids).size !== ids.length) found.push('an id twice');
  let level = 0;
  for (const node of all('h1, h2, h3, h4')) {
    const now = Number(node.tagName[1]);
    if (now > level + 1) found.push('a heading level is left out: ' + node.outerHTML);
    level = now;
  }
  return found;
})()"""


class Browser:
    """One Chromium with one tab, without network. Use as a context manager."""

    def __init__(self) -> None:
        assert CHROMIUM is not None
        self.home = tempfile.mkdtemp()
        there, self._send = os.pipe()
        self._receive, here = os.pipe()
        # The pipe protocol reads descriptor 3 and writes 4.
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec 3<&{there} 4>&{here}; exec "$@"', "bash", CHROMIUM, *_OPTIONS,
             f"--user-data-dir={self.home}", "about:blank"],
            pass_fds=(there, here), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(there)
        os.close(here)
        self._number, self._buffer, self.events = 0, b"", []
        self._session: str | None = None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        self.ask("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for descriptor in (self._send, self._receive):
            os.close(descriptor)
        shutil.rmtree(self.home, ignore_errors=True)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command and its answer; what else arrives goes to `events`."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._receive], [], [], _PATIENCE_S)
            assert ready, "Chromium does not answer"
            data = os.read(self._receive, 1 << 20)
            assert data, "Chromium has gone"
            self._buffer += data
        text, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(text)

    def open(self, path: Path, *, width: int = 1100, dark: bool = False, script: bool = True) -> float:
        """Opens a file, waits until it is drawn, and tells the seconds that this took."""
        self.events.clear()
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
        self.ask("Emulation.setEmulatedMedia", media="screen",
                 features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])  # fmt: skip
        self.ask("Emulation.setScriptExecutionDisabled", value=not script)
        began = time.monotonic()
        self.ask("Page.navigate", url=path.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())
        if script:
            # The frame after the next one has the page on it.
            drawn = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))"
            self.ask("Runtime.evaluate", expression=drawn, awaitPromise=True)
        return time.monotonic() - began

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression on the page."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def complaints(self) -> list[str]:
        """Errors and warnings of the console, exceptions, and every request beyond the file itself."""
        found = []
        for event in self.events:
            method, parameters = event.get("method"), event.get("params", {})
            if method in {"Log.entryAdded", "Runtime.exceptionThrown"}:
                found.append(json.dumps(parameters))
            elif method == "Runtime.consoleAPICalled":
                found.append(json.dumps(parameters.get("args")))
            elif method == "Network.requestWillBeSent" and not parameters["request"]["url"].startswith(
                ("file:", "data:")
            ):
                found.append(parameters["request"]["url"])
        return found

    def faults(self, width: int) -> list[str]:
        """What keeps the open page from being drawn whole, and readable, on a screen of this width."""
        ratio, text = self.run(CONTRAST)
        found = [*self.complaints(), *self.run(OVERFLOW)]
        if self.run("document.documentElement.scrollWidth") > width:
            found.append("the page is wider than the screen")
        if not 4.5 <= ratio < 99:
            found.append(f"contrast {ratio}: {text}")
        return found

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """A screenshot as PNG, of the whole page."""
        answer = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    def print(self, path: Path) -> None:
        """The page as PDF."""
        path.write_bytes(base64.b64decode(self.ask("Page.printToPDF", printBackground=False)["data"]))


@contextmanager
def opened() -> Iterator[Browser]:
    """A browser for tests that need one; they are skipped where none is installed."""
    if CHROMIUM is None:
        pytest.skip("Chromium (Debian package chromium) is not installed")
    with Browser() as browser:
        yield browser

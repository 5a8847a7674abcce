"""`./dev screenshots`: docs/screenshots/*.png, from a demo of its own, with real data.

A newcomer signs up, buys, and builds a WordPress and two sites in a real Chromium; the pictures are taken on the way.
Needs Chromium; takes two or three minutes.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from chom_core.demo.place import any_port
from chom_core.demo.post import mails, text_of

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "screenshots"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
EMAIL, PASSWORD = "robin@riverbank.example", "a lantern in the fog"
#: What a picture in git may weigh.
MOST_BYTES = 250_000


class Camera:
    """One window on one demo."""

    def __init__(self, url: str, place: Path, browser: Any) -> None:
        self.url, self.place = url, place
        self.page = browser.new_context(reduced_motion="reduce", viewport=DESK).new_page()

    def go(self, path: str) -> None:
        answer = self.page.goto(path if path.startswith("http") else self.url + path)
        assert answer.ok, f"{path} answered {answer.status}"

    def press(self, selector: str) -> None:
        with self.page.expect_navigation():
            self.page.locator(selector).last.click()

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.fill(f"main [name={name}]", value)

    def shoot(self, name: str, top: str = "html") -> None:
        """`home-phone`, `prices-light`, `invoice-dark`: the word at the end says how. `top` is scrolled to."""
        how = name.rpartition("-")[2]
        self.page.set_viewport_size(PHONE if how == "phone" else DESK)
        self.page.emulate_media(color_scheme="dark" if how == "dark" else "light", reduced_motion="reduce")
        self.page.evaluate("document.activeElement.blur(), document.fonts.ready")
        self.page.evaluate("top => document.querySelector(top).scrollIntoView()", top)
        path = PICTURES / f"{name}.png"
        self.page.screenshot(path=str(path))
        assert path.stat().st_size < MOST_BYTES, f"{path.name} is too heavy"
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1000} kB", flush=True)

    def enter(self, email: str) -> None:
        """As one of the demo's people."""
        self.page.set_viewport_size(DESK)
        self.go("/demo/")
        self.press(f"form:has([value='{email}']) [type=submit]")

    def go_when(self, path: str, text: str) -> None:
        """To a page that the months behind the demo are still filling: once `text` stands on it."""
        until = time.monotonic() + 300
        while time.monotonic() < until:
            self.go(path)
            if self.page.get_by_text(text).count():
                return
            time.sleep(2)
        raise SystemExit(f"screenshots: {path} did not show {text!r} in five minutes")

    def mailed_link(self) -> str:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            for mail in mails(self.place / "mail", EMAIL):
                if found := re.search(r"http://\S+/verify/\S+", text_of(mail)):
                    return found[0]
            time.sleep(0.2)
        raise SystemExit("screenshots: no mail with a link came in a minute")

    def order(self, kind: str, name: str, title: str) -> None:
        """Leads to the operation's page."""
        self.go(f"/services/new/{kind}")
        self.fill(name=name, title=title)
        self.press("main form [type=submit]")

    def ready(self) -> None:
        self.page.get_by_text("It is ready").wait_for(timeout=300_000)


def tour(camera: Camera) -> None:
    """The whole way, with a picture at each stop."""
    camera.go("/prices")
    camera.shoot("prices-light")
    camera.go("/signup")
    camera.fill(name="Robin Vale", organisation="Riverbank Pottery", email=EMAIL, password=PASSWORD)
    camera.press("main [type=submit]")
    camera.go(camera.mailed_link())
    camera.press("main [type=submit]")
    camera.go("/checkout/starter")
    camera.fill(email=EMAIL, address="3 Kiln Lane\nAstoria, OR 97103")
    camera.page.select_option("main [name=country]", "US")
    camera.shoot("checkout-phone", "form .card:nth-of-type(2)")
    camera.press("main [type=submit]")
    for kind, name, title in (("static", "glazes", "A book of glazes"), ("static", "kiln", "Kiln rental")):
        camera.order(kind, name, title)
        camera.ready()
    camera.order("wordpress", "riverbank", "Riverbank Pottery")
    camera.page.locator(".step-done ~ .step-done ~ .step-doing").wait_for(timeout=120_000)
    camera.shoot("operation-light")
    camera.ready()
    camera.page.set_viewport_size(DESK)
    camera.press("text=The service")
    camera.shoot("service-light")
    camera.go("/services")
    camera.shoot("services-dark")
    camera.go("/home")
    camera.shoot("home-phone")
    camera.page.set_viewport_size(DESK)
    camera.go("/billing/invoices")
    camera.press("main a[href*='/billing/invoices/']")
    camera.shoot("invoice-dark")
    camera.page.set_viewport_size(DESK)
    camera.go("/billing/")
    camera.press("main a[href*='/billing/subscriptions/']")
    camera.press("text=Change the plan")
    camera.shoot("plan-light")
    camera.press("main >> text=Look at the change")
    camera.shoot("change-light")
    camera.go("/billing/credit")
    camera.shoot("credit-phone")
    camera.enter("dana@lanternworks.example")
    camera.go("/staff/plugins/projects")
    camera.shoot("staff-plugins-light")
    camera.go("/staff/payments")
    camera.shoot("staff-payments-dark")
    camera.page.set_viewport_size(DESK)
    camera.go_when("/staff/disputes", "Fernhill Florist")
    camera.press("main table a")
    camera.shoot("dispute-light", "main .table-wrap")
    camera.enter("mara@northlight.example")
    camera.go("/usage/meters/traffic_gb?days=90")
    camera.page.locator(".chart-canvas canvas").wait_for()
    camera.shoot("usage-light")
    camera.go("/usage/")
    camera.shoot("usage-phone")
    camera.page.set_viewport_size(DESK)
    camera.go("/billing")
    camera.shoot("billing-dark")
    camera.enter("imogen@brightside.example")
    camera.go_when("/billing/reselling", "$1,650.00")
    camera.page.locator(".chart-canvas canvas").wait_for()
    camera.shoot("reselling-light")
    camera.go_when("/billing/reselling/unpaid", "Asked 4 times")
    camera.shoot("unpaid-dark")
    camera.go("/billing/reselling/seller")
    camera.shoot("seller-phone")


def main() -> int:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        raise SystemExit("screenshots: there is no Chromium; install it: apt-get install chromium")
    PICTURES.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="chom-pictures-"))
    port = any_port()
    demo = subprocess.Popen(
        [sys.executable, "-m", "chom_core.demo", "--data", str(place), "--port", str(port)], cwd=ROOT
    )
    try:
        until = time.monotonic() + 240
        while not (place / "address").exists():
            assert demo.poll() is None and time.monotonic() < until, "the demo did not start"
            time.sleep(0.2)
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
            tour(Camera((place / "address").read_text(), place, browser))
            browser.close()
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(60)
        shutil.rmtree(place, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

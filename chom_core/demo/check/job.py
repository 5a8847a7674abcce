"""The main job in its order. Reads like a table of contents."""

from __future__ import annotations

from chom_core.demo.check import building, buying, desk
from chom_core.demo.check.journey import Journey
from chom_core.demo.place import Place

SITE, TITLE = "check-pottery", "Pots & “Plates” <by hand>"
LEAFLET, LEAFLET_TITLE = "check-leaflet", "Our leaflet"


def run(url: str, password: str, place: Place, deadline: float) -> None:
    """Do it all; raises CheckFailed at the first thing that is not as it should be."""
    journey = Journey(url, password, place, deadline)
    buying.sign_up(journey)
    checkout = buying.choose(journey)
    buying.declined(journey, checkout)
    buying.second_step(journey, checkout)
    buying.invoice(journey)
    building.build(journey, "WordPress", SITE, TITLE)
    building.visit(journey, SITE)
    building.administer(journey, SITE)
    building.stop_and_start(journey, SITE)
    desk.told(journey, TITLE)
    desk.feature(journey)
    desk.api(journey, SITE)
    building.build(journey, "Static site", LEAFLET, LEAFLET_TITLE)
    building.visit(journey, LEAFLET)
    building.delete(journey, SITE)
    building.delete(journey, LEAFLET)
    desk.leave(journey)

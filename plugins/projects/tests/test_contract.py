"""The contract of every plugin, with projects' own things as samples."""

from chom_projects import service
from chom_projects.schemas import COLOURS, ICONS

from chom_sdk.testing import Organisation, contract


def a_project(organisation: Organisation, text: str) -> dict[str, object]:
    values = {"name": text[:60], "description": text, "notes": text, "colour": COLOURS[1], "icon": ICONS[0]}
    with organisation.acting():
        made = service.create({**values, "tags": [text[:30]]})
    return {"project_id": made.id}


TestContract = contract("projects", a_project, settings={"default_colour": "#112233"})

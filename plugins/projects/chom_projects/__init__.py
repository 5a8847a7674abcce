"""Projects: services in groups, each with tags, a colour and a bill (document B, §17)."""

from flask_babel import lazy_gettext as _l

from chom_sdk import NavItem, Plugin, Scope

plugin = Plugin(
    name="projects",
    title="Projects",
    description="Group services into projects, with tags, colours, a bill for each, and a filter.",
    scopes=(
        Scope("projects:read", "See which services are in which project"),
        Scope("projects:write", "Make projects and put services into them"),
    ),
    settings="ProjectsSettings",
    plans=("pro", "enterprise"),
    nav=(NavItem(_l("Projects"), "projects.index", "folders", section="Hosting", weight=30),),
    events={"service.deleted": "projects.forget_service"},
)

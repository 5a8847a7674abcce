from chom_core.web import Pages

pages = Pages("glow", __name__, prefix="/glow", access="viewer")


@pages.get("/")
def index() -> str:
    return "glowing"

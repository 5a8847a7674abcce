"""A payment gateway that moves no money: its table of contents."""

from chom_sdk import NavItem, Plugin

plugin = Plugin(
    name="sandbox_gateway",
    title="Sandbox payments",
    description="Test cards instead of money: pay, decline, a bank's second step, holds and refunds.",
    level="platform",
    nav=(NavItem("Sandbox charges", "sandbox_gateway.charges", "credit-card", "Staff", "staff", 90),),
)

"""Billing's rules: pure functions over `Money`, `Decimal`, `Fraction` and periods. No database, no clock, no request.

Previews, invoices and tests call the same ones. Amounts are `Money`; unit prices are Decimal in major units ("0.05"
dollars a GB), percents are Decimal as people say them (19, not 0.19). Nothing is a float. What is exact stays a
Fraction until the line, where it is rounded once, half up (away from zero). What makes no sense raises ValueError.
"""

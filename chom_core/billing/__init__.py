"""Billing: what is sold, to whom, at what price; invoices, payments and the ledger behind them.

CHOM rates and invoices; a gateway moves finished amounts. One pure rating function serves preview and invoice. The
verbs of `service/` are the only code that writes these tables; `ledger` posts and checks the books.
"""

"""Invoices and credit notes: rated, taxed, numbered, frozen, printed; and the sellers that issue them."""

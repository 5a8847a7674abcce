"""Looks: whose name, logo, colours, fonts and words a page, a mail or a document carries. All of it is data."""

"""Those who earn with the company: vendors, affiliates and resellers."""

"""The verbs and reads of the operator's desk. It keeps no tables of its own: it acts through the floors below."""

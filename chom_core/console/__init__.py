"""The operator's desk: what runs, what failed, what is switched on for whom and why; health, metrics, the doctor."""

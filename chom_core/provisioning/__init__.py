"""Provisioning: nodes, services, and operations of journalled steps that survive any crash.

Plugins contribute kinds of service and node drivers; this domain decides, records, drives and compares.
"""

from __future__ import annotations

"""Sites on this machine: real WordPress and static pages as supervised, unprivileged processes on loopback."""

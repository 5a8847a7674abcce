"""The demo: a whole CHOM on one machine, without root and without any server installed, with people and sites in it.

`place` the data folder and its secrets · `servers` Postgres, Valkey and a mail catcher · `install` the database ·
`company` and `people` who is in it · `house` web, worker and scheduler, supervised · `pages` what a visitor of the
demo gets on top · `check` the main job, done over HTTP as a stranger would.
"""

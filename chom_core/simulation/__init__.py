"""A hosting company over many months on the test clock, through the same verbs that pages use.

`cast` who comes, from where, when · `script` what each does in a month · both pure, from a seed · `stage` the operator,
plans and coupons · `acts` the verbs · `books` the ledger's hash and counts · `guard` no real organisation is near ·
`run` months in order, each organisation's clock moved on, jobs run in this process.

Services are not built: hosting plans, add-ons and usage need none. Schedules that cannot look ahead, as some plugins'
hourly ones, do not run; plugins' handlers of events do. People have addresses below `.invalid`, which no
mail can reach and nobody can own; that is also how they are told from real ones.
"""

"""A Toloka API server for demos and tests, with a simulated crowd that answers open pools.

    DRIFTWATCH_TOLOKA_TOKEN=... python -m driftwatch_sandbox.toloka --port 8081 --database toloka.sqlite --truth truth.csv

Requests come in through `routes_*`, are checked by `validation`, kept by `store`; `exchange` moves assignments from
state to state and money with them, `quality` and `enforcement` apply the pools' rules, `crowd` plays the annotators, `desk` lets people in.
"""

TOKEN_VARIABLE = "DRIFTWATCH_TOLOKA_TOKEN"  # noqa: S105 - the name, not the secret

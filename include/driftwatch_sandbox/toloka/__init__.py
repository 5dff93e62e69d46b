"""A Toloka API server for demos and tests, with a simulated crowd that answers open pools.

    DRIFTWATCH_TOLOKA_TOKEN=... python -m driftwatch_sandbox.toloka --port 8081 --database toloka.sqlite --truth truth.csv

Toloka's words: a pool is a job for annotators, and a task is one of its questions. A page of tasks that one person gets is an assignment.
The overlap is how many people answer a task. Control (golden) tasks have a known answer. A skill is a number that a person has earned. A
training is an exam before a pool.

Requests come in through `routes_*`. `validation` checks them, and `store` keeps them. `exchange` changes the state of assignments and
moves the money. `quality` and `enforcement` apply the pools' rules. `crowd` plays the annotators, and `desk` lets people in.
"""

TOKEN_VARIABLE = "DRIFTWATCH_TOLOKA_TOKEN"  # noqa: S105 - the name, not the secret

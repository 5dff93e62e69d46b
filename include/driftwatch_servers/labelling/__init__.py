"""The page where people label images in their browser.

`create_app` of `app` serves it. `source` has the protocol TaskSource: whatever keeps the tasks and takes the answers implements it.
`people` says who may log in, `sessions` who is logged in.
"""

"""The page where people label images in their browser.

`create_app` of `app` serves it for one `TaskSource` of `source`: what keeps the tasks and takes the answers plugs in there. `people`
tells who may log in, `sessions` who is logged in.
"""

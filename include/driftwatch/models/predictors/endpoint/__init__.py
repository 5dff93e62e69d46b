"""A model server answers the images.

`plan`: what the server tells of its model, compared with what Driftwatch sends and needs. `link`: the requests, and how many of them at
once. `v2` and `tensorflow`: the two protocols. `predictor`: a registered version whose answers come from a server.
"""

"""Model servers for tests: TensorFlow Serving's REST and the Open Inference Protocol v2, over real HTTP, with faults on request.

TensorFlow Serving itself is on no Python package index. Of v2 the tests run real servers too; this one fails as it is told.
"""

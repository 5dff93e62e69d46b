"""Receives what OpenTelemetry sends by HTTP, as a collector does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

Points = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@contextmanager
def collecting() -> Iterator[tuple[str, Points]]:
    """The address of a collector, and what it was sent: each point by its name and its attributes."""
    points: Points = {}

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                import gzip

                body = gzip.decompress(body)
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for scope in resource.scope_metrics:
                    for metric in scope.metrics:
                        for point in (*metric.gauge.data_points, *metric.sum.data_points):
                            tags = tuple(sorted((tag.key, tag.value.string_value) for tag in point.attributes))
                            points[metric.name, tags] = point.as_double or point.as_int
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", points
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
